"""What a run of `check` does with whatever answers in the place of a server."""

import contextlib
import threading
from multiprocessing.connection import Listener

import msgspec
import pytest

from dojo import ROOT
from dojo.check.server import client, rendezvous, server
from dojo.results import KataResult, Outcome, TaskResult, TestResult
from dojo.suite.unit import Unit

KATA = "k01_tensors"
REFERENCE = [Unit(str(ROOT / "reference"), KATA, "cpu")]
pytestmark = pytest.mark.usefixtures("own_place")


@pytest.fixture
def own_run(monkeypatch) -> list:
    runs = []
    monkeypatch.setattr(
        client.supervisor, "run", lambda units, *rest: runs.append(units) or ["own"]
    )
    return runs


def serve(*answers: server.Message | bytes, greets: bool = True) -> None:
    """Publish a server that gives these answers, whatever it is asked."""
    own = rendezvous.new_folder()
    address = rendezvous.new_address(own)
    rendezvous.publish(address, own)
    listener = Listener(address.socket)

    def respond() -> None:
        with contextlib.suppress(OSError), listener, listener.accept() as connection:
            if greets:
                server.greet_client(connection, address.key)
                connection.recv_bytes()
            for answer in answers:
                connection.send_bytes(
                    answer if isinstance(answer, bytes) else msgspec.json.encode(answer)
                )

    threading.Thread(target=respond, daemon=True).start()


def test_where_the_files_move_while_they_are_looked_at_it_runs_itself(own_run, monkeypatch):
    def going() -> str:
        raise FileNotFoundError(2, "No such file or directory")

    own = rendezvous.new_folder()
    rendezvous.publish(rendezvous.new_address(own), own)
    monkeypatch.setattr(client, "fingerprint", going)
    assert client.run(REFERENCE, []) == ["own"]


def test_without_any_it_runs_itself(own_run):
    assert client.run(REFERENCE, []) == ["own"]
    assert own_run == [REFERENCE]


@pytest.mark.parametrize(
    "answers",
    [
        [server.Refusal("no", is_stale=True)],
        [server.Refusal("no")],
        [],
        [b"no json"],
        [b"[]"],
        [b'{"type": "Unknown"}'],
        [server.Results([])],
        [server.Results([]), b'{"type": "Results", "results": [[7, {}]]}'],
        [server.Results([]), server.Results([(7, TestResult("a", Outcome.PASSED))])],
        [b'{"type": "End"}'],
        [b'{"type": "End", "katas": [{"name": 1}]}'],
        # no test: an error
        [server.AllResults([KataResult(KATA, 1, (TaskResult("t", ()),))])],
    ],
)
def test_with_an_odd_answer_it_runs_itself(own_run, answers):
    serve(*answers)
    assert client.run(REFERENCE, [], on_result=lambda unit, result: None) == ["own"]


def test_with_one_that_does_not_know_the_key_it_runs_itself(own_run):
    serve(b"#CHALLENGE#" + b"x" * 20, b"#WELCOME#", server.AllResults([]), greets=False)
    assert client.run(REFERENCE, []) == ["own"]


def test_with_one_that_is_gone_it_runs_itself(own_run):
    own = rendezvous.new_folder()
    rendezvous.publish(rendezvous.new_address(own), own)
    assert client.run(REFERENCE, []) == ["own"]


def test_with_one_that_hangs_it_runs_itself(own_run, monkeypatch):
    monkeypatch.setattr(server, "SECONDS_TO_GREET", 0.1)
    own = rendezvous.new_folder()
    address = rendezvous.new_address(own)
    rendezvous.publish(address, own)
    with Listener(address.socket):
        assert client.run(REFERENCE, []) == ["own"]
