"""Submissions, the grades of their tasks and katas, and the records of them, to and from JSON."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TypeAlias

import msgspec

from dojo.catalog import Kata
from dojo.grade.assignment import Assignment
from dojo.results import TaskResult, decoded

# bounds of a record's document, however much a submission made its tests print
MESSAGE_CHARACTERS = 20_000
TESTS_A_TASK = 200
DOCUMENT_CHARACTERS = 4_000_000

Points: TypeAlias = int | float  # a whole number stays one in documents


class Status(StrEnum):
    """The status of a graded task."""

    VERIFIED = "verified"  # the suite passed and the exam agreed: the points are earned
    # The suite passed and the exam did not agree, or the suite broke down over this file alone: no
    # points, and a person should look.
    NOT_VERIFIED = "not verified"
    FAILED = "failed"
    NOT_STARTED = "not started"
    BLOCKED = "blocked"  # needs another task that is not passed
    ABSENT = "absent"  # the kata's file was not handed in
    ERROR = "error"  # our own fault: no points yet, and never the submission's fault


# flags, as are `not verified` and `error`
UNREADABLE, NOTES, NOT_ISOLATED = "unreadable", "see notes", "not isolated"
NOTHING_RUN = "nothing was run"  # in place of an isolation


@dataclass(frozen=True)
class Ignored:
    """Something in a submission that was not taken, and why."""

    name: str
    reason: str


@dataclass(frozen=True)
class Submission:
    """One entry of the folder of submissions.

    Attributes:
        id: of the student, from the entry's name; unique in a run.
        entry: the entry's name as it can be shown: without control characters.
        files: kata name → the bytes of its file.
        problem: why nothing could be taken from it; empty where something was, or where it only
            holds katas not graded here.
        notes: sentences for a person: another entry has this id, a file may have been meant.
    """

    id: str
    entry: str
    files: Mapping[str, bytes]
    ignored: tuple[Ignored, ...] = ()
    problem: str = ""
    notes: tuple[str, ...] = ()

    @property
    def content(self) -> str:
        """Hash of all that can matter for its grade."""
        digest = hashlib.sha256(self.problem.encode())
        for name in sorted(self.files):
            digest.update(b"\0" + name.encode() + b"\0" + hashlib.sha256(self.files[name]).digest())
        return digest.hexdigest()


@dataclass(frozen=True)
class TaskGrade:
    """The grade of one task.

    Attributes:
        possible: the points that the task is worth.
        reason: in a sentence why the points were not earned; empty where they were.
        suite: the results of its tests, for the learner; None where they were not run.
        points: earned: all that are possible, or none.
    """

    name: str
    status: Status
    possible: Points
    reason: str = ""
    suite: TaskResult | None = None
    points: Points = field(init=False)

    def __post_init__(self) -> None:
        earned = self.possible if self.status == Status.VERIFIED else 0
        stored = vars(self).get("points", earned)  # msgspec has set it where this is decoded
        if stored != earned:
            raise ValueError(f"{stored} points for a task that is {self.status}")
        object.__setattr__(self, "points", earned)


@dataclass(frozen=True)
class KataGrade:
    """The grades of a kata's tasks."""

    name: str
    tasks: tuple[TaskGrade, ...]

    @property
    def points(self) -> Points:
        return sum(task.points for task in self.tasks)

    @property
    def possible(self) -> Points:
        return sum(task.possible for task in self.tasks)

    def with_each(self, change: Callable[[TaskGrade], TaskGrade]) -> "KataGrade":
        """The same kata with each of its tasks changed."""
        return replace(self, tasks=tuple(map(change, self.tasks)))


