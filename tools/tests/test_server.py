"""The server: runs tests, is replaced when it is gone, and leaves nothing when its keeper
ends.
"""

import json
import os
import signal
import sys
import threading
from dataclasses import asdict
from multiprocessing import Pipe
from multiprocessing.connection import Client
from pathlib import Path

import pytest
from helpers import descendants, lives, until

from dojo import ROOT
from dojo.check.server import client, fingerprint, server
from dojo.check.server.client import Keeper, NotWarm
from dojo.results import KataResult, Outcome, TaskResult, TestResult, decoded
from dojo.suite.unit import Unit

KATA = "k01_tensors"
REFERENCE = [Unit(str(ROOT / "reference"), KATA, "cpu")]

posix = pytest.mark.skipif(os.name == "nt", reason="about signals and sockets of POSIX")
pytestmark = pytest.mark.usefixtures("own_place")


@pytest.fixture
def keeper():
    with Keeper() as kept:
        yield kept


def test_a_verdict_travels_unchanged():
    told = KataResult("k", 1, (TaskResult("t", (TestResult("a", Outcome.PASSED, "text", 0.5),)),))
    assert decoded(json.loads(json.dumps(asdict(told))), KataResult) == told


@posix
def test_it_judges_is_found_and_ends_with_its_keeper(keeper, catalog, own_place, monkeypatch):
    heard = []
    results = keeper.ask(
        REFERENCE, on_result=lambda unit, result: heard.append((unit.kata, result.name))
    )
    assert [kata.outcome for kata in results] == [Outcome.PASSED]
    assert len(heard) == sum(len(task.tests) for task in results[0].tasks)

    monkeypatch.setattr(client.supervisor, "run", None)  # no run of one's own is needed
    again = client.run(REFERENCE, catalog.katas)
    assert [kata.outcome for kata in again] == [Outcome.PASSED]

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
    for content, outcome in (
        (text, "passed"),
        ("1 +", "failed"),
        (text, "passed"),
        ("import os; os._exit(3)", "failed"),
    ):
        path.write_text(content, encoding="utf-8")
        assert keeper.ask(unit)[0].outcome == outcome
    path.unlink()
    assert "can't be read" in keeper.ask(unit)[0].tasks[0].first_problem.message


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere every name of a file is text")
def test_a_folder_whose_name_is_not_utf8_is_judged(keeper, catalog, monkeypatch, tmp_path):
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    folder.mkdir()
    path = folder / f"{KATA}.py"
    path.write_bytes((ROOT / "reference" / path.name).read_bytes())
    unit = [Unit(str(folder), KATA, "cpu")]
    assert keeper.ask(unit)[0].outcome == Outcome.PASSED
    monkeypatch.setattr(client.supervisor, "run", None)
    assert client.run(unit, catalog.katas)[0].outcome == Outcome.PASSED
    path.write_text("1 +")
    assert keeper.ask(unit)[0].outcome == Outcome.FAILED
    path.unlink()
    assert "can't be read" in keeper.ask(unit)[0].tasks[0].first_problem.message


@posix
def test_a_killed_one_is_replaced_and_nothing_of_it_is_left(keeper):
    keeper.ask(REFERENCE)
    old = descendants(keeper.pid)
    pid = keeper.pid
    os.kill(pid, signal.SIGKILL)
    assert keeper.ask(REFERENCE)[0].outcome == Outcome.PASSED
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
        except client.Dropped:
            outcome.append("dropped")

    thread = threading.Thread(target=work)
    thread.start()
    until(started.exists)
    busy = descendants(keeper.pid)
    ours.close()
    thread.join(10)
    assert outcome == ["dropped"]
    until(lambda: len(descendants(keeper.pid)) < len(busy))
    assert keeper.ask(REFERENCE)[0].outcome == Outcome.PASSED


@posix
def test_a_stale_one_says_so_and_ends(keeper, monkeypatch):
    address = keeper.ready()
    monkeypatch.setattr(client, "fingerprint", lambda: "another")
    with pytest.raises(client.Unanswered) as problem:
        client.ask(address, REFERENCE)
    # nothing on the disk has changed: it is the asker who is different
    assert not isinstance(problem.value, client.Stale)
    assert keeper.ready() == address


@posix
def test_who_does_not_know_the_key_gets_no_answer(keeper):
    address = keeper.ready()
    with Client(address.socket) as connection:
        with pytest.raises((OSError, EOFError, client.AuthenticationError)):
            server.greet_server(connection, "00")
    assert keeper.ask(REFERENCE)[0].outcome == Outcome.PASSED


def test_one_that_cannot_start_says_why(monkeypatch):
    monkeypatch.setattr(client, "PROGRAM", "raise SystemExit('the disk is full')")
    with Keeper() as kept, pytest.raises(NotWarm, match=r"can't start. the disk is full"):
        kept.ask(REFERENCE)


def test_one_that_the_system_does_not_start_is_not_warm(monkeypatch):
    monkeypatch.setattr("dojo.check.server.client.sys.executable", str(ROOT / "no python"))
    with (
        Keeper() as kept,
        pytest.raises(NotWarm, match=r"can't start \(No such file or directory\)"),
    ):
        kept.ask(REFERENCE)


@pytest.mark.skipif(not Path("/proc").exists(), reason="looks at processes as Linux shows them")
@pytest.mark.timeout(400)  # two processes import everything, one after the other
def test_where_there_is_no_fork_a_spare_process_does_the_same(monkeypatch, own_place, tmp_path):
    from dojo.processes import forking

    monkeypatch.setitem(fingerprint.SETTINGS, forking.NO_FORK, "1")
    (tmp_path / f"{KATA}.py").write_text("1 +")
    with Keeper() as kept:
        assert kept.ask(REFERENCE)[0].outcome == Outcome.PASSED
        assert kept.ask([Unit(str(tmp_path), KATA, "cpu")])[0].outcome == "failed"
        names = [
            Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8")
            for pid in descendants(kept.pid)
        ]
        assert names
        assert not any("forkserver" in name for name in names)
        below = descendants(kept.pid)
    until(lambda: not any(map(lives, below)))
