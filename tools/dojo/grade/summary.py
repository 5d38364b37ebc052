"""Shows the progress of a run, and its summary at the end."""

import heapq
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from dojo.catalog import Kata
from dojo.console import Screen
from dojo.grade.exports import number
from dojo.grade.records import NOT_ISOLATED, NOTES, UNREADABLE, Ignored, Record, Status
from dojo.grade.run import Standing
from dojo.grade.text import line, listed

SECONDS_BETWEEN_LINES = 10
SLOWEST = 5


class ProgressView:
    """The progress of a run (context manager): a bar on a terminal, a line now and then elsewhere.
    Nothing else should be written to its console meanwhile.
    """

    def __init__(self, console: Console, standing: Standing) -> None:
        self.standing = standing
        self._console = console
        columns = BarColumn(bar_width=24), TextColumn("{task.description}")
        hidden = not console.is_terminal
        self._bar = Progress(*columns, console=console, transient=True, disable=hidden)
        self._begin = self._last = time.monotonic()

    def __enter__(self) -> Self:
        self._bar.start()
        self._task = self._bar.add_task("beginning", total=None)
        return self

    def __exit__(self, *error: object) -> None:
        self._bar.stop()

    def judging(self, where: str) -> None:
        """Judging begins now, in the place that `where` describes; the speed counts from here."""
        self._begin = self._last = time.monotonic()
        self._console.print(where, markup=False, soft_wrap=True)

    def stopping(self) -> None:
        """Ctrl-C was pressed."""
        self._bar.stop()
        self._console.print("Stopping...")

    def show(self, standing: Standing) -> None:
        """Take note of a step."""
        self.standing = standing
        now = time.monotonic()
        text = progress_text(standing, now - self._begin)
        self._bar.update(
            self._task, description=text, completed=standing.done, total=standing.total
        )
        if not self._console.is_terminal and now - self._last >= SECONDS_BETWEEN_LINES:
            self._last = now
            self._console.print(text, markup=False)


def progress_text(standing: Standing, seconds: float) -> str:
    """The progress of a run, its speed, and the time left if all the rest has to be judged."""
    text = f"graded {standing.done:,} of {standing.total:,}"
    if standing.unchanged:
        text += f" ({standing.unchanged:,} unchanged)"
    if not standing.judged or seconds <= 0:
        return text
    text += f", {rate(standing.judged, seconds)}"
    seconds_left = (standing.total - standing.done) * seconds / standing.judged
    return f"{text}, about {duration(seconds_left)} left" if seconds_left else text


def rate(count: int, seconds: float) -> str:
    """The speed as a number a second, or a minute where a second is too short."""
    a_second = count / seconds
    return f"{a_second:.1f} a second" if a_second >= 1 else f"{60 * a_second:.1f} a minute"


def duration(seconds: float) -> str:
    """A time in the units a person would say it in."""
    if seconds < 1:
        return f"{seconds:.1f} s"
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 90 * 60 else f"{seconds / 3600:.1f} h"


@dataclass
class KataSummary:
    """One kata over all submissions.

    Attributes:
        handed_in: submissions that have its file.
        solved: submissions of which every task of it is verified.
        points: of all submissions together.
        possible: for one submission.
    """

    kata: Kata
    handed_in: int = 0
    solved: int = 0
    points: float = 0
    possible: float = 0


class Summary:
    """The sums of a run, added up from records as they pass, none of which is kept."""

    def __init__(self, katas: Sequence[Kata]) -> None:
        self.students = 0
        self.tasks: Counter[Status] = Counter()
        self.named: dict[str, list[str]] = defaultdict(list)  # flag → ids of students
        self.katas = {kata.name: KataSummary(kata) for kata in katas}
        self.slowest: list[tuple[float, str]] = []  # seconds and id, the slowest first
        self.possible: float = 0  # points of a student
        self._points: list[float] = []  # of each student whose points are known

    @property
    def mean(self) -> float | None:
        """Points of a student whose points are known; None where there is none."""
        return sum(self._points) / len(self._points) if self._points else None

    def over(self, records: Iterable[Record]) -> Iterator[Record]:
        """The same records; each is counted when it is taken."""
        for record in records:
            self._add(record)
            yield record

    def _add(self, record: Record) -> None:
        self.students += 1
        self.possible = record.possible
        if Status.ERROR not in record.statuses:
            self._points.append(record.points)
        for flag in record.flags:
            self.named[flag].append(record.id)
        for grade in record.katas:
            statuses = [task.status for task in grade.tasks]
            self.tasks.update(statuses)
            kata = self.katas[grade.name]
            kata.handed_in += any(status != Status.ABSENT for status in statuses)
            kata.solved += all(status == Status.VERIFIED for status in statuses)
            kata.points += grade.points
            kata.possible = grade.possible
        if record.seconds > 0:
            self.slowest = heapq.nlargest(SLOWEST, [*self.slowest, (record.seconds, record.id)])


