"""What all processes of a run take together: memory and processors by the host's own looks, and
control groups.
"""

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from helpers import descendants, first_message, until
from hostile_programs import KATA
from sandboxes import BARE, LIMITS, a_sandbox, job, judge, new_since

from dojo.grade.sandbox import groups, host, launch, usage
from dojo.grade.sandbox.launch import Sandbox


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with a_sandbox() as one:
        yield one


# Memory


HOST, OTHER = 7777, 8888  # where stacks begin
INHERITED = 300


def beyond(*taken: tuple[int, int]) -> int:
    """What a run takes beyond what it shares with its host, 2.

    Args:
        taken: memory and stack of each of its processes.
    """
    there = {
        1: usage.ProcessUsage(0, 10),
        2: usage.ProcessUsage(1, INHERITED, 1, HOST),
        3: usage.ProcessUsage(1, 9000, 1, HOST),
    }
    for number, (memory, stack) in enumerate(taken, 4):
        there[number] = usage.ProcessUsage(number - 1 if number > 4 else 2, memory, 2, stack)
    run = usage.members(there, first=4)
    assert len(run) == len(taken) and usage.threads(there, run) == 2 * len(taken)
    return usage.memory_beyond(there, run, warm=2)


def test_memory_is_that_of_all_processes_below():
    assert beyond((350, HOST), (500, HOST), (290, HOST)) == 250
    assert usage.members({1: usage.ProcessUsage(0, 10)}, first=9) == set()


def test_nothing_is_free_for_a_program_that_was_started_anew():
    assert beyond((310, HOST), (90, OTHER), (400, OTHER)) == 10 + 90 + 400


def test_what_is_shared_is_free_for_a_few_processes_only():
    most = usage.MOST_THAT_SHARE
    assert beyond(*[(INHERITED + 1, HOST)] * most) == most
    assert beyond(*[(INHERITED + 1, HOST)] * most, *[(200, HOST)] * 3) == most + 600


@contextlib.contextmanager
def forked(code: str) -> Iterator[int]:
    """A fork of this process that runs the code, which calls `say()`."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.set_inheritable(write, True)
            exec(code, {"write": write, "say": lambda: (os.write(write, b"."), time.sleep(60))})
        finally:
            os._exit(0)
    os.close(write)
    try:
        assert os.read(read, 1) == b"."
        yield child
    finally:
        os.close(read)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


HOLDING = "held = bytearray(b'x' * (50 << 20))\n"
SHARING = "import mmap\nheld = mmap.mmap(-1, 50 << 20)\nheld.write(b'x' * (50 << 20))\n"
FIRST_THREAD_ENDS = """
import ctypes, platform, threading
threading.Thread(target=say).start()
ctypes.CDLL(None).syscall({"x86_64": 60, "aarch64": 93}[platform.machine()], 0)
"""
ODDLY_NAMED = r"""
import ctypes
ctypes.CDLL(None).prctl(15, b"\xff) Z 1\n(", 0, 0, 0)
say()
"""
STARTED_ANEW = """
import os, sys
code = f"import os, time; os.write({write}, b'.'); time.sleep(60)"
os.execv(sys.executable, [sys.executable, "-S", "-c", code])
"""


def seen_of(number: int) -> usage.ProcessUsage:
    return until(lambda: (process := usage.processes()[number]).memory and process)


@pytest.mark.parametrize(
    "code",
    ["say()", FIRST_THREAD_ENDS, ODDLY_NAMED],
    ids=["as ever", "when its first thread has ended", "under an odd name"],
)
@pytest.mark.parametrize("hold", [HOLDING, SHARING], ids=["of its own", "to share"])
def test_what_a_process_holds_is_seen(code, hold):
    with forked(code) as little, forked(hold + code) as much:
        if code == FIRST_THREAD_ENDS:
            until(
                lambda: all(
                    "(zombie)" in Path(f"/proc/{number}/status").read_text(encoding="utf-8")
                    for number in (little, much)
                )
            )
        assert 45 << 20 < seen_of(much).memory - seen_of(little).memory < 60 << 20
        assert seen_of(much).parent == os.getpid()


def test_a_fork_is_told_from_a_program_that_was_started_anew():
    own = usage.processes()[os.getpid()]
    assert (
        own.stack
        and own.parent == os.getppid()
        and own.threads == len(list(Path("/proc/self/task").iterdir()))
    )
    with forked("say()") as fork, forked(STARTED_ANEW) as anew:
        assert seen_of(fork).stack == own.stack != seen_of(anew).stack


HONEST = b"""
import os, time
data = bytearray(b"x" * (10 << 20))
for _ in range(8):
    if os.fork() == 0:
        time.sleep(60)
        os._exit(0)
