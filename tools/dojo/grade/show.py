"""One record as the learner would see it, and as JSON."""

import json
from textwrap import indent

from rich.markup import escape
from rich.text import Text

from dojo.catalog import Catalog
from dojo.console import STYLES, Screen
from dojo.grade.exports import number
from dojo.grade.gradebook.documents import finite
from dojo.grade.progress import duration
from dojo.grade.records import (
    ABSENT,
    BLOCKED,
    ERROR,
    FAILED,
    NOT_STARTED,
    NOT_VERIFIED,
    NOTES,
    UNREADABLE,
    VERIFIED,
    KataGrade,
    Record,
    TaskGrade,
)
from dojo.grade.text import line, plain
from dojo.verdict import PASSED, TestResult

# The outcome whose mark and colour a status has.
_AS = {
    VERIFIED: PASSED,
    NOT_VERIFIED: FAILED,
    FAILED: FAILED,
    NOT_STARTED: NOT_STARTED,
    BLOCKED: BLOCKED,
    ABSENT: NOT_STARTED,
    ERROR: ERROR,
}


def document(record: Record) -> str:
    """The whole verdict as JSON in ASCII: the record's fields, with the sums that follow from them."""
    fields = record.to_json() | {"points": record.points, "possible": record.possible, "flags": list(record.flags)}
    for kata, found in zip(fields["katas"], record.katas, strict=True):
        kata |= {"points": found.points, "possible": found.possible}
    return json.dumps(finite(fields), indent=2, allow_nan=False)


def show(screen: Screen, record: Record, known: Catalog, at: str, versions: int) -> None:
    """The screen of one record. Whatever the submission put into it is shown as plain text.

    Args:
        at: when it was made.
        versions: how many records there are of this student.
    """
    _say(screen, f"\n[bold]{record.id}[/]  {_points(record.points, record.possible)}", f"  from {line(record.entry)}")
    newest = f", the newest of {versions}" if versions > 1 else ""
    took = f", in {duration(record.seconds)}" if record.seconds else ""
    _say(screen, "", f"graded {at.replace('T', ' ')}{newest}{took}; {line(record.isolation, 300)}", "dim")
    for flag in record.flags:
        _say(screen, f"[yellow]{flag}[/]", _why(record, flag))
    for kata in () if record.problem else record.katas:
        _kata(screen, kata, known)
    if record.ignored:
        screen.console.print("\nNot taken from the submission:")
    for one in record.ignored:
        _say(screen, "", f"  {line(one.name)}: {line(one.reason)}")


def _why(record: Record, flag: str) -> str:
    explained = {
        NOT_VERIFIED: "a task passed its tests, and the exam did not agree: a person should look",
        ERROR: "a fault of ours: grade again",
        UNREADABLE: line(record.problem, 300),
        NOTES: " ".join(line(note, 300) for note in record.notes),
    }
    return f": {explained[flag]}" if flag in explained else ""


def _kata(screen: Screen, kata: KataGrade, known: Catalog) -> None:
    title = next((f"{one.short}  {one.title}" for one in known.katas if one.name == kata.name), kata.name)
    if all(task.status == ABSENT for task in kata.tasks):
        _say(screen, f"\n[bold]{escape(title)}[/]  [dim]not handed in[/]  {_points(kata.points, kata.possible)}")
        return
    _say(screen, f"\n[bold]{escape(title)}[/]  {_points(kata.points, kata.possible)}")
    for task in kata.tasks:
        _task(screen, task)


def _task(screen: Screen, task: TaskGrade) -> None:
    mark, style = screen.mark(_AS[task.status]), STYLES[_AS[task.status]]
    _say(screen, f"\n  {mark} [bold]{task.name}[/]  [{style}]{task.status}[/]  {_points(task.points, task.possible)}")
    if task.reason:
        _say(screen, "", indent(plain(task.reason), " " * 6))
    if task.suite is None or task.status == VERIFIED:
        return
    first = task.suite.first_problem
    for test in task.suite.tests:
        _test(screen, test, told_below=test is first)
    if first:
        _say(screen, "", f"\n      {line(first.name)}", STYLES[first.outcome])
        _say(screen, "", indent(plain(first.message), " " * 6))


def _test(screen: Screen, test: TestResult, told_below: bool) -> None:
    device = "" if test.device == "cpu" else f" on {line(test.device)}"
    why = "" if test.outcome == PASSED or told_below else f"  {line(test.message.partition(chr(10))[0])}"
    _say(screen, f"      {screen.mark(test.outcome)} ", f"{line(test.name)}{device}{why}")


def _points(points: float, possible: float) -> str:
    return f"{number(points)} of {number(possible)} point{'' if possible == 1 else 's'}"


def _say(screen: Screen, ours: str, theirs: str = "", style: str = "") -> None:
    """Print a line: our part may have markup, what comes from a submission has none."""
    screen.console.print(Text.from_markup(ours).append(theirs, style or None))
