"""The verdict on one submission: the suite for feedback, the exam for credit."""

import math
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from multiprocessing import Pipe
from pathlib import Path

from dojo import ROOT, results
from dojo.catalog import Kata
from dojo.exam.examiner import NO_ANSWER, examine
from dojo.exam.sheet import Sheet
from dojo.exam.sheet_pool import Sheets
from dojo.grade import records, unjudged
from dojo.grade.assignment import Assignment
from dojo.grade.judge_pool import CannotGrade
from dojo.grade.records import KataGrade, Record, Submission, TaskGrade, record_of
from dojo.grade.sandbox.confine import SUBMISSION, RunLimits
from dojo.grade.sandbox.isolation import Unavailable
from dojo.grade.sandbox.workers import Isolated, Open, Place
from dojo.grade.text import bounded, line, without
from dojo.results import KataResult, TaskResult
from dojo.suite.launcher import Lost
from dojo.suite.supervisor import Abandoned, run
from dojo.suite.unit import Unit

ATTEMPTS = 2  # a fault of ours may be a passing one
STATUS_OF = {
    results.Outcome.FAILED: records.Status.FAILED,
    results.Outcome.NOT_STARTED: records.Status.NOT_STARTED,
    results.Outcome.BLOCKED: records.Status.BLOCKED,
}


class Judge:
    """Judges one submission after another.

    Args:
        place: where submissions run.
        sheet_of: the exam's sheet for a kata and a submission's content.
    """

    def __init__(
        self, assignment: Assignment, place: Place, sheet_of: Callable[[str, str], Sheet]
    ) -> None:
        self._assignment, self._place, self._sheet_of = assignment, place, sheet_of
        self._over, self._to_stop = Pipe(duplex=False)
        self._is_stopped = False

    def __enter__(self) -> "Judge":
        return self

    def __exit__(self, *_: object) -> None:
        self._to_stop.close()
        self._over.close()

    def stop(self) -> None:
        """What is being judged is not wanted any more."""
        self._is_stopped = True
        self._to_stop.close()

    def judge(self, submission: Submission) -> Record:
        """The record of a submission.

        Raises:
            Abandoned: it was stopped.
        """
        begin = time.monotonic()
        time_left = _Time(self._assignment.limits.seconds_a_submission)
        katas = tuple(self._kata(kata, submission, time_left) for kata in self._assignment.katas)
        return record_of(submission, katas, self._place.text, time.monotonic() - begin)

    def _kata(self, kata: Kata, submission: Submission, time_left: "_Time") -> KataGrade:
        source = submission.files.get(kata.name)
        if source is None:
            return unjudged.kata_grade(
                kata, self._assignment, records.Status.ABSENT, f"{kata.name}.py was not handed in"
            )
        for _ in range(ATTEMPTS):
            if time.monotonic() >= time_left.end:
                seconds = self._assignment.limits.seconds_a_submission
                reason = (
                    f"the {seconds} s that a submission may take were used up before this kata was"
                    " judged"
                )
                return unjudged.kata_grade(kata, self._assignment, records.Status.FAILED, reason)
            try:
                grade = self._judged(kata, source, submission.content, time_left)
            except Abandoned:
                raise
            except (
                Exception
            ) as fault:  # whatever it is, it is ours: the submission's code runs elsewhere
                if self._is_stopped:  # what it needs is being taken away
                    raise Abandoned from None
                reason = line(
                    f"a fault of the grader, not of the submission: {type(fault).__name__}:"
                    f" {fault}",
                    most=300,
                )
                grade = unjudged.kata_grade(kata, self._assignment, records.Status.ERROR, reason)
            if all(task.status != records.Status.ERROR for task in grade.tasks):
                return grade
        return self._not_ours(kata, grade)

    def _not_ours(self, kata: Kata, grade: KataGrade) -> KataGrade:
        """A submission's code can break pytest, or say that it did, and would have no grade,
        however often it is judged. Where the reference is judged in the same place, it is for a
        person to see whose fault it is.
        """
        broken = {
            task.name
            for task in grade.tasks
            if task.suite and task.suite.outcome == results.Outcome.ERROR
        }
        if not broken or not self._judges_the_reference(kata):
            return grade
        why = "the tests broke down over this file, and not over the reference"

        def unclear(task: TaskGrade) -> TaskGrade:
            return replace(
                task, status=records.Status.NOT_VERIFIED, reason=f"{why}: {task.reason}", suite=None
            )

        return replace(
            grade,
            tasks=tuple(unclear(task) if task.name in broken else task for task in grade.tasks),
        )

    def _judges_the_reference(self, kata: Kata) -> bool:
        source = (ROOT / "reference" / f"{kata.name}.py").read_bytes()
        try:
            result = self._tested(
                kata, source, time.monotonic() + self._assignment.limits.seconds_a_submission
            )
        except Lost:
            return False
        return result.outcome == results.Outcome.PASSED

    def _judged(self, kata: Kata, source: bytes, content: str, time_left: "_Time") -> KataGrade:
        result = self._tested(kata, source, time_left.end)
        claimed = [task.name for task in result.tasks if task.outcome == results.Outcome.PASSED]
        reasons: dict[str, str] = {}
        if claimed:
            with time_left.stopped():
                drawn = self._sheet_of(kata.name, content)
            reasons = self._examined(kata, source, drawn, claimed, time_left.end)
            # the machine may have been busy
            if late := [task for task, reason in reasons.items() if NO_ANSWER in reason]:
                reasons |= self._examined(kata, source, drawn, late, time_left.end)
        shown = bounded(result, self._assignment.limits.output_kb * 1024)
        outcomes = {task.name: task for task in shown.tasks}
        return KataGrade(
            kata.name, tuple(self._task(kata, outcomes[task.name], reasons) for task in kata.tasks)
        )

    def _examined(
        self, kata: Kata, source: bytes, drawn: Sheet, tasks: Sequence[str], end: float
    ) -> dict[str, str]:
        return examine(lambda: self._place.candidate(kata, source), drawn, tasks, end)

    def _tested(self, kata: Kata, source: bytes, end: float) -> KataResult:
        with tempfile.TemporaryDirectory(
            prefix="torch-katas-", ignore_cleanup_errors=True
        ) as folder:
            (Path(folder) / f"{kata.name}.py").write_bytes(source)
            unit = Unit(
                folder, kata.name, timeout=self._assignment.limits.seconds_a_test, at=folder
            )
            launcher = self._place.launcher(kata, source)
            left = max(end - time.monotonic(), 0)
            (result,) = run(
                [unit], [kata], jobs=1, abandon=[self._over], launcher=launcher, seconds=left
            )
        return without(result, (folder, SUBMISSION))

    def _task(self, kata: Kata, task: TaskResult, reasons: Mapping[str, str]) -> TaskGrade:
        possible = self._assignment.points_of(kata.name, task.name)
        status, reason = STATUS_OF.get(task.outcome, records.Status.ERROR), ""
        if task.outcome == results.Outcome.PASSED:
            disagreement = reasons.get(task.name)
            if disagreement is None:
                status, reason = records.Status.ERROR, "the exam asks nothing about this task"
            elif disagreement:
                status, reason = (
                    records.Status.NOT_VERIFIED,
                    f"the tests pass, but not the exam: {line(disagreement, most=300)}",
                )
            else:
                status = records.Status.VERIFIED
        elif task.first_problem:
            reason = line(task.first_problem.message.partition("\n")[0], most=300)
        return TaskGrade(task.name, status, possible, reason, task)


