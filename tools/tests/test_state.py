"""The learner's state: what counts as an attempt, which task is next, and a file that loses
nothing.
"""

import hashlib
import json
import os
import subprocess
import sys
from datetime import date, datetime, timedelta

import pytest
from msgspec.structs import asdict, replace

from dojo import ROOT, UserError
from dojo.check import state as states
from dojo.check import store
from dojo.check.state import State, TaskState, after_check, after_hint, current, from_json
from dojo.results import KataResult, Outcome, TaskResult, TestResult, Verdict

KATA, TODAY = "k06_logistic_regression", date(2026, 11, 21)
NOW = datetime(2026, 11, 21, 14, 5, 30, 123)


def result(outcome: str, kata: str = KATA, task: str = "model") -> KataResult:
    return KataResult(kata, 1, (TaskResult(task, (TestResult("test_x", outcome),)),))


def checked(*steps: tuple[str, str], day: date = TODAY) -> TaskState:
    """One task after checks with these outcomes, of files with these hashes."""
    state = State()
    for outcome, content in steps:
        state = after_check(state, result(outcome), content, day)
    return state.of(KATA, "model")


def test_each_version_of_the_file_is_one_attempt():
    assert (
        checked(
            (Outcome.FAILED, "a"),
            (Outcome.FAILED, "a"),
            (Outcome.FAILED, "b"),
            (Outcome.PASSED, "c"),
        ).attempts
        == 3
    )


@pytest.mark.parametrize(
    "outcome", [Outcome.NOT_STARTED, Outcome.BLOCKED, Outcome.SKIPPED, Outcome.ERROR]
)
def test_what_was_not_tried_is_no_attempt(outcome):
    assert checked((outcome, "a")).attempts == 0


def test_a_task_not_begun_and_then_tried_in_one_file_is_an_attempt():
    assert checked((Outcome.NOT_STARTED, "a"), (Outcome.FAILED, "b")).attempts == 1


def test_attempts_end_with_the_first_green():
    assert (
        checked((Outcome.PASSED, "a"), (Outcome.FAILED, "b"), (Outcome.PASSED, "c")).attempts == 1
    )


def test_the_first_green_stays():
    state = after_check(State(), result(Outcome.PASSED), "a", TODAY)
    state = after_check(state, result(Outcome.FAILED), "b", date(2026, 11, 22))
    state = after_check(state, result(Outcome.PASSED), "c", date(2026, 11, 23))
    assert state.of(KATA, "model").first_green == "2026-11-21"


def test_a_fault_of_the_suite_changes_nothing():
    assert checked((Outcome.PASSED, "a"), (Outcome.ERROR, "b")) == checked((Outcome.PASSED, "a"))


@pytest.mark.parametrize(("content", "green"), [("a", True), ("b", False), ("", False)])
def test_green_is_only_the_file_that_passed(content, green):
    assert checked((Outcome.PASSED, "a")).is_green(content) is green


def test_a_file_of_unknown_content_is_never_green():
    assert not checked((Outcome.PASSED, "")).is_green("")
    assert not checked((Outcome.FAILED, "a")).is_green("a")


def test_hints_stop_at_the_last(catalog):
    task = catalog.find("k06").tasks[0]
    state = State()
    for opened in (1, 2, 3, 4, 4):
        state = after_hint(state, KATA, task, NOW)
        assert state.of(KATA, task.name).hints == opened


def test_a_solution_comes_a_pause_after_the_last_hint(catalog):
    task = catalog.find("k06").tasks[0]
    state = State()
    for _ in task.hints:
        assert states.solution_from(state, KATA, task) is None
        state = after_hint(state, KATA, task, NOW)
    state = after_hint(state, KATA, task, NOW + timedelta(hours=1))  # there are no more
    first = NOW.replace(microsecond=0) + states.PAUSE
    assert states.solution_from(from_json(state.to_json()), KATA, task) == first
    older = State({KATA: {"model": TaskState(hints=len(task.hints))}})
    assert states.solution_from(older, KATA, task) < NOW


