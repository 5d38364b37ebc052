"""Keeps a warm process: starts it, starts a new one when it is stale or gone, and leaves none
behind.
"""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from types import TracebackType

from dojo import ROOT
from dojo.check.server.client import Dropped, Stale, Unanswered, ask
from dojo.check.server.fingerprint import environment
from dojo.check.server.rendezvous import Card
from dojo.results import KataResult
from dojo.suite.supervisor import OnResult
from dojo.suite.unit import Unit

MOST_TRIES = 3
SECONDS_TO_END = 5
# one that ends earlier is not replaced before it is asked: the next would end as soon
SHORTEST_LIFE = 5.0
GONE = "its process was gone"
# Not as a module or a file: children that start anew would import that a second time.
PROGRAM = "import sys; sys.path[:0] = {paths!r}; from dojo.check.server.server import main; main()"


class NotWarm(Exception):
    """No warm process can be had; the message is its last word."""


class Keeper:
    """One warm process at a time. All of it may be called from several threads.

    Args:
        on_restart: called with the reason whenever a new one has to be started.
    """

    def __init__(self, on_restart: Callable[[str], None] = lambda reason: None) -> None:
        self._on_restart = on_restart
        self._lock = threading.Lock()
        self._process: subprocess.Popen | None = None
        self._card: Card | None = None
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  (closed with the keeper)
        self._closed = False

    def __enter__(self) -> "Keeper":
        return self

    def __exit__(
        self, kind: type | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def ask(
        self,
        units: Sequence[Unit],
        jobs: int | None = None,
        on_result: OnResult | None = None,
        drop: Connection | None = None,
    ) -> list[KataResult]:
        """Have units judged, by a new warm process where the old one is stale or gone.

        Raises:
            NotWarm: none can be started, or every one of them broke off.
            Dropped: ended through `drop`.
        """
        reason: Unanswered | None = None
        for _ in range(MOST_TRIES):
            card = self.ready()
            try:
                return ask(card, units, jobs, on_result, drop)
            except Unanswered as problem:
                reason = problem
                self._replace(card, problem)
        raise NotWarm(f"The warm process broke off: {reason}")

    def ready(self) -> Card:
        """Start a warm process if there is none, and say how to reach it. It may still be
        importing.
        """
        with self._lock:
            if self._closed:
                raise Dropped
            if self._process and self._process.poll() is None and self._card:
                return self._card
            self._end()
            self._start()
            return self._card

    def close(self) -> None:
        with self._lock:
            self._closed = True
            self._end()
            self._errors.close()

    def _replace(self, card: Card, problem: Unanswered) -> None:
        with self._lock:
            if self._card == card and not self._closed:  # no other thread has done so meanwhile
                self._end()
                self._on_restart(str(problem) if isinstance(problem, Stale) else GONE)

    def _start(self) -> None:
        program = PROGRAM.format(paths=[str(ROOT / "tools"), str(ROOT)])
        # A group of its own: Ctrl-C in the terminal is for the keeper alone. That one's end is what
        # ends the process.
        alone = (
            {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
            if os.name == "nt"
            else {"start_new_session": True}
        )
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": self._errors}
        command = [sys.executable, "-c", program]
        try:
            self._process = subprocess.Popen(command, cwd=ROOT, env=environment(), **pipes, **alone)
        except OSError as error:  # no memory, too many processes, a Python that is being installed
            raise NotWarm(f"The warm process can't start ({error.strerror or error}).") from error
        try:
            self._card = Card(**json.loads(self._process.stdout.readline()))
        except (ValueError, TypeError) as error:
            self._end()
            raise NotWarm(f"The warm process can't start. {self._last_word()}") from error
        threading.Thread(
            target=self._replace_when_gone, args=(self._process, time.monotonic()), daemon=True
        ).start()

    def _replace_when_gone(self, process: subprocess.Popen, begin: float) -> None:
        """Start a new one as soon as this one has ended, so that it is warm when it is needed."""
        process.wait()
        if self._process is process and time.monotonic() - begin > SHORTEST_LIFE:
            self._on_restart(GONE)
            with contextlib.suppress(NotWarm, Dropped):
                self.ready()

    def _end(self) -> None:
        process, self._process, self._card = self._process, None, None
        if process is None:
            return
        with contextlib.suppress(OSError):
            process.stdin.close()
        try:
            process.wait(SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()

    def _last_word(self) -> str:
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else ""
