"""Are mistakes called by their own names? Each known mistake is told by its words, and by no words
of another mistake.

The words of a mistake are its `saying` in reference/mistakes/. They name it where they stand in a
likely cause. A mistake may carry the name of another where both truly show the same evidence: its
entry lists that one in `also`.
"""

from collections.abc import Iterator, Sequence

from dojo.results import KataResult, TestResult
from dojo.validate.patches import Patch


def misnamed(mistakes: Sequence[Patch], results: Sequence[KataResult]) -> list[list[str]]:
    """For each mistake what is wrong with the names that it is called by; nothing for most."""
    found = []
    for mistake, result in zip(mistakes, results, strict=True):
        others = [
            other for other in mistakes if other.kata == mistake.kata and other.name != mistake.name
        ]
        tests = [test for task in result.tasks for test in task.tests]
        found.append(list(dict.fromkeys(_wrong_names(mistake, others, tests))))
    return found


def _wrong_names(
    mistake: Patch, others: Sequence[Patch], tests: Sequence[TestResult]
) -> Iterator[str]:
    where = f"reference/mistakes/{mistake.kata}.toml, '{mistake.name}'"
    for test in tests:
        for cause in (
            cause.text
            for cause in (test.diagnosis.likely if test.diagnosis else ())
            if mistake.saying not in cause.text
        ):
            for other in others:
                if (
                    other.saying in cause
                    and other.saying != mistake.saying
                    and other.name not in mistake.also
                ):
                    yield f"{where}: {test.name} calls it '{other.name}': {cause}"


def undiagnosed(patch: Patch, result: KataResult) -> list[str]:
    """What is told of a right solution, of which nothing may be told."""
    where = f"reference/variants/{patch.kata}.toml, '{patch.name}'"
    tests = [test for task in result.tasks for test in task.tests if test.diagnosis]
    return [
        f"{where}: {test.name} explains what is not wrong: {test.diagnosis.headline}"
        for test in tests
    ]