def test_a_solution_that_was_shown_is_remembered_until_the_end(catalog):
    task = catalog.find("k06").tasks[0]
    state = states.after_solution(State(), KATA, task, TODAY)
    state = states.after_solution(state, KATA, task, TODAY + timedelta(days=1))
    state = after_check(state, result(Outcome.PASSED), "a", TODAY + timedelta(days=2))
    known = from_json(state.to_json()).of(KATA, "model")
    assert (known.solution_shown, known.first_green) == ("2026-11-21", "2026-11-23")
    green = after_check(State(), result(Outcome.PASSED), "a", TODAY)
    assert states.after_solution(green, KATA, task, TODAY) == green


def with_outcomes(**outcomes: str) -> State:
    """k06_model=PASSED and so on."""
    names = {"k01": "k01_tensors", "k04": "k04_linear_regression", "k06": KATA}
    state = State()
    for place, outcome in outcomes.items():
        kata, _, task = place.partition("_")
        state = state.having(names[kata], task, TaskState(outcome=outcome))
    return state


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        ({}, ("k00", "network")),
        ({"k06_model": Outcome.PASSED}, ("k06", "train")),
        ({"k06_model": Outcome.NOT_STARTED}, ("k00", "network")),
        (
            {
                "k06_model": Outcome.PASSED,
                "k06_train": Outcome.FAILED,
                "k06_boundary": Outcome.FAILED,
            },
            ("k06", "train"),
        ),
        ({"k06_model": Outcome.NOT_STARTED, "k06_train": Outcome.FAILED}, ("k06", "train")),
        ({"k06_model": Outcome.FAILED, "k06_train": Outcome.BLOCKED}, ("k06", "model")),
        ({"k06_model": Outcome.PASSED, "k04_model": Outcome.FAILED}, ("k04", "model")),
    ],
)
def test_the_learner_is_where_something_fails_or_is_begun(catalog, outcomes, expected):
    kata, task = current(
        with_outcomes(**outcomes), catalog, {KATA: 2.0, "k04_linear_regression": 1.0}
    )
    assert (kata.short, task.name) == expected


def test_of_two_failing_katas_the_one_edited_last_is_meant(catalog):
    state = with_outcomes(k06_model=Outcome.FAILED, k04_model=Outcome.FAILED)
    for last, times in (("k06", (1.0, 2.0)), ("k04", (2.0, 1.0))):
        kata, _ = current(
            state, catalog, dict(zip(("k04_linear_regression", KATA), times, strict=True))
        )
        assert kata.short == last


def test_nothing_is_next_when_all_passed(catalog):
    state = State(
        {
            kata.name: {task.name: TaskState(outcome=Outcome.PASSED) for task in kata.tasks}
            for kata in catalog.katas
        }
    )
    assert current(state, catalog, {}) is None


def test_a_state_survives_its_file(tmp_path):
    state = State(
        {
            KATA: {
                "model": TaskState(2, 3, "2026-11-21", Outcome.PASSED, "abc"),
                "train": TaskState(),
            },
            "k99_gone": {},
        }
    )
    store.change(lambda _: state, tmp_path / "state.json")
    assert store.read(tmp_path / "state.json") == (state, "")


