"""A run of grading: nothing is lost or done twice however it ends, and a judge that fails harms
nobody else.
"""

import contextlib
import functools
import threading
import time
from dataclasses import replace

import judging
import pytest
from judging import contents
from submitting import K06, K07, a_zip, folder

from dojo.grade import judge_pool
from dojo.grade.gradebook import Gradebook
from dojo.grade.intake import scan
from dojo.grade.judge_pool import CannotGrade, JudgePool, checked
from dojo.grade.records import Status
from dojo.grade.run import Standing

pytest_plugins = ["judging"]

DELIVERED = {f"katas/{K06}.py": b"right", f"katas/{K07}.py": b"right"}


def test_all_are_judged_once_and_unchanged_work_is_not_run_again(tmp_path, many):
    judged = []
    assert judging.grade(many, tmp_path / "g", judged.append) == Standing(41, judged=41)
    # the torn one never meets a judge
    assert sorted(judged) == [f"s{number:02d}" for number in range(40)]
    first = contents(tmp_path / "g")
    judged.clear()
    assert judging.grade(many, tmp_path / "g", judged.append) == Standing(41, unchanged=41)
    assert not judged
    assert contents(tmp_path / "g") == first


def test_what_changes_is_run_again_and_the_history_stays(tmp_path, many):
    judged = []
    judging.grade(many, tmp_path / "g")
    (many / "s04" / "katas" / f"{K06}.py").write_bytes(b"wrong now")
    judging.grade(many, tmp_path / "g", judged.append)
    assert judged == ["s04"]
    with Gradebook.view(tmp_path / "g") as book:
        before, now = (kept.record.katas[0] for kept in book.history("s04"))
    assert before.points == before.possible > 0
    assert now.points == 0
    judging.grade(many, tmp_path / "g", judged.append, versions={"suite": "2"})
    assert len(judged) == 41


def test_an_earlier_version_that_is_handed_in_again_counts_again_without_a_run(tmp_path):
    place = tmp_path / "in" / "doe" / f"{K06}.py"
    judged = []
    for word in (b"right", b"wrong", b"right"):
        folder(tmp_path / "in" / "doe", {place.name: word})
        judging.grade(tmp_path / "in", tmp_path / "g", judged.append, katas="k06")
    assert judged == ["doe", "doe"]
    with Gradebook.view(tmp_path / "g") as book:
        assert book.newest("doe").record.statuses == {Status.VERIFIED}
        assert len(book.history("doe")) == 3


def test_an_entry_of_another_name_or_with_other_files_beside_keeps_its_verdict(tmp_path):
    judged = []
    a_zip(tmp_path / "in.zip", DELIVERED)
    (tmp_path / "in").mkdir()
    (tmp_path / "in.zip").rename(tmp_path / "in" / "doe.zip")
    judging.grade(tmp_path / "in", tmp_path / "g", judged.append)
    (tmp_path / "in" / "doe.zip").unlink()
    folder(tmp_path / "in" / "doe", DELIVERED | {"more.txt": b""})
    judging.grade(tmp_path / "in", tmp_path / "g", judged.append)
    assert judged == ["doe"]
    with Gradebook.view(tmp_path / "g") as book:
        newest = book.newest("doe").record
    assert (newest.entry, [one.name for one in newest.ignored]) == ("doe", ["more.txt"])


def test_regrading_runs_everything_again_and_goes_on_where_it_was_broken_off(tmp_path, many):
    judged = []
    judging.grade(many, tmp_path / "g")

    def stop_after_10(standing):
        if standing.done >= 10:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        judging.grade(many, tmp_path / "g", judged.append, regrade=True, on_done=stop_after_10)
    before = len(contents(tmp_path / "g")) - 41
    assert before == 10
    done = judging.grade(many, tmp_path / "g", judged.append, regrade=True)
    assert (done.judged, done.unchanged) == (31, 10)
    assert judging.grade(many, tmp_path / "g", regrade=True).judged == 41
    assert len(contents(tmp_path / "g")) == 3 * 41


