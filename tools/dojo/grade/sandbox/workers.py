"""Where submitted code runs: in the sandbox, or, for those who want none, in plain processes."""

import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from dojo.catalog import Kata
from dojo.exam.examiner import Candidate
from dojo.exam.unconfined import Unconfined
from dojo.exam.wire import MOST_IN_ALL
from dojo.grade.records import NOT_ISOLATED
from dojo.grade.sandbox import launch
from dojo.grade.sandbox.confine import RunLimits
from dojo.grade.sandbox.suite import Confined
from dojo.suite.launcher import Launcher

PATIENCE = 5  # seconds, for a run to end


class Place(Protocol):
    """A context manager; what runs in it ends with it. Several threads may use it."""

    text: str  # what stands between submitted code and the machine, in words

    def launcher(self, kata: Kata, source: bytes) -> Launcher | None:
        """Starts the suite's processes on this text; None for plain ones, on the file in the unit's
        target.
        """

    def candidate(self, kata: Kata, source: bytes) -> Candidate:
        """A process that answers an exam's questions for this text."""


class Open:
    """Nothing stands between submitted code and the machine."""

    text = NOT_ISOLATED

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def launcher(self, kata: Kata, source: bytes) -> None:
        return None

    def candidate(self, kata: Kata, source: bytes) -> Candidate:
        return Unconfined(kata.name, source)


class Isolated:
    """Two sandboxes: one that holds the tests, and one for the exam that does not: tests know
    answers.

    Args:
        hidden: folders that no submission may see.
        limits: of each run.
    """

    def __init__(self, hidden: Sequence[Path], limits: RunLimits) -> None:
        self._stack = ExitStack()
        self._suite = launch.Sandbox(hidden, limits=limits)
        self._exam = launch.Sandbox(hidden, limits=limits, content=launch.EXAM)
        self.text = ""

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._suite, self._exam = (
                stack.enter_context(self._suite),
                stack.enter_context(self._exam),
            )
            self.text = self._suite.isolation.text
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def launcher(self, kata: Kata, source: bytes) -> Launcher:
        return Confined(self._suite, {kata.name: source})

    def candidate(self, kata: Kata, source: bytes) -> Candidate:
        return _Confined(self._exam, kata, source)


class _Confined:
    """A candidate in the sandbox."""

    def __init__(self, sandbox: launch.Sandbox, kata: Kata, source: bytes) -> None:
        # lives as long as this
        self._log = tempfile.NamedTemporaryFile(prefix="torch-katas-")  # noqa: SIM115
        self._run = sandbox.start(
            "exam", {f"{kata.name}.py": source}, Path(self._log.name), most_in_all=MOST_IN_ALL
        )
        self.channel = self._run.channel

    @property
    def lost(self) -> bool:
        """Asked when it answers no more: what became of it is known when it has ended."""
        self._run.kill()
        self._run.join(PATIENCE)
        return self._run.lost

    def close(self) -> None:
        self._run.close()
        self._log.close()
