"""What was left out and may be what should have been graded, and what a person is told of it: no 0
without a word.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dojo.grade.intake import near
from dojo.grade.intake.near import Wanted
from dojo.grade.records import Ignored
from dojo.grade.text import line

# What can be done about it depends on why it was left out.
COPY, NAME, FORM, ARCHIVE, REFUSED = "a copy", "its name", "its form", "an archive", "refused"
BESIDE = "handed in beside it: neither an archive nor a kata's file"
MOST_NAMED = 3
MOST_NOTES = 6


@dataclass(frozen=True)
class Left:
    """A file that is, or may be meant as, that of a graded kata.

    Attributes:
        kata: whose it may be; empty where anything may lie in it.
        reason: why it was not taken, as in the list of what was not taken.
    """

    path: str
    kata: str
    reason: str
    kind: str


@dataclass(frozen=True)
class Beside:
    ignored: tuple[Ignored, ...]
    left: tuple[Left, ...]


def beside(files: Sequence[str], wanted: Wanted) -> Beside:
    """Of a student's other files in the folder of submissions, which are not read."""
    meant = {name: wanted.meant(name) if near.is_text(name) else "" for name in files}
    reasons = {
        name: f"is it meant as {kata}.py? rename it" if kata else BESIDE
        for name, kata in meant.items()
    }
    ignored = tuple(Ignored(line(name), reason) for name, reason in reasons.items())
    return Beside(
        ignored,
        tuple(Left(name, kata, reasons[name], NAME) for name, kata in meant.items() if kata),
    )


def nothing_of_these(others: Sequence[str]) -> str:
    """What is said of a submission that holds other katas than those that are graded."""
    return f"Nothing of this assignment was handed in. It holds {_named([*others])}."


def notes(
    left: Sequence[Left], places: Mapping[str, str], graded: Sequence[str]
) -> tuple[str, ...]:
    """In a sentence each what was left out, why, and what to do.

    Args:
        places: kata → where the file lies that was taken for it.
    """
    grouped: dict[tuple[str, str], list[Left]] = defaultdict(list)
    for one in left:
        if one.kata or any(kata not in places for kata in graded):
            grouped[one.kata, "" if one.kata in places else one.kind].append(one)
    made = [_note(kata, kind, group, places) for (kata, kind), group in grouped.items()]
    more = len(made) - MOST_NOTES
    return tuple(
        made
        if more <= 0
        else [*made[:MOST_NOTES], f"And {more} more such notes: see what was not taken."]
    )


def _note(kata: str, kind: str, group: Sequence[Left], places: Mapping[str, str]) -> str:
    several = len(group) > 1
    what = f"{_named([one.path for one in group])} {'were' if several else 'was'} not taken"
    it = "is one of them" if several else "is it"
    if kata in places:
        return (
            f"{what}, {line(places[kata])} was: if another one is meant, put it in its place and"
            " grade again."
        )
    if kind == COPY:
        why = (
            line(group[0].reason, most=200)
            if "a second copy" in group[0].reason
            else "nothing says which of them counts"
        )
        return f"{what}: {why}. Leave only the right one and grade again."
    if kind == NAME:
        return f"{what}: {it} meant as {kata}.py? Rename it and grade again."
    if kind == FORM:
        return (
            f"{what}: {it} meant as {kata}.py? Only a Python file of that name is graded: ask"
            " for it."
        )
    if kind == ARCHIVE:
        return (
            f"{what}: archives in a submission are not unpacked. Unpack"
            f" {'the right one' if several else 'it'} and grade again."
        )
    return (
        f"{what}: {'the first one' if several else 'it'} {line(group[0].reason)}. Ask for {kata}.py"
        " again."
    )


def _named(paths: Sequence[str]) -> str:
    shown = [line(path, most=80) for path in paths[:MOST_NAMED]]
    if len(paths) > MOST_NAMED:
        return f"{', '.join(shown)} and {len(paths) - MOST_NAMED} more"
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)
