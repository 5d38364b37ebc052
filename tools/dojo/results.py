"""What came out of running the tests: plain records, the one vocabulary of all commands.

No report is never a pass: a task without tests, or a kata without tasks, is an error.
"""

import dataclasses
import sys
import typing
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from dojo import curve as curves
from dojo import diagnosis as diagnoses
from dojo.curve import Curve
from dojo.diagnosis import Diagnosis


class Outcome(StrEnum):
    """What a test, task or kata came to."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_STARTED = "not started"  # the solution region still raises NotImplementedError
    BLOCKED = "blocked"  # another task has to pass first
    SKIPPED = "skipped"  # not run here, for the reason in the message; never a pass
    ERROR = "error"  # our own fault, never the learner's; never a pass


NO_TEST = "(no test)"  # stands for the tests of a task of which nothing was reported
_GRAVEST_FIRST = (Outcome.ERROR, Outcome.FAILED, Outcome.BLOCKED, Outcome.NOT_STARTED)
_Record = typing.TypeVar("_Record", "TestResult", "Measured", "Drift")


@dataclass(frozen=True)
class Measured:
    """A number that a training reached, beside the mark it was held against."""

    mark: str  # "k06.train.distance"
    what: str
    value: float | None  # None if it is no finite number
    bound: float
    at_most: bool
    curve: Curve | None = None  # only while measuring: how the training went


@dataclass(frozen=True)
class Drift:
    """How far a device's numbers lie from the CPU's, for the same weights and inputs.

    Attributes:
        kind: "forward", or "loss" for the losses that a training returned.
        absolute: the largest difference.
        relative: the largest of a tensor's difference divided by the largest magnitude in it.
    """

    kind: str
    absolute: float
    relative: float


@dataclass(frozen=True)
class TestResult:
    __test__ = False  # no class of tests, whatever pytest thinks of its name

    name: str
    outcome: Outcome
    message: str = ""
    seconds: float = 0.0
    device: str = "cpu"
    measured: tuple[Measured, ...] = ()
    drift: tuple[Drift, ...] = ()
    diagnosis: Diagnosis | None = None  # of a failed test

    @property
    def headline(self) -> str:
        """The first line of its message."""
        return self.message.partition("\n")[0]


@dataclass(frozen=True)
class TaskResult:
    name: str
    tests: tuple[TestResult, ...]

    @property
    def outcome(self) -> str:
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
    def outcome(self) -> str:
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
    def measured(self) -> tuple[Measured, ...]:
        return tuple(
            number for task in self.tasks for test in task.tests for number in test.measured
        )


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

    def to_json(self) -> dict:
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


def _gravest(outcomes: Iterable[str]) -> str | None:
    return next((outcome for outcome in _GRAVEST_FIRST if outcome in outcomes), None)


def test_result(fields: dict) -> TestResult:
    """A TestResult from its JSON fields.

    Raises:
        ValueError, TypeError, KeyError: the fields are not those of a TestResult.
    """
    measured = tuple(_measured(number) for number in fields.pop("measured", ()))
    drift = tuple(_checked(Drift(**difference)) for difference in fields.pop("drift", ()))
    diagnosis = fields.pop("diagnosis", None)
    why = None if diagnosis is None else diagnoses.parse(diagnosis)
    texts = {name: _writable(value) for name, value in fields.items() if isinstance(value, str)}
    texts["outcome"] = Outcome(fields["outcome"])
    result = _checked(TestResult(**fields | texts, measured=measured, drift=drift, diagnosis=why))
    if why and result.outcome != Outcome.FAILED:
        raise ValueError(f"a diagnosis of a test that is {result.outcome}")
    return result


def _writable(text: str) -> str:
    """With a question mark for what can be in a text and in no file: half a surrogate pair."""
    return text.encode("utf-8", "replace").decode()


def _checked(record: _Record) -> _Record:
    """The same, if its values are of the types that it says: the fields may come from code that may
    do anything.
    """
    for field in dataclasses.fields(record):
        value, kinds = getattr(record, field.name), typing.get_args(field.type) or (field.type,)
        kinds = (tuple,) if typing.get_origin(field.type) is tuple else kinds
        if not (isinstance(value, kinds) or (float in kinds and type(value) is int)):
            raise TypeError(f"{field.name} can't be {value!r:.100}")
        if (
            isinstance(value, int | float)
            and not isinstance(record, Drift)
            and not abs(value) <= sys.float_info.max
        ):
            raise ValueError(f"{field.name} can't be {value}")
    return record


def _measured(fields: dict) -> Measured:
    curve = fields.get("curve")
    return _checked(Measured(**fields | {"curve": None if curve is None else curves.parse(curve)}))


def kata_result(fields: dict) -> KataResult:
    """A KataResult from its JSON fields, those of its tasks and tests with it.

    Raises:
        ValueError, TypeError, KeyError: the fields are not those of a KataResult.
    """
    tasks = tuple(
        TaskResult(task["name"], tuple(test_result(test) for test in task["tests"]))
        for task in fields["tasks"]
    )
    return KataResult(fields["name"], fields["stage"], tasks)