BROKEN = {
    "empty": b"",
    "half": b'{"version": 1, "katas": {"k06',
    "binary": b"\xff\xfe\x00",
    "a list": b"[]",
    "a number": b"7",
    "brackets without end": b"[" * 100_000,
    "no katas": b'{"version": 1}',
    "katas a list": b'{"version": 1, "katas": []}',
    "a kata a number": b'{"version": 1, "katas": {"k06": 7}}',
    "a task a text": b'{"version": 1, "katas": {"k06": {"model": "x"}}}',
    "another field": b'{"version": 1, "katas": {"k06": {"model": {"hint": 1}}}}',
    "hints a text": b'{"version": 1, "katas": {"k06": {"model": {"hints": "2"}}}}',
    "hints below 0": b'{"version": 1, "katas": {"k06": {"model": {"hints": -1}}}}',
    "hints yes": b'{"version": 1, "katas": {"k06": {"model": {"hints": true}}}}',
    "no such outcome": b'{"version": 1, "katas": {"k06": {"model": {"outcome": "perfect"}}}}',
    "no date": b'{"version": 1, "katas": {"k06": {"model": {"first_green": "yesterday"}}}}',
    "another version": b'{"version": 2, "katas": {}}',
}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)
def test_a_broken_file_is_set_aside_and_said(tmp_path, content):
    path = tmp_path / ".progress.json"
    path.write_bytes(content)
    state, notice = store.read(path)
    assert state == State()
    (aside,) = tmp_path.glob(".progress.json.broken-*")
    assert aside.read_bytes() == content
    assert ".progress.json could not be used (" in notice
    assert f"it is kept as {aside.name}" in notice
    assert "\n" not in notice
    assert store.read(path) == (State(), "")


def test_what_was_set_aside_before_stays(tmp_path):
    path = tmp_path / ".progress.json"
    for content in ("first", "second", "third"):
        path.write_text(content)
        store.change(lambda state: state, path)
    assert {aside.read_text() for aside in tmp_path.glob("*.broken-*")} == {
        "first",
        "second",
        "third",
    }
    assert from_json(path.read_bytes()) == State()


def test_two_commands_at_once_lose_nothing(tmp_path):
    code = (
        "import sys; sys.path.insert(0, 'tools')\n"
        "from msgspec.structs import replace; from pathlib import Path\n"
        "from dojo.check import store\n"
        "def more(state):\n"
        "    known = state.of('k', 't')\n"
        "    return state.having('k', 't', replace(known, hints=known.hints + 1))\n"
        "for _ in range(25): store.change(more, Path(sys.argv[1]))"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "state.json")]
    for process in [subprocess.Popen(command, cwd=ROOT) for _ in range(4)]:
        assert process.wait() == 0
    assert store.read(tmp_path / "state.json")[0].of("k", "t").hints == 100


def test_a_write_that_fails_leaves_the_old_state(tmp_path, monkeypatch):
    path = tmp_path / "state.json"
    old, _ = store.change(lambda _: State({"k": {"t": TaskState(hints=1)}}), path)

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        store.change(lambda _: State({"k": {"t": TaskState(hints=2)}}), path)
    assert store.read(path) == (old, "")


