"""A filter of system calls: a run is given what Python, torch on the CPU and their libraries use,
and no other door into the kernel. What is not listed looks as if the kernel did not have it, which
libraries are prepared for.

It is a program for the kernel's small machine, eight bytes an instruction: (code, jump if so, jump
if not, number).

Left out on purpose: what looks into other processes or changes the view of the files; memory that
no limit counts (memfd_create, shmget, vmsplice, tee, splice, sendfile); what tells one run what
another does with a file that both see (inotify, fadvise64, readahead, cachestat, mincore, preadv2,
flock, leases, F_GETLK); a session of its own (many kernels share out the processors by sessions).
"""

import errno
import platform
import struct
from collections.abc import Sequence
from typing import NamedTuple

from dojo.grade.sandbox import syscalls

# name: (number on x86_64, number on aarch64); None where there is no such call
_Numbers = tuple[int | None, int | None]
# fmt: off
ALLOWED: dict[str, _Numbers] = {
    # files
    "read": (0, 63), "write": (1, 64), "open": (2, None), "openat": (257, 56), "close": (3, 57),
    "close_range": (436, 436), "lseek": (8, 62), "pread64": (17, 67), "pwrite64": (18, 68),
    "readv": (19, 65), "writev": (20, 66), "preadv": (295, 69), "pwritev": (296, 70),
    "stat": (4, None), "fstat": (5, 80), "lstat": (6, None), "newfstatat": (262, 79),
    "statx": (332, 291), "statfs": (137, 43), "fstatfs": (138, 44), "access": (21, None),
    "faccessat": (269, 48), "faccessat2": (439, 439), "readlink": (89, None),
    "readlinkat": (267, 78), "getdents": (78, None), "getdents64": (217, 61), "getcwd": (79, 17),
    "chdir": (80, 49), "fchdir": (81, 50), "mkdir": (83, None), "mkdirat": (258, 34),
    "rmdir": (84, None), "unlink": (87, None), "unlinkat": (263, 35), "rename": (82, None),
    "renameat": (264, 38), "renameat2": (316, 276), "link": (86, None), "linkat": (265, 37),
    "symlink": (88, None), "symlinkat": (266, 36), "mknod": (133, None), "mknodat": (259, 33),
    "chmod": (90, None), "fchmod": (91, 52), "fchmodat": (268, 53), "fchmodat2": (452, 452),
    "truncate": (76, 45), "ftruncate": (77, 46), "fallocate": (285, 47), "fsync": (74, 82),
    "fdatasync": (75, 83), "umask": (95, 166), "utime": (132, None), "utimes": (235, None),
    "futimesat": (261, None), "utimensat": (280, 88), "getxattr": (191, 8), "lgetxattr": (192, 9),
    "fgetxattr": (193, 10), "listxattr": (194, 11), "llistxattr": (195, 12),
    "flistxattr": (196, 13), "dup": (32, 23), "dup2": (33, None), "dup3": (292, 24),
    "pipe": (22, None), "pipe2": (293, 59),
    # waiting
    "poll": (7, None), "ppoll": (271, 73), "select": (23, None), "pselect6": (270, 72),
    "epoll_create": (213, None), "epoll_create1": (291, 20), "epoll_ctl": (233, 21),
    "epoll_wait": (232, None), "epoll_pwait": (281, 22), "epoll_pwait2": (441, 441),
    "eventfd": (284, None), "eventfd2": (290, 19), "signalfd": (282, None), "signalfd4": (289, 74),
    "timerfd_create": (283, 85), "timerfd_settime": (286, 86), "timerfd_gettime": (287, 87),
    "nanosleep": (35, 101), "clock_nanosleep": (230, 115), "pause": (34, None),
    "restart_syscall": (219, 128),
    # memory
    "brk": (12, 214), "munmap": (11, 215), "mremap": (25, 216), "mprotect": (10, 226),
    "msync": (26, 227),
    # processes
    "fork": (57, None), "vfork": (58, None), "execve": (59, 221), "exit": (60, 93),
    "exit_group": (231, 94), "wait4": (61, 260), "waitid": (247, 95), "getpid": (39, 172),
    "getppid": (110, 173), "gettid": (186, 178), "getpgid": (121, 155), "getpgrp": (111, None),
    "getsid": (124, 156), "setpgid": (109, 154), "getuid": (102, 174), "geteuid": (107, 175),
    "getgid": (104, 176), "getegid": (108, 177), "getresuid": (118, 148), "getresgid": (120, 150),
    "getgroups": (115, 158), "capget": (125, 90), "getrusage": (98, 165), "getpriority": (140, 141),
    "setpriority": (141, 140), "getrlimit": (97, 163), "setrlimit": (160, 164),
    "prlimit64": (302, 261), "uname": (63, 160), "sysinfo": (99, 179), "times": (100, 153),
    "pidfd_open": (434, 434), "pidfd_send_signal": (424, 424),
    # threads
    "futex": (202, 98), "futex_waitv": (449, 449), "set_robust_list": (273, 99), "rseq": (334, 293),
    "set_tid_address": (218, 96), "arch_prctl": (158, None), "membarrier": (324, 283),
    "sched_yield": (24, 124), "sched_getaffinity": (204, 123), "sched_setaffinity": (203, 122),
    "sched_getparam": (143, 121), "sched_getscheduler": (145, 120),
    "sched_get_priority_max": (146, 125), "sched_get_priority_min": (147, 126),
    "getcpu": (309, 168),
    # signals
    "kill": (62, 129), "tkill": (200, 130), "tgkill": (234, 131), "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135), "rt_sigreturn": (15, 139), "rt_sigpending": (127, 136),
    "rt_sigsuspend": (130, 133), "rt_sigtimedwait": (128, 137), "rt_sigqueueinfo": (129, 138),
    "sigaltstack": (131, 132),
    # time and chance
    "time": (201, None), "gettimeofday": (96, 169), "clock_gettime": (228, 113),
    "clock_getres": (229, 114), "alarm": (37, None), "getitimer": (36, 102), "setitimer": (38, 103),
    "timer_create": (222, 107), "timer_settime": (223, 110), "timer_gettime": (224, 108),
    "timer_getoverrun": (225, 109), "timer_delete": (226, 111), "getrandom": (318, 278),
    # local sockets
    "socketpair": (53, 199), "bind": (49, 200), "listen": (50, 201), "accept": (43, 202),
    "accept4": (288, 242), "connect": (42, 203), "shutdown": (48, 210), "getsockname": (51, 204),
    "getpeername": (52, 205), "getsockopt": (55, 209),
}
# fmt: on


