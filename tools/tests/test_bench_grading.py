"""The bench of grading: what it counts, what it keeps, and that it keeps nothing of a run that was
not whole.
"""

import dataclasses
import json
import os
import random
import sys
import types
from pathlib import Path

import hostile_table
import judging
import pytest
from judging import contents
from submitting import K06

from bench import grading_bench as grading
from bench.classroom import Student
from bench.grading_bench import Kills
from dojo.grade.records import Status

pytest_plugins = ["judging"]
TASKS = frozenset(f"{K06}.{task}" for task in ("model", "train", "boundary"))
CLASS = [
    Student("reference", "all of it", {K06: "right"}, "zip", earned=TASKS),
    Student("reference", "all of it", {K06: "right too"}, "folder", earned=TASKS),
    Student("stub", "nothing done", {K06: "wrong"}, "tar.gz", never=TASKS),
    Student("hostile", "forge", {K06: "forged"}, "zip", never=TASKS),
    Student("broken archive", "empty", {}, "empty", never=TASKS),
]


@pytest.fixture
def bench(monkeypatch, tmp_path, capsys):
    """Run the bench on CLASS, graded by the stand-in judge: its exit code, what it shows, and what
    it keeps.

    `graded` is called in place of the grader, with the folders of submissions and of grades.
    """

    def grade(submissions: Path, out: Path) -> None:
        judging.grade(submissions, out, katas="k06")

    def run(*arguments: str, made=CLASS, graded=grade):
        kept = tmp_path / "grading.json"
        monkeypatch.setattr(grading, "students", lambda katas, number: made)
        monkeypatch.setattr(
            grading,
            "subprocess",
            types.SimpleNamespace(run=lambda command, check: graded(*command)),
        )
        monkeypatch.setattr(
            grading, "command", lambda submissions, out, katas, jobs: (submissions, out)
        )
        monkeypatch.setattr(
            sys, "argv", ["grading", "--katas", "k06", "--record", str(kept), *arguments]
        )
        with pytest.raises(SystemExit) as ended:
            grading.main()
        return (
            ended.value.code,
            capsys.readouterr(),
            json.loads(kept.read_text()) if kept.exists() else None,
        )

    return run


def test_the_figures_of_a_run_are_kept(bench):
    code, shown, kept = bench()
    (one,) = kept.values()
    assert code == 0 and "Everybody has what they have earned" in shown.out
    assert (one["students"], one["katas"], one["jobs"], one["problems"], one["kills"]) == (
        5,
        ["k06"],
        2,
        [],
        None,
    )
    assert one["tasks"] == dict.fromkeys(Status, 0) | {
        "verified": 6,
        "not verified": 3,
        "failed": 3,
        "absent": 3,
    }
    assert one["flags"] == {"not verified": 1, "unreadable": 1} and one["isolation"] == [
        "isolated: by a test"
    ]
    assert one["kinds"]["reference"] == {
        "students": 2,
        "as_earned": 2,
        "median": 0.5,
        "slowest": 0.5,
    }
    assert list(one["kinds"]) == ["reference", "stub", "hostile", "broken archive"]
    assert set(one["versions"]) == {"python", "torch"} and one["date"] and one["seconds"] >= 0
    assert "6 verified, 3 not verified, 3 failed, 3 absent" in shown.out


def test_what_is_wrong_is_kept_with_the_figures(bench):
    thief = dataclasses.replace(
        CLASS[0], kind="hostile", what="thief", earned=frozenset(), never=TASKS
    )
    code, shown, kept = bench(made=[*CLASS, thief])
    (problem,) = kept["undisturbed"]["problems"]
    assert (
        code == 1
        and problem.startswith("s0005, hostile, thief: credited and not earned")
        and problem in shown.out
    )
    assert kept["undisturbed"]["kinds"]["hostile"]["as_earned"] == 1


def test_of_a_run_that_was_not_whole_nothing_is_kept(bench):
    code, _, kept = bench("--kills", "3", graded=lambda submissions, out: None)
    assert code.startswith("0 of 5 submissions were graded") and kept is None


def test_a_record_that_has_no_place_is_told_before_anything_is_graded(bench, tmp_path):
    code, shown, _ = bench(
        "--record", str(tmp_path / "no" / "x.json"), graded=lambda *_: pytest.fail("it was graded")
    )
    assert code == 2 and "there is no folder" in shown.err


