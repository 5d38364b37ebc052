"""The sandbox as seen from outside: a warm process in bubblewrap, and runs in it."""

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
from dataclasses import asdict, dataclass
from pathlib import Path

from dojo import ROOT
from dojo.channel import MOST_IN_ALL, Channel
from dojo.grade.sandbox import probe, stage, view
from dojo.grade.sandbox.confine import SUBMISSION
from dojo.grade.sandbox.isolation import Isolation, Unavailable
from dojo.grade.sandbox.limits import MEGABYTE, Limits

SECONDS_TO_START = 180  # a cold disk can take long to import torch
SECONDS_TO_ANSWER = 20
LARGEST_PACKET = 4096


class Lost(Exception):
    """The warm process is gone: what ran in it has ended through no fault of its own."""


class Run:
    """One confined child, in the manner of multiprocessing's processes.

    Attributes:
        channel: to it and from it.
        exitcode: None while it runs, or where it was lost.
        lost: the sandbox around it is gone. What it was doing says nothing about the code that ran.
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
        return self.number not in self._host.codes and self._host.gone

    def close(self) -> None:
        """It is of no more use: end it, and close the channel."""
        self.kill()
        self.channel.close()


class Host:
    """A warm process and what it has said. Several threads may use it."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], control: socket.socket, theirs: socket.socket):
        self.control = control
        self.codes: dict[int, int] = {}
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
        return not self.gone and not any(time.monotonic() > due for due in list(self._overdue.values()))

    def start(self, number: int, memory: int, request: bytes, connection: int, log: int) -> None:
        """Raises Lost where it is gone."""
        descriptor = os.memfd_create("request")
        try:
            with os.fdopen(os.dup(descriptor), "wb") as file:
                file.write(request)
            os.lseek(descriptor, 0, os.SEEK_SET)
            packet = json.dumps({"do": "run", "run": number, "memory": memory}).encode()
            socket.send_fds(self.control, [packet], [descriptor, connection, log])
        except OSError as error:
            self.gone = True
            raise Lost(str(error)) from error
        finally:
            os.close(descriptor)

    def kill(self, number: int) -> None:
        if number in self.codes or self.gone:
            return
        self._overdue.setdefault(number, time.monotonic() + SECONDS_TO_ANSWER)
        with contextlib.suppress(OSError):
            self.control.send(json.dumps({"do": "kill", "run": number}).encode())

    def wait(self, number: int, seconds: float | None) -> None:
        """Until this run has ended, or the time is over."""
        end = time.monotonic() + seconds if seconds is not None else None
        while number not in self.codes and not self.gone:
            left = 0.2 if end is None else min(end - time.monotonic(), 0.2)  # another thread may hear it for us
            if not self._hear(max(left, 0)) and end is not None and time.monotonic() >= end:
                return

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
            while not self.gone and select.select([self.control], [], [], 0 if heard else seconds)[0]:
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
        return heard


@dataclass(frozen=True)
class Content:
    """What a sandbox holds besides Python.

    Attributes:
        parts: of this repository.
        first: the module that is imported before all others; empty for a sandbox that is quickly there and slow at work.
    """

    parts: tuple[str, ...]
    first: str


SUITE, EXAM = Content(view.PARTS, "dojo.suite.preload_katas"), Content(view.WITHOUT_TESTS, "dojo.exam.preload")
BARE = Content(view.PARTS, "")  # for a probe


