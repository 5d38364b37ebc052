"""What a watch session keeps of its verdicts, with a server that answers at once."""

import contextlib
import json
import re
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from helpers import until
from rich.console import Console
from rich.text import Text

from dojo import console
from dojo.check import store
from dojo.check.server.client import Dropped, NotWarm
from dojo.check.watch import effects, session
from dojo.check.watch.model import READ, Hints, Model, Quit, Saved
from dojo.results import KataResult, Outcome, TaskResult, TestResult

KATA = "k01_tensors"


class Answering:
    """In the place of the keeper: judges as it is told."""

    judge: Callable[[], str]

    def __init__(self, on_restart: Callable[[str], None]) -> None:
        pass

    def __enter__(self) -> "Answering":
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def ask(self, units, jobs, on_result, drop) -> list[KataResult]:
        self.drop = drop
        return [
            KataResult(unit.kata, 1, (TaskResult("make", (TestResult("t", self.judge(), "why"),)),))
            for unit in units
        ]


class Unseen:
    """In the place of the terminal."""

    @staticmethod
    def size() -> tuple[int, int]:
        return 80, 24

    def show(self, lines: list[str]) -> None:
        self.lines = lines


@pytest.fixture
def watched(catalog, tmp_path, monkeypatch) -> session.Session:
    """A session on a folder with one kata."""
    katas = tmp_path / "katas"
    katas.mkdir()
    (katas / f"{KATA}.py").write_text("one = 1\n")
    monkeypatch.setattr(store, "KATAS", katas)
    monkeypatch.setenv("TORCH_KATAS_PROGRESS", str(tmp_path / "progress.json"))
    monkeypatch.setattr(session, "Keeper", Answering)
    # saves are told by the tests
    monkeypatch.setattr(session, "Watcher", lambda *where: contextlib.nullcontext())
    monkeypatch.setattr(Answering, "judge", lambda self: Outcome.PASSED, raising=False)
    return session.Session(Model(catalog, True, KATA), katas, "auto", console.screen(), Unseen())


def judged(one: session.Session, times: int = 1) -> dict:
    """Run the session until it has judged so often, then end it; what is kept of the task."""

    def work() -> None:
        for number in range(1, times + 1):
            until(lambda number=number: one.model.number == number and one.model.run is None)
            if number < times:
                one.put(Saved(frozenset([KATA])))
        one.put(Quit(0))

    thread = threading.Thread(target=work)
    thread.start()
    one.run()
    thread.join()
    try:
        return json.loads(store.file().read_text())["katas"][KATA]["make"]
    except OSError:
        return {}


def test_a_green_is_kept_with_the_text_that_was_judged_even_when_the_session_ends_at_once(
    watched, monkeypatch
):
    record = effects.record
    on_a_slow_disk = threading.Event()
    monkeypatch.setattr(effects, "record", lambda *what: on_a_slow_disk.wait(0.5) or record(*what))
    kept = judged(watched)
    assert kept["first_green"]
    assert kept["judged"] == store.content_hash(KATA)
    assert store.read()[0].of(KATA, "make").is_green(store.content_hash(KATA))


def test_a_text_saved_while_the_other_was_judged_is_not_green(watched, monkeypatch):
    def judge(self) -> str:
        (store.KATAS / f"{KATA}.py").write_text("two = 2\n")
        return Outcome.PASSED

    monkeypatch.setattr(Answering, "judge", judge)
    assert judged(watched)["judged"] == ""
    assert not store.read()[0].of(KATA, "make").is_green(store.content_hash(KATA))


def test_the_same_text_judged_twice_is_one_attempt(watched, monkeypatch):
    monkeypatch.setattr(Answering, "judge", lambda self: Outcome.FAILED)
    kept = judged(watched, times=3)
    assert (kept["attempts"], kept["outcome"], kept["first_green"]) == (1, "failed", "")


@pytest.mark.parametrize("problem", [Dropped, NotWarm("no memory")])
def test_a_run_without_a_verdict_leaves_no_trace(watched, monkeypatch, problem):
    def judge(self) -> str:
        watched.put(Quit(0))
        raise problem

    monkeypatch.setattr(Answering, "judge", judge)
    watched.run()
    assert not store.file().exists()


