"""The parent: starts children, believes only complete reports, and gives verdicts.

When a child dies or falls silent, the test it was busy with has failed. The tests after it get a
new child; only when the child ended while it read the learner's file is the whole kata failed.
"""

import contextlib
import json
import math
import os
import tempfile
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait
from pathlib import Path

from dojo.catalog import Kata
from dojo.diagnosis import Cause, Diagnosis
from dojo.processes import spare
from dojo.results import KataResult, Outcome, TestResult, test_result
from dojo.suite.launcher import Launcher, Lost, OwnProcesses
from dojo.suite.report import MOST_TESTS, Report
from dojo.suite.unit import Unit

SECONDS_TO_START = 180  # a cold disk can take long to import torch
# a test's own limit (pyproject.toml) comes first, unless the code can't be interrupted
SECONDS_OF_SILENCE = 30
MOST_RESTARTS = 3
LARGEST_MESSAGE = 4 * 1024 * 1024
MOST_EVENTS = 5 * MOST_TESTS  # that a child may send of a unit: a test has a start and a result
LOOP = ("an endless loop that catches every exception, the one that ends a test too",)
LONG = ("an endless loop, or far more work than is needed",)
EXIT = ("os._exit() or a fork in your code", "a crash in native code, or no memory left")
TAMPERED = (
    (
        "your code writes to a file or pipe that is not its own, or exchanges parts of the test"
        " process"
    ),
)
USED_UP = "all the time there is for a kata was used up"
POINTER = (
    "Take half of your lines away, then half of the rest: with which of them does it still happen?"
)

OnResult = Callable[[Unit, TestResult], None]


class Abandoned(Exception):
    """Nobody waits for this run any more."""


@dataclass
class _Child:
    started: spare.Child
    units: deque[Unit]  # the first is the one it works on
    deadline: float  # to be heard of
    end: float  # of all its time
    events: int = 0  # of the unit that it works on

    @property
    def connection(self) -> Connection:
        return self.started.connection


