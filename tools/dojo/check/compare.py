"""The learner's code of a task beside the reference's: from two texts to what is to be shown."""

import ast
import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from textwrap import dedent

from dojo import UserError
from dojo.catalog import Kata, Task
from dojo.check.state import State
from dojo.results import Outcome
from dojo.stubs import BEGIN, END, MORE_TEXT, solution_lines

SAME, OLD, NEW, GAP = " ", "-", "+", "…"
Line = tuple[str, str]  # its sign, its text

_TODO = re.compile(r"\s*# TODO \w+: ")
_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
_Node = ast.stmt | ast.expr


class NotComparable(UserError):
    """The learner's file is not Python; the message says so."""


@dataclass(frozen=True)
class CodePair:
    """A function, class or entry that a task is about, as both have it."""

    name: str  # "LogisticRegression.forward", or "ANSWERS" for an entry of that dict
    yours: tuple[str, ...]  # lines without docstring and the stub's words; empty if missing
    reference: tuple[str, ...]  # lines; empty for a helper of the learner's own
    same: bool = False  # the same code, whatever the layout and the comments


def refusal(kata: Kata, tasks: Sequence[Task], state: State, content: str) -> str:
    """Why nothing is shown yet of these tasks, none of which is green, and what to do. `content` is
    the hash of the file as it is.
    """
    command = f"python tools/check {kata.short}"
    what = f"'{tasks[0].name}'" if len(tasks) == 1 else f"a task of {kata.short}"
    known = [state.of(kata.name, task.name) for task in tasks]
    outcomes = {each.outcome for each in known}
    if Outcome.PASSED in outcomes or (
        outcomes != {""} and content not in {k.judged for k in known}
    ):
        return (
            f"Your file or its tests have changed since the last check: run `{command}`, and once"
            f" {what} is green, compare."
        )
    if outcomes != {""}:
        return (
            f"You can compare once {what} is green: until then the solution stays yours to find."
            f" `python tools/check hint {kata.short}` helps to get there."
        )
    return f"You can compare once {what} is green: `{command}` shows whether it is."


def parts(yours: str, reference: str, task: str) -> list[CodePair]:
    """What both wrote for a task, in the reference's order; last the learner's own helpers.

    Raises NotComparable if the learner's text is not Python.
    """
    try:
        learner = _Source(yours)
    except (SyntaxError, ValueError) as error:
        raise NotComparable(f"your file is not valid Python ({error})") from None
    solution = _Source(reference)
    compared: list[CodePair] = []
    used: set[str] = set()
    for name in solution.names_at(sorted(solution_lines(reference, task))):
        node = learner.node(name, task)
        solved = solution.node(name, task)
        is_same = node is not None and _code(node) == _code(solved)
        compared.append(CodePair(name, learner.lines(node), solution.lines(solved), is_same))
        used.update(_words(node))
    for name, helper in learner.definitions.items():
        is_within = any(name.startswith(f"{part.name}.") for part in compared)
        is_used = name.rpartition(".")[2] in used
        if is_used and not is_within and name not in solution.definitions:
            compared.append(CodePair(name, learner.lines(helper), ()))
    return compared