class CallRule(NamedTuple):
    """A call that is allowed with some arguments.

    Attributes:
        argument: the number of the one that decides, from 0.
        allowed: its values that are allowed; where there are none, all without `refused` are.
        refused: bits.
        code: of the error otherwise.
    """

    numbers: tuple[int, int]
    argument: int
    allowed: tuple[int, ...] = ()
    refused: int = 0
    code: int = errno.EPERM


_AF_UNIX, _SO_REUSEADDR, _MSG_OOB = 1, 2, 1
_MAP_SHARED, _MAP_ANONYMOUS = 0x01, 0x20
_NAMESPACES = syscalls.CLONE_VIEW | syscalls.CLONE_NEWUSER | syscalls.CLONE_NEWPID
# descriptors and their flags, locks that are set (nobody may ask for those of others)
_FCNTL = (0, 1, 2, 3, 4, 6, 7, 37, 38, 1030, 1032)
# terminals, none of which is there; closing on exec, waiting or not, how much there is to read
_IOCTL = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451, 0x802C542A)
# the signal at the parent's end, names, rights that are there or given up; names of memory
_PRCTL = (1, 2, 3, 15, 16, 23, 38, 39, 0x53564D41)
# how it is read, given back, kept from forks, huge, in no dump; nothing that loads or drops files
_MADVISE = (0, 1, 2, 4, 8, 10, 11, 14, 15, 16, 17, 18, 19)

