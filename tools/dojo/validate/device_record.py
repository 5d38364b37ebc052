"""What was found on a device, as it is kept: reference/validation/<device>-<model>.json."""

import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from dojo import ROOT
from dojo.results import Outcome

FOLDER = ROOT / "reference" / "validation"
LEFT_OUT = "left out"  # of a task: its own tests say that this device has no part in it
TOLERANCE = {"forward": 1e-4, "loss": 1e-3}
WHY = (
    "relative to the largest number of each tensor. float32 keeps 24 bits (6e-8), and a device adds"
    " in an order of its own, which costs some digits in the sums of a layer; over the steps of a"
    " training such differences grow"
)


@dataclass(frozen=True)
class OnDevice:
    """One kata on a device.

    Attributes:
        content: hash of the reference, its tests and marks.
        date: when it was looked at.
        versions: with what: Python, torch, the system.
        tasks: task → "outcome" of its tests on this device, their "seconds", and "why" it is not
            passed; "skipped" has the reasons of tests that leave this device out by themselves.
            Without a task that has no test there.
        drift: "forward" and "loss" → largest absolute and relative difference to the CPU.
        marks: mark → trainings run there ("seeds"), and how many of them "met" it.
        variants: other right solutions, "passed" of "total".
        mistakes: mistakes of placement, "caught" there, caught "elsewhere" alone, and the "total".
    """

    content: str
    date: str = ""
    versions: dict[str, str] = field(default_factory=dict)
    tasks: dict[str, dict] = field(default_factory=dict)
    drift: dict[str, dict[str, float]] = field(default_factory=dict)
    marks: dict[str, dict[str, int]] = field(default_factory=dict)
    variants: dict[str, int] = field(default_factory=lambda: {"passed": 0, "total": 0})
    mistakes: dict[str, int] = field(
        default_factory=lambda: {"caught": 0, "elsewhere": 0, "total": 0}
    )

    @property
    def passed(self) -> list[str]:
        """The tasks whose tests passed there."""
        return [task for task, told in self.tasks.items() if told["outcome"] == Outcome.PASSED]

    @property
    def problems(self) -> list[str]:
        """What did not go as it must, in words."""
        found = [
            f"{task} {told['outcome']}" + (f": {told['why']}" if told.get("why") else "")
            for task, told in self.tasks.items()
            if told["outcome"] not in (Outcome.PASSED, LEFT_OUT)
        ]
        for kind, difference in self.drift.items():
            if not difference["relative"] <= TOLERANCE[kind]:  # NaN is over every tolerance
                found.append(
                    f"{kind} drifts by {difference['relative']:.1e}, more than {TOLERANCE[kind]:g}"
                )
        for mark, told in self.marks.items():
            if told["met"] < told["seeds"]:
                found.append(f"{mark} met by {told['met']} of {told['seeds']} trainings")
        if self.variants["passed"] < self.variants["total"]:
            found.append("{passed} of {total} other right solutions passed".format(**self.variants))
        if self.mistakes["caught"] + self.mistakes["elsewhere"] < self.mistakes["total"]:
            told = (
                "{caught} of {total} mistakes of placement caught, {elsewhere} more on the CPU"
                " alone"
            )
            found.append(told.format(**self.mistakes))
        return found

    @property
    def left_out(self) -> Iterator[tuple[str, str]]:
        """Tasks with tests that leave this device out by themselves, and why."""
        return ((task, why) for task, told in self.tasks.items() for why in told.get("skipped", ()))


@dataclass(frozen=True)
class DeviceRecord:
    """What was found on one device, kata by kata; the tolerance is that by which all of them are
    judged.
    """

    device: str  # cpu, cuda, mps or simulated
    model: str
    deterministic: str
    katas: dict[str, OnDevice]
    tolerance: dict[str, float] = field(default_factory=lambda: dict(TOLERANCE))
    tolerance_why: str = WHY

    @property
    def file_name(self) -> str:
        return f"{self.device}-{re.sub('[^a-z0-9]+', '-', self.model.lower()).strip('-')}.json"


def write(made: DeviceRecord) -> Path:
    """Keep a record. Katas that were not looked at now keep all that an earlier record of the same
    device says.
    """
    path = FOLDER / made.file_name
    earlier = read(path)
    katas = (earlier.katas if earlier else {}) | made.katas
    document = asdict(made) | {"katas": {name: asdict(katas[name]) for name in sorted(katas)}}
    unfinished = path.with_name(f"{path.name}.unfinished")
    unfinished.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8", newline="\n")
    unfinished.replace(path)
    return path


def read(path: Path) -> DeviceRecord | None:
    """A record, or None where there is none that can be read."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        katas = {name: OnDevice(**fields) for name, fields in document.pop("katas").items()}
        for kata in katas.values():
            _ = kata.problems, kata.passed, list(kata.left_out)  # they read every field
        return DeviceRecord(**document, katas=katas)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
