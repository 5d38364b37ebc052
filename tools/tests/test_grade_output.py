"""What a person gets to see of grading: the command line, progress, the summary, grades.csv, and
one record.
"""

import csv
import io
from dataclasses import replace

import judging
import pytest
from submitting import K06, K07

from dojo.grade import commands, exports
from dojo.grade.assignment import read
from dojo.grade.exports import ExportError, row, safe, table
from dojo.grade.gradebook import Gradebook
from dojo.grade.records import NOT_ISOLATED, KataGrade, Record, Status, TaskGrade
from dojo.grade.run import Standing
from dojo.grade.summary import Summary, duration, progress_text, rate
from dojo.results import TaskResult, TestResult

pytest_plugins = ["judging"]


def one(**fields):
    tests = (
        TestResult("test_it\x1b", "failed", "seen: \u202e[bold]x[/]\x1b[2J"),
        TestResult("test_b", "passed"),
    )
    tasks = (
        TaskGrade("model", Status.VERIFIED, 2),
        TaskGrade("train", Status.FAILED, 1.5, "", TaskResult("train", tests)),
    )
    return Record(
        "doe", "doe.zip", "c", (KataGrade(K06, tasks),), isolation="isolated: x", **fields
    )


def test_a_folder_is_graded_and_summed_up(grade_command, course, tmp_path):
    code, out, _ = grade_command(
        course, "--out", tmp_path / "g", "--katas", "k06,k07", "--jobs", "2"
    )
    assert code == 0
    for line in (
        "4 submissions graded  4 now, 0 unchanged",
        "not verified",
        "a person should look: ben",
        "unreadable    1 submission: dan",
        "not read: roster.csv (neither a folder, an archive nor a kata's file)",
        f"{tmp_path / 'g' / 'grades.csv'} is written.",
    ):
        assert line in out
    assert [
        line.split()
        for line in out.splitlines()
        if "mean points" in line or "k06  Logistic regression" in line
    ] == [
        ["kata", "handed", "in", "solved", "of", "all", "mean", "points"],
        ["k06", "Logistic", "regression", "3", "2", "50%", "2.50", "of", "5"],
    ]
    assert "Not isolated" not in out
    (assignment, secret, isolated), *_ = grade_command.asked
    assert [kata.short for kata in assignment.katas] == ["k06", "k07"]
    assert len(secret) == 32 and isolated is True
    code, out, err = grade_command(course, "--out", tmp_path / "g", "--katas", "k06,k07")
    assert code == 0 and "4 submissions graded  0 now, 4 unchanged" in out
    assert len(grade_command.asked) == 1 and err == ""  # nothing to judge: no sandbox was started


def test_the_table_has_a_row_for_each_student_and_a_column_for_each_kata(
    grade_command, course, tmp_path
):
    grade_command(course, "--out", tmp_path / "g", "--katas", "k06,k07")
    with (tmp_path / "g" / "grades.csv").open(newline="", encoding="ascii") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["id", "points", "points possible", "flags", K06, K07]
    flags = {row["id"]: row["flags"] for row in rows}
    assert flags == {"12345": "", "ann": "", "ben": "not verified", "dan": "unreadable"}
    points = {row["id"]: row["points"] for row in rows}
    assert points["ann"] == rows[0]["points possible"]
    assert (points["ben"], points["dan"]) == ("0", "0")
    assert 0 < float(points["12345"]) < float(points["ann"])


def test_points_come_from_the_assignment(grade_command, course, tmp_path):
    (tmp_path / "assignment.toml").write_text(
        'katas = ["k06"]\n[points]\n"k06.model" = 10.5\n', encoding="utf-8"
    )
    grade_command(course, "--out", tmp_path / "g", "--assignment", tmp_path / "assignment.toml")
    with Gradebook.view(tmp_path / "g") as book:
        assert book.newest("ann").record.katas[0].tasks[0].points == 10.5
        assert len(book.newest("ann").record.katas) == 1