@dataclass(frozen=True)
class Record:
    """The whole verdict on one submission.

    Attributes:
        content: of the submission, as Submission.content.
        isolation: what stood between the submission and the machine, in words; NOT_ISOLATED where
            nothing did.
        seconds: from the first kata to the last.
        notes: as in Submission.
    """

    id: str
    entry: str
    content: str
    katas: tuple[KataGrade, ...]
    ignored: tuple[Ignored, ...] = ()
    problem: str = ""
    isolation: str = NOT_ISOLATED
    seconds: float = 0.0
    notes: tuple[str, ...] = ()

    @property
    def points(self) -> Points:
        return sum(kata.points for kata in self.katas)

    @property
    def possible(self) -> Points:
        return sum(kata.possible for kata in self.katas)

    @property
    def statuses(self) -> frozenset[Status]:
        return frozenset(task.status for kata in self.katas for task in kata.tasks)

    @property
    def flags(self) -> tuple[str, ...]:
        """The marks that make a person look at it, in a fixed order."""
        flags = {
            Status.NOT_VERIFIED: Status.NOT_VERIFIED in self.statuses,
            Status.ERROR: Status.ERROR in self.statuses,
            UNREADABLE: bool(self.problem),
            NOTES: bool(self.notes),
            NOT_ISOLATED: self.isolation == NOT_ISOLATED,
        }
        return tuple(flag for flag, is_raised in flags.items() if is_raised)


def record_of(
    submission: Submission, katas: tuple[KataGrade, ...], isolation: str, seconds: float = 0.0
) -> Record:
    """The record of this submission with these grades."""
    return Record(
        submission.id,
        submission.entry,
        submission.content,
        katas,
        submission.ignored,
        submission.problem,
        isolation,
        seconds,
        submission.notes,
    )


def unjudged_kata(kata: Kata, assignment: Assignment, status: Status, reason: str) -> KataGrade:
    """The grade of a kata that nobody judged: no points, and the same status for every task."""
    tasks = (
        TaskGrade(task.name, status, assignment.points_of(kata.name, task.name), reason)
        for task in kata.tasks
    )
    return KataGrade(kata.name, tuple(tasks))


def unjudged(
    submission: Submission, assignment: Assignment, status: Status, reason: str, isolated: bool
) -> Record:
    """The record of a submission that nobody judged."""
    katas = tuple(unjudged_kata(kata, assignment, status, reason) for kata in assignment.katas)
    return record_of(submission, katas, NOTHING_RUN if isolated else NOT_ISOLATED)


def encode(record: Record) -> str:
    """The document of a record as it is kept: JSON of bounded length."""
    document = to_json(_bounded(record))
    if len(document) > DOCUMENT_CHARACTERS:  # the grades stay, the results of the tests go
        document = to_json(_bounded(record, with_tests=False))
    return document


def decode(document: str) -> Record:
    """The record of a document that encode() made; raises ValueError if it is none."""
    return decoded(json.loads(document), Record)


def to_json(value: object, indent: int | None = None) -> str:
    """Records, dicts and lists as JSON in ASCII, whatever the submission put into them. Infinity
    and NaN, which JSON can't write, become null.
    """
    text = json.dumps(msgspec.to_builtins(value))
    finite = json.loads(text, parse_constant=lambda name: None)
    return json.dumps(finite, indent=indent)


def _bounded(record: Record, with_tests: bool = True) -> Record:
    def bounded(task: TaskGrade) -> TaskGrade:
        suite = task.suite if with_tests else None
        if suite is not None:
            tests = (
                replace(
                    test,
                    name=_cut(test.name),
                    message=_cut(test.message),
                    printed=_cut(test.printed),
                    measured=tuple(replace(number, curve=None) for number in test.measured),
                )
                for test in suite.tests[:TESTS_A_TASK]
            )
            suite = TaskResult(suite.name, tuple(tests))
        return replace(task, reason=_cut(task.reason), suite=suite)

    return replace(record, katas=tuple(kata.with_each(bounded) for kata in record.katas))


def _cut(text: str) -> str:
    """The beginning of a text, with a question mark for each half of a surrogate pair."""
    shown = text if len(text) <= MESSAGE_CHARACTERS else f"{text[:MESSAGE_CHARACTERS]} ... (cut)"
    return shown.encode("utf-8", "replace").decode()
