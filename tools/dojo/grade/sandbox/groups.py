"""Control groups: the kernel itself limits what all processes of a run take together, with pages
that forks have rewritten and buffers that no process holds.

Where groups of version 2 with the controllers we need can be made, they are used, else those of
version 1, of which each controller has its own tree. Where neither can be, there is none.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from dojo.grade.sandbox.confine import MEGABYTE, RunLimits

CONTROLLERS = frozenset({"memory", "pids"})
PREFIX = "torch-katas-"


@dataclass(frozen=True)
class Home:
    """Where groups can be made.

    Attributes:
        version: of the kernel's interface, 1 or 2.
        parents: folders; a run gets a group in each.
    """

    version: int
    parents: tuple[Path, ...]


def find() -> Home | None:
    """The home for this process's groups; None if there is none. What a killed process has left
    there is cleared.
    """
    try:
        mounts, own = (Path("/proc/self", name).read_text("utf-8") for name in ("mounts", "cgroup"))
    except OSError:
        return None
    home = delegated(mounts, own) or of_version_1(mounts, own)
    if home:
        clear(home)
    return home


def delegated(mounts: str, own: str, controllers: frozenset[str] = CONTROLLERS) -> Home | None:
    """The nearest group of version 2 above this process in which groups with these controllers can
    be made, from the texts of /proc/self/mounts and /proc/self/cgroup; None if there is none.
    """
    mounted = [Path(fields[1]) for fields in _lines(mounts) if fields[2] == "cgroup2"]
    paths = [line.removeprefix("0::/") for line in own.splitlines() if line.startswith("0::/")]
    if not mounted or not paths:
        return None
    for folder in _upwards(mounted[0], paths[0]):
        with suppress(OSError):
            given = set((folder / "cgroup.subtree_control").read_text("utf-8").split())
            if controllers <= given and _is_ours(folder):
                return Home(2, (folder,))
    return None


def of_version_1(mounts: str, own: str) -> Home | None:
    """As delegated(), of version 1: below this process's own groups alone, whose limits hold."""
    parents = []
    for controller in sorted(CONTROLLERS):
        tops = [
            Path(fields[1])
            for fields in _lines(mounts)
            if fields[2] == "cgroup" and controller in fields[3].split(",")
        ]
        paths = [
            path.removeprefix("/")
            for _, names, path in (line.split(":", 2) for line in own.splitlines())
            if controller in names.split(",")
        ]
        if not tops or not paths:
            return None
        # in a container its own group is the top, and is named as it is outside
        folder = next(_upwards(tops[0], paths[0]), None)
        folder = folder if folder and folder.is_dir() else tops[0]
        if not _is_ours(folder):
            return None
        parents.append(folder)
    return Home(1, tuple(parents))


def _lines(mounts: str) -> list[list[str]]:
    return [line.split() for line in mounts.splitlines()]


def _upwards(top: Path, path: str) -> Iterator[Path]:
    """The folder of a group, and those above it, up to the top."""
    if ".." in Path(path).parts:
        return
    yield from (folder for folder in [top / path, *(top / path).parents] if _within(folder, top))


def _within(folder: Path, top: Path) -> bool:
    return folder == top or top in folder.parents


def _is_ours(folder: Path) -> bool:
    return all(os.access(path, os.W_OK) for path in (folder, folder / "cgroup.procs"))


def clear(home: Home) -> None:
    """Remove the groups of processes that are gone. None goes that has a process in it."""
    for parent in home.parents:
        for left in parent.glob(f"{PREFIX}*-*"):
            number = left.name.removeprefix(PREFIX).partition("-")[0]
            if number.isdigit() and not Path("/proc", number).exists():
                with suppress(OSError):
                    left.rmdir()


def settings(limits: RunLimits) -> dict[str, str]:
    """The settings of a group for these limits, of both versions: file → content."""
    memory = str(limits.memory * MEGABYTE)
    return {
        "memory.max": memory,
        "memory.swap.max": "0",
        "memory.oom.group": "1",
        "memory.limit_in_bytes": memory,
        "memory.memsw.limit_in_bytes": memory,  # with swap
        "pids.max": str(limits.processes),
        # one processor: what a kata needs, however many processes ask for more
        "cpu.max": "100000 100000",
    }


class Group:
    """The control group of one run, while that lasts."""

    def __init__(self, home: Home, name: str, settings: Mapping[str, str]) -> None:
        """Raises OSError if it can't be made."""
        self.folders = [parent / name for parent in home.parents]
        try:
            for folder in self.folders:
                folder.mkdir()
                for setting, value in settings.items():
                    if (folder / setting).exists():  # swap or processors may not be limited here
                        (folder / setting).write_text(value, "utf-8")
        except OSError:
            self.remove()
            raise

    def doors(self) -> list[int]:
        """Descriptors; the process that writes 0 to each enters the group, with all it starts."""
        doors: list[int] = []
        try:
            for folder in self.folders:
                doors.append(os.open(folder / "cgroup.procs", os.O_WRONLY | os.O_CLOEXEC))
        except OSError:
            close(doors)
            raise
        return doors

    def gauge(self) -> list[int]:
        """A descriptor to read how many processes the kernel had to end for their memory, where it
        does not end all of the group then.
        """
        file = self.folders[0] / "memory.oom_control"
        return [os.open(file, os.O_RDONLY | os.O_CLOEXEC)] if file.exists() else []

    def remove(self) -> bool:
        """End its processes and remove it. True if it is gone: not before they have ended."""
        for folder in self.folders:
            with suppress(OSError):
                (folder / "cgroup.kill").write_text("1", "utf-8")
            with suppress(OSError):
                folder.rmdir()
        return not any(folder.exists() for folder in self.folders)


def has_ended_any(gauge: int | None) -> bool:
    """True if a group's gauge says that a process of it was ended for its memory."""
    if gauge is None:
        return False
    lines = os.pread(gauge, 1000, 0).splitlines()
    return any(line.startswith(b"oom_kill ") and line != b"oom_kill 0" for line in lines)


def close(descriptors: Sequence[int]) -> None:
    """Close descriptors."""
    for descriptor in descriptors:
        os.close(descriptor)