def test_other_points_change_every_grade_and_judge_nobody_again(
    grade_command, course, tmp_path, monkeypatch
):
    file, options = (
        tmp_path / "assignment.toml",
        ("--out", tmp_path / "g", "--assignment", tmp_path / "assignment.toml"),
    )
    file.write_text('katas = ["k06"]\npoints."k06.model" = 3\n', encoding="utf-8")
    grade_command(course, *options)
    monkeypatch.setattr(judging.FakeJudge, "judge", None)
    file.write_text('katas = ["k06"]\npoints."k06.model" = 2.5\n', encoding="utf-8")
    for _ in range(2):
        code, out, _ = grade_command(course, *options)
        assert code == 0 and "0 now, 4 unchanged" in out
    with Gradebook.view(tmp_path / "g") as book:
        points = {
            student: [kept.record.katas[0].tasks[0].points for kept in book.history(student)]
            for student in book.ids()
        }
        possible = {
            kept.record.possible for student in book.ids() for kept in book.history(student)[-1:]
        }
    assert points == {"ann": [3, 2.5], "12345": [3, 2.5], "ben": [0, 0], "dan": [0, 0]}
    rows = list(csv.DictReader((tmp_path / "g" / "grades.csv").open(newline="", encoding="ascii")))
    assert {row["id"]: row["points"] for row in rows}["ann"] == exports.number(
        max(possible)
    ) and len(possible) == 1
    assert "2.5 of 2.5 points" in grade_command("show", "ann", "--out", tmp_path / "g")[1]


def test_who_is_not_in_the_folder_any_more_stays_in_the_gradebook_and_not_in_the_table(
    grade_command, course, tmp_path
):
    grade_command(course, "--out", tmp_path / "g", "--katas", "k06")
    (course / "dan.zip").unlink()
    _, out, _ = grade_command(course, "--out", tmp_path / "g", "--katas", "k06")
    assert "in the gradebook, but not in this folder and so not in grades.csv: dan" in out
    assert "dan" not in (tmp_path / "g" / "grades.csv").read_text()
    assert grade_command("show", "dan", "--out", tmp_path / "g")[0] == 0


def test_grades_may_lie_in_the_folder_of_submissions(grade_command, course):
    for _ in range(2):
        _, out, _ = grade_command(course, "--out", course / "grades", "--katas", "k06")
        assert "4 submissions graded" in out
    assert "grades (where the grades go)" in out


def test_no_sandbox_is_said_on_the_screen_and_is_not_taken_for_isolated(
    grade_command, course, tmp_path, monkeypatch
):
    really = judging.FakeJudge.judge
    grade_command(course, "--out", tmp_path / "g", "--katas", "k06")
    monkeypatch.setattr(
        judging.FakeJudge, "judge", lambda *given: replace(really(*given), isolation=NOT_ISOLATED)
    )
    (course / "eve").mkdir()
    (course / "eve" / f"{K06}.py").write_bytes(b"crash")
    _, out, err = grade_command(course, "--out", tmp_path / "g", "--katas", "k06", "--no-sandbox")
    assert grade_command.asked[-1][2] is False
    assert err.startswith("NOT ISOLATED: submitted code runs without a sandbox")
    # also of what could not be read, and of what could not be judged
    assert (
        "Not isolated: submitted code ran without a sandbox, of 12345, ann, ben, dan, eve." in out
    )
    assert "5 now" in out
    assert "ann,5,5,not isolated,5" in (tmp_path / "g" / "grades.csv").read_text()
    assert "not isolated" in grade_command("show", "dan", "--out", tmp_path / "g")[1]


def test_at_the_start_a_line_says_what_the_sandbox_holds_and_at_the_end_the_title_what_was_graded(
    grade_command, course, tmp_path
):
    (tmp_path / "assignment.toml").write_text(
        'title = "Homework [3]\\u001b"\nkatas = ["k06"]\n', encoding="utf-8"
    )
    _, out, err = grade_command(
        course, "--out", tmp_path / "g", "--assignment", tmp_path / "assignment.toml"
    )
    assert err.splitlines()[:2] == ["Sandbox:", "  by a test"]
    assert out.startswith("\nHomework [3]\n")


def test_our_errors_make_exit_code_1_and_no_zero_in_the_table(grade_command, course, tmp_path):
    (course / "ann" / "katas" / f"{K06}.py").write_bytes(b"crash")
    code, out, _ = grade_command(course, "--out", tmp_path / "g", "--katas", "k06")
    assert code == 1
    assert "ours: run the same command again: ann" in out
    assert "ann,,5,error,\r\n" in (tmp_path / "g" / "grades.csv").read_bytes().decode()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["none"], "there is no such folder"),
        (["{in}", "--katas", "k99"], "There is no kata 'k99'"),
        (["{in}", "--assignment", "none.toml"], "check --assignment"),
        (["{in}", "--id-pattern", "("], "no regular expression"),
        (["{in}/roster.csv"], "is not a folder"),
        (["{in}", "--out", "{in}/roster.csv"], "give another --out"),
        (["{in}", "--jobs", "0"], "'--jobs'"),
        (["show", "ann", "--out", "{in}"], "has no gradebook"),
        ([], "Missing argument 'SUBMISSIONS'"),
    ],
)
def test_what_can_not_be_done_is_told_and_is_exit_code_2(grade_command, course, arguments, says):
    code, out, err = grade_command(
        *(argument.replace("{in}", str(course)) for argument in arguments)
    )
    assert code == 2
    assert says in err and "Traceback" not in err
    assert out == ""


