"""The gradebook: what is kept is kept, whoever else comes and whatever the disk does; and what
makes a record too old.
"""

import contextlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from dojo import ROOT, lock
from dojo.grade.gradebook import Gradebook, GradebookError
from dojo.grade.records import Ignored, KataGrade, Record, Status, TaskGrade, decode, encode
from dojo.results import Measured, TaskResult, TestResult


def record(student="doe", **fields):
    number = Measured("k06.train.x", "x", float("nan"), 0.1, True)
    tests = (TestResult("test_it", "failed", "why\u202e\ud800\x00", 0.5, measured=(number,)),)
    tasks = (
        TaskGrade("model", Status.VERIFIED, 2),
        TaskGrade("train", Status.FAILED, 1.5, "wrong", TaskResult("train", tests)),
    )
    katas = (KataGrade("k06_logistic_regression", tasks),)
    return Record(
        student, "doe.zip", "c0ffee", katas, (Ignored("x", "y"),), notes=("one", "two"), **fields
    )


def readable(one):
    """As it comes back: what is no number is none."""
    return decode(encode(one))


def test_records_come_back_as_they_were(tmp_path):
    with Gradebook.open(tmp_path / "new" / "grades") as book:
        book.add("a", record())
        book.add("b", record("roe", problem="bad"))
    with Gradebook.open(tmp_path / "new" / "grades") as book:
        assert book.find("a").record == readable(record())
        assert book.find("c") is None
        assert book.ids() == ("doe", "roe")
        assert (
            book.newest("doe").record.katas[0].tasks[1].suite.tests[0].message == "why\u202e?\x00"
        )


@pytest.mark.parametrize("points", [1, 2.5, None])
def test_a_document_with_points_that_its_verdicts_do_not_give_is_none(points):
    document = json.loads(encode(record("doe")))
    assert decode(json.dumps(document)) == readable(record("doe"))
    document["katas"][0]["tasks"][1]["points"] = points
    with pytest.raises(ValueError, match="points"):
        decode(json.dumps(document))


def kept(old: object, new: object) -> bool:
    """True if all of the old document is in the new one, which may have more fields."""
    if isinstance(old, dict):
        return all(kept(value, new[name]) for name, value in old.items())
    if isinstance(old, list):
        return len(old) == len(new) and all(map(kept, old, new))
    return old == new


def test_a_document_of_an_older_version_is_read():
    document = json.loads((Path(__file__).parent / "golden" / "record.json").read_text())
    assert kept(document, msgspec.to_builtins(decode(json.dumps(document))))
    assert decode(json.dumps(document)).katas[0].tasks[1].suite.tests[0].diagnosis.is_told
    del document["notes"]  # the oldest have none
    assert decode(json.dumps(document)).notes == ()


@pytest.mark.parametrize(
    "damage",
    [
        {"katas": None},
        {"katas": [{"name": "k06_logistic_regression"}]},
        {"seconds": "1"},
        {"second": 1},
        {"id": None},
        {"ignored": [{"name": "x"}]},
    ],
)
def test_a_damaged_document_is_none(damage):
    document = json.loads(encode(record("doe")))
    with pytest.raises(ValueError):
        decode(json.dumps(document | damage))


@pytest.mark.parametrize("field", ["name", "status", "possible", "suite", "points"])
def test_a_document_with_a_damaged_task_is_none(field):
    document = json.loads(encode(record("doe")))
    document["katas"][0]["tasks"][1][field] = ["solved"]
    with pytest.raises(ValueError):
        decode(json.dumps(document))


def test_the_newest_record_counts_and_the_history_stays(tmp_path):
    with Gradebook.open(tmp_path) as book:
        for content in ("old", "new"):
            book.add(content, replace(record(), content=content))
        assert book.newest("doe").record.content == "new"
        assert [kept.record.content for kept in book.history("doe")] == ["old", "new"]
        assert book.newest("doe").key == "new"
        assert book.find("old").record.content == "old"


def test_the_secret_is_made_once_for_each_gradebook(tmp_path):
    with Gradebook.open(tmp_path / "a") as book:
        secret = book.secret()
    with Gradebook.open(tmp_path / "a") as book, Gradebook.open(tmp_path / "b") as other:
        assert book.secret() == secret != other.secret()
        assert len(secret) == len(other.secret()) == 32


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_nobody_else_may_look_into_the_grades(tmp_path):
    with Gradebook.open(tmp_path / "grades") as book:
        book.add("a", record())
        modes = {
            path.name: path.stat().st_mode & 0o077
            for path in (tmp_path / "grades").glob("*.sqlite*")
        }
    assert (tmp_path / "grades").stat().st_mode & 0o077 == 0
    assert set(modes.values()) == {0}


