"""A quick judge for the tests of grading, which gives grades by what the submission's file says;
and what goes with it.
"""

import contextlib
import functools
import sys
import types
from collections.abc import Callable
from pathlib import Path

import pytest
from submitting import K06, K07, a_zip, folder

from dojo.catalog import load
from dojo.grade import commands
from dojo.grade import run as running
from dojo.grade.assignment import Assignment, read
from dojo.grade.gradebook import Gradebook
from dojo.grade.intake import scan
from dojo.grade.records import NOT_ISOLATED, KataGrade, Record, Status, Submission, TaskGrade
from dojo.results import Outcome, TaskResult, TestResult

STATUS = {b"right": Status.VERIFIED, b"forged": Status.NOT_VERIFIED, b"blocked": Status.BLOCKED}
VERSIONS = {"suite": "1", "exam": "1"}


class FakeJudge:
    """A submission's first word decides: right, forged, wrong; "crash" lets the judge fail.

    Args:
        log: called with the id of each submission before it is judged.
    """

    def __init__(
        self, assignment: Assignment, log: Callable[[str], None] = lambda student: None
    ) -> None:
        self.assignment, self.log = assignment, log
        self.is_open = False

    def __enter__(self) -> "FakeJudge":
        self.is_open = True
        return self

    def __exit__(self, *error: object) -> None:
        self.is_open = False

    def stop(self) -> None:
        """Nothing takes long here."""

    def judge(self, submission: Submission) -> Record:
        assert self.is_open
        self.log(submission.id)
        katas = tuple(
            self._kata(kata, submission.files.get(kata.name)) for kata in self.assignment.katas
        )
        return Record(
            submission.id,
            submission.entry,
            submission.content,
            katas,
            isolation="isolated: by a test",
            seconds=0.5,
        )

    def _kata(self, kata, data: bytes | None) -> KataGrade:
        word = (data or b"").split()[0] if data and data.split() else b""
        if word == b"crash":
            raise RuntimeError("the judge fell over")
        status = Status.ABSENT if data is None else STATUS.get(word, Status.FAILED)
        return KataGrade(
            kata.name, tuple(self._task(kata.name, task.name, status, data) for task in kata.tasks)
        )

    def _task(self, kata: str, name: str, status: str, data: bytes | None) -> TaskGrade:
        possible = self.assignment.points_of(kata, name)
        outcome = (
            Outcome.PASSED if status in (Status.VERIFIED, Status.NOT_VERIFIED) else Status.FAILED
        )
        message = "" if outcome == Outcome.PASSED else (data or b"").decode("utf-8", "replace")
        suite = (
            None if data is None else TaskResult(name, (TestResult("test_it", outcome, message),))
        )
        reason = "" if status == Status.VERIFIED else f"it is {status}"
        return TaskGrade(name, status, possible, reason, suite)


def grade(
    submissions: Path,
    out: Path,
    log: Callable[[str], None] = lambda student: None,
    katas: str = "k06,k07",
    **arguments,
):
    """Grade a folder with fake judges."""
    assignment = read(None, [katas], load())
    judges = arguments.pop("judges", functools.partial(FakeJudge, assignment, log))
    arguments = {"versions": VERSIONS, "judging": contextlib.nullcontext(judges)} | arguments
    with Gradebook.open(out) as book:
        return running.grade(scan(submissions, assignment.katas), assignment, book, **arguments)


@pytest.fixture
def many(tmp_path) -> Path:
    """40 submissions of several kinds."""
    place = tmp_path / "many"
    for number in range(40):
        word = (b"right", b"wrong", b"forged", b"blocked")[number % 4]
        files = {f"katas/{K06}.py": word + b" %d" % number} | (
            {f"{K07}.py": b"right"} if number % 3 else {}
        )
        make = (folder, a_zip)[number % 2]
        place.mkdir(exist_ok=True)
        make(place / f"s{number:02d}{'.zip' if number % 2 else ''}", files)
    (place / "torn.zip").write_bytes(b"PK\x03\x04")
    return place


def contents(out: Path) -> list:
    """What a gradebook holds, apart from times and numbers."""
    with Gradebook.view(out) as book:
        kept = [kept for student in book.ids() for kept in book.history(student)]
    return [(one.key, one.record) for one in kept]


@pytest.fixture
def grade_command(monkeypatch, capsys):
    """Run the command line with fake judges: its exit code, output and error output."""
    asked = []

    @contextlib.contextmanager
    def judging(assignment, secret, isolated, jobs, hidden):
        asked.append((assignment, secret, isolated))
        isolation = "isolated: by a test" if isolated else NOT_ISOLATED
        judge = functools.partial(FakeJudge, assignment)
        yield types.SimpleNamespace(isolation=isolation, judge=judge)

    module = types.ModuleType("dojo.grade.judge")
    module.judging = judging
    monkeypatch.setitem(sys.modules, "dojo.grade.judge", module)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["grade", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            commands.main()
        out, err = capsys.readouterr()
        return ended.value.code, out, err

    run.asked = asked
    return run


@pytest.fixture
def course(tmp_path):
    """Five submissions, as a course has them."""
    place = tmp_path / "in"
    folder(
        place / "ann", {f"katas/{K06}.py": b"right", f"katas/{K07}.py": b"right", "notes.txt": b""}
    )
    folder(
        place / "ben",
        {f"katas/{K06}.py": b"wrong \x1b[2J\xe2\x80\xae[red]", f"katas/{K07}.py": b"forged"},
    )
    a_zip(place / "cid_12345_67890_katas.zip", {f"{K06}.py": b"right"})
    (place / "dan.zip").write_bytes(b"PK\x03\x04")
    (place / "roster.csv").write_bytes(b"")
    return place
