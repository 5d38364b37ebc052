"""Results of running the tests: plain records, the one vocabulary of all commands.

No report is never a pass: a task without tests, or a kata without tasks, is an error.
"""

from collections.abc import Collection
from dataclasses import asdict, dataclass, is_dataclass
from typing import Any, TypeVar

import msgspec

from dojo.curve import Curve, Finite
from dojo.diagnosis import Diagnosis
from dojo.outcome import Outcome as Outcome

NO_TEST = "(no test)"  # stands for the tests of a task of which nothing was reported
_GRAVEST_FIRST = (Outcome.ERROR, Outcome.FAILED, Outcome.BLOCKED, Outcome.NOT_STARTED)
_FINE = (Outcome.PASSED, Outcome.SKIPPED)
_Record = TypeVar("_Record")


@dataclass(frozen=True)
class Measured:
    """A number that a training reached, beside the mark it was held against."""

    mark: str  # "k06.train.distance"
    what: str
    value: Finite | None  # None if it is no finite number
    bound: Finite
    at_most: bool
    curve: Curve | None = None  # how the training went; in outline, except while measuring

    @property
    def is_met(self) -> bool:
        if self.value is None:
            return False
        return self.value <= self.bound if self.at_most else self.value >= self.bound


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
    printed: str = ""  # by the learner's code, as much of it as a person reads

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
        return _outcome(outcomes, has_passed=Outcome.PASSED in outcomes)

    @property
    def first_problem(self) -> TestResult | None:
        return next((test for test in self.tests if test.outcome not in _FINE), None)


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
        return _outcome(outcomes, has_passed=outcomes == {Outcome.PASSED})

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
        """The first task that is not passed, and its kata: it comes next."""
        tasks = ((kata, task) for kata in self.katas for task in kata.tasks)
        return next(((kata, task) for kata, task in tasks if task.outcome != Outcome.PASSED), None)

    def to_json(self) -> dict[str, Any]:
        """The document of `check --json`: all fields, and the outcome of tasks and katas."""
        katas = []
        for kata in self.katas:
            tasks = [
                {"name": task.name, "outcome": task.outcome, "tests": [*map(asdict, task.tests)]}
                for task in kata.tasks
            ]
            head = {"name": kata.name, "stage": kata.stage, "outcome": kata.outcome}
            katas.append(head | {"tasks": tasks})
        return {"target": self.target, "katas": katas}


def _outcome(outcomes: Collection[Outcome], has_passed: bool) -> Outcome:
    """The gravest outcome; where none is grave, passed or skipped; an error if there is none."""
    if grave := next((outcome for outcome in _GRAVEST_FIRST if outcome in outcomes), None):
        return grave
    if has_passed:
        return Outcome.PASSED
    return Outcome.SKIPPED if outcomes else Outcome.ERROR


def decoded(fields: object, kind: type[_Record]) -> _Record:
    """A dataclass from its JSON fields, which may come from code that may do anything.

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
    """Raise ValueError at a field that a dataclass lacks: msgspec lets it pass, but in a Struct."""
    if isinstance(fields, dict) and is_dataclass(record):
        for name, value in fields.items():
            if name not in record.__dataclass_fields__:
                raise ValueError(f"an unknown field: {name:.50}")
            _refuse_unknown(value, getattr(record, name))
    elif isinstance(fields, list | tuple) and isinstance(record, tuple):
        for value, item in zip(fields, record, strict=True):
            _refuse_unknown(value, item)
