"""What one child process is asked to judge."""

from dataclasses import dataclass, field

from dojo import simulated

DEVICES = ("auto", "cpu", "cuda", "mps", simulated.NAME)  # auto: all that are there, and the simulated one where no GPU is


@dataclass(frozen=True)
class Unit:
    """One kata's tests on one target.

    Attributes:
        target: the folder that holds the kata's file.
        kata: the kata's name.
        device: one of DEVICES.
        timeout: seconds a test may take, instead of those in pyproject.toml.
        measure: instead of judging, record what the trainings reach from these seeds: (first, one after the last).
        done: tests that an earlier child has judged, test id → [task, outcome]; they are not run again.
        number: its place among the units of a run.
    """

    target: str
    kata: str
    device: str = "auto"
    timeout: float | None = None
    measure: tuple[int, int] | None = None
    done: dict[str, list[str]] = field(default_factory=dict, hash=False)
    number: int = 0
