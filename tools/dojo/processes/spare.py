"""Processes that wait for their turn, so that what can be done before a run is done.

Where children can be forked, one stands ready for the kata that was judged last: it has read the
tests, and waits with reading the learner's file. Elsewhere one has everything imported and waits to
hear what to judge.
"""

import contextlib
import hashlib
import os
import tempfile
import threading
from collections import OrderedDict
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from pathlib import Path

from dojo import ROOT
from dojo.processes import forking
from dojo.suite import child
from dojo.suite.unit import Unit

# a learner goes back and forth between two katas, or checks one while watching the other
MOST_READY = 2


@dataclass(frozen=True)
class Child:
    """A process at work: it reports on the connection and prints to the log."""

    process: BaseProcess
    connection: Connection
    log: Path


@dataclass(frozen=True)
class _Ready:
    child: Child
    tests: str


class Ready:
    """The children that stand ready, by what they will judge."""

    def __init__(self) -> None:
        self._children: OrderedDict[Unit, _Ready] = OrderedDict()
        self._lock = threading.Lock()

    def prepare(self, context: BaseContext, unit: Unit) -> None:
        """Let a child stand ready for this unit."""
        wanted = replace(unit, number=0)
        if not forking.can_fork() or wanted != Unit(unit.target, unit.kata, unit.device):
            return
        with self._lock:
            if wanted in self._children:
                return
            descriptor, log = tempfile.mkstemp(suffix=".log")
            os.close(descriptor)
            tests = _tests(wanted)  # before the child reads them
            ours, theirs = context.Pipe()
            process = context.Process(
                target=child.main, args=([wanted], log, theirs, True), daemon=True
            )
            forking.start(process)
            theirs.close()
            self._children[wanted] = _Ready(Child(process, ours, Path(log)), tests)
            while len(self._children) > MOST_READY:
                _discard(self._children.popitem(last=False)[1].child)

    def take(self, unit: Unit) -> Child | None:
        """The child that stands ready for this unit, set going; None if there is none, or its tests
        have changed.
        """
        with self._lock:
            found = self._children.pop(replace(unit, number=0), None)
        if found is None:
            return None
        try:
            if found.tests == _tests(unit) and forking.is_alive(found.child.process):
                found.child.connection.send_bytes(child.GO)
                return found.child
        except OSError:
            pass
        _discard(found.child)
        return None


def _tests(unit: Unit) -> str:
    """What the child has read that no fingerprint of the warm process speaks of."""
    return hashlib.sha256((ROOT / "tests" / f"test_{unit.kata}.py").read_bytes()).hexdigest()


def _discard(ready: Child) -> None:
    ready.process.kill()
    ready.connection.close()
    with contextlib.suppress(OSError):  # on Windows an open file stays
        ready.log.unlink()


@dataclass(frozen=True)
class Spare:
    """A process that waits: the units to judge go to it through the connection on which it then
    reports.
    """

    process: BaseProcess
    connection: Connection


class Spares:
    """As many waiting processes as asked for; with none asked for, one starts when it is needed."""

    def __init__(self) -> None:
        self.wanted = 0
        self._waiting: list[Spare] = []
        self._lock = threading.Lock()

    def fill(self, context: BaseContext) -> None:
        with self._lock:
            self._waiting += [
                _start(context, many=True) for _ in range(self.wanted - len(self._waiting))
            ]

    def take(self, context: BaseContext, many: bool) -> Spare:
        """One that still lives, or a new one."""
        with self._lock:
            while self._waiting:
                spare = self._waiting.pop(0)
                if forking.is_alive(spare.process):
                    return spare
                spare.connection.close()
        return _start(context, many)


def _start(context: BaseContext, many: bool) -> Spare:
    ours, theirs = context.Pipe()
    process = context.Process(target=child.wait_for_units, args=(theirs, many), daemon=True)
    forking.start(process)
    theirs.close()
    return Spare(process, ours)


READY, SPARES = Ready(), Spares()


def start(context: BaseContext, units: list[Unit], log: Path, many: bool) -> Child:
    """A child that judges these units: one that waits if there is one, otherwise a new one.

    Args:
        log: where it prints, unless it stood ready and has a log of its own.
        many: children of many katas will come.
    """
    if not forking.can_fork():
        spare = SPARES.take(context, many)
        spare.connection.send((units, str(log)))
        return Child(spare.process, spare.connection, log)
    if len(units) == 1 and (ready := READY.take(units[0])):
        return ready
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=child.main, args=(units, str(log), theirs), daemon=True)
    forking.start(process)
    theirs.close()
    return Child(process, ours, log)
