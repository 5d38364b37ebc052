"""The parent: starts children, believes only complete reports, and gives verdicts.

When a child dies or falls silent, the test it was busy with has failed. The tests after it get a new child; only when the child
ended while it read the learner's file is the whole kata failed.
"""

import json
import os
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from pathlib import Path

from dojo.catalog import Kata
from dojo.diagnosis import Cause, Diagnosis
from dojo.suite.report import Report
from dojo.suite.unit import Unit
from dojo.verdict import ERROR, FAILED, KataResult, TestResult, test_result
from dojo.warm import forking
from dojo.warm.spare import SPARES

SECONDS_TO_START = 180  # a cold disk can take long to import torch
SECONDS_OF_SILENCE = 30  # a test's own limit (pyproject.toml) comes first, unless the code can't be interrupted
MOST_RESTARTS = 3
LARGEST_EVENT = 4 * 1024 * 1024
LOOP = ("an endless loop that catches every exception, the one that ends a test too",)
EXIT = ("os._exit() or a fork in your code", "a crash in native code, or no memory left")
TAMPERED = ("your code writes to a file or pipe that is not its own, or exchanges parts of the test process",)
POINTER = "Take half of your lines away, then half of the rest: with which of them does it still happen?"
MANY = 3  # units from which on the fork server imports what only some katas need: it then costs less than it saves

OnResult = Callable[[Unit, TestResult], None]
_PROCESSES = threading.Lock()  # a process that starts looks after all others, which must not end under its hands


class Abandoned(Exception):
    """Nobody waits for this run any more."""


@dataclass
class _Child:
    process: BaseProcess
    connection: Connection
    units: deque[Unit]  # the first is the one it works on
    log: Path
    deadline: float


