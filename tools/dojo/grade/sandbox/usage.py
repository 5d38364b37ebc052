"""Usage of all processes of a run together. A control group limits it where one (of version 2) is
delegated to us; elsewhere each process is limited by itself, and the warm process watches the sum.
"""

import os
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from dojo.grade.sandbox.confine import MEGABYTE, RunLimits

CONTROLLERS = frozenset({"memory", "pids"})
LOWEST_PRIORITY = 19
# processes of a run for which the warm process's memory is free: one, and eight that load its data
MOST_THAT_SHARE = 9


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


def delegated(mounts: str, own: str, controllers: frozenset[str] = CONTROLLERS) -> Path | None:
    """The nearest control group above this process in which groups with these controllers can be
    made, from the texts of /proc/self/mounts and /proc/self/cgroup; None if there is none.
    """
    mounted = [line.split()[1] for line in mounts.splitlines() if line.split()[2] == "cgroup2"]
    paths = [line.removeprefix("0::/") for line in own.splitlines() if line.startswith("0::/")]
    if not mounted or not paths or ".." in Path(paths[0]).parts:
        return None
    top = Path(mounted[0])
    for folder in [top / paths[0], *(top / paths[0]).parents]:
        if folder != top and top not in folder.parents:
            break
        with suppress(OSError):
            given = set((folder / "cgroup.subtree_control").read_text("utf-8").split())
            paths_to_write = (folder, folder / "cgroup.procs")
            if controllers <= given and all(os.access(path, os.W_OK) for path in paths_to_write):
                return folder
    return None


def find_group() -> Path | None:
    """As delegated(), for this process."""
    process = Path("/proc/self")
    try:
        return delegated(
            (process / "mounts").read_text("utf-8"), (process / "cgroup").read_text("utf-8")
        )
    except OSError:
        return None


def group_settings(limits: RunLimits) -> dict[str, str]:
    """The settings of a control group for these limits: file → content."""
    return {
        "memory.max": str(limits.memory * MEGABYTE),
        "memory.swap.max": "0",
        "memory.oom.group": "1",
        "pids.max": str(limits.processes),
        # one processor: what a kata needs, however many processes ask for more
        "cpu.max": "100000 100000",
    }


class Group:
    """The control group of one run, while that lasts."""

    def __init__(self, parent: Path, name: str, settings: Mapping[str, str]) -> None:
        """Raises OSError if it can't be made."""
        self.folder = parent / name
        self.folder.mkdir()
        for setting, value in settings.items():
            # swap or processors may not be limited here
            with suppress(FileNotFoundError):
                (self.folder / setting).write_text(value, "utf-8")

    def door(self) -> int:
        """A descriptor; the process that writes 0 to it enters the group, with all it starts."""
        return os.open(self.folder / "cgroup.procs", os.O_WRONLY | os.O_CLOEXEC)

    def remove(self) -> bool:
        """End its processes and remove it. True if it is gone: not before they have ended."""
        with suppress(OSError):
            (self.folder / "cgroup.kill").write_text("1", "utf-8")
        with suppress(OSError):
            self.folder.rmdir()
        return not self.folder.exists()
