"""Repositories for tests of `check update`: one with the katas, and a learner's clone of it."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from dojo.check import update

K01, K02, K03 = (f"katas/k0{number}_x.py" for number in (1, 2, 3))
STUB = "lesson\n\n# TODO a: do it\nraise NotImplementedError('a')\n"
NEWER = STUB.replace("do it", "do it well")
MINE = STUB.replace("raise NotImplementedError('a')", "answer = 42")


def run_git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "commit.gpgsign=false"]
    result = subprocess.run(
        ["git", *identity, *arguments], cwd=folder, capture_output=True, text=True, check=True
    )
    return result.stdout.strip()


def commit(folder: Path, files: dict[str, str | None]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text) if text is not None else path.unlink()
    run_git(folder, "add", "-A")
    run_git(folder, "commit", "-qm", "more")


def new_upstream(folder: Path) -> Path:
    folder.mkdir()
    run_git(folder, "init", "-q", "-b", "main")
    commit(
        folder, {K01: STUB, K02: STUB, K03: STUB, "tests/t.py": "old\n", "katas/given.py": "old\n"}
    )
    return folder


def cloned(upstream: Path, to: Path) -> Path:
    run_git(upstream, "clone", "-q", str(upstream), str(to))
    return to


def stopping_git(monkeypatch: pytest.MonkeyPatch, at: str, how: Callable[[], object]) -> None:
    """Do something just before a git command runs."""
    real = update.git

    def git(folder, *arguments, **options):
        if arguments[0] == at:
            how()
        return real(folder, *arguments, **options)

    monkeypatch.setattr(update, "git", git)