def show(
    screen: Screen,
    summary: Summary,
    standing: Standing,
    seconds: float,
    strays: Sequence[Ignored],
    gone: Sequence[str],
    title: str = "",
) -> None:
    """The screen at the end of a run of so many seconds: `strays` in the folder were nobody's
    submission, `gone` are ids in the gradebook that the folder does not have.
    """
    out = screen.console.print
    tasks = summary.tasks
    named = summary.named
    if title:
        out(Text(f"\n{line(title)}"))
    speed = f", {rate(standing.judged, seconds)}" if standing.judged and seconds else ""
    out(
        f"\n[bold]{_submissions(summary.students)} graded[/]  {standing.judged:,} now,"
        f" {standing.unchanged:,} unchanged, in {duration(seconds)}{speed}\n"
    )
    unsolved = sum(tasks[status] for status in (Status.NOT_STARTED, Status.BLOCKED, Status.ABSENT))
    doubted = _to_look_at(summary, Status.NOT_VERIFIED, "a person should look")
    errors = _to_look_at(summary, Status.ERROR, "ours: run the same command again")
    out(f"  [green]verified[/]      {tasks[Status.VERIFIED]:,} tasks")
    out(f"  [red]not verified[/]  {doubted}")
    out(f"  failed        {tasks[Status.FAILED]:,}")
    out(f"  not solved    {unsolved:,}  [dim]not started, blocked or not handed in[/]")
    out(f"  [magenta]errors      [/]  {errors}")
    if unread := named[UNREADABLE]:
        out(f"  [red]unreadable[/]    {_submissions(len(unread))}: {listed(unread)}")
    if noted := named[NOTES]:
        out(f"  [yellow]see notes[/]     {listed(noted)}")
    out("")
    out(_table(summary))
    if summary.mean is not None:
        out(f"\n  mean: {number(round(summary.mean, 2))} of {number(summary.possible)} points")
    if slowest := [f"{student} {duration(seconds)}" for seconds, student in summary.slowest]:
        out(f"  slowest: {', '.join(slowest)}")
    if strays:
        names = [f"{stray.name} ({stray.reason})" for stray in strays]
        out(Text(f"  not read: {listed(names, '; ')}"))
    if gone:
        out(f"  in the gradebook, but not in this folder and so not in grades.csv: {listed(gone)}")
    if unconfined := named[NOT_ISOLATED]:
        what = f"submitted code ran without a sandbox, of {listed(unconfined)}"
        out(f"\n[bold red]Not isolated:[/] {what}.")


def _to_look_at(summary: Summary, status: Status, why: str) -> str:
    """The number of tasks that have a status, and the students who have them."""
    count = summary.tasks[status]
    return f"{count:,}" + (f"  [dim]{why}:[/] {listed(summary.named[status])}" if count else "")


def _submissions(count: int) -> str:
    return f"{count:,} submission{'' if count == 1 else 's'}"


def _table(summary: Summary) -> Table:
    table = Table(box=None, padding=(0, 2), pad_edge=False, header_style="dim")
    table.add_column("  kata")
    for name in ("handed in", "solved", "of all", "mean points"):
        table.add_column(name, justify="right")
    students = summary.students
    for kata in summary.katas.values():
        table.add_row(
            f"  {kata.kata.short}  {kata.kata.title}",
            f"{kata.handed_in:,}",
            f"{kata.solved:,}",
            f"{kata.solved / students:.0%}" if students else "",
            f"{kata.points / max(students, 1):.2f} of {number(kata.possible)}",
        )
    return table
