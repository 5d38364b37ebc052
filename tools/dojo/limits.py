"""A limit on the time that code computes. A busy machine makes a right training slow, and takes
nothing from its share: only what the processor did for this very thread counts. Time asleep does
not, so who sets this limit also sets one by the clock, `PATIENCE` times as long.
"""

import contextlib
import ctypes
import signal
import sys
import threading
import time
from collections.abc import Iterator

PATIENCE = 8  # times the computing that is granted, by the clock: a busy machine is that slow
AGAIN = 1.0  # seconds of computing until code that catches everything is interrupted once more
POLL = 0.1  # seconds between two looks at the clock of a thread


class TimeUp(BaseException):
    """The time is used up. Not to be caught by a learner's `except Exception`."""


@contextlib.contextmanager
def computing(seconds: float | None) -> Iterator[None]:
    """Raise TimeUp in the block when the main thread has computed for so long; without a number,
    or in another thread, nothing is limited.
    """
    is_main = threading.current_thread() is threading.main_thread()
    if not seconds or not is_main:
        yield
        return
    if sys.platform == "win32":
        with by_thread(seconds):
            yield
    else:
        with by_timer(seconds):
            yield


if sys.platform != "win32":  # whose signals know no such timer

    @contextlib.contextmanager
    def by_timer(seconds: float) -> Iterator[None]:
        """The limit kept by a timer of the system's, which counts all threads: when it rings, the
        main thread's own time decides.
        """
        end = time.thread_time() + seconds

        def ring(*_: object) -> None:
            left = end - time.thread_time()
            signal.setitimer(signal.ITIMER_PROF, max(left, 0.01) if left > 0 else AGAIN)
            if left <= 0:
                raise TimeUp

        before = signal.signal(signal.SIGPROF, ring)
        signal.setitimer(signal.ITIMER_PROF, seconds)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.signal(signal.SIGPROF, before)


@contextlib.contextmanager
def by_thread(seconds: float) -> Iterator[None]:
    """The limit kept by a thread that looks at the process's time again and again: for Windows,
    which has no such timer. It interrupts between two steps of Python, not within one.
    """
    end, main = time.process_time() + seconds, ctypes.c_ulong(threading.get_ident())
    is_over, interrupt = threading.Event(), ctypes.pythonapi.PyThreadState_SetAsyncExc
    lock = threading.Lock()

    def look() -> None:
        nonlocal end
        while not is_over.wait(POLL):
            with lock:
                if time.process_time() >= end and not is_over.is_set():
                    interrupt(main, ctypes.py_object(TimeUp))
                    end = time.process_time() + AGAIN

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        with lock:
            is_over.set()
            interrupt(main, None)  # what has not been raised yet
        watcher.join()
