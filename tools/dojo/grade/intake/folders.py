"""The files in a folder. No link is followed, anywhere in a path, and only files are opened.

Every step goes from an open folder to what lies directly in it, so that a folder which is exchanged
for a link meanwhile leads nowhere. Where the system has no such calls (Windows), paths are used,
and links are recognised when they are listed.
"""

import errno
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import islice
from pathlib import Path
from typing import IO, Self

from dojo.grade.intake import bounds, names
from dojo.grade.intake.bounds import Refused, bounded
from dojo.grade.intake.selection import NOT_LOOKED_INTO, Member

_STEPS = os.open in os.supports_dir_fd and os.scandir in os.supports_fd
_ALWAYS = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
_FILE = _ALWAYS | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)
_FILE |= getattr(os, "O_BINARY", 0)
_FOLDER = _ALWAYS | getattr(os, "O_DIRECTORY", 0)
LINK = "is a link: links are not followed"
NO_FILE = "is a socket, a pipe or a device: it is not opened"
CHANGED = "changed while it was read: grade again when it is complete"


class Tree:
    """A folder and all that lies in it: a context, in which its members can be loaded."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._root: int | Path = path

    def __enter__(self) -> Self:
        if _STEPS:
            self._root = os.open(self._path, _FOLDER)
        return self

    def __exit__(self, *_: object) -> None:
        if isinstance(self._root, int):
            os.close(self._root)

    def members(self) -> list[Member]:
        """All files, folder by folder, the least deep first and by name. Raises Refused if there
        are too many, OSError if the folder itself can't be read.
        """
        members: list[Member] = []
        folders: list[tuple[str, ...]] = [()]
        seen = 0
        for place in folders:  # which grows meanwhile
            try:
                entries = self._entries(place)
            except OSError as error:
                if not place:
                    raise
                members.append(_unread(place, _reason(error)))
                continue
            seen += len(entries)
            if seen > bounds.MEMBERS:
                raise Refused(f"has more than {bounds.MEMBERS:,} files and folders")
            for name, mode in entries:
                inside = (*place, name)
                if not stat.S_ISDIR(mode):
                    read = partial(load, partial(self.open, inside))
                    members.append(Member("/".join(inside), read, refusal(mode)))
                elif names.is_unseen(name):
                    members.append(_unread(inside, NOT_LOOKED_INTO))
                elif len(inside) > bounds.DEPTH:
                    members.append(_unread(inside, f"lies deeper than {bounds.DEPTH} folders"))
                else:
                    folders.append(inside)
        return members

    def open(self, place: tuple[str, ...]) -> IO[bytes]:
        """Open the file at this place; raises Refused if it is none, OSError if that fails."""
        with self._folder(place[:-1]) as folder:
            if isinstance(folder, Path):
                return _as_file(os.open(folder / place[-1], _FILE))
            return _as_file(os.open(place[-1], _FILE, dir_fd=folder))

    def _entries(self, place: tuple[str, ...]) -> list[tuple[str, int]]:
        """Name and mode of what lies in a folder, by name; no more than it takes to refuse it."""
        with self._folder(place) as folder, os.scandir(folder) as entries:
            few = islice(entries, bounds.MEMBERS + 1)
            return sorted((entry.name, _mode(entry)) for entry in few)

    @contextmanager
    def _folder(self, place: tuple[str, ...]) -> Iterator[int | Path]:
        """A folder below the root: open, or its path where the system has no such calls."""
        if isinstance(self._root, Path):
            yield self._root.joinpath(*place)
            return
        folder = os.dup(self._root)
        try:
            for name in place:
                above = folder
                folder = os.open(name, _FOLDER, dir_fd=above)
                os.close(above)
            yield folder
        finally:
            os.close(folder)


def open_file(path: Path) -> IO[bytes]:
    """Open a file outside of any tree; raises Refused if it is none, OSError if that fails."""
    if reason := refusal(path.lstat().st_mode):  # to open a device can already do something
        raise Refused(reason)
    return _as_file(os.open(path, _FILE))


def refusal(mode: int) -> str:
    """The reason why an entry with this mode is not opened; empty for a file."""
    if stat.S_ISLNK(mode):
        return LINK
    return "" if stat.S_ISREG(mode) else NO_FILE


def load(opener: Callable[[], IO[bytes]]) -> bytes:
    """All that a file holds; raises Refused if it can't be read, is too large or changes."""
    try:
        with opener() as file, unchanged(file) as size:
            data = bounded(file)
            if len(data) != size:
                raise Refused(CHANGED)
    except OSError as error:
        raise Refused(_reason(error)) from None
    return data


@contextmanager
def unchanged(file: IO[bytes]) -> Iterator[int]:
    """Refuse a file that was written to while this block ran. Yields its size."""
    before = os.fstat(file.fileno())
    yield before.st_size
    after = os.fstat(file.fileno())
    if (after.st_size, after.st_mtime_ns) != (before.st_size, before.st_mtime_ns):
        raise Refused(CHANGED)


def _unread(folder: tuple[str, ...], reason: str) -> Member:
    return Member("/".join((*folder, "")), refusal=reason)


def _as_file(descriptor: int) -> IO[bytes]:
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        os.close(descriptor)
        raise Refused(refusal(mode))
    return os.fdopen(descriptor, "rb")


def _mode(entry: os.DirEntry[str]) -> int:
    try:
        return entry.stat(follow_symlinks=False).st_mode
    except OSError:  # gone meanwhile: opening it will say so
        return stat.S_IFREG


def _reason(error: OSError) -> str:
    if error.errno in (errno.ELOOP, errno.ENOTDIR):
        return LINK
    return f"can't be read ({error.strerror or type(error).__name__})"
