"""A quick judge for the tests of grading, which gives grades by what the submission's file says; and what goes with it."""

import functools
from collections.abc import Callable
from pathlib import Path

from dojo.catalog import load
from dojo.grade import run as running
from dojo.grade.assignment import Assignment, read
from dojo.grade.gradebook import Gradebook
from dojo.grade.intake import look
from dojo.grade.records import ABSENT, BLOCKED, FAILED, NOT_VERIFIED, VERIFIED, KataGrade, Record, Submission, TaskGrade
from dojo.verdict import PASSED, TaskResult, TestResult

STATUS = {b"right": VERIFIED, b"forged": NOT_VERIFIED, b"blocked": BLOCKED}
VERSIONS = {"suite": "1", "exam": "1"}


class FakeJudge:
    """A submission's first word decides: right, forged, wrong; "crash" lets the judge fail.

    Args:
        log: called with the id of each submission before it is judged.
    """

    def __init__(self, assignment: Assignment, log: Callable[[str], None] = lambda student: None) -> None:
        self.assignment, self.log = assignment, log
        self.is_open = False

    def __enter__(self) -> "FakeJudge":
        self.is_open = True
        return self

    def __exit__(self, *error: object) -> None:
        self.is_open = False

    def stop(self) -> None:
        """Nothing takes long here."""

    def judge(self, submission: Submission) -> Record:
        assert self.is_open
        self.log(submission.id)
        katas = tuple(self._kata(kata, submission.files.get(kata.name)) for kata in self.assignment.katas)
        return Record(submission.id, submission.entry, submission.content, katas, isolation="isolated: by a test", seconds=0.5)

    def _kata(self, kata, data: bytes | None) -> KataGrade:
        word = (data or b"").split()[0] if data and data.split() else b""
        if word == b"crash":
            raise RuntimeError("the judge fell over")
        status = ABSENT if data is None else STATUS.get(word, FAILED)
        return KataGrade(kata.name, tuple(self._task(kata.name, task.name, status, data) for task in kata.tasks))

    def _task(self, kata: str, name: str, status: str, data: bytes | None) -> TaskGrade:
        possible = self.assignment.points_of(kata, name)
        outcome = PASSED if status in (VERIFIED, NOT_VERIFIED) else FAILED
        message = "" if outcome == PASSED else (data or b"").decode("utf-8", "replace")
        suite = None if data is None else TaskResult(name, (TestResult("test_it", outcome, message),))
        reason = "" if status == VERIFIED else f"it is {status}"
        return TaskGrade(name, status, possible if status == VERIFIED else 0, possible, reason, suite)


def grade(submissions: Path, out: Path, log: Callable[[str], None] = lambda student: None, katas: str = "k06,k07", **arguments):
    """Grade a folder with fake judges."""
    assignment = read(None, [katas], load())
    judges = functools.partial(FakeJudge, assignment, log)
    arguments = {"versions": VERSIONS, "judges": judges} | arguments
    with Gradebook.open(out) as book:
        return running.grade(look(submissions, assignment.katas), assignment, book, **arguments)
