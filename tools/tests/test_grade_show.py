"""One record as a person gets to see it, and the table of all grades."""

import json
import sqlite3
import subprocess
import sys
from contextlib import closing

from submitting import K06, folder

from dojo import ROOT, console
from dojo.grade import show
from dojo.grade.gradebook import Gradebook
from dojo.grade.records import Ignored, KataGrade, Record, Status, TaskGrade
from dojo.results import TaskResult, TestResult

pytest_plugins = ["judging"]


def test_one_record_is_shown_as_the_learner_would_see_it(grade_command, course, tmp_path):
    grade_command(course, "--out", tmp_path / "g", "--katas", "k06,k07")
    code, out, _ = grade_command("show", "ben", "--out", tmp_path / "g")
    assert code == 0
    assert "k06  Logistic regression  0 of" in out
    assert "  not verified  0 of" in out
    # as text: no escape, no override of direction, no markup
    assert out.count("wrong [2J[red]") == 1
    assert "\x1b" not in out and "\u202e" not in out
    assert (
        "not verified: the exam did not agree with the tests, or these broke down over this file"
        " alone: a person" in out
    )
    _, out, _ = grade_command("show", "12345", "--out", tmp_path / "g")
    assert "12345" in out and "cid_12345_67890_katas.zip" in out
    assert "not handed in" in out
    _, out, _ = grade_command("show", "ann", "--out", tmp_path / "g")
    assert "ok model  verified" in out and "notes.txt: not a kata's file" in out
    _, out, _ = grade_command("show", "dan", "--out", tmp_path / "g")
    assert "unreadable: This submission is damaged" in out


def test_the_whole_verdict_is_one_json_document(grade_command, course, tmp_path):
    grade_command(course, "--out", tmp_path / "g", "--katas", "k06,k07")
    code, out, _ = grade_command("show", "ben", "--out", tmp_path / "g", "--json")
    document = json.loads(out)
    assert code == 0 and out.isascii()
    assert (document["id"], document["points"], document["flags"]) == ("ben", 0, ["not verified"])
    assert document["katas"][0]["tasks"][0]["suite"]["tests"][0]["message"].startswith("wrong \x1b")
    with Gradebook.view(tmp_path / "g") as book:
        secret = book._connection.execute(
            "SELECT value FROM meta WHERE name = 'secret'"
        ).fetchone()[0]
    assert secret.hex() not in out


def test_a_part_of_an_id_or_of_an_entrys_name_is_enough_where_it_fits_one_alone(
    grade_command, course, tmp_path
):
    grade_command(course, "--out", tmp_path / "g", "--katas", "k06")
    for typed, student in (("345", "12345"), ("CID_1", "12345"), ("dan.", "dan")):
        code, out, err = grade_command("show", typed, "--out", tmp_path / "g")
        assert code == 0 and out.startswith(f"\n{student}  ")
        assert (
            err
            == f"No id is '{typed}'. It is part of this record's id or entry, and of no other's.\n"
        )
    code, out, _ = grade_command("show", "345", "--out", tmp_path / "g", "--json")
    assert code == 0 and json.loads(out)["id"] == "12345"
    code, out, err = grade_command("show", "N", "--out", tmp_path / "g")
    assert (code, out) == (2, "")
    assert (
        "has no record of 'N'. It is part of several: ann, ben, dan (dan.zip). Name one by its id."
        in err
    )


def test_who_is_nobody_hears_where_the_ids_are(grade_command, course, tmp_path):
    grade_command(course, "--out", tmp_path / "g", "--katas", "k06")
    table = tmp_path / "g" / "grades.csv"
    for typed in ("zoe", "", " "):
        code, _, err = grade_command("show", typed, "--out", tmp_path / "g")
        assert code == 2 and err.endswith(
            f"has no record of '{typed.strip()}'. The ids are the first column of {table}.\n"
        )
    table.unlink()
    _, _, err = grade_command("show", "zoe", "--out", tmp_path / "g")
    assert "has no record of 'zoe'. The ids are: 12345, ann, ben, dan." in err


def test_before_anybody_was_graded_there_is_nobody_to_show(grade_command, tmp_path):
    with Gradebook.open(tmp_path / "g"):
        pass
    code, _, err = grade_command("show", "ann", "--out", tmp_path / "g")
    assert code == 2 and "Nobody has been graded there yet." in err


def test_an_unknown_student_gets_the_nearest(grade_command, course, tmp_path):
    folder(course / "ANN")
    grade_command(course, "--out", tmp_path / "g", "--katas", "k06")
    code, _, err = grade_command("show", "1235", "--out", tmp_path / "g")
    assert code == 2 and "has no record of '1235'. Near it: 12345." in err
    code, _, err = grade_command("show", "ann", "--out", tmp_path / "g")
    assert code == 2 and "It is part of several: ANN~" in err and ", ann~" in err
    with Gradebook.view(tmp_path / "g") as book:
        several = [name for name in book.ids() if name.casefold().startswith("ann~")]
    assert len(several) == 2
    _, out, _ = grade_command("show", several[0], "--out", tmp_path / "g")
    assert "see notes: 2 entries have the id" in out


