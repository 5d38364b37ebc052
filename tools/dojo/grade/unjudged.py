"""Grades of what nobody judged: every task has the same status and reason, and no points."""

from dojo.catalog import Kata
from dojo.grade.assignment import Assignment
from dojo.grade.records import (
    NOT_ISOLATED,
    KataGrade,
    Record,
    Status,
    Submission,
    TaskGrade,
    record_of,
)

NOTHING_RUN = "nothing was run"


def kata_grade(kata: Kata, assignment: Assignment, status: Status, reason: str) -> KataGrade:
    """The grade of one kata."""
    tasks = (
        TaskGrade(task.name, status, assignment.points_of(kata.name, task.name), reason)
        for task in kata.tasks
    )
    return KataGrade(kata.name, tuple(tasks))


def record(
    submission: Submission,
    assignment: Assignment,
    status: Status,
    reason: str,
    isolated: bool = True,
) -> Record:
    """The record of a whole submission."""
    katas = tuple(kata_grade(kata, assignment, status, reason) for kata in assignment.katas)
    return record_of(submission, katas, NOTHING_RUN if isolated else NOT_ISOLATED)


def unreadable(submission: Submission, assignment: Assignment, isolated: bool = True) -> Record:
    """The record of a submission from which nothing could be taken."""
    return record(
        submission, assignment, Status.ABSENT, "Nothing was handed in that could be read.", isolated
    )
