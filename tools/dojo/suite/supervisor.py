"""The parent: starts children, believes only complete reports, and gives verdicts.

When a child dies or falls silent, the test it was busy with has failed. The tests after it get a
new child, those of the same task one more: what a task's code does costs no other task anything.
Only when the child ended while it read the learner's file is the whole kata failed.
"""

import contextlib
import math
import os
import tempfile
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

import msgspec

from dojo.catalog import Kata
from dojo.diagnosis import Diagnosis
from dojo.limits import PATIENCE
from dojo.processes import forking
from dojo.processes.channel import LARGEST, Connection
from dojo.processes.worker import SECONDS_TO_START, Lost, Plain, Process, Worker
from dojo.results import KataResult, Outcome, TestResult, decoded
from dojo.suite import endings, untouched
from dojo.suite import report as reports
from dojo.suite.endings import Ending
from dojo.suite.job import SuiteJob
from dojo.suite.report import MOST_TESTS, Event, Report, Test
from dojo.suite.unit import Unit

# units from which on children import at once what only some katas need: that then costs less than
# it saves
MANY = 3
# a test's own limits (pyproject.toml) come first, unless the code can't be interrupted
SECONDS_OF_SILENCE = 125
MOST_ENDS = 2  # of a task's tests, each in a child of its own: then the rest of them is not run
MOST_LOST = 3  # children of a unit that are lost by no fault of its code
SECONDS_TO_HANG_UP = 5  # after which a child that has closed its end must be gone
MOST_EVENTS = 5 * MOST_TESTS  # that a child may send of a unit: a test has a start and a result
OnResult = Callable[[Unit, TestResult], None]


class Abandoned(Exception):
    """Nobody waits for this run any more."""


def run(
    units: Sequence[Unit],
    katas: Sequence[Kata],
    jobs: int | None = None,
    on_result: OnResult | None = None,
    abandon: Sequence[Connection] = (),
    worker: Worker | None = None,
    seconds: float = math.inf,
) -> list[KataResult]:
    """Judge every unit, several at a time, and return their results in the same order.

    Args:
        units: what to judge.
        katas: the katas of the catalog that the units name.
        jobs: how many children at a time; by default one a core.
        on_result: called with each test's result as it comes.
        abandon: the run ends as soon as one of these can be read from, or is closed.
        worker: starts the children; by default they are plain processes.
        seconds: how long a unit may take in all, whatever it does.

    Raises:
        Abandoned: it was ended through `abandon`; no child is left.
        Lost: what the children ran in broke down again and again.
    """
    by_name = {kata.name: kata for kata in katas}
    so_far = [Report(by_name[unit.kata]) for unit in units]
    with tempfile.TemporaryDirectory(prefix="torch-katas-", ignore_cleanup_errors=True) as scratch:
        worker = worker or Plain(len(units) >= MANY)
        waiting = [untouched.lines(by_name[unit.kata], Path(unit.target)) for unit in units]
        supervisor = _Supervisor(units, so_far, on_result, worker, seconds, waiting)
        supervisor.work(jobs or forking.cores(), Path(scratch), abandon)
    return [report.verdict() for report in so_far]


@dataclass(eq=False)
class _Child:
    process: Process
    units: deque[Unit]  # the first is the one it works on
    deadline: float  # of its next event
    end: float  # of all its time
    events: int = 0  # of the unit that it works on