def test_the_last_run_and_the_last_one_with_kills_are_kept_beside_each_other(bench, monkeypatch):
    bench()
    monkeypatch.setattr(grading, "_killed", lambda command, fresh, number, dice: iter([]))
    _, _, kept = bench("--kills", "3")
    assert list(kept) == ["undisturbed", "with kills"]
    assert (
        kept["with kills"]["kills"] == vars(Kills(3, 0, 0, 0, 0))
        and kept["undisturbed"]["kills"] is None
    )


def test_what_kills_have_done_is_counted(many, tmp_path, monkeypatch):
    judging.grade(many, tmp_path / "out")
    found = grading.histories(tmp_path / "out")
    one, other, *_ = sorted(found)
    longer = {
        name: [dataclasses.replace(record, seconds=99) for record in history]
        for name, history in found.items()
    }
    without = {name: history for name, history in found.items() if name != one}
    twice = found | {one: found[one] * 2, other: found[other] * 2}
    changed = found | {one: [dataclasses.replace(found[one][0], problem="another")]}
    books = [
        (longer, []),
        (without, ["gone after a kill"]),
        (twice, []),
        (changed, []),
        (found | {"x": found[one]}, []),
    ]
    monkeypatch.setattr(grading, "_killed", lambda *_: iter(books))
    done, problems = grading.disturbed(None, None, found, 50, random.Random(1))
    assert done == Kills(kills=50, gradings=5, lost=2, repeated=2, equal=1)
    assert len(problems) == 6 and any("another record" in problem for problem in problems)


def test_a_killed_grading_is_gone_on_with_until_all_kills_are_done(many, tmp_path, monkeypatch):
    """The first start of all ends by itself, and of the other gradebooks the third."""
    starts, fresh = [], tmp_path / "fresh"
    judging.grade(many, fresh)

    def ends(command, out, kept, dice):
        starts.append(out.name)
        return starts == ["disturbed-0"] or starts.count(out.name) == 3

    monkeypatch.setattr(grading, "_ends_before_its_kill", ends)
    monkeypatch.setattr(grading.subprocess, "run", lambda command, **_: None)
    books = list(grading._killed(lambda out: [], fresh, 5, random.Random(1)))
    assert starts == ["disturbed-0"] + ["disturbed-1"] * 3 + ["disturbed-2"] * 3 + ["disturbed-3"]
    assert [problems for _, problems in books] == [[]] * 4 and contents(
        tmp_path / "disturbed-3"
    ) == contents(fresh)


@pytest.mark.skipif(os.name != "posix", reason="there is no SIGKILL")
@pytest.mark.parametrize(
    ("code", "thrown", "ends"),
    [("raise SystemExit(1)", 1, True), ("import time; time.sleep(60)", 0, False)],
)
def test_only_what_was_killed_counts_as_killed(tmp_path, monkeypatch, code, thrown, ends):
    with grading.Gradebook.open(tmp_path):
        pass
    monkeypatch.setattr(grading, "START", 0)
    dice = types.SimpleNamespace(random=lambda: thrown, randint=lambda *_: 1, uniform=lambda *_: 0)
    assert grading._ends_before_its_kill([sys.executable, "-c", code], tmp_path, 0, dice) is ends


def test_the_page_of_attacks_is_what_the_programs_say():
    page = hostile_table.FILE.read_text(encoding="utf-8")
    assert page == hostile_table.table(), "`python tools/bench/grading --hostile` writes it anew"


def test_a_record_that_is_kept_is_of_enough_students_and_found_nothing_wrong():
    kept = json.loads(grading.FILE.read_text(encoding="utf-8"))
    assert [one["problems"] for one in kept.values()] == [[]] * len(kept)
    run, killed = kept["undisturbed"], kept["with kills"]
    assert run["students"] >= 200 and len(run["kinds"]) == 7 and run["tasks"][Status.VERIFIED]
    assert all(
        kind["as_earned"] == kind["students"]
        for one in kept.values()
        for kind in one["kinds"].values()
    )
    done = killed["kills"]
    assert (
        killed["students"] >= 40
        and done["kills"] >= 50
        and not done["lost"]
        and not done["repeated"]
    )
    assert done["equal"] == done["gradings"] > 0