def test_where_nothing_can_be_written_the_state_can_still_be_read(tmp_path, monkeypatch):
    path = tmp_path / "state.json"
    old, _ = store.change(lambda _: State({"k": {"t": TaskState(hints=1)}}), path)

    def refused(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(store.lock, "held", refused)
    assert store.read(path) == (old, "")
    path.write_text("broken")
    state, notice = store.read(path)
    assert state == State()
    assert "could not be used" in notice
    assert path.read_text() == "broken"


@pytest.fixture
def katas(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "KATAS", tmp_path)
    monkeypatch.setattr(store, "TESTS", tmp_path)
    monkeypatch.setenv("TORCH_KATAS_PROGRESS", str(tmp_path / "state.json"))
    (tmp_path / f"{KATA}.py").write_text("x = 1\n")
    (tmp_path / f"test_{KATA}.py").write_text("assert x\n")
    (tmp_path / "pass_marks.toml").write_text("loss = 1\n")
    return tmp_path


def test_a_check_is_recorded(katas):
    before = store.hashes([KATA])
    assert store.record(Verdict("katas", (result(Outcome.PASSED),)), before, TODAY) == ""
    known = store.read()[0].of(KATA, "model")
    assert (known.attempts, known.first_green, known.outcome) == (1, "2026-11-21", Outcome.PASSED)
    assert known.is_green(store.content_hash(KATA))


def test_a_file_saved_during_the_check_is_not_called_green(katas):
    before = store.hashes([KATA])
    (katas / f"{KATA}.py").write_text("x = 2\n")
    store.record(Verdict("katas", (result(Outcome.PASSED),)), before, TODAY)
    known = store.read()[0].of(KATA, "model")
    assert known.outcome == Outcome.PASSED
    assert not known.is_green(store.content_hash(KATA))
    assert not known.is_green(before[KATA])


def test_on_a_device_of_ones_choice_nothing_becomes_green(katas):
    """The placement tests of the others were left out."""
    before = store.hashes([KATA])
    store.record(Verdict("katas", (result(Outcome.PASSED),)), before, TODAY, device="cpu")
    assert store.read()[0].katas == {}
    store.record(Verdict("katas", (result(Outcome.FAILED),)), before, TODAY, device="cpu")
    assert store.read()[0].of(KATA, "model").outcome == Outcome.FAILED


def test_a_check_keeps_the_hints(katas):
    store.change(lambda state: state.having(KATA, "model", TaskState(hints=2)))
    store.record(Verdict("katas", (result(Outcome.FAILED),)), store.hashes([KATA]), TODAY)
    assert store.read()[0].of(KATA, "model") == replace(
        checked((Outcome.FAILED, store.content_hash(KATA))), hints=2
    )


def test_line_ends_make_no_other_file(katas):
    known = store.content_hash(KATA)
    (katas / f"{KATA}.py").write_bytes(b"x = 1\r\n")
    (katas / f"test_{KATA}.py").write_bytes(b"assert x\r\n")
    assert store.content_hash(KATA) == known != ""
    assert store.content_hash("k99_gone") == ""


@pytest.mark.parametrize("name", [f"test_{KATA}.py", "pass_marks.toml"])
def test_what_passed_other_tests_is_not_called_green(katas, name):
    store.record(Verdict("katas", (result(Outcome.PASSED),)), store.hashes([KATA]), TODAY)
    (katas / name).write_text("other = 1\n")
    known = store.read()[0].of(KATA, "model")
    assert not known.is_green(store.content_hash(KATA))
    assert known.first_green


def test_tests_that_change_during_the_check_make_nothing_green(katas):
    before = store.hashes([KATA])
    (katas / f"test_{KATA}.py").write_text("other = 1\n")
    store.record(Verdict("katas", (result(Outcome.PASSED),)), before, TODAY)
    assert store.read()[0].of(KATA, "model").judged == ""


def test_a_state_of_before_stays_and_its_greens_are_to_be_confirmed(katas):
    """Then the hash was of the file alone."""
    judged = hashlib.sha256(b"x = 1\n").hexdigest()[:16]
    kept = {
        "hints": 2,
        "attempts": 3,
        "first_green": "2026-11-20",
        "outcome": Outcome.PASSED,
        "judged": judged,
    }
    (katas / "state.json").write_text(json.dumps({"version": 1, "katas": {KATA: {"model": kept}}}))
    state, notice = store.read()
    known = asdict(state.of(KATA, "model"))
    assert (known, notice) == (known | kept, "")
    assert not state.of(KATA, "model").is_green(store.content_hash(KATA))
    store.record(Verdict("katas", (result(Outcome.PASSED),)), store.hashes([KATA]), TODAY)
    known = store.read()[0].of(KATA, "model")
    assert known.is_green(store.content_hash(KATA))
    assert (known.attempts, known.first_green) == (3, "2026-11-20")


def test_the_states_version_is_in_the_file(tmp_path):
    assert json.loads(State().to_json())["version"] == states.VERSION


def test_what_is_no_file_is_not_replaced_by_one(tmp_path, monkeypatch):
    node = tmp_path / "node"
    node.mkdir()
    monkeypatch.setenv("TORCH_KATAS_PROGRESS", str(node))
    for use in (store.read, lambda: store.change(lambda state: state)):
        with pytest.raises(UserError, match="is not a file"):
            use()
    assert list(tmp_path.iterdir()) == [node]
