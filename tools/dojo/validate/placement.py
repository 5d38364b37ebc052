"""Do the placement tests notice a reference that is right on the CPU alone?"""

from collections.abc import Collection

from dojo import simulated
from dojo.catalog import Catalog
from dojo.results import NO_TEST, KataResult, Outcome
from dojo.suite.devices import why_absent
from dojo.suite.supervisor import run
from dojo.suite.unit import Unit
from dojo.validate import Finding
from dojo.validate.test_files import device_tests


def values_are_compared(chosen: Catalog) -> Finding:
    """Every placement test notices what is wrong on the device alone: other numbers, gradients or
    dtypes, and work that is done on the CPU.
    """
    if reason := why_absent(simulated.NAME):
        return Finding((), "not checked", (reason,), unchecked=True)
    names = {kata.name: names for kata in chosen.katas if (names := device_tests(kata))}
    units = [Unit("reference", kata, simulated.NAME, spoiled=True) for kata in names]
    problems, passed = [], 0
    for result in run(units, chosen.katas):
        problems += faults(result, names[result.name])
        passed += sum(test.outcome == Outcome.PASSED for test in result.tests)
    return Finding(problems, f"{passed} placement tests")


def faults(result: KataResult, names: Collection[str]) -> list[str]:
    """What these tests of a kata let through, in words; a test without a report counts too."""
    tests = [test for test in result.tests if test.name != NO_TEST]  # tasks without such a test
    silent = set(names) - {test.name.partition("[")[0] for test in tests}
    return [f"{result.name}: {name} gave no report" for name in sorted(silent)] + [
        f"{result.name}: {test.name} is {test.outcome}: {test.message}"
        for test in tests
        if test.outcome not in (Outcome.PASSED, Outcome.SKIPPED)
    ]
