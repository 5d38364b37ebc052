"""Keeps files of the learner's aside while others stand in their place. A copy is whole before
anything is changed, and stays until its file is back; what a killed process left behind is found
and brought back by the next. What an editor saves meanwhile is never replaced.
"""

import contextlib
import os
import shutil
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path

from dojo import files

FOLDER = ".kata-update"


def left_over(root: Path) -> list[str]:
    """The files that an interrupted update has left aside."""
    folder = root / FOLDER
    paths = (path for path in folder.rglob("*") if path.is_file() or path.is_symlink())
    return sorted(path.relative_to(folder).as_posix() for path in paths)


def keep(root: Path, names: Iterable[str]) -> None:
    """Copy the files aside. An OSError (no room, no right to write) leaves everything unchanged."""
    half = root / f"{FOLDER}.new"
    shutil.rmtree(half, ignore_errors=True)
    for name in names:
        copy = half / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(root / name, copy, follow_symlinks=False)
        if not copy.is_symlink():
            with copy.open("rb") as file:
                os.fsync(file.fileno())
    files.put_in_place(half, root / FOLDER)  # from here on the copies count


def clear(root: Path, names: Iterable[str]) -> None:
    """Move the files themselves to where their copies are, with what was saved since.

    Raises OSError if one can't be moved; it and those after it are still in their place.
    """
    for name in names:
        files.put_in_place(root / name, root / FOLDER / name)


def is_same(root: Path, name: str) -> bool:
    """True if the file in its place is as the one aside."""
    path, copy = root / name, root / FOLDER / name
    if path.is_symlink() or copy.is_symlink():
        return path.is_symlink() and copy.is_symlink() and path.readlink() == copy.readlink()
    return path.is_file() and path.read_bytes() == copy.read_bytes()


def bring_back(
    root: Path, was_edited: Callable[[str], bool] = lambda name: False
) -> list[tuple[str, str]]:
    """Put every file back to its place, and remove the copies.

    Args:
        was_edited: True if somebody has worked on the file since: then that stays, and the copy is
            laid beside it.

    Returns the name of each file, and where it is now.
    Raises OSError if one can't be put back; its copy and those after it stay aside.
    """
    moved = []
    for name in left_over(root):
        path = root / name
        if was_edited(name):
            path = path.with_name(f"{path.name}.backup-{datetime.now():%Y%m%d-%H%M%S}")
        path.parent.mkdir(parents=True, exist_ok=True)
        files.put_in_place(root / FOLDER / name, path)
        moved.append((name, path.relative_to(root).as_posix()))
    shutil.rmtree(root / FOLDER, ignore_errors=True)
    return moved


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Let Ctrl-C, a closed terminal and a request to end wait until this block is over."""
    if threading.current_thread() is not threading.main_thread():  # only there signals can be held
        yield
        return
    came: list[int] = []
    names = ("SIGINT", "SIGTERM", "SIGHUP")
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
    before = {number: signal.signal(number, lambda n, frame: came.append(n)) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler or signal.SIG_DFL)
        if came:
            signal.raise_signal(came[0])
