"""`check update`, with real repositories: the newer version comes, and nothing of the learner's is
ever lost.
"""

import contextlib
import io
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
from repositories import (
    K01,
    K02,
    K03,
    MINE,
    NEWER,
    STUB,
    cloned,
    commit,
    new_upstream,
    run_git,
    stopping_git,
)

from dojo import ROOT
from dojo.check import aside
from dojo.check import update as updating
from dojo.check.update import CannotUpdate, repair, update


@pytest.fixture(autouse=True)
def nobodys_git(tmp_path, monkeypatch):
    """No settings of the person who runs the tests."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)


@pytest.fixture
def upstream(tmp_path) -> Path:
    return new_upstream(tmp_path / "upstream")


@pytest.fixture
def clone(tmp_path, upstream) -> Path:
    return cloned(upstream, tmp_path / "clone")


def contents(folder: Path) -> dict[str, str]:
    paths = (
        path
        for path in folder.rglob("*")
        if path.is_file() and ".git" not in path.relative_to(folder).parts
    )
    return {
        path.relative_to(folder).as_posix(): path.read_text()
        for path in paths
        if not path.name.endswith(".lock")
    }


def test_the_newer_version_comes_and_the_learners_work_stays(clone, upstream):
    (clone / K01).write_text(MINE)
    (clone / K02).write_text(MINE)
    commit(upstream, {K01: NEWER, K03: NEWER, "tests/t.py": "new\n"})
    done = update(clone)
    assert contents(clone) == {
        K01: MINE,
        K02: MINE,
        K03: NEWER,
        "tests/t.py": "new\n",
        "katas/given.py": "old\n",
    }
    assert run_git(clone, "rev-parse", "HEAD") == run_git(upstream, "rev-parse", "HEAD")
    assert (done.commits, done.touched, [kept.name for kept in done.kept]) == (1, 2, [K01])
    assert ("-", "# TODO a: do it") in done.kept[0].changes
    assert ("+", "# TODO a: do it well") in done.kept[0].changes
    assert not any("42" in text for _, text in done.kept[0].changes)


def test_what_git_pull_alone_would_refuse(clone, upstream):
    """That the test above is about something."""
    (clone / K01).write_text(MINE)
    commit(upstream, {K01: NEWER})
    with pytest.raises(subprocess.CalledProcessError):
        run_git(clone, "pull", "--ff-only", "-q")


def test_twice_changed_twice_updated(clone, upstream):
    (clone / K01).write_text(MINE)
    for text in (NEWER, NEWER + "# more\n"):
        commit(upstream, {K01: text})
        assert update(clone).commits == 1
        assert (clone / K01).read_text() == MINE
    assert update(clone).commits == 0


def test_with_nothing_newer_nothing_is_touched(clone):
    (clone / K01).write_text(MINE)
    before = (clone / K01).stat()
    done = update(clone)
    assert (done.commits, done.kept) == (0, ())
    assert (clone / K01).stat().st_mtime_ns == before.st_mtime_ns
    assert (clone / K01).stat().st_ino == before.st_ino


def test_work_that_was_added_to_gits_index_stays(clone, upstream):
    (clone / K01).write_text(MINE)
    run_git(clone, "add", K01)
    commit(upstream, {K01: NEWER})
    update(clone)
    assert (clone / K01).read_text() == MINE


def test_a_kata_that_is_gone_upstream_leaves_the_learners(clone, upstream):
    (clone / K01).write_text(MINE)
    commit(upstream, {K01: None})
    assert update(clone).kept[0].changes is None
    assert (clone / K01).read_text() == MINE


def test_a_deleted_kata_is_no_obstacle(clone, upstream):
    (clone / K01).unlink()
    commit(upstream, {K01: NEWER, K02: NEWER})
    assert update(clone).commits == 1
    assert (clone / K02).read_text() == NEWER


def test_windows_line_ends_are_no_work(tmp_path, upstream):
    commit(upstream, {".gitattributes": "* text=auto eol=lf\n"})
    run_git(tmp_path, "clone", "-q", str(upstream), "clone")
    clone = tmp_path / "clone"
    (clone / K01).write_bytes(STUB.replace("\n", "\r\n").encode())
    (clone / K02).write_bytes(MINE.replace("\n", "\r\n").encode())
    commit(upstream, {K01: NEWER, K02: NEWER})
    done = update(clone)
    assert [kept.name for kept in done.kept] == [K02]
    assert (clone / K02).read_bytes() == MINE.replace("\n", "\r\n").encode()
    assert (clone / K01).read_text() == NEWER


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_a_kata_that_is_a_link_stays_one(tmp_path, clone, upstream):
    (tmp_path / "elsewhere.py").write_text(MINE)
    (clone / K01).unlink()
    (clone / K01).symlink_to(tmp_path / "elsewhere.py")
    commit(upstream, {K01: NEWER})
    update(clone)
    assert (clone / K01).is_symlink()
    assert (tmp_path / "elsewhere.py").read_text() == MINE


def refused(clone: Path, says: str) -> None:
    """The update is refused with these words, in one line, and everything is as it was."""
    before, head = (
        contents(clone),
        (clone / ".git" / "HEAD").exists() and run_git(clone, "rev-parse", "HEAD"),
    )
    with pytest.raises(CannotUpdate, match=says) as caught:
        update(clone)
    assert "\n" not in str(caught.value)
    assert contents(clone) == before
    assert not head or run_git(clone, "rev-parse", "HEAD") == head
    assert aside.left_over(clone) == []


def test_without_network(clone, upstream):
    (clone / K01).write_text(MINE)
    commit(upstream, {K01: NEWER})
    upstream.rename(upstream.with_name("gone"))
    refused(clone, "origin could not be reached .* Nothing was changed")


def test_a_branch_with_commits_of_its_own(clone, upstream):
    (clone / K02).write_text(MINE)
    commit(clone, {K01: MINE})
    (clone / K03).write_text(MINE)
    commit(upstream, {K03: NEWER})
    refused(clone, "Your branch has 1 commit of its own.*git pull --rebase")


def test_own_commits_and_nothing_newer_is_no_trouble(clone):
    commit(clone, {K01: MINE})
    assert update(clone).commits == 0


def test_another_changed_file_in_the_way(clone, upstream):
    (clone / K01).write_text(MINE)
    (clone / "katas/given.py").write_text("mine\n")
    commit(upstream, {K01: NEWER, "katas/given.py": "new\n"})
    refused(clone, "You have changed katas/given.py, and so has the newer version")


def test_another_changed_file_not_in_the_way(clone, upstream):
    (clone / "tests/t.py").write_text("mine\n")
    commit(upstream, {K01: NEWER})
    assert update(clone).commits == 1
    assert (clone / "tests/t.py").read_text() == "mine\n"


def test_an_own_file_with_the_name_of_a_new_one(clone, upstream):
    (clone / "katas/k04_x.py").write_text("mine\n")
    commit(upstream, {"katas/k04_x.py": STUB})
    refused(
        clone, "The newer version brings katas/k04_x.py, and there is a file of yours of that name"
    )


def test_a_file_that_git_holds_for_another(clone, upstream):
    (clone / K01).write_text(MINE)
    commit(upstream, {K01: NEWER})
    (clone / ".git/index.lock").touch()
    refused(clone, "git could not go forward .*index.lock")


def test_no_remote(clone):
    run_git(clone, "remote", "remove", "origin")
    refused(clone, "This clone has no remote")


def test_no_branch_is_followed(clone):
    run_git(clone, "switch", "-qc", "mine")
    refused(clone, "Your branch 'mine' follows no branch of origin")


def test_no_branch_is_checked_out(clone):
    run_git(clone, "checkout", "-q", "--detach")
    refused(clone, "No branch is checked out")


def test_a_downloaded_zip(tmp_path):
    (tmp_path / "katas").mkdir()
    (tmp_path / K01).write_text(MINE)
    refused(tmp_path, r"This folder is no git clone \(perhaps a downloaded zip\)")


def test_a_zip_within_somebody_elses_repository(clone):
    """The repository around it is not the katas', and must not be touched."""
    (clone / "zip" / "katas").mkdir(parents=True)
    with pytest.raises(CannotUpdate, match="no git clone"):
        update(clone / "zip")


