"""What one kata's run is to do."""

import re
from dataclasses import dataclass, field

KINDS = ("cpu", "cuda", "mps", "simulated")  # of devices
ACCEPTED = "auto, cpu, cuda, mps or simulated, or one with a number such as cuda:1"


def is_device(name: str) -> bool:
    """True if an option may name this device, present or not. Light: torch is not asked."""
    return name == "auto" or re.fullmatch(rf"({'|'.join(KINDS)})(:\d+)?", name) is not None


@dataclass(frozen=True)
class Unit:
    """One kata's tests on one target.

    Attributes:
        target: the folder that holds the kata's file.
        kata: the kata's name.
        device: auto, cpu, cuda, mps or simulated.
        timeout: seconds that a test may compute, instead of those in pyproject.toml.
        measure: instead of judging, record what the trainings reach from these seeds: (first, one
            after the last).
        only: run the tests of this name alone; all if it is empty.
        until: the tests after the last one of this name are left out; none if it is empty.
        spoiled: run each placement test again on a kata that is wrong on the device.
        drift: also record how far the device's numbers lie from the CPU's.
        stop: end with the first test that does not pass, and take those last that hold a training
            against a mark.
        at: the folder from which it runs, where the code under test may write; the repository if it
            is empty.
        done: tests that an earlier child has judged, test id → [task, outcome]; they are not run
            again.
        number: its place among the units of a run.
    """

    target: str
    kata: str
    device: str = "auto"
    timeout: float | None = None
    measure: tuple[int, int] | None = None
    only: str = ""
    until: str = ""
    drift: bool = False
    spoiled: bool = False
    stop: bool = False
    at: str = ""
    done: dict[str, list[str]] = field(default_factory=dict, hash=False)
    number: int = 0
