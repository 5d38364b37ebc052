"""Short ways to read a verdict, and to wait for processes."""

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from dojo.results import KataResult, TestResult


def by_name(result: KataResult) -> dict[str, TestResult]:
    return {test.name: test for task in result.tasks for test in task.tests}


def outcomes(result: KataResult) -> dict[str, str]:
    return {task.name: task.outcome for task in result.tasks}


def first_message(result: KataResult) -> str:
    return result.tasks[0].first_problem.message


def until(is_so: Callable[[], object], seconds: float = 120) -> object:
    """Wait until it is so, and fail if it never is."""
    end = time.monotonic() + seconds
    while not (found := is_so()):
        assert time.monotonic() < end, "it did not come to this"
        time.sleep(0.02)
    return found


def lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    if not Path("/proc/self/stat").exists():
        return True
    try:
        return (
            Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
            != "Z"
        )
    except (FileNotFoundError, ProcessLookupError):  # it ended meanwhile
        return False


def descendants(pid: int) -> set[int]:
    """All processes below this one."""
    lines = subprocess.run(
        ["ps", "-eo", "pid,ppid"], capture_output=True, text=True, check=True
    ).stdout.splitlines()[1:]
    parents = dict(map(int, line.split()) for line in lines)
    below: set[int] = set()
    while more := {child for child, parent in parents.items() if parent in {pid, *below}} - below:
        below |= more
    return below