def test_a_second_one_is_refused_and_told_who_holds_it(tmp_path):
    with Gradebook.open(tmp_path) as book:
        book.add("a", record())
        with pytest.raises(
            GradebookError,
            match=rf"is in use by another `grade` \(process {os.getpid()}, since .*\): wait",
        ):
            Gradebook.open(tmp_path).__enter__()
        with Gradebook.view(tmp_path) as looking:
            assert looking.newest("doe").record.id == "doe"
    with Gradebook.open(tmp_path) as book:
        assert book.newest("doe")


def test_the_lock_of_a_killed_process_is_free(tmp_path):
    code = "import sys, time; from pathlib import Path; from dojo import lock\n"
    code += (
        "with lock.alone(Path(sys.argv[1]), 'the other'): print('held', flush=True); time.sleep(60)"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code, tmp_path / "lock"], stdout=subprocess.PIPE, cwd=ROOT / "tools"
    )
    assert holder.stdout.readline() == b"held\n"
    with pytest.raises(lock.Taken, match="the other"):
        lock.alone(tmp_path / "lock", "me").__enter__()
    holder.kill()
    holder.wait()
    holder.stdout.close()
    with lock.alone(tmp_path / "lock", "me"):
        assert (tmp_path / "lock").read_text() == "me"


def test_a_newer_or_a_foreign_database_is_left_alone(tmp_path):
    with Gradebook.open(tmp_path / "newer"):
        pass
    with sqlite3.connect(tmp_path / "newer" / "gradebook.sqlite") as connection:
        connection.execute("PRAGMA user_version = 2")
    (tmp_path / "foreign").mkdir()
    with sqlite3.connect(tmp_path / "foreign" / "gradebook.sqlite") as connection:
        connection.execute("CREATE TABLE recipes (cake TEXT)")
    for name, says in (
        ("newer", "written by a newer version .*: update"),
        ("foreign", "database of another program"),
    ):
        before = (tmp_path / name / "gradebook.sqlite").read_bytes()
        for opening in (Gradebook.open, Gradebook.view):
            with pytest.raises(GradebookError, match=says):
                opening(tmp_path / name).__enter__()
        assert (tmp_path / name / "gradebook.sqlite").read_bytes() == before


@pytest.mark.parametrize(
    "content", [b"no database at all" * 100, b"SQLite format 3\0" + b"\xff" * 4096]
)
def test_a_broken_file_is_told_and_not_touched(tmp_path, content):
    (tmp_path / "gradebook.sqlite").write_bytes(content)
    for opening in (Gradebook.open, Gradebook.view):
        with pytest.raises(
            GradebookError, match=r"is broken .*nothing in it was changed. Bring it back"
        ):
            opening(tmp_path).__enter__()
    assert (tmp_path / "gradebook.sqlite").read_bytes() == content


def test_a_page_that_breaks_later_is_told(tmp_path):
    with Gradebook.open(tmp_path) as book:
        for number in range(50):
            book.add(str(number), record(f"s{number}"))
    path = tmp_path / "gradebook.sqlite"
    data = bytearray(path.read_bytes())
    data[4096 * 5 :] = b"\xff" * (len(data) - 4096 * 5)
    path.write_bytes(data)
    with pytest.raises(GradebookError, match="is broken"), Gradebook.open(tmp_path) as book:
        for number in range(50):
            book.newest(f"s{number}")


def test_a_file_that_was_made_and_not_filled_is_begun_anew(tmp_path):
    (tmp_path / "gradebook.sqlite").touch()
    with pytest.raises(GradebookError, match="is empty, for nothing has been graded there yet"):
        Gradebook.view(tmp_path).__enter__()
    with Gradebook.open(tmp_path) as book:
        book.add("a", record())


def test_where_there_is_no_gradebook_it_is_told_and_none_is_made(tmp_path):
    with pytest.raises(
        GradebookError, match="has no gradebook: give the folder of the grades with --out"
    ):
        Gradebook.view(tmp_path / "none").__enter__()
    assert not (tmp_path / "none").exists()
    (tmp_path / "file").touch()
    with pytest.raises(GradebookError, match="give another --out"):
        Gradebook.open(tmp_path / "file").__enter__()