def run(
    units: Sequence[Unit],
    katas: Sequence[Kata],
    jobs: int | None = None,
    on_result: OnResult | None = None,
    abandon: Sequence[Connection] = (),
) -> list[KataResult]:
    """Judge every unit, several at a time, and return their results in the same order.

    Args:
        units: what to judge.
        katas: the katas of the catalog that the units speak of.
        jobs: how many children at a time; by default one a core.
        on_result: called with each test's result as it comes.
        abandon: ends the run as soon as there is something to read in one of them, the end included.

    Raises:
        Abandoned: it was ended through `abandon`; no child is left.
    """
    by_name = {kata.name: kata for kata in katas}
    reports = [Report(by_name[unit.kata]) for unit in units]
    with tempfile.TemporaryDirectory(prefix="torch-katas-") as scratch:
        say = on_result or (lambda unit, result: None)
        _Supervisor(list(units), reports, jobs or _cores(), Path(scratch), say, abandon).work()
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
    ) -> None:
        self.reports = reports
        self.jobs, self.scratch, self.on_result = jobs, scratch, on_result
        self.abandon = abandon
        self.many = len(units) >= MANY
        self.pending = deque(replace(unit, number=number) for number, unit in enumerate(units))
        self.children: list[_Child] = []
        self.started = 0
        # A forked child costs next to nothing; one that starts anew imports torch, so it takes a share of all units.
        self.share = 1 if forking.can_fork() else -(-len(units) // max(jobs, 1))

    def work(self) -> None:
        context = forking.context(self.many)
        try:
            while self.pending or self.children:
                while self.pending and len(self.children) < self.jobs:
                    self.children.append(self._start(context))
                timeout = max(min(child.deadline for child in self.children) - time.monotonic(), 0)
                ready = wait([*self.abandon, *(child.connection for child in self.children)], timeout)
                if any(connection in ready for connection in self.abandon):
                    raise Abandoned
                for child in list(self.children):
                    if child.connection in ready:
                        self._listen(child)
                    elif time.monotonic() > child.deadline:
                        self._end(child, "it did not stop when its time was up, and was ended from outside", LOOP)
        finally:
            for child in list(self.children):
                self._remove(child)

    def _start(self, context: BaseContext) -> _Child:
        from dojo.suite import child  # light: the module that imports pytest is only loaded over there

        units = deque(self.pending.popleft() for _ in range(min(self.share, len(self.pending))))
        self.started += 1
        log = self.scratch / f"{self.started}.log"
        if forking.can_fork():
            ours, theirs = context.Pipe(duplex=False)
            process = context.Process(target=child.main, args=(list(units), str(log), theirs), daemon=True)
            with _PROCESSES:
                process.start()
            theirs.close()
        else:
            spare = SPARES.take(context, self.many)
            spare.give(list(units), str(log))
            process, ours = spare.process, spare.connection
        return _Child(process, ours, units, log, time.monotonic() + SECONDS_TO_START)

    def _listen(self, child: _Child) -> None:
        try:
            event = json.loads(child.connection.recv_bytes(LARGEST_EVENT))
            self._take(child, event)
        except (EOFError, OSError):
            with _PROCESSES:
                child.process.join(timeout=5)
            code = child.process.exitcode
            self._end(child, f"the Python process ended in the middle of it (exit code {code})", EXIT)
        except (ValueError, KeyError, TypeError, AttributeError, StopIteration) as error:
            self._end(child, f"the report was broken ({type(error).__name__}): the test process was tampered with", TAMPERED)

    def _take(self, child: _Child, event: dict) -> None:
        unit = child.units[0]
        report = self.reports[unit.number]
        child.deadline = time.monotonic() + max(SECONDS_OF_SILENCE, (unit.timeout or 0) + 5)
        match event["event"]:
            case "collected":
                report.tests = event["tests"]
            case "start":
                report.current = event["id"]
            case "loading" | "loaded":
                report.loading = event["event"] == "loading"
            case "result":
                result = test_result(event["result"])
                if event["id"] in {test["id"] for test in report.open_tests()} or result.outcome == ERROR:
                    report.results[event["id"]] = result
                    self.on_result(unit, result)
                report.current = None
            case "end":
                self._close_open_tests(child, event["code"])
                child.units.popleft()
                if not child.units:
                    self._remove(child)

    def _close_open_tests(self, child: _Child, code: int) -> None:
        """At the end of a run every test must have been judged; one that was not is never a pass."""
        unit, report = child.units[0], self.reports[child.units[0].number]
        if not report.tests:
            report.trouble = _tail(child.log)
        outcome, fault = (
            (FAILED, "the run was broken off by the code under test") if code in (0, 1, 2) else (ERROR, _tail(child.log))
        )
        for test in list(report.open_tests()):
            self.on_result(unit, report.close(test["id"], outcome, Diagnosis(f"This test was not judged: {fault}.")))

    def _end(self, child: _Child, reason: str, causes: Sequence[str]) -> None:
        """A child is gone before its time: who is to blame, and what is still to do."""
        self._remove(child)
        if not child.units:
            return
        unit, report = child.units[0], self.reports[child.units[0].number]
        rest = list(child.units)[1:]
        if not report.tests:
            report.trouble = f"The test process gave no report: {reason}. {_tail(child.log)}"
        blamed = [report.current] if report.current and report.current not in report.results else []
        if report.loading or report.restarts >= MOST_RESTARTS:
            blamed = [test["id"] for test in report.open_tests()]
        where = "while this file was imported" if report.loading else "during this test"
        for test_id in blamed:
            headline = f"Your code did not let the test come to its end {where}."
            why = Diagnosis(headline, reason, "a function that returns", tuple(map(Cause, causes)), POINTER)
            self.on_result(unit, report.close(test_id, FAILED, why))
        if report.tests and any(report.open_tests()):
            report.restarts += 1
            done = {
                test["id"]: [test["task"], report.results[test["id"]].outcome]
                for test in report.tests
                if test["id"] in report.results
            }
            rest = [replace(unit, done=done), *rest]
        report.current, report.loading = None, False
        self.pending.extendleft(reversed(rest))

    def _remove(self, child: _Child) -> None:
        self.children.remove(child)
        with _PROCESSES:
            child.process.kill()
            child.process.join(timeout=5)
        child.connection.close()


def _tail(log: Path, characters: int = 600) -> str:
    """The last of what a child printed: for a fault of ours."""
    try:
        return log.read_bytes()[-characters:].decode(errors="replace").strip()
    except OSError:
        return ""
