"""The virtual environment .venv: how far its setup got, and the setup.

It carries a marker that says how far its setup got, as half-copied packages can look complete to
pip. Where a setup was interrupted the next one begins anew: in an empty folder if nothing but the
setup has ever been in there and nothing runs in it, otherwise by installing every package again
over what is there.
"""

import errno
import json
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from dojo import lock
from dojo.bootstrap import builds, packages, pip, sentences
from dojo.bootstrap.packages import AGAIN, Paths, SetupError
from dojo.bootstrap.progress import SetupProgress

WHY = {
    "absent": "First run: setting up .venv with the packages (once, a few minutes).",
    "unmarked": "Putting the packages into .venv, which is there already (once, a few minutes).",
    "unfinished": "The last setup did not end: setting up .venv anew.",
    "broken": "The Python of .venv is gone: setting up .venv anew.",
    "outdated": "Other versions are asked for than .venv has: bringing it up to date.",
    "lacking": "Some packages are missing in .venv: adding them.",
    "exchange": "Exchanging torch in .venv: another build is asked for.",
}
# makes the bytecode that every command needs, and proves that torch starts on this machine
FIRST_IMPORT = "import torch, sklearn.datasets, matplotlib.pyplot, pytest, rich, typer, msgspec"


@dataclass(frozen=True)
class Marker:
    """What is written into .venv about its setup."""

    state: str  # unfinished or ready
    pins: str  # hash of the pins that it follows
    extras: Sequence[str] = ()
    torch: str = ""  # the build that was asked for
    ours: bool = False  # nothing but an unfinished setup was ever in it: it may be emptied


def read_marker(paths: Paths) -> Marker | None:
    """What .venv says about its setup; None if it says nothing."""
    if not paths.marker.exists():
        return None
    try:
        return Marker(**json.loads(paths.marker.read_text(encoding="utf-8")))
    except (ValueError, TypeError, OSError):
        return Marker("unfinished", "")


def state_of(paths: Paths, extra: str | None = None, asked: str | None = None) -> str:
    """'ready', or why .venv has to be set up: a key of WHY. `asked`: a build of torch.

    Raises SetupError if it belongs to another system.
    """
    marker = read_marker(paths)
    if marker is None:
        return "unmarked" if os.path.lexists(paths.venv) else "absent"
    if marker.state != "ready":
        return "unfinished"
    if not paths.python.exists():
        if any((paths.venv / other).exists() for other in ("bin/python", "Scripts/python.exe")):
            raise SetupError(
                f"{paths.venv} was set up on another system, which may still use it: work in a"
                " second copy of this folder here, or delete .venv there."
            )
        return "broken"
    if marker.pins != packages.pins_hash(paths, marker.extras):
        return "outdated"
    needed = packages.requirements(paths.root, extra)
    if packages.missing(needed, paths.packages) or not set(extras_of(extra)) <= {*marker.extras}:
        return "lacking"
    if asked and asked != marker.torch:
        there = builds.present(paths)
        return "exchange" if not there or asked != there[1] else "ready"
    return "ready"


def extras_of(extra: str | None) -> list[str]:
    """The extras that are installed where this one is needed."""
    return [extra] if extra else []


def set_up(paths: Paths, extra: str | None = None, asked: str | None = None) -> None:
    """Make .venv and install the pinned packages into it: the dependencies, those of the extra
    group, and the build of torch that is asked for. A second process that wants to waits, then
    finds the work done.

    Raises SetupError with the sentence for the user; what was downloaded stays in pip's cache.
    """
    waiting = "Another run is setting up .venv: waiting for it.\n"
    try:
        with lock.held(paths.lock, lambda: sys.stderr.write(waiting)) as held:
            paths.held = (held.fileno(),) if os.name == "posix" else ()
            state = state_of(paths, extra, asked)
            if state != "ready":  # another run may have done it while this one waited
                _set_up(paths, state, extra, asked)
    except pip.StepFailed as failure:
        raise SetupError(sentences.explain(str(failure), paths)) from failure
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise SetupError(sentences.explain("no space left", paths)) from error
        raise SetupError(
            f"{paths.venv} can't be written ({error.strerror or error}): copy this folder to a"
            " place of your own and run the command there, or run it with a Python that already"
            " has the packages."
        ) from error


def _set_up(paths: Paths, state: str, extra: str | None, asked: str | None) -> None:
    """The setup, by the process that holds the lock."""
    marker = read_marker(paths)
    extras = sorted({*extras_of(extra), *(marker.extras if marker else ())})
    there = builds.present(paths)
    build, why = _build(asked, marker, there)
    fresh = not paths.venv.exists() or not any(paths.venv.iterdir())
    ours = state == "broken" or (state == "unfinished" and marker and marker.ours)
    if ours and not paths.runs_here:
        _empty(paths)
        fresh, there = True, None
    repair = state == "unfinished" and not fresh
    new_torch = repair or not _serves(there, build, packages.torch_pin(paths))
    all_extras = [*extras, *packages.along(extras)]
    progress = SetupProgress(packages.pin_files(paths, all_extras), WHY[state])
    if new_torch:
        if builds.LINUX and build != "cpu":
            progress.expect(paths.cuda_pins)
        name = build if build == "default" else build.upper()
        what = f"torch {packages.torch_pin(paths)}, the {name} build ({why})"
        _announce(progress, what, paths, builds.size(build, extras))

    def mark(state: str) -> None:
        pins = packages.pins_hash(paths, extras)
        now = Marker(state, pins, extras, build, ours=fresh and state == "unfinished")
        paths.marker.write_text(json.dumps(asdict(now)), "utf-8")

    paths.venv.mkdir(exist_ok=True)
    mark("unfinished")
    try:
        _fill(paths, progress, extras, build if new_torch else None, repair)
    finally:
        progress.break_off()
    mark("ready")
    progress.finish()