def test_several_judges_share_the_work(tmp_path, many):
    barrier = threading.Barrier(3, timeout=30)  # broken unless three are at it at the same time

    def meet(student):
        if student in ("s00", "s01", "s02"):
            barrier.wait()

    judging.grade(many, tmp_path / "several", meet, jobs=3)
    judging.grade(many, tmp_path / "one")
    assert contents(tmp_path / "several") == contents(tmp_path / "one")


def test_submissions_are_read_only_when_their_turn_is_near(tmp_path, many, monkeypatch):
    reads = []
    intake = scan(many, [])
    really = type(intake).read
    monkeypatch.setattr(
        type(intake), "read", lambda self, entry: (reads.append(entry.id), really(self, entry))[1]
    )
    ahead = []
    judging.grade(
        many, tmp_path / "g", on_done=lambda standing: ahead.append(len(reads) - standing.done)
    )
    assert max(ahead) <= 3


def test_a_judge_that_fails_is_replaced_and_its_record_is_our_error(tmp_path):
    for name, word in (("a", b"right"), ("b", b"crash"), ("c", b"right")):
        folder(tmp_path / "in" / name, {f"{K06}.py": word})
    judged = []
    assert judging.grade(tmp_path / "in", tmp_path / "g", judged.append, katas="k06").judged == 3
    assert judged == ["a", "b", "b", "c"]
    with Gradebook.view(tmp_path / "g") as book:
        statuses = {student: book.newest(student).record.statuses for student in book.ids()}
        task, *_ = book.newest("b").record.katas[0].tasks
    assert statuses == {"a": {Status.VERIFIED}, "b": {Status.ERROR}, "c": {Status.VERIFIED}}
    assert (
        "Judging failed 2 times (RuntimeError: the judge fell over). This is no fault of the"
        " submission" in task.reason
    )
    judging.grade(tmp_path / "in", tmp_path / "g", judged.append, katas="k06")
    assert judged[4:] == ["b", "b"]  # an error of ours is made good in the next run


@pytest.mark.parametrize("error", [OSError("the sandbox was away"), SystemExit(0)])
def test_a_judge_that_fails_once_is_no_error(tmp_path, error):
    folder(tmp_path / "in" / "doe", DELIVERED)
    judged = []

    def once(student):
        judged.append(student)
        if len(judged) == 1:
            raise error

    judging.grade(tmp_path / "in", tmp_path / "g", once)
    with Gradebook.view(tmp_path / "g") as book:
        assert book.newest("doe").record.statuses == {Status.VERIFIED}


def richer(task):
    return replace(task, possible=9)


@pytest.mark.parametrize(
    "change",
    [
        lambda record: replace(record, katas=()),
        lambda record: replace(record, katas=record.katas[:1]),
        lambda record: replace(record, katas=record.katas[::-1]),
        lambda record: replace(
            record,
            katas=(replace(record.katas[0], tasks=record.katas[0].tasks[:1]), record.katas[1]),
        ),
        lambda record: replace(
            record,
            katas=tuple(
                replace(kata, tasks=tuple(map(richer, kata.tasks))) for kata in record.katas
            ),
        ),
    ],
    ids=["none", "a kata less", "another order", "a task less", "more points"],
)
def test_a_record_of_other_tasks_or_points_is_not_believed(tmp_path, catalog, change):
    class Other(judging.FakeJudge):
        def judge(self, submission):
            return change(super().judge(submission))

    assignment = judging.read(None, ["k06,k07"], catalog)
    folder(tmp_path / "in" / "doe", DELIVERED)
    judging.grade(tmp_path / "in", tmp_path / "g", judges=functools.partial(Other, assignment))
    with Gradebook.view(tmp_path / "g") as book:
        record = book.newest("doe").record
    assert record.statuses == {Status.ERROR}
    assert (record.points, len(record.katas)) == (0, 2)