def run(
    units: Sequence[Unit],
    katas: Sequence[Kata],
    jobs: int | None = None,
    on_result: OnResult | None = None,
    abandon: Sequence[Connection] = (),
    launcher: Launcher | None = None,
    seconds: float = math.inf,
) -> list[KataResult]:
    """Judge every unit, several at a time, and return their results in the same order.

    Args:
        units: what to judge.
        katas: the katas of the catalog that the units speak of.
        jobs: how many children at a time; by default one a core.
        on_result: called with each test's result as it comes.
        abandon: ends the run as soon as there is something to read in one of them, the end
            included.
        launcher: starts the children; by default they are processes like this one.
        seconds: how long a unit may take in all, whatever it does.

    Raises:
        Abandoned: it was ended through `abandon`; no child is left.
        Lost: what the children ran in broke down again and again.
    """
    by_name = {kata.name: kata for kata in katas}
    reports = [Report(by_name[unit.kata]) for unit in units]
    with tempfile.TemporaryDirectory(prefix="torch-katas-", ignore_cleanup_errors=True) as scratch:
        say = on_result or (lambda unit, result: None)
        launcher = launcher or OwnProcesses(len(units))
        _Supervisor(
            list(units), reports, jobs or _cores(), Path(scratch), say, abandon, launcher, seconds
        ).work()
    return [report.verdict() for report in reports]


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class _Supervisor:
    def __init__(
        self,
        units: list[Unit],
        reports: list[Report],
        jobs: int,
        scratch: Path,
        on_result: OnResult,
        abandon: Sequence[Connection],
        launcher: Launcher,
        seconds: float,
    ) -> None:
        self.reports = reports
        self.jobs, self.scratch, self.on_result = jobs, scratch, on_result
        self.abandon = abandon
        self.launcher = launcher
        self.left = [seconds] * len(units)  # for each unit, of the time it may take
        self.pending = deque(replace(unit, number=number) for number, unit in enumerate(units))
        self.children: list[_Child] = []
        self.started = 0
        self.logs: set[Path] = set()
        self.share = launcher.share(len(units), jobs)

    def work(self) -> None:
        try:
            while self.pending or self.children:
                while self.pending and len(self.children) < self.jobs:
                    self.children.append(self._start())
                timeout = max(
                    min(min(child.deadline, child.end) for child in self.children)
                    - time.monotonic(),
                    0,
                )
                ready = wait(
                    [*self.abandon, *(child.connection for child in self.children)], timeout
                )
                if any(connection in ready for connection in self.abandon):
                    raise Abandoned
                for child in list(self.children):
                    if time.monotonic() > child.end:
                        self._end(child, USED_UP, LONG, is_over=True)
                    elif child.connection in ready:
                        self._listen(child)
                    elif time.monotonic() > child.deadline:
                        self._end(
                            child,
                            "it did not stop when its time was up, and was ended from outside",
                            LOOP,
                        )
        finally:
            for child in list(self.children):
                self._remove(child)
            for log in self.logs:
                # on Windows an open file stays until the folder goes
                with contextlib.suppress(OSError):
                    log.unlink()

    def _start(self) -> _Child:
        units = deque(self.pending.popleft() for _ in range(min(self.share, len(self.pending))))
        self.started += 1
        started = self.launcher.start(list(units), self.scratch / f"{self.started}.log")
        self.logs.add(started.log)
        now = time.monotonic()
        return _Child(
            started,
            units,
            now + SECONDS_TO_START,
            now + sum(self.left[unit.number] for unit in units),
        )

    def _listen(self, child: _Child) -> None:
        try:
            for event in json.loads(child.connection.recv_bytes(LARGEST_MESSAGE)):
                # a message can hold so many that they take our time
                if time.monotonic() > child.end:
                    self._end(child, USED_UP, LONG, is_over=True)
                    return
                self._take(child, event)
                if child not in self.children:
                    return
        except BlockingIOError:  # a part of a message: the rest is still to come
            return
        except (EOFError, OSError):
            try:
                code = self.launcher.exit_code(child.started)
            except Lost:
                self._begin_again(child)
                return
            self._end(
                child, f"the Python process ended in the middle of it (exit code {code})", EXIT
            )
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
            self._end(
                child,
                f"the report was broken ({type(error).__name__}): the test process was tampered"
                " with",
                TAMPERED,
            )

    def _take(self, child: _Child, event: dict) -> None:
        unit = child.units[0]
        report = self.reports[unit.number]
        child.deadline = time.monotonic() + max(SECONDS_OF_SILENCE, (unit.timeout or 0) + 5)
        child.events += 1
        if child.events > MOST_EVENTS:
            raise ValueError("more is reported than there can be")
        match event["event"]:
            case "collected":
                report.collected(event["tests"])
            case "start":
                report.current = report.known(event["id"])
            case "loading" | "loaded":
                report.loading = event["event"] == "loading"
            case "result":
                result = test_result(event["result"])
                if report.is_open(event["id"]) or result.outcome == Outcome.ERROR:
                    report.results[event["id"]] = result
                    self.on_result(unit, result)
                report.current = None
            case "end":
                self._close_open_tests(child, event["code"])
                child.units.popleft()
                child.events = 0
                if not child.units:
                    self._remove(child)

    def _close_open_tests(self, child: _Child, code: int) -> None:
        """At the end of a run every test must have been judged; one that was not is never a
        pass.
        """
        unit, report = child.units[0], self.reports[child.units[0].number]
        if not report.tests:
            report.trouble = _tail(child.started.log)
        broken_off = code in (0, 1, 2)
        fault = (
            "the run was broken off by the code under test"
            if broken_off
            else _tail(child.started.log)
        )
        outcome = Outcome.FAILED if broken_off else Outcome.ERROR
        for test in list(report.open_tests()):
            self.on_result(
                unit,
                report.close(test["id"], outcome, Diagnosis(f"This test was not judged: {fault}.")),
            )

    def _begin_again(self, child: _Child) -> None:
        """A child was lost: its units are as they were before it."""
        self._remove(child)
        first, *rest = child.units
        report = self.reports[first.number]
        report.restarts += 1
        report.current, report.loading = None, False
        if report.restarts > MOST_RESTARTS:
            raise Lost("what it ran in broke down each time")
        rest = [self._rest_of(first), *rest]
        self.pending.extendleft(reversed(rest))

    def _rest_of(self, unit: Unit) -> Unit:
        """What is still to be done of it."""
        report = self.reports[unit.number]
        done = {
            test_id: report.results[test_id]
            for test_id in report.tests
            if test_id in report.results
        }
        return replace(
            unit,
            done={
                test_id: [report.tests[test_id]["task"], one.outcome]
                for test_id, one in done.items()
            },
        )

    def _end(
        self, child: _Child, reason: str, causes: Sequence[str], is_over: bool = False
    ) -> None:
        """A child is gone before its time: who is to blame, and what is still to do.

        Args:
            is_over: there is no time for a restart.
        """
        self._remove(child)
        if not child.units:
            return
        unit, report = child.units[0], self.reports[child.units[0].number]
        rest = list(child.units)[1:]
        if not report.tests:
            report.trouble = (
                f"The test process gave no report: {reason}. {_tail(child.started.log)}"
            )
        blamed = [report.current] if report.current and report.current not in report.results else []
        if report.loading or is_over or report.restarts >= MOST_RESTARTS:
            blamed = [test["id"] for test in report.open_tests()]
        where = "while this file was imported" if report.loading else "during this test"
        for test_id in blamed:
            headline = f"Your code did not let the test come to its end {where}."
            why = Diagnosis(
                headline, reason, "a function that returns", tuple(map(Cause, causes)), POINTER
            )
            self.on_result(unit, report.close(test_id, Outcome.FAILED, why))
        if report.tests and any(report.open_tests()):
            report.restarts += 1
            rest = [self._rest_of(unit), *rest]
        report.current, report.loading = None, False
        self.pending.extendleft(reversed(rest))

    def _remove(self, child: _Child) -> None:
        """It ends now, and nobody waits for that: whoever asked waits for the verdict. The next
        start clears up after it.
        """
        self.children.remove(child)
        for unit in child.units:
            self.left[unit.number] = max(child.end - time.monotonic(), 0)
        child.started.process.kill()
        child.connection.close()


def _tail(log: Path, characters: int = 600) -> str:
    """The last of what a child printed: for a fault of ours."""
    try:
        with log.open("rb") as file:
            file.seek(max(os.fstat(file.fileno()).st_size - characters, 0))
            return file.read(characters).decode(errors="replace").strip()
    except OSError:
        return ""
