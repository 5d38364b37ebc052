"""Asks git. Of its words only a reason is read, to pass it on; decisions rest on exit codes and on
output made for programs.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path


class GitError(Exception):
    """git could not do it; the message is its own reason, in a line."""


# A terminal git was started from may have set these for another repository.
_ELSEWHERE = (
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_COMMON_DIR",
    "GIT_PREFIX",
)


def is_installed() -> bool:
    return shutil.which("git") is not None


def ask(folder: Path, *arguments: str, out_of_reach: bool = False) -> str:
    """What a git command prints.

    Args:
        out_of_reach: Ctrl-C in the terminal does not reach it.

    Raises:
        GitError: it ended with another exit code than 0.
    """
    known = {name: value for name, value in os.environ.items() if name not in _ELSEWHERE} | {
        "LC_ALL": "C"
    }
    if not sys.stdin or not sys.stdin.isatty():
        known["GIT_TERMINAL_PROMPT"] = "0"  # nobody is there to answer
    apart = {}
    if out_of_reach:
        apart = (
            {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
            if os.name == "nt"
            else {"start_new_session": True}
        )
    result = subprocess.run(
        ["git", *arguments], cwd=folder, env=known, capture_output=True, check=False, **apart
    )
    if result.returncode != 0:
        raise GitError(
            _reason(result.stderr.decode(errors="replace")) or f"exit code {result.returncode}"
        )
    return result.stdout.decode("utf-8", errors="surrogateescape")


def names(folder: Path, *arguments: str) -> set[str]:
    """The paths that a git command with -z prints."""
    return set(filter(None, ask(folder, *arguments).split("\0")))


def _reason(words: str) -> str:
    """The line that tells why: the first that git calls fatal or an error, otherwise the last."""
    lines = [line.strip() for line in words.splitlines() if line.strip()]
    telling = [line.partition(": ")[2] for line in lines if line.startswith(("fatal: ", "error: "))]
    return (telling or lines[-1:] or [""])[0].rstrip(".:")
