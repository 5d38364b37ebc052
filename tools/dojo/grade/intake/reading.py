"""Reads one submission, of whatever kind it is."""

import stat
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from dojo.grade.intake import folders, names, tars, zips
from dojo.grade.intake.bounds import Refused
from dojo.grade.intake.folders import Tree
from dojo.grade.intake.near import Wanted
from dojo.grade.intake.selection import NOTHING, Choice, Member, chosen
from dojo.grade.text import line

HEAD = 512
_ZIP, _GZIP = (b"PK\x03\x04", b"PK\x05\x06"), b"\x1f\x8b"
_OTHERS = {
    b"Rar!": "RAR",
    b"7z\xbc\xaf": "7z",
    b"\xfd7zXZ": "xz",
    b"BZh": "bzip2",
    b"\x28\xb5\x2f\xfd": "zstd",
}
_READ_INSIDE = (".zip", ".tar", ".tar.gz", ".tgz")


def read(paths: Sequence[Path], wanted: Wanted) -> tuple[Choice, str]:
    """What is taken from a submission, and why nothing could be; empty where something was, or
    where it could be read and holds other katas than those that are graded. Nothing is ever raised.

    Args:
        paths: of its folder or archive, or of the single files that it is made of.
    """
    try:
        choice, kind = _choice(paths, wanted)
        return choice, (
            "" if choice.files or choice.others else _nothing(choice, kind, wanted.graded)
        )
    except Refused as reason:
        problem = f"This submission {reason}."
    except OSError as error:
        problem = f"This submission can't be read ({error.strerror or type(error).__name__})."
    except (
        Exception
    ) as error:  # a decoder led astray by what it was given: the fault of this submission alone
        problem = f"This submission is damaged and can't be read ({type(error).__name__})."
    return NOTHING, problem


def is_archive(path: Path) -> bool:
    """Whether it is packed in any way, read here or not."""
    try:
        with folders.open_file(path) as file:
            head = file.read(HEAD)
    except (OSError, Refused):
        return False
    return tars.is_tar(head) or head.startswith((*_ZIP, _GZIP, *_OTHERS))


def _choice(paths: Sequence[Path], wanted: Wanted) -> tuple[Choice, str]:
    """What is taken, and in a word what it is taken from."""
    path, mode = paths[0], paths[0].lstat().st_mode
    if len(paths) > 1 or (stat.S_ISREG(mode) and _is_single(path, wanted)):
        choice = chosen([_single(one) for one in paths], wanted)
        return choice, "file" if len(paths) == 1 else "set of files"
    if stat.S_ISDIR(mode):
        return _in_folder(path, wanted), "folder"
    with folders.open_file(path) as file:
        return _in_archive(file, wanted), "archive"


def _is_single(path: Path, wanted: Wanted) -> bool:
    """Whether it is a kata's file, or was meant as one, and not an archive of some."""
    if names.lone(path.name):
        return True
    is_named_so = path.name.lower().endswith(names.ARCHIVE_ENDINGS)
    return bool(wanted.meant(path.name)) and not is_named_so and not is_archive(path)


def _single(path: Path) -> Member:
    lone = names.lone(path.name)
    return Member(f"{lone[1]}.py" if lone else path.name, _loader(path), entry=path.name)


def _in_folder(path: Path, wanted: Wanted) -> Choice:
    with Tree(path) as tree:
        members = tree.members()
        choice = chosen(members, wanted)
        archives = [
            member.path for member in members if "/" not in member.path and _is_read_inside(member)
        ]
        if choice.files or len(archives) != 1:
            return choice
        # Moodle puts the archive that a student handed in into a folder of the student's name.
        (archive,) = archives
        with tree.open((archive,)) as file:
            inside = _in_archive(file, wanted)
        told = tuple(replace(one, name=f"{line(archive)}: {one.name}") for one in inside.ignored)
        return replace(
            inside,
            ignored=told + tuple(one for one in choice.ignored if one.name != line(archive)),
            left=inside.left + tuple(one for one in choice.left if one.path != archive),
            others=inside.others + choice.others,
        )


def _in_archive(file: BinaryIO, wanted: Wanted) -> Choice:
    before, head = folders.state(file), file.read(HEAD)
    file.seek(0)
    with ExitStack() as stack:
        if head.startswith(_ZIP):
            members = stack.enter_context(zips.members(file))
        elif head.startswith(_GZIP):
            members = stack.enter_context(tars.packed_members(file))
        elif tars.is_tar(head):
            members = stack.enter_context(tars.members(file))
        else:
            raise Refused(_why_no_archive(head))
        choice = chosen(members, wanted)
    folders.unless_changed(file, before)
    return choice


def _is_read_inside(member: Member) -> bool:
    return not member.refusal and member.path.lower().endswith(_READ_INSIDE)


def _loader(path: Path) -> Callable[[], bytes]:
    def load() -> bytes:
        try:
            with folders.open_file(path) as file:
                return folders.steady(file)
        except OSError as error:
            raise Refused(f"can't be read ({error.strerror})") from None

    return load


def _why_no_archive(head: bytes) -> str:
    if not head:
        return "is an empty file"
    kind = next((kind for magic, kind in _OTHERS.items() if head.startswith(magic)), "")
    return (
        f"is packed with {kind}, which is not read: a zip or a tar.gz is"
        if kind
        else "is neither a folder nor a zip nor a tar"
    )


def _nothing(choice: Choice, kind: str, katas: Sequence[str]) -> str:
    if not choice.ignored:
        return f"This {kind} is empty."
    wanted = ", ".join(f"{kata}.py" for kata in katas[:3]) + (", ..." if len(katas) > 3 else "")
    return f"This {kind} has no kata's file that could be taken (looked for: {wanted})."
