"""What makes a server stale, and what does not."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from helpers import until

from dojo import ROOT
from dojo.check.server import fingerprint


@pytest.fixture
def copied(tmp_path) -> Path:
    """What a fingerprint is made of."""
    root = tmp_path / "clone"
    for name in ("tests", "katas", "tools/dojo"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    (root / "tools" / "pins").mkdir()
    for name in ("conftest.py", "pyproject.toml", "tools/pins/core.txt", "tools/pins/torch.txt"):
        shutil.copy(ROOT / name, root / name)
    return root


@pytest.mark.parametrize(
    "name",
    [
        "tests/support/expect.py",
        "tests/pass_marks.toml",
        "katas/given/data.py",
        "katas/catalog.toml",
        "conftest.py",
        "pyproject.toml",
        "tools/dojo/suite/plugin.py",
        "tools/pins/core.txt",
        "tools/pins/torch.txt",
    ],
)
def test_a_change_of_what_is_imported_is_seen(copied, name):
    before = fingerprint.fingerprint(copied)
    assert fingerprint.fingerprint(copied) == before
    path = copied / name
    times, text = path.stat(), path.read_bytes()
    path.write_bytes(text[:-1] + b"#")  # as long as before
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert fingerprint.fingerprint(copied) != before
    path.unlink()
    assert fingerprint.fingerprint(copied) != before
    path.write_bytes(text)
    assert fingerprint.fingerprint(copied) == before


@pytest.mark.parametrize("settled", [True, False])
def test_a_change_that_leaves_size_and_time_as_they_were_is_seen(copied, monkeypatch, settled):
    monkeypatch.setattr(fingerprint, "NANOSECONDS_TO_SETTLE", -(10**18) if settled else 10**18)
    path = copied / "tests" / "support" / "expect.py"
    times, seen = path.stat(), set()
    for letter in b"abcdefgh":  # as fast as can be
        path.write_bytes(bytes([letter]))
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
        seen.add(fingerprint.fingerprint(copied))
        if settled:
            written = path.stat().st_ctime_ns
            # several ticks of the clock
            until(lambda written=written: time.time_ns() - written > 5e7)
    assert len(seen) == 8


def test_a_new_helper_of_the_tests_is_seen(copied):
    before = fingerprint.fingerprint(copied)
    (copied / "tests" / "helper.py").write_text("")
    assert fingerprint.fingerprint(copied) != before


@pytest.mark.parametrize("name", ["katas/k01_tensors.py", "tests/test_k01_tensors.py"])
def test_what_every_child_reads_itself_makes_nothing_stale(copied, name):
    before = fingerprint.fingerprint(copied)
    (copied / name).write_text("")
    assert fingerprint.fingerprint(copied) == before


def test_another_version_of_a_package_is_seen(copied, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    (tmp_path / "site" / "torch-1.0.dist-info").mkdir(parents=True)
    before = fingerprint.fingerprint(copied)
    (tmp_path / "site" / "torch-1.0.dist-info").rename(tmp_path / "site" / "torch-2.0.dist-info")
    assert fingerprint.fingerprint(copied) != before


@pytest.mark.parametrize("name", ["tests", "katas/given", "katas", "tools/dojo"])
def test_a_folder_that_is_moved_away_is_a_change_and_no_crash(copied, name):
    before = fingerprint.fingerprint(copied)
    (copied / name).rename(copied / "aside")
    assert fingerprint.fingerprint(copied) != before
    (copied / "aside").rename(copied / name)
    assert fingerprint.fingerprint(copied) == before


def test_a_folder_that_goes_while_it_is_read_is_no_crash(copied, monkeypatch):
    def going(self, pattern):
        yield from sorted(self.iterdir())[:1]
        raise FileNotFoundError(2, "No such file or directory", str(self))

    before = fingerprint.fingerprint(copied)
    monkeypatch.setattr(Path, "rglob", going)
    monkeypatch.setattr(Path, "glob", going)
    assert fingerprint.fingerprint(copied) != before


def test_a_package_that_is_taken_away_while_it_is_looked_at_is_no_crash(
    copied, tmp_path, monkeypatch
):
    class Going:
        name = "torch-1.0.dist-info"

        def stat(self):
            raise FileNotFoundError

    before = fingerprint.fingerprint(copied)
    real = os.scandir
    monkeypatch.setattr(
        fingerprint.os, "scandir", lambda folder: [Going()] if folder == "site" else real(folder)
    )
    monkeypatch.setattr(fingerprint.sys, "path", [*sys.path, "site"])
    assert fingerprint.fingerprint(copied) != before


def test_other_settings_are_another_fingerprint():
    code = (
        f"import sys; sys.path[:0] = {[str(ROOT / 'tools')]!r}; "
        "from dojo.check.server.fingerprint import fingerprint; print(fingerprint())"
    )

    def of(**settings: str) -> str:
        command = [sys.executable, "-c", code]
        return subprocess.run(
            command, env=os.environ | settings, capture_output=True, text=True, check=True
        ).stdout

    assert of() == of(EDITOR="vim")
    assert of() != of(CUDA_VISIBLE_DEVICES="7")