time.sleep(1.5)
raise SystemExit("all are there")
"""


def test_a_run_is_not_ended_for_what_a_few_processes_share_with_the_host(sandbox, monkeypatch):
    monkeypatch.setattr(sandbox, "limits", replace(LIMITS, memory=400))
    (result,) = judge(sandbox, {KATA: HONEST})
    assert "all are there" in first_message(result)


OF_NOBODY = b"""
import mmap, os
zero = os.open("/dev/zero", os.O_RDONLY)
for make in (lambda: mmap.mmap(-1, 4096), lambda: mmap.mmap(zero, 4096, prot=mmap.PROT_READ)):
    try:
        make()
    except OSError:
        continue
    raise SystemExit("has got it")
raise SystemExit("gets none")
"""


def test_no_memory_is_given_that_no_process_is_said_to_hold(sandbox):
    """Shared memory stays when it is held no more by the one that filled it, if another could still
    ask for it.
    """
    if not sandbox.isolation.seccomp:
        pytest.skip("this kernel filters no system calls")
    (result,) = judge(sandbox, {KATA: OF_NOBODY})
    assert "gets none" in first_message(result)


SOCKETS = b"""
import os, socket, time
for _ in range(8):
    if os.fork() == 0:
        break
pairs = []
try:
    while True:
        pairs.append(socket.socketpair())
except OSError:
    time.sleep(600)
"""


def test_what_may_wait_in_sockets_counts_as_memory(sandbox, tmp_path):
    run = sandbox.start(job(tmp_path, SOCKETS), tmp_path / "log")
    until(lambda: run.has_ended)
    assert run.exit_code(0) == -signal.SIGKILL


# Processors

SPIN = b"import os\nfor _ in range(8):\n    if os.fork() == 0:\n        break\n"
SESSION = b"""
import os
read, write = os.pipe()
if os.fork() == 0:
    try:
        os.setsid()
    except OSError:
        os.write(write, b"refused")
    os._exit(0)
os.close(write)
raise SystemExit(os.read(read, 100).decode())
"""


def niceness(process: int) -> int | None:
    with contextlib.suppress(ProcessLookupError):
        return os.getpriority(os.PRIO_PROCESS, process)


@pytest.mark.parametrize(("code", "count"), [(SPIN, 9), (b"", 1)], ids=["a crowd", "a single one"])
def test_a_crowd_of_processes_waits_for_the_others_and_a_single_one_does_not(
    sandbox, tmp_path, code, count
):
    before = descendants(os.getpid())
    run = sandbox.start(job(tmp_path, code + b"while True: pass\n"), tmp_path / "log")
    until(lambda: len(new_since(before)) == count)
    if count > 1:
        until(
            lambda: {niceness(process) for process in new_since(before)} == {usage.LOWEST_PRIORITY}
        )
    else:
        (process,) = new_since(before)
        assert usage.processes()[process].threads <= host.MOST_AT_WORK
        assert niceness(process) == niceness(os.getpid())
    run.close()
    until(lambda: run.has_ended)


def test_no_process_of_a_run_gets_a_session_of_its_own(sandbox):
    if not sandbox.isolation.seccomp:
        pytest.skip("this kernel filters no system calls")
    (result,) = judge(sandbox, {KATA: SESSION})
    assert "refused" in first_message(result)


# Control groups

MOUNTS = "cgroup2 {top} cgroup2 rw 0 0\nproc /proc proc rw 0 0\n"


def a_group(folder: Path, controllers: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "cgroup.subtree_control").write_text(controllers)
    (folder / "cgroup.procs").touch()
    return folder


def test_the_nearest_group_that_gives_memory_is_used(tmp_path):
    mounts = MOUNTS.format(top=tmp_path)
    a_group(tmp_path, "cpu memory pids")
    slice_ = a_group(tmp_path / "user.slice", "memory pids")
    a_group(slice_ / "shell.scope", "")
    own = "0::/user.slice/shell.scope\n"
    assert groups.delegated(mounts, own) == groups.Home(2, (slice_,))
    (slice_ / "cgroup.subtree_control").write_text("pids")
    assert groups.delegated(mounts, own) == groups.Home(2, (tmp_path,))
    (tmp_path / "cgroup.subtree_control").write_text("cpu")
    assert groups.delegated(mounts, own) is None
    assert groups.delegated(mounts, "4:memory:/\n") is None
    assert groups.delegated("proc /proc proc rw 0 0\n", "0::/\n") is None
    assert groups.delegated(mounts, "0::/../outside\n") is None


def test_groups_of_version_1_are_made_below_our_own(tmp_path):
    mounts = "".join(
        f"cgroup {tmp_path / name} cgroup rw,relatime,{name} 0 0\n" for name in ("memory", "pids")
    )
    own = "5:pids:/\n4:memory,hugetlb:/one/two\n0::/\n"
    assert groups.of_version_1(mounts, own) is None
    pids, memory = a_group(tmp_path / "pids", ""), a_group(tmp_path / "memory" / "one" / "two", "")
    a_group(tmp_path / "memory", "")
    assert groups.of_version_1(mounts, own) == groups.Home(1, (memory, pids))
    in_a_container = own.replace("/one/two", "/docker/12ab")  # whose own group is the top here
    assert groups.of_version_1(mounts, in_a_container).parents[0] == tmp_path / "memory"
    assert groups.of_version_1(mounts, "4:memory:/\n") is None
    assert groups.of_version_1("", own) is None
    assert groups.of_version_1(mounts, own.replace("/one", "/..")).parents[0] == tmp_path / "memory"


def test_the_limits_of_a_run_are_those_of_its_group(tmp_path):
    limits = {
        "memory.max": str(100 << 20),
        "memory.limit_in_bytes": str(100 << 20),
        "pids.max": "7",
    }
    home = groups.Home(2, (tmp_path,))
    settings = groups.settings(replace(LIMITS, memory=100, processes=7))
    assert limits.items() <= settings.items()
    groups.Group(home, "without", settings)  # a setting that is not there is not made up
    assert not list((tmp_path / "without").iterdir())


needs_groups = pytest.mark.skipif(groups.find() is None, reason="no control groups can be made")


@needs_groups
def test_a_run_is_in_its_group_and_the_group_goes_with_it(sandbox, tmp_path):
    assert sandbox.isolation.cgroup == groups.find().version
    forks = job(tmp_path, b"import os, time\nos.fork()\ntime.sleep(600)\n")
    run = sandbox.start(forks, tmp_path / "log")
    name = f"{groups.PREFIX}{os.getpid()}-{id(sandbox)}-{run.number}"
    of_run = [parent / name for parent in groups.find().parents]
    for group in of_run:
        until(lambda group=group: len((group / "cgroup.procs").read_text().split()) == 2)
    run.close()
    until(lambda: run.has_ended)
    sandbox.start(forks, tmp_path / "log").close()
    until(lambda: not any(group.exists() for group in of_run))


FILES = b"""
import time
for number in range(20):
    with open(f"/sandbox/{number}", "wb") as file:
        file.write(b"x" * (15 << 20))
