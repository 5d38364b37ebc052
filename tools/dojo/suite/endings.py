"""What is said of a test whose process ended before its time, or had to be ended."""

import signal
from dataclasses import dataclass

from dojo.diagnosis import Cause, Diagnosis

POINTER = (
    "Take half of your lines away, then half of the rest: with which of them does it still happen?"
)
NOT_RUN = "This test was not run: the process ended in another test of this task."
_TOO_MUCH = Cause(
    "far more memory or computing than is needed: a huge tensor, a list that grows without end",
    id="error.process-killed",
)
_CRASHES = ("SIGSEGV", "SIGABRT", "SIGBUS", "SIGFPE", "SIGILL")


@dataclass(frozen=True)
class Ending:
    """How a process ended.

    Attributes:
        did: what "the test" or "the import of this file" did, in a few words.
        seen: how it showed.
        is_slow: it took a long time to see, which is not to be spent again on the same task.
        is_over: there is no time left for what was not judged yet.
    """

    did: str
    seen: str
    causes: tuple[Cause, ...]
    is_slow: bool = False
    is_over: bool = False

    def diagnosis(self, what: str) -> Diagnosis:
        """The diagnosis of what was under way."""
        return Diagnosis(
            f"{what} {self.did}.", self.seen, "a function that returns", self.causes, POINTER
        )


_NEVER = "never finished: your code did not return"
SILENT = Ending(
    _NEVER,
    "it did not stop when its time was up, and was ended from outside",
    (
        Cause(
            "an endless loop that catches every exception, the one that ends a test too",
            id="error.endless.3",
        ),
    ),
    is_slow=True,
)
TIME_USED_UP = Ending(
    _NEVER,
    "all the time there is for a kata was used up",
    (Cause("an endless loop, or far more work than is needed", id="error.all-time-used"),),
    is_over=True,
)


def broken_report(kind: str) -> Ending:
    """The ending of a process whose report can't be read."""
    tampered = Cause(
        "your code writes to a file or pipe that is not its own, or exchanges parts of the test"
        " process",
        id="error.tampered",
    )
    seen = f"the report was broken ({kind}): the test process was tampered with"
    return Ending("was broken off", seen, (tampered,))


def by_exit_code(code: int | None) -> Ending:
    """The ending of a process that ended with this code: the negative number of a signal, or what
    it chose; None where nobody knows.
    """
    name = _signal(code)
    how = f"exit code {code}"
    causes: tuple[Cause, ...] = (
        Cause("os._exit() or a fork in your code", id="error.process-ended"),
    )
    if name == "SIGXCPU":
        how, causes = "it used up the processor time there is for a kata", TIME_USED_UP.causes
    elif name == "SIGKILL":
        how = "the system ended it: it took more memory or processor time than there is for it"
        causes = (_TOO_MUCH, *TIME_USED_UP.causes)
    elif name in _CRASHES:
        how = f"a crash in native code, {name}"
        crash = "values that native code can't take, or recursion without end"
        causes = (Cause(crash, id="error.process-ended.2"),)
    seen = f"the Python process ended in the middle of it ({how})"
    return Ending("broke off, and gave no result", seen, causes)


def _signal(code: int | None) -> str:
    try:
        return signal.Signals(-code).name if code is not None and code < 0 else ""
    except ValueError:
        return ""
