"""One process at a time: a lock on a file, which the system lets go when its holder ends, however
it ends.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

# Windows lets nobody read what is locked, so the byte that is locked lies behind what the holder
# writes
_FAR = 1 << 30


class Taken(Exception):
    """Another process holds the lock; the message is what it wrote of itself."""


@contextmanager
def held(path: Path, on_wait: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Wait until no other process holds the lock, and hold it. The file stays: to delete it would
    undo another's lock.

    Args:
        on_wait: called before the wait, if there is one.

    Raises:
        OSError: the file can't be made.
    """
    with path.open("a") as lock:
        if os.name == "nt":
            import msvcrt

            msvcrt.locking(lock.fileno(), msvcrt.LK_LOCK, 1)
            yield  # the lock goes with the file
            return
        import fcntl

        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            on_wait()
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def alone(path: Path, who: str) -> Iterator[None]:
    """Hold the lock, or say at once who does.

    Args:
        who: what others are told who want it meanwhile.

    Raises:
        Taken: another process holds it.
        OSError: the file can't be made.
    """
    with path.open("a+", encoding="utf-8", errors="replace") as lock:
        if not _try(lock):
            lock.seek(0)
            raise Taken(lock.read(500).strip())
        lock.truncate(0)
        lock.write(who)
        lock.flush()
        yield


def _try(lock: IO[str]) -> bool:
    if os.name == "nt":
        import msvcrt

        lock.seek(_FAR)
        try:
            msvcrt.locking(lock.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
    import fcntl

    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
