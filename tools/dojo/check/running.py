"""Runs the suite for a learner, and shows its progress."""

from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn

from dojo import ROOT, UserError
from dojo.catalog import Kata
from dojo.check.server.client import run
from dojo.check.store import KATAS
from dojo.results import Outcome, TestResult, Verdict
from dojo.suite.unit import Unit


class NoTarget(UserError):
    """The target is not a folder; the message says so."""


class NoDevice(UserError):
    """The device asked for is not present; the message says why."""


def judge(target: str, katas: list[Kata], device: str, console: Console) -> Verdict:
    """Run the tests of these katas on a target.

    Raises NoTarget if there is no such folder, NoDevice if a device asked for by name is absent.
    """
    folder = find_target(target)
    units = [Unit(str(folder), kata.name, device) for kata in katas]
    columns = SpinnerColumn(), "{task.description}", BarColumn(bar_width=24), "{task.fields[count]}"
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as progress:
        bar = progress.add_task("starting Python and torch", total=None, count="")
        finished: set[tuple[str, str, str]] = set()

        def show(unit: Unit, result: TestResult) -> None:
            finished.add((unit.kata, result.name, result.device))
            progress.update(bar, description=f"testing {unit.kata}", count=f"{len(finished)} tests")

        results = run(units, katas, on_result=show)
    verdict = Verdict(target, tuple(results))
    if device not in ("auto", "cpu"):
        tests = [test for task in verdict.tasks for test in task.tests if test.device == device]
        if tests and all(test.outcome == Outcome.SKIPPED for test in tests):
            reason = tests[0].message
            raise NoDevice(f"--device {device}: {reason}. Leave --device out to use what is there.")
    return verdict


def find_target(target: str) -> Path:
    """The folder meant by --target, relative to the current folder or to the repository."""
    for folder in (Path(target), ROOT / target):
        if folder.is_dir():
            # macOS and Windows know it as Katas, too
            is_own = KATAS.is_dir() and folder.samefile(KATAS)
            return KATAS if is_own else folder.resolve()
    raise NoTarget(f"--target {target}: there is no such folder. Give one that holds kata files.")
