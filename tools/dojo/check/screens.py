"""The screens of the commands: all katas, one kata, hints, a comparison, an update."""

from collections.abc import Sequence
from textwrap import fill, indent, wrap

from rich.markup import escape
from rich.text import Text

from dojo.catalog import Catalog, Kata, Task
from dojo.check import closing as closings
from dojo.check import state as states
from dojo.check.closing import Closing
from dojo.check.compare import GAP, NEW, OLD, SAME, CodePair, Line, differences
from dojo.check.hints import OpenHints
from dojo.check.state import State
from dojo.check.update import Update
from dojo.console import STYLES, Screen
from dojo.curve import Curve, draw
from dojo.diagnosis import counted
from dojo.reference_results import ReferenceResult
from dojo.results import KataResult, Measured, Outcome, TaskResult, TestResult, Verdict

TITLE_WIDTH = 24
_LINE_STYLES = {SAME: "dim", OLD: "red", NEW: "green", GAP: "dim"}


def overview(
    screen: Screen, catalog: Catalog, verdict: Verdict, records: dict[str, ReferenceResult]
) -> None:
    """Stages, katas and tasks with outcomes, the progress, and the next task's first failure."""
    out = screen.console.print
    results = {result.name: result for result in verdict.katas}
    for stage in catalog.stages:
        out(f"\n[bold]Stage {stage.number}[/]  {escape(stage.title)}")
        for kata in stage.katas:
            result = results[kata.name]
            tasks = " ".join(screen.marked(task.outcome, task.name) for task in result.tasks)
            tasks = tasks.rstrip(" ,")
            title = f"{kata.short}  {escape(kata.title)}"
            out(f"  [{STYLES[result.outcome]}]{title:<{TITLE_WIDTH + 3}}[/] {tasks}")
            for number in result.measured:
                short = number.mark.partition(".")[2].replace(".", " ")
                text = compared(number, records.get(kata.name), short)
                out(f"      {' ' * TITLE_WIDTH} [dim]{escape(text)}[/]")
    done = sum(task.outcome == Outcome.PASSED for task in verdict.tasks)
    total = len(verdict.tasks)
    passed = [records[name].passed for name in results if name in records]
    is_all = sum(map(len, passed)) == total
    of = f"the {total} tasks that the reference passes" if is_all else f"{total} tasks"
    out(f"\n{screen.bar(done, total)}  {done} of {of}".replace("\n  ", "\n"))
    if verdict.first_open:
        _next(screen, *verdict.first_open)
    else:
        out("\n[green]Everything passes.[/] Well done.")


def closing(screen: Screen, page: Closing) -> None:
    """The closing page: what was learned, what took longest, where to go from here."""
    _section(screen, "You can now", page.able)
    _section(screen, "What took you longest", [str(effort) for effort in page.longest])
    _section(screen, "Where to go from here", page.ways_on)
    if page.days:
        screen.console.print(f"\n[dim]{page.days}[/]")


def _section(screen: Screen, title: str, lines: Sequence[str]) -> None:
    """A list under a title; nothing where the list is empty. A long line goes on below its text."""
    width = min(100, screen.console.width - 1)
    if lines:
        screen.console.print(f"\n[bold]{title}[/]")
    for line in lines:
        text = _folded(line, width)
        screen.console.print(escape(text), soft_wrap=True)


def _folded(line: str, width: int) -> str:
    """A point of a list, over as many lines as it needs; an address stays whole."""
    lines = wrap(line, width - 4, break_on_hyphens=False, break_long_words=False)
    return indent("\n".join(lines), "    ").replace("    ", "  - ", 1)


def compared(number: Measured, record: ReferenceResult | None, called: str = "") -> str:
    """A number that a training reached, what is needed, and what the reference reached; where it is
    missed, the failure says what is usual.
    """
    needed = f"{'at most' if number.at_most else 'at least'} {number.bound:g}"
    reference = record.measured.get(number.mark) if record and number.is_met else None
    beside = "" if reference is None else f"; the reference: {_readable(reference, number)}"
    return f"{called or number.what}: {_readable(number.value, number)}; needed: {needed}{beside}"