class _Supervisor:
    def __init__(
        self,
        units: Sequence[Unit],
        reports: list[Report],
        on_result: OnResult | None,
        worker: Worker,
        seconds: float,
        waiting: Sequence[Mapping[str, str]],
    ) -> None:
        self.reports, self.worker, self.waiting = reports, worker, waiting
        self.on_result = on_result or (lambda unit, result: None)
        self.pending = deque(replace(unit, number=number) for number, unit in enumerate(units))
        self.children: list[_Child] = []
        self.seconds = [seconds] * len(units)  # what is left to each unit

    def work(self, jobs: int, scratch: Path, abandon: Sequence[Connection]) -> None:
        share = 1 if self.worker.is_quick else -(-len(self.pending) // max(jobs, 1))
        logs: list[Path] = []
        try:
            while self.pending or self.children:
                while self.pending and len(self.children) < jobs:
                    self._start(share, scratch / f"{len(logs)}.log")
                    logs.append(self.children[-1].process.log)
                self._wait(abandon)
        finally:
            for child in list(self.children):
                self._remove(child)
            for log in logs:
                # on Windows an open file stays until the folder goes
                with contextlib.suppress(OSError):
                    log.unlink()

    def _start(self, share: int, log: Path) -> None:
        units = [self.pending.popleft() for _ in range(min(share, len(self.pending)))]
        process = self.worker.start(SuiteJob(tuple(units)), log)
        now = time.monotonic()
        end = now + sum(self.seconds[unit.number] for unit in units)
        self.children.append(_Child(process, deque(units), now + SECONDS_TO_START, end))

    def _wait(self, abandon: Sequence[Connection]) -> None:
        """Wait until a child sends something or is late, and act on it."""
        next_end = min(min(child.deadline, child.end) for child in self.children)
        # anything with a fileno() will do, as the documentation of wait() says
        waited: list[Any] = [*abandon, *(child.process.channel for child in self.children)]
        ready: list[Any] = wait(waited, max(next_end - time.monotonic(), 0))
        if any(connection in ready for connection in abandon):
            raise Abandoned
        for child in list(self.children):
            if time.monotonic() > child.end:
                self._end(child, endings.TIME_USED_UP)
            elif child.process.channel in ready:
                self._receive(child)
            elif time.monotonic() > child.deadline:
                self._end(child, endings.SILENT)

    def _receive(self, child: _Child) -> None:
        try:
            for event in reports.decode(child.process.channel.recv_bytes(LARGEST)):
                # a message can hold so many that they take our time
                if time.monotonic() > child.end:
                    self._end(child, endings.TIME_USED_UP)
                    return
                self._take(child, event)
                if child not in self.children:
                    return
        except BlockingIOError:  # a part of a message: the rest is still to come
            return
        except (EOFError, OSError):
            try:
                code = child.process.exit_code(SECONDS_TO_HANG_UP)
            except Lost:
                self._begin_again(child)
                return
            self._end(child, endings.by_exit_code(code))
        except (ValueError, msgspec.MsgspecError, RecursionError) as error:
            self._end(child, endings.broken_report(type(error).__name__))

    def _take(self, child: _Child, event: Event) -> None:
        unit = child.units[0]
        report = self.reports[unit.number]
        silence = max(SECONDS_OF_SILENCE, PATIENCE * (unit.timeout or 0) + 5)
        child.deadline = time.monotonic() + silence
        child.events += 1
        if child.events > MOST_EVENTS:
            raise ValueError("more is reported than there can be")
        match event:
            case reports.Collected():
                report.collected(event.tests)
            case reports.TestStarted():
                report.started(event.id)
            case reports.Loading() | reports.Loaded():
                report.loading = isinstance(event, reports.Loading)
            case reports.Result():
                result = decoded(event.result, TestResult)
                if report.is_open(event.id) or result.outcome == Outcome.ERROR:
                    report.results[event.id] = result
                    self.on_result(unit, result)
                report.current = None
            case reports.UnitEnded():
                self._close_open_tests(child, event.code)
                child.units.popleft()
                child.events = 0
                if not child.units:
                    self._remove(child)

    def _close_open_tests(self, child: _Child, code: int) -> None:
        """Judge the tests of a unit that has ended without a result of theirs: never as passed."""
        unit, report = child.units[0], self.reports[child.units[0].number]
        if not report.tests:
            report.trouble = _tail(child.process.log)
        outcome, fault = Outcome.FAILED, "the run was broken off by the code under test"
        if code not in (0, 1, 2):
            outcome, fault = Outcome.ERROR, _tail(child.process.log)
        for test in list(report.open_tests()):
            why = Diagnosis(f"This test was not judged: {fault}.")
            self._judge(unit, test, outcome, why)

    def _begin_again(self, child: _Child) -> None:
        """A child was lost: its units are as they were before it."""
        self._remove(child)
        report = self.reports[child.units[0].number]
        report.lost += 1
        if report.lost > MOST_LOST:
            raise Lost("what it ran in broke down each time")
        child.units[0] = report.rest(child.units[0])
        self.pending.extendleft(reversed(child.units))

    def _end(self, child: _Child, ending: Ending) -> None:
        """A child is gone before its time: blame what it was busy with, and let another child do
        the rest.
        """
        self._remove(child)
        if not child.units:
            return
        unit, report = child.units[0], self.reports[child.units[0].number]
        if not report.tests:
            tail = _tail(child.process.log)
            report.trouble = f"The test process gave no report: {ending.seen}. {tail}"
        why = ending.diagnosis("The import of this file" if report.loading else "The test")
        current = report.tests.get(report.current or "")
        task = current.task if current else ""  # it may end between two tests
        is_enough = report.ends_in(task) >= (1 if ending.is_slow else MOST_ENDS)
        blamed = [current] if current else []
        if report.loading or ending.is_over or (is_enough and not current):
            blamed = list(report.open_tests())
        for test in blamed:
            self._judge(unit, test, Outcome.FAILED, why)
        for test in [test for test in report.open_tests() if is_enough and test.task == task]:
            self._judge(unit, test, Outcome.BLOCKED, Diagnosis(endings.NOT_RUN))
        child.units.popleft()
        if any(report.open_tests()):
            child.units.appendleft(report.rest(unit))
        self.pending.extendleft(reversed(child.units))

    def _judge(self, unit: Unit, test: Test, outcome: Outcome, why: Diagnosis) -> None:
        """Give a test that reported nothing this outcome. In a file that is still its stub no code
        of the learner's can have ended a process: its tasks wait.
        """
        if outcome != Outcome.ERROR and (waits := self.waiting[unit.number].get(test.task)):
            outcome, why = Outcome.NOT_STARTED, Diagnosis(waits)
        self.on_result(unit, self.reports[unit.number].close(test, outcome, why))

    def _remove(self, child: _Child) -> None:
        """End a child, without waiting for that: the next start clears up after it."""
        self.children.remove(child)
        for unit in child.units:
            self.seconds[unit.number] = max(child.end - time.monotonic(), 0)
        child.process.close()


def _tail(log: Path, characters: int = 600) -> str:
    """The last of what a child printed: for a fault of ours."""
    try:
        with log.open("rb") as file:
            file.seek(max(os.fstat(file.fileno()).st_size - characters, 0))
            return file.read(characters).decode(errors="replace").strip()
    except OSError:
        return ""
