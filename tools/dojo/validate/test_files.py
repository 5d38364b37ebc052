"""What a kata's test file says, and texts run against it.

Which definitions a test reaches is found by their names, compared as text: more may be found than
is used; less is not, but for names put together at run time.
"""

import ast
import functools
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dojo import ROOT, imports
from dojo.catalog import Kata
from dojo.results import KataResult
from dojo.suite.supervisor import run
from dojo.suite.unit import Unit
from dojo.validate.patches import PatchError

Definitions = dict[str, list[ast.stmt]]  # a name may be defined in several modules


@dataclass(frozen=True)
class Function:
    """A function of a test file, most often a test."""

    name: str
    group: str  # the class it is defined in; empty outside of classes
    tasks: tuple[str, ...]  # that this class tests
    trains: bool  # it takes the fixture `mark`, so it holds a training against a mark
    is_placement: bool  # it is marked `placement`
    is_on_devices: bool  # it takes the fixture `device`


def functions(kata: Kata) -> tuple[Function, ...]:
    """The functions of a kata's test file, those of its classes included."""
    return _functions((ROOT / "tests" / f"test_{kata.name}.py").read_text(encoding="utf-8"))


@functools.cache  # a kata's mistakes ask one after the other
def _functions(text: str) -> tuple[Function, ...]:
    functions = []
    for node in ast.parse(text).body:
        group = node if isinstance(node, ast.ClassDef) else None
        nodes = group.body if group else [node]
        functions += [_function(each, group) for each in nodes if isinstance(each, ast.FunctionDef)]
    return tuple(functions)


def marked_tasks(group: ast.ClassDef) -> tuple[str, ...]:
    """The tasks that a class of tests is marked with."""
    marks = [mark for mark in group.decorator_list if isinstance(mark, ast.Call)]
    tasks = [mark for mark in marks if ast.unparse(mark.func).endswith("task")]
    return tuple(ast.literal_eval(mark.args[0]) for mark in tasks)


def _function(node: ast.FunctionDef, group: ast.ClassDef | None) -> Function:
    name, tasks = (group.name, marked_tasks(group)) if group else ("", ())
    fixtures = [argument.arg for argument in node.args.args]
    is_placement = any("placement" in ast.unparse(mark) for mark in node.decorator_list)
    return Function(node.name, name, tasks, "mark" in fixtures, is_placement, "device" in fixtures)


def placement_tests(kata: Kata) -> set[str]:
    """The names of the tests of a kata that are marked `placement`."""
    return {function.name for function in functions(kata) if function.is_placement}


def device_tests(kata: Kata) -> set[str]:
    """The names of the placement tests of a kata that are made on each device."""
    on_devices = (each for each in functions(kata) if each.is_placement and each.is_on_devices)
    return {function.name for function in on_devices}


def training_tests(kata: Kata) -> tuple[str, ...]:
    """The names of the tests of a kata that hold a training against a mark."""
    return tuple(function.name for function in functions(kata) if function.trains)


def tasks_of(kata: Kata, test: str) -> tuple[str, ...]:
    """The tasks that have a test of this name; all of the kata's for a test that belongs to
    several, case by case.

    Raises:
        PatchError: there is no such test.
    """
    name, every = test.partition("[")[0], tuple(task.name for task in kata.tasks)
    tests = [function for function in functions(kata) if function.name == name and function.group]
    if not tests:
        raise PatchError(f"{kata.name}: no task has a test {test}")
    return tuple(task for function in tests for task in function.tasks or every)


def run_texts(texts: Sequence[tuple[Unit, str]], katas: Sequence[Kata]) -> list[KataResult]:
    """Run a kata's tests on each text. Its unit says how; the target is made for it."""
    units = []
    with tempfile.TemporaryDirectory() as scratch:
        for number, (unit, text) in enumerate(texts):
            folder = Path(scratch) / str(number)
            folder.mkdir()
            (folder / f"{unit.kata}.py").write_text(text, encoding="utf-8")
            units.append(replace(unit, target=str(folder)))
        return run(units, katas)


def definitions(sources: Iterable[str]) -> Definitions:
    """What the modules define at their top, and the methods of test classes, each by itself."""
    statements: Definitions = {}
    for source in sources:
        for node in _module(source).body:
            for name, statement in _named(node):
                statements.setdefault(name, []).append(statement)
    return statements


@functools.cache  # most are shared by many solutions
def _module(source: str) -> ast.Module:
    return imports.without_docstrings(ast.parse(source))


def reached(defined: Definitions, start: Iterable[str]) -> str:
    """The code of all definitions that can be reached from these names."""
    waiting, seen, parts = list(start), set(), []
    while waiting:
        if (name := waiting.pop()) in seen:
            continue
        seen.add(name)
        for node in defined.get(name, []):
            parts.append(ast.unparse(node))
            waiting += _mentioned(node)
    return "\n".join(sorted(parts))


def _named(node: ast.stmt) -> Iterator[tuple[str, ast.stmt]]:
    match node:
        case ast.ClassDef(name=name) if name.startswith("Test"):
            for inner in node.body:
                yield from _named(inner)
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            yield name, node
        case ast.Assign(targets=targets):
            parts = [part for target in targets for part in ast.walk(target)]
            names = {part.id for part in parts if isinstance(part, ast.Name)}
            yield from ((name, node) for name in names)
        case ast.AnnAssign(target=ast.Name(id=name)):
            yield name, node


def _mentioned(node: ast.stmt) -> Iterator[str]:
    for inner in ast.walk(node):
        match inner:
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name):
                yield name
            case ast.Constant(value=str(text)) if text.isidentifier():  # getattr(kata, "MLP")
                yield text