@pytest.mark.parametrize(
    "problem", [OSError(2, "No such file"), RuntimeError("can't start new thread"), KeyError("x")]
)
def test_a_run_that_breaks_off_says_so_and_the_next_save_is_judged(watched, monkeypatch, problem):
    def judge(self) -> str:
        if watched.model.number == 1:
            raise problem
        return Outcome.PASSED

    def work() -> None:
        until(lambda: watched.model.notice and watched.model.run is None)
        said.append(watched.model.notice)
        watched.put(Saved(frozenset([KATA])))
        until(lambda: watched.model.number == 2 and watched.model.run is None)
        watched.put(Quit(0))

    said: list[str] = []
    monkeypatch.setattr(Answering, "judge", judge)
    thread = threading.Thread(target=work)
    thread.start()
    watched.run()
    thread.join()
    assert said == [
        f"The run broke off ({type(problem).__name__}: {problem}): save again, or quit and start"
        " anew."
    ]
    assert watched.model.result.outcome == Outcome.PASSED


def test_of_katas_that_are_not_the_learners_own_nothing_is_kept(watched):
    watched.model = Model(watched.model.catalog, False, KATA)
    assert judged(watched) == {}


@pytest.fixture
def page() -> console.Screen:
    """A screen for texts."""
    return replace(console.screen(), console=Console(width=500))


def test_all_hints_are_those_of_every_task_with_the_documentation(catalog, page):
    kata = catalog.find("k06")
    model = effects.show_hints(Model(catalog, True, kata.name, scroll=3), page)
    text = Text.from_ansi(model.text).plain
    assert (model.view, model.current, model.scroll) == (READ, kata.name, 0)
    for task in kata.tasks:
        assert all(hint in text for hint in task.hints)
    assert "torch.nn.Linear  " in text
    assert "https://docs.pytorch.org/docs/stable/generated/torch.nn.Linear.html" in text
    assert "tools/check" not in text


def test_the_comparison_is_of_every_task_of_the_kata_on_the_screen(watched, page):
    kata = watched.model.kata
    (store.KATAS / f"{KATA}.py").write_text(kata.reference_text(), encoding="utf-8")
    model = effects.show_comparison(watched.model, page)
    text = Text.from_ansi(model.text).plain
    assert (model.view, model.current) == (READ, KATA)
    assert all(task.name in text for task in kata.tasks)


def test_hints_are_of_the_task_on_the_screen_one_more_each_time(watched, page):
    task = watched.model.kata.tasks[1]
    tests = [(task.name, TestResult("t", Outcome.FAILED, "why"))]
    result = KataResult(KATA, 1, tuple(TaskResult(name, (test,)) for name, test in tests))
    model = replace(watched.model, results={KATA: result})
    for number in (1, 2):
        model = effects.open_hint(model, page)
        assert model.hints == Hints(task.name, task.hints[:number], len(task.hints))


def test_a_reset_says_where_the_copy_is_and_one_that_fails_why(watched, page, monkeypatch):
    path = store.KATAS / f"{KATA}.py"
    model = effects.reset(watched.model, page)
    assert (model.was_reset, path.read_text()) == (KATA, store.stub(model.kata))
    assert re.fullmatch(r"katas/\S+ is the stub again. What was there: katas/\S+", model.notice)
    assert effects.reset(model, page).notice.endswith("is the stub already: nothing to do.")
    path.write_text("one = 1\n")

    def full(*what: object) -> None:
        raise OSError(28, "No space left on device", "x.py")

    monkeypatch.setattr(store, "reset", full)
    failed = effects.after(effects.reset, watched.model, page)
    assert failed.notice == "x.py can't be used (No space left on device): nothing was changed."
    assert failed.was_reset == ""


def test_a_state_that_cannot_be_kept_is_told_and_the_verdict_is_shown(
    watched, monkeypatch, tmp_path
):
    monkeypatch.setenv("TORCH_KATAS_PROGRESS", str(tmp_path / "gone" / "progress.json"))

    def work() -> None:
        until(lambda: watched.model.notice and watched.model.run is None)
        watched.put(Quit(0))

    thread = threading.Thread(target=work)
    thread.start()
    watched.run()
    thread.join()
    assert "can't be used" in watched.model.notice
    assert watched.model.results[KATA].tasks[0].outcome == Outcome.PASSED


@pytest.mark.skipif(
    not Path("/proc/self/fd").exists(), reason="counts open files as Linux shows them"
)
def test_a_run_leaves_no_file_open(watched, monkeypatch):
    counts = []
    monkeypatch.setattr(
        Answering,
        "judge",
        lambda self: counts.append(len(list(Path("/proc/self/fd").iterdir()))) or Outcome.PASSED,
    )
    judged(watched, times=20)
    assert counts[-1] <= counts[1] + 2
