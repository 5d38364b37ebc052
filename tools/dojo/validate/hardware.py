"""The references on a real device: what passes there, how far the numbers lie from the CPU's,
whether the marks hold.

`python tools/validate --device cuda` writes reference/validation/cuda-<model>.json, which is read
again by `--devices`.
Only what was seen on the device counts: no report, a skip, or a test that ran on the CPU is never a
pass there.
"""

import math
import os
import platform
import tempfile
import tomllib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import date
from importlib.metadata import version
from pathlib import Path

from dojo import reference_results, simulated
from dojo.catalog import Kata
from dojo.results import NO_TEST, KataResult, Outcome, TaskResult, TestResult
from dojo.suite.supervisor import run
from dojo.suite.unit import Unit
from dojo.validate import marks, parts, patches
from dojo.validate.device_record import LEFT_OUT, DeviceRecord, OnDevice
from dojo.validate.patches import Patch, placement_tests

SEEDS = 5  # trainings of each mark on the device


def examine(
    device: str, katas: Sequence[Kata], say: Callable[[str], None]
) -> tuple[DeviceRecord, list[str]]:
    """Run everything on the device. Returns the record, and what is wrong, in words.

    Args:
        device: one that is present, such as "cuda" or "cuda:1".
        katas: those to look at.
        say: told what is being done.
    """
    say("the references")
    results = run([Unit("reference", kata.name, device, drift=True) for kata in katas], katas)
    found = {result.name: on_device(result, device) for result in results}
    problems = [f"{name}: {line}" for name, line in _failures(results)]
    # the rest never goes to a device: it would be judged on the CPU
    there = [kata for kata in katas if found[kata.name].tasks]
    say(f"their trainings, from {SEEDS} seeds")
    training = [kata for kata in there if marks_of(kata)]
    trained = run(
        [Unit("reference", kata.name, device, timeout=60, measure=(0, SEEDS)) for kata in training],
        katas,
    )
    problems += [
        f"{name}, while training: {line}" for name, line in _failures(map(of_trainings, trained))
    ]
    for kata, result in zip(training, trained, strict=True):
        found[kata.name] = replace(found[kata.name], marks=marks_met(result, marks_of(kata)))
    say("other right solutions")
    for kata, passed, wrong in _variants(device, there):
        found[kata.name] = replace(found[kata.name], variants=passed)
        problems += wrong
    say("mistakes of placement")
    for kata, caught, wrong in _mistakes(device, there):
        found[kata.name] = replace(found[kata.name], mistakes=caught)
        problems += wrong
    problems = [
        f"{name}: {problem}" for name, kata in found.items() for problem in kata.problems
    ] + problems
    made = DeviceRecord(device.partition(":")[0], model_of(device), deterministic(device), found)
    return made, list(dict.fromkeys(problems))


def on_device(result: KataResult, device: str) -> OnDevice:
    """One kata's results, reduced to its tests on the device, and to tasks of which nothing was
    reported.
    """
    drift: dict[str, dict[str, float]] = {}
    for difference in (
        one for task in result.tasks for test in _tests_on(device, task.tests) for one in test.drift
    ):
        largest = drift.setdefault(difference.kind, {"absolute": 0.0, "relative": 0.0})
        for name in largest:
            reached = getattr(difference, name)
            value = math.nan if reached is None else reached
            largest[name] = value if not value <= largest[name] else largest[name]
    content, today = reference_results.content_hash(result.name), str(date.today())
    return OnDevice(content, today, versions(device), tasks_on(result, device), drift)


def tasks_on(result: KataResult, device: str) -> dict[str, dict]:
    """What the record says of each task with tests on the device."""
    was_used = any(
        test.device == device and test.outcome == Outcome.PASSED
        for task in result.tasks
        for test in task.tests
    )
    there = {task.name: _tests_on(device, task.tests) for task in result.tasks}
    return {name: _told(tests, device, was_used) for name, tests in there.items() if tests}


def _tests_on(device: str, tests: Iterable[TestResult]) -> list[TestResult]:
    """Those on the device. What stands for tests that never reported is on none, and counts on
    each.
    """
    return [test for test in tests if test.device == device or test.name == NO_TEST]


def _told(tests: Sequence[TestResult], device: str, was_used: bool) -> dict:
    """What the record says of a task. It is passed only if every test passed, but for those that
    leave the device out.
    """
    left_out = [test for test in tests if was_used and leaves_out(test, device)]
    problem = next(
        (test for test in tests if test.outcome != Outcome.PASSED and test not in left_out), None
    )
    whole = LEFT_OUT if len(left_out) == len(tests) else Outcome.PASSED
    told = {
        "outcome": problem.outcome if problem else whole,
        "seconds": round(sum(test.seconds for test in tests), 3),
    }
    if problem:
        told["why"] = problem.message.partition("\n")[0]
    if left_out:
        told["skipped"] = sorted({test.message for test in left_out})
    return told


def leaves_out(test: TestResult, device: str) -> bool:
    """Whether a test of ours skips the simulated device, where it would have no sense; no limit of
    that device, and no other.

    It also skips where the device can't be had; then no test of its kata passes there, which
    whoever asks has to look at.
    """
    is_own = test.outcome == Outcome.SKIPPED and not test.message.startswith(simulated.LIMIT)
    return is_own and test.device == device == simulated.NAME


def marks_of(kata: Kata) -> list[str]:
    """The names of the marks that its trainings are held against."""
    return [
        name
        for name in tomllib.loads(marks.FILE.read_text(encoding="utf-8"))
        if name.startswith(f"{kata.short}.")
    ]


