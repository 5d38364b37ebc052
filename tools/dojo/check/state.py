"""The learner's state: each task's hints, attempts, last outcome and the day it was first green.

Pure: from one state to the next. store.py keeps it in a file.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Annotated

import msgspec

from dojo.catalog import Catalog, Kata, Task
from dojo.results import KataResult, Outcome

VERSION = 1
PAUSE = timedelta(minutes=5)  # between the last hint and the solution
Count = Annotated[int, msgspec.Meta(ge=0)]


class TaskState(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The state of one task."""

    hints: Count = 0  # how many of its hints are open
    # Versions of its file judged until it was green for the first time, the green one included;
    # those in which it was not begun do not count. With other tests a file is another version.
    attempts: Count = 0
    first_green: str = ""  # the day it passed for the first time, such as "2026-11-21"
    outcome: str = ""  # that of the last check; empty before the first
    judged: str = ""  # store.content_hash of the file and its tests at this check, if known
    last_hint: str = ""  # when a hint was opened last, such as "2026-11-21T14:05:00"
    solution_shown: str = ""  # the day a solution was shown before it was green

    def __post_init__(self) -> None:
        if self.last_hint:
            datetime.fromisoformat(self.last_hint)
        if self.solution_shown:
            date.fromisoformat(self.solution_shown)
        if self.first_green:
            date.fromisoformat(self.first_green)
        if self.outcome:
            Outcome(self.outcome)

    def is_green(self, content: str) -> bool:
        """True if it passed with the file and the tests whose hash is `content`."""
        return self.outcome == Outcome.PASSED and self.judged == content != ""


@dataclass(frozen=True)
class State:
    """Kata name → task name → state of the task. Katas that the catalog no longer has stay."""

    katas: Mapping[str, Mapping[str, TaskState]] = field(default_factory=dict)

    def of(self, kata: str, task: str) -> TaskState:
        """The state of a task."""
        return self.katas.get(kata, {}).get(task, TaskState())

    def having(self, kata: str, task: str, task_state: TaskState) -> "State":
        """The same state with this state of a task."""
        return State({**self.katas, kata: {**self.katas.get(kata, {}), task: task_state}})

    def to_json(self) -> bytes:
        """The document that from_json reads."""
        document = msgspec.json.encode({"version": VERSION, "katas": self.katas})
        return msgspec.json.format(document, indent=1)


class _Document(msgspec.Struct):
    version: object
    katas: msgspec.Raw


def from_json(document: bytes) -> State:
    """The state in a JSON document. Raises ValueError with the reason, in half a sentence."""
    try:
        whole = msgspec.json.decode(document, type=_Document)
        if whole.version == VERSION:
            katas = msgspec.json.decode(whole.katas, type=dict[str, dict[str, TaskState]])
            return State(katas)
    except msgspec.ValidationError as error:
        raise ValueError("it does not hold what this program writes there") from error
    except (msgspec.DecodeError, RecursionError) as error:
        raise ValueError("it is not JSON") from error
    raise ValueError("another version of this program has written it")


def after_check(state: State, result: KataResult, content: str, today: date) -> State:
    """The state after a kata was judged.

    `content` is the hash of the file that was judged and of its tests; empty if one of them changed
    meanwhile, so that the judged version is unknown.
    """
    for task in result.tasks:
        if task.outcome == Outcome.ERROR:  # the suite's own fault says nothing about the learner
            continue
        before = state.of(result.name, task.name)
        is_new = content != before.judged or not content
        is_tried = task.outcome in (Outcome.PASSED, Outcome.FAILED)
        passed_today = today.isoformat() if task.outcome == Outcome.PASSED else ""
        after = msgspec.structs.replace(
            before,
            attempts=before.attempts + (is_tried and is_new and not before.first_green),
            first_green=before.first_green or passed_today,
            outcome=task.outcome,
            judged=content,
        )
        state = state.having(result.name, task.name, after)
    return state


def after_hint(state: State, kata: str, task: Task, now: datetime) -> State:
    """The state after one more of a task's hints was opened, if there is one more."""
    before = state.of(kata, task.name)
    if before.hints >= len(task.hints):
        return state
    when = now.isoformat(timespec="seconds")
    after = msgspec.structs.replace(before, hints=before.hints + 1, last_hint=when)
    return state.having(kata, task.name, after)


def solution_from(state: State, kata: str, task: Task) -> datetime | None:
    """From when on a solution of the task is shown: a pause after its last hint was opened. None
    while there are hints left.
    """
    known = state.of(kata, task.name)
    if known.hints < len(task.hints):
        return None
    return datetime.fromisoformat(known.last_hint) + PAUSE if known.last_hint else datetime.min


def after_solution(state: State, kata: str, task: Task, today: date) -> State:
    """The state after a solution of the task was shown; once green, that is not noted."""
    before = state.of(kata, task.name)
    if before.first_green or before.solution_shown:
        return state
    after = msgspec.structs.replace(before, solution_shown=today.isoformat())
    return state.having(kata, task.name, after)


def following(state: State, catalog: Catalog, kata: Kata) -> Kata | None:
    """The next kata in the catalog's order, after the last one from the start, in which a task has
    not passed yet.
    """
    position = catalog.katas.index(kata)
    others = catalog.katas[position + 1 :] + catalog.katas[:position]
    for other in others:
        outcomes = {state.of(other.name, task.name).outcome for task in other.tasks}
        if outcomes != {Outcome.PASSED}:
            return other
    return None


def current(
    state: State, catalog: Catalog, edited: Mapping[str, float]
) -> tuple[Kata, Task] | None:
    """The task the learner is at: one that failed, else one of a kata that is begun, else the next.

    Args:
        edited: kata name → when its file was last changed, which decides between several katas.

    Returns None when every task passed at its last check.
    """

    def nearness(position: tuple[Kata, Task]) -> tuple[int, float]:
        kata, task = position
        when = edited.get(kata.name, 0.0)
        if state.of(kata.name, task.name).outcome == Outcome.FAILED:
            return 2, when
        outcomes = {state.of(kata.name, other.name).outcome for other in kata.tasks}
        return (1, when) if outcomes & {Outcome.PASSED, Outcome.FAILED} else (0, 0.0)

    open_tasks = (
        (kata, task)
        for kata in catalog.katas
        for task in kata.tasks
        if state.of(kata.name, task.name).outcome != Outcome.PASSED
    )
    return max(open_tasks, key=nearness, default=None)  # of equal ones max takes the first
