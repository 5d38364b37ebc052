"""The learner's code of a task beside the reference's: pure, from two texts to what is to be shown,
or why not yet.
"""

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from textwrap import dedent

from dojo.catalog import Kata, Task
from dojo.check.state import State
from dojo.results import Outcome
from dojo.stubs import BEGIN, END, MORE_TEXT, solution_lines

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


class NotComparable(Exception):
    """The learner's file is no Python; the message says so."""


@dataclass(frozen=True)
class Part:
    """A function, class or entry that a task is about, as both have it.

    Attributes:
        name: "LogisticRegression.forward", or "ANSWERS" for an entry of that dict.
        yours: its lines in the learner's file, without docstring and without the stub's words;
            empty where there is none. reference: the same of the reference; empty for a helper of
            the learner's own.
        same: whether they are the same code, whatever the layout and the comments.
    """

    name: str
    yours: tuple[str, ...]
    reference: tuple[str, ...]
    same: bool = False


def refusal(kata: Kata, tasks: Sequence[Task], state: State) -> str:
    """Why nothing is shown yet of these tasks, none of which is green, and what to do."""
    command = f"python tools/check {kata.short}"
    what = f"'{tasks[0].name}'" if len(tasks) == 1 else f"a task of {kata.short}"
    passed = [task for task in tasks if state.of(kata.name, task.name).outcome == Outcome.PASSED]
    if passed:
        return (
            f"Your file or its tests have changed since {what} passed: run `{command}` again, then"
            " compare."
        )
    if any(state.of(kata.name, task.name).outcome for task in tasks):
        nearly = f"`python tools/check hint {kata.short}` helps to get there"
        return (
            f"The comparison comes when {what} is green, so that the way there stays yours:"
            f" {nearly}."
        )
    return f"The comparison comes when {what} is green: `{command}` tells whether it is."


def parts(yours: str, reference: str, task: str) -> list[Part]:
    """What both wrote for a task, in the reference's order, and last the learner's own helpers that
    it uses.

    Raises:
        NotComparable: the learner's text is no Python.
    """
    try:
        own = _Text(yours)
    except (SyntaxError, ValueError) as error:
        raise NotComparable(f"your file is not valid Python ({error})") from None
    other = _Text(reference)
    found, compared = [], []
    for name in other.names_at(sorted(solution_lines(reference, task))):
        mine, theirs = own.node(name, task), other.node(name, task)
        same = mine is not None and _code(mine) == _code(theirs)
        found.append(Part(name, own.lines(mine), other.lines(theirs), same))
        compared.append(mine)
    used = {word for node in compared if node for word in _words(node)}
    for name, node in own.definitions.items():
        is_within = any(name.startswith(f"{part.name}.") for part in found)
        if name not in other.definitions and name.rpartition(".")[2] in used and not is_within:
            found.append(Part(name, own.lines(node), ()))
    return found


class _Text:
    """A kata's file: its definitions by name, and their lines without what is not code."""

    def __init__(self, source: str) -> None:
        self._lines = source.splitlines()
        self._tree = ast.parse(source)
        self.definitions = dict(_named(self._tree.body))
        self._hidden = _told(self._lines) | {
            line for node in self.definitions.values() for line in _docstring(node)
        }

    def names_at(self, lines: list[int]) -> list[str]:
        """The innermost definition around each line, each once; for a line in none, what its
        statement assigns to.
        """
        names = []
        for line in lines:
            around = [
                name
                for name, node in self.definitions.items()
                if node.lineno <= line <= node.end_lineno
            ]
            assigned = (
                name
                for name, node in _assigned(self._tree.body)
                if node.lineno <= line <= node.end_lineno
            )
            if name := around[-1] if around else next(assigned, ""):
                names.append(name)
        return list(dict.fromkeys(names))

    def node(self, name: str, task: str) -> ast.AST | None:
        """The definition of that name, or of a dict of that name the value at the task's key."""
        if name in self.definitions:
            return self.definitions[name]
        value = dict(_assigned(self._tree.body)).get(name)
        if not isinstance(value, ast.Dict):
            return value
        entries = zip(value.keys, value.values, strict=True)
        return next(
            (
                entry
                for key, entry in entries
                if isinstance(key, ast.Constant) and key.value == task
            ),
            value,
        )

    def lines(self, node: ast.AST | None) -> tuple[str, ...]:
        if node is None:
            return ()
        first = min(
            [node.lineno, *(decorator.lineno for decorator in getattr(node, "decorator_list", []))]
        )
        numbers = [
            number for number in range(first, node.end_lineno + 1) if number not in self._hidden
        ]
        return tuple(
            dedent("\n".join(self._lines[number - 1].rstrip() for number in numbers))
            .strip("\n")
            .splitlines()
        )


def _named(body: list[ast.stmt], prefix: str = "") -> Iterator[tuple[str, ast.AST]]:
    for node in body:
        if isinstance(node, _DEFINITIONS):
            yield prefix + node.name, node
            if isinstance(node, ast.ClassDef):
                yield from _named(node.body, f"{prefix}{node.name}.")


def _assigned(body: list[ast.stmt]) -> Iterator[tuple[str, ast.expr]]:
    """Name and value of each assignment at the top of a file."""
    for node in body:
        targets = (
            node.targets
            if isinstance(node, ast.Assign)
            else [node.target]
            if isinstance(node, ast.AnnAssign)
            else []
        )
        for target in targets:
            if isinstance(target, ast.Name) and node.value is not None:
                yield target.id, node.value


def _told(lines: list[str]) -> set[int]:
    """The lines in which the stub, or the reference's markers, tell what to do."""
    told, going_on = set(), False
    for number, line in enumerate(lines, start=1):
        begins = re.match(r"\s*# TODO \w+: ", line) or BEGIN.match(line)
        if begins or END.match(line) or (going_on and MORE_TEXT.match(line)):
            told.add(number)
            going_on = bool(begins) or (going_on and not END.match(line))
        else:
            going_on = False
    return told


def _docstring(node: ast.AST) -> range:
    first = node.body[0]
    is_one = (
        isinstance(first, ast.Expr)
        and isinstance(first.value, ast.Constant)
        and isinstance(first.value.value, str)
    )
    return (
        range(first.lineno, first.end_lineno + 1)
        if is_one and first.lineno > node.lineno
        else range(0)
    )


def _code(node: ast.AST) -> str:
    """The code without docstrings, layout and comments."""
    bare = ast.parse(ast.unparse(node))
    for inner in ast.walk(bare):
        if isinstance(inner, _DEFINITIONS) and ast.get_docstring(inner, clean=False) is not None:
            inner.body = inner.body[1:]
    return ast.dump(bare)


def _words(node: ast.AST) -> Iterator[str]:
    """Every name and attribute that the code uses."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.Name):
            yield inner.id
        elif isinstance(inner, ast.Attribute):
            yield inner.attr