def marks_met(result: KataResult, names: Iterable[str]) -> dict[str, dict[str, int]]:
    """Mark → how many of the trainings met it. One that broke down met nothing, and counts as a
    training all the same.
    """
    met = {name: {"seeds": SEEDS, "met": 0} for name in names}
    passed = [
        test for task in result.tasks for test in task.tests if test.outcome == Outcome.PASSED
    ]
    for number in (number for test in passed for number in test.measured):
        told = met.setdefault(number.mark, {"seeds": SEEDS, "met": 0})
        told["met"] += number.value is not None and (
            number.value <= number.bound if number.at_most else number.value >= number.bound
        )
    return met


def of_trainings(result: KataResult) -> KataResult:
    """The result without the tasks that don't train: where trainings are measured, they have no
    test.
    """
    return replace(
        result, tasks=tuple(task for task in result.tasks if task.tests[0].name != NO_TEST)
    )


def _failures(results: Iterable[KataResult]) -> list[tuple[str, str]]:
    """Tests that neither passed nor were skipped, on whichever device, with the kata's name."""
    tests = [
        (result.name, test) for result in results for task in result.tasks for test in task.tests
    ]
    return [
        (name, f"{test.name} on {test.device} is {test.outcome}: {test.message}")
        for name, test in tests
        if test.outcome not in (Outcome.PASSED, Outcome.SKIPPED)
    ]


Judged = list[tuple[Kata, dict[str, int], list[str]]]


def _variants(device: str, katas: Sequence[Kata]) -> Judged:
    """For each kata how many of its other right solutions pass there, and what is wrong with the
    rest.
    """
    ready = [(kata, patch) for kata in katas for patch in patches.load("variant", kata.name)]
    wrong = [variant_problems(result, device) for result in _run_patched(ready, device, katas)]
    judged = []
    for kata in katas:
        own = [
            (patch, lines) for (one, patch), lines in zip(ready, wrong, strict=True) if one is kata
        ]
        told = [f"{kata.name}, '{patch.name}': {line}" for patch, lines in own for line in lines]
        judged.append(
            (kata, {"passed": sum(not lines for _, lines in own), "total": len(own)}, told)
        )
    return judged


def variant_problems(result: KataResult, device: str) -> list[str]:
    """Why a right solution does not count as passed on the device; nothing if it does."""
    there, failed = (
        OnDevice("", tasks=tasks_on(result, device)),
        [line for _, line in _failures([result])],
    )
    problems = failed or there.problems
    return problems if problems or there.passed else [f"no test of it passed on {device}"]


def _mistakes(device: str, katas: Sequence[Kata]) -> Judged:
    """For each kata how many of its mistakes of placement are caught there, and what is wrong with
    the rest.
    """
    ready = [
        (kata, patch)
        for kata in katas
        for patch in patches.load("mistake", kata.name)
        if patch.caught_by.partition("[")[0] in placement_tests(kata)
    ]
    there = _run_patched(ready, device, katas)
    missed = [
        number
        for number, (_, patch) in enumerate(ready)
        if parts.check_mistake(patch, only_on(device, there[number]))
    ]
    beside = dict(
        zip(missed, _run_patched([ready[number] for number in missed], "cpu", katas), strict=True)
    )
    judged = []
    for kata in katas:
        own = [number for number, (one, _) in enumerate(ready) if one is kata]
        told = {
            number: parts.check_mistake(ready[number][1], beside[number])
            for number in own
            if number in beside
        }
        # this device, written into the code, is right there
        elsewhere = sum(not problems for problems in told.values())
        figures = {"caught": len(own) - len(told), "elsewhere": elsewhere, "total": len(own)}
        judged.append(
            (kata, figures, [problem for problems in told.values() for problem in problems])
        )
    return judged


def only_on(device: str, result: KataResult) -> KataResult:
    """The result without the tests on other devices."""
    tasks = tuple(
        TaskResult(task.name, tuple(_tests_on(device, task.tests))) for task in result.tasks
    )
    return replace(result, tasks=tasks)


def _run_patched(
    ready: Sequence[tuple[Kata, Patch]], device: str, katas: Sequence[Kata]
) -> list[KataResult]:
    units = []
    with tempfile.TemporaryDirectory() as scratch:
        for number, (kata, patch) in enumerate(ready):
            folder = Path(scratch) / str(number)
            folder.mkdir()
            (folder / f"{kata.name}.py").write_text(
                patch.apply(patches.reference_of(kata)), encoding="utf-8"
            )
            units.append(Unit(str(folder), kata.name, device, until=patch.caught_by))
        return run(units, katas)


def model_of(device: str) -> str:
    """The device's name as its maker has it."""
    import torch

    kind = device.partition(":")[0]
    if kind == "cuda":
        return torch.cuda.get_device_name(device)
    if kind == "mps":
        return f"Apple {platform.machine()}"
    if kind == "cpu":
        lines = (
            Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
        )
        named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
        return named[0] if named else platform.processor() or platform.machine()
    return "accelerator"


def deterministic(device: str) -> str:
    """What is set so that the numbers repeat: conftest.py and dojo.suite.devices do it, for CUDA
    alone.
    """
    if not device.startswith("cuda"):
        return f"nothing is set; each mark has to hold in all of {SEEDS} trainings"
    workspace = os.environ.get("CUBLAS_WORKSPACE_CONFIG", "not set")
    return (
        "torch.use_deterministic_algorithms(True, warn_only=True), CUBLAS_WORKSPACE_CONFIG"
        f" {workspace}"
    )


def versions(device: str) -> dict[str, str]:
    import torch

    system = f"{platform.system()} {platform.machine()}"
    found = {"python": platform.python_version(), "torch": version("torch"), "system": system}
    if device.startswith("cuda"):
        found["cuda"] = str(torch.version.cuda)
    return found
