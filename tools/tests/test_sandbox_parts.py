"""The sandbox's parts that can be looked at alone: messages, system call filter, Landlock, limits,
reports that are lies.
"""

import errno
import json
import mmap
import os
import re
import socket
import struct
import sys
from pathlib import Path

import msgspec
import pytest

from dojo.catalog import load
from dojo.results import TestResult, decoded
from dojo.suite import report as reports
from dojo.suite.report import Report

if not sys.platform.startswith("linux"):
    pytest.skip("the sandbox needs Linux", allow_module_level=True)

from dojo.grade.sandbox import confine, seccomp
from dojo.processes.channel import Channel

fcntl, termios = map(pytest.importorskip, ("fcntl", "termios"))

# Messages


@pytest.fixture
def ends():
    ours, theirs = socket.socketpair()
    channel = Channel(ours.detach(), most_in_all=1000)
    yield channel, theirs
    channel.close()
    theirs.close()


def packed(message: bytes) -> bytes:
    return struct.pack("!i", len(message)) + message


def test_messages_come_one_by_one(ends):
    channel, theirs = ends
    theirs.send(packed(b"one") + packed(b"") + packed(b"three"))
    assert [channel.recv_bytes() for _ in range(3)] == [b"one", b"", b"three"]
    with pytest.raises(BlockingIOError):
        channel.recv_bytes()


def test_nobody_waits_for_the_rest_of_a_message(ends):
    channel, theirs = ends
    for byte in packed(b"slow"):
        with pytest.raises(BlockingIOError):
            channel.recv_bytes()
        theirs.send(bytes([byte]))
    assert channel.recv_bytes() == b"slow"


def test_waiting_has_an_end(ends):
    channel, theirs = ends
    theirs.send(packed(b"half")[:-2])
    with pytest.raises(TimeoutError):
        channel.receive(0.05)
    theirs.send(b"lf")
    assert channel.receive(1) == b"half"


@pytest.mark.parametrize("length", [101, 2**31 - 1, -1, -2])
def test_a_message_that_is_too_large_is_not_read(ends, length):
    channel, theirs = ends
    theirs.send(struct.pack("!i", length) + b"x" * 200)
    with pytest.raises(ValueError, match="bytes"):
        channel.recv_bytes(100)


def test_all_messages_together_are_limited(ends):
    channel, theirs = ends
    theirs.send(packed(b"x" * 90) * 20)
    with pytest.raises(ValueError, match="more in all"):
        for _ in range(20):
            channel.recv_bytes()


def test_the_end_is_told(ends):
    channel, theirs = ends
    theirs.send(packed(b"last"))
    theirs.close()
    assert channel.recv_bytes() == b"last"
    with pytest.raises(EOFError):
        channel.recv_bytes()


def test_sending_to_one_who_does_not_read_has_an_end(ends):
    channel, _ = ends
    with pytest.raises(TimeoutError):
        channel.send(b"x" * 10_000_000, 0.05)


def test_what_is_sent_can_be_read_as_multiprocessing_reads_it(ends):
    from multiprocessing.connection import Connection

    channel, theirs = ends
    channel.send(b"a question", 1)
    with Connection(theirs.detach()) as other:
        assert other.recv_bytes() == b"a question"
        other.send_bytes(b"an answer")
        assert channel.receive(1) == b"an answer"


# Reports that are lies

TEST = {"id": "a", "task": "model", "name": "test_a", "device": "cpu"}


NO_LISTS = [
    None,
    5,
    "abc",
    {},
    [5],
    [{}],
    [TEST | {"id": []}],
    [TEST | {"more": "x"}],
    [TEST | {"name": "x" * 5000}],
    [TEST | {"id": str(number)} for number in range(20_000)],
]
NO_EVENTS = [
    {"event": "start", "id": None},
    {"event": "start", "id": ["a"]},
    {"event": "start", "id": "a" * 5000},
    {"event": "start"},
    {"event": ["start"], "id": "a"},
    {"event": "pass", "id": "a"},
    {"event": "end", "code": "0"},
    {"event": "loading", "more": 1},
    {"event": "result", "id": "a", "result": ["passed"]},
    5,
]


@pytest.mark.parametrize("tests", NO_LISTS, ids=range(len(NO_LISTS)))
def test_a_list_of_tests_that_is_none_is_refused(tests):
    message = json.dumps([{"event": "collected", "tests": tests}]).encode()
    with pytest.raises(msgspec.MsgspecError):
        reports.decode(message)


@pytest.mark.parametrize("event", NO_EVENTS, ids=str)
def test_an_event_that_is_none_is_refused(event):
    with pytest.raises(msgspec.MsgspecError):
        reports.decode(json.dumps([event]).encode())


@pytest.mark.parametrize("message", [b"", b"{}", b"[NaN]", b"\xff", b"[" * 100_000, b"\x80\x04."])
def test_a_message_that_is_no_list_of_events_is_refused(message):
    with pytest.raises((msgspec.MsgspecError, ValueError, RecursionError)):
        reports.decode(message)


