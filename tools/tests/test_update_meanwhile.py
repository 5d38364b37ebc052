"""What an editor saves while `check update` is at work: it stays, and so does what was there
before.
"""

import os
from pathlib import Path

import pytest
from repositories import (
    K01,
    K02,
    MINE,
    NEWER,
    STUB,
    cloned,
    commit,
    new_upstream,
    run_git,
    stopping_git,
)

from dojo.check import aside
from dojo.check.update import CannotUpdate, repair, update

LATER = MINE.replace("42", "43")


@pytest.fixture
def upstream(tmp_path, monkeypatch) -> Path:
    for name in ("GLOBAL", "SYSTEM"):  # no settings of the person who runs the tests
        monkeypatch.setenv(f"GIT_CONFIG_{name}", os.devnull)
    return new_upstream(tmp_path / "upstream")


@pytest.fixture
def clone(tmp_path, upstream) -> Path:
    folder = cloned(upstream, tmp_path / "clone")
    (folder / K01).write_text(MINE)
    commit(upstream, {K01: NEWER, K02: NEWER})
    return folder


def save(clone: Path) -> None:
    """As most editors do it: a new file in the place of the old."""
    (clone / "katas/.swp").write_text(LATER)
    (clone / "katas/.swp").replace(clone / K01)


def save_in_place(clone: Path) -> None:
    (clone / K01).write_text(LATER)


def kept(clone: Path) -> set[str]:
    """What there is of the kata, in its place and beside it."""
    assert aside.left_over(clone) == []
    return {path.read_text() for path in (clone / "katas").glob("k01_x.py*")}


@pytest.mark.parametrize("how", [save, save_in_place])
def test_saved_when_the_copy_was_just_made(clone, monkeypatch, how):
    real = aside.keep
    monkeypatch.setattr(aside, "keep", lambda root, names: (real(root, names), how(root)))
    assert update(clone).commits == 1
    assert kept(clone) == {LATER}


@pytest.mark.parametrize("how", [save, save_in_place])
@pytest.mark.parametrize("at", ["reset", "merge"])
def test_saved_before_git_goes_forward(clone, upstream, monkeypatch, how, at):
    stopping_git(monkeypatch, at, lambda: how(clone))
    said = []
    with pytest.raises(CannotUpdate, match="git could not go forward"):
        update(clone, said.append)
    assert (clone / K01).read_text() == LATER
    assert kept(clone) == {LATER, MINE}
    assert (
        f"{K01} was saved during the update: that stays, and what it was before is in {K01}.backup-"
        in said[-1]
    )
    monkeypatch.undo()
    assert update(clone).commits == 1
    assert kept(clone) == {LATER, MINE}
    assert (clone / K01).read_text() == LATER


@pytest.mark.parametrize("how", [save, save_in_place])
def test_saved_before_the_work_is_put_back(clone, upstream, monkeypatch, how):
    real = aside.bring_back
    monkeypatch.setattr(
        aside, "bring_back", lambda root, was_edited: (how(root), real(root, was_edited))[1]
    )
    said = []
    assert update(clone, said.append).commits == 1
    assert (clone / K01).read_text() == LATER
    assert kept(clone) == {LATER, MINE}
    assert "was saved during the update" in said[-1]
    assert run_git(clone, "rev-parse", "HEAD") == run_git(upstream, "rev-parse", "HEAD")


def test_saved_where_the_newer_version_has_no_such_file(clone, upstream, monkeypatch):
    commit(upstream, {K01: None})
    real = aside.bring_back
    monkeypatch.setattr(
        aside, "bring_back", lambda root, was_edited: (save(root), real(root, was_edited))[1]
    )
    update(clone)
    assert kept(clone) == {LATER, MINE}


def test_a_file_of_which_only_the_line_ends_were_others_and_that_is_saved_meanwhile(
    clone, upstream, monkeypatch
):
    commit(upstream, {".gitattributes": "* text=auto eol=lf\n"})
    update(clone)
    (clone / K02).write_bytes(NEWER.replace("\n", "\r\n").encode())
    commit(upstream, {K02: STUB})
    real = aside.keep
    monkeypatch.setattr(
        aside, "keep", lambda root, names: ((root / K02).write_text(MINE), real(root, names))
    )
    update(clone)
    assert (clone / K02).read_text() == MINE


def test_what_could_not_be_cleared_away_is_no_work_lost_and_no_copy_left(clone, monkeypatch):
    def open_elsewhere(root, names):
        raise PermissionError(13, "Permission denied", str(root / names[0]))

    monkeypatch.setattr(aside, "clear", open_elsewhere)
    with pytest.raises(PermissionError):
        update(clone)
    assert kept(clone) == {MINE}
    assert repair(clone) == []
