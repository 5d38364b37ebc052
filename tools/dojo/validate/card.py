"""The report card of the devices: kata by kata, what the records say."""

from collections.abc import Sequence
from pathlib import Path

from rich.table import Table
from rich.text import Text

from dojo import reference_results
from dojo.catalog import Kata
from dojo.validate.device_record import FOLDER, LEFT_OUT, DeviceRecord, OnDevice, read

KINDS = ("cuda", "mps")  # those that are wanted: where no record is, "not run" is said
STYLES = {
    "passed": "green",
    "FAILED": "red",
    "older": "yellow",
    "skipped": "yellow",
    "not run": "dim",
    "no tests": "dim",
}


def load(folder: Path = FOLDER) -> tuple[list[DeviceRecord], list[str]]:
    """The records of devices that can be read, and the names of the files that can't."""
    files = sorted(path for path in folder.glob("*-*.json"))
    found = {path.name: read(path) for path in files}
    return [made for made in found.values() if made], [
        name for name, made in found.items() if not made
    ]


def cell(kata: str, made: DeviceRecord | None) -> tuple[str, str]:
    """What the card says of a kata on a device, as (state, detail). Only a present record with
    tests that passed is a pass.
    """
    entry = made.katas.get(kata) if made else None
    if entry is None:
        return "not run", ""
    if entry.content != reference_results.content_hash(kata):
        return "older", "than the reference"
    if entry.problems:
        return "FAILED", entry.problems[0]
    if not entry.tasks:
        return "no tests", "on a device"
    return "passed" if entry.passed else "skipped", detail(entry)


def detail(entry: OnDevice) -> str:
    """The tasks that passed, what was skipped and why, the largest drift, and the trainings that
    met their marks.
    """
    said = [f"{len(entry.passed)} task{'s' * (len(entry.passed) != 1)}"] if entry.passed else []
    if entry.drift:
        said.append(
            f"drift {max(difference['relative'] for difference in entry.drift.values()):.0e}"
        )
    if entry.marks:
        seeds = min(told["seeds"] for told in entry.marks.values())
        said.append(f"marks held, {seeds} seeds")
    for task, why in entry.left_out:
        what = task if entry.tasks[task]["outcome"] == LEFT_OUT else f"a test of {task}"
        said.append(f"{what} skipped: {why}")
    return ", ".join(said)


def table(katas: Sequence[Kata], records: Sequence[DeviceRecord]) -> Table:
    """A row for each kata, a column for each device."""
    columns: list[tuple[str, DeviceRecord | None]] = [
        (f"{made.device}: {made.model}", made) for made in records
    ]
    columns += [(kind, None) for kind in KINDS if kind not in {made.device for made in records}]
    card = Table(title="What the records say of each device", title_justify="left", pad_edge=False)
    card.add_column("kata")
    for title, _ in columns:
        card.add_column(title)
    for kata in katas:
        cells = []
        for _, made in columns:
            state, told = cell(kata.name, made)
            cells.append(Text.assemble((state, STYLES[state]), f"  {told}" if told else ""))
        card.add_row(kata.short, *cells)
    return card


def summary(records: Sequence[DeviceRecord]) -> list[str]:
    """For each record what was judged there beside the references, and when, with which
    versions.
    """
    lines = []
    for made in records:
        runs: dict[str, int] = {}
        for entry in made.katas.values():
            told = ", ".join(
                [entry.date, *(f"{name} {number}" for name, number in entry.versions.items())]
            )
            runs[told] = runs.get(told, 0) + 1
        runs_said = "; ".join(
            f"{count} kata{'s' * (count != 1)} on {told}" for told, count in runs.items()
        )
        passed, variants = _total(made, "variants", "passed"), _total(made, "variants", "total")
        caught, mistakes = _total(made, "mistakes", "caught"), _total(made, "mistakes", "total")
        elsewhere = _total(made, "mistakes", "elsewhere")
        lines.append(
            f"{made.device}: {runs_said}. Other right solutions passed: {passed}/{variants}."
            f" Placement mistakes caught there: {caught}/{mistakes}, {elsewhere} more on the CPU"
            " alone."
        )
    return lines


def _total(made: DeviceRecord, what: str, which: str) -> int:
    return sum(getattr(entry, what)[which] for entry in made.katas.values())
