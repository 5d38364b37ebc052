"""The references on a real device: what passes there, how far the numbers lie from the CPU's, whether the marks hold.

`python tools/validate --device cuda` writes reference/validation/cuda-<model>.json, which is read again by `--devices`.
"""

import json
import platform
import re
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from importlib.metadata import version
from pathlib import Path

from dojo import ROOT, record
from dojo.catalog import Kata
from dojo.suite.run import run
from dojo.suite.unit import Unit
from dojo.validate import marks, parts, patches
from dojo.validate.patches import placement_tests
from dojo.verdict import FAILED, PASSED, KataResult, TestResult

FOLDER = ROOT / "reference" / "validation"
SEEDS = 5  # trainings of each mark on the device
TOLERANCE = {"forward": 1e-4, "loss": 1e-3}
WHY = (
    "relative to the largest number of each tensor. float32 keeps 24 bits (6e-8), and a device adds in an order of its own, "
    "which costs some digits in the sums of a layer; over the steps of a training such differences grow"
)


@dataclass(frozen=True)
class OnDevice:
    """One kata on a device.

    Attributes:
        content: hash of the reference, its tests and marks.
        tasks: task → outcome of its tests on this device, and their seconds; without a task that has none.
        drift: "forward" and "loss" → largest absolute and relative difference to the CPU.
        marks: mark → trainings run there, and how many of them met it.
    """

    content: str
    tasks: dict[str, dict] = field(default_factory=dict)
    drift: dict[str, dict[str, float]] = field(default_factory=dict)
    marks: dict[str, dict[str, int]] = field(default_factory=dict)

    @property
    def problems(self) -> list[str]:
        """What did not go as it must, in words."""
        found = [f"{task} {told['outcome']}" for task, told in self.tasks.items() if told["outcome"] != PASSED]
        for kind, difference in self.drift.items():
            if not difference["relative"] <= TOLERANCE[kind]:  # NaN is over every tolerance
                found.append(f"{kind} drifts by {difference['relative']:.1e}, more than {TOLERANCE[kind]:g}")
        for mark, told in self.marks.items():
            if told["met"] < told["seeds"]:
                found.append(f"{mark} met by {told['met']} of {told['seeds']} trainings")
        return found


@dataclass(frozen=True)
class DeviceRecord:
    """What was found on one device."""

    device: str  # cpu, cuda, mps or simulated
    model: str
    date: str
    versions: dict[str, str]
    deterministic: str
    tolerance: dict[str, float]
    tolerance_why: str
    katas: dict[str, OnDevice]
    variants: dict[str, int]
    placement_mistakes: dict[str, int]

    @property
    def file_name(self) -> str:
        return f"{self.device}-{re.sub('[^a-z0-9]+', '-', self.model.lower()).strip('-')}.json"


def examine(device: str, katas: Sequence[Kata], say: Callable[[str], None]) -> tuple[DeviceRecord, list[str]]:
    """Run everything on the device. Returns the record, and what is wrong, in words.

    Args:
        device: one that is present, such as "cuda" or "cuda:1".
        katas: those to look at.
        say: told what is being done.
    """
    say("the references")
    results = run([Unit("reference", kata.name, device, drift=True) for kata in katas], katas)
    say(f"their trainings, from {SEEDS} seeds")
    training = [kata for kata in katas if marks.training_tests(kata)]
    trained = run([Unit("reference", kata.name, device, timeout=60, measure=(0, SEEDS)) for kata in training], katas)
    reached = {result.name: marks_met(result) for result in trained}
    found = {result.name: on_device(result, device, reached.get(result.name, {})) for result in results}
    problems = [f"{name}: {problem}" for name, kata in found.items() for problem in kata.problems]
    problems += [f"{name}: {line}" for name, line in _failures(results)]
    say("other right solutions")
    variants, wrong = _variants(device, katas)
    problems += wrong
    say("mistakes of placement")
    mistakes, wrong = _mistakes(device, katas)
    problems += wrong
    made = DeviceRecord(
        device=device.partition(":")[0],
        model=model_of(device),
        date=str(date.today()),
        versions=versions(device),
        deterministic="torch.use_deterministic_algorithms(True, warn_only=True)",
        tolerance=TOLERANCE,
        tolerance_why=WHY,
        katas=found,
        variants=variants,
        placement_mistakes=mistakes,
    )
    return made, problems


