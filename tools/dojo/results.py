"""What came out of running the tests: plain records, the one vocabulary of all commands.

No report is never a pass: a task without tests, or a kata without tasks, is an error.
"""

import dataclasses
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec

from dojo.curve import Curve, Finite
from dojo.diagnosis import Diagnosis
from dojo.outcome import Outcome as Outcome

NO_TEST = "(no test)"  # stands for the tests of a task of which nothing was reported
_GRAVEST_FIRST = (Outcome.ERROR, Outcome.FAILED, Outcome.BLOCKED, Outcome.NOT_STARTED)
_Record = TypeVar("_Record")


@dataclass(frozen=True)
class Measured:
    """A number that a training reached, beside the mark it was held against."""

    mark: str  # "k06.train.distance"
    what: str
    value: Finite | None  # None if it is no finite number
    bound: Finite
    at_most: bool
    curve: Curve | None = None  # only while measuring: how the training went


@dataclass(frozen=True)
class Drift:
    """How far a device's numbers lie from the CPU's, for the same weights and inputs.

    Attributes:
        kind: "forward", or "loss" for the losses that a training returned.
        absolute: the largest difference; None if it is no finite number.
        relative: the largest of a tensor's difference divided by the largest magnitude in it.
    """

    kind: str
    absolute: float | None
    relative: float | None


@dataclass(frozen=True)
class TestResult:
    __test__ = False  # no class of tests, whatever pytest thinks of its name

    name: str
    outcome: Outcome
    message: str = ""
    seconds: Finite = 0.0
    device: str = "cpu"
    measured: tuple[Measured, ...] = ()
    drift: tuple[Drift, ...] = ()
    diagnosis: Diagnosis | None = None  # of a failed test

    def __post_init__(self) -> None:
        if self.diagnosis and self.outcome != Outcome.FAILED:
            raise ValueError(f"a diagnosis of a test that is {self.outcome}")

    @property
    def headline(self) -> str:
        """The first line of its message."""
        return self.message.partition("\n")[0]


@dataclass(frozen=True)
class TaskResult:
    name: str
    tests: tuple[TestResult, ...]

    @property
    def outcome(self) -> Outcome:
        """Passed when a test passed and none did anything else but be skipped."""
        outcomes = {test.outcome for test in self.tests}
        return _gravest(outcomes) or (
            Outcome.PASSED
            if Outcome.PASSED in outcomes
            else Outcome.SKIPPED
            if outcomes
            else Outcome.ERROR
        )

    @property
    def first_problem(self) -> TestResult | None:
        return next(
            (test for test in self.tests if test.outcome not in (Outcome.PASSED, Outcome.SKIPPED)),
            None,
        )


@dataclass(frozen=True)
class KataResult:
    name: str
    stage: int
    tasks: tuple[TaskResult, ...]

    @property
    def outcome(self) -> Outcome:
        """Passed when every task passed; a kata that is begun but not ended is 'not started' only
        if no task passed.
        """
        outcomes = {task.outcome for task in self.tasks}
        return _gravest(outcomes) or (
            Outcome.PASSED
            if outcomes == {Outcome.PASSED}
            else Outcome.SKIPPED
            if outcomes
            else Outcome.ERROR
        )

    @property
    def tests(self) -> tuple[TestResult, ...]:
        return tuple(test for task in self.tasks for test in task.tests)

    @property
    def measured(self) -> tuple[Measured, ...]:
        return tuple(number for test in self.tests for number in test.measured)


@dataclass(frozen=True)
class Verdict:
    target: str
    katas: tuple[KataResult, ...]

    @property
    def passed(self) -> bool:
        return bool(self.katas) and all(kata.outcome == Outcome.PASSED for kata in self.katas)

    @property
    def tasks(self) -> tuple[TaskResult, ...]:
        return tuple(task for kata in self.katas for task in kata.tasks)

    @property
    def first_open(self) -> tuple[KataResult, TaskResult] | None:
        """What comes next: the first task that is not passed, and its kata."""
        tasks = ((kata, task) for kata in self.katas for task in kata.tasks)
        return next(((kata, task) for kata, task in tasks if task.outcome != Outcome.PASSED), None)

    def to_json(self) -> dict[str, Any]:
        """The document of `check --json`: every record's fields, and the outcome of tasks and
        katas.
        """
        katas = []
        for kata in self.katas:
            tasks = [
                {
                    "name": task.name,
                    "outcome": task.outcome,
                    "tests": [dataclasses.asdict(test) for test in task.tests],
                }
                for task in kata.tasks
            ]
            katas.append(
                {"name": kata.name, "stage": kata.stage, "outcome": kata.outcome, "tasks": tasks}
            )
        return {"target": self.target, "katas": katas}


def _gravest(outcomes: Collection[Outcome]) -> Outcome | None:
    return next((outcome for outcome in _GRAVEST_FIRST if outcome in outcomes), None)


def test_result(fields: object) -> TestResult:
    """A TestResult from its JSON fields, which may come from code that may do anything.

    Raises:
        ValueError: the fields are not those of a TestResult.
    """
    return decoded(fields, TestResult)


def kata_result(fields: object) -> KataResult:
    """A KataResult from its JSON fields, those of its tasks and tests with it.

    Raises:
        ValueError: the fields are not those of a KataResult.
    """
    return decoded(fields, KataResult)


def decoded(fields: object, kind: type[_Record]) -> _Record:
    """A record of this kind, a dataclass, from its JSON fields.

    Raises:
        ValueError: a field is missing, unknown or of another type, in the record or within it.
    """
    try:
        record = msgspec.convert(fields, kind)
    except msgspec.MsgspecError as error:
        raise ValueError(str(error)) from None
    _refuse_unknown(fields, record)
    return record


def _refuse_unknown(fields: object, record: object) -> None:
    """Raise ValueError if there are more JSON fields than the record has, or one within it: msgspec
    refuses that for its own classes, not for dataclasses.
    """
    if isinstance(fields, dict) and dataclasses.is_dataclass(record):
        for name, value in fields.items():
            if name not in record.__dataclass_fields__:
                raise ValueError(f"an unknown field: {name:.50}")
            _refuse_unknown(value, getattr(record, name))
    elif isinstance(fields, list | tuple) and isinstance(record, tuple):
        for value, item in zip(fields, record, strict=True):
            _refuse_unknown(value, item)
