"""The screen of a watch session: from a model to lines of text. Pure, apart from the files that
tell what is still to write.
"""

import io
from collections.abc import Callable, Mapping

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.text import Text

from dojo.catalog import Kata
from dojo.check.screens.overview import compared
from dojo.check.watch import message
from dojo.check.watch import model as m
from dojo.check.watch.model import Model
from dojo.console import STYLES, Screen
from dojo.reference_results import Entry
from dojo.results import KataResult, Outcome, TaskResult, TestResult

LEAST_LOWER = 5  # lines below the list: its remark, the progress, the keys
LIST_WIDTH, STAGE_WIDTH = 74, 30  # columns of a list that has its stages beside it, and of these


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
            height=max(height, 1),
            force_terminal=look.console.is_terminal,
            color_system=colours if colours in ("standard", "256", "truecolor") else None,
            legacy_windows=False,
            highlight=False,
        )
        self._screen = Screen(self._console, look.marks, look.full, look.empty)

    def lines(self, model: Model) -> list[str]:
        """At most as many lines as the screen has: what there is to read, then hints, progress and
        keys.
        """
        upper = self._rendered(lambda: self._upper(model))
        hints = [self._rendered(lambda hint=hint: self._hint(*hint)) for hint in self._hints(model)]
        while len(hints) > 1 and sum(map(len, hints)) > self._height // 3:
            hints.pop(0)  # the newest is the one that was asked for
        lower = [line for hint in hints for line in hint] + self._rendered(
            lambda: self._lower(model)
        )
        room = max(self._height - len(lower), 1)
        if len(upper) <= room:
            return [*upper, *[""] * (room - len(upper)), *lower][-self._height :]
        first = min(model.scroll, len(upper) - room + 1)
        below = len(upper) - first - (room - 1)
        more = f"… {below} more lines: down" + (", up" if first else "") if below else "… up"
        return [
            *upper[first : first + room - 1],
            *self._rendered(lambda: self._out(f"[dim]{more}[/]")),
            *lower,
        ]

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
        return [
            (number, model.hints.total, text)
            for number, text in enumerate(model.hints.texts, start=1)
        ]

    def _hint(self, number: int, total: int, text: str) -> None:
        self._out()
        self._out(f"[bold]Hint {number} of {total}[/]  {escape(text)}", 2)

    def _upper(self, model: Model) -> None:
        match model.view:
            case m.LIST:
                self._list(model)
            case m.ALL:
                self._all(model)
            case m.READ:
                self._console.print(Text.from_ansi(model.text))
            case _:
                self._kata(model)

    def _lower(self, model: Model) -> None:
        done, total = model.count
        self._out()
        if model.view == m.RESET:
            self._out(
                f"[bold]Put katas/{model.current}.py back to its stub?[/] What is there is kept in"
                " a copy."
            )
        elif model.notice:
            self._out(f"[yellow]{escape(model.notice)}[/]")
        behind = "" if model.behind is None else "   [dim]looking through your other katas[/]"
        self._out(f"{self._screen.bar(done, total)}  {done} of {total} tasks pass{behind}")
        self._out(
            "   ".join(f"[bold]{key}[/] {escape(label)}" for key, label in m.keys(model).items())
        )

    def _kata(self, model: Model) -> None:
        kata, result, problem = model.kata, model.result, model.problem
        self._out(f"[bold]{kata.short}  {escape(kata.title)}[/]  {self._status(model)}")
        if model.run and model.why_cold:
            self._out(f"[dim]because {escape(model.why_cold)}[/]")
        if result is None:
            where = f"katas/{kata.name}.py" if model.own else f"{kata.name}.py"
            self._out()
            self._out(f"Open [underline cyan]{where}[/] in your editor, and read its lesson.", 2)
            self._out("Each time you save the file its tests run, and the answer is here.", 2)
            return
        self._console.style = "dim" if model.run else ""  # what is known is not what is there now
        self._tasks(result)
        self._out()
        if problem and (test := problem.first_problem):
            self._failure(result, problem, test)
        elif model.is_passed:
            self._success(kata, result)
        self._console.style = ""

    def _status(self, model: Model) -> str:
        if model.run:
            if not model.is_warm and not model.run.tests:
                return (
                    f"[cyan]starting Python and torch{' anew' if model.why_cold else ''} (some"
                    " seconds)[/]"
                )
            return "[cyan]testing" + (f", {model.run.tests} done[/]" if model.run.tests else "[/]")
        if model.result is None:
            return "[dim]not judged yet[/]"
        outcome = model.result.outcome
        took = "" if model.seconds is None else f"  [dim]in {model.seconds:.1f} s[/]"
        return f"[{STYLES[outcome]}]{outcome}[/]{took}"

    def _tasks(self, result: KataResult) -> None:
        """Every task with its mark, as many in a line as fit."""
        lines = [""]
        for task in result.tasks:
            one = f"{self._screen.mark(task.outcome)} {task.name}"
            more = f"{lines[-1]}  {one}" if lines[-1] else one
            is_fitting = Text.from_markup(more).cell_len <= self._console.width
            lines = [*lines[:-1], more] if is_fitting else [*lines, one]
        for line in lines:
            self._out(line)

    def _failure(self, result: KataResult, task: TaskResult, test: TestResult) -> None:
        """The first thing to see to, in full."""
        tests = [one for other in result.tasks for one in other.tests]
        is_whole_file = (
            result.outcome == Outcome.FAILED and len({one.message for one in tests}) == 1
        )
        if task.outcome != Outcome.NOT_STARTED and not is_whole_file:
            device = "" if test.device == "cpu" else f" on {test.device}"
            self._out(f"[{STYLES[test.outcome]}]{escape(test.name)}{device}[/]")
        for line in test.message.splitlines():
            message.show(self._console, line)
        if task.outcome == Outcome.ERROR:
            self._out(
                "This is a fault of the suite, not of yours. Please report it with the text above.",
                2,
            )
        others = sum(one.outcome == Outcome.FAILED for one in tests) - 1
        if others > 0 and not is_whole_file:
            self._out(
                f"[dim]and {others} more {'tests' if others > 1 else 'test'} that failed[/]", 2
            )

    def _success(self, kata: Kata, result: KataResult) -> None:
        self._out(f"[green]Learned:[/] {escape(kata.learned)}", 2)
        for number in result.measured:
            self._out(f"[dim]{escape(compared(number, self._records.get(kata.name)))}[/]", 2)

    def _list(self, model: Model) -> None:
        """A line for each kata, so that all are seen at once on a usual terminal."""
        for stage in model.catalog.stages:
            for kata in stage.katas:
                name = f"{stage.number}  {stage.title}" if kata is stage.katas[0] else ""
                here = "[cyan]>[/]" if kata.name == model.current else " "
                passed = model.passed.get(kata.name, frozenset())
                mark = self._screen.mark(
                    Outcome.PASSED if model.is_done(kata) else Outcome.NOT_STARTED
                )
                beside = (
                    f"[bold]{escape(name):<{STAGE_WIDTH}}[/]"
                    if self._console.width >= LIST_WIDTH
                    else ""
                )
                count = f"[dim]{len(passed)} of {len(kata.tasks)}[/]"
                self._out(f"{beside}{here} {mark} {kata.short}  {escape(kata.title):<24} {count}")
        if len(model.catalog.katas) + LEAST_LOWER < self._height:
            self._out("\n[dim]Save a kata's file, and it is the one on the screen.[/]")

    def _all(self, model: Model) -> None:
        if model.run:
            self._out(f"[bold]All katas[/]  {self._status(model)}")
            return
        for name in model.lost:
            kata = next(kata for kata in model.catalog.katas if kata.name == name)
            self._out(
                f"[red]{kata.short}  {escape(kata.title)} passed before, and does not now.[/]"
            )
        if model.is_over:
            self._out("[green]Everything passes.[/] Well done.")
        for kata in model.catalog.katas:
            if result := model.results.get(kata.name):
                title = f"{kata.short}  {escape(kata.title)}"
                marks = " ".join(self._screen.mark(task.outcome) for task in result.tasks)
                wrong = ", ".join(
                    task.name
                    for task in result.tasks
                    if task.outcome in (Outcome.FAILED, Outcome.ERROR)
                )
                self._out(f"[{STYLES[result.outcome]}]{title:<30}[/] {marks}  [red]{wrong}[/]")
