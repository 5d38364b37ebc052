"""The sandbox as seen from outside: a worker that starts its processes confined, as forks of a warm
process in bubblewrap.
"""

import os
import socket
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import msgspec

from dojo import ROOT
from dojo.grade.sandbox import groups, isolation, stage, view
from dojo.grade.sandbox.confine import MEGABYTE, SCRATCH, SUBMISSION, RunLimits
from dojo.grade.sandbox.isolation import Isolation, NoSandbox
from dojo.grade.sandbox.link import ConfinedProcess, Link, Request, Start
from dojo.processes.channel import Channel
from dojo.processes.worker import SECONDS_TO_START, Job
from dojo.suite import preload
from dojo.suite.loader import packages

SECONDS_TO_CLEAR_UP = 2


@dataclass(frozen=True)
class Content:
    """The content of a sandbox besides Python.

    Attributes:
        parts: of this repository.
        modules: names what is imported once for all runs; nothing in a sandbox that is quickly
            there and slow at work.
    """

    parts: tuple[str, ...]
    modules: Callable[[], list[str]] = list


def _modules_of_exams() -> list[str]:
    # outside, as the sandbox holds no references
    names = ["dojo.exam.answering", "dojo.exam.training_steps", "katas.given.data"]
    names += ["katas.given.networks", "sklearn.datasets", "sklearn.linear_model"]
    return names + packages(sorted((ROOT / "reference").glob("k*.py")))


SUITE = Content(view.PARTS, preload.of_katas)
EXAM = Content(view.WITHOUT_TESTS, _modules_of_exams)  # tests know answers


class Sandbox:
    """A worker whose processes may do anything, and are contained. A context manager; what runs in
    it ends with it.

    Its first process ends when the thread that entered ends: enter it in a thread that stays.

    Args:
        hidden: folders that no run may see, such as those of the submissions and the grades.
        content: what can be seen in there, and what is imported once for all runs.
        limits: of each run.

    Attributes:
        isolation: what stands between runs and this machine; None until it is entered.

    Raises:
        NoSandbox: on entering, where no sandbox can be had.
    """

    is_quick = True

    def __init__(
        self, hidden: Sequence[Path] = (), content: Content = SUITE, limits: RunLimits | None = None
    ) -> None:
        # inside the sandbox, a relative path would name another folder
        self.hidden = tuple(path.resolve() for path in hidden)
        self.content, self.limits = content, limits or RunLimits()
        self.isolation: Isolation | None = None
        self._link: Link | None = None
        self._home: groups.Home | None = None
        self._in_groups: list[tuple[ConfinedProcess, groups.Group]] = []
        self._runs = 0
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        isolation.need_linux()
        with self._lock:
            self._link = self._new_link()
        try:
            self.isolation = self._probed()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _probed(self) -> Isolation:
        self._home = groups.find()
        try:
            measured = isolation.isolation_of(self, self.hidden)
            return replace(measured, cgroup=self._home.version if self._home else 0)
        except NoSandbox:
            if self._home is None:
                raise
        self._home = None  # what looked as if it were ours was not
        return isolation.isolation_of(self, self.hidden)

    def __exit__(self, *_: object) -> None:
        with self._lock:
            if self._link:
                self._link.end()
            end = time.monotonic() + SECONDS_TO_CLEAR_UP
            while self._clear_up() and time.monotonic() < end:
                time.sleep(0.01)

    @property
    def host_process(self) -> int | None:
        """Number of the process above all others of the sandbox; None if it is not entered."""
        return self._link.process if self._link else None

    def start(self, job: Job, log: Path) -> ConfinedProcess:
        """Raises NoSandbox if the sandbox is gone, and no new one can be made."""
        with self._lock:
            if self._link is None or not self._link.is_well:
                if self._link:
                    self._link.end()
                self._link = self._new_link()
            self._runs += 1
            number, link = self._runs, self._link
        inside = msgspec.Raw(msgspec.json.encode(job.moved(SUBMISSION, SCRATCH)))
        request = Request(inside, job.files(), self.limits)
        ours, theirs = socket.socketpair()
        run = ConfinedProcess(number, Channel(ours.detach(), job.most_in_all), log, link)
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        given = [theirs.fileno(), os.open(log, flags, 0o600)]
        try:
            doors, gauge = self._group_for(run)
            given += [*doors, *gauge]
            order = Start(number, self.limits.memory * MEGABYTE, has_gauge=bool(gauge))
            link.start(order, request, given)
        finally:
            theirs.close()
            groups.close(given[1:])
        return run

    def _group_for(self, run: ConfinedProcess) -> tuple[list[int], list[int]]:
        """The doors to a control group for it and its gauge, where there can be one."""
        if self._home is None:
            return [], []
        try:
            name = f"{groups.PREFIX}{os.getpid()}-{id(self)}-{run.number}"
            group = groups.Group(self._home, name, groups.settings(self.limits))
            doors, gauge = group.doors(), group.gauge()
        except OSError as error:
            run.channel.close()
            reason = f"{self._home.parents[0]} takes no more control groups ({error.strerror})."
            raise NoSandbox(reason) from error
        with self._lock:
            self._clear_up()
            self._in_groups.append((run, group))
        return doors, gauge

    def _clear_up(self) -> bool:
        """Remove the groups of runs that have ended. Returns True if some are left."""
        for run, group in list(self._in_groups):
            if run.has_ended and group.remove():
                self._in_groups.remove((run, group))
        return bool(self._in_groups)

    def _new_link(self) -> Link:
        control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with_tests = self.content.parts == view.PARTS
        arguments = (theirs.fileno(), with_tests, self.content.modules())
        python = view.this_python()
        inside = _python(python, f"from dojo.grade.sandbox import host; host.main{arguments!r}")
        link = Link(self._around(python, inside), control, theirs)
        try:
            link.wait_until_ready(SECONDS_TO_START)
        except NoSandbox as problem:
            raise NoSandbox(isolation.explain(str(problem))) from None
        return link

    def _around(self, python: view.Python, inside: list[str]) -> list[str]:
        program = isolation.bubblewrap()
        seen = view.view(python, self.hidden, of_root=self.content.parts)
        if conflict := view.in_the_way(seen, self.hidden):
            raise NoSandbox(isolation.explain_unhidden(*conflict))
        if os.geteuid() != 0:
            return view.in_a_user_namespace(view.command(program, seen, seen.sources, inside))
        staged = [stage.path(number) for number in range(len(seen.sources))]
        command = view.command(program, seen, staged, inside)
        arguments = (list(seen.sources), command, int(self.content.parts == view.PARTS))
        return _python(python, f"from dojo.grade.sandbox import stage; stage.main{arguments!r}")


def _python(python: view.Python, code: str) -> list[str]:
    path = [str(ROOT / "tools"), str(ROOT), *python.path]
    return [python.program, "-s", "-P", "-B", "-c", f"import sys; sys.path[:] = {path!r}; {code}"]
