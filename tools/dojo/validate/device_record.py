"""What was found on a device, as it is kept (reference/validation/<device>-<model>.json), and the
table of what the records say of each device.
"""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec
from rich.table import Table
from rich.text import Text

from dojo import ROOT, files, reference_results
from dojo.catalog import Kata
from dojo.results import Outcome

FOLDER = ROOT / "reference" / "validation"
KINDS = ("cuda", "mps")  # of devices that are wanted: where no record is, the table says "not run"
LEFT_OUT = "left out"  # of a task: its own tests say that this device has no part in it
TOLERANCE = {"forward": 1e-4, "loss": 1e-3}
WHY = (
    "relative to the largest number of each tensor. float32 keeps 24 bits (6e-8), and a device adds"
    " in an order of its own, which costs some digits in the sums of a layer; over the steps of a"
    " training such differences grow"
)
STYLES = {
    "passed": "green",
    "FAILED": "red",
    "older": "yellow",
    "skipped": "yellow",
    "not run": "dim",
    "no tests": "dim",
}


class TaskOnDevice(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the tests of a task came to on a device.

    Attributes:
        outcome: an Outcome or LEFT_OUT.
        why: the first line of what is wrong, if it is not passed.
        skipped: the reasons of tests that leave this device out by themselves.
    """

    outcome: str
    seconds: float
    why: str = ""
    skipped: tuple[str, ...] = ()


@dataclass(frozen=True)
class Difference:
    """The largest difference to the CPU's numbers; None if it is no finite number."""

    absolute: float | None
    relative: float | None

    @property
    def share(self) -> float:
        """The relative difference, as a number; NaN if it is not finite."""
        return math.nan if self.relative is None else self.relative


@dataclass(frozen=True)
class MarkMet:
    """Trainings that were run, and how many of them met a mark."""

    seeds: int
    met: int


@dataclass(frozen=True)
class Variants:
    """Other right solutions: how many passed."""

    passed: int = 0
    total: int = 0


@dataclass(frozen=True)
class Mistakes:
    """Mistakes of placement: caught on the device, and those that only another device catches."""

    caught: int = 0
    elsewhere: int = 0
    total: int = 0


@dataclass(frozen=True)
class OnDevice:
    """One kata on a device.

    Attributes:
        content: hash of the reference, its tests and marks.
        date: when it was examined.
        versions: with which Python, torch and system.
        tasks: those with a test on the device.
        drift: "forward" and "loss" → the largest difference to the CPU.
        marks: of each mark the trainings on the device.
    """

    content: str
    date: str = ""
    versions: dict[str, str] = field(default_factory=dict)
    tasks: dict[str, TaskOnDevice] = field(default_factory=dict)
    drift: dict[str, Difference] = field(default_factory=dict)
    marks: dict[str, MarkMet] = field(default_factory=dict)
    variants: Variants = Variants()
    mistakes: Mistakes = Mistakes()

    @property
    def passed(self) -> list[str]:
        """The tasks whose tests passed there."""
        return [name for name, task in self.tasks.items() if task.outcome == Outcome.PASSED]

    @property
    def problems(self) -> list[str]:
        """What did not go as it must, in words."""
        found = [
            f"{name} {task.outcome}" + (f": {task.why}" if task.why else "")
            for name, task in self.tasks.items()
            if task.outcome not in (Outcome.PASSED, LEFT_OUT)
        ]
        for kind, difference in self.drift.items():
            if not difference.share <= TOLERANCE[kind]:  # NaN is over every tolerance
                found.append(
                    f"{kind} drifts by {difference.share:.1e}, more than {TOLERANCE[kind]:g}"
                )
        for mark, trainings in self.marks.items():
            if trainings.met < trainings.seeds:
                found.append(f"{mark} met by {trainings.met} of {trainings.seeds} trainings")
        variants, mistakes = self.variants, self.mistakes
        if variants.passed < variants.total:
            found.append(f"{variants.passed} of {variants.total} other right solutions passed")
        if mistakes.caught + mistakes.elsewhere < mistakes.total:
            found.append(
                f"{mistakes.caught} of {mistakes.total} mistakes of placement caught,"
                f" {mistakes.elsewhere} more on the CPU alone"
            )
        return found

    @property
    def left_out(self) -> Iterator[tuple[str, str]]:
        """Tasks with tests that leave this device out by themselves, and why."""
        return ((name, why) for name, task in self.tasks.items() for why in task.skipped)


@dataclass(frozen=True)
class DeviceRecord:
    """What was found on one device, kata by kata; all are judged by the same tolerance."""

    device: str  # cpu, cuda, mps or simulated
    model: str
    deterministic: str
    katas: dict[str, OnDevice]
    tolerance: dict[str, float] = field(default_factory=lambda: dict(TOLERANCE))
    tolerance_why: str = WHY

    @property
    def file_name(self) -> str:
        return f"{self.device}-{re.sub('[^a-z0-9]+', '-', self.model.lower()).strip('-')}.json"


def write(record: DeviceRecord) -> Path:
    """Keep a record; katas that are not in it stay as an earlier record has them."""
    path = FOLDER / record.file_name
    earlier = files.read_json(path, DeviceRecord)
    katas = (earlier.katas if earlier else {}) | record.katas
    files.write_json(path, replace(record, katas=dict(sorted(katas.items()))))
    return path


def load(folder: Path = FOLDER) -> tuple[list[DeviceRecord], list[str]]:
    """The records of devices that can be read, and the names of the files that can't."""
    paths = sorted(folder.glob("*-*.json"))
    records = {path.name: files.read_json(path, DeviceRecord) for path in paths}
    readable = [record for record in records.values() if record]
    return readable, [name for name, record in records.items() if not record]


def table(katas: Sequence[Kata], records: Sequence[DeviceRecord]) -> Table:
    """A row for each kata, a column for each device."""
    columns: dict[str, DeviceRecord | None] = {
        f"{record.device}: {record.model}": record for record in records
    }
    measured = {record.device for record in records}
    columns |= dict.fromkeys(kind for kind in KINDS if kind not in measured)
    made = Table(title="What the records say of each device", title_justify="left", pad_edge=False)
    for title in ("kata", *columns):
        made.add_column(title)
    for kata in katas:
        cells = []
        for record in columns.values():
            state, detail = cell(kata.name, record)
            cells.append(Text.assemble((state, STYLES[state]), f"  {detail}" if detail else ""))
        made.add_row(kata.short, *cells)
    return made


def cell(kata: str, record: DeviceRecord | None) -> tuple[str, str]:
    """What the table says of a kata on a device: state and detail. Only tests that passed pass."""
    entry = record.katas.get(kata) if record else None
    if entry is None:
        return "not run", ""
    if entry.content != reference_results.content_hash(kata):
        return "older", "than the reference"
    if entry.problems:
        return "FAILED", entry.problems[0]
    if not entry.tasks:
        return "no tests", "on a device"
    return "passed" if entry.passed else "skipped", _detail(entry)


def _detail(entry: OnDevice) -> str:
    """The tasks that passed, what was skipped and why, the largest drift, the marks met."""
    parts = [f"{len(entry.passed)} task{'s' * (len(entry.passed) != 1)}"] if entry.passed else []
    if entry.drift:
        parts.append(f"drift {max(difference.share for difference in entry.drift.values()):.0e}")
    if entry.marks:
        seeds = min(trainings.seeds for trainings in entry.marks.values())
        parts.append(f"marks held, {seeds} seeds")
    for task, why in entry.left_out:
        what = task if entry.tasks[task].outcome == LEFT_OUT else f"a test of {task}"
        parts.append(f"{what} skipped: {why}")
    return ", ".join(parts)


def summary(record: DeviceRecord) -> str:
    """What was judged on a device beside the references, and when, with which versions."""
    runs: dict[str, int] = {}
    for entry in record.katas.values():
        versions = [f"{name} {number}" for name, number in entry.versions.items()]
        run = ", ".join([entry.date, *versions])
        runs[run] = runs.get(run, 0) + 1
    counted = "; ".join(
        f"{number} kata{'s' * (number != 1)} on {run}" for run, number in runs.items()
    )
    variants = [entry.variants for entry in record.katas.values()]
    mistakes = [entry.mistakes for entry in record.katas.values()]
    passed, total = sum(each.passed for each in variants), sum(each.total for each in variants)
    caught, placed = sum(each.caught for each in mistakes), sum(each.total for each in mistakes)
    return (
        f"{record.device}: {counted}. Other right solutions passed: {passed}/{total}. Placement"
        f" mistakes caught there: {caught}/{placed},"
        f" {sum(each.elsewhere for each in mistakes)} more on the CPU alone."
    )
