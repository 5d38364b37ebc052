"""One record as the learner would see it, or as JSON; and whose record was asked for."""

import difflib
from pathlib import Path
from textwrap import indent
from typing import Any

from rich.markup import escape
from rich.text import Text

from dojo import UserError
from dojo.catalog import Catalog
from dojo.console import STYLES, Screen
from dojo.grade import exports, records
from dojo.grade.exports import number
from dojo.grade.gradebook import Gradebook
from dojo.grade.records import NOT_ISOLATED, NOTES, UNREADABLE, KataGrade, Record, Status, TaskGrade
from dojo.grade.summary import duration
from dojo.grade.text import line, listed, plain
from dojo.results import Outcome, TestResult

MEANINGS: dict[str, str] = {  # of flags
    Status.NOT_VERIFIED: (
        "the exam did not agree with the tests, or these broke down over this file alone: a person"
        " should look"
    ),
    Status.ERROR: "a fault of ours: grade again",
    NOT_ISOLATED: (
        "nothing stood between this code and the machine (--no-sandbox), so its verdict can't be"
        " trusted"
    ),
}
LIKE = {  # statuses without an outcome of the same name: those with the same mark and colour
    Status.VERIFIED: Outcome.PASSED,
    Status.NOT_VERIFIED: Outcome.FAILED,
    Status.ABSENT: Outcome.NOT_STARTED,
}


class UnknownStudent(UserError):
    """No student, or several, can be meant."""


def find_student(typed: str, book: Gradebook, out: Path) -> str:
    """The id that was typed, or that of the only student whose id or entry contains it in any case;
    raises UnknownStudent if there is none or several. `out` is the folder of the grades.
    """
    if book.newest_number(typed):
        return typed
    entries = {
        student: stored.record.entry if (stored := book.newest(student)) else ""
        for student in book.ids()
    }
    part = typed.casefold()
    fitting = {
        student: line(entry)
        for student, entry in entries.items()
        if part and part in f"{student}\n{entry}".casefold()
    }
    if len(fitting) == 1:
        return next(iter(fitting))
    if fitting:
        named = [
            f"{student} ({entry})" if entry not in ("", student) else student
            for student, entry in fitting.items()
        ]
        why = f"It is part of several: {listed(named)}. Name one by its id."
    elif not entries:
        why = "Nobody has been graded there yet."
    else:
        nearest = difflib.get_close_matches(typed, entries, n=3)
        near = f"Near it: {', '.join(nearest)}. " if nearest else ""
        table = out / exports.NAME
        ids = f" the first column of {table}" if table.is_file() else f": {listed(list(entries))}"
        why = f"{near}The ids are{ids}."
    raise UnknownStudent(f"{out} has no record of '{typed}'. {why}")


def document(record: Record) -> str:
    """The whole verdict as JSON in ASCII: the record's fields, with the sums that follow from
    them.
    """
    katas = [vars(kata) | _sums(kata) for kata in record.katas]
    document = vars(record) | {"katas": katas} | _sums(record) | {"flags": record.flags}
    return records.to_json(document, indent=2)


def _sums(graded: Record | KataGrade) -> dict[str, Any]:
    return {"points": graded.points, "possible": graded.possible}


def show(screen: Screen, record: Record, catalog: Catalog, at: str, versions: int) -> None:
    """The screen of one record. Whatever the submission put into it is shown as plain text.

    Args:
        at: when it was made.
        versions: how many records there are of this student.
    """
    points = _points(record.points, record.possible)
    _print(screen, f"\n[bold]{record.id}[/]  {points}", f"  from {line(record.entry)}")
    newest = f", the newest of {versions}" if versions > 1 else ""
    took = f", in {duration(record.seconds)}" if record.seconds else ""
    where = f"; {line(record.isolation, 300)}" if record.isolation != NOT_ISOLATED else ""  # a flag
    _print(screen, "", f"graded {at.replace('T', ' ')}{newest}{took}{where}", "dim")
    meanings = MEANINGS | {
        UNREADABLE: line(record.problem, 300),
        NOTES: " ".join(line(note, 300) for note in record.notes),
    }
    for flag in record.flags:
        _print(screen, f"[yellow]{flag}[/]", f": {meanings[flag]}")
    titles = {kata.name: f"{kata.short}  {kata.title}" for kata in catalog.katas}
    for kata in record.katas if not record.problem else ():
        _kata(screen, kata, titles.get(kata.name, kata.name))
    if record.ignored:
        screen.console.print("\nNot taken from the submission:")
    for ignored in record.ignored:
        _print(screen, "", f"  {line(ignored.name)}: {line(ignored.reason)}")


def _kata(screen: Screen, kata: KataGrade, title: str) -> None:
    points = _points(kata.points, kata.possible)
    if all(task.status == Status.ABSENT for task in kata.tasks):
        _print(screen, f"\n[bold]{escape(title)}[/]  [dim]not handed in[/]  {points}")
        return
    _print(screen, f"\n[bold]{escape(title)}[/]  {points}")
    suites = [task.suite for task in kata.tasks if task.suite and task.status == Status.FAILED]
    messages = {test.message for suite in suites for test in suite.tests}
    if len(messages) == 1 and len(suites) == len(kata.tasks):  # the whole file can't be used
        _print(screen, "", f"\n{indent(plain(messages.pop()), '  ')}")
        return
    shown: set[str] = set()
    for task in kata.tasks:
        _task(screen, task, shown)


def _task(screen: Screen, task: TaskGrade, shown: set[str]) -> None:
    """One task. Messages shown with an earlier one are not repeated."""
    outcome = LIKE.get(task.status) or Outcome(task.status.value)
    points = _points(task.points, task.possible)
    status = f"[{STYLES[outcome]}]{task.status}[/]"
    _print(screen, f"\n  {screen.mark(outcome)} [bold]{task.name}[/]  {status}  {points}")
    if task.status == Status.VERIFIED:
        return
    first = task.suite.first_problem if task.suite else None
    if task.suite is None or first is None or task.status in (Status.ABSENT, Status.ERROR):
        _print_reason(screen, task.reason)
    elif task.status in (Status.BLOCKED, Status.NOT_STARTED):
        _print_reason(screen, first.message)  # what for is said below the line that the reason is
    elif first.message in shown:
        _print(screen, "", f"      as above: {line(first.headline)}")
    else:
        shown.add(first.message)
        for test in task.suite.tests:
            _test(screen, test, is_new=test.headline != first.headline)
        _print(screen, "", f"\n      {line(first.name)}", STYLES[first.outcome])
        _print(screen, "", indent(plain(first.message), " " * 6))


def _test(screen: Screen, test: TestResult, is_new: bool) -> None:
    device = "" if test.device == "cpu" else f" on {line(test.device)}"
    why = f"  {line(test.headline)}" if test.outcome != Outcome.PASSED and is_new else ""
    _print(screen, f"      {screen.mark(test.outcome)} ", f"{line(test.name)}{device}{why}")


def _points(points: float, possible: float) -> str:
    return f"{number(points)} of {number(possible)} point{'' if possible == 1 else 's'}"


def _print_reason(screen: Screen, reason: str) -> None:
    if reason:
        _print(screen, "", indent(plain(reason), " " * 6))


def _print(screen: Screen, ours: str, theirs: str = "", style: str = "") -> None:
    """Print a line: our part may have markup, what comes from a submission has none."""
    screen.console.print(Text.from_markup(ours).append(theirs, style or None))
