"""The sandbox's ends: what becomes of a run when it, the sandbox or whoever grades ends before its
time.
"""

import contextlib
import os
import signal
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from helpers import descendants, lives, outcomes, until
from hostile_programs import KATA, base
from sandboxes import BARE, LIMITS, a_sandbox, job, judge, python

from dojo.exam.job import ExamJob
from dojo.grade.sandbox import host, isolation, link, view
from dojo.grade.sandbox.launch import Content, Sandbox
from dojo.processes.worker import Lost
from dojo.results import Outcome

FILES = {KATA: base("reference").encode()}
IMPOSSIBLE = replace(LIMITS, space=-1)  # a tmpfs of this size can't be mounted


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with a_sandbox() as one:
        yield one


class HostDies:
    """A sandbox that breaks down under the first so many children."""

    is_quick = True

    def __init__(self, sandbox: Sandbox, times: int) -> None:
        self.sandbox, self.times = sandbox, times

    def start(self, job, log):
        run = self.sandbox.start(job, log)
        if self.times:
            self.times -= 1
            os.kill(self.sandbox.host_process, signal.SIGKILL)
        return run


def test_a_run_that_was_lost_is_done_again():
    with a_sandbox() as sandbox:
        (result,) = judge(HostDies(sandbox, 1), FILES)
    assert result.outcome == Outcome.PASSED


def test_a_sandbox_that_always_breaks_down_is_no_fault_of_the_submission():
    with a_sandbox(content=BARE) as sandbox:
        with pytest.raises(Lost, match="broke down each time"):
            judge(HostDies(sandbox, 100), FILES)


def test_nothing_is_left_when_grading_is_killed():
    code = """
import time
from dojo.grade.sandbox.launch import Sandbox
from sandboxes import judge
from hostile_programs import KATA
with Sandbox() as sandbox:
    print("ready", flush=True)
    judge(sandbox, {KATA: b"import os, time\\nos.fork()\\ntime.sleep(600)\\n"}, {KATA: 300})
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
        thread = threading.Thread(target=isolation.isolation_of, args=(sandbox,))
        thread.start()
        thread.join()
        isolation.isolation_of(sandbox)
        assert sandbox.host_process == before


# A run that can't be confined


def test_a_run_that_can_not_be_confined_is_lost(sandbox, tmp_path, monkeypatch):
    monkeypatch.setattr(sandbox, "limits", IMPOSSIBLE)
    run = sandbox.start(job(tmp_path, b""), tmp_path / "log")
    with pytest.raises(Lost):
        run.exit_code(30)
    assert run.has_ended
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


@pytest.mark.parametrize(("limits", "is_lost"), [(IMPOSSIBLE, True), (LIMITS, False)])
def test_an_exam_that_could_not_be_confined_is_lost_and_one_that_ends_itself_is_not(
    tmp_path, monkeypatch, limits, is_lost
):
    (tmp_path / f"{KATA}.py").touch()
    with a_sandbox(content=Content(view.WITHOUT_TESTS)) as sandbox:
        monkeypatch.setattr(sandbox, "limits", limits)
        run = sandbox.start(ExamJob(KATA, str(tmp_path)), tmp_path / "log")
        with pytest.raises((EOFError, OSError)):
            run.channel.send(b"this is no message of an exam", 30)
            run.channel.receive(30)
        run.kill()
        with pytest.raises(Lost) if is_lost else contextlib.nullcontext():
            assert run.exit_code(30) is not None
        run.close()


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_a_host_that_can_not_fork_says_that_the_run_is_lost(monkeypatch):
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)

    def refused() -> int:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(host, "fork_as_first", refused)
    inside = host.Host(theirs, with_tests=True)
    given = [os.open(os.devnull, os.O_RDWR) for _ in range(3)]
    before = open_descriptors()
    socket.send_fds(ours, [msgspec.json.encode(link.Start(7, memory=1))], given)
    inside.obey()
    assert msgspec.json.decode(ours.recv(100), type=link.NotConfined) == link.NotConfined(7)
    assert open_descriptors() == before and not inside.children
    for descriptor in given:
        os.close(descriptor)
    ours.close()
    theirs.close()
