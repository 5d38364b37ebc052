"""The screen of one kata: every task, every test, and each task's first failure in full."""

from textwrap import indent

from rich.markup import escape

from dojo.catalog import Kata
from dojo.check.screens.overview import compared
from dojo.console import STYLES, Screen
from dojo.reference_results import Entry
from dojo.results import KataResult, Outcome, TaskResult, TestResult


def show(screen: Screen, kata: Kata, result: KataResult, record: Entry | None) -> None:
    out = screen.console.print
    out(
        f"\n[bold]{kata.short}  {escape(kata.title)}[/] "
        f" [{STYLES[result.outcome]}]{result.outcome}[/]"
    )
    messages = {test.message for task in result.tasks for test in task.tests}
    if result.outcome == Outcome.FAILED and len(messages) == 1:  # the whole file can't be used
        out(f"\n{escape(indent(messages.pop(), '  '))}")
        return
    for task in result.tasks:
        _task(screen, task)
        for number in (number for test in task.tests for number in test.measured):
            out(f"      [dim]{escape(compared(number, record))}[/]")
    if result.outcome == Outcome.PASSED:
        out(f"\n[green]Learned:[/] {escape(kata.learned)}")
    else:
        out(f"\n[dim]A hint: python tools/check hint {kata.short}[/]")


def _task(screen: Screen, task: TaskResult) -> None:
    """Its tests, a line each, and below them the first problem in full; of a task not begun only
    what to do.
    """
    out = screen.console.print
    out(f"\n  {screen.mark(task.outcome)} [bold]{task.name}[/]  [dim]{task.outcome}[/]")
    first = task.first_problem
    if task.outcome in (Outcome.NOT_STARTED, Outcome.BLOCKED) and not any(
        test.outcome == Outcome.PASSED for test in task.tests
    ):
        out(f"[dim]{escape(indent(first.message, ' ' * 6))}[/]")
        return
    for test in task.tests:
        out(f"      {_line(screen, test, told_below=test is first)}")
    if first:
        out(f"\n      [{STYLES[first.outcome]}]{escape(first.name)}[/]")
        out(escape(indent(first.message, " " * 6)))


def _line(screen: Screen, test: TestResult, told_below: bool) -> str:
    device = "" if test.device == "cpu" else f" on {test.device}"
    headline = test.message.partition("\n")[0]
    why = "" if test.outcome == Outcome.PASSED or told_below else f"  [dim]{escape(headline)}[/]"
    return f"{screen.mark(test.outcome)} {escape(test.name)}{device}{why}"
