"""Continues in a Python that has the packages, and sets one up where there is none.

Only the standard library is imported here: this runs first, in whatever Python the user called.

The virtual environment carries a marker that says how far its setup got. A setup that was
interrupted left the marker "unfinished" and is done again from the start, because half-copied
packages can look complete to pip.
"""

import contextlib
import errno
import hashlib
import json
import os
import queue
import re
import shutil
import subprocess
import sys
import threading
import time
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from subprocess import PIPE, STDOUT

from dojo import ROOT, UserError, lock

FREE_BYTES_NEEDED = 2 * 1024**3
EXIT_UNABLE = 2
# an environment variable: ends a circle of setups that do not help
JUST_SET_UP = "TORCH_KATAS_JUST_SET_UP"
LINE_WIDTH = 76
AGAIN = "run the same command again"

WHY = {
    "absent": "First run: setting up .venv with the packages (once, a few minutes).",
    "unmarked": "Putting the packages into .venv (once, a few minutes).",
    "unfinished": "The last setup did not end: setting up .venv anew.",
    "outdated": "Other versions are asked for than .venv has: bringing it up to date.",
    "ready": "Some packages are missing in .venv: adding them.",
}
# what pip prints when it fails, whatever the case of its letters
_FULL_DISK = r"(?i)no space left|errno 28|disk quota"
_NO_NETWORK = (
    r"(?i)name resolution|newconnectionerror|connection refused|network is unreachable|timed out"
    r"|max retries exceeded|getaddrinfo failed|proxyerror"
)
_NO_PACKAGE = r"(?i)no matching distribution|could not find a version"
_PACKAGE = re.compile(
    r"\s*(?:Downloading|Processing|Using cached)\s+(?:\S*/)?([^/\s]+)\.whl\S*"
    r"(?:\s+\(([\d.]+ [kMG]?B)\))?"
)


class SetupError(UserError):
    """The packages can't be had; the message says what to do."""


class Paths:
    """Where everything of one checkout lies."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.venv = root / ".venv"
        self.python = self.venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
        self.marker = self.venv / "torch-katas.json"
        self.log = self.venv / "setup.log"
        self.lock = root / ".setup.lock"
        self.constraints = root / "tools" / "constraints.txt"


def enter(extra: str | None = None) -> None:
    """Return if this Python has the packages; otherwise run the same command again in .venv, which
    is set up first where needed. `extra`: a needed group of [project.optional-dependencies].
    """
    paths = Paths(ROOT)
    just_set_up = os.environ.pop(JUST_SET_UP, None)
    inside = Path(sys.prefix) == paths.venv
    state = venv_state(paths)
    lacking = missing(requirements(paths.root, extra))
    if not lacking and not (inside and state in ("unfinished", "outdated")):
        return
    try:
        if just_set_up:
            raise SetupError(
                f"The setup of {paths.venv} ended well, yet {', '.join(lacking)} can't be found"
                f" there: delete that folder and {AGAIN}."
            )
        if inside or state != "ready" or not paths.python.exists():
            set_up(paths, extra)
            os.environ[JUST_SET_UP] = "1"
        go_on_in(paths.python)
    except SetupError as problem:
        sys.stderr.write(f"{problem}\n")
        sys.exit(EXIT_UNABLE)
    except KeyboardInterrupt:
        sys.stderr.write("\nStopped. Run the same command again to finish the setup.\n")
        sys.exit(130)


def requirements(root: Path, extra: str | None = None) -> dict[str, tuple[int, ...]]:
    """Package name → lowest version that does, from pyproject.toml."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = project["dependencies"] + (project["optional-dependencies"][extra] if extra else [])
    return {name: release(version) for name, version in (line.split(">=") for line in lines)}


def release(version: str) -> tuple[int, ...]:
    """'2.13.0+cpu' → (2, 13, 0)."""
    numbers = re.match(r"\d+(\.\d+)*", version)
    return tuple(map(int, numbers[0].split("."))) if numbers else ()


def missing(needed: dict[str, tuple[int, ...]]) -> list[str]:
    """The needed packages that this Python lacks or has too old."""
    versions = installed()
    return [
        name
        for name, lowest in needed.items()
        if versions.get(name.replace("-", "_").lower(), ()) < lowest
    ]


