"""The screens of hint, compare and update."""

from collections.abc import Sequence
from textwrap import fill, indent

from rich.markup import escape

from dojo.catalog import Kata, Task
from dojo.check import difference
from dojo.check.compare import Part
from dojo.check.difference import NEW, OLD
from dojo.check.hints import Ladder
from dojo.check.update.update import Update
from dojo.console import Screen


def ladder(
    screen: Screen, shown: Ladder, pages: Sequence[tuple[str, str]], leads_on: bool = True
) -> None:
    """The open levels of a task's hints, and how to get the next.

    Args:
        pages: name and address of what to read in torch's documentation.
        leads_on: whether a last line names the command that comes next.
    """
    out, kata, task = screen.console.print, shown.kata, shown.task
    out(f"\n[bold]{kata.short}  {escape(kata.title)}[/]  {task.name}")
    for number, text in enumerate(shown.open, start=1):
        is_new = number == len(shown.open) and not shown.is_green
        out(
            f"\n  [bold]{number}[/]  {escape(text)}"
            if is_new
            else f"\n  [dim]{number}[/]  {escape(text)}"
        )
    if pages:
        out("\n  In torch's documentation:")
        width = max(len(name) for name, _ in pages)
        for name, address in pages:
            out(f"    {name:<{width}}  [dim]{address}[/]")
    command = f"{kata.short} {task.name}"
    if not leads_on:
        return
    if shown.is_green:
        out(f"\n[dim]Your solution beside the reference's: python tools/check compare {command}[/]")
    elif shown.has_more:
        out(
            f"\n[dim]{len(shown.open)} of {len(task.hints)}. One more: python tools/check hint"
            f" {command}[/]"
        )
    else:
        out(
            f"\n[dim]These are all {len(task.hints)}. The tests say the rest: python tools/check"
            f" {kata.short} runs them, and tests/test_{kata.name}.py is meant to be read.[/]"
        )


def comparison(screen: Screen, kata: Kata, task: Task, parts: Sequence[Part]) -> None:
    """A task's code in the learner's file and in the reference, and what the reference chose."""
    out = screen.console.print
    out(
        f"\n[bold]{kata.short}  {escape(kata.title)}[/]  {task.name}   [red]- yours[/]   [green]+"
        " the reference's[/]"
    )
    for part in parts:
        if not part.reference:
            out(f"\n  [bold]{escape(part.name)}[/]  [dim]yours alone[/]")
        elif not part.yours:
            out(
                f"\n  [bold]{escape(part.name)}[/]  [dim]not defined under this name in your"
                " file[/]"
            )
        else:
            out(f"\n  [bold]{escape(part.name)}[/]{'  [dim]the same code[/]' if part.same else ''}")
        if part.same:
            difference.show(screen, [(difference.SAME, line) for line in part.yours])
        else:
            difference.show(screen, difference.lines(part.yours, part.reference))
    if task.chose:
        why = indent(_wrapped(task.chose, min(100, screen.console.width - 2)), "  ")
        out(f"\n  [bold]Why so[/]\n{escape(why)}")


def updated(screen: Screen, done: Update) -> None:
    """What an update brought, and what it kept."""
    out = screen.console.print
    if not done.commits:
        out("You have the newest version already.")
        return
    out(f"[green]Updated[/] by {done.commits} commit{'' if done.commits == 1 else 's'}.")
    if done.touched:
        out(
            f"Your work stays as it was, in {done.touched} file{'' if done.touched == 1 else 's'}"
            " of katas/."
        )
    for kept in done.kept:
        if kept.changes is None:
            out(f"\n[bold]{kept.name}[/] is not part of the katas any more. Yours is still there.")
        elif kept.changes:
            out(
                f"\n[bold]{kept.name}[/] is yours. The stub it began as has changed:  [red]{OLD}"
                " before[/]  ",
                end="",
            )
            out(f"[green]{NEW} now[/]")
            difference.show(screen, kept.changes)
    if any(kept.changes for kept in done.kept):
        out(
            "\n[dim]Take over what matters, or begin anew with `python tools/check reset`, which"
            " keeps a copy of yours.[/]"
        )
    out("\n[dim]The tests may be newer, too: python tools/check[/]")


def _wrapped(text: str, width: int) -> str:
    return fill(" ".join(text.split()), width)
