"""System calls of Linux that Python 3.11 lacks, by ctypes. Like Python's own they raise OSError."""

import ctypes
import errno
import os
import platform
import struct
import sys
from typing import Any

CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS = 0x00020000, 0x02000000, 0x04000000
CLONE_NEWIPC, CLONE_NEWUSER = 0x08000000, 0x10000000
CLONE_NEWPID, CLONE_NEWNET = 0x20000000, 0x40000000
# what a run enters besides its PID and user namespaces
CLONE_VIEW = CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWCGROUP
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT, MS_BIND = 0x1, 0x2, 0x4, 0x8, 0x20, 0x1000
MS_REC, MS_PRIVATE = 0x4000, 0x40000

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_SECCOMP, _PR_CAPBSET_DROP = 1, 4, 22, 24
_PR_SET_NO_NEW_PRIVS, _PR_CAP_AMBIENT = 38, 47
_PR_CAP_AMBIENT_CLEAR_ALL, _SECCOMP_MODE_FILTER = 4, 2
# the same number on every architecture
_LANDLOCK_CREATE, _LANDLOCK_ADD, _LANDLOCK_RESTRICT = 444, 445, 446
_LANDLOCK_ASK_VERSION, _LANDLOCK_PATH_BENEATH = 1, 1
_CAPSET = {"x86_64": 126, "aarch64": 91}
_CAPABILITY_VERSION = 0x20080522
_HIGHEST_CAPABILITY = 63  # of what a capability set can name; the kernel knows fewer

# elsewhere it is imported, not used; Any: ctypes finds its functions by name
_libc: Any = ctypes.CDLL(None, use_errno=True) if sys.platform.startswith("linux") else None


def unshare(flags: int) -> None:
    _check(_libc.unshare(ctypes.c_int(flags)), "unshare")


def setns(descriptor: int) -> None:
    _check(_libc.setns(ctypes.c_int(descriptor), 0), "setns")


def mount(source: str, target: str, kind: str = "", flags: int = 0, options: str = "") -> None:
    result = _libc.mount(
        source.encode(), target.encode(), kind.encode(), ctypes.c_ulong(flags), options.encode()
    )
    _check(result, f"mount {target}")


def end_with_parent(signal: int) -> None:
    """The system sends this signal when the thread that started this process ends."""
    _prctl(_PR_SET_PDEATHSIG, signal)


def no_new_privileges() -> None:
    """No program started from now on gains rights, such as by a setuid bit."""
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)


def own_process() -> None:
    """Make what /proc shows of this process its user's own again, after a change of user."""
    _prctl(_PR_SET_DUMPABLE, 1)


def drop_capabilities() -> None:
    """Give up all capabilities for good: no program started from here gets them back."""
    for number in range(_HIGHEST_CAPABILITY + 1):
        try:
            _prctl(_PR_CAPBSET_DROP, number)
        except OSError as error:
            if error.errno != errno.EINVAL:  # the kernel knows none of this number
                raise
    _prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL)
    header, nothing = struct.pack("=Ii", _CAPABILITY_VERSION, 0), bytes(24)
    _check(_syscall(_CAPSET[platform.machine()], header, nothing), "capset")


def landlock_version() -> int:
    """The version of Landlock's interface; 0 where the kernel has none, or it is switched off."""
    return max(_syscall(_LANDLOCK_CREATE, None, ctypes.c_size_t(0), _LANDLOCK_ASK_VERSION), 0)


def landlock_ruleset(attributes: bytes) -> int:
    """Make a set of rules, and return its descriptor."""
    result = _syscall(_LANDLOCK_CREATE, attributes, ctypes.c_size_t(len(attributes)), 0)
    return _check(result, "landlock_create_ruleset")


def landlock_allow(ruleset: int, rights: int, path: int) -> None:
    """Allow these rights at and below an open path."""
    rule = struct.pack("=Qi", rights, path)
    result = _syscall(_LANDLOCK_ADD, ruleset, _LANDLOCK_PATH_BENEATH, rule, 0)
    _check(result, "landlock_add_rule")


def landlock_restrict(ruleset: int) -> None:
    """Put a set of rules into force, for this process and all that it starts."""
    _check(_syscall(_LANDLOCK_RESTRICT, ruleset, 0), "landlock_restrict_self")


def filter_system_calls(program: bytes) -> None:
    """Install a seccomp filter: instructions of 8 bytes each."""

    class Program(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p)]

    filter_ = Program(len(program) // 8, program)
    result = _libc.prctl(
        _PR_SET_SECCOMP, ctypes.c_ulong(_SECCOMP_MODE_FILTER), ctypes.byref(filter_), 0, 0
    )
    _check(result, "seccomp")


def _prctl(option: int, argument: int) -> None:
    result = _libc.prctl(option, *(ctypes.c_ulong(value) for value in (argument, 0, 0, 0)))
    _check(result, f"prctl {option}")


def _syscall(number: int, *arguments: object) -> int:
    return int(_libc.syscall(ctypes.c_long(number), *arguments))


def _check(result: int, what: str) -> int:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")
    return result