class Sandbox:
    """Runs code that may do anything, and contains it. A context manager; what runs in it ends with it.

    Its first process ends when the thread that entered ends: enter it in a thread that stays.

    Args:
        hidden: folders that no run may see, such as those of the submissions and the grades.
        confined: False for no sandbox at all: the same runs, with nothing between them and this machine.
        content: what can be seen in there, and what is imported once for all runs.
        limits: of each run.

    Attributes:
        isolation: what stands between runs and this machine, once it is entered; None where nothing does.

    Raises:
        Unavailable: on entering, where no sandbox can be had.
    """

    def __init__(
        self, hidden: Sequence[Path] = (), confined: bool = True, content: Content = SUITE, limits: Limits | None = None
    ) -> None:
        self.hidden, self.confined, self.content, self.limits = tuple(hidden), confined, content, limits or Limits()
        self.isolation: Isolation | None = None
        self._host: Host | None = None
        self._runs = 0
        self._lock = threading.Lock()

    def __enter__(self) -> "Sandbox":
        with self._lock:
            self._host = self._new_host()
        try:
            self.isolation = probe.isolation_of(self)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            if self._host:
                self._host.end()

    @property
    def host_process(self) -> int | None:
        """The number of the process that everything in the sandbox is below; None where it is not entered."""
        return self._host.process if self._host else None

    def start(
        self,
        body: str,
        files: Mapping[str, bytes],
        log: Path,
        limits: Limits | None = None,
        most_in_all: int = MOST_IN_ALL,
        **more: object,
    ) -> Run:
        """Start a run.

        Args:
            body: a name in bodies.BODIES.
            files: name → content, what lies in the run's folder.
            log: where it prints.
            limits: of this run, instead of those of all.
            most_in_all: bytes that it may send.
            more: what the body needs to know.

        Raises:
            Unavailable: the sandbox is gone, and no new one can be made.
        """
        with self._lock:
            if self._host is None or not self._host.is_well:
                if self._host:
                    self._host.end()
                self._host = self._new_host()
            self._runs += 1
            number, host = self._runs, self._host
        folder = SUBMISSION if self.confined else _folder_with(files, log.parent)
        request = more | {"body": body, "files": {name: content.decode("latin-1") for name, content in files.items()}}
        limits = limits or self.limits
        request |= {"limits": asdict(limits), "folder": folder}
        ours, theirs = socket.socketpair()
        output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        run = Run(number, Channel(ours.detach(), most_in_all), host)
        try:
            host.start(number, limits.memory * MEGABYTE, json.dumps(request).encode(), theirs.fileno(), output)
        except Lost:
            pass  # the run tells
        finally:
            theirs.close()
            os.close(output)
        return run

    def _new_host(self) -> Host:
        control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        modules = [self.content.first, *_modules_of_references()] if self.content.first else []
        arguments = [theirs.fileno(), self.confined, modules]
        python = view.this_python()
        inside = _python(python, f"from dojo.grade.sandbox import host; host.main(*{arguments!r})")
        scratch = {} if self.confined else dict.fromkeys(view.FOLDERS, tempfile.gettempdir())
        host = Host(self._around(python, inside), view.ENVIRONMENT | scratch, control, theirs)
        try:
            host.wait_until_ready(SECONDS_TO_START)
        except Unavailable as problem:
            raise Unavailable(probe.explain(str(problem))) from None
        return host

    def _around(self, python: view.Python, inside: list[str]) -> list[str]:
        if not self.confined:
            return inside
        program = probe.bubblewrap()
        seen = view.view(python, self.hidden, of_root=self.content.parts)
        if os.geteuid() != 0:
            return view.command(program, seen, seen.sources, inside)
        staged = [stage.path(number) for number in range(len(seen.sources))]
        command = view.command(program, seen, staged, inside)
        return _python(python, f"from dojo.grade.sandbox import stage; stage.main({list(seen.sources)!r}, {command!r})")


def _folder_with(files: Mapping[str, bytes], parent: Path) -> str:
    folder = Path(tempfile.mkdtemp(dir=parent))
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return str(folder)


def _python(python: view.Python, code: str) -> list[str]:
    path = [str(ROOT / "tools"), str(ROOT), *python.path]
    return [python.program, "-s", "-P", "-B", "-c", f"import sys; sys.path[:] = {path!r}; {code}"]


def _modules_of_references() -> list[str]:
    """What the references import and the tests do not: in the sandbox, where no reference is, nobody can find that out."""
    from dojo.suite.imports import packages

    return packages(sorted((ROOT / "reference").glob("k*.py")))
