"""The judge: what submissions of every kind are worth, outside the sandbox and inside."""

import contextlib
import functools
import math
import os
import re
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import pytest
from helpers import lives, until
from hostile_programs import KATA, TASKS, base, programs
from sandboxes import need_a_sandbox

from dojo import ROOT, results
from dojo.catalog import load
from dojo.exam import examiner, sheet
from dojo.exam.examiner import Late
from dojo.exam.sheet_pool import Sheets
from dojo.grade import assignment as assignments
from dojo.grade import judge as judge_module
from dojo.grade.assignment import Limits
from dojo.grade.judge import Judge
from dojo.grade.judge_pool import CannotGrade
from dojo.grade.records import NOT_ISOLATED, Status, Submission
from dojo.grade.text import bounded
from dojo.processes import forking
from dojo.processes.worker import Lost, Plain
from dojo.results import Drift, KataResult, TaskResult, TestResult
from dojo.suite.supervisor import Abandoned

SECRET = b"of a test"
FOREVER = functools.partial(os.execlp, "sh", "sh", "-c", "sleep 100")  # drawing a sheet
BOUNDARY = "return -(w1 * x1 + b) / w2"
# Passes every test it meets: each check of the tests is exchanged for one that is content.
CONTENT_WITH_ALL = """
import tests.support.expect as checks
for name in "that close equal printed reaches on_device shape dtype unmet losses".split():
    setattr(checks, name, lambda *_, **__: None)
"""


def of(*sources: str) -> Submission:
    return Submission("doe", "doe.zip", dict(zip([KATA], map(str.encode, sources), strict=False)))


def raising(error: Exception) -> Callable[..., NoReturn]:
    def call(*_: object) -> NoReturn:
        raise error

    return call


def statuses(record) -> dict[str, str]:
    return {task.name: task.status for kata in record.katas for task in kata.tasks}


@contextlib.contextmanager
def judging(isolated: bool, **limits: int) -> Iterator[Judge]:
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", suffix=".toml") as file:
        file.write(
            'katas = ["k06"]\n[limits]\n'
            + "".join(f"{name} = {value}\n" for name, value in limits.items())
        )
        file.flush()
        assignment = assignments.read(Path(file.name), [], load())
    with (
        judge_module.judging(assignment, SECRET, isolated, jobs=1) as shared,
        shared.judge() as one,
    ):
        yield one


@pytest.fixture(scope="module")
def judge() -> Iterator[Judge]:
    with judging(isolated=False) as one:
        yield one


@pytest.fixture(scope="module")
def confined() -> Iterator[Judge]:
    need_a_sandbox()
    with judging(isolated=True, seconds_a_test=30) as one:
        yield one


def test_the_reference_earns_all_points(judge):
    record = judge.judge(of(base("reference")))
    assert (
        set(statuses(record).values()) == {Status.VERIFIED}
        and record.points == record.possible == 5
    )
    assert record.flags == (NOT_ISOLATED,)


def test_a_wrong_task_costs_its_own_points_alone(judge):
    record = judge.judge(of(base("reference").replace(BOUNDARY, "return x1")))
    assert statuses(record) == {
        "model": Status.VERIFIED,
        "train": Status.VERIFIED,
        "boundary": Status.FAILED,
    }
    assert "x2 along the boundary" in record.katas[0].tasks[2].reason


def test_a_file_that_needs_another_kata_fails_and_is_told_that_it_is_judged_alone(judge):
    record = judge.judge(of("import katas.k01_tensors\n" + base("reference")))
    assert set(statuses(record).values()) == {Status.FAILED}
    assert (
        ".py:1 imports katas.k01_tensors, but each kata is judged alone"
        in record.katas[0].tasks[0].reason
    )


def test_a_stub_and_nothing_at_all_earn_nothing(judge):
    assert statuses(judge.judge(of(base("stub"))))["model"] == Status.NOT_STARTED
    record = judge.judge(of())
    assert set(statuses(record).values()) == {Status.ABSENT} and record.points == 0


def test_what_deceives_the_tests_does_not_deceive_the_exam(judge):
    record = judge.judge(of(base("reference").replace(BOUNDARY, "return x1") + CONTENT_WITH_ALL))
    assert statuses(record)["boundary"] == Status.NOT_VERIFIED and record.points < record.possible
    assert Status.NOT_VERIFIED in record.flags


