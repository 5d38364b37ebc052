"""The lock that commands wait for: on this system, and on Windows by a module that stands in."""

import os
import subprocess
import sys
import types

import pytest

from dojo import ROOT, lock


class FakeMsvcrt(types.ModuleType):
    """Windows' own locks: LK_NBLCK fails at once while another process holds the byte.

    Attributes:
        refusals: how many more tries fail.
        released: how often the lock was given back.
        positions: where in the file each try was.
    """

    LK_UNLCK, LK_LOCK, LK_NBLCK = 0, 1, 2

    def __init__(self, refusals: int) -> None:
        super().__init__("msvcrt")
        self.refusals, self.released = refusals, 0
        self.positions: list[int] = []

    def locking(self, descriptor: int, mode: int, size: int) -> None:
        assert size == 1
        if mode == self.LK_UNLCK:
            self.released += 1
            return
        assert mode == self.LK_NBLCK
        self.positions.append(os.lseek(descriptor, 0, os.SEEK_CUR))
        if self.refusals:
            self.refusals -= 1
            raise PermissionError(13, "Permission denied")


@pytest.fixture
def on_windows(monkeypatch):
    """Windows, whose lock refuses so many tries before it is free."""
    waits = []

    def of(refusals: int) -> tuple[FakeMsvcrt, list[float]]:
        module = FakeMsvcrt(refusals)
        monkeypatch.setitem(sys.modules, "msvcrt", module)
        monkeypatch.setattr(lock.sys, "platform", "win32")
        monkeypatch.setattr(lock.time, "sleep", waits.append)
        return module, waits

    return of


def test_on_windows_a_lock_waits_longer_than_the_ten_tries_of_the_system(tmp_path, on_windows):
    module, waits = on_windows(1000)
    waited = []
    with lock.held(tmp_path / "x.lock", lambda: waited.append(len(module.positions))):
        assert module.refusals == 0
    assert waited == [1], "on_wait is called once, before the wait"
    assert sum(waits) > 10
    assert set(module.positions) == {1 << 30}, "behind what another process may want to read"


def test_on_windows_a_free_lock_is_taken_without_a_wait(tmp_path, on_windows):
    module, waits = on_windows(0)
    waited = []
    with lock.held(tmp_path / "x.lock", lambda: waited.append(True)):
        pass
    assert (waited, waits, len(module.positions)) == ([], [], 1)
    assert module.released == 1, "Windows itself may take a while after the file is closed"


def test_on_windows_who_holds_the_lock_is_reported_at_once(tmp_path, on_windows):
    (tmp_path / "x.lock").write_text("process 7\n")
    _, waits = on_windows(1)
    with pytest.raises(lock.Taken, match=r"^process 7$"):
        with lock.alone(tmp_path / "x.lock", "process 8"):
            pass
    assert waits == []


def test_another_fault_of_the_system_is_no_wait(tmp_path, on_windows, monkeypatch):
    module, _ = on_windows(0)

    def broken(descriptor: int, mode: int, size: int) -> None:
        raise OSError(9, "Bad file descriptor")

    monkeypatch.setattr(module, "locking", broken)
    with pytest.raises(OSError, match="Bad file descriptor"), lock.held(tmp_path / "x.lock"):
        pass


def test_a_second_process_waits_and_is_told_so(tmp_path):
    code = (
        "import sys; sys.path.insert(0, 'tools')\n"
        "from pathlib import Path; from dojo import lock\n"
        "with lock.held(Path(sys.argv[1]), lambda: print('waits', flush=True)): print('has it')"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "x.lock")]
    with lock.held(tmp_path / "x.lock"):
        second = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert second.stdout.readline() == "waits\n"
        assert second.poll() is None
    assert second.communicate(timeout=60)[0] == "has it\n"