time.sleep(600)
"""


@needs_groups
def test_the_kernel_ends_what_takes_more_than_its_group_may(sandbox, monkeypatch, tmp_path):
    """Also what lies in files in memory, which no process holds and the host's looks don't see."""
    monkeypatch.setattr(sandbox, "limits", replace(LIMITS, memory=200, space=400))
    run = sandbox.start(job(tmp_path, FILES), tmp_path / "log")
    until(lambda: run.has_ended)
    assert run.exit_code(0) == -signal.SIGKILL


REWRITES = b"""
import ctypes, os, time
for _ in range(7):
    if os.fork() == 0:
        break
with open("/proc/self/maps") as maps:
    parts = [line.split() for line in maps]
for part in parts:
    if part[1] == "rw-p" and part[4] == "0" and part[-1] in ("0", "[heap]"):
        first, end = (int(number, 16) for number in part[0].split("-"))
        for page in range(first, end, 4096):
            ctypes.memmove(page, page, 1)
time.sleep(600)
"""


@needs_groups
def test_pages_that_forks_have_rewritten_count(sandbox, tmp_path):
    """They look as if they were still shared with the host, which counts none of them."""
    run = sandbox.start(job(tmp_path, REWRITES), tmp_path / "log")
    until(lambda: run.has_ended)
    assert run.exit_code(0) == -signal.SIGKILL


CROWD = b"""
import os, time
for _ in range(8):
    if os.fork() == 0:
        held = bytearray(b"x" * (100 << 20))
        time.sleep(600)
time.sleep(600)
"""


@needs_groups
def test_a_run_ends_as_a_whole_where_the_kernel_ends_one_of_its_processes(
    sandbox, monkeypatch, tmp_path
):
    """The host's own looks are told that there is plenty."""
    monkeypatch.setattr(launch, "MEGABYTE", 1 << 40)
    run = sandbox.start(job(tmp_path, CROWD), tmp_path / "log")
    until(lambda: run.has_ended)
    assert run.exit_code(0) == -signal.SIGKILL


def test_what_a_killed_process_has_left_is_cleared_and_nothing_else(tmp_path):
    home, gone = groups.Home(2, (tmp_path,)), 2**22 + 1  # more than there can be
    for name in (f"torch-katas-{gone}-1-1", f"torch-katas-{os.getpid()}-1-1", "torch-katas-x-1"):
        (tmp_path / name).mkdir()
    groups.clear(home)
    assert {path.name for path in tmp_path.iterdir()} == {
        f"torch-katas-{os.getpid()}-1-1",
        "torch-katas-x-1",
    }


def test_what_looks_delegated_and_is_not_is_done_without(monkeypatch, tmp_path):
    # no group for the kernel: the process can't enter
    monkeypatch.setattr(groups, "find", lambda: groups.Home(2, (tmp_path,)))
    with a_sandbox(content=BARE) as sandbox:
        assert not sandbox.isolation.cgroup