def test_two_tests_of_one_id_are_refused():
    report = Report(load().katas[0])
    with pytest.raises(ValueError):
        report.collected([reports.Test(**TEST)] * 2)
    assert not report.tests
    report.verdict()


def test_a_test_that_nobody_collected_is_refused():
    report = Report(load().katas[0])
    report.collected([reports.Test(**TEST)])
    report.started("a")
    assert report.current == "a"
    with pytest.raises(ValueError):
        report.started("b")


@pytest.mark.parametrize(
    "change",
    [
        {"name": 5},
        {"outcome": "splendid"},
        {"outcome": ["passed"]},
        {"message": {"a": 1}},
        {"seconds": "1"},
        {"seconds": float("nan")},
        {"seconds": 10**400},
        {"measured": [{"mark": "m", "what": "w", "value": "0", "bound": 1, "at_most": True}]},
        {"measured": 5},
        {"more": 1},
    ],
    ids=str,
)
def test_a_result_with_wrong_fields_is_refused(change):
    with pytest.raises((ValueError, TypeError)):
        decoded({"name": "test_a", "outcome": "passed"} | change, TestResult)


# System calls

NUMBERS = {
    "x86_64": (Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"), r"#define __NR_(\w+) (\d+)"),
    "aarch64": (Path("/usr/include/asm-generic/unistd.h"), r"#define __NR(?:3264)?_(\w+) (\d+)"),
}
ARCHITECTURE = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
READ = {"x86_64": 0, "aarch64": 63}
ALLOWED = 0


def verdict_of(program: bytes, architecture: int, number: int, *arguments: int) -> int:
    """The error code that the filter gives a call; runs it as the kernel does."""
    data = struct.pack("=IIQ6Q", number, architecture, 0, *arguments, *[0] * (6 - len(arguments)))
    code = list(struct.iter_unpack("=HBBI", program))
    at, value = 0, 0
    while True:
        operation, if_so, if_not, constant = code[at]
        at += 1
        if operation == 0x20:
            (value,) = struct.unpack_from("=I", data, constant)
        elif operation == 0x06:
            return constant & 0xFFFF if constant >> 16 == 0x0005 else ALLOWED
        else:
            holds = {0x15: value == constant, 0x45: bool(value & constant)}[operation]
            at += if_so if holds else if_not


# number on x86_64, number on aarch64
REFUSED = {
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "mount": (165, 40),
    "unshare": (272, 97),
    "setns": (308, 268),
    "clone3": (435, 435),
    "memfd_create": (319, 279),
    "shmget": (29, 194),
    "bpf": (321, 280),
    "io_uring_setup": (425, 425),
    "userfaultfd": (323, 282),
    "seccomp": (317, 277),
    "setsid": (112, 157),
    "vmsplice": (278, 75),
    "tee": (276, 77),
    "splice": (275, 76),
    "sendfile": (40, 71),
    "inotify_init1": (294, 26),
    "inotify_add_watch": (254, 27),
    "fadvise64": (221, 223),
    "readahead": (187, 213),
    "cachestat": (451, 451),
    "mincore": (27, 232),
    "preadv2": (327, 286),
    "pwritev2": (328, 287),
    "flock": (73, 32),
}
F_GETLK, F_OFD_GETLK, F_SETSIG, F_SETLEASE, F_NOTIFY, F_SETPIPE_SZ = 5, 36, 10, 1024, 1026, 1031
SO_SNDBUF, SO_RCVBUF, SO_ATTACH_FILTER, MSG_OOB = 7, 8, 26, 1
MADV_WILLNEED, MADV_PAGEOUT, MADV_MERGEABLE = 3, 21, 12
FIFREEZE, PR_SET_SECCOMP, PR_SET_DUMPABLE = 0xC0045877, 22, 4


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_the_filter_allows_what_it_lists_and_refuses_the_rest(machine):
    column, program = list(ARCHITECTURE).index(machine), seccomp.program(machine)

    def asked(name: str, *arguments: int) -> int:
        rules = {name: rule.numbers for name, rule in seccomp.RULES.items()}
        known = seccomp.ALLOWED | rules | REFUSED | {"mmap": seccomp.MMAP}
        return verdict_of(program, ARCHITECTURE[machine], known[name][column], *arguments)

    for name, numbers in seccomp.ALLOWED.items():
        assert numbers[column] is None or asked(name) == ALLOWED
    allowed = {numbers[column] for numbers in seccomp.ALLOWED.values()}
    by_rules = {rule.numbers[column] for rule in seccomp.RULES.values()} | {seccomp.MMAP[column]}
    for number in set(range(1000)) - allowed - by_rules:
        assert verdict_of(program, ARCHITECTURE[machine], number) == errno.ENOSYS
    for name in REFUSED:
        assert asked(name) == errno.ENOSYS
    assert asked("clone", 0x11) == asked("clone", 0x3D0F00) == ALLOWED  # a fork, a thread
    for space in (1 << 28, 1 << 17, 1 << 29, 1 << 30, 1 << 25, 1 << 26, 1 << 27):
        assert asked("clone", space | 0x11) == errno.EPERM
    assert asked("socket", socket.AF_UNIX) == ALLOWED
    for family in (socket.AF_INET, socket.AF_INET6, socket.AF_NETLINK, socket.AF_PACKET):
        assert asked("socket", family) == errno.EACCES
    assert asked("setsockopt", 3, socket.SOL_SOCKET, socket.SO_REUSEADDR) == ALLOWED
    for option in (SO_SNDBUF, SO_RCVBUF, SO_ATTACH_FILTER):
        assert asked("setsockopt", 3, socket.SOL_SOCKET, option) == errno.EPERM
    for command in (fcntl.F_SETFD, fcntl.F_SETFL, fcntl.F_SETLK, fcntl.F_DUPFD_CLOEXEC):
        assert asked("fcntl", 3, command) == ALLOWED
    for command in (F_GETLK, F_OFD_GETLK, F_SETSIG, F_SETLEASE, F_NOTIFY, F_SETPIPE_SZ):
        assert asked("fcntl", 3, command) == errno.EINVAL
    for advice in (mmap.MADV_DONTNEED, mmap.MADV_HUGEPAGE):
        assert asked("madvise", 0, 0, advice) == ALLOWED
    for advice in (MADV_WILLNEED, MADV_PAGEOUT, MADV_MERGEABLE):
        assert asked("madvise", 0, 0, advice) == errno.EINVAL
    assert asked("ioctl", 3, termios.TCGETS) == ALLOWED
    assert asked("ioctl", 3, FIFREEZE) == asked("ioctl", 3, termios.TIOCSTI) == errno.ENOTTY
    assert asked("prctl", 15) == ALLOWED  # a name
    assert asked("prctl", PR_SET_SECCOMP) == asked("prctl", PR_SET_DUMPABLE) == errno.EINVAL
    for name, before in (("sendto", 3), ("recvfrom", 3), ("sendmsg", 2), ("recvmsg", 2)):
        assert asked(name) == ALLOWED and asked(name, *[0] * before, MSG_OOB) == errno.EPERM
    for flags in (mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, mmap.MAP_SHARED):
        assert asked("mmap", 0, 0, 0, flags) == ALLOWED
    # the latter is MAP_SHARED_VALIDATE
    for shared in (mmap.MAP_SHARED, mmap.MAP_SHARED | mmap.MAP_PRIVATE):
        assert asked("mmap", 0, 0, 0, shared | mmap.MAP_ANONYMOUS) == errno.EPERM
    # the second set of numbers of x86_64, and the calls of 32 bits
    assert verdict_of(program, ARCHITECTURE[machine], READ[machine] | 0x40000000) == errno.ENOSYS
    assert verdict_of(program, 0x40000003, READ[machine]) == errno.EPERM


@pytest.mark.parametrize("machine", list(NUMBERS))
def test_the_numbers_are_the_kernels(machine):
    header, pattern = NUMBERS[machine]
    if not header.exists():
        pytest.skip(f"{header} is not installed")
    column = list(NUMBERS).index(machine)
    known = {name: int(number) for name, number in re.findall(pattern, header.read_text())}
    by_rules = {name: rule.numbers for name, rule in seccomp.RULES.items()}
    listed = seccomp.ALLOWED | by_rules | REFUSED | {"mmap": seccomp.MMAP}
    ours = {
        name: numbers[column] for name, numbers in listed.items() if numbers[column] is not None
    }
    both = ours.keys() & known.keys()
    assert {name: ours[name] for name in both} == {name: known[name] for name in both}
    assert len(both) > 100


def test_another_machine_has_no_filter():
    assert seccomp.program("riscv64") is None


# Landlock


@pytest.mark.parametrize(
    ("version", "size", "rights"),
    [(1, 8, 13), (2, 8, 14), (3, 8, 15), (4, 16, 15), (5, 16, 16), (9, 24, 16)],
)
def test_no_version_of_landlock_is_asked_for_what_it_does_not_know(version, size, rights):
    assert len(confine.ruleset_attributes(version)) == size
    assert confine.known_rights(version).bit_length() == rights


# Descriptors


@pytest.mark.parametrize("kept", [(0, 1, 2), (2, 5, 9)])
def test_only_the_descriptors_named_stay_open(kept):
    child = os.fork()
    if child == 0:
        try:
            for number in range(3, 12):
                os.dup2(1, number)
            confine.keep_only(kept)
            left = [number for number in range(12) if is_open(number)]
            os._exit(0 if left == [number for number in range(12) if number in kept] else 1)
        finally:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True
