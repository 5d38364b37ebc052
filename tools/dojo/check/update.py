"""A newer version of the katas, with the learner's work kept.

What the network is needed for comes first, so that nothing is touched when it fails. Then the kata
files in the way, those that both the learner and the newer version have changed, are set aside for
the moment in which git goes forward, and put back.

Everything that is used after that moment is imported before: by then the files of this program may
be newer ones. Of git's words only a reason is read, to pass it on; decisions rest on exit codes and
on output made for programs.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from dojo import UserError, lock
from dojo.check import aside
from dojo.check.compare import Line, differences
from dojo.cli import OUT_OF_REACH
from dojo.diagnosis import counted

LOCK = f"{aside.FOLDER}.lock"
KATA_FILE = re.compile(r"katas/k\d\d_\w+\.py")
# A terminal git was started from may have set these for another repository.
_OF_ANOTHER_REPOSITORY = {f"GIT_{name}" for name in ("DIR", "WORK_TREE", "INDEX_FILE", "PREFIX")}
_OF_ANOTHER_REPOSITORY |= {"GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR"}


class CannotUpdate(UserError):
    """There is no update; the message says why, and what to do. Nothing was changed."""


class GitError(Exception):
    """git could not do it; the message is its own reason, in a line."""


@dataclass(frozen=True)
class Kept:
    """A file of the learner's whose stub the newer version has changed."""

    name: str
    changes: tuple[Line, ...] | None  # between the stubs; None if there is no newer one


@dataclass(frozen=True)
class Update:
    """The result of an update."""

    commits: int  # how many newer ones there were; with 0 nothing was changed
    kept: tuple[Kept, ...] = ()  # the learner's files that stayed though their stubs changed
    touched: int = 0  # how many kata files hold work of the learner's, those of `kept` included


def repair(root: Path) -> list[tuple[str, str]]:
    """Bring back what an interrupted update left aside: each file's name, and where it is now.

    Raises OSError if it can't be done; the copies stay aside.
    """
    if not aside.left_over(root):
        return []
    # it may not be left over: another update may be in the middle of its work
    with lock.held(root / LOCK):
        return _bring_back(root)


def _bring_back(root: Path) -> list[tuple[str, str]]:
    """Put back what lies aside, and beside it what somebody has worked on since."""

    def was_edited(name: str) -> bool:
        if not os.path.lexists(root / name) or aside.is_same(root, name):
            return False
        try:
            git(root, "ls-files", "--error-unmatch", "--", name)
            git(root, "diff", "--quiet", "HEAD", "--", name)
        except (GitError, OSError):
            return True
        return False

    return aside.bring_back(root, was_edited)


def update(root: Path, report: Callable[[str], object] = lambda text: None) -> Update:
    """Fetch the newer version and go forward to it. `report` is called with what takes a while.

    Raises:
        CannotUpdate: there is nothing to update from, no connection, or something in the way.
        OSError: the folder can't be written. The learner's files are as they were, or in
            .kata-update.
        KeyboardInterrupt: stopped by the user. The learner's files are as they were.
    """
    remote = _remote(root)

    def paths(*arguments: str) -> set[str]:
        return set(filter(None, git(root, *arguments).split("\0")))

    def changed(*arguments: str) -> set[str]:
        return paths("diff", "--name-only", "--no-renames", "-z", *arguments)

    with lock.held(root / LOCK, lambda: report("Another update is running: waiting for it.")):
        report(f"Asking {remote} for a newer version ...")
        try:
            git(root, "fetch", "--quiet", remote)
        except GitError as reason:
            raise CannotUpdate(
                f"{remote} could not be reached ({reason}): check the connection, and the address"
                " that `git remote -v` shows. Nothing was changed."
            ) from None
        old, new = (git(root, "rev-parse", name).strip() for name in ("HEAD", "@{upstream}"))
        counts = git(root, "rev-list", "--left-right", "--count", f"{old}...{new}").split()
        ahead, behind = map(int, counts)
        touched = changed("--diff-filter=MT", "HEAD")
        edited = {name for name in touched if KATA_FILE.fullmatch(name)}
        if not behind:
            return Update(0, touched=len(edited))
        if ahead:
            raise CannotUpdate(
                f"Your branch has {counted(ahead, 'commit')} of its own, so git can't simply go"
                " forward: `git pull --rebase` puts yours on top of the newer version (commit"
                " first what you have not committed). Nothing was changed."
            )
        newer, added = changed(old, new), changed("--diff-filter=A", old, new)
        untracked = {name for name in added if os.path.lexists(root / name)}
        _refuse_what_is_in_the_way(untracked, (touched - edited) & newer)
        # Also those that differ in their line ends alone: no work of anybody's, yet git would not
        # go forward over them.
        modified = paths("ls-files", "--modified", "-z")
        dirty = {name for name in modified if os.path.lexists(root / name)}
        _go_forward(root, sorted(newer & (edited | dirty)), old, new, report)
    kept = tuple(_kept(root, name, old, new) for name in sorted(edited & newer))
    return Update(behind, kept, len(edited))