def _build(
    asked: str | None, marker: Marker | None, there: tuple[str, str] | None
) -> tuple[str, str]:
    """The build of torch to install, and why that: what is asked for, else what there is."""
    if asked:
        return asked, "as you asked"
    fits = builds.fitting()
    before = marker.torch if marker and marker.torch else there and builds.LINUX and there[1]
    return (before, "as before") if before and before != fits[0] else fits


def _serves(there: tuple[str, str] | None, build: str, version: str) -> bool:
    """True if the torch that is there is of the pinned version and of this build."""
    return bool(there and there[0].partition("+")[0] == version and build in (there[1], "default"))


def _announce(progress: SetupProgress, what: str, paths: Paths, size: builds.Size) -> None:
    """Say what will be downloaded. Raises SetupError if it does not fit on the disk: .venv, and at
    the same time in pip's temporary folder what is unpacked into it.
    """
    progress.say(f"{what}: {size}")
    temporary = Path(tempfile.gettempdir())
    files = paths.venv.rglob("*") if paths.venv.exists() else ()
    used = sum(file.lstat().st_size for file in files) // 10**6
    grows = max(size.disk - used, 0)
    if paths.root.stat().st_dev == temporary.stat().st_dev:
        needs = [(paths.root, grows + size.download)]
    else:
        needs = [(paths.root, grows), (temporary, size.download)]
    for folder, megabytes in needs:
        free = shutil.disk_usage(folder).free / 1e6
        if free < megabytes:
            raise SetupError(
                f"The setup needs about {megabytes / 1000:.1f} GB of disk space at {folder}, and"
                f" {free / 1000:.1f} GB is free: make room there and {AGAIN}."
            )


def _empty(paths: Paths) -> None:
    """Delete what an unfinished setup left, its marker last of all, and .venv itself not: it may be
    a link.
    """
    for path in paths.venv.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path != paths.marker:
            path.unlink()


def _fill(
    paths: Paths, progress: SetupProgress, extras: Sequence[str], build: str | None, repair: bool
) -> None:
    """Install into .venv what is asked for; `build` of torch: None to leave that as it is."""
    if not pip.is_there(paths):
        progress.show("making .venv")
        make_venv(paths, progress)
    again = ["--force-reinstall"] if repair else []
    for folder in paths.packages if repair else ():
        for rest in folder.glob("~*"):  # what pip had moved away when it was killed
            shutil.rmtree(rest, ignore_errors=True)
    torch, index = find_torch(paths, progress, build, extras) if build else (None, [])
    pins = [word for path in packages.pin_files(paths, extras) for word in ("-r", str(path))]
    pip.install(paths, progress, *again, "--require-hashes", *pins)
    for extra in packages.along(extras):
        try:
            pins = ["-r", str(paths.pins / f"{extra}.txt")]
            pip.install(paths, progress, *again, "--require-hashes", *pins)
        except pip.StepFailed:
            progress.say(f"without the {extra}, which can't be had here")
    if torch:
        pip.install(paths, progress, *again, *index, f"torch==={torch}")
    cuda = paths.cuda_pins
    if builds.needs_cuda(paths):
        pip.install(paths, progress, *again, "--require-hashes", "-r", str(cuda))
    elif torch and packages.installed(paths.packages).keys() & packages.names(cuda):
        progress.show("removing the CUDA libraries")
        names = sorted(packages.names(cuda))
        pip.run(paths, progress, pip.command(paths, "uninstall", "--yes", *names))
    progress.show("starting torch for the first time")
    pip.run(paths, progress, [str(paths.python), "-c", FIRST_IMPORT])


def make_venv(paths: Paths, progress: SetupProgress) -> None:
    """Make the virtual environment, without packages."""
    if paths.python.exists():  # made by a tool that leaves pip out, such as uv
        pip.run(paths, progress, [str(paths.python), "-m", "ensurepip"])
    else:
        pip.run(paths, progress, [sys.executable, "-m", "venv", str(paths.venv)])


def find_torch(
    paths: Paths, progress: SetupProgress, build: str, extras: Sequence[str]
) -> tuple[str, list[str]]:
    """The version of torch to install, and pip's options that find it. Where the index of CPU
    builds has none, pip's own indexes are asked.

    Raises SetupError if there is none to be had.
    """
    version = packages.torch_pin(paths)
    why = ""
    if build == "cpu":
        index = ["--index-url", builds.cpu_index()]
        offer = pip.offered(paths, "torch", version, *index)
        if found := builds.pick(build, version, offer.versions):
            return found, index
        reason = sentences.network(offer.printed)
        why = reason[0] if reason else "it has none for this Python on this system"
    offer = pip.offered(paths, "torch", version)
    if build == "cpu" and (found := builds.pick("cpu", version, offer.versions)):
        return found, []
    found = builds.pick("default" if build == "cpu" else build, version, offer.versions)
    if not found:
        if sentences.no_index(offer.printed):
            raise SetupError(sentences.without_index(f"torch {version}"))
        if not offer.wheels and (reason := sentences.network(offer.printed)):
            raise SetupError(sentences.not_downloaded(*reason))
        system = (sys.platform, platform.machine())
        raise SetupError(sentences.no_torch(version, offer.wheels, system))
    if build == "cpu":
        progress.say(f"No CPU build from {builds.cpu_index()}: {why}.")
        if builds.LINUX:
            progress.expect(paths.cuda_pins)
            what = f"Instead torch {found} from pip's own index, with CUDA"
            _announce(progress, what, paths, builds.size("cuda", extras))
    return found, []