def test_no_git(clone, monkeypatch):
    monkeypatch.setattr(updating.shutil, "which", lambda name: None)
    refused(clone, "An update needs git")


def test_a_broken_repository(tmp_path):
    (tmp_path / ".git").mkdir()
    refused(tmp_path, "git can't use this folder")


def test_a_terminal_set_up_for_another_repository(clone, upstream, tmp_path, monkeypatch):
    commit(upstream, {K01: NEWER})
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "nowhere"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "no index"))
    assert update(clone).commits == 1


@pytest.mark.parametrize("at", ["fetch", "rev-list", "reset", "merge"])
def test_ctrl_c_at_any_moment_leaves_the_learners_work(clone, upstream, monkeypatch, at):
    (clone / K01).write_text(MINE)
    commit(upstream, {K01: NEWER})
    stopping_git(monkeypatch, at, lambda: signal.raise_signal(signal.SIGINT))
    with pytest.raises(KeyboardInterrupt):
        update(clone)
    assert (clone / K01).read_text() == MINE
    assert aside.left_over(clone) == []
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    monkeypatch.undo()
    assert update(clone).commits == (0 if at in ("reset", "merge") else 1)


KILLED = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, "tools")
from dojo.check import update
real = update.git
def git(folder, *arguments, **options):
    if arguments[0] == sys.argv[2]:
        os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
    return real(folder, *arguments, **options)
