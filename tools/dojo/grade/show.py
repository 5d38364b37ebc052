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
from dojo.grade.records import NOT_ISOLATED, NOTES, UNREADABLE, KataGrade, Record, Status, TaskGrade
from dojo.grade.text import line, plain
from dojo.results import Outcome, TestResult

# The outcome whose mark and colour a status has.
_AS = {
    Status.VERIFIED: Outcome.PASSED,
    Status.NOT_VERIFIED: Status.FAILED,
    Status.FAILED: Status.FAILED,
    Status.NOT_STARTED: Status.NOT_STARTED,
    Status.BLOCKED: Status.BLOCKED,
    Status.ABSENT: Status.NOT_STARTED,
    Status.ERROR: Status.ERROR,
}


def document(record: Record) -> str:
    """The whole verdict as JSON in ASCII: the record's fields, with the sums that follow from
    them.
    """
    fields = record.to_json() | {
        "points": record.points,
        "possible": record.possible,
        "flags": list(record.flags),
    }
    for kata, found in zip(fields["katas"], record.katas, strict=True):
        kata |= {"points": found.points, "possible": found.possible}
    return json.dumps(finite(fields), indent=2, allow_nan=False)


def show(screen: Screen, record: Record, known: Catalog, at: str, versions: int) -> None:
    """The screen of one record. Whatever the submission put into it is shown as plain text.

    Args:
        at: when it was made.
        versions: how many records there are of this student.
    """
    _say(
        screen,
        f"\n[bold]{record.id}[/]  {_points(record.points, record.possible)}",
        f"  from {line(record.entry)}",
    )
    newest = f", the newest of {versions}" if versions > 1 else ""
    took = f", in {duration(record.seconds)}" if record.seconds else ""
    # which is a flag, below
    where = f"; {line(record.isolation, 300)}" if record.isolation != NOT_ISOLATED else ""
    _say(screen, "", f"graded {at.replace('T', ' ')}{newest}{took}{where}", "dim")
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
        Status.NOT_VERIFIED: (
            "the exam did not agree with the tests, or these broke down over this file alone: a"
            " person should look"
        ),
        Status.ERROR: "a fault of ours: grade again",
        UNREADABLE: line(record.problem, 300),
        NOT_ISOLATED: (
            "nothing stood between this code and the machine (--no-sandbox), so its verdict can't"
            " be trusted"
        ),
        NOTES: " ".join(line(note, 300) for note in record.notes),
    }
    return f": {explained[flag]}" if flag in explained else ""


def _kata(screen: Screen, kata: KataGrade, known: Catalog) -> None:
    title = next(
        (f"{one.short}  {one.title}" for one in known.katas if one.name == kata.name), kata.name
    )
    if all(task.status == Status.ABSENT for task in kata.tasks):
        _say(
            screen,
            f"\n[bold]{escape(title)}[/]  [dim]not handed in[/] "
            f" {_points(kata.points, kata.possible)}",
        )
        return
    _say(screen, f"\n[bold]{escape(title)}[/]  {_points(kata.points, kata.possible)}")
    if problem := _of_the_file(kata):
        _say(screen, "", f"\n{indent(plain(problem), '  ')}")
        return
    told: set[str] = set()
    for task in kata.tasks:
        _task(screen, task, told)


def _of_the_file(kata: KataGrade) -> str:
    """What all of its tests say, for they can't use the file; empty where they say different
    things.
    """
    messages = {test.message for task in kata.tasks if task.suite for test in task.suite.tests}
    return (
        messages.pop()
        if len(messages) == 1
        and all(task.status == Status.FAILED and task.suite for task in kata.tasks)
        else ""
    )


def _task(screen: Screen, task: TaskGrade, told: set[str]) -> None:
    """One task. What was told of an earlier one is told once."""
    mark, style = screen.mark(_AS[task.status]), STYLES[_AS[task.status]]
    _say(
        screen,
        f"\n  {mark} [bold]{task.name}[/]  [{style}]{task.status}[/] "
        f" {_points(task.points, task.possible)}",
    )
    first = task.suite.first_problem if task.suite and task.status != Status.VERIFIED else None
    if first is None or task.status in (
        Status.BLOCKED,
        Status.NOT_STARTED,
        Status.ABSENT,
        Status.ERROR,
    ):
        # what for is said below the line that the reason is
        waits = first and task.status in (Status.BLOCKED, Status.NOT_STARTED)
        if reason := first.message if waits else task.reason:
            _say(screen, "", indent(plain(reason), " " * 6))
        return
    if first.message in told:
        _say(screen, "", "      as above: " + line(_headline(first)))
        return
    told.add(first.message)
    for test in task.suite.tests:
        _test(screen, test, is_new=_headline(test) != _headline(first))
    _say(screen, "", f"\n      {line(first.name)}", STYLES[first.outcome])
    _say(screen, "", indent(plain(first.message), " " * 6))


def _test(screen: Screen, test: TestResult, is_new: bool) -> None:
    device = "" if test.device == "cpu" else f" on {line(test.device)}"
    why = f"  {line(_headline(test))}" if test.outcome != Outcome.PASSED and is_new else ""
    _say(screen, f"      {screen.mark(test.outcome)} ", f"{line(test.name)}{device}{why}")


def _headline(test: TestResult) -> str:
    return test.message.partition("\n")[0]


def _points(points: float, possible: float) -> str:
    return f"{number(points)} of {number(possible)} point{'' if possible == 1 else 's'}"


def _say(screen: Screen, ours: str, theirs: str = "", style: str = "") -> None:
    """Print a line: our part may have markup, what comes from a submission has none."""
    screen.console.print(Text.from_markup(ours).append(theirs, style or None))