def test_a_second_grade_of_the_same_grades_is_refused(grade_command, course, tmp_path):
    with Gradebook.open(tmp_path / "g"):
        code, _, err = grade_command(course, "--out", tmp_path / "g", "--katas", "k06")
    assert code == 2
    assert "is in use by another `grade`" in err and err.count("\n") == 1


def test_ctrl_c_says_how_to_go_on(grade_command, course, tmp_path, monkeypatch):
    def interrupted(*given):
        *_, on_done, on_stop, isolated = given
        assert isolated
        on_done(Standing(4, judged=2))
        on_stop()
        raise KeyboardInterrupt

    monkeypatch.setattr(commands, "grade", interrupted)
    code, _, err = grade_command(course, "--out", tmp_path / "g", "--katas", "k06")
    assert code == 130
    assert err.startswith("Stopping...\n")
    assert (
        "Stopped. 2 of 4 submissions are graded and kept: to go on, run the same command again."
        in err
    )
    assert not (tmp_path / "g" / "grades.csv").exists()


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "＝1"])
def test_no_cell_is_a_formula(text):
    assert safe(text) == f"'{text}"
    assert safe("a=1") == "a=1"
    _, cells = csv.reader(io.StringIO(table([K06], [replace(one(), id=text)]), newline=""))
    assert cells[0] == f"'{text}"


def test_numbers_in_the_table_are_plain():
    tasks = tuple(TaskGrade(str(number), Status.VERIFIED, 0.1) for number in range(3))
    assert row(Record("doe", "", "", (KataGrade(K06, tasks),), isolation="x"), [K06]) == [
        "doe",
        "0.3",
        "0.3",
        "",
        "0.3",
    ]
    broken = replace(
        one(), katas=(replace(one().katas[0], tasks=(TaskGrade("model", Status.ERROR, 2),)),)
    )
    assert row(broken, [K06, K07]) == ["doe", "", "2", "error", "", ""]


def test_a_table_that_can_not_be_written_leaves_the_old_one(tmp_path):
    path = tmp_path / "grades.csv"
    exports.write(path, [K06], [one()])
    before = path.read_bytes()

    def breaking():
        yield one()
        raise OSError(28, "No space left on device")

    with pytest.raises(ExportError, match=r"No space left on device.*the grades are kept"):
        exports.write(path, [K06], breaking())
    assert path.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == ["grades.csv"]


def test_the_summary_counts(catalog):
    made = Summary(read(None, ["k06"], catalog).katas)
    doubted = replace(
        one(),
        id="x",
        katas=(KataGrade(K06, (TaskGrade("model", Status.NOT_VERIFIED, 2),)),),
        seconds=3.0,
    )
    solved = replace(
        one(),
        id="y",
        katas=(KataGrade(K06, (TaskGrade("model", Status.VERIFIED, 2),)),),
        seconds=9.0,
    )
    failed = replace(one(), id="z", katas=(KataGrade(K06, (TaskGrade("model", Status.ERROR, 2),)),))
    assert [record.id for record in made.over([doubted, solved, failed])] == ["x", "y", "z"]
    assert (made.students, made.tasks) == (
        3,
        {Status.NOT_VERIFIED: 1, Status.VERIFIED: 1, Status.ERROR: 1},
    )
    assert made.named == {Status.NOT_VERIFIED: ["x"], Status.ERROR: ["z"]}
    assert made.slowest == [(9.0, "y"), (3.0, "x")]
    assert made.mean == 1.0  # of the two whose points are known
    assert (made.katas[K06].handed_in, made.katas[K06].solved) == (3, 1)


def test_progress_in_words():
    assert progress_text(Standing(300), 1) == "graded 0 of 300"
    assert progress_text(Standing(1000, unchanged=40), 1) == "graded 40 of 1,000 (40 unchanged)"
    assert (
        progress_text(Standing(300, judged=60, unchanged=40), 30)
        == "graded 100 of 300 (40 unchanged), 2.0 a second, about 2 min left"
    )
    assert [rate(1, 10), rate(20, 10)] == ["6.0 a minute", "2.0 a second"]
    assert [duration(s) for s in (0.25, 5, 89, 120, 7200)] == [
        "0.2 s",
        "5 s",
        "89 s",
        "2 min",
        "2.0 h",
    ]
