"""A hint of a task, from nudge to nearly the code."""

from dojo.catalog import Kata, Task


class NoSuchHint(Exception):
    """There is no hint of that number or task; the message says which there are."""


def hints(kata: Kata, number: int, task: str | None = None) -> list[tuple[Task, str]]:
    """The hint of this number for each task of the kata that has one, or for the named task alone.

    Raises:
        NoSuchHint: the kata has no such task, or none of its tasks so many hints.
    """
    names = [known.name for known in kata.tasks]
    if task is not None and task not in names:
        raise NoSuchHint(f"{kata.short} has no task '{task}'. Its tasks are {', '.join(names)}.")
    tasks = [known for known in kata.tasks if task in (None, known.name)]
    found = [(known, known.hints[number - 1]) for known in tasks if 1 <= number <= len(known.hints)]
    if not found:
        most = max(len(known.hints) for known in tasks)
        raise NoSuchHint(f"{kata.short} has hints 1 to {most}, and no hint {number}.")
    return found
