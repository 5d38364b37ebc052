"""Texts that can be wrong: what catalog and lesson say of tasks, points and earlier katas, names of
code that are nowhere, and hints that give the solution away.
"""

import ast
import builtins
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from dojo import ROOT, catalog
from dojo.catalog import Catalog, Kata
from dojo.stubs import solution_lines
from dojo.validate import Finding, text_sources

LEAST_CODE = 15  # signs of a line without its spaces: a shorter one is no secret
SHORTEST = 15  # signs of a hint
TASKS = re.compile(r"^Tasks:\s(?P<names>[\w,\s]+)\.", re.MULTILINE)
BUILDS = re.compile(r"Builds on:\s(?P<names>[\w,\s]+)\.")
DOTTED = re.compile(r"(?<![\w./])(torch|nn|np|optim|sklearn|F)((?:\.[A-Za-z_]\w*)+)")
CALLED = re.compile(r"(?<![\w.])([A-Za-z_]\w*)\((?!s\))")
METHOD = re.compile(r"(?<=[\w\])])\.([A-Za-z_]\w+)\(")
ROOTS = {"nn": "torch.nn", "np": "numpy", "optim": "torch.optim", "F": "torch.nn.functional"}


@dataclass(frozen=True)
class Said:
    """A text, and where it stands."""

    where: str
    words: str


def are_true(chosen: Catalog) -> Finding:
    """What catalog, lessons, hints and docstrings say is so, as far as code can tell."""
    problems, number = list[str](), 0
    order = [kata.name for kata in catalog.load().katas]
    for kata in chosen.katas:
        source = kata.reference_text()
        texts = list(said_of(kata, source))
        number += len(texts)
        problems += [*of_catalog(kata), *of_lesson(kata, source, order)]
        problems += given_away(kata, source)
        problems += [fault for text in texts for fault in unknown_names(text, source)]
    return Finding(problems, f"{number} texts")


def said_of(kata: Kata, source: str) -> Iterator[Said]:
    """Lesson, docstrings, what is to do, and hints."""
    for text in text_sources.of_reference(kata.name):
        yield Said(f"{text.file}:{text.line}", text.words)
    for task in kata.tasks:
        for number, hint in enumerate(task.hints, start=1):
            yield Said(f"katas/catalog.toml: {kata.short} {task.name}, hint {number}", hint)


def of_catalog(kata: Kata) -> Iterator[str]:
    """Numbers that can't be, and empty texts."""
    where = f"katas/catalog.toml: {kata.short}"
    if type(kata.minutes) is not int or kata.minutes < 1:
        yield f"{where}: minutes are {kata.minutes}: a whole number from 1"
    if not kata.title.strip() or not kata.learned.strip():
        yield f"{where}: its title or what was learned is empty"
    for task in kata.tasks:
        if type(task.points) is not int or task.points < 1:
            yield f"{where} {task.name}: points are {task.points}: a whole number from 1"
        for number, hint in enumerate(task.hints, start=1):
            if len(hint.strip()) < SHORTEST:
                yield f"{where} {task.name}: hint {number} says nothing: {hint!r}"
        if len({" ".join(hint.split()).lower() for hint in task.hints}) < len(task.hints):
            yield f"{where} {task.name}: a hint is given twice"


def of_lesson(kata: Kata, source: str, order: Sequence[str]) -> Iterator[str]:
    """Tasks other than the catalog's, and katas that are not there or come later."""
    file, lesson = f"reference/{kata.name}.py", ast.get_docstring(ast.parse(source)) or ""
    tasks = [task.name for task in kata.tasks]
    told = TASKS.search(lesson)
    if not told or _listed(told["names"]) != tasks:
        yield f"{file}: the catalog says 'Tasks: {', '.join(tasks)}.'"
    earlier = order[: order.index(kata.name)]
    if not (builds := BUILDS.search(lesson)):
        yield f"{file}: the lesson does not say what it builds on"
    elif _listed(builds["names"]) != ["nothing"]:
        for name in _listed(builds["names"]):
            if name not in earlier:
                yield f"{file}: it builds on {name}, which is no earlier kata"