def test_a_submission_that_takes_too_long_is_ended_and_what_it_had_not_done_has_failed():
    with judging(isolated=False, seconds_a_submission=3) as impatient:
        record = impatient.judge(of("while True: pass\n" + base("reference")))
    assert set(statuses(record).values()) == {Status.FAILED} and record.seconds < 60


def test_a_fault_of_ours_is_an_error_and_tried_twice(judge, monkeypatch):
    tried = []

    def broken(*_: str):
        tried.append(1)
        raise RuntimeError("no reference")

    monkeypatch.setattr(judge, "shared", replace(judge.shared, sheet_of=broken))
    record = judge.judge(of(base("reference")))
    assert (
        set(statuses(record).values()) == {Status.ERROR} and record.points == 0 and len(tried) == 2
    )
    assert "a fault of the grader, not of the submission" in record.katas[0].tasks[0].reason


def test_who_gives_no_answer_in_time_is_asked_once_more_for_that_task_alone(judge, monkeypatch):
    asked, examine = [], judge_module.examine

    def busy(worker, source, drawn, tasks, end):
        asked.append(list(tasks))
        reasons = examine(worker, source, drawn, tasks, end)
        return reasons if len(asked) > 1 else {**reasons, "train": Late("no answer within 12 s")}

    monkeypatch.setattr(judge_module, "examine", busy)
    assert set(statuses(judge.judge(of(base("reference")))).values()) == {Status.VERIFIED}
    assert asked == [list(TASKS), ["train"]]


def test_a_submission_s_own_words_are_no_second_chance(judge, monkeypatch):
    asked = []

    def examine(worker, source, drawn, tasks, end):
        asked.append(list(tasks))
        own = "steps: answering raised RuntimeError: no answer within 0 s"
        return {**dict.fromkeys(tasks, ""), "train": own}

    monkeypatch.setattr(judge_module, "examine", examine)
    assert statuses(judge.judge(of(base("reference"))))["train"] == Status.NOT_VERIFIED
    assert asked == [list(TASKS)]


def test_who_breaks_the_tests_gets_no_error_of_ours_and_one_that_the_reference_has_too_is_ours(
    judge, monkeypatch
):
    # one is slow enough, and that they are two is shown above
    monkeypatch.setattr(judge_module, "ATTEMPTS_A_KATA", 1)
    breaks = next(one for one in programs() if one.name == "break_suite").file().decode()
    record = judge.judge(of(breaks))
    assert (
        set(statuses(record).values()) == {Status.NOT_VERIFIED}
        and record.points == 0
        and Status.NOT_VERIFIED in record.flags
    )
    reason = record.katas[0].tasks[0].reason
    assert reason.startswith("the tests broke down over this file, and not over the reference: ")
    monkeypatch.setattr(judge, "_judges_the_reference", lambda kata: False)
    assert set(statuses(judge.judge(of(breaks))).values()) == {Status.ERROR}


def test_an_exam_whose_process_was_lost_says_nothing_of_the_submission(judge, monkeypatch):
    class BreaksDown(Plain):
        """It ends each process at once, and says that it was lost."""

        def start(self, job, log):
            process = super().start(job, log)
            process.kill()
            monkeypatch.setattr(process, "exit_code", raising(Lost()))
            return process

    monkeypatch.setattr(judge, "shared", replace(judge.shared, exam=BreaksDown()))
    assert set(statuses(judge.judge(of(base("reference")))).values()) == {Status.ERROR}


def test_a_task_that_the_exam_does_not_ask_about_is_our_fault(judge, monkeypatch):
    monkeypatch.setattr("dojo.grade.judge.examine", lambda *_: {"model": ""})
    assert statuses(judge.judge(of(base("reference")))) == {
        "model": Status.VERIFIED,
        "train": Status.ERROR,
        "boundary": Status.ERROR,
    }


def test_the_reference_answers_in_our_time_and_not_in_the_submissions(monkeypatch):
    with judging(isolated=False, seconds_a_submission=60) as one:
        really, asked, clock = one.shared.sheet_of, [], time.monotonic

        def slow(*which: str):
            asked.append(which)
            monkeypatch.setattr("dojo.grade.judge.time.monotonic", lambda: clock() + 600)
            return really(*which)

        monkeypatch.setattr(one, "shared", replace(one.shared, sheet_of=slow))
        assert (
            set(statuses(one.judge(of(base("reference")))).values()) == {Status.VERIFIED} and asked
        )


