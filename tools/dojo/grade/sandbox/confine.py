"""How a freshly forked child shuts itself in, and what it may use at most.

It runs inside bubblewrap already, as the first process of a PID namespace of its own.
"""

import os
import struct
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from dojo.grade.sandbox import seccomp, syscalls

MEGABYTE = 1024 * 1024
SUBMISSION = "/submission"  # where the kata's file lies, read-only
SCRATCH = "/sandbox"  # for temporary files; not /tmp, below which Python or this repository may lie
SHARED_MEMORY = "/dev/shm"
WRITABLE = (SCRATCH, SHARED_MEMORY, "/dev/null", "/dev/full")
USER = 1000  # inside; nobody in particular
SECONDS_TO_SAY_SO = 2

_PLAIN = syscalls.MS_NOSUID | syscalls.MS_NODEV

# Landlock's rights on files, as bits
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_TRUNCATE, _IOCTL_DEV = 1 << 14, 1 << 15
_READ = _EXECUTE | _READ_FILE | _READ_DIR
_ON_A_FILE = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEV
_MAKE_DEVICES = 1 << 6 | 1 << 11  # character and block devices
_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}  # version → how many rights on files it knows
_TCP = 0b11  # bind, connect; from version 4 on
_SCOPES = 0b11  # abstract sockets and signals of others; from version 6 on


@dataclass(frozen=True)
class RunLimits:
    """Limits of one run in the sandbox, but for the wall clock, which the caller keeps outside.

    Attributes:
        memory: MB beyond what the run begins with: for each of its processes, and all together.
        cpu: seconds of processor time for each process.
        processes: of the run at a time, threads counted.
        files: open at a time in a process.
        file_size: MB of the largest file; what a run prints is one, on a disk of ours.
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

    def apply(self) -> None:
        """Set the limits of this process; those that it starts inherit them."""
        import resource  # absent on Windows, where these limits are still read

        pages = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[0])
        limits = {
            resource.RLIMIT_AS: pages * resource.getpagesize() + self.memory * MEGABYTE,
            # many take more together: what others leave them, until the run's time is over
            resource.RLIMIT_CPU: self.cpu,
            resource.RLIMIT_NPROC: self.processes,
            resource.RLIMIT_NOFILE: self.files,
            resource.RLIMIT_FSIZE: self.file_size * MEGABYTE,
            resource.RLIMIT_CORE: 0,
            resource.RLIMIT_MEMLOCK: 0,
            resource.RLIMIT_MSGQUEUE: 0,
        }
        for kind, value in limits.items():
            _, hard = resource.getrlimit(kind)
            # our own parent may be limited already
            value = value if hard == resource.RLIM_INFINITY else min(value, hard)
            # ended at first by the signal that says why
            most = value + SECONDS_TO_SAY_SO if kind == resource.RLIMIT_CPU else value
            resource.setrlimit(kind, (value, most if hard == resource.RLIM_INFINITY else value))


def confine(files: dict[str, bytes], limits: RunLimits, user: int) -> None:
    """Take all steps; Landlock and seccomp only where the kernel has them. Raises OSError.

    Args:
        user: whose run it is, by the number in the host's namespace.
    """
    own_view(files, limits, user)
    with suppress(OSError):  # the first to go when the machine runs out of memory
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="utf-8")
    give_up_rights(user)
    os.setsid()
    restrict_files(WRITABLE)
    limits.apply()
    seccomp.install()


def keep_only(descriptors: Collection[int]) -> None:
    """Close all other descriptors: those of the warm process are not for the code under test."""
    lowest = 0
    for descriptor in sorted(descriptors):
        if descriptor > lowest:  # an empty range at 0 would close everything
            os.closerange(lowest, descriptor)
        lowest = descriptor + 1
    os.closerange(lowest, os.sysconf("SC_OPEN_MAX"))


def own_view(files: dict[str, bytes], limits: RunLimits, user: int) -> None:
    """Enter new namespaces, where all files are read-only but temporary ones, with these files."""
    syscalls.unshare(syscalls.CLONE_VIEW)
    syscalls.mount("", "/", flags=syscalls.MS_REC | syscalls.MS_PRIVATE)
    size = f"size={limits.space}m,nr_inodes={limits.inodes}"
    for folder in (SCRATCH, SHARED_MEMORY):
        syscalls.mount("tmpfs", folder, "tmpfs", _PLAIN, f"{size},mode=0700,uid={user},gid={user}")
    syscalls.mount("tmpfs", SUBMISSION, "tmpfs", _PLAIN, "size=16m,nr_inodes=100,mode=0755")
    syscalls.mount("proc", "/proc", "proc", _PLAIN | syscalls.MS_NOEXEC)
    # mapped, it is memory that counts as held by no process
    syscalls.mount("/dev/null", "/dev/zero", flags=syscalls.MS_BIND)
    for name, content in files.items():
        (Path(SUBMISSION) / name).write_bytes(content)
    syscalls.mount("", SUBMISSION, flags=syscalls.MS_REMOUNT | syscalls.MS_RDONLY | _PLAIN)


def give_up_rights(user: int) -> None:
    """Become this user, enter a new user namespace and drop all capabilities: nothing of the above
    can be undone.
    """
    if user:
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
        syscalls.own_process()
    syscalls.unshare(syscalls.CLONE_NEWUSER)
    Path("/proc/self/setgroups").write_text("deny", encoding="utf-8")
    Path("/proc/self/uid_map").write_text(f"{USER} {user} 1", encoding="utf-8")
    Path("/proc/self/gid_map").write_text(f"{USER} {user} 1", encoding="utf-8")
    syscalls.drop_capabilities()
    syscalls.no_new_privileges()


def restrict_files(writable: Sequence[str]) -> int:
    """Landlock, a second wall behind the mounts: this process and all that it starts can read what
    they see, write only below these paths, use no TCP and signal nobody outside. Returns the
    version of Landlock; 0 where the kernel has none, and nothing was restricted.
    """
    version = syscalls.landlock_version()
    if not version:
        return 0
    rights = known_rights(version)
    ruleset = syscalls.landlock_ruleset(ruleset_attributes(version))
    try:
        allowed_at = {"/": _READ} | dict.fromkeys(writable, rights & ~_MAKE_DEVICES)
        for path, allowed in allowed_at.items():
            with suppress(FileNotFoundError):
                opened = os.open(path, os.O_PATH | os.O_CLOEXEC)
                try:
                    allowed &= rights if Path(path).is_dir() else rights & _ON_A_FILE
                    syscalls.landlock_allow(ruleset, allowed, opened)
                finally:
                    os.close(opened)
        syscalls.no_new_privileges()
        syscalls.landlock_restrict(ruleset)
    finally:
        os.close(ruleset)
    return version


def known_rights(version: int) -> int:
    """All rights on files that a version of Landlock knows, as bits."""
    return (1 << _RIGHTS.get(version, _RIGHTS[5])) - 1


def ruleset_attributes(version: int) -> bytes:
    """The struct landlock_ruleset_attr of a version: what a ruleset restricts."""
    fields = [known_rights(version)]
    fields += [_TCP] if version >= 4 else []
    fields += [_SCOPES] if version >= 6 else []
    return struct.pack(f"={len(fields)}Q", *fields)
