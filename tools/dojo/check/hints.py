"""The ladder of a task's hints: a nudge, the concept, the API, nearly the code. Each time it is
asked, one more is opened.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from dojo.catalog import Catalog, Kata, Task
from dojo.check import state as states
from dojo.check.state import State


class NoSuchTask(Exception):
    """The kata has no such task; the message says which there are."""


@dataclass(frozen=True)
class Ladder:
    """The open levels of a task's hints."""

    kata: Kata
    task: Task
    open: tuple[str, ...]
    is_green: bool  # then all are open, for nothing is left to give away

    @property
    def has_more(self) -> bool:
        return len(self.open) < len(self.task.hints)


def task_of(kata: Kata, name: str) -> Task:
    """The task of that name.

    Raises:
        NoSuchTask: the kata has none.
    """
    found = next((task for task in kata.tasks if task.name == name.strip().lower()), None)
    if found is None:
        names = ", ".join(task.name for task in kata.tasks)
        raise NoSuchTask(f"{kata.short} has no task '{name}'. Its tasks are {names}.")
    return found


def meant(
    state: State, catalog: Catalog, kata: Kata | None, task: str | None, edited: Mapping[str, float]
) -> list[Ladder]:
    """The tasks that are asked about, with what is open of their hints so far.

    That is the named task, or the one the learner is at: in the named kata, or in all. Of a named
    kata in which everything passes, all tasks; none if nothing is named and everything passes.

    Raises:
        NoSuchTask: the kata has no task of that name.
    """
    if kata and task:
        return [ladder(state, kata, task_of(kata, task))]
    within = catalog.only([kata]) if kata else catalog
    if at := states.current(state, within, edited):
        return [ladder(state, *at)]
    return [ladder(state, kata, task) for task in kata.tasks] if kata else []


def ladder(state: State, kata: Kata, task: Task) -> Ladder:
    known = state.of(kata.name, task.name)
    is_green = known.first_green != ""
    return Ladder(kata, task, task.hints if is_green else task.hints[: known.hints], is_green)
