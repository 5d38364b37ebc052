"""The references on a real device: what passes there, how far the numbers lie from the CPU's,
whether the marks hold.

`python tools/validate device cuda` writes reference/validation/cuda-<model>.json, and `python
tools/validate devices` reads it. Only what was seen on the device counts: no report, a skip, or a
test that ran on the CPU is never a pass there.
"""

import math
import os
import platform
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from importlib.metadata import version
from pathlib import Path

from dojo import ROOT, reference_results, simulated
from dojo.catalog import Kata
from dojo.results import NO_TEST, KataResult, Outcome, TaskResult, TestResult
from dojo.suite.supervisor import run
from dojo.suite.unit import Unit
from dojo.validate import Finding, Say, device_record, marks, parts, patches
from dojo.validate.device_record import DeviceRecord, MarkMet, Mistakes, OnDevice, TaskOnDevice
from dojo.validate.patched import Tried
from dojo.validate.patches import Patch
from dojo.validate.test_files import placement_tests, run_texts

SEEDS = 5  # trainings of each mark on the device
SECONDS_A_TRAINING = 60


def measure(device: str, katas: Sequence[Kata], say: Say) -> Finding:
    """Examine a device that is present, and keep its record."""
    record, problems = examine(device, katas, lambda text: say(f"{device}: {text}"))
    path = device_record.write(record)
    return Finding(problems, f"{path.relative_to(ROOT).as_posix()} written")


def examine(device: str, katas: Sequence[Kata], say: Say) -> tuple[DeviceRecord, list[str]]:
    """Run everything on the device. Returns the record, and what is wrong, in words.

    Args:
        device: one that is present, such as "cuda" or "cuda:1".
        say: called with what is done next.
    """
    say("the references")
    results = run([Unit("reference", kata.name, device, drift=True) for kata in katas], katas)
    entries = {result.name: on_device(result, device) for result in results}
    problems = [f"{name}: {line}" for name, line in _failures(results)]
    # the rest never goes to a device: it would be judged on the CPU
    present = [kata for kata in katas if entries[kata.name].tasks]
    say(f"their trainings, from {SEEDS} seeds")
    training = {kata.name: names for kata in present if (names := marks_of(kata))}
    unit = Unit("reference", "", device, timeout=SECONDS_A_TRAINING, measure=(0, SEEDS))
    trained = run([replace(unit, kata=name) for name in training], katas)
    for result in trained:
        met = marks_met(result, training[result.name])
        entries[result.name] = replace(entries[result.name], marks=met)
    lines = _failures(map(of_trainings, trained))
    problems += [f"{name}, while training: {line}" for name, line in lines]
    say("other right solutions")
    for name, variants, wrong in variants_on(device, present):
        entries[name] = replace(entries[name], variants=variants)
        problems += wrong
    say("mistakes of placement")
    for name, mistakes, wrong in mistakes_on(device, present):
        entries[name] = replace(entries[name], mistakes=mistakes)
        problems += wrong
    first = [f"{name}: {problem}" for name, entry in entries.items() for problem in entry.problems]
    kind = device.partition(":")[0]
    record = DeviceRecord(kind, model_of(device), deterministic(device), entries)
    return record, list(dict.fromkeys(first + problems))


def on_device(result: KataResult, device: str) -> OnDevice:
    """One kata's results: its tests on the device, and tasks that reported nothing."""
    largest: dict[str, dict[str, float]] = {}
    for drift in (drift for test in _tests_on(device, result.tests) for drift in test.drift):
        numbers = largest.setdefault(drift.kind, {"absolute": 0.0, "relative": 0.0})
        for name in numbers:
            reached = getattr(drift, name)
            value = math.nan if reached is None else reached
            numbers[name] = value if not value <= numbers[name] else numbers[name]
    return OnDevice(
        reference_results.content_hash(result.name),
        str(date.today()),
        versions(device),
        tasks_on(result, device),
        {kind: device_record.Difference(**numbers) for kind, numbers in largest.items()},
    )


