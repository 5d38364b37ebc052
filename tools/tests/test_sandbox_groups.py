"""What all processes of a run take together: memory by the host's own looks, and control groups where there are some."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from helpers import until
from hostile_programs import KATA
from sandboxes import LIMITS, a_sandbox

from dojo.grade.sandbox import cgroup, memory
from dojo.grade.sandbox.launch import BARE, Sandbox
from dojo.grade.sandbox.suite import Confined
from dojo.suite.unit import Unit


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with a_sandbox() as one:
        yield one


# Memory


def test_memory_is_that_of_all_processes_below():
    there = {1: (0, 10), 2: (1, 300), 3: (2, 500), 4: (3, 350), 5: (1, 9000)}
    assert memory.beyond(there, first=3, host=2) == 250
    assert memory.beyond(there, first=9, host=2) == 0


def test_this_process_takes_memory():
    parent, size = memory.processes()[os.getpid()]
    assert parent == os.getppid()
    assert size > 1_000_000


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
