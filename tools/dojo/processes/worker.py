"""Workers start child processes for jobs. Here: the protocol of all, and plain processes, which
have all the rights of this one.
"""

import contextlib
import ctypes
import importlib
import os
import signal
import sys
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import ClassVar, Protocol, Self

import msgspec

from dojo.processes import forking
from dojo.processes.channel import MOST_IN_ALL, Channel, Connection, PipeChannel

# a learner goes back and forth between two katas, or checks one while watching the other
MOST_READY = 2
GO = b"go"  # what a child that stands ready waits for
SECONDS_TO_GO = 5
SECONDS_TO_START = 180  # until a child reports; a cold disk can take long to import torch
MOST_OF_PLAIN = 1024**3  # bytes that a plain process may send: a measurement has many results
PR_SET_PDEATHSIG = 1

_Started = tuple[BaseProcess, Connection]


class Lost(Exception):
    """A process is gone, and the code that it ran or was to run is not to blame."""


class Job(msgspec.Struct, frozen=True, tag_field="job"):
    """A child process's task. Light to import: run() imports what the task takes.

    Attributes:
        most_in_all: bytes that the child may send where its code may do anything.
    """

    most_in_all: ClassVar[int] = MOST_IN_ALL

    def run(self, connection: Connection, is_early: bool = False) -> None:
        """The child's life.

        Args:
            is_early: prepare all that can be prepared, then wait for GO on the connection.
        """
        raise NotImplementedError

    def version(self) -> str:
        """Hash of what an early child has read: it's of no use once that has changed."""
        return ""

    def files(self) -> dict[str, bytes]:
        """Name → content of the files that a process without access to ours has to be given."""
        return {}

    def moved(self, folder: str, scratch: str) -> Self:
        """The same job where those files lie in `folder`, and `scratch` may be written to."""
        return self


class Process(Protocol):
    """A child process at a job.

    Attributes:
        channel: to it and from it.
        log: where it prints.
    """

    channel: Channel
    log: Path

    def kill(self) -> None:
        """End it with all that it has started, without waiting for that."""

    def exit_code(self, patience: float) -> int | None:
        """Exit code of a process that has ended or is about to; None if it has not by then.

        Raises:
            Lost: it has ended through no fault of the code in it.
        """

    def close(self) -> None:
        """Kill it and close the channel."""
        self.kill()
        self.channel.close()


class Worker(Protocol):
    """Starts child processes. Several threads may use it.

    Attributes:
        is_quick: True if a child costs next to nothing; where each has to import everything, it
            should take a share of all there is to do.
    """

    is_quick: bool

    def start(self, job: Job, log: Path) -> Process:
        """A process at work on this job.

        Args:
            log: where it prints, unless it stood ready and has a log of its own.
        """


class PlainProcess(Process):
    """A process like this one."""

    def __init__(self, process: BaseProcess, connection: Connection, log: Path) -> None:
        self.log, self._process = log, process
        if sys.platform == "win32":
            self.channel = PipeChannel(connection, MOST_OF_PLAIN)
        else:
            self.channel = Channel(os.dup(connection.fileno()), MOST_OF_PLAIN)
            connection.close()

    @property
    def is_alive(self) -> bool:
        return forking.is_alive(self._process)

    def exit_code(self, patience: float) -> int | None:
        return forking.exit_code(self._process, patience)

    def kill(self) -> None:
        self._process.kill()


class Plain:
    """A worker that starts plain processes.

    Where children can be forked, one can stand ready for a job: it has done what can be done before
    its turn. Elsewhere processes can wait that have everything imported.

    Args:
        many: children for many katas will come.
        spares: how many processes wait where there is no safe fork.
    """

    def __init__(self, many: bool = False, spares: int = 0) -> None:
        self.is_quick = forking.can_fork()
        self._many, self._spares = many, 0 if self.is_quick else spares
        self._context = forking.context(many)
        self._waiting: list[_Started] = []
        self._ready: OrderedDict[Job, tuple[str, PlainProcess]] = OrderedDict()
        self._lock = threading.Lock()

    def start(self, job: Job, log: Path) -> PlainProcess:
        if not self.is_quick:
            process, connection = self._spare()
            connection.send((job, log))
            return PlainProcess(process, connection, log)
        return self._take(job) or self._forked(job, log, is_early=False)

    def prepare(self, job: Job) -> None:
        """Let a child stand ready for this job, where it can be forked."""
        with self._lock:
            if not self.is_quick or job in self._ready:
                return
            descriptor, log = tempfile.mkstemp(suffix=".log")
            os.close(descriptor)
            version = job.version()  # before the child reads what it is of
            self._ready[job] = version, self._forked(job, Path(log), is_early=True)
            while len(self._ready) > MOST_READY:
                _discard(self._ready.popitem(last=False)[1][1])

    def fill(self) -> None:
        """Let as many processes wait as were asked for."""
        with self._lock:
            while len(self._waiting) < self._spares:
                self._waiting.append(self._fresh(_wait_for_a_job, self._many))

    def _take(self, job: Job) -> PlainProcess | None:
        """The child that stands ready for this job, set going; None if there is none of use."""
        with self._lock:
            version, process = self._ready.pop(job, ("", None))
        if process is None:
            return None
        with contextlib.suppress(OSError):
            if version == job.version() and process.is_alive:
                process.channel.send(GO, SECONDS_TO_GO)
                return process
        _discard(process)
        return None

    def _forked(self, job: Job, log: Path, is_early: bool) -> PlainProcess:
        process, connection = self._fresh(_work, job, log, is_early)
        return PlainProcess(process, connection, log)

    def _spare(self) -> _Started:
        with self._lock:
            while self._waiting:
                process, connection = self._waiting.pop(0)
                if forking.is_alive(process):
                    return process, connection
                connection.close()
        return self._fresh(_wait_for_a_job, self._many)

    def _fresh(self, body: Callable[..., None], *arguments: object) -> _Started:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=body, args=(theirs, *arguments), daemon=True)
        forking.start(process)
        theirs.close()
        return process, ours


def _discard(ready: PlainProcess) -> None:
    ready.close()
    with contextlib.suppress(OSError):
        ready.log.unlink()


# In the child


def _work(connection: Connection, job: Job, log: Path, is_early: bool = False) -> None:
    _end_with_the_fork_server()
    _print_to(log)
    job.run(connection, is_early)
    sys.stdout.flush()
    sys.stderr.flush()
    connection.close()
    os._exit(0)  # nothing that the code under test registered for the exit gets to run


def _wait_for_a_job(connection: Connection, many: bool) -> None:
    """The life of a process that was not forked: import everything, then wait for what to do."""
    forking.end_with_the_parent()
    importlib.import_module(forking.preloaded(many))
    try:
        job, log = connection.recv()
    except (EOFError, OSError):  # the parent is gone
        return
    _work(connection, job, log)


def _end_with_the_fork_server() -> None:
    """Have the system kill this process, even in an endless loop, with the one that forked it."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _print_to(log: Path) -> None:
    try:
        descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    except FileNotFoundError:  # the parent was stopped meanwhile, and has removed its folder
        os._exit(1)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    sys.stdout = open(1, "w", encoding="utf-8", errors="replace", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", errors="replace", closefd=False)  # noqa: SIM115
