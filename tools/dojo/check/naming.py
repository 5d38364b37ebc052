"""What the names after `check` mean: katas, tasks of them, or a command that was mistyped."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from dojo import UserError
from dojo.catalog import Catalog, Kata, UnknownKata
from dojo.results import KataResult, Verdict

COMMANDS = ("list", "hint", "compare", "update", "reset")
OPTIONS = ("--watch", "--json", "--help")  # that people take for commands
NEAR = 0.7  # as difflib counts

AskedFor = Mapping[Kata, Sequence[str]]  # kata → the tasks that were named; all of it, if none was


def asked_for(catalog: Catalog, names: Iterable[str]) -> AskedFor:
    """The katas that were named, each with those of its tasks that were named after it.

    Raises UserError at a name that is neither; the message names what is near, commands included.
    """
    found: dict[Kata, list[str]] = {}
    last: Kata | None = None
    for name in names:
        tasks = [task.name for task in last.tasks] if last else []
        if last and name.lower() in tasks:
            found[last].append(name.lower())
            continue
        try:
            last = catalog.find(name)
        except UnknownKata as problem:
            raise UserError(_unknown(name, tasks) or str(problem)) from None
        found.setdefault(last, [])
    return found


def _unknown(name: str, tasks: Sequence[str]) -> str:
    """What to say of a name that is no kata; empty if nothing but a kata is near."""
    if difflib.get_close_matches(name.lower(), tasks, n=1):
        return f"There is no task or kata '{name}'. The tasks are {', '.join(tasks)}."
    if near := difflib.get_close_matches(name.lower(), [*COMMANDS, *OPTIONS], n=1, cutoff=NEAR):
        meant = f"python tools/check {near[0]}"
        return f"There is no kata or command '{name}'. Did you mean `{meant}`?"
    return ""


def only(verdict: Verdict, asked_for: AskedFor) -> Verdict:
    """The verdict on the tasks that were named, and on all of a kata where none was."""
    named = {kata.name: tasks for kata, tasks in asked_for.items() if tasks}

    def reduced(result: KataResult) -> KataResult:
        if result.name not in named:
            return result
        tasks = (task for task in result.tasks if task.name in named[result.name])
        return replace(result, tasks=tuple(tasks))

    return replace(verdict, katas=tuple(map(reduced, verdict.katas)))