def test_the_exam_ends_with_the_submissions_time(judge, monkeypatch):
    ends, begin = [], time.monotonic()

    def content_with_all(worker, source, sheet, tasks, end):
        ends.append(end)
        return dict.fromkeys(tasks, "")

    monkeypatch.setattr("dojo.grade.judge.examine", content_with_all)
    judge.judge(of(base("reference")))
    assert begin < ends[0] <= time.monotonic() + Limits().seconds_a_submission


def test_a_stopped_judge_lets_go():
    with judging(isolated=False) as one:
        one.stop()
        with pytest.raises(Abandoned):
            one.judge(of("while True: pass\n" + base("stub")))


def test_the_same_submission_gets_the_same_sheet_and_each_is_drawn_once(monkeypatch):
    with Sheets(SECRET, jobs=1) as sheets:
        one = sheets.of(KATA, "a" * 64)
        assert sheets.of(KATA, "a" * 64) is one
        assert len({id(sheets.of(KATA, str(number))) for number in range(40)}) <= 8
    with Sheets(SECRET, jobs=1) as again, Sheets(b"other", jobs=1) as other:
        assert (
            again.of(KATA, "a" * 64).items[0].seed
            == one.items[0].seed
            != other.of(KATA, "a" * 64).items[0].seed
        )


def test_a_sheet_that_could_not_be_drawn_is_drawn_when_it_is_asked_for_again(monkeypatch):
    with Sheets(SECRET, jobs=1) as sheets:
        monkeypatch.setattr("dojo.exam.sheet_pool.sheet.draw", divmod)
        with pytest.raises(TypeError):
            sheets.of(KATA, "a" * 64)
        monkeypatch.undo()
        assert sheets.of(KATA, "a" * 64).items


def test_sheets_are_drawn_although_a_process_that_draws_them_was_killed():
    with Sheets(SECRET, jobs=1) as sheets:
        before = sheets.of(KATA, "a" * 64)
        for process in list(sheets._pool._processes.values()):
            process.kill()
        until(lambda: sheets._pool._broken)
        others = (str(number) for number in range(1000))
        assert any(sheets.of(KATA, content) is not before for content in others)


@pytest.mark.skipif(not forking.can_fork(), reason="elsewhere it is drawn in other processes")
def test_a_reference_that_hangs_is_ended_and_told_and_the_next_sheet_is_drawn(monkeypatch):
    with Sheets(SECRET, jobs=1, patience=1) as sheets:
        monkeypatch.setattr("dojo.exam.sheet_pool.sheet.draw", FOREVER)
        with pytest.raises(TimeoutError, match=f"{KATA} did not answer within 1 s"):
            sheets.of(KATA, "a" * 64)
        monkeypatch.undo()
        sheets._patience = 600
        assert sheets.of(KATA, "a" * 64).items


@pytest.mark.skipif(not forking.can_fork(), reason="elsewhere it is drawn in other processes")
def test_who_waits_for_a_sheet_is_told_at_once_that_all_is_stopped(monkeypatch):
    heard = []

    def ask(sheets: Sheets) -> None:
        try:
            sheets.of(KATA, "a" * 64)
        except BaseException as error:
            heard.append(error)

    monkeypatch.setattr("dojo.exam.sheet_pool.sheet.draw", FOREVER)
    with pytest.raises(KeyboardInterrupt), Sheets(SECRET, jobs=1) as sheets:
        asking = threading.Thread(target=ask, args=(sheets,), daemon=True)
        asking.start()
        until(lambda: sheets._sheets and sheets._pool._processes)
        (drawing,) = sheets._pool._processes.values()
        begin = time.monotonic()
        raise KeyboardInterrupt
    asking.join(30)
    assert time.monotonic() - begin < 30 and heard
    until(lambda: not lives(drawing.pid))