class _Source:
    """A kata's file: its definitions by name, and their lines without what is not code."""

    def __init__(self, text: str) -> None:
        self._lines = text.splitlines()
        body = ast.parse(text).body
        self.definitions = dict(_definitions(body))
        self._assigned = list(_assigned(body))
        self._hidden = _instructions(self._lines)
        for node in self.definitions.values():
            self._hidden.update(_docstring(node))

    def names_at(self, lines: Sequence[int]) -> list[str]:
        """The innermost definition around each line, else what it assigns to; each name once."""
        names: list[str] = []
        for line in lines:
            around = [name for name, node in self.definitions.items() if line in _lines_of(node)]
            assigned = [name for name, node in self._assigned if line in _lines_of(node)]
            names += around[-1:] or assigned[:1]
        return list(dict.fromkeys(names))

    def node(self, name: str, task: str) -> _Node | None:
        """The definition of that name, or of a dict of that name the value at the task's key."""
        if name in self.definitions:
            return self.definitions[name]
        value = dict(self._assigned).get(name)
        if isinstance(value, ast.Dict):
            for key, entry in zip(value.keys, value.values, strict=True):
                if isinstance(key, ast.Constant) and key.value == task:
                    return entry
        return value

    def lines(self, node: _Node | None) -> tuple[str, ...]:
        """The lines of a node that are shown."""
        if node is None:
            return ()
        decorators: list[ast.expr] = getattr(node, "decorator_list", [])
        first = min(each.lineno for each in [node, *decorators])
        numbers = (n for n in range(first, _lines_of(node).stop) if n not in self._hidden)
        text = "\n".join(self._lines[number - 1].rstrip() for number in numbers)
        return tuple(dedent(text).strip("\n").splitlines())


def _lines_of(node: _Node) -> range:
    return range(node.lineno, (node.end_lineno or node.lineno) + 1)


def _definitions(body: list[ast.stmt], prefix: str = "") -> Iterator[tuple[str, _Definition]]:
    for node in body:
        if isinstance(node, _Definition):
            yield prefix + node.name, node
            if isinstance(node, ast.ClassDef):
                yield from _definitions(node.body, f"{prefix}{node.name}.")


def _assigned(body: list[ast.stmt]) -> Iterator[tuple[str, ast.expr]]:
    """Name and value of each assignment at the top of a file."""
    for node in body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                if isinstance(target, ast.Name):
                    yield target.id, node.value


def _instructions(lines: Sequence[str]) -> set[int]:
    """The lines in which the stub, or the reference's markers, say what to do."""
    numbers, goes_on = set(), False
    for number, line in enumerate(lines, start=1):
        begins = _TODO.match(line) or BEGIN.match(line)
        goes_on = bool(begins or (goes_on and MORE_TEXT.match(line)))
        if goes_on or END.match(line):
            numbers.add(number)
    return numbers


def _docstring(node: _Definition) -> range:
    """The lines of a definition's docstring, if they are its own."""
    first = node.body[0]
    has_one = ast.get_docstring(node, clean=False) is not None
    return _lines_of(first) if has_one and first.lineno > node.lineno else range(0)


def _code(node: _Node | None) -> str:
    """The code without docstrings, layout and comments."""
    bare = ast.parse(ast.unparse(node)) if node else ast.Module([], [])
    for inner in ast.walk(bare):
        if isinstance(inner, _Definition) and ast.get_docstring(inner, clean=False) is not None:
            inner.body = inner.body[1:]
    return ast.dump(bare)


def _words(node: _Node | None) -> Iterator[str]:
    """Every name and attribute that the code uses."""
    for inner in ast.walk(node) if node else ():
        if isinstance(inner, ast.Name):
            yield inner.id
        elif isinstance(inner, ast.Attribute):
            yield inner.attr


def differences(old: Sequence[str], new: Sequence[str], context: int | None = None) -> list[Line]:
    """All lines of both texts, each with its sign; with `context` only so many common lines around
    each difference, and a gap for the others.
    """
    signed: list[Line] = []
    for kind, i, j, k, m in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            signed += [(SAME, text) for text in old[i:j]]
        else:
            signed += [(OLD, text) for text in old[i:j]] + [(NEW, text) for text in new[k:m]]
    if context is None:
        return signed
    shown: list[Line] = []
    is_after_gap = False
    for number, line in enumerate(signed):
        around = signed[max(0, number - context) : number + context + 1]
        if all(sign == SAME for sign, _ in around):
            is_after_gap = bool(shown)
            continue
        shown += [(GAP, ""), line] if is_after_gap else [line]
        is_after_gap = False
    return shown