def test_errors_of_the_caller_are_not_taken_for_the_gradebooks(tmp_path):
    with pytest.raises(FileNotFoundError), Gradebook.open(tmp_path):
        raise FileNotFoundError


def test_a_record_that_can_not_be_read_is_made_anew_and_never_skipped_in_silence(tmp_path):
    with Gradebook.open(tmp_path) as book:
        book.add("a", record())
    with sqlite3.connect(tmp_path / "gradebook.sqlite") as connection:
        connection.execute(
            "UPDATE record SET document = replace(document, '\"points\": 2', '\"points\": 9')"
        )
    with Gradebook.open(tmp_path) as book:
        assert book.find("a") is None
        assert book.newest("doe") is None
        assert book.history("doe") == (None,)


def test_a_full_disk_loses_nothing(tmp_path):
    with Gradebook.open(tmp_path) as book:
        book.add("0", record("s0"))
        book._connection.execute("PRAGMA max_page_count = 40")
        with pytest.raises(
            GradebookError, match=r"no room left on the disk .* goes on where it stopped"
        ):
            for number in range(1, 1000):
                book.add(str(number), record(f"s{number}"))
        kept = book.ids()
        assert len(kept) == number > 5
        book._connection.execute("PRAGMA max_page_count = 4000")
        book.add(str(number), record(f"s{number}"))
    with Gradebook.open(tmp_path) as book:
        assert set(book.ids()) == {*kept, f"s{number}"}
        assert book._connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_disk_that_is_really_full(tmp_path):
    mount = shutil.which("mount")
    if sys.platform != "linux" or os.geteuid() != 0 or not mount:
        pytest.skip("only root can make a small disk")
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(
        [mount, "-t", "tmpfs", "-o", "size=400k", "none", disk], check=False, capture_output=True
    ).returncode:
        pytest.skip("no disk can be mounted here")
    try:
        number = 0
        with (
            pytest.raises(GradebookError, match="no room left on the disk"),
            Gradebook.open(disk) as book,
        ):
            for number in range(10_000):
                book.add(str(number), record(f"s{number}"))
        subprocess.run([mount, "-o", "remount,size=4m", disk], check=True)
        with Gradebook.open(disk) as book:
            assert len(book.ids()) == number > 10
            book.add("more", record("more"))
        filler = disk / "filler"
        with pytest.raises(OSError, match="No space left"):
            filler.write_bytes(bytes(5_000_000))
        with (
            pytest.raises(GradebookError, match="no room left on the disk"),
            Gradebook.open(disk) as book,
        ):
            for number in range(10_000):
                book.add(str(number), record(f"s{number}"))
        with Gradebook.view(disk) as book:  # to look works without room
            assert book.newest("more")
    finally:
        subprocess.run([shutil.which("umount"), "-l", disk], check=False)