def tasks_on(result: KataResult, device: str) -> dict[str, TaskOnDevice]:
    """What the record says of each task with tests on the device."""
    passed = [test for test in result.tests if test.outcome == Outcome.PASSED]
    was_used = any(test.device == device for test in passed)
    tests = {task.name: _tests_on(device, task.tests) for task in result.tasks}
    return {name: _task(tests[name], device, was_used) for name in tests if tests[name]}


def _tests_on(device: str, tests: Iterable[TestResult]) -> list[TestResult]:
    """The tests on the device. NO_TEST is on none, and counts on each."""
    return [test for test in tests if test.device == device or test.name == NO_TEST]


def _task(tests: Sequence[TestResult], device: str, was_used: bool) -> TaskOnDevice:
    """A task is passed only if every test passed, but for those that leave the device out."""
    skipping = [test for test in tests if was_used and leaves_out(test, device)]
    others = [test for test in tests if test not in skipping]
    problem = next((test for test in others if test.outcome != Outcome.PASSED), None)
    outcome = problem.outcome if problem else Outcome.PASSED if others else device_record.LEFT_OUT
    return TaskOnDevice(
        outcome,
        round(sum(test.seconds for test in tests), 3),
        problem.headline if problem else "",
        tuple(sorted({test.message for test in skipping})),
    )


def leaves_out(test: TestResult, device: str) -> bool:
    """True if a test of ours skips the simulated device, where it would have no sense; a limit of
    that device doesn't count, and no other device does. It also skips where the device can't be
    had: then no test of its kata passes there, which the caller has to check.
    """
    is_own = test.outcome == Outcome.SKIPPED and not test.message.startswith(simulated.LIMIT)
    return is_own and test.device == device == simulated.NAME


def marks_of(kata: Kata) -> list[str]:
    """The names of the marks that its trainings are held against."""
    return [name for name in marks.read() if name.startswith(f"{kata.short}.")]


def marks_met(result: KataResult, names: Iterable[str]) -> dict[str, MarkMet]:
    """Mark → how many of the trainings met it. One that broke down met nothing."""
    met = dict.fromkeys(names, 0)
    passed = [test for test in result.tests if test.outcome == Outcome.PASSED]
    for number in (number for test in passed for number in test.measured):
        is_met = number.value is not None and (
            number.value <= number.bound if number.at_most else number.value >= number.bound
        )
        met[number.mark] = met.get(number.mark, 0) + is_met
    return {mark: MarkMet(SEEDS, count) for mark, count in met.items()}


def of_trainings(result: KataResult) -> KataResult:
    """The result without tasks that don't train: measured, they have no test."""
    training = tuple(task for task in result.tasks if task.tests[0].name != NO_TEST)
    return replace(result, tasks=training)


def _failures(results: Iterable[KataResult]) -> list[tuple[str, str]]:
    """Tests that neither passed nor were skipped, on whichever device, with the kata's name."""
    return [
        (result.name, f"{test.name} on {test.device} is {test.outcome}: {test.message}")
        for result in results
        for test in result.tests
        if test.outcome not in (Outcome.PASSED, Outcome.SKIPPED)
    ]


def variants_on(
    device: str, katas: Sequence[Kata]
) -> list[tuple[str, device_record.Variants, list[str]]]:
    """For each kata its other right solutions that pass there, and what is wrong with the rest."""
    variants = [patch for kata in katas for patch in patches.load("variant", kata.name)]
    tried = _run_patched(variants, device, katas)
    judged = []
    for name in (kata.name for kata in katas):
        results = {patch.name: result for patch, result in tried if patch.kata == name}
        problems = {patch: variant_problems(result, device) for patch, result in results.items()}
        passed = sum(not lines for lines in problems.values())
        wrong = [f"{name}, '{patch}': {line}" for patch in problems for line in problems[patch]]
        judged.append((name, device_record.Variants(passed, len(problems)), wrong))
    return judged