class _Time:
    """The time that a submission may take.

    Attributes:
        end: when it is over, as time.monotonic() tells.
    """

    def __init__(self, seconds: float) -> None:
        self.end = time.monotonic() + seconds

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """What takes time in here is ours."""
        begin = time.monotonic()
        try:
            yield
        finally:
            self.end += time.monotonic() - begin


@dataclass(frozen=True)
class Court:
    """What all judges of a run share. Called, it makes a judge.

    Attributes:
        isolation: what stands between submitted code and the machine, in words; NOT_ISOLATED where
            nothing does.
    """

    assignment: Assignment
    place: Place
    sheets: Sheets

    @property
    def isolation(self) -> str:
        return self.place.text

    def __call__(self) -> Judge:
        return Judge(self.assignment, self.place, self.sheets.of)


@contextmanager
def court(
    assignment: Assignment, secret: bytes, isolated: bool, jobs: int, hidden: Sequence[Path] = ()
) -> Iterator[Court]:
    """Where submissions run, and the drawn exams.

    Args:
        secret: of the gradebook, from which exams are drawn.
        hidden: folders that no submission may see.

    Raises:
        CannotGrade: there is no sandbox here; the message says what to do.
    """
    with ExitStack() as stack:
        limits = assignment.limits
        cpu = math.ceil(limits.seconds_a_submission)
        of_a_run = RunLimits(memory=limits.memory_mb, cpu=cpu, processes=limits.processes)
        place = Isolated(hidden, of_a_run) if isolated else Open()
        try:
            stack.enter_context(place)
        except Unavailable as problem:
            raise CannotGrade(str(problem)) from None
        yield Court(assignment, place, stack.enter_context(Sheets(secret, jobs)))