def installed() -> dict[str, tuple[int, ...]]:
    """Package name → version of what this Python can import, from the folders that pip leaves.

    importlib.metadata would do, but takes longer to import than all else that `check hint` does.
    """
    versions: dict[str, tuple[int, ...]] = {}
    for folder in filter(os.path.isdir, sys.path):
        with contextlib.suppress(OSError):  # one that can't be read has nothing to import
            for entry in Path(folder).iterdir():
                if match := re.fullmatch(r"(.+?)-(\d[\d.]*)[^-]*\.dist-info", entry.name):
                    versions.setdefault(match[1].replace("-", "_").lower(), release(match[2]))
    return versions


def pins_hash(paths: Paths) -> str:
    """Hash of the pinned versions."""
    return hashlib.sha256(paths.constraints.read_bytes()).hexdigest()


def venv_state(paths: Paths) -> str:
    """absent, unmarked (somebody else's), unfinished, outdated (other pins) or ready."""
    if not paths.marker.exists():
        return "unmarked" if paths.venv.exists() else "absent"
    try:
        marker = json.loads(paths.marker.read_text(encoding="utf-8"))
        pins = marker["pins"] if marker["state"] == "ready" else None
    except (ValueError, KeyError, TypeError, OSError):
        pins = None
    if pins is None:
        return "unfinished"
    return "ready" if pins == pins_hash(paths) else "outdated"


def set_up(paths: Paths, extra: str | None = None) -> None:
    """Make .venv and install the pinned packages into it: the dependencies, and those of the extra
    group. A second process that wants to waits, then finds the work done.

    Raises SetupError with the sentence for the user; what was downloaded stays in pip's cache.
    """
    before = venv_state(paths)
    waiting = "Another run is setting up .venv: waiting for it.\n"
    try:
        with lock.held(paths.lock, lambda: sys.stderr.write(waiting)):
            state = venv_state(paths)
            if state == "ready" and before != "ready":
                return  # another run did it while this one waited
            if state == "unfinished":
                shutil.rmtree(paths.venv)
            check_disk(paths)
            paths.venv.mkdir(exist_ok=True)
            mark(paths, "unfinished")
            progress = SetupProgress(paths.constraints, WHY[state])
            progress.show("making .venv")
            make_venv(paths, progress)
            install(paths, progress, extra)
            mark(paths, "ready")
            progress.finish()
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise SetupError(explain("no space left", paths)) from error
        raise SetupError(
            f"{paths.venv} can't be written ({error.strerror or error}): copy this folder to a"
            " place of your own and run the command there, or run it with a Python that already"
            " has the packages."
        ) from error


def mark(paths: Paths, state: str) -> None:
    """Write into .venv how far its setup got."""
    paths.marker.write_text(json.dumps({"state": state, "pins": pins_hash(paths)}), "utf-8")


def check_disk(paths: Paths) -> None:
    """Raise SetupError if the packages do not fit on the disk."""
    free = shutil.disk_usage(paths.root).free
    if free < FREE_BYTES_NEEDED:
        raise SetupError(
            f"The packages need about {FREE_BYTES_NEEDED / 1024**3:.0f} GB of disk space and"
            f" {free / 1024**3:.1f} GB is free at {paths.root}: make room there and {AGAIN}."
        )


def make_venv(paths: Paths, progress: "SetupProgress") -> None:
    """Make the virtual environment, without packages."""
    run_step(paths, progress, [sys.executable, "-m", "venv", str(paths.venv)])


