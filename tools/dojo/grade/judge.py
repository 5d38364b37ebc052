"""The verdict on one submission: the suite for feedback, the exam for credit."""

import math
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from multiprocessing import Pipe
from pathlib import Path

from dojo.catalog import Kata
from dojo.exam.examiner import Late, examine
from dojo.exam.sheet import Sheet
from dojo.exam.sheet_pool import Sheets
from dojo.grade import records
from dojo.grade.assignment import Assignment
from dojo.grade.judge_pool import CannotGrade
from dojo.grade.records import KataGrade, Record, Status, Submission, TaskGrade, unjudged_kata
from dojo.grade.sandbox.confine import SUBMISSION, RunLimits
from dojo.grade.sandbox.isolation import NoSandbox
from dojo.grade.sandbox.launch import EXAM, Sandbox
from dojo.grade.text import bounded, line, without
from dojo.processes.worker import Lost, Plain, Worker
from dojo.results import KataResult, Outcome, TaskResult
from dojo.suite.supervisor import Abandoned, run
from dojo.suite.unit import Unit

ATTEMPTS_A_KATA = 2  # that fail by a fault of ours, which may pass
STATUS_OF = {
    Outcome.FAILED: Status.FAILED,
    Outcome.NOT_STARTED: Status.NOT_STARTED,
    Outcome.BLOCKED: Status.BLOCKED,
}


@dataclass(frozen=True)
class Shared:
    """State shared by the judges of a run.

    Attributes:
        suite: starts the processes that run the tests.
        exam: starts those that answer an exam, and hold no tests: tests know answers.
        isolation: what stands between submitted code and the machine, in words.
        sheet_of: the exam's sheet for a kata and a submission's content.
    """

    assignment: Assignment
    suite: Worker
    exam: Worker
    isolation: str
    sheet_of: Callable[[str, str], Sheet]

    def judge(self) -> "Judge":
        """A new judge."""
        return Judge(self)


