"""What a run came to, as data and as a screen."""

import heapq
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from rich.table import Table
from rich.text import Text

from dojo.catalog import Kata
from dojo.console import Screen
from dojo.grade.exports import number
from dojo.grade.progress import duration, rate
from dojo.grade.records import NOT_ISOLATED, NOTES, UNREADABLE, Ignored, Record, Status
from dojo.grade.run import Standing
from dojo.grade.text import line

SLOWEST = 5
MOST_NAMED = 8


@dataclass(frozen=True)
class KataSummary:
    """One kata over all submissions.

    Attributes:
        handed_in: submissions that have its file.
        solved: submissions of which every task of it is verified.
        of: submissions.
        points: the mean.
    """

    kata: Kata
    handed_in: int
    solved: int
    of: int
    points: float
    possible: float


@dataclass(frozen=True)
class Summary:
    """What a run came to.

    Attributes:
        students: how many there are.
        tasks: status → how many tasks have it.
        named: flag → ids of the students who have it.
        slowest: id and seconds, the slowest first.
        mean: points of a student whose points are known; None where there is none.
    """

    students: int
    tasks: dict[str, int]
    named: dict[str, tuple[str, ...]]
    katas: tuple[KataSummary, ...]
    slowest: tuple[tuple[str, float], ...]
    mean: float | None
    possible: float


@dataclass
class Tally:
    """Adds up records as they pass, none of which is kept."""

    katas: Sequence[Kata]
    _students: int = 0
    _known: int = 0
    _points: float = 0.0
    _possible: float = 0.0
    _tasks: Counter = field(default_factory=Counter)
    _named: dict[str, list[str]] = field(default_factory=dict)
    _of_kata: Counter = field(default_factory=Counter)
    _slowest: list[tuple[float, str]] = field(default_factory=list)

    def over(self, records: Iterable[Record]) -> Iterator[Record]:
        """The same records; each is counted when it is taken."""
        for record in records:
            self.add(record)
            yield record

    def add(self, record: Record) -> None:
        self._students += 1
        self._possible = record.possible
        if Status.ERROR not in record.statuses:
            self._known += 1
            self._points += record.points
        for flag in record.flags:
            self._named.setdefault(flag, []).append(record.id)
        for kata in record.katas:
            statuses = [task.status for task in kata.tasks]
            self._tasks.update(statuses)
            self._of_kata[kata.name, "handed in"] += any(
                status != Status.ABSENT for status in statuses
            )
            self._of_kata[kata.name, "solved"] += all(
                status == Status.VERIFIED for status in statuses
            )
            self._of_kata[kata.name, "points"] += kata.points
            self._of_kata[kata.name, "possible"] = kata.possible
        self._slowest = heapq.nlargest(SLOWEST, [*self._slowest, (record.seconds, record.id)])

    def summary(self) -> Summary:
        katas = tuple(self._kata(kata) for kata in self.katas)
        slowest = tuple((student, seconds) for seconds, student in self._slowest if seconds > 0)
        mean = self._points / self._known if self._known else None
        named = {flag: tuple(ids) for flag, ids in self._named.items()}
        return Summary(
            self._students, dict(self._tasks), named, katas, slowest, mean, self._possible
        )

    def _kata(self, kata: Kata) -> KataSummary:
        of = {
            what: self._of_kata[kata.name, what]
            for what in ("handed in", "solved", "points", "possible")
        }
        mean = of["points"] / self._students if self._students else 0.0
        return KataSummary(
            kata, of["handed in"], of["solved"], self._students, mean, of["possible"]
        )


def show(
    screen: Screen,
    made: Summary,
    standing: Standing,
    seconds: float,
    strays: Sequence[Ignored],
    gone: Sequence[str],
    title: str = "",
) -> None:
    """The screen at the end of a run.

    Args:
        seconds: that the run took.
        strays: what in the folder was nobody's submission.
        gone: ids in the gradebook that the folder does not have.
        title: of the assignment, if it has one.
    """
    out = screen.console.print
    if title:
        out(Text(f"\n{line(title)}"))
    speed = f", {rate(standing.judged, seconds)}" if standing.judged and seconds else ""
    out(
        f"\n[bold]{made.students:,} submission{'' if made.students == 1 else 's'} graded[/] "
        f" {standing.judged:,} now, {standing.unchanged:,} unchanged, in"
        f" {duration(seconds)}{speed}\n"
    )
    tasks = made.tasks
    open_tasks = sum(tasks.values()) - sum(
        tasks.get(status, 0)
        for status in (Status.VERIFIED, Status.NOT_VERIFIED, Status.FAILED, Status.ERROR)
    )
    out(f"  [green]verified[/]      {tasks.get(Status.VERIFIED, 0):,} tasks")
    out(
        _counted(
            "not verified",
            "red",
            tasks.get(Status.NOT_VERIFIED, 0),
            made.named.get(Status.NOT_VERIFIED, ()),
            "a person should look",
        )
    )
    out(f"  failed        {tasks.get(Status.FAILED, 0):,}")
    out(f"  not solved    {open_tasks:,}  [dim]not started, blocked or not handed in[/]")
    out(
        _counted(
            "errors",
            "magenta",
            tasks.get(Status.ERROR, 0),
            made.named.get(Status.ERROR, ()),
            "ours: run the same command again",
        )
    )
    if unread := made.named.get(UNREADABLE, ()):
        out(
            f"  [red]unreadable[/]    {len(unread):,} submission{'' if len(unread) == 1 else 's'}:"
            f" {_names(unread)}"
        )
    if noted := made.named.get(NOTES, ()):
        out(f"  [yellow]see notes[/]     {_names(noted)}")
    out("")
    out(_table(made.katas))
    if made.mean is not None:
        out(f"\n  mean: {number(round(made.mean, 2))} of {number(made.possible)} points")
    if made.slowest:
        out(
            "  slowest:"
            f" {', '.join(f'{student} {duration(seconds)}' for student, seconds in made.slowest)}"
        )
    if strays:
        listed = "; ".join(f"{stray.name} ({stray.reason})" for stray in strays[:MOST_NAMED])
        out(Text(f"  not read: {listed}{_more(len(strays))}"))
    if gone:
        out(f"  in the gradebook, but not in this folder and so not in grades.csv: {_names(gone)}")
    if NOT_ISOLATED in made.named:
        out(
            "\n[bold red]Not isolated:[/] submitted code ran without a sandbox, of"
            f" {_names(made.named[NOT_ISOLATED])}."
        )


def _counted(what: str, style: str, count: int, ids: Sequence[str], why: str) -> str:
    return f"  [{style}]{what:<12}[/]  {count:,}" + (
        f"  [dim]{why}:[/] {_names(ids)}" if count else ""
    )


def _names(ids: Sequence[str]) -> str:
    return ", ".join(ids[:MOST_NAMED]) + _more(len(ids))


def _more(count: int) -> str:
    return f" and {count - MOST_NAMED:,} more" if count > MOST_NAMED else ""


def _table(katas: Sequence[KataSummary]) -> Table:
    table = Table(box=None, padding=(0, 2), pad_edge=False, header_style="dim")
    table.add_column("  kata")
    for name in ("handed in", "solved", "of all", "mean points"):
        table.add_column(name, justify="right")
    for one in katas:
        share = f"{one.solved / one.of:.0%}" if one.of else ""
        mean = f"{one.points:.2f} of {number(one.possible)}"
        table.add_row(
            f"  {one.kata.short}  {one.kata.title}",
            f"{one.handed_in:,}",
            f"{one.solved:,}",
            share,
            mean,
        )
    return table
