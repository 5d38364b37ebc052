"""What the tests of the sandbox share: one that is warm, and the reason where there is none."""

import contextlib
import functools
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

if not sys.platform.startswith("linux"):
    pytest.skip("the sandbox needs Linux", allow_module_level=True)

from helpers import descendants, lives, until
from hostile_programs import KATA

from dojo import ROOT
from dojo.catalog import load
from dojo.grade.sandbox import stage, view
from dojo.grade.sandbox.confine import RunLimits
from dojo.grade.sandbox.launch import Content, Sandbox
from dojo.processes.worker import Worker
from dojo.results import KataResult
from dojo.suite.job import SuiteJob
from dojo.suite.supervisor import run
from dojo.suite.unit import Unit

LIMITS = RunLimits(memory=512, processes=32)
BARE = Content(view.PARTS)  # quickly there, for tests in which nothing is judged
BAREST = (
    "bwrap",
    "--unshare-all",
    "--ro-bind",
    "/",
    "/",
    "--proc",
    "/proc",
    "--dev",
    "/dev",
    "true",
)


@functools.cache
def why_none() -> str:
    """Why this machine allows nobody a sandbox; empty where it does, whatever becomes of ours."""
    if not shutil.which(BAREST[0]):
        return "bubblewrap is not installed"
    barest: list[tuple[list[str], dict]] = [([*BAREST], {})]
    # who gathers the view, becomes nobody
    if os.geteuid() == 0 and stage.is_real_root(
        Path("/proc/self/uid_map").read_text(encoding="utf-8")
    ):
        nobody = {"user": stage.NOBODY, "group": stage.NOBODY, "extra_groups": []}
        barest = [(["unshare", "--mount", "true"], {}), ([*BAREST], nobody)]
    for command, who in barest:
        tried = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/", **who)
        if tried.returncode:
            return f"this machine allows no sandbox: {tried.stderr.strip()}"
    return ""


def need_a_sandbox() -> None:
    """Skip the test where there can be none. One that can be, and does not start or hold, is a
    failure.
    """
    if reason := why_none():
        pytest.skip(reason)


@contextlib.contextmanager
def a_sandbox(**options: object) -> Iterator[Sandbox]:
    """A sandbox; the test is skipped where there can be none. Nothing of it is left afterwards."""
    need_a_sandbox()
    with Sandbox(**{"limits": LIMITS} | options) as sandbox:
        yield sandbox
        its_own = {sandbox.host_process} | descendants(sandbox.host_process)
    until(lambda: not any(map(lives, its_own)))


def new_since(before: set[int]) -> set[int]:
    """The processes below this one that were not there before, and are now."""
    return set(filter(lives, descendants(os.getpid()) - before))


def job(folder: Path, code: bytes) -> SuiteJob:
    """To run this code as the kata's file, which is put into this folder."""
    (folder / f"{KATA}.py").write_bytes(code)
    return SuiteJob((Unit(str(folder), KATA, "cpu"),))


def judge(
    worker: Worker,
    files: Mapping[str, bytes],
    timeouts: Mapping[str, float] | None = None,
    **options: object,
) -> list[KataResult]:
    """Judge these files, kata name → content, in this order.

    Args:
        timeouts: kata name → seconds that a test may take.
    """
    with tempfile.TemporaryDirectory() as folder:
        for name, content in files.items():
            (Path(folder) / f"{name}.py").write_bytes(content)
        units = [Unit(folder, name, "cpu", (timeouts or {}).get(name)) for name in files]
        return run(units, load().katas, worker=worker, **options)


def python(code: str, *arguments: object) -> subprocess.Popen:
    """Another Python with this repository on its path."""
    start = (
        "import sys; sys.path[:0] ="
        f" {[str(ROOT / 'tools'), str(Path(__file__).parent), str(ROOT)]!r}\n"
    )
    command = [sys.executable, "-c", start + code, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
