"""What is known of the learner: for each task the hints opened, the attempts, the last outcome, the
day it was first green.

Pure: from one state to the next. store.py keeps it in a file.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date

from dojo.catalog import Catalog, Kata, Task
from dojo.results import KataResult, Outcome

VERSION = 1


@dataclass(frozen=True)
class TaskState:
    """One task of the learner's.

    Attributes:
        hints: how many levels of its hints are open.
        attempts: how many versions of its file were judged until it was green for the first time,
            the green one included; those in which it was not begun do not count. The same file
            under other tests is another version.
        first_green: the day it passed for the first time, such as "2026-11-21"; empty before.
        outcome: that of the last check; empty before the first.
        judged: store.content_hash of the file and its tests at this check; empty where it is not
            known.
    """

    hints: int = 0
    attempts: int = 0
    first_green: str = ""
    outcome: str = ""
    judged: str = ""

    def is_green(self, content: str) -> bool:
        """Whether it passed with the file and its tests as they are now; content is their hash."""
        return self.outcome == Outcome.PASSED and self.judged == content != ""


@dataclass(frozen=True)
class State:
    """Kata name → task name → what is known of it."""

    katas: Mapping[str, Mapping[str, TaskState]] = field(default_factory=dict)

    def of(self, kata: str, task: str) -> TaskState:
        return self.katas.get(kata, {}).get(task, TaskState())

    def having(self, kata: str, task: str, known: TaskState) -> "State":
        """The same state with this in it."""
        return State({**self.katas, kata: {**self.katas.get(kata, {}), task: known}})

    def to_json(self) -> dict:
        katas = {
            kata: {task: asdict(known) for task, known in tasks.items()}
            for kata, tasks in self.katas.items()
        }
        return {"version": VERSION, "katas": katas}


def from_json(document: object) -> State:
    """A state from the file's document.

    Raises:
        ValueError: it is not the document of a state; the message says why, in half a sentence.
    """
    if not isinstance(document, dict) or not isinstance(document.get("katas"), dict):
        raise ValueError("it does not hold what this program writes there")
    if document.get("version") != VERSION:
        raise ValueError("another version of this program has written it")
    try:
        return State(
            {
                kata: {task: _task_state(fields) for task, fields in tasks.items()}
                for kata, tasks in document["katas"].items()
            }
        )
    except (TypeError, AttributeError, KeyError) as error:
        raise ValueError("an entry has not the fields it should have") from error


def _task_state(fields: dict) -> TaskState:
    known = TaskState(**fields)
    if any(type(number) is not int or number < 0 for number in (known.hints, known.attempts)):
        raise ValueError("a count in it is no count")
    if not all(isinstance(text, str) for text in (known.first_green, known.outcome, known.judged)):
        raise ValueError("a text in it is no text")
    if known.outcome and known.outcome not in set(Outcome):
        raise ValueError("an outcome in it is not one of those there are")
    if known.first_green:
        date.fromisoformat(known.first_green)
    return known


def after_check(state: State, result: KataResult, content: str, today: date) -> State:
    """The state after a kata was judged.

    Args:
        content: the hash of the file that was judged and of its tests; empty if one of them changed
            meanwhile, so that nobody knows which version it was.
    """
    for task in result.tasks:
        if task.outcome == Outcome.ERROR:  # the suite's own fault says nothing of the learner
            continue
        known = state.of(result.name, task.name)
        is_new = content != known.judged or not content
        counts = (
            task.outcome in (Outcome.PASSED, Outcome.FAILED) and is_new and not known.first_green
        )
        first_green = known.first_green or (
            today.isoformat() if task.outcome == Outcome.PASSED else ""
        )
        now = replace(
            known,
            attempts=known.attempts + counts,
            first_green=first_green,
            outcome=task.outcome,
            judged=content,
        )
        state = state.having(result.name, task.name, now)
    return state


def after_hint(state: State, kata: str, task: Task) -> State:
    """The state after one more level of a task's hints was opened, if there is one more."""
    known = state.of(kata, task.name)
    return state.having(
        kata, task.name, replace(known, hints=min(known.hints + 1, len(task.hints)))
    )


def current(
    state: State, catalog: Catalog, edited: Mapping[str, float]
) -> tuple[Kata, Task] | None:
    """The task the learner is at: one that failed, else one of a kata that is begun, else the next.

    Args:
        edited: kata name → when its file was last changed: of several katas the one edited last is
            meant.

    Returns:
        None when every task passed at its last check.
    """

    def nearness(place: tuple[Kata, Task]) -> tuple[int, float]:
        kata, task = place
        when = edited.get(kata.name, 0.0)
        if state.of(kata.name, task.name).outcome == Outcome.FAILED:
            return 2, when
        begun = any(
            state.of(kata.name, other.name).outcome in (Outcome.PASSED, Outcome.FAILED)
            for other in kata.tasks
        )
        return (1, when) if begun else (0, 0.0)

    # of equal ones max takes the first
    return max(_open(state, catalog), key=nearness, default=None)


def _open(state: State, catalog: Catalog) -> Iterator[tuple[Kata, Task]]:
    for kata in catalog.katas:
        for task in kata.tasks:
            if state.of(kata.name, task.name).outcome != Outcome.PASSED:
                yield kata, task
