"""What in the folder of submissions is nobody's submission, and folders that hold none."""

import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from dojo.grade.gradebook.book import NAME as GRADEBOOK
from dojo.grade.intake import names, reading
from dojo.grade.intake.near import Wanted
from dojo.grade.records import Ignored

OF_THE_SYSTEM = ("thumbs.db", "desktop.ini", "__macosx")
NO_STUDENT = "names no student: put it into a folder of the student's name"


def why_stray(
    entry: os.DirEntry,
    single: tuple[str, str] | None,
    pattern: re.Pattern[str],
    wanted: Wanted,
    grades: Path | None,
) -> str:
    """Why an entry is nobody's submission; empty if it is somebody's.

    Args:
        single: of a single kata's file, whose it is and which kata's, as names.lone() tells.
        grades: where the grades go.
    """
    if entry.name.startswith(".") or entry.name.casefold() in OF_THE_SYSTEM:
        return "a file of the system"
    if grades is not None and _only_leads_to(entry, grades):
        return "where the grades go"
    if entry.is_dir(follow_symlinks=False) and (Path(entry.path) / GRADEBOOK).is_file():
        return "grades of another run"
    if "_assignsubmission_onlinetext" in entry.name:
        return "a text that was typed into Moodle"
    if single:
        return "" if single[0] else NO_STUDENT
    if pattern.search(entry.name) or not is_plain(entry):
        return ""
    if kata := wanted.meant(entry.name):
        return f"is it meant as {kata}.py? rename it to STUDENT_{kata}.py"
    return "neither a folder, an archive nor a kata's file"


def is_plain(entry: os.DirEntry) -> bool:
    """Whether it is a file, and no archive of any kind."""
    if not entry.is_file(follow_symlinks=False) or entry.name.lower().endswith(
        names.ARCHIVE_ENDINGS
    ):
        return False
    return not reading.is_archive(Path(entry.path))


def of_one_student(folder: Path, entries: Iterable[os.DirEntry], wanted: Wanted) -> str:
    """Why this folder is most likely one submission itself, in a sentence for the user; empty if it
    isn't.
    """
    katas = next(
        (
            entry
            for entry in entries
            if entry.name.casefold() == "katas" and entry.is_dir(follow_symlinks=False)
        ),
        None,
    )
    if katas is None or not any(
        f"{kata}.py" in _names_in(Path(katas.path)) for kata in wanted.known
    ):
        return ""
    return (
        f"{folder} looks like one submission: it holds a folder {katas.name}/ with katas' files."
        f" Give the folder that holds {folder.name}; if this is the one of the submissions, move"
        f" {katas.name}/ into a folder of its student's name."
    )


def nothing_there(folder: Path, strays: Sequence[Ignored]) -> str:
    if any(stray.reason == NO_STUDENT for stray in strays):
        return (
            f"{folder} looks like one submission: it holds katas' files itself. Give the folder"
            f" that holds {folder.name}."
        )
    return (
        f"{folder} holds no submission: neither a folder nor an archive nor a kata's file with a"
        " student's name."
    )


def _only_leads_to(entry: os.DirEntry, grades: Path) -> bool:
    """Whether an entry is where the grades go, or a folder in which nothing lies but the way there
    and grades of other runs.
    """
    here, goal = Path(entry.path).resolve(), grades.resolve()
    if here == goal:
        return True
    if not entry.is_dir(follow_symlinks=False) or not goal.is_relative_to(here):
        return False
    for step in goal.relative_to(here).parts:
        for name in _names_in(here):
            if (
                name != step
                and not name.startswith(".")
                and not (here / name / GRADEBOOK).is_file()
            ):
                return False
        here /= step
    return True


def _names_in(folder: Path) -> set[str]:
    try:
        return {inside.name for inside in folder.iterdir()}
    except OSError:  # not there yet, or not to be read: nothing is known of it
        return set()
