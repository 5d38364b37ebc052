"""What lies in a folder. No link is followed, at no place of a path, and nothing is opened that is
no file.

Every step goes from an open folder to what lies directly in it, so that a folder which is exchanged
for a link meanwhile leads nowhere. Where the system has no such calls (Windows), paths are used,
and links are recognised when they are listed.
"""

import errno
import os
import stat
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from dojo.grade.intake import bounds
from dojo.grade.intake.bounds import Refused, bounded
from dojo.grade.intake.crowd import UNSEEN_FOLDERS
from dojo.grade.intake.selection import Member, never

_STEPS = os.open in os.supports_dir_fd and os.scandir in os.supports_fd
_ALWAYS = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
_FILE = (
    _ALWAYS | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_BINARY", 0)
)
_FOLDER = _ALWAYS | getattr(os, "O_DIRECTORY", 0)
LINK = "is a link: links are not followed"
NO_FILE = "is a socket, a pipe or a device: it is not opened"


class Tree:
    """A folder and all that lies in it, as a context: its members can be loaded as long as it
    lasts.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._root: int | Path = path

    def __enter__(self) -> Self:
        if _STEPS:
            self._root = os.open(self._path, _FOLDER)
        return self

    def __exit__(
        self, kind: type | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if isinstance(self._root, int):
            os.close(self._root)

    def members(self) -> list[Member]:
        """All files, folder by folder, the least deep first and by name.

        Raises:
            Refused: there are more than the bounds allow.
            OSError: the folder itself can't be read.
        """
        found: list[Member] = []
        folders, seen = [()], 0
        for place in folders:
            try:
                entries = self._entries(place)
            except OSError as error:
                if not place:
                    raise
                found.append(Member("/".join(place) + "/", never, _reason(error)))
                continue
            seen += len(entries)
            if seen > bounds.MEMBERS:
                raise Refused(f"has more than {bounds.MEMBERS:,} files and folders")
            for name, mode in entries:
                inside = (*place, name)
                if not stat.S_ISDIR(mode):
                    found.append(
                        Member("/".join(inside), partial(self.load, inside), refusal(mode))
                    )
                elif name.startswith(".") or name.casefold() in UNSEEN_FOLDERS:
                    found.append(
                        Member("/".join((*inside, "")), never, "a folder that is not looked into")
                    )
                elif len(inside) > bounds.DEPTH:
                    found.append(
                        Member(
                            "/".join((*inside, "")),
                            never,
                            f"lies deeper than {bounds.DEPTH} folders",
                        )
                    )
                else:
                    folders.append(inside)
        return found

    def load(self, place: tuple[str, ...]) -> bytes:
        """The file at this place.

        Raises:
            Refused: it can't be read, or is larger than the bounds allow.
        """
        try:
            with self.open(place) as file:
                return steady(file)
        except OSError as error:
            raise Refused(_reason(error)) from None

    def open(self, place: tuple[str, ...]) -> BinaryIO:
        """The file at this place, open for reading.

        Raises:
            Refused: it is no file.
            OSError: it can't be opened.
        """
        folder = self._step_to(place[:-1])
        try:
            return _as_file(_open_in(folder, place[-1], _FILE))
        finally:
            self._leave(folder)

    def _entries(self, place: tuple[str, ...]) -> list[tuple[str, int]]:
        """Name and kind of what lies in a folder, by name."""
        folder = self._step_to(place)
        try:
            with os.scandir(folder) as entries:
                found = []
                for entry in entries:
                    found.append((entry.name, _mode(entry)))
                    if len(found) > bounds.MEMBERS:
                        break
                return sorted(found)
        finally:
            self._leave(folder)

    def _step_to(self, place: tuple[str, ...]) -> int | Path:
        folder = self._root
        for name in place:
            try:
                inside = (
                    _open_in(folder, name, _FOLDER) if isinstance(folder, int) else folder / name
                )
            finally:
                self._leave(folder)
            folder = inside
        return folder

    def _leave(self, folder: int | Path) -> None:
        if isinstance(folder, int) and folder != self._root:
            os.close(folder)


def open_file(path: Path) -> BinaryIO:
    """A file outside of any tree, open for reading.

    Raises:
        Refused: it is a link or no file.
        OSError: it can't be opened.
    """
    if reason := refusal(path.lstat().st_mode):  # to open a device can already do something
        raise Refused(reason)
    return _as_file(os.open(path, _FILE))


def refusal(mode: int) -> str:
    """Why something of this kind is not opened; empty for a file."""
    if stat.S_ISLNK(mode):
        return LINK
    return "" if stat.S_ISREG(mode) else NO_FILE


def steady(file: BinaryIO) -> bytes:
    """All that an open file holds.

    Raises:
        Refused: it is larger than the bounds allow, or was written to meanwhile.
    """
    before = state(file)
    data = bounded(file)
    unless_changed(file, before)
    if len(data) != before[0]:
        raise Refused("changed while it was read: grade again when it is complete")
    return data


def unless_changed(file: BinaryIO, before: tuple[int, int]) -> None:
    """Raises Refused where a file is not as it was before."""
    if state(file) != before:
        raise Refused("changed while it was read: grade again when it is complete")


def state(file: BinaryIO) -> tuple[int, int]:
    found = os.fstat(file.fileno())
    return found.st_size, found.st_mtime_ns


def _open_in(folder: int | Path, name: str, flags: int) -> int:
    return (
        os.open(name, flags, dir_fd=folder)
        if isinstance(folder, int)
        else os.open(folder / name, flags)
    )


def _as_file(descriptor: int) -> BinaryIO:
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        os.close(descriptor)
        raise Refused(refusal(mode))
    return os.fdopen(descriptor, "rb")


def _mode(entry: os.DirEntry) -> int:
    try:
        return entry.stat(follow_symlinks=False).st_mode
    except OSError:  # gone meanwhile: opening it will say so
        return stat.S_IFREG


def _reason(error: OSError) -> str:
    if error.errno in (errno.ELOOP, errno.ENOTDIR):
        return LINK
    return f"can't be read ({error.strerror or type(error).__name__})"
