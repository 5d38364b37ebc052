"""How a file of reference/exams says what it asks."""

import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from dojo.exam.comparisons import Judge, same
from dojo.exam.draw import Draw
from dojo.exam.values import size

SECONDS = 10.0
# how many numbers an answer may have: of the reference's, and beyond
LARGEST_SHARE, LARGEST_MORE = 4, 10_000

Ask = Callable[[types.ModuleType, Draw], dict[str, object]]


@dataclass(frozen=True)
class Question:
    """Something to ask about a task.

    Attributes:
        ask: works with the kata's module and a draw, and returns answers by name. It judges
            nothing: what it knows, the submission may come to know.
        judges: for each answer how it is compared with the reference's; exactly, apart from
            rounding, where none is named. seconds: the most that the submission may take.
        times: how often it is asked, each time with another draw.
    """

    name: str
    task: str
    ask: Ask
    judges: Mapping[str, Judge]
    seconds: float
    times: int

    def judge(
        self,
        answers: Mapping[str, object],
        right: Mapping[str, object],
        hidden: Mapping[str, object],
    ) -> str:
        """Why the answers are not right; empty if they are."""
        if set(answers) != set(right):
            return f"{self.name}: other answers came back than were asked for"
        # judges compute with them, and are to stay quick
        if size(answers) > LARGEST_SHARE * size(right) + LARGEST_MORE:
            return f"{self.name}: the answers are far larger than was asked for"
        reasons = (self._reason(name, answers[name], right[name], hidden) for name in right)
        return next(
            (
                f"{self.name}, {name}: {reason}"
                for name, reason in zip(right, reasons, strict=True)
                if reason
            ),
            "",
        )

    def _reason(
        self, name: str, answer: object, right: object, hidden: Mapping[str, object]
    ) -> str:
        judge = self.judges.get(name, same())
        try:
            return judge(answer, right, hidden)
        except Exception as error:
            # a judge that can't judge the reference is at fault itself, and raises again
            judge(right, right, hidden)
            return f"the answer has another form than asked for ({type(error).__name__})"


def question(
    task: str, seconds: float = SECONDS, times: int = 1, **judges: Judge
) -> Callable[[Ask], Ask]:
    """Make a function a question about a task. Keywords name an answer and how it is judged."""

    def mark(ask: Ask) -> Ask:
        ask.question = Question(ask.__name__, task, ask, judges, seconds, times)
        return ask

    return mark


def load(source: str, name: str) -> tuple[Question, ...]:
    """The questions of an exam's text, in their order.

    Raises:
        ValueError: it has none.
    """
    module = types.ModuleType(f"exam_of_{name}")
    exec(compile(source, f"reference/exams/{name}.py", "exec"), vars(module))
    found = tuple(value.question for value in vars(module).values() if hasattr(value, "question"))
    if not found:
        raise ValueError(
            f"reference/exams/{name}.py asks nothing: mark its functions with @question(task)"
        )
    return found