update.git = git
update.update(Path(sys.argv[1]))
"""


@pytest.mark.parametrize("at", ["reset", "merge"])
def test_a_killed_update_is_repaired_by_the_next(clone, upstream, at):
    (clone / K01).write_text(MINE)
    commit(upstream, {K01: NEWER})
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(clone), at], cwd=ROOT, capture_output=True, check=False
    )
    assert killed.returncode != 0
    assert aside.left_over(clone) == [K01]
    places = repair(clone)
    assert (clone / places[0][1]).read_text() == MINE
    if at == "merge":  # the stub stood there, untouched
        assert places == [(K01, K01)]
    assert aside.left_over(clone) == []
    assert update(clone).commits == 1


def test_what_was_written_since_a_killed_update_stays_too(clone):
    (clone / K01).write_text(MINE)
    aside.keep(clone, [K01])
    (clone / K01).write_text("begun anew\n")
    ((name, place),) = repair(clone)
    assert name == K01
    assert place.startswith(f"{K01}.backup-")
    assert (clone / place).read_text() == MINE
    assert (clone / K01).read_text() == "begun anew\n"


def test_half_of_a_copy_is_not_put_back(clone):
    """A process killed while it copied has changed nothing yet."""
    half = clone / f"{aside.FOLDER}.new" / K01
    half.parent.mkdir(parents=True)
    half.write_text(MINE[:5])
    assert repair(clone) == []
    (clone / K01).write_text(MINE)
    aside.keep(clone, [K01])
    assert (clone / aside.FOLDER / K01).read_text() == MINE


def test_a_file_that_cannot_be_put_back_is_said_where(clone, upstream, monkeypatch):
    (clone / K01).write_text(MINE)
    commit(upstream, {K01: NEWER})
    real = Path.replace

    def full(self, target):
        if aside.FOLDER in self.parts:
            raise OSError(28, "No space left on device", str(target))
        return real(self, target)

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(CannotUpdate, match=f"your files are safe in {aside.FOLDER}"):
        update(clone)
    monkeypatch.undo()
    assert repair(clone) == [(K01, K01)]
    assert (clone / K01).read_text() == MINE


def test_what_is_set_aside_is_ignored_by_git(tmp_path):
    """Or it would be added by accident."""
    for name in (
        aside.FOLDER,
        f"{aside.FOLDER}.new",
        ".progress.json",
        ".progress.json.lock",
        ".progress.json.broken-1",
    ):
        assert any(Path(name).match(line) for line in (ROOT / ".gitignore").read_text().split())


class Done(NamedTuple):
    exit_code: int
    output: str


def command(monkeypatch, root: Path) -> Done:
    """`check update` in that folder."""
    from dojo.check import commands

    monkeypatch.setattr(commands, "ROOT", root)
    monkeypatch.setattr(sys, "argv", ["check", "update"])
    output = io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
        with pytest.raises(SystemExit) as end:
            commands.main()
    return Done(end.value.code, output.getvalue())


def test_the_screen_of_an_update(clone, upstream, monkeypatch):
    (clone / K01).write_text(MINE)
    commit(upstream, {K01: NEWER})
    done = command(monkeypatch, clone)
    assert done.exit_code == 0
    assert "Updated by 1 commit." in done.output
    assert "Your work stays as it was, in 1 file of katas/." in done.output
    assert f"{K01} is yours. The stub it began as has changed:" in done.output
    assert "  - # TODO a: do it\n" in done.output
    assert "  + # TODO a: do it well\n" in done.output
    assert "You have the newest version already." in command(monkeypatch, clone).output


def test_a_refused_update_is_one_sentence_and_exit_code_2(tmp_path, monkeypatch):
    refused = command(monkeypatch, tmp_path)
    assert refused.exit_code == 2
    assert refused.output.count("\n") == 1
    assert "no git clone" in refused.output


def test_a_stopped_update_is_said(clone, upstream, monkeypatch):
    stopping_git(monkeypatch, "fetch", lambda: signal.raise_signal(signal.SIGINT))
    stopped = command(monkeypatch, clone)
    assert stopped.exit_code == 130
    assert "Stopped. Your katas are as they were." in stopped.output


def test_a_repaired_update_is_said(clone, monkeypatch):
    (clone / K01).write_text(MINE)
    aside.keep(clone, [K01])
    run_git(clone, "checkout", "-q", "HEAD", "--", K01)
    assert (
        f"The last update was interrupted: {K01} is in its place again."
        in command(monkeypatch, clone).output
    )
    assert (clone / K01).read_text() == MINE
