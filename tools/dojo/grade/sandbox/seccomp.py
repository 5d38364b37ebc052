"""A filter of system calls: what no kata needs is refused, so that fewer of the kernel's faults can
be reached.

It is a program for the kernel's small machine, eight bytes an instruction: (code, jump if so, jump
if not, number).
"""

import errno
import platform
import struct

from dojo.grade.sandbox import syscalls

# name: (number on x86_64, number on aarch64); None where there is no such call
# fmt: off
REFUSED: dict[str, tuple[int | None, int | None]] = {
    # look into other processes
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271),
    "process_madvise": (440, 440), "pidfd_getfd": (438, 438), "kcmp": (312, 272),
    "perf_event_open": (298, 241),
    # change the view of the files, or leave it
    "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51),
    "move_mount": (429, 429), "open_tree": (428, 428), "fsopen": (430, 430), "fsconfig": (431, 431),
    "fsmount": (432, 432), "fspick": (433, 433), "mount_setattr": (442, 442),
    "name_to_handle_at": (303, 264), "open_by_handle_at": (304, 265), "unshare": (272, 97),
    "setns": (308, 268),
    # memory that no limit on files or processes counts
    "memfd_create": (319, 279), "memfd_secret": (447, 447), "shmget": (29, 194), "shmat": (30, 196),
    "semget": (64, 190), "msgget": (68, 186), "mq_open": (240, 180), "add_key": (248, 217),
    "request_key": (249, 218), "keyctl": (250, 219),
    # a share of the processors for each of its processes: many kernels share them out by sessions
    "setsid": (112, 157),
    # wide doors into the kernel
    "bpf": (321, 280), "userfaultfd": (323, 282), "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426), "io_uring_register": (427, 427), "fanotify_init": (300, 262),
    "personality": (135, 92), "modify_ldt": (154, None), "iopl": (172, None), "ioperm": (173, None),
    "uselib": (134, None),
    # the machine itself
    "kexec_load": (246, 104), "kexec_file_load": (320, 294), "init_module": (175, 105),
    "finit_module": (313, 273), "delete_module": (176, 106), "reboot": (169, 142),
    "swapon": (167, 224), "swapoff": (168, 225), "acct": (163, 89), "syslog": (103, 116),
    "quotactl": (179, 60), "quotactl_fd": (443, 443), "sethostname": (170, 161),
    "setdomainname": (171, 162), "settimeofday": (164, 170), "clock_settime": (227, 112),
    "vhangup": (153, 58),
}
# fmt: on
CLONE, CLONE3, SOCKET, MMAP = (56, 220), (435, 435), (41, 198), (9, 222)
# a call younger than this list may open any door: it looks as if the kernel did not have it
NEWEST = 462

# column above, the kernel's name for it
_ARCHITECTURES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
_X32 = 0x40000000  # from here on, x86_64 has a second set of numbers for the same calls
_AF_UNIX = 1
_MAP_SHARED, _MAP_ANONYMOUS = 0x01, 0x20
_NAMESPACES = syscalls.CLONE_VIEW | syscalls.CLONE_NEWUSER | syscalls.CLONE_NEWPID

_LOAD, _IF_EQUAL, _IF_GREATER, _IF_ANY_BIT, _RETURN = 0x20, 0x15, 0x25, 0x45, 0x06
# In what the kernel gives the program to look at:
_AT_NUMBER, _AT_ARCHITECTURE, _AT_FIRST_ARGUMENT, _AT_FOURTH_ARGUMENT = 0, 4, 16, 40
_ALLOWED, _REFUSE = (_RETURN, 0, 0, 0x7FFF0000), 0x00050000
_Code = list[tuple[int, int, int, int]]


def program(machine: str) -> bytes | None:
    """The filter for a machine as platform.machine() names it; None if its numbers are unknown."""
    if machine not in _ARCHITECTURES:
        return None
    column, architecture = _ARCHITECTURES[machine]
    code: _Code = [
        (_LOAD, 0, 0, _AT_ARCHITECTURE),
        *_unless(_IF_EQUAL, architecture, _refuse(errno.EPERM)),
        (_LOAD, 0, 0, _AT_NUMBER),
        *_when(_IF_GREATER, _X32 - 1, _refuse(errno.EPERM)),
        *_when(_IF_GREATER, NEWEST, _refuse(errno.ENOSYS)),
        # its flags can't be seen; the C library then uses clone
        *_when(_IF_EQUAL, CLONE3[column], _refuse(errno.ENOSYS)),
    ]
    for numbers in REFUSED.values():
        if (number := numbers[column]) is not None:
            code += _when(_IF_EQUAL, number, _refuse(errno.EPERM))
    argument = (_LOAD, 0, 0, _AT_FIRST_ARGUMENT)
    clone = [argument, *_when(_IF_ANY_BIT, _NAMESPACES, _refuse(errno.EPERM)), _ALLOWED]
    socket = [argument, *_unless(_IF_EQUAL, _AF_UNIX, _refuse(errno.EACCES)), _ALLOWED]
    # Memory to share, in no file: it stays when the process that filled it holds it no more, and is
    # nobody's then.
    nameless = _when(_IF_ANY_BIT, _MAP_ANONYMOUS, _refuse(errno.EPERM))
    flags = (_LOAD, 0, 0, _AT_FOURTH_ARGUMENT)
    mmap = [flags, *_when(_IF_ANY_BIT, _MAP_SHARED, nameless), _ALLOWED]
    for call, then in ((CLONE, clone), (SOCKET, socket), (MMAP, mmap)):
        code += _when(_IF_EQUAL, call[column], then)
    code.append(_ALLOWED)
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


def _refuse(code: int) -> _Code:
    return [(_RETURN, 0, 0, _REFUSE | code)]


def _when(test: int, value: int, then: _Code) -> _Code:
    return [(test, 0, len(then), value), *then]


def _unless(test: int, value: int, then: _Code) -> _Code:
    return [(test, len(then), 0, value), *then]
