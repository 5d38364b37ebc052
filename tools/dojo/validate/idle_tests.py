"""Tests that catch nothing known: no mistake, no mutant. Whether one can fail at all, nobody knows.

A placement test is not asked here: `placement` makes the reference wrong for each of them.
"""

from collections.abc import Iterator, Sequence

from dojo import catalog
from dojo.catalog import Kata
from dojo.results import NO_TEST, KataResult, Outcome
from dojo.suite.unit import Unit
from dojo.validate.patched import bare, run_patched
from dojo.validate.test_files import functions, run_texts

AT_ONCE = 16  # mutants that a test is tried on at a time


def find(kata: Kata, mutants: Sequence[str], killers: Sequence[str]) -> list[str]:
    """The tests that no known mistake fails and none of these mutants.

    Args:
        mutants: texts.
        killers: the test that fails first for each mutant.
    """
    left = {
        function.name
        for function in functions(kata)
        if function.group and function.name.startswith("test") and not function.is_placement
    }
    left -= set(map(bare, killers))
    if left:
        tried, _ = run_patched(catalog.load().only([kata]), "mistake", whole=True)
        left -= {name for _, result in tried for name in noticed_by(result)}
    return [test for test in sorted(left) if not any(_notices(kata, test, mutants))]


def noticed_by(result: KataResult) -> set[str]:
    """The tests, without their cases, that did not pass a text; blocked ones say nothing."""
    fails = (Outcome.FAILED, Outcome.ERROR)
    return {bare(test.name) for test in result.tests if test.outcome in fails} - {NO_TEST}


def _notices(kata: Kata, test: str, mutants: Sequence[str]) -> Iterator[bool]:
    """Whether a test fails for these mutants, some at a time."""
    unit = Unit("", kata.name, "cpu", only=test)
    for start in range(0, len(mutants), AT_ONCE):
        texts = [(unit, text) for text in mutants[start : start + AT_ONCE]]
        yield any(test in noticed_by(result) for result in run_texts(texts, [kata]))
