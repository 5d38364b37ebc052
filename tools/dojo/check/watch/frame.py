"""The screen of a watch session: from a model to lines of text."""

import functools
import io
import os
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.style import Style
from rich.text import Text

from dojo import ROOT
from dojo.check.screens import compared, curves, heading, leads_on, standing, with_effort
from dojo.check.watch import model as m
from dojo.check.watch.model import WRONG, Model
from dojo.console import STYLES, Screen
from dojo.curve import draw
from dojo.reference_results import ReferenceResult
from dojo.results import KataResult, Outcome, TaskResult, TestResult

LEAST_LOWER = 5  # lines below the list: its remark, the progress, the keys
LIST_WIDTH, STAGE_WIDTH = 80, 25  # columns of a list that has its stages beside it, and of these
PLACE = re.compile(r"(?P<folder>(?:[\w.~-]*[\\/])+)?(?P<file>k\d\d_\w+\.py:\d+)")
LABEL = re.compile(r"\s*(?:seen|expected|layers|loss|likely|or|next): +")
DRAWN = re.compile("[\u2500-\u259f\u2800-\u28ff]")  # lines, blocks and braille
INDENT = 2
FULL_SIGNS, PLAIN_SIGNS = "⠋⠙⠹⠸⠼⠴⠦⠧", "|/-\\"
COLOURS = ("standard", "256", "truecolor")