def test_a_record_that_can_not_be_read_is_told_and_an_older_one_is_in_nobodys_way(
    grade_command, course, tmp_path
):
    show = [sys.executable, ROOT / "tools" / "grade", "show", "ann", "--out", tmp_path / "g"]
    for word in (b"wrong", b"right"):
        (course / "ann" / "katas" / f"{K06}.py").write_bytes(word)
        grade_command(course, "--out", tmp_path / "g", "--katas", "k06")
    with closing(sqlite3.connect(tmp_path / "g" / "gradebook.sqlite")) as connection:
        broken = (
            "UPDATE record SET document = '{' WHERE number = (SELECT {}(number) FROM record WHERE"
            " id = 'ann')"
        )
        with connection:
            connection.execute(broken.replace("{}", "min"))
        _, out, _ = grade_command("show", "ann", "--out", tmp_path / "g")
        assert "verified" in out and "the newest of 2" in out
        with connection:
            connection.execute(broken.replace("{}", "max"))
    said = subprocess.run(show, check=False, capture_output=True, text=True)
    assert (said.returncode, said.stdout) == (2, "")
    assert said.stderr == "The record of ann can't be read: grade that submission again.\n"


def test_looking_needs_no_torch(grade_command, course, tmp_path):
    grade_command(course, "--out", tmp_path / "g", "--katas", "k06")
    nothing_to_judge = [str(course), "--out", str(tmp_path / "g"), "--katas", "k06"]
    for arguments in (
        ["--help"],
        ["show", "ann", "--out", str(tmp_path / "g")],
        ["run", "--help"],
        nothing_to_judge,
    ):
        code = (
            "import sys; sys.path.insert(0, '.'); from dojo.grade.commands import main;"
            " sys.argv[1:] = sys.argv[2:]\n"
        )
        code += (
            "try: main()\nexcept SystemExit as end: assert not end.code and 'torch' not in"
            " sys.modules, end.code\n"
        )
        result = subprocess.run(
            [sys.executable, "-c", code, "-", *arguments],
            cwd=ROOT / "tools",
            check=False,
            capture_output=True,
        )
        assert result.returncode == 0, result.stderr


def of_k06(**suites):
    """A record of k06 with what the tests of its tasks said: outcome, message and device of
    each.
    """
    tasks = []
    for name, (status, *tests) in suites.items():
        suite = TaskResult(
            name, tuple(TestResult(f"test_{name}", *told[:2], device=told[2]) for told in tests)
        )
        tasks.append(
            TaskGrade(name, status, 1, suite.first_problem.message.partition("\n")[0], suite)
        )
    return Record("doe", "doe", "", (KataGrade(K06, tuple(tasks)),), isolation="isolated: x")


def shown(record, catalog, capsys):
    show.show(console.screen(), record, catalog, "2026-11-20T12:03:59", 1)
    return capsys.readouterr().out


def test_a_task_that_waits_says_what_for(catalog, capsys):
    waits = (
        Status.NOT_STARTED,
        "k06_logistic_regression.py:37 waits for you:\n  create self.linear",
        "cpu",
    )
    out = shown(of_k06(model=(Status.NOT_STARTED, waits)), catalog, capsys)
    assert "      k06_logistic_regression.py:37 waits for you:\n        create self.linear\n" in out


def test_what_is_wrong_with_the_whole_file_is_told_once_and_of_no_device(catalog, capsys):
    problem = "k06_logistic_regression.py can't be imported.\n  seen: x"
    tests = [(Status.FAILED, problem, device) for device in ("cpu", "cuda", "mps")]
    out = shown(
        of_k06(model=(Status.FAILED, *tests), train=(Status.FAILED, *tests)), catalog, capsys
    )
    assert out.count("can't be imported") == 1 and "cuda" not in out and "mps" not in out
    assert "0 of 2 points" in out and "    seen: x" in out
    passed = ("passed", "", "cpu")
    out = shown(
        of_k06(model=(Status.FAILED, passed, *tests), train=(Status.FAILED, *tests)),
        catalog,
        capsys,
    )
    assert "ok test_model" in out and "FAILED train" in out and "as above: " in out


def test_help_has_the_options_of_grading_and_the_way_to_those_of_show(grade_command):
    code, out, _ = grade_command("--help")
    assert code == 0
    for option in (
        "--out",
        "--katas",
        "--assignment",
        "--id-pattern",
        "--jobs",
        "--regrade",
        "--no-sandbox",
    ):
        assert option in out
    assert "python tools/grade show --help" in " ".join(out.split())
    assert "--json" in grade_command("show", "--help")[1]


def test_a_folder_in_the_place_of_the_table_is_told_before_anything_is_graded(
    grade_command, course, tmp_path
):
    (tmp_path / "g" / "grades.csv").mkdir(parents=True)
    code, _, err = grade_command(course, "--out", tmp_path / "g", "--katas", "k06")
    assert code == 2 and grade_command.asked == []
    assert (
        err == f"{tmp_path / 'g' / 'grades.csv'} is a folder, and the table of grades goes there:"
        " rename that folder, or give another --out.\n"
    )


def test_the_script_starts():
    result = subprocess.run(
        [sys.executable, ROOT / "tools" / "grade", "show", "x", "--out", "none"],
        check=False,
        capture_output=True,
    )
    assert (result.returncode, result.stdout) == (2, b"")
    assert b"has no gradebook" in result.stderr


def test_json_of_what_is_no_number():
    tests = (TestResult("t", "failed", seconds=float("nan")),)
    task = TaskGrade("model", Status.FAILED, 1, "", TaskResult("model", tests))
    document = json.loads(
        show.document(Record("doe", "", "", (KataGrade(K06, (task,)),), (Ignored("a", "b"),)))
    )
    assert document["katas"][0]["tasks"][0]["suite"]["tests"][0]["seconds"] is None
