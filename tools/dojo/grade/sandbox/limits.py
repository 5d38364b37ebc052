"""What one run may use at most."""

from dataclasses import dataclass
from pathlib import Path

MEGABYTE = 1024 * 1024


@dataclass(frozen=True)
class Limits:
    """Of one run in the sandbox. The wall clock is not here: whoever asked for the run keeps it,
    outside.

    Attributes:
        memory: MB that the run may take beyond what it begins with: each of its processes, and all
            together.
        cpu: seconds of processor time for each process.
        processes: of the run at a time, threads counted.
        files: open at a time in a process.
        file_size: MB, of the largest file that can be written; what a run prints is one, on a disk
            of ours.
        space: MB for all files together, in memory.
        inodes: how many files and folders there can be.
    """

    memory: int = 1024
    cpu: int = 120
    processes: int = 64
    files: int = 256
    file_size: int = 16
    space: int = 64
    inodes: int = 4000


def apply(limits: Limits) -> None:
    """Set the limits of this process; those that it starts inherit them."""
    import resource  # not there on Windows, where Limits are still a word of the tools

    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = {
        resource.RLIMIT_AS: pages * resource.getpagesize() + limits.memory * MEGABYTE,
        # many take more together: what others leave them, until the run's time is over
        resource.RLIMIT_CPU: limits.cpu,
        resource.RLIMIT_NPROC: limits.processes,
        resource.RLIMIT_NOFILE: limits.files,
        resource.RLIMIT_FSIZE: limits.file_size * MEGABYTE,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_MEMLOCK: 0,
        resource.RLIMIT_MSGQUEUE: 0,
    }
    for kind, value in most.items():
        _, hard = resource.getrlimit(kind)
        # who started us may be limited already
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (value, value))