def _listed(names: str) -> list[str]:
    return [name.strip() for name in names.split(",")]


def given_away(kata: Kata, source: str) -> Iterator[str]:
    """First hints and TODO lines in which a line of the solution stands, and hints but the last in
    which all of it stands.
    """
    lines = source.splitlines()
    for task in kata.tasks:
        solution = [_plain(lines[n - 1]) for n in sorted(solution_lines(source, task.name))]
        secret = [line for line in solution if _is_secret(line)]
        todos = [
            line
            for line in lines
            if re.match(rf"\s*# BEGIN SOLUTION {re.escape(task.name)}:", line)
        ]
        where = f"katas/catalog.toml: {kata.short} {task.name}"
        for number, hint in enumerate(task.hints, start=1):
            told = [line for line in secret if line in _plain(hint)]
            is_all = told == secret and number < len(task.hints)
            if told and (number == 1 or is_all):
                yield f"{where}: hint {number} is the solution, {told[0]!r}"
        for todo in todos:
            if told := [line for line in secret if line in _plain(todo)]:
                yield f"reference/{kata.name}.py: the TODO line of {task.name} has {told[0]!r}"


def _plain(text: str) -> str:
    return re.sub(r"\s+", "", text.replace("`", "").replace("'", '"'))


def _is_secret(line: str) -> bool:
    is_code = len(line) >= LEAST_CODE and re.search(r"[(=]", line)
    return bool(is_code) and not line.startswith(
        ("#", "def", "class", "for", '"""', "with", "else")
    )


def unknown_names(text: Said, source: str) -> Iterator[str]:
    """Names in the form of code that neither torch, NumPy and scikit-learn have nor the kata."""
    lesson = ast.get_docstring(ast.parse(source)) or ""
    known = _known() | names_of(source) | set(re.findall(r"[A-Za-z_]\w+(?![\w(])", lesson))
    for match in DOTTED.finditer(text.words):
        root, names = ROOTS.get(match[1], match[1]), match[2].strip(".").split(".")
        several = [*names[:-1], names[-1].removesuffix("s")]  # nn.Linears
        if not exists(root, names) and not exists(root, several):
            yield f"{text.where}: there is no {match[0]}"
    for name in {*CALLED.findall(text.words), *METHOD.findall(text.words)} - known:
        if len(name) > 2:
            yield f"{text.where}: there is no {name}(...)"


@cache
def names_of(source: str) -> frozenset[str]:
    """All names in a kata's code, in the examples of its lesson, and in the given modules."""
    texts = [source, *(path.read_text("utf-8") for path in (ROOT / "katas/given").glob("*.py"))]
    found = set[str]()
    for text in texts:
        for node in ast.walk(ast.parse(text)):
            match node:
                case ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.Name(id=name):
                    found.add(name)
                case ast.Attribute(attr=name) | ast.arg(arg=name) | ast.alias(name=name):
                    found.add(name)
    return frozenset(found)


def exists(root: str, names: Sequence[str]) -> bool:
    """True if a module has this, or an object in it; a submodule counts."""
    from importlib import import_module

    found: Any = import_module(root)
    for number, name in enumerate(names):
        if not hasattr(found, name):
            try:
                found = import_module(".".join([root, *names[: number + 1]]))
            except ImportError:
                return False
        else:
            found = getattr(found, name)
    return True


@cache
def _known() -> frozenset[str]:
    """Names of functions and classes that a learner may meet anywhere."""
    import copy
    import math

    import numpy
    import torch
    from torch.utils import data

    places = [builtins, list, dict, str, torch, torch.Tensor, torch.nn, torch.nn.Module, data]
    places += [torch.nn.functional, torch.nn.Linear, torch.optim, torch.optim.Adam]
    places += [numpy, numpy.ndarray, copy, math]
    return frozenset(name for place in places for name in dir(place))
