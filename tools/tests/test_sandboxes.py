"""When the tests of the sandbox are skipped, and when they fail: a sandbox that is broken must not
go unnoticed.
"""

import os
import tempfile
from pathlib import Path

import pytest
import sandboxes
from sandboxes import BARE, a_sandbox, need_a_sandbox

from dojo.grade.sandbox import isolation
from dojo.grade.sandbox.isolation import NoSandbox
from dojo.grade.sandbox.launch import Sandbox


@pytest.fixture(autouse=True)
def asked_anew():
    sandboxes.why_none.cache_clear()
    yield
    sandboxes.why_none.cache_clear()


def without_bubblewrap(folder: Path) -> str:
    return str(folder)


def refused(folder: Path) -> str:
    """A bubblewrap that the machine lets make nothing."""
    folder.chmod(0o755)
    (folder / "bwrap").write_text(
        "#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n"
    )
    (folder / "bwrap").chmod(0o755)
    return f"{folder}{os.pathsep}{os.environ['PATH']}"


@pytest.mark.parametrize(
    ("make", "reason"),
    [(without_bubblewrap, "is not installed"), (refused, "No permissions to create new namespace")],
)
def test_where_there_can_be_no_sandbox_its_tests_are_skipped(monkeypatch, make, reason):
    with tempfile.TemporaryDirectory() as folder:
        monkeypatch.setenv("PATH", make(Path(folder)))
        with pytest.raises(pytest.skip.Exception, match=reason):
            need_a_sandbox()


def not_contained(*_: object) -> None:
    raise NoSandbox("it was not contained")


def test_where_there_can_be_one_a_sandbox_that_does_not_hold_is_a_failure(monkeypatch):
    need_a_sandbox()
    monkeypatch.setattr(isolation, "judge", not_contained)
    with pytest.raises(NoSandbox, match="it was not contained"), a_sandbox(content=BARE):
        pass


def test_where_there_can_be_one_a_sandbox_that_does_not_start_is_a_failure(monkeypatch):
    need_a_sandbox()
    monkeypatch.setattr(Sandbox, "_around", lambda *_: ["false"])
    with pytest.raises(NoSandbox, match="could not be started"), a_sandbox(content=BARE):
        pass
