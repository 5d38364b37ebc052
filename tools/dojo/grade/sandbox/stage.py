"""For grading that root started: mounts what the sandbox will show, becomes nobody, and starts
bubblewrap as that user.

Code under test must not run as root, not even inside. Yet Python or the checkout may lie in a
folder that only root can enter; so each part of the view is first mounted where everyone can reach
it, in a mount namespace of this process alone.
"""

import os
import signal
import sys
from pathlib import Path

from dojo.grade.sandbox import syscalls

STAGE = "/tmp"  # hidden by a tmpfs, for this process and what it starts
NOBODY = 65534


def path(number: int) -> str:
    """The path at which the source of that number is mounted."""
    return f"{STAGE}/{number}"


def main(sources: list[str], command: list[str]) -> None:
    """Replace this process by the command, which finds each source at its path()."""
    try:
        gather(sources)
    except PermissionError as error:
        sys.exit(
            f"root may not mount anything here ({error}), so no sandbox can be made: in a"
            " container, allow it (--cap-add SYS_ADMIN --security-opt seccomp=unconfined"
            " --security-opt apparmor=unconfined)."
        )
    if is_real_root(Path("/proc/self/uid_map").read_text(encoding="utf-8")):
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
    for number, source in enumerate(sources):
        access = os.R_OK | (os.X_OK if Path(path(number)).is_dir() else 0)
        if not os.access(path(number), access):
            sys.exit(
                f"{source} can be read by its owner alone, and code under test runs as nobody:"
                f" allow others to read it (chmod -R o+rX {source}), or start grading as an"
                " ordinary user."
            )
    syscalls.end_with_parent(signal.SIGKILL)  # only now: a change of user takes it back
    os.execvp(command[0], command)


def is_real_root(users: str) -> bool:
    """True unless root is an ordinary user by another name; `users` is its namespace's table."""
    ranges = [tuple(map(int, line.split())) for line in users.splitlines()]
    return any(first <= NOBODY < first + count for first, _, count in ranges)


def gather(sources: list[str]) -> None:
    """Mount each source at its path(), seen by this process and what it starts alone."""
    syscalls.unshare(syscalls.CLONE_NEWNS)
    syscalls.mount("", "/", flags=syscalls.MS_REC | syscalls.MS_PRIVATE)
    # before STAGE hides what may lie below it
    opened = [os.open(source, os.O_PATH) for source in sources]
    flags = syscalls.MS_NOSUID | syscalls.MS_NODEV
    syscalls.mount("tmpfs", STAGE, "tmpfs", flags, "mode=0755,size=1m")
    for number, descriptor in enumerate(opened):
        source = f"/proc/self/fd/{descriptor}"
        if Path(source).is_dir():
            Path(path(number)).mkdir()
        else:
            Path(path(number)).touch()
        syscalls.mount(source, path(number), flags=syscalls.MS_BIND | syscalls.MS_REC)
        os.close(descriptor)
