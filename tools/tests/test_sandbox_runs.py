"""What a run in the sandbox has for itself, and what it finds there: its walls to other runs, its
limits, its environment.
"""

import contextlib
import json
import os
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from helpers import descendants, first_message, outcomes, until
from hostile_programs import KATA, programs
from sandboxes import LIMITS, a_sandbox, job, judge, new_since

from dojo.grade.sandbox import isolation, stage, view
from dojo.grade.sandbox.confine import MEGABYTE, SECONDS_TO_SAY_SO, USER
from dojo.grade.sandbox.launch import Sandbox
from dojo.grade.sandbox.link import ConfinedProcess

resource = pytest.importorskip("resource", reason="Windows has no such limits")
CANARY = "GRADER_PASSWORD"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(CANARY, "xyzzy")
        with a_sandbox() as one:
            yield one


@contextlib.contextmanager
def running(sandbox: Sandbox, code: bytes, log: Path) -> Iterator[ConfinedProcess]:
    """A run of this code, which has come to where it says so, or ended."""
    with tempfile.TemporaryDirectory() as folder:
        run = sandbox.start(job(Path(folder), code), log)
    try:
        until(lambda: SAID in log.read_text(encoding="utf-8") or run.has_ended)
        yield run
    finally:
        run.close()
        until(lambda: run.has_ended)


SAID = "-- said --"
STAY = f"\nimport os, time\nos.write(1, b'{SAID}')\ntime.sleep(600)\n".encode()
TELL = (
    b"\nimport json, os\nos.write(1, b'-- found --' + json.dumps(found).encode() + b'-- found"
    b" --')\n"
)


def found(log: Path) -> object:
    """What was told by a run."""
    return json.loads(log.read_text(encoding="utf-8").split("-- found --")[1])


def found_by(sandbox: Sandbox, code: str, log: Path) -> object:
    """What a run of this code calls `found`."""
    with running(sandbox, code.encode() + TELL + STAY, log):
        return found(log)


# Walls to other runs


def test_nothing_is_found_of_what_another_run_has_left(sandbox, tmp_path):
    """Whether that one is gone or still there."""
    collection = {program.name: program for program in programs()}
    leaving, finding = collection["learn_leave_traces"].file(), collection["learn_find_traces"]
    with (
        running(sandbox, leaving, tmp_path / "first"),
        running(sandbox, leaving + STAY, tmp_path / "second"),
    ):
        (result,) = judge(sandbox, {KATA: finding.file()})
    assert outcomes(result) == finding.suite


NAMESPACES = """
import os
found = {kind: os.readlink("/proc/self/ns/" + kind) for kind in os.listdir("/proc/self/ns")}
"""


def test_no_two_runs_share_a_namespace_with_each_other_or_with_us(sandbox, tmp_path):
    code, logs = NAMESPACES.encode() + TELL + STAY, [tmp_path / "first", tmp_path / "second"]
    with running(sandbox, code, logs[0]), running(sandbox, code, logs[1]):
        first, second = map(found, logs)
    for kind in isolation.NAMESPACES:
        own = str(Path("/proc/self/ns", kind).readlink())
        assert len({first[kind], second[kind], own}) == 3, kind


def test_no_two_runs_have_the_same_user_where_root_grades(sandbox, tmp_path):
    if not sandbox.isolation.own_user:
        pytest.skip("only root can give users away")
    before, code = descendants(os.getpid()), TELL.replace(b"found)", b"os.getuid())") + STAY
    logs = [tmp_path / "first", tmp_path / "second"]
    with running(sandbox, code, logs[0]), running(sandbox, code, logs[1]):
        users = {Path(f"/proc/{process}").stat().st_uid for process in new_since(before)}
        assert [found(log) for log in logs] == [USER, USER]  # as seen in there
    assert len(users) == 2 and not users & {0, stage.NOBODY, os.getuid()}


# Limits

LIMITS_OF = """
import resource
import tempfile
names = [name for name in dir(resource) if name.startswith("RLIMIT_")]
found = {name: resource.getrlimit(getattr(resource, name)) for name in names}
found["pages"] = int(open("/proc/self/statm").read().split()[0])
"""


def test_each_limit_holds_for_good(sandbox, tmp_path):
    has = found_by(sandbox, LIMITS_OF, tmp_path / "log")
    promised = {
        "NPROC": LIMITS.processes,
        "NOFILE": LIMITS.files,
        "FSIZE": LIMITS.file_size * MEGABYTE,
        "CORE": 0,
        "MEMLOCK": 0,
        "MSGQUEUE": 0,
    }
    assert {name: has[f"RLIMIT_{name}"] for name in promised} == {
        name: [value, value] for name, value in promised.items()
    }
    assert has["RLIMIT_CPU"] == [LIMITS.cpu, LIMITS.cpu + SECONDS_TO_SAY_SO]
    begun_with = has["RLIMIT_AS"][1] - LIMITS.memory * MEGABYTE
    assert (
        has["RLIMIT_AS"][0] == has["RLIMIT_AS"][1]
        and 0 < begun_with <= has["pages"] * resource.getpagesize()
    )


@pytest.mark.parametrize("before", ["", "import signal; signal.signal(24, signal.SIG_IGN)\n"])
def test_a_run_that_is_ended_for_its_processor_time_says_so(sandbox, monkeypatch, before):
    monkeypatch.setattr(sandbox, "limits", replace(LIMITS, cpu=2))
    (result,) = judge(sandbox, {KATA: f"{before}while True: pass\n".encode()})
    assert "processor time" in first_message(result)


FLOOD = b"""
import os
for descriptor in (1, 2):
    for _ in range(64):
        try:
            os.write(descriptor, b"x" * 65536)
        except OSError:
            pass
    try:
        os.truncate(descriptor, 1 << 30)
    except OSError:
        pass
"""


def test_what_a_run_prints_takes_little_of_our_disk(sandbox, monkeypatch, tmp_path):
    monkeypatch.setattr(sandbox, "limits", replace(LIMITS, file_size=1))
    (tmp_path / "log").touch()
    with running(sandbox, FLOOD, tmp_path / "log") as run:
        until(lambda: run.has_ended)
    assert (tmp_path / "log").stat().st_size == MEGABYTE


# Environment

ENVIRONMENT = """
import os
found = {"now": dict(os.environ), "at first": open("/proc/self/environ").read()}
"""


def test_the_environment_is_what_was_promised_and_nothing_of_ours(sandbox, tmp_path):
    has = found_by(sandbox, ENVIRONMENT, tmp_path / "log")
    at_first = dict(line.split("=", 1) for line in has["at first"].split("\0") if line)
    assert at_first == view.ENVIRONMENT | {"PWD": "/"}  # by bubblewrap
    assert at_first.items() <= has["now"].items() and not {CANARY, "xyzzy"} & {
        *has["now"],
        *has["now"].values(),
    }