class Judge:
    """Judges one submission after another."""

    def __init__(self, shared: Shared) -> None:
        self.shared, self._assignment = shared, shared.assignment
        self._over, self._to_stop = Pipe(duplex=False)
        self._is_stopped = False

    def __enter__(self) -> "Judge":
        return self

    def __exit__(self, *_: object) -> None:
        self._to_stop.close()
        self._over.close()

    def stop(self) -> None:
        """Give up what is being judged; called by another thread."""
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
        seconds = time.monotonic() - begin
        return records.record_of(submission, katas, self.shared.isolation, seconds)

    def _kata(self, kata: Kata, submission: Submission, time_left: "_Time") -> KataGrade:
        source = submission.files.get(kata.name)
        if source is None:
            reason = f"{kata.name}.py was not handed in"
            return unjudged_kata(kata, self._assignment, Status.ABSENT, reason)
        for _ in range(ATTEMPTS_A_KATA):
            if time.monotonic() >= time_left.end:
                seconds = self._assignment.limits.seconds_a_submission
                reason = f"the {seconds} s that a submission may take were used up before this kata"
                reason += " was judged"
                return unjudged_kata(kata, self._assignment, Status.FAILED, reason)
            try:
                grade = self._judged(kata, source, submission.content, time_left)
            except Abandoned:
                raise
            except Exception as fault:  # it is ours: the submission's code runs elsewhere
                if self._is_stopped:  # what it needs is being taken away
                    raise Abandoned from None
                reason = "a fault of the grader, not of the submission"
                reason = line(f"{reason}: {type(fault).__name__}: {fault}", most=300)
                grade = unjudged_kata(kata, self._assignment, Status.ERROR, reason)
            if all(task.status != Status.ERROR for task in grade.tasks):
                return grade
        return self._not_ours(kata, grade)

    def _not_ours(self, kata: Kata, grade: KataGrade) -> KataGrade:
        """The grade of a kata that is an error each time. A submission's code can break pytest, or
        claim that it broke: where the reference is judged without an error, a person has to see
        whose fault it is.
        """
        broken = [
            task for task in grade.tasks if task.suite and task.suite.outcome == Outcome.ERROR
        ]
        if not broken or not self._judges_the_reference(kata):
            return grade
        why = "the tests broke down over this file, and not over the reference"
        tasks = tuple(
            replace(task, status=Status.NOT_VERIFIED, reason=f"{why}: {task.reason}", suite=None)
            if task in broken
            else task
            for task in grade.tasks
        )
        return replace(grade, tasks=tasks)

    def _judges_the_reference(self, kata: Kata) -> bool:
        end = time.monotonic() + self._assignment.limits.seconds_a_submission
        try:
            result = self._tested(kata, kata.reference_text().encode(), end)
        except Lost:
            return False
        return result.outcome == Outcome.PASSED

    def _judged(self, kata: Kata, source: bytes, content: str, time_left: "_Time") -> KataGrade:
        result = self._tested(kata, source, time_left.end)
        claimed = [task.name for task in result.tasks if task.outcome == Outcome.PASSED]
        reasons: dict[str, str] = {}
        if claimed:
            with time_left.stopped():
                drawn = self.shared.sheet_of(kata.name, content)
            reasons = examine(self.shared.exam, source, drawn, claimed, time_left.end)
            # the machine may have been busy
            if late := [task for task, reason in reasons.items() if isinstance(reason, Late)]:
                reasons |= examine(self.shared.exam, source, drawn, late, time_left.end)
        shown = bounded(result, self._assignment.limits.output_kb * 1024)
        results = {task.name: task for task in shown.tasks}
        grades = (self._task(kata, results[task.name], reasons) for task in kata.tasks)
        return KataGrade(kata.name, tuple(grades))

    def _tested(self, kata: Kata, source: bytes, end: float) -> KataResult:
        prefix, seconds = "torch-katas-", max(end - time.monotonic(), 0)
        with tempfile.TemporaryDirectory(prefix=prefix, ignore_cleanup_errors=True) as folder:
            (Path(folder) / f"{kata.name}.py").write_bytes(source)
            limit = self._assignment.limits.seconds_a_test
            unit = Unit(folder, kata.name, timeout=limit, at=folder)
            (result,) = run([unit], [kata], 1, None, [self._over], self.shared.suite, seconds)
        return without(result, (folder, SUBMISSION))

    def _task(self, kata: Kata, task: TaskResult, reasons: Mapping[str, str]) -> TaskGrade:
        status, reason = STATUS_OF.get(task.outcome, Status.ERROR), ""
        if task.outcome != Outcome.PASSED:
            reason = line(task.first_problem.headline, most=300) if task.first_problem else ""
        elif task.name not in reasons:
            reason = "the exam asks nothing about this task"
        elif problem := reasons[task.name]:
            status = Status.NOT_VERIFIED
            reason = f"the tests pass, but not the exam: {line(problem, most=300)}"
        else:
            status = Status.VERIFIED
        possible = self._assignment.points_of(kata.name, task.name)
        return TaskGrade(task.name, status, possible, reason, task)


class _Time:
    """The time that a submission may take.

    Attributes:
        end: the moment when it is over, by time.monotonic().
    """

    def __init__(self, seconds: float) -> None:
        self.end = time.monotonic() + seconds

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Stop the submission's clock while this block runs."""
        begin = time.monotonic()
        try:
            yield
        finally:
            self.end += time.monotonic() - begin


@contextmanager
def judging(
    assignment: Assignment, secret: bytes, isolated: bool, jobs: int, hidden: Sequence[Path] = ()
) -> Iterator[Shared]:
    """Start what the judges of a run share.

    Args:
        secret: of the gradebook, from which exams are drawn.
        isolated: run submissions in sandboxes; else they are plain processes.
        jobs: how many judges there will be.
        hidden: folders that no submission may see.

    Raises:
        CannotGrade: there is no sandbox here; the message says what to do.
    """
    most = assignment.limits
    limits = RunLimits(most.memory_mb, math.ceil(most.seconds_a_submission), most.processes)
    with ExitStack() as stack:
        sheets = Sheets(secret, jobs)
        if not isolated:
            stack.enter_context(sheets)
            plain = Plain(many=True)
            yield Shared(assignment, plain, plain, records.NOT_ISOLATED, sheets.of)
            return
        try:
            suite = stack.enter_context(Sandbox(hidden, limits=limits))
            exam = stack.enter_context(Sandbox(hidden, EXAM, limits))
        except NoSandbox as problem:
            raise CannotGrade(str(problem)) from None
        stack.enter_context(sheets)
        isolation = suite.isolation.text if suite.isolation else ""
        yield Shared(assignment, suite, exam, isolation, sheets.of)
