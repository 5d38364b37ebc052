"""What pip is asked, and what it offers. Its settings (indexes, mirrors, folders of wheels, proxy,
certificates) hold for all that is asked here.
"""

import os
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from subprocess import DEVNULL, PIPE, STDOUT

from dojo.bootstrap.packages import Paths
from dojo.bootstrap.progress import SetupProgress

# An index that is not there must cost a few seconds only: before anything is downloaded it is
# asked what it has. The first limit is pip's own, on silence; the second ends a page that trickles.
SECONDS_OF_SILENCE = 5
SECONDS_FOR_A_PAGE = 20
# Where no bytecode is to be written, every command would take seconds longer to start: what is
# installed gets it all the same. The verbosity is no affair of what we read.
SILENCING = ("PYTHONDONTWRITEBYTECODE", "PIP_QUIET")
WRONG_HASH = "DO NOT MATCH THE HASHES"


class StepFailed(Exception):
    """A step of the setup failed; the message is what it printed."""


@dataclass(frozen=True)
class Offer:
    """What an index (with whatever pip's settings name beside it) has of a package for this Python
    on this system.
    """

    versions: tuple[str, ...]  # the best first
    wheels: tuple[str, ...]  # names of files of the wanted version, also for other systems
    printed: str  # by pip


def command(paths: Paths, *words: str) -> list[str]:
    """The command that runs .venv's pip."""
    options = ["--disable-pip-version-check", "--no-input", "--no-color"]
    return [str(paths.python), "-m", "pip", *options, *words]


def offered(paths: Paths, name: str, version: str, *options: str) -> Offer:
    """Ask pip which versions there are. Downloads nothing but the index's page."""
    ask = ["index", "versions", name, "-vv", "--only-binary", ":all:", *options]
    try:
        told = subprocess.run(
            command(paths, *ask, "--retries", "0", "--timeout", str(SECONDS_OF_SILENCE)),
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=STDOUT,
            encoding="utf-8",
            errors="replace",
            timeout=SECONDS_FOR_A_PAGE,
            check=False,
        ).stdout
    except subprocess.TimeoutExpired:
        return Offer((), (), "the page timed out")
    listed = re.search(r"(?m)^\s*Available versions: (.+)$", told)
    wheel = rf"{re.escape(name)}-{re.escape(version)}(?:(?:\+|%2B)\w+)?-[\w.-]+\.whl"
    versions = tuple(listed[1].split(", ")) if listed else ()
    return Offer(versions, tuple(dict.fromkeys(re.findall(wheel, told))), told)


def is_there(paths: Paths) -> bool:
    """True if .venv has a Python, and pip."""
    has_pip = (folder / "pip" / "__main__.py" for folder in paths.packages)
    return paths.python.exists() and any(map(Path.exists, has_pip))


def install(paths: Paths, progress: SetupProgress, *words: str) -> None:
    """Install what the words name: wheels alone, and without asking what these need, as every
    package is named. A file that came damaged may lie in pip's cache and would be met again, so
    after that all is downloaded once more.

    Bytecode is left to the first import: most of what is installed is never imported.

    Raises StepFailed.
    """
    options = ["--no-deps", "--only-binary", ":all:", "--no-compile", "--progress-bar", "off"]
    whole = command(paths, "install", *options, *words)
    try:
        run(paths, progress, whole)
    except StepFailed as failure:
        if WRONG_HASH not in str(failure):
            raise
        progress.show("a file came damaged: getting it again")
        run(paths, progress, [*whole, "--no-cache-dir"])


def run(paths: Paths, progress: SetupProgress, command: Sequence[str]) -> None:
    """Run a command of the setup, and keep what it prints in the log. It holds the setup's lock
    too: where this process is killed, the next setup waits for the orphan.

    Raises StepFailed.
    """
    with paths.log.open("w", encoding="utf-8") as log:
        process = subprocess.Popen(
            command,
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=STDOUT,
            encoding="utf-8",
            errors="replace",
            env={name: value for name, value in os.environ.items() if name not in SILENCING},
            pass_fds=paths.held,
        )
        try:
            log.writelines(progress.while_reading(process.stdout or ()))
            code = process.wait()
        finally:
            process.kill()
    if code != 0:
        raise StepFailed(paths.log.read_text(encoding="utf-8"))
