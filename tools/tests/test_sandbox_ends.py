"""The sandbox's ends: what becomes of a run when it, the sandbox or whoever grades ends before its
time.
"""

import json
import os
import signal
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from helpers import descendants, lives, outcomes, until
from hostile_programs import KATA, base
from sandboxes import BARE, LIMITS, a_sandbox, judge, python

from dojo.catalog import load
from dojo.grade.sandbox import host, isolation
from dojo.grade.sandbox.launch import Sandbox
from dojo.grade.sandbox.suite import Confined
from dojo.grade.sandbox.workers import Isolated
from dojo.results import Outcome
from dojo.suite.launcher import Lost

FILES = {KATA: base("reference").encode()}
IMPOSSIBLE = replace(LIMITS, space=-1)  # a tmpfs of this size can't be mounted


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with a_sandbox() as one:
        yield one


class HostDies(Confined):
    """The sandbox breaks down under the first so many children."""

    times = 1

    def start(self, units, log):
        child = super().start(units, log)
        if self.times:
            self.times -= 1
            os.kill(self._sandbox.host_process, signal.SIGKILL)
        return child


class HostAlwaysDies(HostDies):
    times = 100


def test_a_run_that_was_lost_is_done_again():
    with a_sandbox() as sandbox:
        (result,) = judge(sandbox, FILES, HostDies)
    assert result.outcome == Outcome.PASSED


def test_a_sandbox_that_always_breaks_down_is_no_fault_of_the_submission():
    with a_sandbox(content=BARE) as sandbox:
        with pytest.raises(Lost, match="broke down each time"):
            judge(sandbox, FILES, HostAlwaysDies)


def test_nothing_is_left_when_grading_is_killed():
    code = """
import time
from dojo.grade.sandbox.launch import Sandbox
from sandboxes import judge
from hostile_programs import KATA
with Sandbox() as sandbox:
    print("ready", flush=True)
    judge(sandbox, {KATA: b"import os, time\\nos.fork()\\ntime.sleep(600)\\n"}, timeout=300)
"""
    with a_sandbox(content=BARE):
        pass
    grading = python(code)
    try:
        assert grading.stdout.readline() == "ready\n"
        # bubblewrap (two processes), the host, and two of the submission
        started = until(lambda: len(found := descendants(grading.pid)) >= 5 and found)
    finally:
        grading.kill()
        grading.wait()
    until(lambda: not any(map(lives, started)))


def test_a_thread_that_has_ended_takes_nothing_along():
    """Runs may be started by any thread, of which only the one that entered the sandbox has to
    stay.
    """
    with a_sandbox(content=BARE) as sandbox:
        before = sandbox.host_process
        thread = threading.Thread(target=isolation.isolation_of, args=(sandbox.start,))
        thread.start()
        thread.join()
        isolation.isolation_of(sandbox.start)
        assert sandbox.host_process == before


# A run that can't be confined


def test_a_run_that_can_not_be_confined_is_lost(sandbox, tmp_path):
    run = sandbox.start("exam", {}, tmp_path / "log", limits=IMPOSSIBLE)
    run.join(30)
    assert run.lost and run.has_ended and run.exitcode is None
    assert "mount" in (tmp_path / "log").read_text()
    run.close()


def test_what_can_not_be_confined_is_no_fault_of_the_submission(sandbox, monkeypatch):
    monkeypatch.setattr(sandbox, "limits", IMPOSSIBLE)
    with pytest.raises(Lost, match="broke down each time"):
        judge(sandbox, FILES)


@pytest.mark.parametrize("code", [0, 1, 120])
def test_no_exit_code_makes_a_run_lost(sandbox, code):
    (result,) = judge(sandbox, {KATA: f"import os\nos._exit({code})\n".encode()})
    assert set(outcomes(result).values()) == {Outcome.FAILED}


def test_a_candidate_that_could_not_be_confined_is_lost_and_one_that_ends_itself_is_not():
    with a_sandbox(content=BARE):
        pass  # else there is nothing to test
    (kata,) = [kata for kata in load().katas if kata.name == KATA]
    for limits, is_lost in ((IMPOSSIBLE, True), (LIMITS, False)):
        place = Isolated([], LIMITS)
        place._exam = Sandbox(content=BARE, limits=limits)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Sandbox, "_probed", lambda self: None)
            with place._exam:
                candidate = place.candidate(kata, b"")
                with pytest.raises((EOFError, OSError)):
                    candidate.channel.send(b"this is no message of an exam", 30)
                    candidate.channel.receive(30)
                assert candidate.lost is is_lost
                candidate.close()


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_a_host_that_can_not_fork_says_that_the_run_is_lost(monkeypatch):
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)

    def refused() -> int:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(host, "fork_as_first", refused)
    inside = host._Host(theirs)
    given = [os.open(os.devnull, os.O_RDWR) for _ in range(3)]
    before = open_descriptors()
    socket.send_fds(ours, [json.dumps({"do": "run", "run": 7, "memory": 1}).encode()], given)
    inside.hear()
    assert json.loads(ours.recv(100)) == {"lost": 7}
    assert open_descriptors() == before and not inside.children
    for descriptor in given:
        os.close(descriptor)
    ours.close()
    theirs.close()