def _readable(value: float | None, number: Measured) -> str:
    """A value of a mark as a person reads it."""
    if value is None:
        return "not a number"
    is_tiny = number.at_most and abs(value) < number.bound / 1000
    return "practically 0" if is_tiny else f"{value:.3g}"


def curves(result: KataResult) -> list[Curve]:
    """How the trainings of a kata went, one for each test that has a training."""
    of_tests = ([number.curve for number in test.measured] for test in result.tests)
    return [curve for found in of_tests for curve in found[:1] if curve and len(curve.losses) > 1]


def _next(screen: Screen, kata: KataResult, task: TaskResult) -> None:
    """The first task that is not passed: its first failure in full."""
    out = screen.console.print
    short = kata.name.partition("_")[0]
    out(f"\n[bold]Next: {short} {task.name}[/]  [{STYLES[task.outcome]}]{task.outcome}[/]")
    if test := task.first_problem:
        if task.outcome != Outcome.NOT_STARTED:
            out(f"  [dim]{escape(test.name)}[/]")
        out(escape(indent(screen.text(test.message), "  ")))
        _printed(screen, test, "  ")
    if task.outcome == Outcome.ERROR:
        out("  This is a fault of the suite, not of yours. Please report it with the text above.")
    else:
        command = f"python tools/check {short}"
        out(f"\n  [dim]More: {command}      A hint: python tools/check hint {short}[/]")


def kata(
    screen: Screen,
    kata: Kata,
    result: KataResult,
    record: ReferenceResult | None,
    all_printed: bool = False,
    after: Sequence[str] = (),
) -> None:
    """One kata: every task, every test, and each task's first failure in full, with what the code
    printed in it; in all tests, if that is asked for. Where all is green, how the trainings went,
    and the lines of `after`.
    """
    out = screen.console.print
    is_whole = len(result.tasks) == len(kata.tasks)
    named = "" if is_whole else ", ".join(task.name for task in result.tasks) + ": "
    head = heading(kata, f"{named}[{STYLES[result.outcome]}]{standing(result)}[/]")
    out("\n" + with_effort(head, kata, screen.console.width))
    messages = {test.message for task in result.tasks for test in task.tests}
    if result.outcome == Outcome.FAILED and len(messages) == 1:  # the whole file can't be used
        out(f"\n{escape(indent(screen.text(messages.pop()), '  '))}")
        _printed(screen, result.tests[0], "  ")
        return
    for task in result.tasks:
        _task(screen, task, all_printed)
        for number in (number for test in task.tests for number in test.measured):
            text = fill(compared(number, record), screen.console.width - 6)
            out(f"[dim]{escape(indent(text, ' ' * 6))}[/]")
    if result.outcome == Outcome.PASSED and is_whole:
        for curve in curves(result):
            drawn = screen.text("\n".join(draw(curve)))
            out(f"\n{escape(indent(drawn, '    '))}")
        out(f"\n[green]Learned:[/] {escape(kata.learned)}")
        for line in after:
            out(line)
    elif result.outcome != Outcome.PASSED:
        out(f"\n[dim]A hint: python tools/check hint {kata.short}[/]")


def leads_on(kata: Kata) -> str:
    """The kata that comes next, and why."""
    why = f": {kata.why}" if kata.why else ""
    return f"{kata.short}  {kata.title}{why}"


def after_green(catalog: Catalog, kata: Kata, state: State) -> list[str]:
    """What to say below a green kata: how often it was tried, and what comes next."""
    lines = [f"[dim]{escape(tries)}[/]"] if (tries := closings.tries(kata, state)) else []
    if following := states.following(state, catalog, kata):
        lines.append(f"[bold]Next:[/]    {escape(leads_on(following))}")
    return lines