def on_device(result: KataResult, device: str, marks_met: dict[str, dict[str, int]]) -> OnDevice:
    """One kata's results, reduced to its tests on the device."""
    tasks, drift = {}, {}
    for task in result.tasks:
        here = [test for test in task.tests if test.device == device]
        if here:
            tasks[task.name] = {"outcome": _outcome(here), "seconds": round(sum(test.seconds for test in here), 3)}
        for difference in (difference for test in here for difference in test.drift):
            largest = drift.setdefault(difference.kind, {"absolute": 0.0, "relative": 0.0})
            for name in largest:
                value = getattr(difference, name)
                largest[name] = value if not value <= largest[name] else largest[name]
    return OnDevice(record.content_hash(result.name), tasks, drift, marks_met)


def _outcome(tests: Iterable[TestResult]) -> str:
    """Passed only if every test passed: here a skip is none."""
    return next((test.outcome for test in tests if test.outcome != PASSED), PASSED)


def marks_met(result: KataResult) -> dict[str, dict[str, int]]:
    """Mark → how many of the trainings met it. One that broke down reached nothing, and counts as a training all the same."""
    met: dict[str, dict[str, int]] = {}
    for number in result.measured:
        told = met.setdefault(number.mark, {"seeds": SEEDS, "met": 0})
        told["met"] += number.value is not None and (
            number.value <= number.bound if number.at_most else number.value >= number.bound
        )
    return met


def _failures(results: Sequence[KataResult]) -> list[tuple[str, str]]:
    tests = [(result.name, test) for result in results for task in result.tasks for test in task.tests]
    return [(name, f"{test.name} on {test.device}: {test.message}") for name, test in tests if test.outcome == FAILED]


def _variants(device: str, katas: Sequence[Kata]) -> tuple[dict[str, int], list[str]]:
    ready = [(kata, patch) for kata in katas for patch in patches.load("variant", kata.name)]
    results = _run_patched(ready, device, katas)
    wrong = []
    for (_, patch), result in zip(ready, results, strict=True):
        wrong += [f"{patch.kata}, '{patch.name}': {text}" for _, text in _failures([result])]
    passed = sum(not _failures([result]) for result in results)
    return {"passed": passed, "total": len(ready)}, wrong


def _mistakes(device: str, katas: Sequence[Kata]) -> tuple[dict[str, int], list[str]]:
    ready = [
        (kata, patch)
        for kata in katas
        for patch in patches.load("mistake", kata.name)
        if patch.caught_by.partition("[")[0] in placement_tests(kata)
    ]
    wrong, there, beside = [], _run_patched(ready, device, katas), _run_patched(ready, "cpu", katas)
    for (_, patch), result, other in zip(ready, there, beside, strict=True):
        problems = parts.check_mistake(patch, result)
        if problems and parts.check_mistake(patch, other):  # this device, written into the code, is wrong on others only
            wrong += problems
    return {"caught": len(ready) - len(wrong), "total": len(ready)}, wrong


def _run_patched(ready: Sequence[tuple[Kata, patches.Patch]], device: str, katas: Sequence[Kata]) -> list[KataResult]:
    units = []
    with tempfile.TemporaryDirectory() as scratch:
        for number, (kata, patch) in enumerate(ready):
            folder = Path(scratch) / str(number)
            folder.mkdir()
            (folder / f"{kata.name}.py").write_text(patch.apply(patches.reference_of(kata)), encoding="utf-8")
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
        lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
        named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
        return named[0] if named else platform.processor() or platform.machine()
    return "accelerator"


def versions(device: str) -> dict[str, str]:
    import torch

    system = f"{platform.system()} {platform.machine()}"
    found = {"python": platform.python_version(), "torch": version("torch"), "system": system}
    if device.startswith("cuda"):
        found["cuda"] = str(torch.version.cuda)
    return found


def write(made: DeviceRecord) -> Path:
    """Keep a record. Katas that were not looked at now keep what an earlier record of the same device says."""
    path = FOLDER / made.file_name
    earlier = read(path)
    document = asdict(made)
    if earlier is not None:
        document["katas"] = {name: asdict(kata) for name, kata in earlier.katas.items()} | document["katas"]
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    return path


def read(path: Path) -> DeviceRecord | None:
    """A record, or None where there is none that can be read."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        katas = {name: OnDevice(**fields) for name, fields in document.pop("katas").items()}
        return DeviceRecord(**document, katas=katas)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
