"""The verdict on one submission: the suite for feedback, the exam for credit."""

import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from multiprocessing import Pipe
from pathlib import Path
from typing import Protocol

from dojo import verdict
from dojo.catalog import Kata
from dojo.exam.examiner import Candidate, examine
from dojo.exam.sheet import Sheet
from dojo.grade import records
from dojo.grade.records import KataGrade, Record, Submission, TaskGrade
from dojo.suite.run import Abandoned, Launcher, run
from dojo.suite.unit import Unit
from dojo.verdict import KataResult, TaskResult

ATTEMPTS = 2  # a fault of ours may be a passing one
STATUS_OF = {
    verdict.FAILED: records.FAILED,
    verdict.NOT_STARTED: records.NOT_STARTED,
    verdict.BLOCKED: records.BLOCKED,
}


class Place(Protocol):
    """Where submitted code runs."""

    text: str  # what stands between it and the machine, in words
    launcher: Launcher | None  # starts the suite's processes; None for plain ones

    def candidate(self, kata: str, source: bytes) -> Candidate:
        """A process that answers an exam's questions for this text."""


class Judge:
    """Judges one submission after another.

    Args:
        katas: those of the assignment.
        points: "k06.model" → the points of this task.
        sheet_of: the exam's sheet for a kata and a submission's content.
        seconds_a_test: None for the suite's own limit.
        seconds: the most that a submission's tests may take, all together.
    """

    def __init__(
        self,
        katas: Sequence[Kata],
        points: Mapping[str, float],
        place: Place,
        sheet_of: Callable[[str, str], Sheet],
        seconds_a_test: float | None,
        seconds: float,
    ) -> None:
        self._katas, self._points, self._place, self._sheet_of = katas, points, place, sheet_of
        self._seconds_a_test, self._seconds = seconds_a_test, seconds

    def judge(self, submission: Submission) -> Record:
        """The record of a submission. Never raises for what the submission does."""
        begin = time.monotonic()
        end = begin + self._seconds
        katas = tuple(self._kata(kata, submission, end) for kata in self._katas)
        return Record(
            id=submission.id,
            entry=submission.entry,
            content=submission.content,
            katas=katas,
            ignored=submission.ignored,
            problem=submission.problem,
            isolation=self._place.text,
            seconds=time.monotonic() - begin,
        )

    def _kata(self, kata: Kata, submission: Submission, end: float) -> KataGrade:
        source = submission.files.get(kata.name)
        if source is None:
            return self._alike(kata, records.ABSENT, f"{kata.name}.py was not handed in")
        if time.monotonic() >= end:
            return self._alike(kata, records.FAILED, self._late)
        for attempt in range(1, ATTEMPTS + 1):
            try:
                grade = self._judged(kata, source, submission.content, end)
            except Abandoned:
                return self._alike(kata, records.FAILED, self._late)
            except Exception as fault:  # whatever it is, it is ours: the submission's code runs elsewhere
                grade = self._alike(kata, records.ERROR, f"a fault of the grader, not of the submission: {fault!r}"[:500])
            if attempt == ATTEMPTS or all(task.status != records.ERROR for task in grade.tasks):
                return grade
        raise AssertionError("unreachable")

    @property
    def _late(self) -> str:
        return f"the {self._seconds:g} s of this submission were used up before this kata was judged"

    def _judged(self, kata: Kata, source: bytes, content: str, end: float) -> KataGrade:
        result = self._tested(kata, source, end)
        claimed = [task.name for task in result.tasks if task.outcome == verdict.PASSED]
        reasons: dict[str, str] = {}
        if claimed:
            drawn = self._sheet_of(kata.name, content)
            reasons = examine(lambda: self._place.candidate(kata.name, source), drawn, claimed)
        outcomes = {task.name: task for task in result.tasks}
        return KataGrade(kata.name, tuple(self._task(kata, outcomes[task.name], reasons) for task in kata.tasks))

    def _tested(self, kata: Kata, source: bytes, end: float) -> KataResult:
        with tempfile.TemporaryDirectory(prefix="torch-katas-") as folder, _until(end) as over:
            (Path(folder) / f"{kata.name}.py").write_bytes(source)
            unit = Unit(folder, kata.name, timeout=self._seconds_a_test)
            (result,) = run([unit], [kata], jobs=1, abandon=[over], launcher=self._place.launcher)
        return result

    def _task(self, kata: Kata, task: TaskResult, reasons: Mapping[str, str]) -> TaskGrade:
        possible = self._points[f"{kata.short}.{task.name}"]
        status, reason = STATUS_OF.get(task.outcome, records.ERROR), ""
        if task.outcome == verdict.PASSED and task.name in reasons:
            status = records.NOT_VERIFIED if reasons[task.name] else records.VERIFIED
            reason = f"the tests pass, and the exam does not agree: {reasons[task.name]}" if reasons[task.name] else ""
        elif task.outcome == verdict.PASSED:
            status, reason = records.ERROR, "the exam asks nothing about this task"
        elif task.first_problem:
            reason = task.first_problem.message.partition("\n")[0]
        return TaskGrade(task.name, status, possible if status == records.VERIFIED else 0, possible, reason, task)

    def _alike(self, kata: Kata, status: str, reason: str) -> KataGrade:
        points = {task.name: self._points[f"{kata.short}.{task.name}"] for task in kata.tasks}
        return KataGrade(kata.name, tuple(TaskGrade(name, status, 0, possible, reason) for name, possible in points.items()))


@contextmanager
def _until(end: float):
    """A connection in which there is something to read when the time is over."""
    ours, theirs = Pipe(duplex=False)
    timer = threading.Timer(max(end - time.monotonic(), 0), theirs.close)
    timer.start()
    try:
        yield ours
    finally:
        timer.cancel()
        theirs.close()
        ours.close()
