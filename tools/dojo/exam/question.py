"""How a file of reference/exams states its questions."""

import functools
import types
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from dojo.exam import written_out
from dojo.exam.comparisons import OTHER_FORM, Comparison, same
from dojo.exam.draw import Draw
from dojo.exam.values import size
from dojo.simulated import backend

SECONDS = 10.0
# how many numbers an answer may have: as a multiple of the reference's, and beyond
LARGEST_SHARE, LARGEST_MORE = 4, 10_000

# a kata's module is Any: what it holds, its exam knows
Ask = Callable[[Any, Draw], dict[str, object]]
Answers = Mapping[str, Any]


@dataclass(frozen=True)
class Question:
    """Something to ask about a task.

    Attributes:
        ask: works with the kata's module and a draw, and returns answers by name. It judges
            nothing: what it knows, the submission may come to know.
        comparisons: answer → how it is compared with the reference's; the others have to be the
            same, apart from rounding.
        seconds: the most that the submission may compute.
        times: how often it is asked, each time with another draw.
        by_hand: function or class of the kata → the names of `written_out` that its code does
            without.
    """

    name: str
    task: str
    ask: Ask
    comparisons: Mapping[str, Comparison]
    seconds: float
    times: int
    by_hand: Mapping[str, Collection[str]] = field(default_factory=dict)

    def look_at(self, source: str | bytes) -> str:
        """Why a submission's source is no answer, whatever it answers; empty if it may be."""
        found = written_out.fault(source, self.by_hand)
        return f"{self.name}: {found}" if found else ""

    def compare(self, answers: Answers, right: Answers, hidden: Answers) -> str:
        """Why the answers are not right; empty if they are."""
        if set(answers) != set(right):
            return f"{self.name}: other answers came back than were asked for"
        # comparisons compute with them, and are to stay quick
        if size(answers) > LARGEST_SHARE * size(right) + LARGEST_MORE:
            return f"{self.name}: the answers are far larger than was asked for"
        for name in right:
            if reason := self._reason(name, answers[name], right[name], hidden):
                return f"{self.name}, {name}: {reason}"
        return ""

    def _reason(self, name: str, answer: Any, right: Any, hidden: Answers) -> str:
        compare = self.comparisons.get(name, same())
        try:
            return compare(answer, right, hidden)
        except Exception as error:
            # a comparison that can't take the reference's answer is at fault, and raises again
            compare(right, right, hidden)
            return f"{OTHER_FORM} ({type(error).__name__})"


def question(
    task: str,
    seconds: float = SECONDS,
    times: int = 1,
    by_hand: Mapping[str, Collection[str]] | None = None,
    **comparisons: Comparison,
) -> Callable[[Ask], Question]:
    """Make a function a question about a task. Keywords give comparisons for its answers."""
    return lambda ask: Question(
        ask.__name__, task, _as_on_mps(ask), comparisons, seconds, times, by_hand or {}
    )


def _as_on_mps(ask: Ask) -> Ask:
    """The same on a simulated device that lacks what Apple's GPUs lack, as in the tests."""

    @functools.wraps(ask)
    def asked(kata: Any, draw: Draw) -> dict[str, object]:
        with backend.without_float64():
            return ask(kata, draw)

    return asked


def load(source: str, name: str) -> tuple[Question, ...]:
    """The questions of an exam's text, in their order.

    Raises:
        ValueError: it has none.
    """
    module = types.ModuleType(f"exam_of_{name}")
    exec(compile(source, f"reference/exams/{name}.py", "exec"), vars(module))
    questions = tuple(value for value in vars(module).values() if isinstance(value, Question))
    if not questions:
        raise ValueError(
            f"reference/exams/{name}.py asks nothing: mark its functions with @question(task)"
        )
    return questions
