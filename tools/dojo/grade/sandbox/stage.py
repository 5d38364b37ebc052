"""For grading that root started: mounts what the sandbox will show, becomes nobody, and starts
bubblewrap as that user, with users to spare: each run gets one that no other has at the time.

Code under test must not run as root, not even inside. Yet Python or the checkout may lie in a
folder that only root can enter; so each part of the view is first mounted where everyone can reach
it, in a mount namespace of this process alone.
"""

import os
import signal
import sys
from pathlib import Path

from dojo.grade.sandbox import syscalls, view

STAGE = "/tmp"  # hidden by a tmpfs, for this process and what it starts
NOBODY = 65534
# Numbers that no distribution gives to anybody, small enough for containers; a block for each kind
# of sandbox. More runs than a block holds are never at work together.
FIRST_USER, USERS = 60_600, 280


def path(number: int) -> str:
    """The path at which the source of that number is mounted."""
    return f"{STAGE}/{number}"


def main(sources: list[str], command: list[str], block: int) -> None:
    """Replace this process by the command, which finds each source at its path().

    Args:
        command: without what makes the user namespace, which is made here if it can be.
        block: number of the block of users for its runs.
    """
    try:
        gather(sources)
    except PermissionError as error:
        sys.exit(
            f"root may not mount anything here ({error}), so no sandbox can be made: in a"
            " container, allow it (--cap-add SYS_ADMIN --security-opt seccomp=unconfined"
            " --security-opt apparmor=unconfined)."
        )
    users = Path("/proc/self/uid_map").read_text(encoding="utf-8")
    first = FIRST_USER + block * USERS
    if has(users, first) and has(users, first + USERS - 1):
        enter(f"0 {NOBODY} 1\n1 {first} {USERS}\n")
    elif is_real_root(users):
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
        command = view.in_a_user_namespace(command)
    else:
        command = view.in_a_user_namespace(command)
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


def enter(users: str) -> None:
    """Enter a new user namespace with this table, of users and groups alike, as its root."""
    read, write = os.pipe()
    process = os.getpid()
    outside = os.fork()
    if outside == 0:  # who is root here has to write the table
        try:
            os.close(write)
            if os.read(read, 1):
                for table in ("uid_map", "gid_map"):
                    Path(f"/proc/{process}/{table}").write_text(users, encoding="utf-8")
                os._exit(0)
        finally:
            os._exit(1)
    syscalls.unshare(syscalls.CLONE_NEWUSER)
    os.write(write, b"1")
    os.close(write)
    os.close(read)
    if os.waitpid(outside, 0)[1]:
        sys.exit("root may not give the sandbox users of its own here.")
    os.setgroups([])
    os.setresgid(0, 0, 0)
    os.setresuid(0, 0, 0)


def is_real_root(users: str) -> bool:
    """True unless root is an ordinary user by another name; `users` is its namespace's table."""
    return has(users, NOBODY)


def has(users: str, number: int) -> bool:
    """True if a user namespace with this table has a user of this number."""
    ranges = [tuple(map(int, line.split())) for line in users.splitlines()]
    return any(first <= number < first + count for first, _, count in ranges)


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