def _remote(root: Path) -> str:
    """The name of the remote that the branch follows."""
    if not (root / ".git").exists():
        raise CannotUpdate(
            "This folder is no git clone (perhaps a downloaded zip), so it does not know where a"
            " newer version is: download that into a folder of its own, and copy .progress.json and"
            " the katas you have worked on into it."
        )
    if not shutil.which("git"):
        raise CannotUpdate(
            "An update needs git, and there is none here: install it (https://git-scm.com), then"
            " run this again."
        )
    try:
        git(root, "rev-parse", "--verify", "--quiet", "HEAD")
        remotes = git(root, "remote").split()
    except GitError as reason:
        raise CannotUpdate(f"git can't use this folder ({reason}). Nothing was changed.") from None
    if not remotes:
        raise CannotUpdate(
            "This clone has no remote, so it does not know where a newer version is: tell it with"
            " `git remote add origin ADDRESS`, `git fetch` and `git branch"
            " --set-upstream-to=origin/main`."
        )
    try:
        branch = git(root, "symbolic-ref", "--quiet", "--short", "HEAD").strip()
    except GitError:
        raise CannotUpdate(
            "No branch is checked out, but a single commit: `git switch main` goes back to a branch"
            " that can be updated."
        ) from None
    try:
        git(root, "rev-parse", "--verify", "--quiet", "@{upstream}")
        return git(root, "config", f"branch.{branch}.remote").strip()
    except GitError:
        raise CannotUpdate(
            f"Your branch '{branch}' follows no branch of {remotes[0]}: "
            f"`git branch --set-upstream-to={remotes[0]}/main` makes it follow main."
        ) from None


def _refuse_what_is_in_the_way(untracked: set[str], changed: set[str]) -> None:
    """Refuse to touch other files than katas: their author knows better what to do with them."""
    if untracked:
        raise CannotUpdate(
            f"The newer version brings {_list(untracked)}, and there is a file of yours of that"
            " name: give yours another one, then run this again. Nothing was changed."
        )
    if changed:
        raise CannotUpdate(
            f"You have changed {_list(changed)}, and so has the newer version: keep a copy of"
            " yours, discard your change with `git checkout HEAD -- FILE`, then run this again."
            " Nothing was changed."
        )


def _go_forward(
    root: Path, in_the_way: list[str], old: str, new: str, report: Callable[[str], object]
) -> None:
    """Let git go forward while the files over which it would not are out of their place.

    git never gets to overwrite one: where a file is missing it goes forward, and where an editor
    has put one it refuses.
    """
    with aside.undisturbed():
        if in_the_way:
            aside.keep(root, in_the_way)
        try:
            aside.clear(root, in_the_way)
            if in_the_way:
                git(root, "reset", "--quiet", old, "--", *in_the_way, out_of_reach=True)
            git(root, "merge", "--quiet", "--ff-only", new, out_of_reach=True)
            for name in in_the_way:
                _forget_what_is_no_work(root, name, old)
        except GitError as reason:
            raise CannotUpdate(
                f"git could not go forward ({reason}). Your katas are as they were."
            ) from None
        finally:
            try:
                moved = _bring_back(root)
            except OSError as error:
                raise CannotUpdate(
                    f"{error.filename} could not be put back ({error.strerror}): your files are"
                    f" safe in {aside.FOLDER}, and `python tools/check update` tries again to put"
                    " them back."
                ) from None
            for name, path in moved:
                if name != path:
                    report(
                        f"{name} was saved during the update: that stays, and what it was before is"
                        f" in {path}."
                    )


def _forget_what_is_no_work(root: Path, name: str, old: str) -> None:
    """Let a file that was the old stub but for its line ends give way to the new one."""
    copy = root / aside.FOLDER / name
    if copy.is_symlink():
        return
    stub = git(root, "show", f"{old}:{name}").encode("utf-8", "surrogateescape")
    if copy.read_bytes().replace(b"\r\n", b"\n") == stub.replace(b"\r\n", b"\n"):
        copy.unlink()


def _kept(root: Path, name: str, old: str, new: str) -> Kept:
    try:
        before = git(root, "show", f"{old}:{name}").splitlines()
        after = git(root, "show", f"{new}:{name}").splitlines()
    except GitError:
        return Kept(name, None)
    return Kept(name, tuple(differences(before, after, context=2)))


def _list(names: set[str]) -> str:
    first = sorted(names)[:3]
    return ", ".join(first) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def git(folder: Path, *arguments: str, out_of_reach: bool = False) -> str:
    """What a git command prints. Ctrl-C in the terminal does not reach one that is out_of_reach.

    Raises GitError if it ended with another exit code than 0.
    """
    environment = {k: value for k, value in os.environ.items() if k not in _OF_ANOTHER_REPOSITORY}
    environment["LC_ALL"] = "C"
    if not sys.stdin or not sys.stdin.isatty():
        environment["GIT_TERMINAL_PROMPT"] = "0"  # nobody is there to answer
    options = {**(OUT_OF_REACH if out_of_reach else {}), "cwd": folder, "env": environment}
    result = subprocess.run(["git", *arguments], capture_output=True, check=False, **options)
    printed: bytes = result.stdout
    if result.returncode == 0:
        return printed.decode("utf-8", errors="surrogateescape")
    lines = [line.strip() for line in result.stderr.decode(errors="replace").splitlines()]
    fatal = [line.partition(": ")[2] for line in lines if line.startswith(("fatal: ", "error: "))]
    reasons = fatal[:1] or list(filter(None, lines))[-1:]  # else the last line says why
    raise GitError("".join(reasons).rstrip(".:") or f"exit code {result.returncode}")
