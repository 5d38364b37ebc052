"""Usage of all processes of a run together, as the warm process sees it: where no control group
limits the sum (groups), each process is limited by itself, and the sum is watched.
"""

import os
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

LOWEST_PRIORITY = 19
# processes of a run for which the warm process's memory is free: one, and eight that load its data
MOST_THAT_SHARE = 9
MOST_IN_A_SOCKET = 2 * 212_992  # bytes: its buffer, and a message that goes beyond it


class ProcessUsage(NamedTuple):
    """A process that can be seen from here.

    Attributes:
        memory: bytes in no file on a disk, including those shared with others since a fork.
        stack: where its stack begins. The system chooses that by chance for each program that it
            starts; a fork keeps it.
    """

    parent: int
    memory: int
    threads: int = 1
    stack: int = 0


def processes() -> dict[int, ProcessUsage]:
    """All processes by number. Nothing is read that takes a lock of theirs: none can delay us."""
    by_number = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError, ValueError, IndexError, StopIteration):  # it may end meanwhile
                by_number[int(entry.name)] = _process(entry)
    return by_number


def _process(entry: Path) -> ProcessUsage:
    fields = _fields(entry)
    # its first thread has ended, and shows nothing of the memory of the others
    if fields[0] == "Z" and int(fields[17]) > 1:
        entry = next(task for task in (entry / "task").iterdir() if _fields(task)[0] != "Z")
        fields = _fields(entry)
    lines = (entry / "status").read_bytes().splitlines()
    kilobytes = [line.split()[1] for line in lines if line.startswith((b"RssAnon:", b"RssShmem:"))]
    memory = sum(map(int, kilobytes)) * 1024
    return ProcessUsage(int(fields[1]), memory, int(fields[17]), int(fields[25]))


def _fields(entry: Path) -> list[str]:
    """The fields after the name, which can hold any bytes, even brackets and line ends."""
    return (entry / "stat").read_bytes().rpartition(b")")[2].decode().split()


def members(every: Mapping[int, ProcessUsage], first: int) -> set[int]:
    """A process and all below it; an orphan is below the first process of its PID namespace."""
    run, size = {first}, 0
    while len(run) > size:
        size = len(run)
        run |= {number for number, process in every.items() if process.parent in run}
    return run & every.keys()


def memory_beyond(every: Mapping[int, ProcessUsage], run: Collection[int], warm: int) -> int:
    """Bytes that a run's processes take together, beyond what they share with the warm process.

    Forks of the warm process that have not started another program since share it. They may have
    given it up by writing to it, which can't be seen: so it is free for a few of them, not for all.
    """
    origin = every.get(warm, ProcessUsage(0, 0))
    memory = [every[number].memory for number in run]
    forks = [every[number].memory for number in run if every[number].stack == origin.stack]
    shared = sorted(min(taken, origin.memory) for taken in forks)
    return sum(memory) - sum(shared[-MOST_THAT_SHARE:])


def in_sockets(process: int) -> int:
    """Bytes that may wait in the sockets of a run with a network of its own, which is that of this
    process of it.
    """
    try:
        first = Path(f"/proc/{process}/net/sockstat").read_text("utf-8").splitlines()[0]
        return int(first.split()[-1]) * MOST_IN_A_SOCKET
    except (OSError, ValueError, IndexError):  # it has ended
        return 0


def threads(every: Mapping[int, ProcessUsage], run: Collection[int]) -> int:
    """How many threads the processes of a run have together."""
    return sum(every[number].threads for number in run)


def put_last(run: Collection[int]) -> None:
    """Let these processes, and what they start, only have the processor time that others leave."""
    for number in run:
        with suppress(OSError):
            for task in Path(f"/proc/{number}/task").iterdir():
                with suppress(OSError):
                    os.setpriority(os.PRIO_PROCESS, int(task.name), LOWEST_PRIORITY)
