"""The sandbox as seen from outside: a warm process in bubblewrap, and runs in it."""

import json
import os
import socket
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from dojo import ROOT
from dojo.grade.sandbox import isolation, stage, usage, view
from dojo.grade.sandbox.confine import MEGABYTE, SUBMISSION, RunLimits
from dojo.grade.sandbox.isolation import Isolation, Unavailable
from dojo.grade.sandbox.link import Host, Lost, Run
from dojo.processes.channel import MOST_IN_ALL, Channel

SECONDS_TO_CLEAR_UP = 2
SECONDS_TO_START = 180  # a cold disk can take long to import torch


@dataclass(frozen=True)
class Content:
    """What a sandbox holds besides Python.

    Attributes:
        parts: of this repository.
        first: the module that is imported before all others; empty for a sandbox that is quickly
            there and slow at work.
    """

    parts: tuple[str, ...]
    first: str


SUITE, EXAM = (
    Content(view.PARTS, "dojo.suite.preload_katas"),
    Content(view.WITHOUT_TESTS, "dojo.exam.preload"),
)


class Sandbox:
    """Runs code that may do anything, and contains it. A context manager; what runs in it ends with
    it.

    Its first process ends when the thread that entered ends: enter it in a thread that stays.

    Args:
        hidden: folders that no run may see, such as those of the submissions and the grades.
        content: what can be seen in there, and what is imported once for all runs.
        limits: of each run.

    Attributes:
        isolation: what stands between runs and this machine, once it is entered.

    Raises:
        Unavailable: on entering, where no sandbox can be had.
    """

    def __init__(
        self, hidden: Sequence[Path] = (), content: Content = SUITE, limits: RunLimits | None = None
    ) -> None:
        # in there, a relative path is another one
        self.hidden = tuple(path.resolve() for path in hidden)
        self.content, self.limits = content, limits or RunLimits()
        self.isolation: Isolation | None = None
        self._host: Host | None = None
        self._groups: Path | None = None
        self._in_groups: list[tuple[Run, usage.Group]] = []
        self._runs = 0
        self._lock = threading.Lock()

    def __enter__(self) -> "Sandbox":
        isolation.need_linux()
        with self._lock:
            self._host = self._new_host()
        try:
            self.isolation = self._probed()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _probed(self) -> Isolation:
        self._groups = usage.find_group()
        try:
            return replace(
                isolation.isolation_of(self.start, self.hidden), cgroup=self._groups is not None
            )
        except Unavailable:
            if self._groups is None:
                raise
        self._groups = None  # what looked as if it were ours was not
        return isolation.isolation_of(self.start, self.hidden)

    def __exit__(self, *_: object) -> None:
        with self._lock:
            if self._host:
                self._host.end()
            end = time.monotonic() + SECONDS_TO_CLEAR_UP
            while self._clear_up() and time.monotonic() < end:
                time.sleep(0.01)

    @property
    def host_process(self) -> int | None:
        """The number of the process that everything in the sandbox is below; None where it is not
        entered.
        """
        return self._host.process if self._host else None

    def start(
        self,
        body: str,
        files: Mapping[str, bytes],
        log: Path,
        limits: RunLimits | None = None,
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
        request = more | {
            "body": body,
            "files": {name: content.decode("latin-1") for name, content in files.items()},
        }
        limits = limits or self.limits
        request |= {"limits": asdict(limits), "folder": SUBMISSION}
        ours, theirs = socket.socketpair()
        run = Run(number, Channel(ours.detach(), most_in_all), host)
        given = [
            theirs.fileno(),
            os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600),
        ]
        try:
            given += self._group_for(run, limits)
            host.start(number, limits.memory * MEGABYTE, json.dumps(request).encode(), given)
        except Lost:
            pass  # the run tells
        finally:
            theirs.close()
            for descriptor in given[1:]:
                os.close(descriptor)
        return run

    def _group_for(self, run: Run, limits: RunLimits) -> list[int]:
        """The door to a control group for it, where there can be one."""
        if self._groups is None:
            return []
        try:
            group = usage.Group(
                self._groups,
                f"torch-katas-{os.getpid()}-{id(self)}-{run.number}",
                usage.group_settings(limits),
            )
            door = group.door()
        except OSError as error:
            run.channel.close()
            raise Unavailable(
                f"{self._groups} takes no more control groups ({error.strerror})."
            ) from error
        with self._lock:
            self._clear_up()
            self._in_groups.append((run, group))
        return [door]

    def _clear_up(self) -> bool:
        """Take away the groups of runs that have ended. Returns whether some are left."""
        self._in_groups = [
            (run, group)
            for run, group in self._in_groups
            if not run.has_ended or not group.remove()
        ]
        return bool(self._in_groups)

    def _new_host(self) -> Host:
        control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        modules = [self.content.first, *_modules_of_references()] if self.content.first else []
        arguments = [theirs.fileno(), modules]
        python = view.this_python()
        inside = _python(python, f"from dojo.grade.sandbox import host; host.main(*{arguments!r})")
        host = Host(self._around(python, inside), view.ENVIRONMENT, control, theirs)
        try:
            host.wait_until_ready(SECONDS_TO_START)
        except Unavailable as problem:
            raise Unavailable(isolation.explain(str(problem))) from None
        return host

    def _around(self, python: view.Python, inside: list[str]) -> list[str]:
        program = isolation.bubblewrap()
        seen = view.view(python, self.hidden, of_root=self.content.parts)
        if found := view.in_the_way(seen, self.hidden):
            raise Unavailable(isolation.explain_unhidden(*found))
        if os.geteuid() != 0:
            return view.command(program, seen, seen.sources, inside)
        staged = [stage.path(number) for number in range(len(seen.sources))]
        command = view.command(program, seen, staged, inside)
        return _python(
            python,
            f"from dojo.grade.sandbox import stage; stage.main({list(seen.sources)!r},"
            f" {command!r})",
        )


def _python(python: view.Python, code: str) -> list[str]:
    path = [str(ROOT / "tools"), str(ROOT), *python.path]
    return [python.program, "-s", "-P", "-B", "-c", f"import sys; sys.path[:] = {path!r}; {code}"]


def _modules_of_references() -> list[str]:
    """What the references import and the tests do not: in the sandbox, where no reference is,
    nobody can find that out.
    """
    from dojo.suite.loader import packages

    return packages(sorted((ROOT / "reference").glob("k*.py")))