def variant_problems(result: KataResult, device: str) -> list[str]:
    """Why a right solution does not count as passed on the device; nothing if it does."""
    entry = OnDevice("", tasks=tasks_on(result, device))
    problems = [line for _, line in _failures([result])] or entry.problems
    return problems if problems or entry.passed else [f"no test of it passed on {device}"]


def mistakes_on(device: str, katas: Sequence[Kata]) -> list[tuple[str, Mistakes, list[str]]]:
    """For each kata its mistakes of placement that are caught there, and what is wrong with the
    rest. This device, written into the code, is right there: such a mistake is caught on the CPU.
    There, a forgotten .to(device) does no harm: it is caught on the simulated device.
    """
    mistakes = [
        patch
        for kata in katas
        for patch in patches.load("mistake", kata.name)
        if patch.caught_by.partition("[")[0] in placement_tests(kata)
    ]
    tried = _run_patched(mistakes, device, katas)
    missed = [
        patch for patch, result in tried if parts.check_mistake(patch, only_on(device, result))
    ]
    tried_again = _run_patched(missed, simulated.NAME if device == "cpu" else "cpu", katas)
    problems = [(patch.kata, missed_by(patch, result)) for patch, result in tried_again]
    judged = []
    for name in (kata.name for kata in katas):
        again = [lines for kata, lines in problems if kata == name]
        total = sum(patch.kata == name for patch in mistakes)
        figures = Mistakes(total - len(again), sum(not lines for lines in again), total)
        judged.append((name, figures, [line for lines in again for line in lines]))
    return judged


def missed_by(mistake: Patch, result: KataResult) -> list[str]:
    """Why a mistake counts as missed elsewhere; nothing if its test failed. Its words don't count:
    where there is a GPU, `.cuda()` ends in other ones than where there is none.
    """
    name = mistake.caught_by
    failed = (test for test in result.tests if test.outcome == Outcome.FAILED)
    is_caught = any(name in (test.name, test.name.partition("[")[0]) for test in failed)
    return [] if is_caught else parts.check_mistake(mistake, result)


def only_on(device: str, result: KataResult) -> KataResult:
    """The result without the tests on other devices."""
    tasks = (TaskResult(task.name, tuple(_tests_on(device, task.tests))) for task in result.tasks)
    return replace(result, tasks=tuple(tasks))


def _run_patched(chosen: Sequence[Patch], device: str, katas: Sequence[Kata]) -> list[Tried]:
    sources = {kata.name: kata.reference_text() for kata in katas}
    texts = [
        (Unit("", patch.kata, device, until=patch.caught_by), patch.apply(sources[patch.kata]))
        for patch in chosen
    ]
    return list(zip(chosen, run_texts(texts, katas), strict=True))


def model_of(device: str) -> str:
    """The device's name as its maker has it."""
    import torch

    kind = device.partition(":")[0]
    if kind == "cuda":
        return torch.cuda.get_device_name(device)
    if kind == "mps":
        return f"Apple {platform.machine()}"
    if kind == "cpu":
        table = Path("/proc/cpuinfo")
        lines = table.read_text(encoding="utf-8").splitlines() if table.exists() else []
        names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
        return next(names, platform.processor() or platform.machine())
    return "accelerator"


def deterministic(device: str) -> str:
    """What is set so that the numbers repeat, by conftest.py and suite/devices.py."""
    if not device.startswith("cuda"):
        return f"nothing is set; each mark has to hold in all of {SEEDS} trainings"
    workspace = os.environ.get("CUBLAS_WORKSPACE_CONFIG", "not set")
    return (
        "torch.use_deterministic_algorithms(True, warn_only=True), CUBLAS_WORKSPACE_CONFIG"
        f" {workspace}"
    )


def versions(device: str) -> dict[str, str]:
    """Python, torch, the system and, for CUDA, its version."""
    import torch

    system = f"{platform.system()} {platform.machine()}"
    found = {"python": platform.python_version(), "torch": version("torch"), "system": system}
    if device.startswith("cuda"):
        found["cuda"] = str(torch.version.cuda)
    return found
