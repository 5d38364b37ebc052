"""The warm process inside bubblewrap: has everything imported, and forks a confined child for each
run.

It listens on one socket, and every message there is a packet of JSON:

    {"do": "run", "run": N, "memory": bytes}
                                with descriptors: the request, the connection, the file for output,
                                the door to a control group
    {"do": "kill", "run": N}

    {"ready": true}             everything is imported
    {"ended": N, "code": ...}   the exit code, or the negative number of the signal
    {"lost": N}                 it ended before it was confined: none of its code has run

It never reads what a child sends, and no child has its socket. When its socket ends it ends, and
takes all its children along: it is, with what bubblewrap needs, alone in a PID namespace.
"""

import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
import time
import traceback
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection

from dojo.grade.sandbox import bodies, syscalls, usage
from dojo.grade.sandbox.confine import RunLimits, confine, keep_only

LARGEST_PACKET = 4096
DESCRIPTORS = 4
MILLISECONDS_BETWEEN_LOOKS = 200
# threads of a run, all its processes counted, that share the processors with others as equals
MOST_AT_WORK = 4
BEGUN = b"1"


def main(control: int, modules: list[str]) -> None:
    """The host's life.

    Args:
        control: descriptor of its socket.
        modules: what is imported before the first run; one that is not there is left out.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the one outside
    _Host(socket.socket(fileno=control)).serve(modules)


def preload(modules: list[str]) -> None:
    for name in modules:
        with suppress(ImportError):
            importlib.import_module(name)
    gc.collect()
    gc.freeze()


@dataclass(frozen=True)
class _Child:
    run: int
    process: int
    watched: int  # a descriptor that can be read from when it has ended
    begun: int  # a descriptor on which it says that it is confined, and now runs what it was to run
    memory: int  # bytes that all its processes may take together


class _Host:
    def __init__(self, control: socket.socket) -> None:
        self.control = control
        self.children: dict[int, _Child] = {}
        self.namespaces = bodies.namespaces()
        self.next_look = 0.0
        self.poll = select.poll()
        self.poll.register(control, select.POLLIN)

    def serve(self, modules: list[str]) -> None:
        if modules:
            preload(modules)
        self.say(ready=True)
        while True:
            for descriptor, _ in self.poll.poll(
                MILLISECONDS_BETWEEN_LOOKS if self.children else None
            ):
                if descriptor == self.control.fileno():
                    self.hear()
                else:
                    self.bury(descriptor)
            self.look_after_usage()

    def say(self, **packet: object) -> None:
        with suppress(OSError):  # whoever listened is gone: the next thing heard is the end
            self.control.send(json.dumps(packet).encode())

    def hear(self) -> None:
        packet, descriptors, _, _ = socket.recv_fds(self.control, LARGEST_PACKET, DESCRIPTORS)
        if not packet:
            os._exit(0)
        wanted = json.loads(packet)
        run = wanted["run"]
        if wanted["do"] == "kill":
            if run in self.children:
                self.kill(self.children[run])
            return
        try:
            self.start(run, wanted["memory"], *descriptors)
        except OSError as error:
            sys.stderr.write(f"run {run} could not be started: {error}\n")
            self.say(lost=run)
        finally:
            for descriptor in descriptors:
                os.close(descriptor)

    def start(
        self,
        run: int,
        most_memory: int,
        request: int,
        connection: int,
        log: int,
        group: int | None = None,
    ) -> None:
        # exit codes can be chosen by the code under test; this word only comes before it
        begun, begin = os.pipe()
        try:
            process = fork_as_first()
            if process == 0:
                _live(request, connection, log, group, begin, self.namespaces)
            watched = _watched(process)
        except OSError:
            os.close(begun)
            raise
        finally:
            os.close(begin)
        self.children[run] = _Child(run, process, watched, begun, most_memory)
        self.poll.register(watched, select.POLLIN)

    def kill(self, child: _Child) -> None:
        with suppress(OSError):
            signal.pidfd_send_signal(child.watched, signal.SIGKILL)

    def look_after_usage(self) -> None:
        """What the limits on each process do not see: end a run whose processes take too much
        memory together, and let one that is a crowd wait for the others, whose answers are waited
        for by the clock.
        """
        if time.monotonic() < self.next_look or not self.children:
            return
        self.next_look = time.monotonic() + MILLISECONDS_BETWEEN_LOOKS / 1000
        there = usage.processes()
        for child in self.children.values():
            run = usage.members(there, child.process)
            if usage.memory_beyond(there, run, os.getpid()) > child.memory:
                self.kill(child)
            elif usage.threads(there, run) > MOST_AT_WORK:
                usage.put_last(run)

    def bury(self, watched: int) -> None:
        child = next(child for child in self.children.values() if child.watched == watched)
        _, status = os.waitpid(child.process, 0)
        self.poll.unregister(watched)
        has_begun = os.read(child.begun, 1) == BEGUN
        for descriptor in (watched, child.begun):
            os.close(descriptor)
        del self.children[child.run]
        if has_begun:
            self.say(ended=child.run, code=os.waitstatus_to_exitcode(status))
        else:
            self.say(lost=child.run)


def _watched(process: int) -> int:
    """A descriptor of a child. Where there can be none, the child is ended: nobody would know of
    it.
    """
    try:
        return os.pidfd_open(process)
    except OSError:
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
        raise


def fork_as_first() -> int:
    """Fork a child that is the first process of a PID namespace; when it ends, the kernel ends all
    others in there.
    """
    own = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)
    process = None
    try:
        syscalls.unshare(syscalls.CLONE_NEWPID)
        process = os.fork()
        return process
    finally:
        if process != 0:  # the host's next child goes elsewhere
            syscalls.setns(own)
        os.close(own)


def _live(
    request: int, connection: int, log: int, group: int | None, begin: int, of_host: dict[str, str]
) -> None:
    """The child's whole life, which ends here."""
    code = 1
    try:
        with os.fdopen(os.dup(request), "rb") as file:
            wanted = json.loads(file.read()) | {"namespaces_of_host": of_host}
        if group is not None:
            os.write(group, b"0")
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(log, 1)
        os.dup2(log, 2)
        keep_only({0, 1, 2, connection, begin})
        sys.stdin = open(0, closefd=False)  # noqa: SIM115
        sys.stdout, sys.stderr = bodies.Log(1), bodies.Log(2)
        sys.__stdin__, sys.__stdout__, sys.__stderr__ = sys.stdin, sys.stdout, sys.stderr
        signal.signal(signal.SIGINT, signal.default_int_handler)
        files = {name: text.encode("latin-1") for name, text in wanted["files"].items()}
        confine(files, RunLimits(**wanted["limits"]))
        os.write(begin, BEGUN)
        os.close(begin)
        bodies.BODIES[wanted["body"]](Connection(connection), wanted)
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)