def heading(kata: Kata, more: str) -> str:
    """The line above all that is shown of a kata."""
    return f"[bold]{kata.short}  {escape(kata.title)}[/]  {more}"


def standing(result: KataResult) -> str:
    """How far a kata has come, in a few words."""
    green = sum(task.outcome == Outcome.PASSED for task in result.tasks)
    if result.outcome == Outcome.NOT_STARTED and green:
        return f"{green} of {len(result.tasks)} tasks green"
    return str(result.outcome)


def with_effort(line: str, kata: Kata, width: int) -> str:
    """The same line with how hard the kata is and how long it takes, if there is room for that."""
    longer = f"{line}  [dim]{kata.effort}[/]"
    return longer if Text.from_markup(longer).cell_len <= width else line


def _heading(screen: Screen, kata: Kata, more: str) -> None:
    screen.console.print("\n" + heading(kata, more))


def _task(screen: Screen, task: TaskResult, all_printed: bool) -> None:
    """A task's tests, a line each, and its first problem; of a task not begun only what to do."""
    out = screen.console.print
    mark = "" if screen.in_words else f"{screen.mark(task.outcome)} "
    out(f"\n  {mark}[bold]{task.name}[/]  [dim]{task.outcome}[/]")
    first = task.first_problem
    is_begun = task.outcome not in (Outcome.NOT_STARTED, Outcome.BLOCKED)
    if first and not is_begun and all(test.outcome != Outcome.PASSED for test in task.tests):
        out(f"[dim]{escape(indent(first.message, ' ' * 6))}[/]")
        return
    for test in task.tests:
        out(f"      {_test(screen, test, is_explained=test is first)}")
        if all_printed and test is not first:
            _printed(screen, test, " " * 8)
    if first:
        out(f"\n      [{STYLES[first.outcome]}]{escape(first.name)}[/]")
        out(escape(indent(screen.text(first.message), " " * 6)))
        _printed(screen, first, " " * 6)


def output(screen: Screen, kata: Kata, result: KataResult) -> None:
    """What the learner's code printed in each test of a kata."""
    _heading(screen, kata, "what your code printed")
    for test in result.tests:
        if test.printed:
            screen.console.print(f"\n  {_test(screen, test, is_explained=True)}")
            screen.console.print(escape(indent(test.printed, " " * 4)))


def _printed(screen: Screen, test: TestResult, margin: str) -> None:
    """What the learner's code printed in a test, if it did."""
    if test.printed:
        screen.console.print(f"{margin}[dim]Your code printed:[/]")
        screen.console.print(escape(indent(test.printed, f"{margin}  ")))


def _test(screen: Screen, test: TestResult, is_explained: bool) -> str:
    device = "" if test.device == "cpu" else f" on {test.device}"
    needs_no_reason = test.outcome == Outcome.PASSED or is_explained
    reason = "" if needs_no_reason else f"  [dim]{escape(test.headline)}[/]"
    return f"{screen.mark(test.outcome)} {escape(test.name)}{device}{reason}"


def hints(
    screen: Screen,
    shown: OpenHints,
    pages: Sequence[tuple[str, str]] = (),
    names_next_command: bool = True,
) -> None:
    """The open hints of a task, what to read (name and address), and how to get the next hint."""
    out = screen.console.print
    _heading(screen, shown.kata, shown.task.name)
    for number, text in enumerate(shown.texts, start=1):
        is_new = number == len(shown.texts) and not (shown.is_green or shown.was_green)
        out(f"\n  [{'bold' if is_new else 'dim'}]{number}[/]  {escape(text)}")
    if pages:
        out("\n  In torch's documentation:")
        width = max(len(name) for name, _ in pages)
        for name, address in pages:
            out(f"    {name:<{width}}  [dim]{address}[/]")
    if not names_next_command:
        return
    kata, total = shown.kata, len(shown.task.hints)
    command = f"{kata.short} {shown.task.name}"
    if shown.is_green:
        text = f"Your solution beside the reference's: python tools/check compare {command}"
    elif shown.was_green and not shown.is_judged:
        text = f"Your file has changed since the last check: python tools/check {command}"
    elif shown.was_green:
        text = (
            f"It was green on {shown.was_green}, and is not now: python tools/check {command} says"
            " why."
        )
    elif len(shown.texts) < total:
        text = f"{len(shown.texts)} of {total}. One more: python tools/check hint {command}"
    else:
        text = (
            f"These are all {total}. The tests say the rest: python tools/check {kata.short} runs"
            f" them, and tests/test_{kata.name}.py is meant to be read. If nothing helps: python"
            f" tools/check hint {command} --solution"
        )
    out(f"\n[dim]{text}[/]")


