"""The hostile collection in the sandbox: nothing is harmed, nothing takes long, and the next one is
judged as ever.
"""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from attack_classes import CLASSES, STAND_INS
from helpers import descendants, lives, until
from hostile_programs import KATA, TASKS, Program, base, programs
from sandboxes import a_sandbox, judge, new_since

from dojo import ROOT
from dojo.grade.judge import STATUS_OF
from dojo.grade.records import Status
from dojo.grade.sandbox.launch import Sandbox
from dojo.results import Outcome

PATIENCE = {True: 2, False: 60}  # seconds for a test, of a program that is endless or not
SECONDS = {True: 4, False: 100}  # for all of a kata
SLACK = 30  # of a busy machine, beyond the limit

collection = programs()


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with a_sandbox() as one:
        yield one


@dataclass(frozen=True)
class Surroundings:
    """What the programs attack."""

    canary: Path
    network: socket.socket
    sibling: subprocess.Popen

    @property
    def places(self) -> dict[str, object]:
        port = self.network.getsockname()[1]
        return {
            "canary": self.canary,
            "port": port,
            "process": os.getpid(),
            "sibling": self.sibling.pid,
        }


@pytest.fixture
def surroundings(tmp_path) -> Iterator[Surroundings]:
    tmp_path.chmod(0o777)
    canary = tmp_path / "canary"
    canary.write_text("unharmed")
    canary.chmod(0o666)
    sibling = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    with socket.create_server(("127.0.0.1", 0)) as network:
        network.setblocking(False)
        yield Surroundings(canary, network, sibling)
    sibling.kill()
    sibling.wait()


def test_there_is_a_program_or_a_test_for_every_class():
    tried = {one for program in collection for one in program.classes}
    assert tried | set(STAND_INS) == {one for group in CLASSES.values() for one in group}


@pytest.mark.parametrize("place", STAND_INS.values())
def test_the_test_that_stands_for_a_class_is_there(place):
    file, _, name = place.partition("::")
    assert f"\ndef {name}(" in (Path(__file__).parent / file).read_text(encoding="utf-8")


def test_every_program_says_what_it_tries_and_what_becomes_of_it():
    for program in collection:
        assert program.attack and program.contained
        assert set(program.suite) == set(program.verdict) == set(TASKS)
        assert set(program.suite.values()) <= set(Outcome)


def test_what_fails_in_the_suite_has_the_verdict_that_follows_from_it():
    """The verdict of what passes is found in test_judging.py, by the exam."""
    wrong = []
    for program in collection:
        for task, outcome in program.suite.items():
            follows = (
                {Status.VERIFIED, Status.NOT_VERIFIED}
                if outcome == Outcome.PASSED
                else {STATUS_OF.get(outcome, Status.NOT_VERIFIED)}
            )
            wrong += (
                []
                if program.verdict[task] in follows
                else [f"{program.name}, {task}: {outcome}, {program.verdict[task]}"]
            )
    assert not wrong


def test_no_program_is_credited_with_what_a_stub_has_not_done():
    assert not [
        program.name
        for program in collection
        if program.base == "stub" and "verified" in program.verdict.values()
    ]


@pytest.mark.parametrize("program", collection, ids=lambda program: program.name)
def test_a_hostile_program_is_contained(sandbox, surroundings, program: Program):
    before, host, started = descendants(os.getpid()), sandbox.host_process, time.monotonic()
    files = {KATA: program.file(**surroundings.places)}
    (result,) = judge(
        sandbox, files, timeouts={KATA: PATIENCE[program.endless]}, seconds=SECONDS[program.endless]
    )
    assert {task.name: task.outcome for task in result.tasks} == program.suite
    assert time.monotonic() - started < SECONDS[program.endless] + SLACK
    until(lambda: not new_since(before))  # neither it nor anything it started is left
    assert sandbox.host_process == host and lives(host)
    assert lives(surroundings.sibling.pid)
    assert surroundings.canary.read_text() == "unharmed"
    assert [path.name for path in surroundings.canary.parent.iterdir()] == ["canary"]
    with pytest.raises(BlockingIOError):  # nobody has connected
        surroundings.network.accept()


def test_the_next_one_is_judged_as_ever(sandbox):
    """Last in this file: after all of them."""
    (result,) = judge(sandbox, {KATA: base("reference").encode()})
    assert result.outcome == Outcome.PASSED


@pytest.mark.parametrize(
    "name", ["use_fork_bomb", "use_memory_together", "use_silence", "use_locks", "break_others"]
)
def test_the_one_beside_it_is_judged_as_ever(sandbox, surroundings, name):
    (program,) = [program for program in collection if program.name == name]
    files = {
        KATA: program.file(**surroundings.places),
        "k01_tensors": (ROOT / "reference" / "k01_tensors.py").read_bytes(),
    }
    hostile, honest = judge(sandbox, files, {KATA: 3}, jobs=2, seconds=10)
    assert honest.outcome == Outcome.PASSED
    assert hostile.outcome in (Outcome.FAILED, "not started")
