"""One process at a time: a lock on a file, which the system releases when its holder ends."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

# Windows lets nobody read a locked byte, so that byte lies behind what the holder writes.
_FAR = 1 << 30
_SECONDS_BETWEEN_TRIES = 0.1  # on Windows, whose own wait gives up after ten seconds


class Taken(Exception):
    """Another process holds the lock; the message is what it wrote about itself."""


@contextmanager
def held(path: Path, on_wait: Callable[[], object] = lambda: None) -> Iterator[IO[str]]:
    """Wait until no other process holds the lock, and hold it; on_wait is called before a wait.
    On POSIX a child that inherits the file holds the lock as well.

    The file stays: deleting it would undo the lock of another process.
    Raises OSError if the file can't be made.
    """
    with path.open("a", encoding="utf-8") as lock:
        if not _take(lock):
            on_wait()
            _take(lock, waits=True)
        with _released(lock):
            yield lock


@contextmanager
def alone(path: Path, who: str) -> Iterator[None]:
    """Hold the lock, and let other processes that want it meanwhile read `who` holds it.

    Raises Taken if another process holds it, OSError if the file can't be made.
    """
    with path.open("a+", encoding="utf-8", errors="replace") as lock:
        if not _take(lock):
            lock.seek(0)
            raise Taken(lock.read(500).strip())
        with _released(lock):
            lock.truncate(0)
            lock.write(who)
            lock.flush()
            yield


def _take(lock: IO[str], waits: bool = False) -> bool:
    """Take the lock; False if another process holds it and this one does not wait."""
    if sys.platform == "win32":
        import msvcrt

        lock.seek(_FAR)
        while True:
            try:
                msvcrt.locking(lock.fileno(), msvcrt.LK_NBLCK, 1)
                return True
            except PermissionError:
                if not waits:
                    return False
                time.sleep(_SECONDS_BETWEEN_TRIES)
    import fcntl  # closing the file releases the lock

    try:
        fcntl.flock(lock, fcntl.LOCK_EX | (0 if waits else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    return True


@contextmanager
def _released(lock: IO[str]) -> Iterator[None]:
    """Release the lock after this block: Windows does so by itself when it has the time."""
    try:
        yield
    finally:
        if sys.platform == "win32":
            import msvcrt

            lock.seek(_FAR)
            msvcrt.locking(lock.fileno(), msvcrt.LK_UNLCK, 1)
