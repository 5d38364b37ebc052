"""The screen of a watch session: from a model to lines of text. Pure, apart from the files that tell what is still to write."""

import io
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.text import Text

from dojo import ROOT
from dojo.catalog import Kata
from dojo.check.overview import compared
from dojo.check.watch import model as m
from dojo.check.watch.model import Model
from dojo.console import STYLES, Screen
from dojo.record import Entry
from dojo.verdict import ERROR, FAILED, NOT_STARTED, PASSED, KataResult, TaskResult, TestResult

PLACE = re.compile(r"(?P<folder>(?:[\w.~-]*[\\/])+)?(?P<file>k\d\d_\w+\.py:\d+)")
LABEL = re.compile(r"\s*(?:seen|expected|likely): +")


class Frame:
    """Draws models in one size and style.

    Args:
        look: the screen whose marks and colours to use.
        records: what the references reached, by kata.
    """

    def __init__(self, look: Screen, width: int, height: int, records: Mapping[str, Entry]) -> None:
        self._height, self._records = height, records
        colours = look.console.color_system
        self._console = Console(
            file=io.StringIO(),
            width=max(width, 20),
            force_terminal=look.console.is_terminal,
            color_system=colours if colours in ("standard", "256", "truecolor") else None,
            legacy_windows=False,
            highlight=False,
        )
        self._screen = Screen(self._console, look.marks, look.full, look.empty)

    def lines(self, model: Model) -> list[str]:
        """At most as many lines as the screen has: what there is to read, then hints, progress and keys."""
        upper = self._rendered(lambda: self._upper(model))
        hints = [self._rendered(lambda hint=hint: self._hint(*hint)) for hint in self._hints(model)]
        while len(hints) > 1 and sum(map(len, hints)) > self._height // 3:
            hints.pop(0)  # the newest is the one that was asked for
        lower = [line for hint in hints for line in hint] + self._rendered(lambda: self._lower(model))
        room = max(self._height - len(lower), 1)
        if len(upper) <= room:
            return [*upper, *[""] * (room - len(upper)), *lower][-self._height :]
        first = min(model.scroll, len(upper) - room + 1)
        below = len(upper) - first - (room - 1)
        more = f"… {below} more lines: down" + (", up" if first else "") if below else "… up"
        return [*upper[first : first + room - 1], *self._rendered(lambda: self._out(f"[dim]{more}[/]")), *lower]

    def _rendered(self, draw: Callable[[], None]) -> list[str]:
        self._console.file = io.StringIO()
        draw()
        return self._console.file.getvalue().splitlines()

    def _out(self, markup: str = "", indent: int = 0) -> None:
        text = Text.from_markup(markup, overflow="fold")
        self._console.print(Padding(text, (0, 0, 0, indent), expand=False) if markup else "")

    def _hints(self, model: Model) -> list[tuple[int, int, str]]:
        """The open hints on this screen: number, of how many, text."""
        if model.hints is None or model.view != m.KATA:
            return []
        return [(number, model.hints.total, text) for number, text in enumerate(model.hints.texts, start=1)]

    def _hint(self, number: int, total: int, text: str) -> None:
        self._out()
        self._out(f"[bold]Hint {number} of {total}[/]  {escape(text)}", 2)

    def _upper(self, model: Model) -> None:
        match model.view:
            case m.LIST:
                self._list(model)
            case m.ALL:
                self._all(model)
            case m.COMPARE:
                self._console.print(Text.from_ansi(model.text))
            case _:
                self._kata(model)

    def _lower(self, model: Model) -> None:
        done, total = model.count
        self._out()
        if model.view == m.RESET:
            self._out(f"[bold]Put katas/{model.current}.py back to its stub?[/] What is there is kept in a copy.")
        elif model.notice:
            self._out(f"[yellow]{escape(model.notice)}[/]")
        behind = "" if model.behind is None else "   [dim]looking through your other katas[/]"
        self._out(f"{self._screen.bar(done, total)}  {done} of {total} tasks{behind}")
        self._out("   ".join(f"[bold]{key}[/] {escape(label)}" for key, label in m.keys(model).items()))

    def _kata(self, model: Model) -> None:
        kata, result, problem = model.kata, model.result, model.problem
        self._out(f"[bold]{kata.short}  {escape(kata.title)}[/]  {self._status(model)}")
        if result is None:
            return
        self._out(self._tasks(result))
        self._out()
        if problem and (test := problem.first_problem):
            self._failure(result, problem, test)
        elif model.is_passed:
            self._success(kata, result)

    def _status(self, model: Model) -> str:
        if model.run:
            if not model.is_warm and not model.run.tests:
                why = f" anew, because {model.why_cold}" if model.why_cold else ""
                return f"[cyan]starting Python and torch{why}: this takes some seconds[/]"
            return "[cyan]testing" + (f", {model.run.tests} done[/]" if model.run.tests else "[/]")
        if model.result is None:
            return "[dim]not judged yet[/]"
        outcome = model.result.outcome
        took = "" if model.seconds is None else f"  [dim]in {model.seconds:.1f} s[/]"
        return f"[{STYLES[outcome]}]{outcome}[/]{took}"

    def _tasks(self, result: KataResult) -> str:
        return "  ".join(f"{self._screen.mark(task.outcome)} {task.name}" for task in result.tasks)

    def _failure(self, result: KataResult, task: TaskResult, test: TestResult) -> None:
        """The first thing to see to, in full."""
        tests = [one for other in result.tasks for one in other.tests]
        is_whole_file = result.outcome == FAILED and len({one.message for one in tests}) == 1
        if task.outcome != NOT_STARTED and not is_whole_file:
            device = "" if test.device == "cpu" else f" on {test.device}"
            self._out(f"[{STYLES[test.outcome]}]{escape(test.name)}{device}[/]")
        for line in test.message.splitlines():
            self._message(line)
        # A training that missed its mark has its losses drawn here.
        if task.outcome == ERROR:
            self._out("This is a fault of the suite, not of yours. Please report it with the text above.", 2)
        others = sum(one.outcome == FAILED for one in tests) - 1
        if others > 0 and not is_whole_file:
            self._out(f"[dim]and {others} more {'tests' if others > 1 else 'test'} that failed[/]", 2)

    def _message(self, line: str) -> None:
        """A line of a message with its indentation, which continues where it is too long; a place in a file stands out."""
        if not line.strip():
            self._out()
            return
        label = LABEL.match(line)
        start = label.end() if label else len(line) - len(line.lstrip())
        text = Text(line[:start] if label else "", overflow="fold")
        rest = line[start:]
        end = 0
        for place in PLACE.finditer(rest):
            text.append(rest[end : place.start()])
            text.append(from_here(place["folder"] or "") + place["file"], style="underline cyan")
            end = place.end()
        text.append(rest[end:])
        if label:  # the label hangs to the left of what it labels
            first, *more = text[start:].wrap(self._console, max(self._console.width - start - 2, 10))
            self._console.print(Padding(text[:start] + first, (0, 0, 0, 2), expand=False))
            for part in more:
                self._console.print(Padding(part, (0, 0, 0, start + 2), expand=False))
        else:
            self._console.print(Padding(text, (0, 0, 0, start + 2), expand=False))

    def _success(self, kata: Kata, result: KataResult) -> None:
        self._out(f"[green]Learned:[/] {escape(kata.learned)}", 2)
        for number in result.measured:
            self._out(f"[dim]{escape(compared(number, self._records.get(kata.name)))}[/]", 2)

    def _list(self, model: Model) -> None:
        for stage in model.catalog.stages:
            self._out(f"[bold]Stage {stage.number}[/]  {escape(stage.title)}")
            for kata in stage.katas:
                here = "[cyan]>[/]" if kata.name == model.current else " "
                passed = model.passed.get(kata.name, frozenset())
                mark = self._screen.mark(PASSED if model.is_done(kata) else NOT_STARTED)
                self._out(f"{here} {mark} {kata.short}  {escape(kata.title):<24} [dim]{len(passed)} of {len(kata.tasks)}[/]", 1)
        self._out()
        self._out("[dim]Save a kata's file, and it is the one on the screen.[/]")

    def _all(self, model: Model) -> None:
        if model.run:
            self._out(f"[bold]All katas[/]  {self._status(model)}")
            return
        for name in model.lost:
            kata = next(kata for kata in model.catalog.katas if kata.name == name)
            self._out(f"[red]{kata.short}  {escape(kata.title)} passed before, and does not now.[/]")
        if model.is_over:
            self._out("[green]Everything passes.[/] Well done.")
        self._out()
        for kata in model.catalog.katas:
            if result := model.results.get(kata.name):
                title = f"{kata.short}  {escape(kata.title)}"
                self._out(f"[{STYLES[result.outcome]}]{title:<27}[/] {self._tasks(result)}", 2)


def from_here(folder: str) -> str:
    """A folder as messages name it, relative to where the user is: a terminal can then open what it sees."""
    if not folder or Path(folder).is_absolute() or Path.cwd() == ROOT or not (ROOT / folder).is_dir():
        return folder
    try:
        return os.path.join(os.path.relpath(ROOT / folder), "")  # noqa: PTH118  (a path object drops the end's separator)
    except ValueError:  # another drive
        return str(ROOT / folder) + os.sep
