"""The screen of all katas: where the learner stands, and what comes next."""

from textwrap import indent

from rich.markup import escape

from dojo.catalog import Catalog, Kata
from dojo.console import STYLES, Screen
from dojo.reference_results import Entry
from dojo.results import KataResult, Measured, Outcome, TaskResult, Verdict

TITLE_WIDTH = 24


def show(screen: Screen, catalog: Catalog, verdict: Verdict, records: dict[str, Entry]) -> None:
    """Stages, katas and tasks with their outcome, the progress, and the next task with its first
    failure in full.
    """
    results = {kata.name: kata for kata in verdict.katas}
    out = screen.console.print
    for stage in catalog.stages:
        out(f"\n[bold]Stage {stage.number}[/]  {escape(stage.title)}")
        for kata in stage.katas:
            _kata_line(screen, kata, results[kata.name])
            for number in results[kata.name].measured:
                out(
                    f"      {' ' * TITLE_WIDTH}"
                    f" [dim]{escape(compared(number, records.get(kata.name)))}[/]"
                )
    _progress(screen, verdict, records)
    _next(screen, verdict)


def _kata_line(screen: Screen, kata: Kata, result: KataResult) -> None:
    tasks = "  ".join(f"{screen.mark(task.outcome)} {task.name}" for task in result.tasks)
    title = f"{kata.short}  {escape(kata.title)}"
    style = STYLES[result.outcome]
    screen.console.print(f"  [{style}]{title:<{TITLE_WIDTH + 3}}[/] {tasks}")


def compared(number: Measured, record: Entry | None) -> str:
    """A number that a training reached, beside its mark and what the reference reached."""
    name = number.mark.partition(".")[2].replace(".", " ")
    reached = "not a number" if number.value is None else f"{number.value:.4g}"
    mark = f"{'at most' if number.at_most else 'at least'} {number.bound:g}"
    reference = record.measured.get(number.mark) if record else None
    beside = "" if reference is None else f", the reference {reference:.4g}"
    return f"{name}: {reached}{beside} (mark: {mark})"


def _progress(screen: Screen, verdict: Verdict, records: dict[str, Entry]) -> None:
    done, total = sum(task.outcome == Outcome.PASSED for task in verdict.tasks), len(verdict.tasks)
    reference = sum(
        len(records[kata.name].passed) for kata in verdict.katas if kata.name in records
    )
    of = (
        f"{done} of the {reference} tasks that the reference passes"
        if reference == total
        else f"{done} of {total} tasks"
    )
    screen.console.print(f"\n{screen.bar(done, total)}  {of}")


def _next(screen: Screen, verdict: Verdict) -> None:
    if found := verdict.first_open:
        explain(screen, *found, heading="Next")
    else:
        screen.console.print("\n[green]Everything passes.[/] Well done.")


def explain(screen: Screen, kata: KataResult, task: TaskResult, heading: str) -> None:
    """One task that is not passed: its first failure in full."""
    out = screen.console.print
    short = kata.name.partition("_")[0]
    out(f"\n[bold]{heading}: {short} {task.name}[/]  [{STYLES[task.outcome]}]{task.outcome}[/]")
    if test := task.first_problem:
        if task.outcome != Outcome.NOT_STARTED:
            out(f"  [dim]{escape(test.name)}[/]")
        out(escape(indent(test.message, "  ")))
    if task.outcome == Outcome.ERROR:
        out("  This is a fault of the suite, not of yours. Please report it with the text above.")
    else:
        out(
            f"\n  [dim]More: python tools/check {short}      A hint: python tools/check hint"
            f" {short}[/]"
        )
