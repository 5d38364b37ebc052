"""Reads one submission, of whatever kind it is."""

import stat
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import IO

from dojo.grade.intake import archives, folders, names
from dojo.grade.intake.bounds import Refused
from dojo.grade.intake.names import KataNames
from dojo.grade.intake.selection import Choice, Member, chosen
from dojo.grade.text import line

_READ_INSIDE = (".zip", ".tar", ".tar.gz", ".tgz")


def read(paths: Sequence[Path], katas: KataNames) -> tuple[Choice, str]:
    """The files taken from a submission (a folder, an archive or single files), and why there are
    none: empty if there are some, or it holds other katas than those that are graded.
    """
    try:
        choice, kind = _choice(paths, katas)
        has_some = choice.files or choice.others
        return choice, "" if has_some else _why_nothing(choice, kind, katas.graded)
    except Refused as reason:
        problem = f"This submission {reason}."
    except OSError as error:
        problem = f"This submission can't be read ({error.strerror or type(error).__name__})."
    except Exception as error:  # a decoder led astray: the fault of this submission alone
        problem = f"This submission is damaged and can't be read ({type(error).__name__})."
    return Choice({}, (), {}), problem


def _choice(paths: Sequence[Path], katas: KataNames) -> tuple[Choice, str]:
    """The files taken, and the submission's kind in a word."""
    path = paths[0]
    mode = path.lstat().st_mode
    if len(paths) > 1 or (stat.S_ISREG(mode) and _is_single(path, katas)):
        choice = chosen([_single(path) for path in paths], katas)
        return choice, "file" if len(paths) == 1 else "set of files"
    if stat.S_ISDIR(mode):
        return _in_folder(path, katas), "folder"
    with folders.open_file(path) as file:
        return _in_archive(file, katas), "archive"


def _is_single(path: Path, katas: KataNames) -> bool:
    """True if it is a kata's file, or was meant as one, and not an archive of some."""
    if names.single_file(path.name):
        return True
    if names.is_archive(path.name) or not katas.nearest(path.name):
        return False
    return not archives.is_archive(path)


def _single(path: Path) -> Member:
    single = names.single_file(path.name)
    name = f"{single[1]}.py" if single else path.name
    load = partial(folders.load, partial(folders.open_file, path))
    return Member(name, load, entry=path.name)


def _in_folder(path: Path, katas: KataNames) -> Choice:
    with folders.Tree(path) as tree:
        members = tree.members()
        choice = chosen(members, katas)
        top = [member for member in members if "/" not in member.path and not member.refusal]
        readable = [file.path for file in top if file.path.lower().endswith(_READ_INSIDE)]
        if choice.files or len(readable) != 1:
            return choice
        # Moodle puts the archive that a student handed in into a folder of the student's name.
        (archive,) = readable
        with tree.open((archive,)) as file:
            inside = _in_archive(file, katas)
    ignored = [replace(entry, name=f"{line(archive)}: {entry.name}") for entry in inside.ignored]
    ignored += [entry for entry in choice.ignored if entry.name != line(archive)]
    left_out = inside.left_out + tuple(f for f in choice.left_out if f.path != archive)
    others = inside.others + choice.others
    return replace(inside, ignored=tuple(ignored), left_out=left_out, others=others)


def _in_archive(file: IO[bytes], katas: KataNames) -> Choice:
    with folders.unchanged(file), archives.members(file) as members:
        return chosen(members, katas)


def _why_nothing(choice: Choice, kind: str, katas: Sequence[str]) -> str:
    if not choice.ignored:
        return f"This {kind} is empty."
    files = ", ".join(f"{kata}.py" for kata in katas[:3]) + (", ..." if len(katas) > 3 else "")
    return f"This {kind} has no kata's file that could be taken (looked for: {files})."
