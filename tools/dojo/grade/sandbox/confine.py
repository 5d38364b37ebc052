"""How a freshly forked child shuts itself in.

It runs inside bubblewrap already, as the first process of a PID namespace of its own.
"""

import os
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from dojo.grade.sandbox import landlock, limits, seccomp, syscalls
from dojo.grade.sandbox.limits import Limits

SUBMISSION = "/submission"  # where the kata's file lies, read-only
SCRATCH = "/sandbox"  # for temporary files; not /tmp, below which Python or this repository may lie
SHARED_MEMORY = "/dev/shm"
WRITABLE = (SCRATCH, SHARED_MEMORY, "/dev/null", "/dev/full")
USER = 1000  # inside; nobody in particular

_OWN = (
    syscalls.CLONE_NEWNS
    | syscalls.CLONE_NEWIPC
    | syscalls.CLONE_NEWNET
    | syscalls.CLONE_NEWUTS
    | syscalls.CLONE_NEWCGROUP
)
_PLAIN = syscalls.MS_NOSUID | syscalls.MS_NODEV


def keep_only(descriptors: Collection[int]) -> None:
    """Close all others: what the host holds is not for the code under test."""
    lowest = 0
    for descriptor in sorted(descriptors):
        if descriptor > lowest:  # an empty range at 0 would close everything
            os.closerange(lowest, descriptor)
        lowest = descriptor + 1
    os.closerange(lowest, os.sysconf("SC_OPEN_MAX"))


def own_view(files: dict[str, bytes], most: Limits) -> None:
    """Namespaces of its own; all files read-only but for an empty folder for temporary ones, and
    the kata's file.
    """
    syscalls.unshare(_OWN)
    syscalls.mount("", "/", flags=syscalls.MS_REC | syscalls.MS_PRIVATE)
    size = f"size={most.space}m,nr_inodes={most.inodes}"
    syscalls.mount("tmpfs", SCRATCH, "tmpfs", _PLAIN, f"{size},mode=0700")
    syscalls.mount("tmpfs", SHARED_MEMORY, "tmpfs", _PLAIN, f"{size},mode=0700")
    syscalls.mount("tmpfs", SUBMISSION, "tmpfs", _PLAIN, "size=16m,nr_inodes=100,mode=0755")
    syscalls.mount("proc", "/proc", "proc", _PLAIN | syscalls.MS_NOEXEC)
    # mapped, it is memory that no process is said to hold
    syscalls.mount("/dev/null", "/dev/zero", flags=syscalls.MS_BIND)
    for name, content in files.items():
        (Path(SUBMISSION) / name).write_bytes(content)
    syscalls.mount("", SUBMISSION, flags=syscalls.MS_REMOUNT | syscalls.MS_RDONLY | _PLAIN)


def give_up_rights() -> None:
    """A user namespace of its own, and no capability in it: nothing of the above can be undone."""
    user, group = os.getuid(), os.getgid()
    syscalls.unshare(syscalls.CLONE_NEWUSER)
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{USER} {user} 1")
    Path("/proc/self/gid_map").write_text(f"{USER} {group} 1")
    syscalls.drop_capabilities()
    syscalls.no_new_privileges()


def confine(files: dict[str, bytes], most: Limits) -> None:
    """All of it. What the kernel has not got, Landlock or seccomp, is left out; anything else that
    fails raises OSError.
    """
    own_view(files, most)
    with suppress(OSError):  # the first to go when the machine runs out of memory
        Path("/proc/self/oom_score_adj").write_text("1000")
    give_up_rights()
    os.setsid()
    landlock.restrict(WRITABLE)
    limits.apply(most)
    seccomp.install()