class Frame:
    """Draws models in one size, with a screen's marks and colours, and what references reached.

    `sign` is the number of the moving sign's state, while something runs.
    """

    def __init__(
        self,
        screen: Screen,
        width: int,
        height: int,
        records: dict[str, ReferenceResult],
        sign: int = 0,
    ) -> None:
        self._height, self._records = height, records
        signs = FULL_SIGNS if screen.full == "█" else PLAIN_SIGNS
        self._sign = "" if screen.in_words else signs[sign % len(signs)] + " "
        colours = screen.console.color_system
        self._console = Console(
            file=io.StringIO(),
            width=max(width, 20),
            height=max(height, 1),
            force_terminal=screen.console.is_terminal,
            # mypy does not see that only these names are left
            color_system=colours if colours in COLOURS else None,  # type: ignore[arg-type]
            legacy_windows=False,
            highlight=False,
        )
        self._screen = replace(screen, console=self._console)

    def lines(self, model: Model) -> list[str]:
        """The lines of the screen, no more than it has: text, then hints, progress and keys."""
        draw = {m.LIST: self._list, m.ALL: self._all, m.READ: self._text}
        upper = self._printed(draw.get(model.view, self._kata), model)
        hints = []
        if model.hints and model.view == m.KATA:
            for number, text in enumerate(model.hints.texts, start=1):
                head = f"Hint {number} of {model.hints.total}"
                hints.append(["", *self._printed(self._out, f"[bold]{head}[/]  {escape(text)}", 2)])
        while len(hints) > 1 and sum(map(len, hints)) > self._height // 3:
            hints.pop(0)  # the newest is the one that was asked for
        lower = [line for hint in hints for line in hint] + self._printed(self._lower, model)
        room = max(self._height - len(lower), 1)
        if len(upper) <= room:
            return [*upper, *[""] * (room - len(upper)), *lower][-self._height :]
        first = min(model.scroll, len(upper) - room + 1)
        below = len(upper) - first - (room - 1)
        more = (
            f"{below} more lines (press down{' or up' if first else ''})" if below else "(press up)"
        )
        shown = upper[first : first + room - 1]
        return [*shown, *self._printed(self._out, f"[dim]… {more}[/]"), *lower]

    def _printed(self, draw: Callable[..., None], *arguments: object) -> list[str]:
        """The lines that this function prints."""
        self._console.file = file = io.StringIO()
        draw(*arguments)
        return file.getvalue().splitlines()

    def _out(self, markup: str = "", indent: int = 0) -> None:
        text = Text.from_markup(markup, overflow="fold")
        self._console.print(Padding(text, (0, 0, 0, indent), expand=False) if markup else "")

    def _text(self, model: Model) -> None:
        self._console.print(Text.from_ansi(model.text))

    def _lower(self, model: Model) -> None:
        done, total = model.count
        self._out()
        if model.view == m.RESET:
            question = f"Put katas/{model.current}.py back to its stub?"
            self._out(f"[bold]{question}[/] What is there is kept in a copy.")
        elif model.view == m.SKIP and model.following:
            red, following = model.kata.short, model.following.short
            self._out(f"[bold]{red} isn't green yet. Go on to {following} all the same?[/]")
        elif model.notice:
            self._out(f"[yellow]{escape(model.notice)}[/]")
        looking = f"   [dim]{self._sign}looking through your other katas[/]"
        more = looking if model.background else ""
        self._out(f"{self._screen.bar(done, total)}  {done} of {total} tasks pass{more}".strip())
        keys = m.keys(model).items()
        self._out("   ".join(f"[bold]{key}[/] {escape(label)}" for key, label in keys))

    def _kata(self, model: Model) -> None:
        kata, result, problem = model.kata, model.result, model.problem
        head = heading(kata, self._status(model))
        self._out(with_effort(head, kata, self._console.width))
        if model.run and model.why_cold:
            self._out(f"[dim]because {escape(model.why_cold)}[/]")
        if result is None:
            path = f"katas/{kata.name}.py" if model.is_learners else f"{kata.name}.py"
            self._out()
            self._out(f"Open [underline cyan]{path}[/] in your editor, and read its lesson.", 2)
            self._out("Each time you save the file its tests run, and the answer is here.", 2)
            return
        self._console.style = "dim" if model.run else ""  # the file may have changed since
        self._tasks(result)
        self._out()
        if problem and (test := problem.first_problem):
            self._failure(result, problem, test)
        elif model.is_passed:
            self._passed(model, result)
        self._console.style = ""

    def _passed(self, model: Model, result: KataResult) -> None:
        """What was learned and reached, and what comes next."""
        self._out(f"[green]Learned:[/] {escape(model.kata.learned)}", 2)
        for number in result.measured:
            record = self._records.get(model.current)
            self._out(f"[dim]{escape(compared(number, record))}[/]", 2)
        for curve in curves(result)[:1]:
            self._out()
            for line in self._screen.text("\n".join(draw(curve))).splitlines():
                self._message(line)
            self._out()
        if model.tries:
            self._out(f"[dim]{escape(model.tries)}[/]", 2)
        if model.following:
            self._out(f"[bold]Next:[/] {escape(leads_on(model.following))}", 2)

    def _status(self, model: Model) -> str:
        if model.run and not model.is_warm and not model.run.tests:
            again = " anew" if model.why_cold else ""
            return f"[cyan]{self._sign}starting Python and torch{again} (some seconds)[/]"
        if model.run:
            done = f", {model.run.tests} done" if model.run.tests else ""
            return f"[cyan]{self._sign}testing{done}[/]"
        if model.result is None:
            return "[dim]not judged yet[/]"
        outcome = model.result.outcome
        took = "" if model.seconds is None else f"  [dim]in {model.seconds:.1f} s[/]"
        return f"[{STYLES[outcome]}]{standing(model.result)}[/]{took}"

    def _tasks(self, result: KataResult) -> None:
        """Every task with its mark, as many in a line as fit."""
        line = ""
        for task in result.tasks:
            item = self._screen.marked(task.outcome, task.name)
            longer = f"{line} {item}" if line else item
            if line and Text.from_markup(longer).cell_len > self._console.width:
                self._out(line)
                longer = item
            line = longer
        self._out(line.rstrip(" ,"))

    def _failure(self, result: KataResult, task: TaskResult, test: TestResult) -> None:
        """The first thing to see to, in full."""
        tests = [test for task in result.tasks for test in task.tests]
        has_one_message = len({test.message for test in tests}) == 1
        is_whole_file = result.outcome == Outcome.FAILED and has_one_message
        if task.outcome != Outcome.NOT_STARTED and not is_whole_file:
            device = "" if test.device == "cpu" else f" on {test.device}"
            self._out(f"[{STYLES[test.outcome]}]{escape(test.name)}{device}[/]")
        for line in self._screen.text(test.message).splitlines():
            self._message(line)
        if test.printed:
            self._out("[dim]Your code printed:[/]", 2)
            for line in test.printed.splitlines():
                self._message(f"  {line}")
        if task.outcome == Outcome.ERROR:
            fault = "This is a fault of the suite, not of yours."
            self._out(f"{fault} Please report it with the text above.", 2)
        others = sum(test.outcome == Outcome.FAILED for test in tests) - 1
        if others > 0 and not is_whole_file:
            plural = "s" if others > 1 else ""
            self._out(f"[dim]and {others} more test{plural} that failed[/]", 2)

    def _message(self, line: str) -> None:
        """A line of a message. A long one goes on below its beginning; a drawing is cut off."""
        if not line.strip():
            self._out()
            return
        label = LABEL.match(line)
        start = label.end() if label else len(line) - len(line.lstrip())
        room = max(self._console.width - start - INDENT, 10)
        text = _with_places(line[start:])
        if DRAWN.search(line):
            text.truncate(room, overflow="crop")
            parts = [text]
        else:
            parts = list(text.wrap(self._console, room, overflow="fold"))
        for number, part in enumerate(parts):
            is_labelled = label and number == 0  # the label stands to the left of what it labels
            padding = (0, 0, 0, INDENT if is_labelled else start + INDENT)
            text = Text(line[:start]) + part if is_labelled else part
            self._console.print(Padding(text, padding, expand=False), no_wrap=True, crop=True)

    def _list(self, model: Model) -> None:
        """A line for each kata, so that all are seen at once on a terminal of thirty lines."""
        listed = model.listed
        if model.only != m.EVERY:
            self._out(f"[dim]{len(listed)} of {len(model.catalog.katas)} katas: {model.only}[/]")
        for stage in model.catalog.stages:
            shown = [kata for kata in stage.katas if kata in listed]
            for kata in shown:
                name = f"{stage.number}  {stage.title}" if kata is shown[0] else ""
                here = "[cyan]>[/]" if kata.name == model.chosen else " "
                passed = len(model.passed.get(kata.name, ()))
                outcome = Outcome.PASSED if model.is_done(kata) else Outcome.NOT_STARTED
                outcome = Outcome.FAILED if model.is_red(kata) else outcome
                is_wide = self._console.width >= LIST_WIDTH
                beside = f"[bold]{escape(name):<{STAGE_WIDTH}}[/]" if is_wide else ""
                title = f"{kata.short}  {escape(kata.title):<21}"
                effort = f"{kata.difficulty:<6}  {kata.minutes} min"
                count = f"[dim]{effort}  {passed} of {len(kata.tasks)}[/]"
                self._out(f"{beside}{here} {self._screen.mark(outcome)} {title}  {count}")
        if len(listed) + LEAST_LOWER < self._height:
            self._out("\n[dim]Or save a kata's file, and it is the one on the screen.[/]")

    def _all(self, model: Model) -> None:
        if model.run:
            self._out(f"[bold]All katas[/]  {self._status(model)}")
            return
        titles = {k.name: f"{k.short}  {escape(k.title)}" for k in model.catalog.katas}
        for name in model.lost:
            self._out(f"[red]{titles[name]} passed before, and does not now.[/]")
        if model.is_over:
            self._out("[green]Everything passes.[/] Well done.")
            if model.text:
                self._text(model)
                return
        for name, title in titles.items():
            if result := model.results.get(name):
                marks = " ".join(self._screen.mark(task.outcome) for task in result.tasks)
                wrong = ", ".join(task.name for task in result.tasks if task.outcome in WRONG)
                self._out(f"[{STYLES[result.outcome]}]{title:<30}[/] {marks}  [red]{wrong}[/]")


def _with_places(line: str) -> Text:
    """The line, with the places in files standing out."""
    text, end = Text(), 0
    for place in PLACE.finditer(line):
        text.append(line[end : place.start()])
        text.append(_from_here(place["folder"] or "") + place["file"], style=_linked(place))
        end = place.end()
    return text.append(line[end:])


def _linked(place: re.Match[str]) -> Style:
    """The style of a place: where the terminal can, a click opens the file."""
    path = ROOT / (place["folder"] or "katas") / place["file"].rpartition(":")[0]
    return _link(path.resolve().as_uri())


# a link has a number, and a frame that is drawn again is to be the same
@functools.cache
def _link(address: str) -> Style:
    return Style.parse("underline cyan") + Style(link=address)


def _from_here(folder: str) -> str:
    """A message's folder relative to where the user is, so that a terminal can open the file."""
    is_ours = folder and not Path(folder).is_absolute() and (ROOT / folder).is_dir()
    if not is_ours or Path.cwd() == ROOT:
        return folder
    try:
        # a path object drops the end's separator
        return os.path.join(os.path.relpath(ROOT / folder), "")  # noqa: PTH118
    except ValueError:  # another drive
        return str(ROOT / folder) + os.sep
