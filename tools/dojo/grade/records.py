"""What grading speaks of: a submission, and the grades of its tasks and katas. Plain records, to
and from JSON.
"""

import dataclasses
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from dojo.results import TaskResult, kata_result


class Status(StrEnum):
    """What a graded task came to."""

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
            holds katas not graded here. notes: what a person should know besides; such as that
            another entry has the same id, or that a file was left out which
            may be what should have been graded.
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
        suite: what the tests said, for the learner; None where they were not run.
    """

    name: str
    status: str
    possible: float
    reason: str = ""
    suite: TaskResult | None = None

    def __post_init__(self) -> None:
        if self.status not in set(Status):
            raise ValueError(f"unknown status {self.status!r}")

    @property
    def points(self) -> float:
        """Earned: all that are possible, or none."""
        return self.possible if self.status == Status.VERIFIED else 0


@dataclass(frozen=True)
class KataGrade:
    name: str
    tasks: tuple[TaskGrade, ...]

    @property
    def points(self) -> float:
        return sum(task.points for task in self.tasks)

    @property
    def possible(self) -> float:
        return sum(task.possible for task in self.tasks)


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
    def points(self) -> float:
        return sum(kata.points for kata in self.katas)

    @property
    def possible(self) -> float:
        return sum(kata.possible for kata in self.katas)

    @property
    def statuses(self) -> frozenset[str]:
        return frozenset(task.status for kata in self.katas for task in kata.tasks)

    @property
    def flags(self) -> tuple[str, ...]:
        """What a person should look at, in a fixed order."""
        flags = [
            status for status in (Status.NOT_VERIFIED, Status.ERROR) if status in self.statuses
        ]
        flags += [UNREADABLE] if self.problem else []
        flags += [NOTES] if self.notes else []
        return (*flags, *([NOT_ISOLATED] if self.isolation == NOT_ISOLATED else []))

    def to_json(self) -> dict:
        fields = dataclasses.asdict(self)
        for kata, shown in zip(self.katas, fields["katas"], strict=True):
            for task, one in zip(kata.tasks, shown["tasks"], strict=True):
                one["points"] = task.points
        return fields


def record_of(
    submission: Submission, katas: tuple[KataGrade, ...], isolation: str, seconds: float = 0.0
) -> Record:
    """The record of this submission with these grades."""
    one = submission
    return Record(
        one.id,
        one.entry,
        one.content,
        katas,
        one.ignored,
        one.problem,
        isolation,
        seconds,
        one.notes,
    )


def record(fields: dict) -> Record:
    """A Record from its JSON fields.

    Raises:
        ValueError, TypeError, KeyError: the fields are not those of a Record.
    """
    katas = tuple(
        KataGrade(kata["name"], tuple(_task(task) for task in kata["tasks"]))
        for kata in fields["katas"]
    )
    ignored = tuple(Ignored(**one) for one in fields["ignored"])
    return Record(
        **{**fields, "katas": katas, "ignored": ignored, "notes": tuple(fields.get("notes", ()))}
    )


def _task(fields: dict) -> TaskGrade:
    suite = fields["suite"]
    if suite is not None:
        (suite,) = kata_result({"name": "", "stage": 0, "tasks": [suite]}).tasks
    points = fields["points"]
    task = TaskGrade(
        **{name: value for name, value in fields.items() if name != "points"} | {"suite": suite}
    )
    if points != task.points:
        raise ValueError(f"{points} points for a task that is {task.status}")
    return task
