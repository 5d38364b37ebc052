"""What the parent knows of one unit while its children report."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from dojo.catalog import Kata
from dojo.diagnosis import Diagnosis
from dojo.results import NO_TEST, KataResult, Outcome, TaskResult, TestResult

MOST_TESTS = 10_000  # --measure makes one of each training for each of a thousand seeds
LONGEST_NAME = 1000


@dataclass
class Report:
    """What is known of one unit so far, over all children that worked on it."""

    kata: Kata
    # by id: a child can say ten thousand ids, and speak of each often
    tests: dict[str, dict] = field(default_factory=dict)
    results: dict[str, TestResult] = field(default_factory=dict)
    current: str | None = None
    loading: bool = False
    restarts: int = 0
    trouble: str = ""

    def collected(self, tests: object) -> None:
        """Note which tests there are. What a child says is looked at before anything is built on
        it.

        Raises:
            ValueError: these are no tests.
        """
        wanted = {"id", "task", "name", "device"}
        fields = (
            [test for test in tests if isinstance(test, dict) and set(test) == wanted]
            if isinstance(tests, list)
            else []
        )
        if not isinstance(tests, list) or len(fields) != len(tests) or len(tests) > MOST_TESTS:
            raise ValueError("this is no list of tests")
        if not all(
            isinstance(text, str) and len(text) <= LONGEST_NAME
            for test in fields
            for text in test.values()
        ):
            raise ValueError("a test is described by short texts")
        by_id = {test["id"]: test for test in fields}
        if len(by_id) < len(fields):
            raise ValueError("two tests have the same id")
        self.tests, self.current = by_id, None

    def known(self, test_id: str) -> str:
        """The same, if there is a test of this id.

        Raises:
            ValueError: there is none.
        """
        if not isinstance(test_id, str) or test_id not in self.tests:
            raise ValueError(f"there is no test {test_id!r}")
        return test_id

    def is_open(self, test_id: str) -> bool:
        """Whether there is a test of this id that has no result yet."""
        return test_id in self.tests and test_id not in self.results

    def open_tests(self) -> Iterator[dict]:
        return (test for test_id, test in self.tests.items() if test_id not in self.results)

    def close(self, test_id: str, outcome: str, why: Diagnosis) -> TestResult:
        """The verdict on a test that gave none itself. Of one that failed the diagnosis is kept,
        too.
        """
        test = self.tests[test_id]
        diagnosis = why if outcome == Outcome.FAILED else None
        self.results[test_id] = TestResult(
            test["name"], outcome, why.text(), device=test["device"], diagnosis=diagnosis
        )
        return self.results[test_id]

    def verdict(self) -> KataResult:
        """Every task of the catalog; one that no test spoke of has a test that says so, and is an
        error.
        """
        tasks = []
        for task in self.kata.tasks:
            tests = tuple(
                self.results[test_id]
                for test_id, test in self.tests.items()
                if test["task"] == task.name
            )
            silent = TestResult(
                NO_TEST,
                Outcome.ERROR,
                f"The suite gave no report on '{task.name}'. {self.trouble}".strip(),
            )
            tasks.append(TaskResult(task.name, tests or (silent,)))
        return KataResult(self.kata.name, self.kata.stage, tuple(tasks))
