"""The warm process: found, believed only while it is fresh, and gone when its keeper is."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import asdict
from multiprocessing import Pipe
from multiprocessing.connection import Client, Listener
from pathlib import Path

import pytest
from helpers import descendants, lives, until

from dojo import ROOT
from dojo.suite.unit import Unit
from dojo.verdict import PASSED, KataResult, TaskResult, TestResult, kata_result
from dojo.warm import ask, fingerprint, host, place
from dojo.warm.keeper import Keeper, NotWarm

KATA = "k01_tensors"
REFERENCE = [Unit(str(ROOT / "reference"), KATA, "cpu")]

posix = pytest.mark.skipif(os.name == "nt", reason="about signals and sockets of POSIX")


@pytest.fixture(autouse=True)
def own_place(monkeypatch) -> Iterator[Path]:
    """A runtime folder of the test's own: no watcher of the person who runs the tests is met."""
    with tempfile.TemporaryDirectory(prefix="tk", dir="/tmp" if os.name == "posix" else None) as path:
        monkeypatch.setenv("XDG_RUNTIME_DIR", path)
        yield Path(path)


# The fingerprint


@pytest.fixture
def clone(tmp_path) -> Path:
    """What a fingerprint is made of."""
    root = tmp_path / "clone"
    for name in ("tests", "katas", "tools/dojo"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("conftest.py", "pyproject.toml", "tools/constraints.txt"):
        shutil.copy(ROOT / name, root / name)
    return root


@pytest.mark.parametrize(
    "name",
    [
        "tests/expect.py",
        "tests/pass_marks.toml",
        "katas/given/data.py",
        "katas/catalog.toml",
        "conftest.py",
        "pyproject.toml",
        "tools/dojo/suite/plugin.py",
        "tools/constraints.txt",
    ],
)
def test_a_change_of_what_is_imported_is_seen(clone, name):
    before = fingerprint.fingerprint(clone)
    assert fingerprint.fingerprint(clone) == before
    path = clone / name
    times, text = path.stat(), path.read_bytes()
    path.write_bytes(text[:-1] + b"#")  # as long as before
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert fingerprint.fingerprint(clone) != before
    path.unlink()
    assert fingerprint.fingerprint(clone) != before
    path.write_bytes(text)
    assert fingerprint.fingerprint(clone) == before


def test_a_new_helper_of_the_tests_is_seen(clone):
    before = fingerprint.fingerprint(clone)
    (clone / "tests" / "helper.py").write_text("")
    assert fingerprint.fingerprint(clone) != before


@pytest.mark.parametrize("name", ["katas/k01_tensors.py", "tests/test_k01_tensors.py"])
def test_what_every_child_reads_itself_makes_nothing_stale(clone, name):
    before = fingerprint.fingerprint(clone)
    (clone / name).write_text("")
    assert fingerprint.fingerprint(clone) == before


def test_another_version_of_a_package_is_seen(clone, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    (tmp_path / "site" / "torch-1.0.dist-info").mkdir(parents=True)
    before = fingerprint.fingerprint(clone)
    (tmp_path / "site" / "torch-1.0.dist-info").rename(tmp_path / "site" / "torch-2.0.dist-info")
    assert fingerprint.fingerprint(clone) != before


def test_other_settings_are_another_fingerprint():
    code = (
        f"import sys; sys.path[:0] = {[str(ROOT / 'tools')]!r}; from dojo.warm.fingerprint import fingerprint as f; print(f())"
    )

    def of(**settings: str) -> str:
        command = [sys.executable, "-c", code]
        return subprocess.run(command, env=os.environ | settings, capture_output=True, text=True, check=True).stdout

    assert of() == of(EDITOR="vim")
    assert of() != of(CUDA_VISIBLE_DEVICES="7")


# The place


def test_clones_do_not_meet(tmp_path):
    one, other = tmp_path / "a", tmp_path / "b"
    own = place.folder(one) / "1"
    own.mkdir()
    place.put_up(place.Card("here", "00", 1), own)
    assert [card.address for card in place.cards(one)] == ["here"]
    assert list(place.cards(other)) == []


@posix
def test_a_folder_that_others_can_look_into_is_not_used(tmp_path):
    where = place.folder(tmp_path)
    own = where / "1"
    own.mkdir()
    place.put_up(place.Card("here", "00", 1), own)
    where.chmod(0o755)
    with pytest.raises(place.NotPrivate):
        place.folder(tmp_path)
    assert list(place.cards(tmp_path)) == []


@posix
def test_a_link_in_the_place_of_the_folder_is_not_followed(tmp_path):
    where = place.folder(tmp_path)
    where.rmdir()
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    where.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(place.NotPrivate):
        place.folder(tmp_path)


def test_cards_that_are_broken_are_passed_over(tmp_path):
    for number, text in enumerate(["", "[]", '{"address": 1}', "{"]):
        own = place.folder(tmp_path) / str(number)
        own.mkdir()
        (own / place.CARD).write_text(text)
    assert list(place.cards(tmp_path)) == []


@posix
def test_what_a_killed_process_left_is_swept_away(tmp_path):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    left = place.folder(tmp_path) / str(ended.pid)
    left.mkdir()
    (left / place.CARD).write_text("{}")
    own = place.own_folder(tmp_path)
    assert not left.exists()
    place.take_down(own)
    assert not own.parent.exists()


@posix
def test_a_socket_fits_however_long_the_folders_name_is(tmp_path, monkeypatch):
    long = tmp_path / ("long" * 20)
    long.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(long))
    own = place.own_folder()
    try:
        with Listener(place.new_card(own).address):
            pass
    finally:
        place.take_down(own)


# The real thing


@pytest.fixture
def keeper():
    with Keeper() as kept:
        yield kept


def test_a_verdict_travels_unchanged():
    told = KataResult("k", 1, (TaskResult("t", (TestResult("a", PASSED, "text", 0.5),)),))
    assert kata_result(json.loads(json.dumps(asdict(told)))) == told


@posix
def test_it_judges_is_found_and_ends_with_its_keeper(keeper, catalog, own_place, monkeypatch):
    heard = []
    results = keeper.ask(REFERENCE, on_result=lambda unit, result: heard.append((unit.kata, result.name)))
    assert [kata.outcome for kata in results] == [PASSED]
    assert len(heard) == sum(len(task.tests) for task in results[0].tasks)

    monkeypatch.setattr(ask.own, "run", None)  # no run of one's own is needed
    again = ask.run(REFERENCE, catalog.katas)
    assert [kata.outcome for kata in again] == [PASSED]

    below = descendants(keeper.pid) | {keeper.pid}
    assert len(below) >= 3
    keeper.close()
    until(lambda: not any(map(lives, below)))
    assert list(own_place.iterdir()) == []


@posix
def test_its_child_that_stands_ready_reads_what_is_there_when_it_goes(keeper, tmp_path):
    text = (ROOT / "reference" / f"{KATA}.py").read_text(encoding="utf-8")
    path = tmp_path / f"{KATA}.py"
    unit = [Unit(str(tmp_path), KATA, "cpu")]
    for content, outcome in ((text, "passed"), ("1 +", "failed"), (text, "passed"), ("import os; os._exit(3)", "failed")):
        path.write_text(content, encoding="utf-8")
        assert keeper.ask(unit)[0].outcome == outcome
    path.unlink()
    assert "can't be read" in keeper.ask(unit)[0].tasks[0].first_problem.message


@posix
def test_a_killed_one_is_replaced_and_nothing_of_it_is_left(keeper):
    keeper.ask(REFERENCE)
    old = descendants(keeper.pid)
    pid = keeper.pid
    os.kill(pid, signal.SIGKILL)
    assert keeper.ask(REFERENCE)[0].outcome == PASSED
    assert keeper.pid != pid
    until(lambda: not any(map(lives, old)))


@posix
def test_a_run_that_is_dropped_leaves_no_child(keeper, tmp_path):
    started = tmp_path / "started"
    (tmp_path / f"{KATA}.py").write_text(f"open({str(started)!r}, 'w').close()\nwhile True: pass\n")
    ours, theirs = Pipe()
    keeper.ask(REFERENCE)
    outcome = []

    def work() -> None:
        try:
            keeper.ask([Unit(str(tmp_path), KATA, "cpu")], drop=theirs)
        except ask.Dropped:
            outcome.append("dropped")

    thread = threading.Thread(target=work)
    thread.start()
    until(started.exists)
    busy = descendants(keeper.pid)
    ours.close()
    thread.join(10)
    assert outcome == ["dropped"]
    until(lambda: len(descendants(keeper.pid)) < len(busy))
    assert keeper.ask(REFERENCE)[0].outcome == PASSED


@posix
def test_a_stale_one_says_so_and_ends(keeper, monkeypatch):
    card = keeper.ready()
    monkeypatch.setattr(ask, "fingerprint", lambda: "another")
    with pytest.raises(ask.Unanswered) as problem:
        ask.ask(card, REFERENCE)
    assert not isinstance(problem.value, ask.Stale)  # nothing on the disk has changed: it is the asker who is different
    assert keeper.ready() == card


class TestAClient:
    """What a run of `check` does with whatever answers."""

    @pytest.fixture
    def own_run(self, monkeypatch) -> list:
        runs = []
        monkeypatch.setattr(ask.own, "run", lambda units, *rest: runs.append(units) or ["own"])
        return runs

    def answers(self, *answers: dict | bytes, greets: bool = True) -> None:
        """Put up a warm process that gives these answers, whatever it is asked."""
        own = place.own_folder()
        card = place.new_card(own)
        place.put_up(card, own)
        listener = Listener(card.address)

        def serve() -> None:
            with contextlib.suppress(OSError), listener, listener.accept() as connection:
                if greets:
                    host.greet(connection, card.key, as_host=True)
                    connection.recv_bytes()
                for answer in answers:
                    connection.send_bytes(answer if isinstance(answer, bytes) else json.dumps(answer).encode())

        threading.Thread(target=serve, daemon=True).start()

    def test_without_any_it_runs_itself(self, own_run):
        assert ask.run(REFERENCE, []) == ["own"]
        assert own_run == [REFERENCE]

    @pytest.mark.parametrize(
        "answers",
        [
            [{"answer": "stale"}],
            [{"answer": "other"}],
            [{"answer": "trouble", "text": "no"}],
            [],
            [b"no json"],
            [b"[]"],
            [{"answer": "accepted"}],
            [{"answer": "accepted"}, {"answer": "results", "results": [[7, {}]]}],
            [{"answer": "end"}],
            [{"answer": "end", "katas": [{"name": 1}]}],
            [{"answer": "end", "katas": [asdict(KataResult(KATA, 1, (TaskResult("t", ()),)))]}],  # no test: an error
        ],
    )
    def test_with_an_odd_answer_it_runs_itself(self, own_run, answers):
        self.answers(*answers)
        assert ask.run(REFERENCE, [], on_result=lambda unit, result: None) == ["own"]

    def test_with_one_that_does_not_know_the_key_it_runs_itself(self, own_run):
        self.answers(b"#CHALLENGE#" + b"x" * 20, b"#WELCOME#", {"answer": "end", "katas": []}, greets=False)
        assert ask.run(REFERENCE, []) == ["own"]

    def test_with_one_that_is_gone_it_runs_itself(self, own_run):
        own = place.own_folder()
        place.put_up(place.new_card(own), own)
        assert ask.run(REFERENCE, []) == ["own"]

    def test_with_one_that_hangs_it_runs_itself(self, own_run, monkeypatch):
        monkeypatch.setattr(host, "SECONDS_TO_GREET", 0.1)
        own = place.own_folder()
        card = place.new_card(own)
        place.put_up(card, own)
        with Listener(card.address):
            assert ask.run(REFERENCE, []) == ["own"]


@posix
def test_who_does_not_know_the_key_gets_no_answer(keeper):
    card = keeper.ready()
    with Client(card.address) as connection:
        with pytest.raises((OSError, EOFError, ask.AuthenticationError)):
            host.greet(connection, "00", as_host=False)
    assert keeper.ask(REFERENCE)[0].outcome == PASSED


def test_one_that_cannot_start_says_why(monkeypatch):
    from dojo.warm import keeper as keeping

    monkeypatch.setattr(keeping, "PROGRAM", "raise SystemExit('the disk is full')")
    with Keeper() as kept, pytest.raises(NotWarm, match=r"can't start. the disk is full"):
        kept.ask(REFERENCE)


@pytest.mark.skipif(not Path("/proc").exists(), reason="looks at processes as Linux shows them")
@pytest.mark.timeout(400)  # two processes import everything, one after the other
def test_where_there_is_no_fork_a_spare_process_does_the_same(monkeypatch, own_place, tmp_path):
    from dojo.warm import forking

    monkeypatch.setitem(fingerprint._SETTINGS, forking.NO_FORK, "1")
    (tmp_path / f"{KATA}.py").write_text("1 +")
    with Keeper() as kept:
        assert kept.ask(REFERENCE)[0].outcome == PASSED
        assert kept.ask([Unit(str(tmp_path), KATA, "cpu")])[0].outcome == "failed"
        names = [Path(f"/proc/{pid}/cmdline").read_text() for pid in descendants(kept.pid)]
        assert names
        assert not any("forkserver" in name for name in names)
        below = descendants(kept.pid)
    until(lambda: not any(map(lives, below)))
