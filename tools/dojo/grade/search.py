"""Whose record is meant by someone who typed no id, but a part of one, or of what was handed in."""

import difflib
from collections.abc import Iterable, Mapping
from pathlib import Path

from dojo.grade import exports
from dojo.grade.text import line

MOST_LISTED = 8


def meant(typed: str, entries: Mapping[str, str]) -> list[str]:
    """The ids of the students whose id or entry has in it what was typed, whatever its case.

    Args:
        entries: id → name of what that student handed in.
    """
    part = typed.casefold()
    return [
        student
        for student, entry in entries.items()
        if part and part in f"{student}\n{entry}".casefold()
    ]


def unknown(typed: str, entries: Mapping[str, str], found: Iterable[str], out: Path) -> str:
    """What is said where it stays open whose record is meant.

    Args:
        found: by meant(): several, or none.
        out: the folder of the grades.
    """
    nobody = f"{out} has no record of '{typed}'."
    if found := list(found):
        return (
            f"{nobody} It is part of several:"
            f" {_listed([_with_entry(one, entries[one]) for one in found])}. Name one by its id."
        )
    if not entries:
        return f"{nobody} Nobody has been graded there yet."
    table = out / exports.NAME
    where = (
        f"The ids are the first column of {table}."
        if table.is_file()
        else f"The ids are: {_listed(list(entries))}."
    )
    near = difflib.get_close_matches(typed, entries, n=3)
    return f"{nobody} Near it: {', '.join(near)}. {where}" if near else f"{nobody} {where}"


def _with_entry(student: str, entry: str) -> str:
    return student if entry in ("", student) else f"{student} ({line(entry)})"


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - MOST_LISTED:,} more" if len(names) > MOST_LISTED else ""
    return ", ".join(names[:MOST_LISTED]) + more
