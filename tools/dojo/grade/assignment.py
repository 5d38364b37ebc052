"""Assignments: the katas that are graded, their points, and the limits of submissions.

An assignment can be written down in a TOML file; everything in it may be left out:

    title = "Homework 3"
    katas = ["k06", "k07"]

    [points]
    "k06.model" = 2
    k06.train = 0.5

    [limits]
    seconds_a_test = 15
"""

import dataclasses
import difflib
import math
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dojo import UserError
from dojo.catalog import Catalog, Kata

MOST_POINTS = 1000


class AssignmentError(UserError):
    """The assignment can't be used; the message says what to do."""


@dataclass(frozen=True)
class Limits:
    """The most that a submission may use."""

    seconds_a_test: int = 15  # of computing
    seconds_a_submission: int = 900  # for all its katas; what is not judged by then has failed
    memory_mb: int = 1024  # beyond what Python and torch need themselves
    output_kb: int = 256  # of what a kata's tests print, this much is kept
    processes: int = 64  # at a time, threads counted


# limit → the least and the most it may be
RANGES = {
    "seconds_a_test": (1, 600),
    "seconds_a_submission": (1, 36_000),
    "memory_mb": (64, 65_536),
    "output_kb": (1, 65_536),
    "processes": (1, 4096),
}


@dataclass(frozen=True)
class Assignment:
    """The katas that are graded, their points and limits."""

    title: str
    katas: tuple[Kata, ...]  # in the catalog's order, without repetition
    points: Mapping[str, float]  # "k06_logistic_regression.model" → points, of all their tasks
    limits: Limits = Limits()

    def points_of(self, kata: str, task: str) -> float:
        return self.points[f"{kata}.{task}"]


def read(path: Path | None, chosen: Iterable[str], catalog: Catalog) -> Assignment:
    """The assignment of a file, or the whole catalog where there is none.

    Args:
        chosen: names of katas, each one or several with commas between, that are graded instead of
            the file's.

    Raises:
        AssignmentError: the file or `chosen` can't be used.
        UnknownKata: `chosen` names a kata that there is none of.
    """
    chosen = tuple(chosen)
    names = [name for several in chosen for name in several.split(",") if name.strip()]
    if chosen and not names:  # a script's empty variable does not mean all of them
        how = "give some, such as k06,k07, or leave --katas out"
        raise AssignmentError(f"--katas names no kata: {how}.")
    fields = {} if path is None else _fields(path)
    try:
        assignment = _assignment(fields, catalog)
    except UserError as problem:
        raise AssignmentError(f"{path}: {problem}") from None
    if not names:
        return assignment
    katas = _katas(names, catalog)
    every = _points(catalog.katas, fields.get("points", {}), catalog)
    points = {task: every[task] for task in _points(katas, {}, catalog)}
    return dataclasses.replace(assignment, katas=katas, points=points)


def _fields(path: Path) -> dict[str, Any]:
    try:
        # Notepad begins a file with a byte order mark
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        problem = f"can't be read ({error.strerror or error}): check --assignment."
    except UnicodeDecodeError:
        problem = "is not text in UTF-8: save it with that encoding."
    except tomllib.TOMLDecodeError as error:
        example = 'katas = ["k06", "k07"]'
        problem = f"is not TOML: {error}. Mend that place; lines look like {example}."
    raise AssignmentError(f"{path} {problem}")


def _assignment(fields: dict[str, Any], catalog: Catalog) -> Assignment:
    _refuse_unknown(fields, ("title", "katas", "points", "limits"), "it")
    title = fields.get("title", "")
    names = fields.get("katas", [])
    if not isinstance(title, str):
        raise AssignmentError(f"`title` has to be a text, not {title!r}.")
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise AssignmentError('`katas` has to be a list of names, such as ["k06", "k07"].')
    if "katas" in fields and not names:
        raise AssignmentError("`katas` is empty: name some, or leave it out to grade all.")
    katas = _katas(names, catalog) if names else catalog.katas
    tables = {name: fields.get(name, {}) for name in ("points", "limits")}
    for name, table in tables.items():
        if not isinstance(table, dict):
            how = f"[{name}], and a line for each of its entries"
            raise AssignmentError(f"`{name}` has to be a table: {how}.")
    points = _points(katas, tables["points"], catalog)
    return Assignment(title, katas, points, _limits(tables["limits"]))


def _katas(names: Sequence[str], catalog: Catalog) -> tuple[Kata, ...]:
    return catalog.only([catalog.find(name) for name in names]).katas


def _points(katas: Sequence[Kata], given: Mapping[str, Any], catalog: Catalog) -> dict[str, float]:
    """The points of every task: the catalog's, but for those that are given."""
    points: dict[str, float] = {
        f"{kata.name}.{task.name}": task.points for kata in katas for task in kata.tasks
    }
    given_as: dict[str, str] = {}  # task → its name as it was given
    for name, value in _flat(given):
        kata_name, _, task = name.partition(".")
        kata = catalog.find(kata_name)
        if why := _why_no_points(kata, task, value, kata in katas):
            raise AssignmentError(f'[points] "{name}"{why}.')
        full = f"{kata.name}.{task}"
        if full in given_as:
            both = f'"{given_as[full]}" and "{name}"'
            raise AssignmentError(
                f"[points] has {kata.short}.{task} twice, as {both}: leave one out."
            )
        points[full] = value
        given_as[full] = name
    return points


def _why_no_points(kata: Kata, task: str, value: Any, is_graded: bool) -> str:
    """The reason why a value is no points of a task; empty if it is some."""
    tasks = [each.name for each in kata.tasks]
    named = ", ".join(tasks)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not task:
        number = value if is_number and math.isfinite(value) else 1
        example = f'points."{kata.short}.{tasks[0]}" = {number}'
        return (
            f" is a whole kata: points are given to each of its tasks ({named}), such as {example}"
        )
    if task not in tasks:
        return f": {kata.short} has no task '{task}'. Its tasks are {named}"
    if not is_graded:
        return f": {kata.short} is not among the katas of this assignment"
    if not is_number or not 0 <= value <= MOST_POINTS:
        return f" has to be a number from 0 to {MOST_POINTS}, not {value!r}"
    return ""


def _flat(given: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """In TOML, k06.model = 2 without quotes is a table k06 with an entry model."""
    for name, value in given.items():
        if isinstance(value, dict):
            yield from ((f"{name}.{task}", inner) for task, inner in value.items())
        else:
            yield name, value


def _limits(given: Mapping[str, Any]) -> Limits:
    _refuse_unknown(given, tuple(RANGES), "[limits]")
    for name, value in given.items():
        least, most = RANGES[name]
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            kind = f"a whole number from {least:,} to {most:,}"
            raise AssignmentError(f"[limits] {name} has to be {kind}, not {value!r}.")
    return Limits(**given)


def _refuse_unknown(given: Mapping[str, Any], accepted: Sequence[str], where: str) -> None:
    for name in given:
        if name not in accepted:
            near = difflib.get_close_matches(name, accepted, n=1)
            nearest = f" The nearest is `{near[0]}`." if near else ""
            raise AssignmentError(
                f"{where} can't have `{name}`.{nearest} It may have {', '.join(accepted)}."
            )
