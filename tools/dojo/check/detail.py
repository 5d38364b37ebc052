"""The screen of one kata: every task, every test, every failure once in full."""

from textwrap import indent

from rich.markup import escape

from dojo.catalog import Kata
from dojo.check.overview import compared
from dojo.console import STYLES, Screen
from dojo.record import Entry
from dojo.verdict import FAILED, PASSED, SKIPPED, KataResult, TaskResult, TestResult


def show(screen: Screen, kata: Kata, result: KataResult, record: Entry | None) -> None:
    out = screen.console.print
    out(f"\n[bold]{kata.short}  {escape(kata.title)}[/]  [{STYLES[result.outcome]}]{result.outcome}[/]")
    told: set[str] = set()
    for task in result.tasks:
        out(f"\n  {screen.mark(task.outcome)} [bold]{task.name}[/]  [dim]{task.outcome}[/]")
        for test in task.tests:
            out(f"      {_line(screen, test)}")
        for number in (number for test in task.tests for number in test.measured):
            out(f"      [dim]{escape(compared(number, record))}[/]")
        _failures(screen, task, told)
    if result.outcome == PASSED:
        out(f"\n[green]Learned:[/] {escape(kata.learned)}")
    else:
        out(f"\n[dim]A hint: python tools/check hint {kata.short}[/]")


def _line(screen: Screen, test: TestResult) -> str:
    device = "" if test.device == "cpu" else f" on {test.device}"
    reason = f"[dim]: {escape(test.message)}[/]" if test.outcome == SKIPPED else ""
    return f"{screen.mark(test.outcome)} {escape(test.name)}{device}{reason}"


def _failures(screen: Screen, task: TaskResult, told: set[str]) -> None:
    """Each message once, even where many tests share it."""
    for test in task.tests:
        if test.outcome in (PASSED, SKIPPED) or test.message in told:
            continue
        told.add(test.message)
        heading = f"[red]{escape(test.name)}[/]" if test.outcome == FAILED else f"[dim]{test.outcome}[/]"
        screen.console.print(f"\n      {heading}")
        screen.console.print(escape(indent(test.message, " " * 6)))
