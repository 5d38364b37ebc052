"""Control groups, version 2: where one is delegated to us, the kernel limits what all processes of
a run take together.

Without one, each process is limited by itself, and the host looks after the sum.
"""

import contextlib
import os
from pathlib import Path

from dojo.grade.sandbox.limits import MEGABYTE, Limits

CONTROLLERS = frozenset({"memory", "pids"})


def delegated(mounts: str, own: str, controllers: frozenset[str] = CONTROLLERS) -> Path | None:
    """The nearest group above this process in which groups with these controllers can be made; None
    if there is none.

    Args:
        mounts: the text of /proc/self/mounts.
        own: the text of /proc/self/cgroup.
    """
    mounted = [
        fields[1] for line in mounts.splitlines() if (fields := line.split())[2] == "cgroup2"
    ]
    paths = [line.removeprefix("0::/") for line in own.splitlines() if line.startswith("0::/")]
    if not mounted or not paths or ".." in Path(paths[0]).parts:
        return None
    top = Path(mounted[0])
    for folder in [top / paths[0], *(top / paths[0]).parents]:
        if folder != top and top not in folder.parents:
            break
        with contextlib.suppress(OSError):
            given = set((folder / "cgroup.subtree_control").read_text().split())
            if controllers <= given and all(
                os.access(path, os.W_OK) for path in (folder, folder / "cgroup.procs")
            ):
                return folder
    return None


def find() -> Path | None:
    """As above, for this process."""
    try:
        return delegated(
            Path("/proc/self/mounts").read_text(), Path("/proc/self/cgroup").read_text()
        )
    except OSError:
        return None


def settings(limits: Limits) -> dict[str, str]:
    memory = str(limits.memory * MEGABYTE)
    return {
        "memory.max": memory,
        "memory.swap.max": "0",
        "memory.oom.group": "1",
        "pids.max": str(limits.processes),
        # one processor: what a kata needs, however many processes ask for more
        "cpu.max": "100000 100000",
    }


class Group:
    """The group of one run, while that lasts."""

    def __init__(self, parent: Path, name: str, wanted: dict[str, str]) -> None:
        """Raises OSError where it can't be made."""
        self.folder = parent / name
        self.folder.mkdir()
        for setting, value in wanted.items():
            # swap or processors may not be limited here
            with contextlib.suppress(FileNotFoundError):
                (self.folder / setting).write_text(value)

    def door(self) -> int:
        """A descriptor: the process that writes 0 there is in the group from then on, with all that
        it starts.
        """
        return os.open(self.folder / "cgroup.procs", os.O_WRONLY | os.O_CLOEXEC)

    def remove(self) -> bool:
        """Whether it is gone; it is not as long as a process is in it."""
        with contextlib.suppress(OSError):
            (self.folder / "cgroup.kill").write_text("1")
        with contextlib.suppress(OSError):
            self.folder.rmdir()
        return not self.folder.exists()
