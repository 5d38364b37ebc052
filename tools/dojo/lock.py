"""One process at a time: a lock on a file, which the system lets go when its holder ends, however it ends."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def held(path: Path, on_wait: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Wait until no other process holds the lock, and hold it. The file stays: to delete it would undo another's lock.

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
