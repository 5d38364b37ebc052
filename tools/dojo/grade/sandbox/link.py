"""The line to a warm process: what is asked of it, and what it says."""

import contextlib
import json
import os
import select
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence

from dojo.grade.sandbox.isolation import Unavailable
from dojo.processes.channel import Channel

SECONDS_TO_ANSWER = 20
LARGEST_PACKET = 4096


class Lost(Exception):
    """The warm process is gone: what ran in it has ended through no fault of its own."""


class Run:
    """One confined child, in the manner of multiprocessing's processes.

    Attributes:
        channel: to it and from it.
        exitcode: None while it runs, or where it was lost.
        lost: the sandbox around it is gone, or it could not be confined. What became of it says
            nothing about the code that it ran or was to run.
    """

    def __init__(self, number: int, channel: Channel, host: "Host") -> None:
        self.number, self.channel, self._host = number, channel, host

    def kill(self) -> None:
        """End it and all that it started. Does not wait for that."""
        self._host.kill(self.number)

    def join(self, timeout: float | None = None) -> None:
        self._host.wait(self.number, timeout)

    @property
    def exitcode(self) -> int | None:
        self._host.wait(self.number, 0)
        return self._host.codes.get(self.number)

    @property
    def lost(self) -> bool:
        self._host.wait(self.number, 0)
        return self.number in self._host.lost or (
            self.number not in self._host.codes and self._host.gone
        )

    @property
    def has_ended(self) -> bool:
        return self.exitcode is not None or self.lost

    def close(self) -> None:
        """It is of no more use: end it, and close the channel."""
        self.kill()
        self.channel.close()


class Host:
    """A warm process and what it has said. Several threads may use it."""

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        control: socket.socket,
        theirs: socket.socket,
    ):
        self.control = control
        self.codes: dict[int, int] = {}
        self.lost: set[int] = set()  # runs that ended before any code of theirs ran
        self.gone = False
        self._overdue: dict[int, float] = {}  # run that was to end → when it should have
        self._lock = threading.Lock()
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  (lives as long as this)
        with theirs:
            self._process = subprocess.Popen(
                command,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=self._errors,
                stderr=self._errors,
                pass_fds=[theirs.fileno()],
                cwd="/",
            )

    def wait_until_ready(self, seconds: float) -> None:
        """Raises Unavailable, with what it printed, if it did not come to be ready."""
        if not self._hear(seconds):
            self.end()
            raise Unavailable(self.last_words() or f"it was not ready within {seconds:.0f} s")

    def last_words(self) -> str:
        self._errors.seek(0)
        return self._errors.read()[-2000:].decode(errors="replace").strip()

    @property
    def process(self) -> int:
        return self._process.pid

    @property
    def is_well(self) -> bool:
        """It lives, and what was to end has ended in time."""
        self._hear(0)
        return not self.gone and not any(
            time.monotonic() > due for due in list(self._overdue.values())
        )

    def start(self, number: int, memory: int, request: bytes, descriptors: Sequence[int]) -> None:
        """Let it fork a child.

        Args:
            memory: bytes that all its processes may take.
            request: what the child is to do.
            descriptors: its connection, the file for its output, and the door of its control group
                if it has one.

        Raises:
            Lost: the host is gone.
        """
        descriptor = os.memfd_create("request")
        try:
            with os.fdopen(os.dup(descriptor), "wb") as file:
                file.write(request)
            os.lseek(descriptor, 0, os.SEEK_SET)
            packet = json.dumps({"do": "run", "run": number, "memory": memory}).encode()
            socket.send_fds(self.control, [packet], [descriptor, *descriptors])
        except OSError as error:
            self.gone = True
            raise Lost(str(error)) from error
        finally:
            os.close(descriptor)

    def kill(self, number: int) -> None:
        if self._has_ended(number):
            return
        self._overdue.setdefault(number, time.monotonic() + SECONDS_TO_ANSWER)
        with contextlib.suppress(OSError):
            self.control.send(json.dumps({"do": "kill", "run": number}).encode())

    def wait(self, number: int, seconds: float | None) -> None:
        """Until this run has ended, or the time is over."""
        end = time.monotonic() + seconds if seconds is not None else None
        while not self._has_ended(number):
            # another thread may hear it for us
            left = 0.2 if end is None else min(end - time.monotonic(), 0.2)
            if not self._hear(max(left, 0)) and end is not None and time.monotonic() >= end:
                return

    def _has_ended(self, number: int) -> bool:
        return number in self.codes or number in self.lost or self.gone

    def end(self) -> None:
        """All runs in it end, too."""
        self.gone = True
        with contextlib.suppress(OSError):
            self._process.kill()
        self._process.wait()
        with self._lock:
            self.control.close()

    def _hear(self, seconds: float) -> bool:
        """Take what the host says, waiting for a first word. Returns whether there was one."""
        heard = False
        with self._lock:
            while (
                not self.gone and select.select([self.control], [], [], 0 if heard else seconds)[0]
            ):
                try:
                    packet = self.control.recv(LARGEST_PACKET)
                except OSError:
                    packet = b""
                if not packet:
                    self.gone = True
                    break
                heard = True
                said = json.loads(packet)
                if "ended" in said:
                    self.codes[said["ended"]] = said["code"]
                    self._overdue.pop(said["ended"], None)
                elif "lost" in said:
                    self.lost.add(said["lost"])
                    self._overdue.pop(said["lost"], None)
        return heard