def install(paths: Paths, progress: "SetupProgress", extra: str | None = None) -> None:
    """Install what pyproject.toml names, at the versions that tools/constraints.txt pins."""
    pip = [str(paths.python), "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
    options = ["--progress-bar", "off", "-c", str(paths.constraints)]
    run_step(paths, progress, [*pip, *options, *requirements(paths.root, extra)])


def run_step(paths: Paths, progress: "SetupProgress", command: list[str]) -> None:
    """Run a command of the setup, and keep what it prints in the log."""
    with paths.log.open("w", encoding="utf-8") as log:
        process = subprocess.Popen(
            command, stdout=PIPE, stderr=STDOUT, encoding="utf-8", errors="replace"
        )
        try:
            log.writelines(progress.while_reading(process.stdout or ()))
            code = process.wait()
        finally:
            process.kill()
    if code != 0:
        progress.break_off()
        raise SetupError(explain(paths.log.read_text(encoding="utf-8"), paths))


def explain(text: str, paths: Paths) -> str:
    """What to do about a step that failed, from what it printed."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    if "ensurepip" in text:
        package = f"python{version}-venv"
        return (
            "This Python can't make virtual environments: on Debian or Ubuntu install the package"
            f" {package} (apt install {package}) and {AGAIN}."
        )
    if re.search(_FULL_DISK, text):
        return f"The disk is full: make about 2 GB of room at {paths.root} and {AGAIN}."
    if re.search(_NO_NETWORK, text):
        return (
            "The packages could not be downloaded: check the network connection (or proxy) and"
            f" {AGAIN}; what is already downloaded is kept."
        )
    if re.search(_NO_PACKAGE, text):
        lacking = re.search(r"No matching distribution found for (\S+)", text)
        return (
            f"No package {lacking[1] if lacking else 'that fits'} was found for Python"
            f" {version} on this system: check the network connection, or run the same"
            f" command with another Python from 3.11 on (all of it: {paths.log})."
        )
    last = next((line for line in reversed(text.splitlines()) if line.strip()), "pip said nothing")
    return f"The packages could not be installed ({last.strip()}): see {paths.log}, then {AGAIN}."


def go_on_in(python: Path) -> None:
    """Replace this process by the same command in another Python."""
    command = [str(python), *sys.argv]
    if os.name == "nt":  # there execv returns to the shell before the command is done
        sys.exit(subprocess.run(command, check=False).returncode)
    os.execv(command[0], command)


def step_of(line: str) -> str | None:
    """The step that a line of pip's output begins, in words; None for a line that begins none."""
    if match := _PACKAGE.match(line):
        name, version = match[1].split("-")[:2]
        return f"getting {name} {version}" + (f", {match[2]}" if match[2] else "")
    if line.startswith("Installing collected packages"):
        return f"unpacking {line.count(',') + 1} packages"
    return None


class SetupProgress:
    """Shows the setup's steps and its time: on a terminal one line that moves, elsewhere many."""

    def __init__(self, constraints: Path, why: str) -> None:
        # pip reports only at the end how many of the pinned packages it takes
        self._most = sum("==" in line for line in constraints.read_text("utf-8").splitlines())
        self._got = 0
        self._begin = time.monotonic()
        self._live = sys.stderr.isatty()
        self._text = ""
        print(why, file=sys.stderr)

    def show(self, text: str) -> None:
        """Show a new step."""
        self._text = text
        if self._live:
            self._redraw()
        else:
            print(f"  {text}", file=sys.stderr, flush=True)

    def while_reading(self, stream: Iterable[str]) -> Iterator[str]:
        """Yield the lines of pip's output while the clock on the screen goes on."""
        lines: queue.Queue[str | None] = queue.Queue()

        def read() -> None:
            for line in stream:
                lines.put(line)
            lines.put(None)

        threading.Thread(target=read, daemon=True).start()
        while True:
            try:
                line = lines.get(timeout=0.5)
            except queue.Empty:
                if self._live:
                    self._redraw()
                continue
            if line is None:
                return
            if step := step_of(line):
                if step.startswith("getting"):
                    self._got += 1
                    step += f" ({self._got} of at most {self._most})"
                self.show(step)
            yield line

    def break_off(self) -> None:
        """Leave the line that moves."""
        if self._live:
            sys.stderr.write("\n")

    def finish(self) -> None:
        """Show how long it took."""
        self.show(f"done in {time.monotonic() - self._begin:.0f} s")
        self.break_off()

    def _redraw(self) -> None:
        line = f"  {time.monotonic() - self._begin:4.0f} s  {self._text}"
        sys.stderr.write("\r" + line[:LINE_WIDTH].ljust(LINE_WIDTH))
        sys.stderr.flush()
