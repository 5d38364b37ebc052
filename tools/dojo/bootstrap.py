"""Goes on in a Python that has the packages, and makes one where there is none.

Only the standard library is imported here: this runs first, in whatever Python the user called.

The virtual environment carries a marker that says how far its setup got. A setup that was
interrupted is known by the marker "unfinished" and is made anew, because half-copied packages can
look complete to pip.
"""

import contextlib
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

from dojo import ROOT, lock
from dojo.setup_progress import SetupProgress

FREE_BYTES_NEEDED = 2 * 1024**3
EXIT_UNABLE = 2
# an environment variable: ends a circle of setups that do not help
JUST_SET_UP = "TORCH_KATAS_JUST_SET_UP"

WHY = {
    "absent": "First run: setting up .venv with the packages (once, a few minutes).",
    "unmarked": "Putting the packages into .venv (once, a few minutes).",
    "unfinished": "The last setup did not end: setting up .venv anew.",
    "outdated": "Other versions are asked for than .venv has: bringing it up to date.",
    "ready": "Some packages are missing in .venv: adding them.",
}


class SetupError(Exception):
    """The packages can't be had; the message is one sentence for the user, saying what to do."""


@dataclass(frozen=True)
class Paths:
    """Where everything of one checkout lies."""

    root: Path

    @property
    def venv(self) -> Path:
        return self.root / ".venv"

    @property
    def python(self) -> Path:
        return self.venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

    @property
    def marker(self) -> Path:
        return self.venv / "torch-katas.json"

    @property
    def log(self) -> Path:
        return self.venv / "setup.log"

    @property
    def lock(self) -> Path:
        return self.root / ".setup.lock"

    @property
    def constraints(self) -> Path:
        return self.root / "tools" / "constraints.txt"


def enter(extra: str | None = None) -> None:
    """Return if this Python has the packages; otherwise run the same command again in .venv, made
    first where needed.

    Args:
        extra: a group of [project.optional-dependencies] needed besides the dependencies.
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
                " there: delete that folder and run the same command again."
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
    return tuple(int(part) for part in re.match(r"[\d.]*\d", version).group().split("."))


def missing(wanted: dict[str, tuple[int, ...]]) -> list[str]:
    """The wanted packages that this Python lacks or has too old."""
    there = installed()
    return [
        name
        for name, lowest in wanted.items()
        if there.get(name.replace("-", "_").lower(), ()) < lowest
    ]


def installed() -> dict[str, tuple[int, ...]]:
    """Package name → version of what this Python can import, from the names of the folders pip
    leaves beside each package.

    importlib.metadata would do, but importing it takes longer than everything else that `check
    hint` does.
    """
    found: dict[str, tuple[int, ...]] = {}
    for folder in filter(os.path.isdir, sys.path):
        names: list[str] = []
        with contextlib.suppress(OSError):  # one that can't be read has nothing to import
            names = [entry.name for entry in Path(folder).iterdir()]
        for name in names:
            if match := re.fullmatch(r"(.+?)-(\d[\d.]*)[^-]*\.dist-info", name):
                found.setdefault(match[1].replace("-", "_").lower(), release(match[2]))
    return found


def pins_hash(paths: Paths) -> str:
    return hashlib.sha256(paths.constraints.read_bytes()).hexdigest()


def venv_state(paths: Paths) -> str:
    """'absent', 'unmarked' (made by somebody else), 'unfinished', 'outdated' (other pins) or
    'ready'.
    """
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
    group.

    Raises:
        SetupError: with the sentence for the user; what was downloaded so far stays in pip's cache.
    """
    before = venv_state(paths)
    try:
        with locked(paths):
            state = venv_state(paths)
            if state == "ready" and before != "ready":
                return  # another run did it while this one waited
            if state == "unfinished":
                shutil.rmtree(paths.venv)
            check_disk(paths)
            paths.venv.mkdir(exist_ok=True)
            mark(paths, "unfinished")
            progress = SetupProgress(paths.constraints, WHY[state])
            progress.say("making .venv")
            make_venv(paths)
            install(paths, progress, extra)
            mark(paths, "ready")
            progress.finish()
    except OSError as error:
        raise SetupError(explain_os_error(paths, error)) from error


