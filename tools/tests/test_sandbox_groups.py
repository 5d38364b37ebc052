"""What all processes of a run take together: memory and processors by the host's own looks, and control groups."""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from helpers import descendants, first_message, until
from hostile_programs import KATA
from sandboxes import LIMITS, a_sandbox, judge, new_since

from dojo.grade.sandbox import cgroup, host, usage
from dojo.grade.sandbox.launch import BARE, Sandbox
from dojo.grade.sandbox.suite import Confined
from dojo.suite.unit import Unit


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with a_sandbox() as one:
        yield one


# Memory


def test_memory_is_that_of_all_processes_below():
    sizes = {1: (0, 10), 2: (1, 300), 3: (2, 500), 4: (3, 350, 7), 5: (1, 9000)}
    there = {number: usage.Process(*fields) for number, fields in sizes.items()}
    run = usage.members(there, first=3)
    assert (usage.memory_beyond(there, run, host=2), usage.threads(there, run)) == (250, 8)
    assert usage.members(there, first=9) == set()


def test_this_process_takes_memory():
    own = usage.processes()[os.getpid()]
    assert own.parent == os.getppid() and own.threads == len(list(Path("/proc/self/task").iterdir()))
    assert own.memory > 1_000_000


# Processors

SPIN = b"import os\nfor _ in range(8):\n    if os.fork() == 0:\n        break\n"
SESSION = b"""
import os
read, write = os.pipe()
if os.fork() == 0:
    try:
        os.setsid()
    except PermissionError:
        os.write(write, b"refused")
    os._exit(0)
os.close(write)
raise SystemExit(os.read(read, 100).decode())
"""


def niceness(process: int) -> int | None:
    with contextlib.suppress(ProcessLookupError):
        return os.getpriority(os.PRIO_PROCESS, process)


@pytest.mark.parametrize(("code", "count"), [(SPIN, 9), (b"", 1)], ids=["a crowd", "a single one"])
def test_a_crowd_of_processes_waits_for_the_others_and_a_single_one_does_not(sandbox, tmp_path, code, count):
    before = descendants(os.getpid())
    launcher = Confined(sandbox, {KATA: code + b"while True: pass\n"})
    child = launcher.start([Unit("nowhere", KATA, "cpu")], tmp_path / "log")
    until(lambda: len(new_since(before)) == count)
    if count > 1:
        until(lambda: {niceness(process) for process in new_since(before)} == {usage.LAST_IN_LINE})
    else:
        (process,) = new_since(before)
        assert usage.processes()[process].threads <= host.MOST_AT_WORK
        assert niceness(process) == niceness(os.getpid())
    child.process.close()
    until(lambda: child.process.has_ended)


def test_no_process_of_a_run_gets_a_session_of_its_own(sandbox):
    if not sandbox.isolation.seccomp:
        pytest.skip("this kernel filters no system calls")
    (result,) = judge(sandbox, {KATA: SESSION})
    assert "refused" in first_message(result)


# Control groups

MOUNTS = "cgroup2 {top} cgroup2 rw 0 0\nproc /proc proc rw 0 0\n"


def a_group(folder: Path, controllers: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "cgroup.subtree_control").write_text(controllers)
    (folder / "cgroup.procs").touch()
    return folder


def test_the_nearest_group_that_gives_memory_is_used(tmp_path):
    mounts = MOUNTS.format(top=tmp_path)
    a_group(tmp_path, "cpu memory pids")
    slice_ = a_group(tmp_path / "user.slice", "memory pids")
    a_group(slice_ / "shell.scope", "")
    assert cgroup.delegated(mounts, "0::/user.slice/shell.scope\n") == slice_
    (slice_ / "cgroup.subtree_control").write_text("pids")
    assert cgroup.delegated(mounts, "0::/user.slice/shell.scope\n") == tmp_path
    (tmp_path / "cgroup.subtree_control").write_text("cpu")
    assert cgroup.delegated(mounts, "0::/user.slice/shell.scope\n") is None
    assert cgroup.delegated(mounts, "4:memory:/\n") is None
    assert cgroup.delegated("proc /proc proc rw 0 0\n", "0::/\n") is None
    assert cgroup.delegated(mounts, "0::/../outside\n") is None


def test_the_limits_of_a_run_are_those_of_its_group(tmp_path):
    group = cgroup.Group(tmp_path, "one", cgroup.settings(replace(LIMITS, memory=100, processes=7)))
    assert (group.folder / "memory.max").read_text() == str(100 * 1024 * 1024)
    assert (group.folder / "pids.max").read_text() == "7"


def test_a_run_is_in_its_group_and_the_group_goes_with_it(sandbox, monkeypatch, tmp_path):
    """Without the limits, which take controllers that a machine may not have here."""
    mounts, own = (Path("/proc/self", name).read_text() for name in ("mounts", "cgroup"))
    where = cgroup.delegated(mounts, own, controllers=frozenset())
    if where is None:
        pytest.skip("this user may make no control groups")
    monkeypatch.setattr(cgroup, "settings", lambda limits: {})
    monkeypatch.setattr(sandbox, "_groups", where)
    launcher = Confined(sandbox, {KATA: b"import os, time\nos.fork()\ntime.sleep(600)\n"})
    child = launcher.start([Unit("nowhere", KATA, "cpu")], tmp_path / "log")
    (group,) = where.glob("torch-katas-*")
    until(lambda: len((group / "cgroup.procs").read_text().split()) == 2)
    child.process.close()
    until(lambda: child.process.has_ended)
    launcher.start([Unit("nowhere", KATA, "cpu")], tmp_path / "log").process.close()
    until(lambda: not group.exists())


def test_what_looks_delegated_and_is_not_is_done_without(monkeypatch, tmp_path):
    monkeypatch.setattr(cgroup, "find", lambda: tmp_path)  # no group for the kernel: the process can't enter
    with a_sandbox(content=BARE) as sandbox:
        assert not sandbox.isolation.cgroup