def test_what_a_killed_process_had_kept_can_be_seen(tmp_path):
    code = (
        "import os, signal, sys; from pathlib import Path; sys.path.insert(0, 'tests')\n"
        "from test_grade_gradebook import Gradebook, record\n"
        "with Gradebook.open(Path(sys.argv[1])) as book:\n"
        "    book.add('a', record())\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    killed = subprocess.run([sys.executable, "-c", code, tmp_path], cwd=ROOT / "tools", check=False)
    assert killed.returncode == -signal.SIGKILL
    with Gradebook.view(tmp_path) as book:
        assert book.newest("doe").record == readable(record())
    with Gradebook.open(tmp_path) as book:
        assert book.newest("doe").record == readable(record())


def test_in_a_folder_without_room_for_helper_files_nothing_that_was_kept_is_overlooked(
    tmp_path, monkeypatch
):
    really = sqlite3.connect

    class Refusing(sqlite3.Connection):
        def execute(self, *given):
            raise sqlite3.OperationalError("unable to open database file")

    def without_helpers(address, **arguments):
        return really(
            address, **arguments, **({"factory": Refusing} if "mode=ro" in str(address) else {})
        )

    with Gradebook.open(tmp_path) as book:
        book.add("a", record())
        monkeypatch.setattr(sqlite3, "connect", without_helpers)
        # the record is in the helper file alone
        with pytest.raises(GradebookError, match="can't be used"):
            Gradebook.view(tmp_path).__enter__()
    with Gradebook.view(tmp_path) as book:
        assert book.newest("doe")


def test_a_regrading_that_was_broken_off_goes_on(tmp_path):
    with Gradebook.open(tmp_path) as book:
        book.add("a", record())
        since = book.begin_regrading()
        assert book.find("a", after=since) is None
        book.add("a", record())
    with Gradebook.open(tmp_path) as book:
        assert book.begin_regrading() == since
        assert book.find("a", after=since)
        book.end_regrading()
        assert book.find("a", after=book.begin_regrading()) is None


def test_a_record_is_bounded_however_much_the_tests_said():
    tests = tuple(TestResult(f"t{number}", "failed", "x" * 1_000_000) for number in range(30))
    kata = KataGrade(
        "k",
        tuple(
            TaskGrade(f"t{number}", Status.FAILED, 1, "", TaskResult("t", tests))
            for number in range(3)
        ),
    )
    long = encode(Record("doe", "", "", (kata,)))
    assert len(long) < 2_100_000
    assert decode(long).katas[0].tasks[0].suite.tests[0].message.endswith("x ... (cut)")
    short = encode(Record("doe", "", "", (kata,) * 5))
    assert len(short) < 10_000
    assert [task.suite for task in decode(short).katas[4].tasks] == [None] * 3


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE record SET document = CAST(x'ff' || substr(document, 2) AS TEXT)",
        "UPDATE record SET document = CAST(substr(document, 1, 40) || x'ff' AS TEXT)",
        "UPDATE record SET document = x'00ff'",
        "UPDATE record SET document = replace(document, 'isolation', CAST(x'e9' AS TEXT))",
    ],
)
def test_a_damaged_record_is_made_anew_and_harms_no_other(tmp_path, damage):
    with Gradebook.open(tmp_path) as book:
        book.add("a", record("s1"))
        book.add("b", record("s2"))
    with sqlite3.connect(tmp_path / "gradebook.sqlite") as connection:
        connection.execute(f"{damage} WHERE id = 's1'")
    with Gradebook.open(tmp_path) as book:
        assert book.find("a") is None and book.newest("s1") is None
        assert book.find("b").record == readable(record("s2"))
        book.add("a", record("s1"))
        assert book.newest("s1").record == readable(record("s1"))


@pytest.mark.parametrize(
    "damage", ["DELETE FROM meta", "UPDATE meta SET value = 'short'", "DROP TABLE meta"]
)
def test_lost_notes_of_the_gradebook_are_made_anew(tmp_path, damage):
    with Gradebook.open(tmp_path) as book:
        book.add("a", record())
        book.begin_regrading()
    with sqlite3.connect(tmp_path / "gradebook.sqlite") as connection:
        connection.execute(damage)
    with Gradebook.open(tmp_path) as book:
        secret = book.secret()
        assert len(secret) >= 32 and book.secret() == secret
        assert book.begin_regrading() == 1
        assert book.find("a").record == readable(record())


@pytest.mark.parametrize("damage", ["a page is spoilt", "other columns", "it is gone"])
def test_a_damaged_index_is_made_anew_and_loses_no_record(tmp_path, damage):
    names = [f"s{number}" for number in range(20)]
    with Gradebook.open(tmp_path) as book:
        for name in names:
            book.add(f"key of {name}", record(name))
    path = tmp_path / "gradebook.sqlite"
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        ((at,),) = connection.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'record_of_id'"
        )
        ((size,),) = connection.execute("PRAGMA page_size")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        if damage == "other columns":
            connection.execute("PRAGMA writable_schema = ON")
            connection.execute(
                "UPDATE sqlite_master SET sql = replace(sql, '(id,', '(key,') WHERE name ="
                " 'record_of_id'"
            )
        elif damage == "it is gone":
            connection.execute("DROP INDEX record_of_id")
    if damage == "a page is spoilt":
        content = bytearray(path.read_bytes())
        content[(at - 1) * size : at * size] = b"\x07" * size
        path.write_bytes(content)
    with Gradebook.open(tmp_path) as book:
        assert book.ids() == tuple(sorted(names))
        for name in names:
            assert book.newest(name).record == readable(record(name))
            assert book.find(f"key of {name}").record.id == name
        book.add("new", record("s1"))
    with Gradebook.view(tmp_path) as book:
        assert len(book.history("s1")) == 2


def test_lost_records_are_told(tmp_path):
    with Gradebook.open(tmp_path) as book:
        book.add("a", record())
    with sqlite3.connect(tmp_path / "gradebook.sqlite") as connection:
        connection.execute("DROP TABLE record")
    for opening in (Gradebook.open, Gradebook.view):
        with pytest.raises(GradebookError, match=r"is broken .its records are gone"):
            opening(tmp_path).__enter__()
