"""Would an exam notice? Its data has to differ from draw to draw, and an answer of the reference
with one leaf corrupted has to be refused: other numbers, another shape, another text, an item less.

What may be otherwise is listed in reference/validation/exams.toml, each with the reason.
"""

import math
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from dojo import ROOT, UserError, files
from dojo.exam import sheet, values
from dojo.exam.question import Question, load
from dojo.exam.sheet import Item, Sheet
from dojo.exam.values import Numbers, nodes

FILE = ROOT / "reference" / "validation" / "exams.toml"
LEAST = 0.01  # a number is changed by at least this: comparisons let less pass as rounding


class ExcuseError(UserError):
    """The list of excuses can't be used; the message says why."""


@dataclass(frozen=True)
class Probed:
    """A draw of an exam, with the reference's answers corrupted one leaf at a time.

    Attributes:
        data: question → hash of what it hands out.
        leaves: how many were corrupted.
        accepted: those of them that the comparison does not look at.
    """

    data: dict[str, str]
    leaves: int
    accepted: tuple[str, ...]


class Excuse(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an exam need not notice."""

    kata: str  # its name; "*" for all
    leaves: tuple[str, ...]  # patterns, such as "gradients: steps*.rate"
    why: str


def probe(drawn: Sheet) -> Probed:
    """Try a drawn exam on corrupted answers of the reference."""
    questions = {each.name: each for each in load(sheet.text_of(drawn.kata), drawn.kata)}
    tried: dict[str, bool] = {}  # leaf → whether the comparison looks at it
    for item in drawn.items:
        for leaf, looks in _tried(questions[item.question], item):
            tried[leaf] = tried.get(leaf, False) or looks
    accepted = tuple(sorted(leaf for leaf, looks in tried.items() if not looks))
    return Probed(data_of(drawn), len(tried), accepted)


def data_of(drawn: Sheet) -> dict[str, str]:
    """Question → hash of what it hands out."""
    parts: dict[str, list[bytes]] = {}
    for item in drawn.items:
        arrays: list[np.ndarray] = []
        packed = msgspec.json.encode(values.pack(item.drawn, arrays))
        parts.setdefault(item.question, []).extend([packed, *(each.tobytes() for each in arrays)])
    return {question: files.digest(each)[:8] for question, each in parts.items()}


def _tried(question: Question, item: Item) -> Iterator[tuple[str, bool]]:
    """Each leaf of an item, and whether the comparison looks at it. An answer that is compared as
    it is has to be refused whichever way it is corrupted; of others, one way is enough.
    """
    parts = list(nodes(dict(item.right)))
    if all(part is None or isinstance(part, list | tuple | dict) for part in parts):
        yield f"{question.name}: answers", False
    for name, answer in item.right.items():
        refused: dict[str, list[bool]] = {}
        is_exact = name not in question.comparisons
        for place, wrong in corruptions(answer):
            if not is_exact and any(refused.get(place, ())):
                continue  # such a comparison may follow a whole training
            answers = {**item.right, name: wrong}
            reason = question.compare(answers, item.right, item.hidden)
            refused.setdefault(place, []).append(bool(reason))
        enough = all if is_exact else any
        yield from ((f"{question.name}: {name}{at}", enough(ways)) for at, ways in refused.items())


def faults(probed: Sequence[Probed], excuses: Iterable[Excuse]) -> list[str]:
    """Questions whose data is the same in each draw, and leaves that no draw looks at."""
    if len(probed) < 2:
        return []
    first, *others = probed
    fixed = [each for each, data in first.data.items() if all(o.data[each] == data for o in others)]
    unseen = set(first.accepted).intersection(*(other.accepted for other in others))
    every = list(excuses)
    patterns = [pattern for excuse in every for pattern in excuse.leaves]
    general = {pattern for excuse in every if excuse.kata == "*" for pattern in excuse.leaves}
    found = {f"{question}: data": "is the same in each draw" for question in fixed}
    found |= dict.fromkeys(unseen, "may be anything: it is empty, or no comparison looks at it")
    listed = {leaf: [p for p in patterns if fnmatchcase(leaf, p)] for leaf in found}
    used = {pattern for matching in listed.values() for pattern in matching}
    unused = [pattern for pattern in patterns if pattern not in used | general]
    return [
        f"{leaf} {found[leaf]}" for leaf, matching in sorted(listed.items()) if not matching
    ] + [
        f"reference/validation/{FILE.name} lists {pattern!r}, which is noticed"
        for pattern in unused
    ]


def excuses(kata: str, path: Path = FILE) -> list[Excuse]:
    """What a kata's exam need not notice. Raises ExcuseError if the list is malformed."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        listed = msgspec.convert(document.get("excuse", []), list[Excuse])
    except (ValueError, msgspec.ValidationError) as error:
        raise ExcuseError(f"{path.name} is malformed: {error}") from None
    if any(not each.why.strip() for each in listed):
        raise ExcuseError(f"{path.name} is malformed: an entry has no reason")
    return [excuse for excuse in listed if fnmatchcase(kata, excuse.kata)]


def corruptions(value: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """For each way to corrupt one leaf of an answer: the leaf's place, and the whole answer."""
    match value:
        case dict():
            for key, part in value.items():
                inner = corruptions(part, f"{place}.{key}")
                yield from ((at, {**value, key: wrong}) for at, wrong in inner)
        case list() | tuple():
            kind = type(value)
            yield f"{place}[length]", kind(value[:-1]) if value else kind([0])
            ends = {0: "first", len(value) // 2: "middle", len(value) - 1: "last"} if value else {}
            for number, name in ends.items():
                for at, wrong in corruptions(value[number], f"{place}[{name}]"):
                    yield at, kind([*value[:number], wrong, *value[number + 1 :]])
        case Numbers():
            yield from ((place, wrong) for wrong in _other_numbers(value))
        case _:
            yield from ((place, wrong) for wrong in _others(value))


def _others(value: object) -> list[object]:
    match value:
        case bool():
            return [not value]
        case int():
            return [value + 1, 10 * abs(value) + 10]
        case float() if math.isfinite(value):
            return [value + max(0.1 * abs(value), LEAST), -value - 1, 10 * abs(value) + 10]
        case float():
            return [0.0]
        case str():
            return [f"{value}x"]
    return [0]


def _other_numbers(value: Numbers) -> Iterator[Numbers]:
    """Other numbers, all of them or one alone; another shape; another dtype."""
    data, kind = value.data, value.data.dtype.kind
    changed = []
    if data.size and kind == "f":
        finite = np.where(np.isfinite(data), data, 0)
        more = max(float(np.abs(finite).max()), LEAST)
        changed += [
            finite + 0.1 * more + LEAST,
            -finite - more,
            _one(finite, finite.flat[0] + more),
        ]
    elif data.size:
        changed += [~data if kind == "b" else data + 1]
        changed += [_one(data, changed[0].flat[0])]
    for other in changed:
        yield replace(value, data=other.astype(data.dtype))
    yield replace(value, data=data[None])
    yield replace(value, data=data.astype("float64" if data.dtype == np.float32 else "float32"))


def _one(data: np.ndarray, number: Any) -> np.ndarray:
    """The same numbers but for the first."""
    other = data.copy()
    other.flat[0] = number
    return other
