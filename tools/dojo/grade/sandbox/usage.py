"""What a run takes, all its processes together: of the machine's memory, and of its processors."""

import os
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

LAST_IN_LINE = 19  # the niceness of who is to wait for all others
# processes of a run for which the host's memory is free: one, and eight that load its data
MOST_THAT_SHARE = 9


class Process(NamedTuple):
    """One of those that can be seen from here.

    Attributes:
        parent: its number.
        memory: bytes that it has in no file on a disk; those that it shares with others since a
            fork are included.
        threads: how many it has.
        stack: where its stack begins. The system chooses that by chance for each program that it
            starts; a fork keeps it.
    """

    parent: int
    memory: int
    threads: int = 1
    stack: int = 0


def processes() -> dict[int, Process]:
    """All of them. Nothing is read that takes a lock of theirs: no process can make the one who
    looks wait.
    """
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError, ValueError, IndexError, StopIteration):  # it may end meanwhile
                found[int(entry.name)] = _process(entry)
    return found


def _process(entry: Path) -> Process:
    fields = _fields(entry)
    # its first thread has ended, and tells nothing of the memory of the others
    if fields[0] == "Z" and int(fields[17]) > 1:
        entry = next(task for task in (entry / "task").iterdir() if _fields(task)[0] != "Z")
        fields = _fields(entry)
    lines = (entry / "status").read_bytes().splitlines()
    memory = sum(
        int(line.split()[1]) for line in lines if line.startswith((b"RssAnon:", b"RssShmem:"))
    )
    return Process(int(fields[1]), memory * 1024, int(fields[17]), int(fields[25]))


def _fields(entry: Path) -> list[str]:
    """What follows the name, which a process gives itself: any bytes, and brackets and line ends
    among them.
    """
    return (entry / "stat").read_bytes().rpartition(b")")[2].decode().split()


def members(there: Mapping[int, Process], first: int) -> set[int]:
    """A process and all below it.

    A process whose parent has ended belongs to the first of its PID namespace, so that none gets
    away.
    """
    found, before = {first}, 0
    while len(found) > before:
        before = len(found)
        found |= {number for number, process in there.items() if process.parent in found}
    return found & there.keys()


def memory_beyond(there: Mapping[int, Process], run: Collection[int], host: int) -> int:
    """Bytes that these processes take together, beyond what they share with the host.

    A process shares it that was forked from the host and has not started another program since. It
    may have given it up by writing to it, which can't be seen: so it is free for a few processes,
    not for as many as there can be.
    """
    its = there.get(host, Process(0, 0))
    shared = sorted(
        min(there[number].memory, its.memory) for number in run if there[number].stack == its.stack
    )
    return sum(there[number].memory for number in run) - sum(shared[-MOST_THAT_SHARE:])


def threads(there: Mapping[int, Process], run: Collection[int]) -> int:
    return sum(there[number].threads for number in run)


def put_last(run: Collection[int]) -> None:
    """Let these processes have what of the processors others leave; what they start from now on,
    too. Nothing undoes it.
    """
    for number in run:
        with suppress(OSError):
            for task in Path(f"/proc/{number}/task").iterdir():
                with suppress(OSError):
                    os.setpriority(os.PRIO_PROCESS, int(task.name), LAST_IN_LINE)
