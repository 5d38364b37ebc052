"""The line to the warm process of a sandbox, the host: what is asked of it, and what it reports."""

import contextlib
import os
import select
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from dojo.grade.sandbox.confine import RunLimits
from dojo.grade.sandbox.isolation import NoSandbox
from dojo.grade.sandbox.view import ENVIRONMENT
from dojo.processes.channel import Channel
from dojo.processes.worker import Lost, Process

SECONDS_TO_ANSWER = 20
LARGEST_PACKET = 4096


class Start(msgspec.Struct, frozen=True, tag=True):
    """To the host: fork a child. With it come descriptors: a file that holds the Request, the
    connection, the file for what is printed and the doors to its control groups, if it has any.

    Attributes:
        memory: bytes that all its processes may take together.
        has_gauge: the last descriptor is not a door but the gauge of its control groups.
    """

    run: int
    memory: int
    has_gauge: bool = False


class Kill(msgspec.Struct, frozen=True, tag=True):
    """To the host: end this run."""

    run: int


class Prepared(msgspec.Struct, frozen=True, tag=True):
    """From the host: everything is imported."""


class Exited(msgspec.Struct, frozen=True, tag=True):
    """From the host: the run's exit code, or the negative number of the signal that ended it."""

    run: int
    code: int


class NotConfined(msgspec.Struct, frozen=True, tag=True):
    """From the host: the run ended before it was confined, and none of its code has run."""

    run: int


class Request(msgspec.Struct, frozen=True):
    """The task of a confined child.

    Attributes:
        job: of the kinds that the host takes.
        files: name → content, what lies in its folder.
    """

    job: msgspec.Raw
    files: dict[str, bytes]
    limits: RunLimits


orders = msgspec.json.Decoder(Start | Kill)
_reports = msgspec.json.Decoder(Prepared | Exited | NotConfined)


class ConfinedProcess(Process):
    """A confined child."""

    def __init__(self, number: int, channel: Channel, log: Path, link: "Link") -> None:
        self.number, self.channel, self.log, self._link = number, channel, log, link

    def kill(self) -> None:
        self._link.kill(self.number)

    def exit_code(self, patience: float) -> int | None:
        """Raises Lost where the sandbox around it is gone, or it could not be confined."""
        self._link.wait(self.number, patience)
        if self._link.is_lost(self.number):
            raise Lost("the sandbox broke down")
        return self._link.codes.get(self.number)

    @property
    def has_ended(self) -> bool:
        self._link.wait(self.number, 0)
        return self._link.has_ended(self.number)


class Link:
    """A host, and what it has reported. Several threads may use it.

    Attributes:
        codes: run → its exit code.
        not_confined: runs that ended before any code of theirs ran.
        is_gone: True once the host has ended.
    """

    def __init__(
        self, command: Sequence[str], control: socket.socket, theirs: socket.socket
    ) -> None:
        self.control = control
        self.codes: dict[int, int] = {}
        self.not_confined: set[int] = set()
        self.is_gone = False
        self._overdue: dict[int, float] = {}  # run that was to end → when it should have
        self._lock = threading.Lock()
        self._printed = tempfile.TemporaryFile()  # noqa: SIM115  (lives as long as this)
        with theirs:
            self._process = subprocess.Popen(
                command,
                env=ENVIRONMENT,
                stdin=subprocess.DEVNULL,
                stdout=self._printed,
                stderr=self._printed,
                pass_fds=[theirs.fileno()],
                cwd="/",
            )

    def wait_until_ready(self, seconds: float) -> None:
        """Raises NoSandbox, with what the host printed, if it did not come to be ready."""
        if not self._receive(seconds):
            self.end()
            self._printed.seek(0)
            words = self._printed.read()[-2000:].decode(errors="replace").strip()
            raise NoSandbox(words or f"it was not ready within {seconds:.0f} s")

    @property
    def process(self) -> int:
        return self._process.pid

    @property
    def is_well(self) -> bool:
        """True if the host lives, and what was to end has ended in time."""
        self._receive(0)
        now = time.monotonic()
        return not self.is_gone and all(now <= due for due in list(self._overdue.values()))

    def start(self, order: Start, request: Request, descriptors: Sequence[int]) -> None:
        """Let the host fork a child; if it is gone, the run is lost.

        Args:
            descriptors: those that come with the order, but for the request.
        """
        descriptor = os.memfd_create("request")
        try:
            with os.fdopen(os.dup(descriptor), "wb") as file:
                file.write(msgspec.json.encode(request))
            os.lseek(descriptor, 0, os.SEEK_SET)
            packet = msgspec.json.encode(order)
            socket.send_fds(self.control, [packet], [descriptor, *descriptors])
        except OSError:
            self.is_gone = True
        finally:
            os.close(descriptor)

    def kill(self, run: int) -> None:
        if self.has_ended(run):
            return
        self._overdue.setdefault(run, time.monotonic() + SECONDS_TO_ANSWER)
        with contextlib.suppress(OSError):
            self.control.send(msgspec.json.encode(Kill(run)))

    def wait(self, run: int, seconds: float) -> None:
        """Wait until this run has ended, or the time is over."""
        end = time.monotonic() + seconds
        while not self.has_ended(run):
            # another thread may receive the report for us
            received = self._receive(max(min(end - time.monotonic(), 0.2), 0))
            if not received and time.monotonic() >= end:
                return

    def has_ended(self, run: int) -> bool:
        return run in self.codes or self.is_lost(run)

    def is_lost(self, run: int) -> bool:
        """True if what became of this run says nothing about its code."""
        return run in self.not_confined or (run not in self.codes and self.is_gone)

    def end(self) -> None:
        """End the host, and all runs with it."""
        self.is_gone = True
        with contextlib.suppress(OSError):
            self._process.kill()
        self._process.wait()
        with self._lock:
            self.control.close()

    def _receive(self, seconds: float) -> bool:
        """Take what the host reports; wait for the first packet. Returns True if there was one."""
        received = False
        with self._lock:
            while not self.is_gone:
                if not select.select([self.control], [], [], 0 if received else seconds)[0]:
                    break
                try:
                    packet = self.control.recv(LARGEST_PACKET)
                except OSError:
                    packet = b""
                if not packet:
                    self.is_gone = True
                    break
                received = True
                match _reports.decode(packet):
                    case Exited(run, code):
                        self.codes[run] = code
                        self._overdue.pop(run, None)
                    case NotConfined(run):
                        self.not_confined.add(run)
                        self._overdue.pop(run, None)
        return received