def test_a_record_speaks_of_the_submission_it_was_made_for(tmp_path, catalog):
    folder(tmp_path / "in" / "doe", DELIVERED)
    assignment = judging.read(None, ["k06,k07"], catalog)
    intake = scan(tmp_path / "in", assignment.katas)
    submission = intake.read(intake.entries[0])
    with judging.FakeJudge(assignment) as judge:
        record = judge.judge(submission)
    believed = checked(
        replace(record, id="roe", content="other", entry="x"), submission, assignment
    )
    assert (believed.id, believed.content, believed.entry) == ("doe", submission.content, "doe")


def test_without_judges_nothing_is_graded_and_the_reason_is_told(tmp_path, many):
    @contextlib.contextmanager
    def refused():
        raise CannotGrade("There is no sandbox: install bubblewrap.")
        yield

    @contextlib.contextmanager
    def broken():
        raise OSError("no room")
        yield

    for judges, says in (
        (refused, "install bubblewrap"),
        (broken, "could not be started or ended .OSError: no room"),
    ):
        with pytest.raises(CannotGrade, match=says):
            judging.grade(many, tmp_path / "g", judges=judges)


def test_what_is_left_out_is_absent_and_what_can_not_be_read_has_no_points(tmp_path, many):
    judging.grade(many, tmp_path / "g")
    with Gradebook.view(tmp_path / "g") as book:
        torn, partly = book.newest("torn").record, book.newest("s03").record
    assert torn.statuses == {Status.ABSENT} and torn.flags == ("unreadable",)
    assert "damaged" in torn.problem
    assert {task.status for task in partly.katas[1].tasks} == {Status.ABSENT}


def test_stopping_does_not_wait_for_the_submission_under_way(tmp_path, catalog):
    begun, stopped = threading.Event(), threading.Event()

    class Slow(judging.FakeJudge):
        def judge(self, submission):
            begun.set()
            assert stopped.wait(60)
            raise RuntimeError("stopped")

        def stop(self):
            stopped.set()

    assignment = judging.read(None, ["k06"], catalog)
    folder(tmp_path / "in" / "doe", DELIVERED)
    intake = scan(tmp_path / "in", assignment.katas)
    judges = contextlib.nullcontext(functools.partial(Slow, assignment))
    told = []
    stopping = functools.partial(
        JudgePool, judges, 1, assignment, on_stop=lambda: told.append(stopped.is_set())
    )
    with pytest.raises(KeyboardInterrupt), stopping() as pool:
        pool.put(intake.read(intake.entries[0]))
        assert begun.wait(30)
        raise KeyboardInterrupt
    assert stopped.is_set() and told == [False]
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("judge")]


def test_judges_that_do_not_hear_that_they_are_stopped_are_waited_for_once_and_not_each_in_turn(
    tmp_path, catalog, monkeypatch
):
    begun, over = threading.Semaphore(0), threading.Event()

    class Deaf(judging.FakeJudge):
        def judge(self, submission):
            begun.release()
            over.wait(60)
            raise RuntimeError("over")

    monkeypatch.setattr(judge_pool, "SECONDS_TO_STOP", 0.5)
    assignment = judging.read(None, ["k06"], catalog)
    folder(tmp_path / "in" / "doe", DELIVERED)
    intake = scan(tmp_path / "in", assignment.katas)
    judges = contextlib.nullcontext(functools.partial(Deaf, assignment))
    with pytest.raises(KeyboardInterrupt), JudgePool(judges, 20, assignment) as pool:
        for _ in range(20):
            pool.put(intake.read(intake.entries[0]))
            assert begun.acquire(timeout=30)
        begin = time.monotonic()
        raise KeyboardInterrupt
    assert time.monotonic() - begin < 5
    over.set()
