"""What is asked for (pyproject.toml), what is pinned (tools/pins), and what a Python has."""

import contextlib
import hashlib
import os
import re
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

from dojo import UserError

AGAIN = "run the same command again"
Release = tuple[int, ...]
# what is installed with an extra though nothing waits for it: the command can do without
ALONG = {"validate": ("linters",)}


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
        self.pins = root / "tools" / "pins"
        self.cuda_pins = self.pins / "cuda.txt"
        self.held: tuple[int, ...] = ()  # the lock of a setup, which its children hold too

    @property
    def runs_here(self) -> bool:
        """True if this process runs in .venv, which then must not be emptied."""
        return self.venv.exists() and self.venv.samefile(sys.prefix)

    @property
    def packages(self) -> list[Path]:
        """The folders in .venv that packages are installed into: one, if it is there."""
        pattern = "Lib/site-packages" if os.name == "nt" else "lib/python3*/site-packages"
        return list(self.venv.glob(pattern))


def requirements(root: Path, extra: str | None = None) -> dict[str, Release]:
    """Package name → lowest version that does, from pyproject.toml."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = project["dependencies"] + (project["optional-dependencies"][extra] if extra else [])
    return {name: release(version) for name, version in (line.split(">=") for line in lines)}


def pin_files(paths: Paths, extras: Sequence[str]) -> list[Path]:
    """The files with the pins of these extras, and of what every command needs."""
    return [path for name in ("core", *extras) if (path := paths.pins / f"{name}.txt").exists()]


def along(extras: Sequence[str]) -> list[str]:
    """The extras that are installed along with these, if they can be had."""
    return [other for extra in extras for other in ALONG.get(extra, ())]


def torch_pin(paths: Paths) -> str:
    """The version of torch that is installed."""
    text = (paths.pins / "torch.txt").read_text(encoding="utf-8")
    return next(line.removeprefix("torch==") for line in text.split() if "torch==" in line)


def names(pins: Path) -> set[str]:
    """The packages that a file pins."""
    return set(re.findall(r"(?m)^([\w.-]+)==", pins.read_text(encoding="utf-8")))


def pins_hash(paths: Paths, extras: Sequence[str]) -> str:
    """Hash of the pinned versions that these extras are installed at."""
    whole = hashlib.sha256(torch_pin(paths).encode())
    for path in pin_files(paths, [*extras, *along(extras)]):
        whole.update(path.read_bytes())
    return whole.hexdigest()


def release(version: str) -> Release:
    """'2.13.0+cpu' → (2, 13, 0)."""
    numbers = re.match(r"\d+(\.\d+)*", version)
    return tuple(map(int, numbers[0].split("."))) if numbers else ()


def missing(needed: dict[str, Release], folders: Sequence[str | Path] | None = None) -> list[str]:
    """The needed packages that these folders (else this Python) lack or have too old."""
    versions = installed(folders)
    return [
        name for name, lowest in needed.items() if release(versions.get(plain(name), "")) < lowest
    ]


def installed(folders: Sequence[str | Path] | None = None) -> dict[str, str]:
    """Package name → version of what lies in these folders (else what this Python can import),
    from what pip and conda leave beside a package.

    importlib.metadata would do, but takes longer to import than all else that `check hint` does.
    """
    versions: dict[str, str] = {}
    for folder in filter(os.path.isdir, sys.path if folders is None else folders):
        with contextlib.suppress(OSError):  # one that can't be read has nothing to import
            for entry in Path(folder).iterdir():
                kind = r"(?:-py3[.\d]*)?\.egg-info|\.dist-info"
                if match := re.fullmatch(rf"(.+?)-(\d[^-]*)(?:{kind})", entry.name):
                    versions.setdefault(plain(match[1]), match[2])
    return versions


def plain(name: str) -> str:
    """A package's name as every spelling of it comes out."""
    return re.sub(r"[-_.]+", "-", name).lower()