def test_without_a_sandbox_nothing_is_graded(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(CannotGrade, match=r"bubblewrap|Linux"), judging(isolated=True):
        pass


def test_what_the_tests_say_is_kept_up_to_the_limit():
    tests = tuple(TestResult(name, results.Outcome.FAILED, name * 60) for name in "abc")
    tasks = TaskResult("model", tests[:2]), TaskResult("train", tests[2:])
    short = bounded(KataResult(KATA, 1, tasks), 100)
    said = [test.message for task in short.tasks for test in task.tests]
    assert said == ["a" * 60, "b" * 40 + " ... (cut: `output_kb`)", " ... (cut: `output_kb`)"]
    assert bounded(KataResult(KATA, 1, tasks), 1000).tasks == tasks
    assert [task.outcome for task in short.tasks] == [
        results.Outcome.FAILED,
        results.Outcome.FAILED,
    ]


def test_what_a_test_measured_or_is_called_is_bounded_too():
    drift, name = Drift("loss", 0.5, 0.5), "long" * 10_000
    tests = (
        TestResult("a", results.Outcome.FAILED, "why", drift=(drift,)),
        TestResult(name, results.Outcome.PASSED, drift=(drift,) * 100_000),
    )
    first, second = bounded(KataResult(KATA, 1, (TaskResult("model", tests),)), 1000).tasks[0].tests
    assert first == tests[0]
    assert (second.outcome, second.message, second.drift, len(second.name)) == (
        results.Outcome.PASSED,
        "",
        (),
        1000,
    )


def test_the_limit_of_an_assignment_is_that_of_the_record():
    loud = base("reference").replace(BOUNDARY, 'raise ValueError("x" * 5000)')
    with judging(isolated=False, output_kb=1) as one:
        *_, boundary = one.judge(of(loud)).katas[0].tasks
    assert (
        boundary.status == Status.FAILED
        and sum(len(test.message) for test in boundary.suite.tests) < 2000
    )


DRAWING = (
    b"import os\nfrom matplotlib import pyplot\npyplot.savefig('out.png')\nassert"
    b" os.path.getsize('out.png')\n"
)


def test_a_picture_saved_while_the_file_is_imported_costs_nothing_and_leaves_nothing(
    judge, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    record = judge.judge(Submission("doe", "doe", {KATA: DRAWING + base("reference").encode()}))
    assert set(statuses(record).values()) == {Status.VERIFIED}, record
    assert not list(tmp_path.iterdir()) and not (ROOT / "out.png").exists()


# In the sandbox


@pytest.mark.timeout(400)
def test_the_reference_earns_all_points_in_the_sandbox(confined):
    record = confined.judge(of(base("reference")))
    assert set(statuses(record).values()) == {Status.VERIFIED}, record
    assert record.isolation.startswith("isolated: bubblewrap") and not record.flags


@pytest.mark.timeout(400)
def test_a_picture_can_be_saved_in_the_sandbox_too(confined):
    record = confined.judge(Submission("doe", "doe", {KATA: DRAWING + base("reference").encode()}))
    assert set(statuses(record).values()) == {Status.VERIFIED}, record


def test_the_exam_has_no_tests_to_look_at(confined):
    record = confined.judge(of(base("reference").replace(BOUNDARY, "return x1") + CONTENT_WITH_ALL))
    assert Status.VERIFIED not in statuses(record).values()
    assert re.search(r"ModuleNotFoundError|No module named", record.katas[0].tasks[2].reason)


CLAIMING = [program for program in programs() if "passed" in program.suite.values()]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the sandbox needs Linux")
@pytest.mark.timeout(400)
@pytest.mark.parametrize("program", CLAIMING, ids=lambda program: program.name)
def test_a_hostile_program_that_passes_tests_gets_its_verdict(confined, tmp_path, program):
    places = {"canary": tmp_path / "canary", "port": 1, "process": 1, "sibling": 1}
    record = confined.judge(Submission("eve", "eve", {KATA: program.file(**places)}))
    assert statuses(record) == program.verdict
    assert set(TASKS) == set(statuses(record))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "task", "seen"),
    [
        ("forge_stored_weights", "train", "not left with the weights of the last step"),
        ("learn_hard_coded", "boundary", "boundary, x2"),
    ],
)
def test_the_exam_alone_sees_that_nothing_was_learnt(name, task, seen):
    """Not that the file could not be loaded, for one: that would let the same program pass in
    another dress.
    """
    (program,) = [program for program in programs() if program.name == name]
    drawn = sheet.draw(KATA.removesuffix(".py"), b"secret")
    assert seen in examiner.examine(Plain(), program.file(), drawn, {*TASKS}, math.inf)[task]