RULES = {
    "clone": CallRule((56, 220), 0, refused=_NAMESPACES),
    "madvise": CallRule((28, 233), 2, _MADVISE, code=errno.EINVAL),
    "fcntl": CallRule((72, 25), 1, _FCNTL, code=errno.EINVAL),
    "ioctl": CallRule((16, 29), 1, _IOCTL, code=errno.ENOTTY),
    "prctl": CallRule((157, 167), 0, _PRCTL, code=errno.EINVAL),
    "socket": CallRule((41, 198), 0, (_AF_UNIX,), code=errno.EACCES),
    "setsockopt": CallRule((54, 208), 2, (_SO_REUSEADDR,)),  # buffers keep their size
    "landlock_create_ruleset": CallRule(
        (444, 444), 2, (1,), code=errno.ENOSYS
    ),  # what version it is
    # bytes out of their turn: a corner that much is wrong in, and nobody uses
    "sendto": CallRule((44, 206), 3, refused=_MSG_OOB),
    "recvfrom": CallRule((45, 207), 3, refused=_MSG_OOB),
    "sendmsg": CallRule((46, 211), 2, refused=_MSG_OOB),
    "recvmsg": CallRule((47, 212), 2, refused=_MSG_OOB),
}
MMAP = (9, 222)

# column above, the kernel's name for it
_ARCHITECTURES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
_LOAD, _IF_EQUAL, _IF_ANY_BIT, _RETURN = 0x20, 0x15, 0x45, 0x06
# in what the kernel gives the program to look at; of an argument it's the lower half
_AT_NUMBER, _AT_ARCHITECTURE, _AT_ARGUMENTS, _SIZE = 0, 4, 16, 8
_ALLOW, _REFUSE = (_RETURN, 0, 0, 0x7FFF0000), 0x00050000
_Code = list[tuple[int, int, int, int]]


def program(machine: str) -> bytes | None:
    """The filter for a machine as platform.machine() names it; None if its numbers are unknown."""
    if machine not in _ARCHITECTURES:
        return None
    column, architecture = _ARCHITECTURES[machine]
    code: _Code = [
        (_LOAD, 0, 0, _AT_ARCHITECTURE),
        *_unless(architecture, _refuse(errno.EPERM)),
        (_LOAD, 0, 0, _AT_NUMBER),
    ]
    for rule in RULES.values():
        code += _when(_IF_EQUAL, rule.numbers[column], _obeying(rule))
    code += _when(_IF_EQUAL, MMAP[column], _mmap())
    for numbers in ALLOWED.values():
        if (number := numbers[column]) is not None:
            code += _when(_IF_EQUAL, number, [_ALLOW])
    # clone3 is among them, whose flags can't be seen: the C library then uses clone
    code += _refuse(errno.ENOSYS)
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in code)


def install() -> bool:
    """Filter the system calls of this process and all that it starts. False if that can't be."""
    if (code := program(platform.machine())) is None:
        return False
    syscalls.no_new_privileges()
    try:
        syscalls.filter_system_calls(code)
    except OSError as error:
        if error.errno in (errno.EINVAL, errno.ENOSYS):  # a kernel without it
            return False
        raise
    return True


def _obeying(rule: CallRule) -> _Code:
    code: _Code = [_argument(rule.argument)]
    if rule.refused:
        return [*code, *_when(_IF_ANY_BIT, rule.refused, _refuse(rule.code)), _ALLOW]
    for value in rule.allowed:
        code += _when(_IF_EQUAL, value, [_ALLOW])
    return [*code, *_refuse(rule.code)]


def _mmap() -> _Code:
    """Not memory to share, in no file: it stays when the process that filled it holds it no more,
    and is nobody's then.
    """
    nameless = _when(_IF_ANY_BIT, _MAP_ANONYMOUS, _refuse(errno.EPERM))
    return [_argument(3), *_when(_IF_ANY_BIT, _MAP_SHARED, nameless), _ALLOW]


def _argument(number: int) -> tuple[int, int, int, int]:
    return (_LOAD, 0, 0, _AT_ARGUMENTS + _SIZE * number)


def _refuse(code: int) -> _Code:
    return [(_RETURN, 0, 0, _REFUSE | code)]


def _when(test: int, value: int, then: Sequence[tuple[int, int, int, int]]) -> _Code:
    return [(test, 0, len(then), value), *then]


def _unless(value: int, then: _Code) -> _Code:
    return [(_IF_EQUAL, len(then), 0, value), *then]
