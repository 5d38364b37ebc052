"""Temporary files of a run: in one folder, cleared by the next run where a run was killed."""

import os
import tempfile
from pathlib import Path

import pytest

from dojo.grade.workplace import clean, place


@pytest.fixture(autouse=True)
def a_tempdir(tmp_path, monkeypatch):
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    monkeypatch.delenv("TMPDIR", raising=False)


def test_what_a_killed_run_left_is_cleared_by_the_next_one(tmp_path):
    mine = place(tmp_path / "grades")
    (mine / "torch-katas-x").mkdir(parents=True)
    (mine / "torch-katas-x" / "k06.py").touch()
    with clean(tmp_path / "grades"):
        assert list(mine.iterdir()) == []
        inside = Path(tempfile.mkdtemp())
        assert inside.parent == mine and os.environ["TMPDIR"] == str(mine)
    assert tempfile.tempdir == str(tmp_path / "tmp") and "TMPDIR" not in os.environ


def test_runs_with_other_grades_do_not_share_it(tmp_path):
    with clean(tmp_path / "one"):
        kept = Path(tempfile.mkdtemp())
        with clean(tmp_path / "other"):
            pass
        assert kept.is_dir()


@pytest.mark.parametrize("make", [Path.touch, lambda path: path.symlink_to(path.parent)])
def test_what_is_not_its_own_is_left_alone(tmp_path, make):
    mine = place(tmp_path / "grades")
    make(mine)
    with clean(tmp_path / "grades"):
        assert Path(tempfile.mkdtemp()).parent == tmp_path / "tmp"
    assert mine.is_symlink() or mine.is_file()
