"""The events that a child reports of a unit, and the report that the parent makes of them.

The events of a unit, in order: Collected, then for each test TestStarted and Result, with Loading
and Loaded around the import of the learner's file, and at the end UnitEnded. A unit without it did
not run to its end. They travel as JSON, one or more to a message.
"""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from dojo.catalog import Kata
from dojo.diagnosis import Diagnosis
from dojo.results import NO_TEST, KataResult, Outcome, TaskResult, TestResult
from dojo.suite.unit import Unit

MOST_TESTS = 10_000  # --measure makes one of each training for each of a thousand seeds
LONGEST_NAME = 1000

ShortText = Annotated[str, Meta(max_length=LONGEST_NAME)]


class _Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something that code may have sent that may do anything: it's of these types, or refused."""


class Test(_Strict, frozen=True):
    """A test of a unit."""

    __test__ = False  # no class of tests, whatever pytest thinks of its name

    id: ShortText
    task: ShortText
    name: ShortText
    device: ShortText


class Event(_Strict, frozen=True, tag_field="event"):
    """One of those below."""


class Collected(Event, frozen=True, tag="collected"):
    """These are the tests."""

    tests: Annotated[tuple[Test, ...], Meta(max_length=MOST_TESTS)]


class TestStarted(Event, frozen=True, tag="start"):
    """A test begins."""

    id: ShortText


class Loading(Event, frozen=True, tag="loading"):
    """The learner's file is about to be imported."""


class Loaded(Event, frozen=True, tag="loaded"):
    """It has been imported, or could not be."""


class Result(Event, frozen=True, tag="result"):
    """The fields of a test's TestResult."""

    id: ShortText
    result: dict[str, Any]


class UnitEnded(Event, frozen=True, tag="end"):
    """pytest has ended, with this exit code."""

    code: int


_decoder = msgspec.json.Decoder(
    list[Collected | TestStarted | Loading | Loaded | Result | UnitEnded]
)


def encode(events: Sequence[Event]) -> bytes:
    """A message of these events."""
    try:
        return msgspec.json.encode(events)
    except UnicodeEncodeError:  # a learner's text may hold half a surrogate pair
        text = json.dumps(msgspec.to_builtins(events), ensure_ascii=False)
        return text.encode(errors="replace")


def decode(message: bytes) -> Sequence[Event]:
    """The events of a message.

    Raises:
        ValueError, msgspec.MsgspecError, RecursionError: it holds something else.
    """
    return _decoder.decode(message)


@dataclass
class Report:
    """The state of one unit so far, over all children that worked on it."""

    kata: Kata
    # by id: a child can name ten thousand ids, each of them often
    tests: dict[str, Test] = field(default_factory=dict)
    results: dict[str, TestResult] = field(default_factory=dict)
    current: str | None = None
    loading: bool = False
    lost: int = 0  # children that were lost by no fault of its code
    ends: Counter[str] = field(default_factory=Counter)  # task → children that ended in its tests
    trouble: str = ""

    def collected(self, tests: Sequence[Test]) -> None:
        """Note which tests there are. Raises ValueError if two have the same id."""
        by_id = {test.id: test for test in tests}
        if len(by_id) < len(tests):
            raise ValueError("two tests have the same id")
        self.tests, self.current = by_id, None

    def started(self, test_id: str) -> None:
        """Note that a test has begun. Raises ValueError if there is none of this id."""
        if test_id not in self.tests:
            raise ValueError(f"there is no test {test_id!r}")
        self.current = test_id

    def is_open(self, test_id: str) -> bool:
        """True if there is a test of this id that has no result yet."""
        return test_id in self.tests and test_id not in self.results

    def open_tests(self) -> Iterator[Test]:
        return (test for test in self.tests.values() if test.id not in self.results)

    def ends_in(self, task: str) -> int:
        """Count a child that ended in a test of this task; how many did by now."""
        self.ends[task] += 1
        return self.ends[task]

    def close(self, test: Test, outcome: Outcome, why: Diagnosis) -> TestResult:
        """Note the result of a test that reported none; the diagnosis counts if it failed."""
        diagnosis = why if outcome == Outcome.FAILED else None
        result = TestResult(test.name, outcome, why.text(), 0.0, test.device, diagnosis=diagnosis)
        self.results[test.id] = result
        return result

    def rest(self, unit: Unit) -> Unit:
        """The unit that is left for another child."""
        self.current, self.loading = None, False
        judged = (test for test in self.tests.values() if test.id in self.results)
        done = {test.id: [test.task, self.results[test.id].outcome] for test in judged}
        return replace(unit, done=done)

    def verdict(self) -> KataResult:
        """Every task of the catalog; one without a test has one that says so, and is an error."""
        tasks = []
        for task in self.kata.tasks:
            ids = [test.id for test in self.tests.values() if test.task == task.name]
            tests = tuple(self.results[test_id] for test_id in ids)
            message = f"The suite gave no report on '{task.name}'. {self.trouble}".strip()
            silent = TestResult(NO_TEST, Outcome.ERROR, message)
            tasks.append(TaskResult(task.name, tests or (silent,)))
        return KataResult(self.kata.name, self.kata.stage, tuple(tasks))