def mark(paths: Paths, state: str) -> None:
    paths.marker.write_text(
        json.dumps({"state": state, "pins": pins_hash(paths)}), encoding="utf-8"
    )


def check_disk(paths: Paths) -> None:
    free = shutil.disk_usage(paths.root).free
    if free < FREE_BYTES_NEEDED:
        raise SetupError(
            f"The packages need about {FREE_BYTES_NEEDED / 1024**3:.0f} GB of disk space and"
            f" {free / 1024**3:.1f} GB is free at {paths.root}: make room there and run the same"
            " command again."
        )


def make_venv(paths: Paths) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "venv", str(paths.venv)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    if result.returncode != 0:
        text = result.stdout.decode(errors="replace")
        paths.log.write_text(text, encoding="utf-8")
        if "ensurepip" in text:
            version = f"{sys.version_info.major}.{sys.version_info.minor}"
            raise SetupError(
                "This Python can't make virtual environments: on Debian or Ubuntu install the"
                f" package python{version}-venv (apt install python{version}-venv) and run the same"
                " command again."
            )
        raise SetupError(explain_pip(text, paths))


def install(paths: Paths, progress: SetupProgress, extra: str | None = None) -> None:
    """Install what pyproject.toml names, at the versions that tools/constraints.txt pins."""
    names = requirements(paths.root, extra)
    command = [
        str(paths.python),
        "-m",
        "pip",
        "install",
        "--disable-pip-version-check",
        "--no-input",
    ]
    command += ["--progress-bar", "off", "-c", str(paths.constraints), *names]
    with paths.log.open("w", encoding="utf-8") as log:
        pip = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
        )
        try:
            for line in progress.while_reading(pip.stdout):
                log.write(line)
            code = pip.wait()
        finally:
            pip.kill()
    if code != 0:
        progress.break_off()
        raise SetupError(explain_pip(paths.log.read_text(encoding="utf-8"), paths))


def explain_pip(text: str, paths: Paths) -> str:
    """What to do about a pip that failed, from what it printed."""
    lowered = text.lower()
    if "no space left" in lowered or "errno 28" in lowered or "disk quota" in lowered:
        return (
            f"The disk is full: make about 2 GB of room at {paths.root} and run the same command"
            " again."
        )
    no_network = (
        "name resolution",
        "newconnectionerror",
        "connection refused",
        "network is unreachable",
        "timed out",
    )
    if any(
        sign in lowered
        for sign in (*no_network, "max retries exceeded", "getaddrinfo failed", "proxyerror")
    ):
        return (
            "The packages could not be downloaded: check the network connection (or proxy) and run"
            " the same command again; what is already downloaded is kept."
        )
    if "no matching distribution" in lowered or "could not find a version" in lowered:
        wanted = re.search(r"No matching distribution found for (\S+)", text)
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        return (
            f"No package {wanted.group(1) if wanted else 'that fits'} was found for Python"
            f" {version} on this system: check the network connection, or run the same command with"
            f" another Python from 3.11 on (all of it: {paths.log})."
        )
    last = next((line for line in reversed(text.splitlines()) if line.strip()), "pip said nothing")
    return (
        f"The packages could not be installed ({last.strip()}): see {paths.log}, then run the same"
        " command again."
    )


def explain_os_error(paths: Paths, error: OSError) -> str:
    if error.errno == 28:  # ENOSPC
        return explain_pip("no space left", paths)
    return (
        f"{paths.venv} can't be written ({error.strerror or error}): copy this folder to a place of"
        " your own and run the command there, or run it with a Python that already has the"
        " packages."
    )


def locked(paths: Paths) -> contextlib.AbstractContextManager[None]:
    """Hold the setup to one process: a second one waits, then finds the work done."""
    return lock.held(
        paths.lock, lambda: sys.stderr.write("Another run is setting up .venv: waiting for it.\n")
    )


def go_on_in(python: Path) -> None:
    """Replace this process by the same command in another Python."""
    command = [str(python), *sys.argv]
    if os.name == "nt":  # there execv returns to the shell before the command is done
        sys.exit(subprocess.run(command, check=False).returncode)
    os.execv(command[0], command)
