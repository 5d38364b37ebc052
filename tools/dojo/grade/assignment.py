"""What is graded: which katas, for how many points, within which limits.

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
from dataclasses import dataclass, field
from pathlib import Path

from dojo.catalog import Catalog, Kata, UnknownKata

MOST_POINTS = 1000


class AssignmentError(Exception):
    """The assignment can't be used; the message is one sentence for the user, saying what to do."""


def _limit(default: int, least: int, most: int) -> int:
    return field(default=default, metadata={"least": least, "most": most})


@dataclass(frozen=True)
class Limits:
    """What a submission may use.

    Attributes:
        seconds_a_test: that a test may take.
        seconds_a_submission: for all katas of a submission together; what is not judged by then has
            failed.
        memory_mb: beyond what Python and torch need themselves.
        output_kb: of what the tests of a kata say, the submission's own text in it, so much is
            kept; more is cut off. processes: at a time, threads counted.
    """

    seconds_a_test: int = _limit(15, 1, 600)
    seconds_a_submission: int = _limit(900, 1, 36_000)
    memory_mb: int = _limit(1024, 64, 65_536)
    output_kb: int = _limit(256, 1, 65_536)
    processes: int = _limit(64, 1, 4096)


@dataclass(frozen=True)
class Assignment:
    """What is graded.

    Attributes:
        katas: in the catalog's order, without repetition.
        points: "k06_logistic_regression.model" → points, of every task of these katas.
    """

    title: str
    katas: tuple[Kata, ...]
    points: Mapping[str, float]
    limits: Limits = Limits()

    @property
    def possible(self) -> float:
        return sum(self.points.values())

    def points_of(self, kata: str, task: str) -> float:
        return self.points[f"{kata}.{task}"]


def read(path: Path | None, chosen: Iterable[str], known: Catalog) -> Assignment:
    """The assignment of a file, or the whole catalog where there is none.

    Args:
        chosen: names of katas, each one or several with commas between, that are graded instead of
            the file's.

    Raises:
        AssignmentError: with the sentence for the user.
    """
    chosen = tuple(chosen)
    wanted = [name for names in chosen for name in names.split(",") if name.strip()]
    # such as a variable of a script that is empty: it does not mean all of them
    if chosen and not wanted:
        raise AssignmentError(
            "--katas names no kata: give some, such as k06,k07, or leave --katas out."
        )
    fields = {} if path is None else _fields(path)
    where = "" if path is None else f"{path}: "
    try:
        assignment = _assignment(fields, known)
    except AssignmentError as problem:
        raise AssignmentError(f"{where}{problem}") from None
    if wanted:
        katas = _katas(wanted, known)
        tasks = {_full(kata, task.name) for kata in katas for task in kata.tasks}
        every = _points(known.katas, fields.get("points", {}), known)
        return dataclasses.replace(
            assignment, katas=katas, points={name: every[name] for name in every if name in tasks}
        )
    return assignment


def _fields(path: Path) -> dict:
    try:
        # Notepad begins a file with a byte order mark
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise AssignmentError(
            f"{path} can't be read ({error.strerror or error}): check --assignment."
        ) from None
    except UnicodeDecodeError:
        raise AssignmentError(f"{path} is not text in UTF-8: save it with that encoding.") from None
    except tomllib.TOMLDecodeError as error:
        example = 'katas = ["k06", "k07"]'
        raise AssignmentError(
            f"{path} is not TOML: {error}. Mend that place; lines look like {example}."
        ) from None


def _assignment(fields: dict, known: Catalog) -> Assignment:
    _only(fields, ("title", "katas", "points", "limits"), "it")
    title, names = fields.get("title", ""), fields.get("katas", [])
    if not isinstance(title, str):
        raise AssignmentError(f"`title` has to be a text, not {title!r}.")
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise AssignmentError('`katas` has to be a list of names, such as ["k06", "k07"].')
    if "katas" in fields and not names:
        raise AssignmentError("`katas` is empty: name some, or leave it out to grade all.")
    katas = _katas(names, known) if names else known.katas
    points, limits = (_table(fields, name) for name in ("points", "limits"))
    return Assignment(title, katas, _points(katas, points, known), _limits(limits))


def _table(fields: dict, name: str) -> dict:
    if not isinstance(table := fields.get(name, {}), dict):
        raise AssignmentError(
            f"`{name}` has to be a table: [{name}], and a line for each of its entries."
        )
    return table


def _katas(wanted: Sequence[str], known: Catalog) -> tuple[Kata, ...]:
    try:
        found = [known.find(name) for name in wanted]
    except UnknownKata as problem:
        raise AssignmentError(str(problem)) from None
    return tuple(kata for kata in known.katas if kata in found)


def _points(katas: Sequence[Kata], given: Mapping, known: Catalog) -> dict[str, float]:
    """The points of every task: the catalog's, but for those that are given."""
    points: dict[str, float] = {
        _full(kata, task.name): task.points for kata in katas for task in kata.tasks
    }
    names: dict[str, str] = {}  # of a task → as it was given
    for name, value in _flat(given):
        kata_name, _, task = name.partition(".")
        (kata,) = _katas([kata_name], known)
        tasks = [one.name for one in kata.tasks]
        if not task:
            raise AssignmentError(f'[points] "{name}" is a whole kata: {_one_task(kata, value)}')
        if task not in tasks:
            raise AssignmentError(
                f"[points] \"{name}\": {kata.short} has no task '{task}'. Its tasks are"
                f" {', '.join(tasks)}."
            )
        if kata not in katas:
            raise AssignmentError(
                f'[points] "{name}": {kata.short} is not among the katas of this assignment.'
            )
        if not _is_number(value) or not 0 <= value <= MOST_POINTS:
            raise AssignmentError(
                f'[points] "{name}" has to be a number from 0 to {MOST_POINTS}, not {value!r}.'
            )
        full = _full(kata, task)
        if full in names:
            raise AssignmentError(
                f'[points] has {kata.short}.{task} twice, as "{names[full]}" and "{name}": leave'
                " one out."
            )
        points[full], names[full] = value, name
    return points


def _one_task(kata: Kata, value: object) -> str:
    """How points are given to a task, for someone who gave them to a kata."""
    number = value if _is_number(value) else 1
    tasks = ", ".join(task.name for task in kata.tasks)
    return (
        f"points are given to each of its tasks ({tasks}), such as"
        f' points."{kata.short}.{kata.tasks[0].name}" = {number}.'
    )


def _flat(given: Mapping) -> Iterator[tuple[str, object]]:
    """In TOML, k06.model = 2 without quotes is a table k06 with an entry model."""
    for name, value in given.items():
        if isinstance(value, dict):
            yield from ((f"{name}.{task}", inner) for task, inner in value.items())
        else:
            yield name, value


def _limits(given: Mapping) -> Limits:
    fields = {one.name: one.metadata for one in dataclasses.fields(Limits)}
    _only(given, tuple(fields), "[limits]")
    for name, value in given.items():
        least, most = fields[name]["least"], fields[name]["most"]
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise AssignmentError(
                f"[limits] {name} has to be a whole number from {least:,} to {most:,}, not"
                f" {value!r}."
            )
    return Limits(**given)


def _only(given: Mapping, accepted: Sequence[str], where: str) -> None:
    for name in given:
        if name not in accepted:
            near = difflib.get_close_matches(name, accepted, n=1)
            nearest = f" The nearest is `{near[0]}`." if near else ""
            raise AssignmentError(
                f"{where} can't have `{name}`.{nearest} It may have {', '.join(accepted)}."
            )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _full(kata: Kata, task: str) -> str:
    return f"{kata.name}.{task}"