def solution(screen: Screen, kata: Kata, task: Task, lines: Sequence[tuple[int, str]]) -> None:
    """The reference's lines of a task."""
    out = screen.console.print
    _heading(screen, kata, f"{task.name}: one way to write it")
    out(f"[dim]reference/{kata.name}.py[/]\n")
    before = None
    for number, line in lines:
        if before is not None and number != before + 1:
            out(f"  [dim]{GAP}[/]")
        before = number
        out(Text(f"  {number:>4} | {line}".rstrip()))
    if task.chose:
        out(f"\n{escape(indent(fill(' '.join(task.chose.split()), 90), '  '))}")
    command = f"python tools/check {kata.short} {task.name}"
    out(f"\n[dim]Close it and write it yourself: what you have typed stays with you. {command}[/]")


def comparison(screen: Screen, kata: Kata, task: Task, parts: Sequence[CodePair]) -> None:
    """A task's code in the learner's file and in the reference, and what the reference chose."""
    out = screen.console.print
    _heading(screen, kata, f"{task.name}   [red]- yours[/]   [green]+ the reference's[/]")
    for part in parts:
        remark = "the same code" if part.same else ""
        if not part.reference:
            remark = "yours alone"
        elif not part.yours:
            remark = "not defined under this name in your file"
        out(f"\n  [bold]{escape(part.name)}[/]" + (f"  [dim]{remark}[/]" if remark else ""))
        same = [(SAME, line) for line in part.yours]
        _lines(screen, same if part.same else differences(part.yours, part.reference))
    if task.chose:
        width = min(100, screen.console.width - 2)
        reason = indent(fill(" ".join(task.chose.split()), width), "  ")
        out(f"\n  [bold]Why so[/]\n{escape(reason)}")


def _lines(screen: Screen, signed: Sequence[Line]) -> None:
    """The lines in colour. The signs carry the same information without colour."""
    for sign, text in signed:
        screen.console.print(Text(f"  {sign} {text}".rstrip(), style=_LINE_STYLES[sign]))


def updated(screen: Screen, update: Update) -> None:
    """What an update brought, and what it kept."""
    out = screen.console.print
    if not update.commits:
        out("You have the newest version already.")
        return
    out(f"[green]Updated[/] by {counted(update.commits, 'commit')}.")
    if update.touched:
        out(f"Your work stays as it was, in {counted(update.touched, 'file')} of katas/.")
    for kept in update.kept:
        if kept.changes is None:
            out(f"\n[bold]{kept.name}[/] is not part of the katas any more. Yours is still there.")
        elif kept.changes:
            signs = f"[red]{OLD} before[/]  [green]{NEW} now[/]"
            out(f"\n[bold]{kept.name}[/] is yours. The stub it began as has changed:  {signs}")
            _lines(screen, kept.changes)
    if any(kept.changes for kept in update.kept):
        out(
            "\n[dim]Take over what matters, or begin anew with `python tools/check reset`, which"
            " keeps a copy of yours.[/]"
        )
    out("\n[dim]The tests may be newer, too: python tools/check[/]")
