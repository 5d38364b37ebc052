"""The hints of a task: a nudge, the concept, the API, nearly the code, opened one at a time.

Once the task is green, also the pages of torch's documentation on what its solution uses. They are
found in the reference's text alone: torch is not imported here.
"""

import ast
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from dojo import UserError
from dojo.catalog import Catalog, Kata, Task
from dojo.check import state as states
from dojo.check.state import State
from dojo.results import Outcome
from dojo.stubs import BEGIN, MORE_TEXT, solution_lines

STABLE = "https://docs.pytorch.org/docs/stable/"

_DTYPE = r"torch\.((bfloat|float|complex|uint|int)\d+|float|double|half|int|long|short|bool)"
# These functions of torch itself are only described under their longer name.
_FUNCTIONAL = r"torch\.(relu|selu|celu|prelu|softmax|log_softmax)"
# Most names have a page of their own; of these several stand on one. The first pattern that fits a
# whole name counts.
_PAGES = {
    r"torch\.nn|torch\.optim|torch\.nn\.init": "{tail}.html",
    _DTYPE: "tensor_attributes.html#torch.dtype",
    r"torch\.device": "tensor_attributes.html#torch.device",
    r"torch\.Tensor": "tensors.html",
    r"torch\.optim\.Optimizer": "optim.html#{name}",
    r"torch\.nn\.init\.\w+": "nn.init.html#{name}",
    r"torch\.utils\.data\.\w+": "data.html#{name}",
    r"torch\.backends\.\w+\.\w+": "backends.html#{name}",
    _FUNCTIONAL: "generated/torch.nn.functional.{tail}.html",
    r".*": "generated/{name}.html",
}


class NoSuchTask(UserError):
    """The kata has no such task; the message says which there are."""


@dataclass(frozen=True)
class OpenHints:
    """The hints of a task that are open."""

    kata: Kata
    task: Task
    texts: tuple[str, ...]
    was_green: str = ""  # the day; then all are open, for nothing is left to give away
    is_green: bool = False  # at the last check
    is_judged: bool = True  # the file as it is was judged by it
    solution_from: datetime | None = None  # from when on a solution is shown; None: hints are left


def task_of(kata: Kata, name: str) -> Task:
    """The task of that name. Raises NoSuchTask if the kata has none."""
    for task in kata.tasks:
        if task.name == name.strip().lower():
            return task
    names = ", ".join(task.name for task in kata.tasks)
    raise NoSuchTask(f"{kata.short} has no task '{name}'. Its tasks are {names}.")


def asked_for(
    state: State,
    catalog: Catalog,
    kata: Kata | None,
    task: str | None,
    edited: Mapping[str, float],
    content: Callable[[str], str] = lambda kata: "",
) -> list[OpenHints]:
    """The tasks that a request for a hint is about, with their open hints so far.

    That is the named task, or the one the learner is at: in the named kata, or in all. Of a named
    kata in which everything passes, all tasks; none if nothing is named and everything passes.
    Raises NoSuchTask if the kata has no task of that name.

    Args:
        edited: kata name → when its file was last changed.
        content: from a kata's name to the hash of its file as it is.
    """
    if kata and task:
        return [open_hints(state, kata, task_of(kata, task), content(kata.name))]
    within = catalog.only([kata]) if kata else catalog
    if at := states.current(state, within, edited):
        return [open_hints(state, *at, content(at[0].name))]
    tasks = kata.tasks if kata else ()
    return [open_hints(state, kata, task, content(kata.name)) for task in tasks] if kata else []


def open_hints(state: State, kata: Kata, task: Task, content: str = "") -> OpenHints:
    """The open hints of a task. `content` is the hash of the kata's file as it is, if known."""
    task_state = state.of(kata.name, task.name)
    was_green = task_state.first_green
    return OpenHints(
        kata,
        task,
        task.hints if was_green else task.hints[: task_state.hints],
        was_green,
        task_state.outcome == Outcome.PASSED,
        content in ("", task_state.judged),
        states.solution_from(state, kata.name, task),
    )


def too_early(shown: OpenHints, now: datetime) -> str:
    """Why a solution is not shown yet, and what to do; empty if it is."""
    command = f"python tools/check hint {shown.kata.short} {shown.task.name}"
    if shown.was_green:
        return ""
    if shown.solution_from is None:
        left = len(shown.task.hints) - len(shown.texts)
        more = "more hint" if left == 1 else "more hints"
        return f"There {'is' if left == 1 else 'are'} {left} {more} to read first: `{command}`."
    if now < shown.solution_from:
        when = f"{shown.solution_from:%H:%M}"
        return f"Try it with the last hint first. From {when} on this command shows a solution."
    return ""


def solution(reference: str, task: str) -> list[tuple[int, str]]:
    """The lines of the reference's solution of a task, with their numbers."""
    lines, found = reference.splitlines(), []
    is_text = False  # what a marker says goes on
    for number in sorted(solution_lines(reference, task)):
        begins = BEGIN.match(lines[number - 2]) is not None
        is_text = (begins or is_text) and MORE_TEXT.match(lines[number - 1]) is not None
        if not is_text:
            found.append((number, lines[number - 1]))
    return found


def pages(reference: str, task: str) -> list[tuple[str, str]]:
    """Name and address of the documentation of each name of torch in a task's solution, in order.

    A reference that is not Python has none.
    """
    try:
        tree = ast.parse(reference)
    except (SyntaxError, ValueError):
        return []
    lines = solution_lines(reference, task)
    meanings = dict(_imported(tree))
    names = (name for line, name in sorted(_used(tree, meanings)) if line in lines)
    return [(name, page(name)) for name in dict.fromkeys(names)]


def page(name: str) -> str:
    """The address of the page on a full name, such as torch.nn.Linear."""
    address = next(page for pattern, page in _PAGES.items() if re.fullmatch(pattern, name))
    return STABLE + address.format(name=name, tail=name.removeprefix("torch."))


def _imported(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Imported name → full name: nn → torch.nn, DataLoader → torch.utils.data.DataLoader."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.partition(".")[0]
                yield (alias.asname, alias.name) if alias.asname else (top, top)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield alias.asname or alias.name, f"{node.module}.{alias.name}"


def _used(node: ast.AST, meanings: dict[str, str]) -> Iterator[tuple[int, str]]:
    """Line and full name of everything of torch that the code names, the longest form of each."""
    if isinstance(node, ast.Attribute | ast.Name) and (name := _full_name(node, meanings)):
        if name.startswith("torch."):
            yield node.lineno, name
        return
    for child in ast.iter_child_nodes(node):
        yield from _used(child, meanings)


def _full_name(node: ast.expr, meanings: dict[str, str]) -> str | None:
    if isinstance(node, ast.Name):
        return meanings.get(node.id)
    if isinstance(node, ast.Attribute) and (owner := _full_name(node.value, meanings)):
        return f"{owner}.{node.attr}"
    return None
