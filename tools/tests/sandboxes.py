"""What the tests of the sandbox share: one that is warm, and the reason where there is none."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

if not sys.platform.startswith("linux"):
    pytest.skip("the sandbox needs Linux", allow_module_level=True)

from helpers import descendants, lives, until

from dojo import ROOT
from dojo.catalog import load
from dojo.grade.sandbox.isolation import Unavailable
from dojo.grade.sandbox.launch import Sandbox
from dojo.grade.sandbox.limits import Limits
from dojo.grade.sandbox.probe import probe
from dojo.grade.sandbox.suite import Confined
from dojo.suite.run import run
from dojo.suite.unit import Unit
from dojo.verdict import KataResult

LIMITS = Limits(memory=512, processes=32)


def why_none() -> str:
    """Why there is no sandbox on this machine; empty where there is one."""
    try:
        probe()
    except Unavailable as reason:
        return str(reason)
    return ""


@contextlib.contextmanager
def a_sandbox(**options: object) -> Iterator[Sandbox]:
    """A sandbox; the test is skipped where there is none. Nothing of it is left afterwards."""
    if reason := why_none():
        pytest.skip(reason)
    with Sandbox(**{"limits": LIMITS} | options) as sandbox:
        yield sandbox
        its_own = {sandbox.host_process} | descendants(sandbox.host_process)
    until(lambda: not any(map(lives, its_own)))


def new_since(before: set[int]) -> set[int]:
    """The processes below this one that were not there before, and are now."""
    return set(filter(lives, descendants(os.getpid()) - before))


def judge(
    sandbox: Sandbox,
    files: Mapping[str, bytes],
    launcher: type[Confined] = Confined,
    timeout: float | None = None,
    **options: object,
) -> list[KataResult]:
    """Judge these files, kata name → content, in this order."""
    units = [Unit("nowhere", name, "cpu", timeout) for name in files]
    return run(units, load().katas, launcher=launcher(sandbox, files), **options)


def python(code: str, *arguments: object) -> subprocess.Popen:
    """Another Python with this repository on its path."""
    start = f"import sys; sys.path[:0] = {[str(ROOT / 'tools'), str(Path(__file__).parent), str(ROOT)]!r}\n"
    command = [sys.executable, "-c", start + code, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
