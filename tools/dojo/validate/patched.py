"""The suite on every known mistake and on every other right solution: run once, asked by several
parts.
"""

import functools
from collections.abc import Collection, Iterable

from dojo.catalog import Catalog, Kata
from dojo.results import KataResult, Outcome
from dojo.suite.unit import Unit
from dojo.validate import patches, promise_files
from dojo.validate.patches import Patch, PatchError
from dojo.validate.promise_files import PromisesError
from dojo.validate.test_files import functions, placement_tests, run_texts

Tried = tuple[Patch, KataResult]  # a patched reference, and what its kata's tests say of it


def run_patched(
    chosen: Catalog, kind: str, fewest: int = 0, whole: bool = False, words: str = ""
) -> tuple[list[Tried], list[str]]:
    """Run the suite on every patched reference that can be made, and name those that can't.

    A mistake meets the tests that have to notice it and those before them; all if `whole`.
    Patches without these words in their name are left out.
    """
    ready, problems, texts = [], [], []
    for kata in chosen.katas:
        try:
            loaded, placed = patches.load(kind, kata.name), placement_tests(kata)
            if len(loaded) < fewest:
                file = f"reference/{kind}s/{kata.name}.toml"
                problems.append(f"{file} has {len(loaded)} {kind}s of {fewest}")
            for patch in (each for each in loaded if words in each.name):
                asked = tests_asked(kata, patch)
                everywhere = kind == "variant" or placed & asked
                until = "" if kind == "variant" or whole else last_of(kata, asked)
                unit = Unit("", kata.name, "auto" if everywhere else "cpu", until=until)
                texts.append((unit, patch.apply(kata.reference_text())))
                ready.append(patch)
        except PatchError as error:
            problems.append(str(error))
    return list(zip(ready, _results(tuple(texts), chosen.katas), strict=True)), problems


@functools.lru_cache(maxsize=2)
def _results(texts: tuple[tuple[Unit, str], ...], katas: tuple[Kata, ...]) -> list[KataResult]:
    return run_texts(texts, katas)


def tests_asked(kata: Kata, patch: Patch) -> set[str]:
    """The tests that have to notice a mistake: its own, and those of the promises it breaks."""
    try:
        promises = promise_files.load(kata)
    except PromisesError:  # the part "promises" tells
        promises = None
    broken = promises.of_mistake(patch.name) if promises else []
    names = [patch.caught_by, *(test for promise in broken for test in promise.tests)]
    return {bare(name) for name in names}


def last_of(kata: Kata, names: Collection[str]) -> str:
    """That of the tests which stands last in the kata's file; any of them if none is there."""
    there = [function.name for function in functions(kata) if function.name in names]
    return there[-1] if there else min(names)


def bare(test: str) -> str:
    """A test's name without its case."""
    return test.partition("[")[0]


def failed(result: KataResult, tasks: Iterable[str] = ()) -> set[str]:
    """The tests that failed, with their case and without; of these tasks alone if any are named."""
    some = set(tasks)
    tests = [each for task in result.tasks if not some or task.name in some for each in task.tests]
    names = {test.name for test in tests if test.outcome == Outcome.FAILED}
    return names | {bare(name) for name in names}
