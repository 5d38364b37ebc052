"""Processes that work for another one: they end with it, however it ends."""

import multiprocessing.forkserver
import os
import subprocess
import sys
import time

import pytest
from helpers import lives, until

from dojo import ROOT
from dojo.processes import forking

OWNER = """
import os, sys, time
sys.path.insert(0, "tools")
from dojo.processes import forking
if __name__ == "__main__":
    pool = forking.pool(2)
    print(*{one.result() for one in [pool.submit(os.getpid) for _ in range(20)]}, flush=True)
    busy = pool.submit(time.sleep, 600)
    sys.stdin.read()
"""


@pytest.mark.parametrize("fork", [True, False], ids=["forked", "started anew"])
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_workers_end_with_a_killed_owner_at_work_or_idle(tmp_path, fork, monkeypatch):
    if not fork:
        monkeypatch.setenv(forking.NO_FORK, "1")
    script = tmp_path / "owner.py"
    script.write_text(OWNER)
    with subprocess.Popen(
        [sys.executable, script], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as owner:
        workers = [int(pid) for pid in owner.stdout.readline().split()]
        assert workers and all(map(lives, workers))
        owner.kill()
    until(lambda: not any(map(lives, workers)))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_without_multiprocessing_s_private_names_a_pool_s_processes_end_after_their_work(
    monkeypatch,
):
    """What would be lost if they were called differently: nothing hangs, but it takes longer."""
    pool = forking.pool(1)
    process = pool.submit(os.getpid).result()
    begun = pool.submit(time.sleep, 2)
    until(begun.running)
    monkeypatch.delattr(multiprocessing.forkserver, "_forkserver")
    hidden = pool._processes
    pool._processes = None
    forking.end(pool)
    pool._processes = hidden
    assert lives(process)
    until(lambda: not lives(process))
