"""What a run takes, all its processes together: of the machine's memory, and of its processors."""

import os
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

LAST_IN_LINE = 19  # the niceness of who is to wait for all others


class Process(NamedTuple):
    """One of those that can be seen from here; `memory` is in bytes."""

    parent: int
    memory: int
    threads: int = 1


def processes() -> dict[int, Process]:
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError, ValueError, IndexError):  # it may end meanwhile
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                memory = int(fields[21]) * os.sysconf("SC_PAGE_SIZE")
                found[int(entry.name)] = Process(int(fields[1]), memory, int(fields[17]))
    return found


def members(there: Mapping[int, Process], first: int) -> set[int]:
    """A process and all below it.

    A process whose parent has ended belongs to the first of its PID namespace, so that none gets away.
    """
    found, before = {first}, 0
    while len(found) > before:
        before = len(found)
        found |= {number for number, process in there.items() if process.parent in found}
    return found & there.keys()


def memory_beyond(there: Mapping[int, Process], run: Collection[int], host: int) -> int:
    """Bytes that these processes take, each beyond what it shares with the host that it was forked from."""
    shared = there[host].memory if host in there else 0
    return sum(max(there[number].memory - shared, 0) for number in run)


def threads(there: Mapping[int, Process], run: Collection[int]) -> int:
    return sum(there[number].threads for number in run)


def put_last(run: Collection[int]) -> None:
    """Let these processes have what of the processors others leave; what they start from now on, too. Nothing undoes it."""
    for number in run:
        with suppress(OSError):
            for task in Path(f"/proc/{number}/task").iterdir():
                with suppress(OSError):
                    os.setpriority(os.PRIO_PROCESS, int(task.name), LAST_IN_LINE)
