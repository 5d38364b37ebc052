"""The warm process inside bubblewrap, the host: it has everything imported, and forks a confined
child for each run.

It listens on one socket for the orders in link.py, and reports on it. It never reads what a child
sends, and no child has its socket. When its socket ends it ends, and takes all its children along:
it is, with what bubblewrap needs, alone in a PID namespace.
"""

import io
import os
import select
import signal
import socket
import sys
import time
import traceback
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NoReturn

import msgspec

from dojo.grade.sandbox import groups, link, syscalls, trial, usage
from dojo.grade.sandbox.confine import confine, keep_only
from dojo.grade.sandbox.trial import TrialJob
from dojo.processes.worker import Job
from dojo.suite import preload
from dojo.suite.job import SuiteJob

DESCRIPTORS = 6  # at most, with an order
MILLISECONDS_BETWEEN_CHECKS = 200
# threads of a run, all its processes counted, that share the processors with others as equals
MOST_AT_WORK = 4
BEGUN = b"1"


def main(control: int, with_tests: bool, modules: list[str]) -> None:
    """The host's life.

    Args:
        control: descriptor of its socket.
        with_tests: it takes jobs of the suite; otherwise those of exams.
        modules: what is imported before the first run; without any, nothing is.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the one outside
    if modules:
        (preload.preload_tests if with_tests else preload.preload)(modules)
    Host(socket.socket(fileno=control), with_tests).serve()


def _jobs(with_tests: bool) -> Any:
    """The kinds of jobs that a host takes, as a type."""
    if with_tests:
        return SuiteJob | TrialJob
    from dojo.exam.job import ExamJob  # late: it imports torch

    return ExamJob | TrialJob


@dataclass(frozen=True)
class _Child:
    run: int
    process: int
    watched: int  # a descriptor that can be read from when it has ended
    begun: int  # a descriptor on which it reports that it is confined, and begins its job
    memory: int  # bytes that all its processes may take together
    gauge: int | None  # a descriptor on which its control group says how much had to be ended


class Host:
    """The children, and the socket."""

    def __init__(self, control: socket.socket, with_tests: bool) -> None:
        self.control = control
        self.jobs: msgspec.json.Decoder[Job] = msgspec.json.Decoder(_jobs(with_tests))
        self.children: dict[int, _Child] = {}
        self.namespaces = trial.namespaces()
        self.users = users_to_spare(Path("/proc/self/uid_map").read_text(encoding="utf-8"))
        self.next_check = 0.0
        self.poll = select.poll()
        self.poll.register(control, select.POLLIN)

    def serve(self) -> NoReturn:
        self.report(link.Prepared())
        while True:
            timeout = MILLISECONDS_BETWEEN_CHECKS if self.children else None
            for descriptor, _ in self.poll.poll(timeout):
                if descriptor == self.control.fileno():
                    self.obey()
                else:
                    self.reap(descriptor)
            self.check_usage()

    def report(self, packet: link.Prepared | link.Exited | link.NotConfined) -> None:
        with suppress(OSError):  # nobody listens any more: the socket's end comes next
            self.control.send(msgspec.json.encode(packet))

    def obey(self) -> None:
        """Take one order, and carry it out."""
        packet, descriptors, _, _ = socket.recv_fds(self.control, link.LARGEST_PACKET, DESCRIPTORS)
        if not packet:
            os._exit(0)
        match link.orders.decode(packet):
            case link.Kill(run):
                if run in self.children:
                    self.kill(self.children[run])
            case link.Start() as order:
                try:
                    self.start(order, *descriptors)
                except OSError as error:
                    sys.stderr.write(f"run {order.run} could not be started: {error}\n")
                    self.report(link.NotConfined(order.run))
                finally:
                    for descriptor in descriptors:
                        os.close(descriptor)

    def start(
        self, order: link.Start, request: int, connection: int, log: int, *group: int
    ) -> None:
        # the code under test can choose exit codes; this byte is only sent before it runs
        begun, begin = os.pipe()
        doors, gauges = (group[:-1], group[-1:]) if order.has_gauge else (group, ())
        try:
            process = fork_as_first()
            if process == 0:
                user = 1 + order.run % self.users if self.users else 0
                self._live(request, connection, log, doors, begin, user)
            watched = _watched(process)
        except OSError:
            os.close(begun)
            raise
        finally:
            os.close(begin)
        gauge = os.dup(gauges[0]) if gauges else None
        self.children[order.run] = _Child(order.run, process, watched, begun, order.memory, gauge)
        self.poll.register(watched, select.POLLIN)

    def _live(
        self,
        request: int,
        connection: int,
        log: int,
        doors: Sequence[int],
        begin: int,
        user: int,
    ) -> NoReturn:
        """The child's whole life."""
        code = 1
        try:
            with os.fdopen(os.dup(request), "rb") as file:
                asked = msgspec.json.decode(file.read(), type=link.Request)
            job = self.jobs.decode(asked.job)
            if isinstance(job, TrialJob):
                job = job.below(self.namespaces)
            for door in doors:
                os.write(door, b"0")
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.dup2(log, 1)
            os.dup2(log, 2)
            keep_only({0, 1, 2, connection, begin})
            sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
            sys.stdout, sys.stderr = Log(1), Log(2)
            for name in ("stdin", "stdout", "stderr"):
                setattr(sys, f"__{name}__", getattr(sys, name))
            signal.signal(signal.SIGINT, signal.default_int_handler)
            confine(asked.files, asked.limits, user)
            os.write(begin, BEGUN)
            os.close(begin)
            job.run(Connection(connection))
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)

    def kill(self, child: _Child) -> None:
        with suppress(OSError):
            signal.pidfd_send_signal(child.watched, signal.SIGKILL)

    def check_usage(self) -> None:
        """Kill runs beyond their memory in all; put those with too many threads behind others."""
        if time.monotonic() < self.next_check or not self.children:
            return
        self.next_check = time.monotonic() + MILLISECONDS_BETWEEN_CHECKS / 1000
        every = usage.processes()
        for child in self.children.values():
            run = usage.members(every, child.process)
            taken = usage.memory_beyond(every, run, os.getpid()) + usage.in_sockets(child.process)
            if taken > child.memory or groups.has_ended_any(child.gauge):
                self.kill(child)
            elif usage.threads(every, run) > MOST_AT_WORK:
                usage.put_last(run)

    def reap(self, watched: int) -> None:
        """Report a child that has ended."""
        child = next(child for child in self.children.values() if child.watched == watched)
        _, status = os.waitpid(child.process, 0)
        self.poll.unregister(watched)
        ended = link.Exited(child.run, os.waitstatus_to_exitcode(status))
        has_begun = os.read(child.begun, 1) == BEGUN
        groups.close([watched, child.begun, *([child.gauge] if child.gauge else [])])
        del self.children[child.run]
        self.report(ended if has_begun else link.NotConfined(child.run))


def users_to_spare(users: str) -> int:
    """How many users besides its root a namespace with this table has, numbered from 1 on."""
    ranges = [tuple(map(int, line.split())) for line in users.splitlines()]
    return max(first + count for first, _, count in ranges) - 1


def _watched(process: int) -> int:
    """A descriptor of a child, to notice its end. Where there can be none, the child is killed."""
    try:
        return os.pidfd_open(process)
    except OSError:
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
        raise


def fork_as_first() -> int:
    """Fork the first process of a new PID namespace: when it ends, the kernel ends all in there."""
    ours = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)
    process = None
    try:
        syscalls.unshare(syscalls.CLONE_NEWPID)
        process = os.fork()
        return process
    finally:
        if process != 0:  # the host's next child goes elsewhere
            syscalls.setns(ours)
        os.close(ours)


class Log(io.TextIOBase):
    """Standard output onto a file of limited size: what is beyond the limit is lost silently."""

    encoding = "utf-8"

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._descriptor

    def write(self, text: str) -> int:
        with suppress(OSError):
            os.write(self._descriptor, text.encode(errors="replace"))
        return len(text)
