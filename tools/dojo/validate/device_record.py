"""The record of a device, reference/validation/<device>-<model>.json, and the table of them all."""

import math
import re
from collections import Counter
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
STYLES = {"passed": "green", "FAILED": "red", "older": "yellow", "skipped": "yellow"}  # else dim


class TaskOnDevice(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the tests of a task came to on a device."""

    outcome: str  # an Outcome or LEFT_OUT
    seconds: float
    why: str = ""  # the first line of what is wrong, if it is not passed
    skipped: tuple[str, ...] = ()  # the reasons of tests that leave this device out by themselves


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
    """One kata on a device."""

    content: str  # hash of the reference, its tests and marks
    date: str = ""
    versions: dict[str, str] = field(default_factory=dict)  # of Python, torch and system
    tasks: dict[str, TaskOnDevice] = field(default_factory=dict)  # those with a test there
    drift: dict[str, Difference] = field(default_factory=dict)  # "forward" and "loss"
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
        return list(self._faults())

    def _faults(self) -> Iterator[str]:
        for name, task in self.tasks.items():
            if task.outcome not in (Outcome.PASSED, LEFT_OUT):
                yield f"{name} {task.outcome}" + (f": {task.why}" if task.why else "")
        for kind, difference in self.drift.items():
            if not difference.share <= TOLERANCE[kind]:  # NaN is over every tolerance
                yield f"{kind} drifts by {difference.share:.1e}, more than {TOLERANCE[kind]:g}"
        for mark, trainings in self.marks.items():
            if trainings.met < trainings.seeds:
                yield f"{mark} met by {trainings.met} of {trainings.seeds} trainings"
        variants, mistakes = self.variants, self.mistakes
        if variants.passed < variants.total:
            yield f"{variants.passed} of {variants.total} other right solutions passed"
        if mistakes.caught + mistakes.elsewhere < mistakes.total:
            caught = f"{mistakes.caught} of {mistakes.total} mistakes of placement caught"
            yield f"{caught}, {mistakes.elsewhere} more elsewhere"

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
    files.write_record(path, replace(record, katas=dict(sorted(katas.items()))))
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
    title = "What the records say of each device"
    table = Table("kata", *columns, title=title, title_justify="left", pad_edge=False)
    for kata in katas:
        cells = []
        for record in columns.values():
            state, detail = cell(kata.name, record)
            style = STYLES.get(state, "dim")
            cells.append(Text.assemble((state, style), f"  {detail}" if detail else ""))
        table.add_row(kata.short, *cells)
    return table


def cell(kata: str, record: DeviceRecord | None) -> tuple[str, str]:
    """A kata's cell of the table: state and detail. Only tests that passed pass."""
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
    """A line on a device: when, with which versions, and what was judged beside the references."""
    entries = record.katas.values()
    runs = Counter(
        ", ".join([entry.date, *(f"{name} {number}" for name, number in entry.versions.items())])
        for entry in entries
    )
    counts = [f"{number} kata{'s' * (number != 1)} on {run}" for run, number in runs.items()]
    passed = sum(entry.variants.passed for entry in entries)
    total = sum(entry.variants.total for entry in entries)
    caught = sum(entry.mistakes.caught for entry in entries)
    placed = sum(entry.mistakes.total for entry in entries)
    return (
        f"{record.device}: {'; '.join(counts)}. Other right solutions passed: {passed}/{total}."
        f" Placement mistakes caught there: {caught}/{placed},"
        f" {sum(entry.mistakes.elsewhere for entry in entries)} more elsewhere."
    )
