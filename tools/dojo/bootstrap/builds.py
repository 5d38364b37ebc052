"""The builds of torch: which one fits this machine, how large it is, where it comes from.

PyPI has one build of torch for each system: on Linux that for CUDA, with NVIDIA's libraries, on
Windows and a Mac a small one. Builds for the CPU alone lie in an index of PyTorch's own.
"""

import contextlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dojo.bootstrap.packages import Paths, SetupError, installed

CHOICES = ("cpu", "cuda", "default")
FLAG = "--torch"
VARIABLE = "TORCH_KATAS_TORCH"
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
CPU_INDEX_VARIABLE = "TORCH_KATAS_CPU_INDEX"
# The oldest driver for CUDA 13, which the default index's torch 2.13 is built for: NVIDIA's
# release notes of CUDA 13.0.
OLDEST_DRIVER = 580
LINUX = sys.platform.startswith("linux")


@dataclass(frozen=True)
class Size:
    """What a build costs with all other packages: MB that are downloaded, MB on the disk."""

    download: int
    disk: int

    def __str__(self) -> str:
        return f"about {_round(self.download)} to download, {_round(self.disk)} on the disk"


# Measured in November 2026 with the pins of then. Downloads: the sizes of the wheels, as the
# indexes give them. Disk: `du` of .venv on Linux after the first runs, elsewhere what the wheels
# hold; and some more for the bytecode that comes with use.
CPU_ON_LINUX = Size(300, 1100)
CUDA_ON_LINUX = Size(2900, 5500)
ELSEWHERE = Size(220, 850)
OF_EXTRAS = Size(60, 200)


def take_choice(argv: list[str], environ: Mapping[str, str]) -> str | None:
    """The build that is asked for by --torch, which is taken out of argv, or by the variable; None
    where the machine decides.

    Raises SetupError if there is no such build.
    """
    asked, where = environ.get(VARIABLE), VARIABLE
    for at, word in enumerate(argv):
        if word == "--":
            break
        if word == FLAG or word.startswith(f"{FLAG}="):
            values = [word.partition("=")[2]] if "=" in word else argv[at + 1 : at + 2]
            asked, where = "".join(values), FLAG
            del argv[at : at + 1 + ("=" not in word)]
            break
    if asked is None or (asked == "" and where == VARIABLE):
        return None
    if asked not in CHOICES:
        raise SetupError(
            f"{where} {asked}".rstrip() + f": choose {', '.join(CHOICES[:-1])} or {CHOICES[-1]}."
        )
    if asked == "cuda" and not LINUX:
        raise SetupError(
            f"{where} cuda is for Linux: elsewhere PyTorch's default build is installed. A torch"
            " for CUDA that you have installed into an environment of your own is used as it is."
        )
    return asked


def fitting() -> tuple[str, str]:
    """The build that fits this machine, and why."""
    if not LINUX:
        return "default", "the one for this system"
    version = driver()
    if version is None:
        return "cpu", "no NVIDIA GPU was found"
    if 0 < int(version.partition(".")[0] or 0) < OLDEST_DRIVER:
        return "cpu", f"the NVIDIA driver {version} is too old for CUDA 13, which needs 580"
    return "cuda", "for the NVIDIA GPU"


def driver(system: Path = Path("/")) -> str | None:
    """The version of the NVIDIA driver that can be used here: "" if it can't be told, None if there
    is no GPU. Asked of the system, as torch is not there yet.

    The driver's version alone says too much: a container sees that of its host, and no GPU.
    """
    if list((system / "dev").glob("nvidia[0-9]*")):
        for name in ("sys/module/nvidia/version", "proc/driver/nvidia/version"):
            with contextlib.suppress(OSError):
                text = (system / name).read_text(encoding="utf-8", errors="replace")
                if match := re.search(r"\b\d{3}\.\d+[.\d]*", text):
                    return match[0]
    # Windows' subsystem for Linux has no such files, and the tool in a folder of its own
    folders = os.pathsep.join((os.environ.get("PATH", ""), str(system / "usr/lib/wsl/lib")))
    tool = shutil.which("nvidia-smi", path=folders)
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        if tool:
            ask = [tool, "--query-gpu=driver_version", "--format=csv,noheader"]
            told = subprocess.run(ask, capture_output=True, timeout=20, check=True)
            return told.stdout.decode(errors="replace").strip().split("\n")[0]
    return "" if list((system / "dev").glob("nvidia[0-9]*")) else None


def size(build: str, extras: Sequence[str] = ()) -> Size:
    """What a build costs on this system, with all other packages."""
    base = (CPU_ON_LINUX if build == "cpu" else CUDA_ON_LINUX) if LINUX else ELSEWHERE
    more = OF_EXTRAS if extras else Size(0, 0)
    return Size(base.download + more.download, base.disk + more.disk)


def cpu_index() -> str:
    """The address of the index of CPU builds, or of the mirror that stands in for it."""
    return os.environ.get(CPU_INDEX_VARIABLE) or CPU_INDEX


def pick(build: str, version: str, offered: tuple[str, ...]) -> str | None:
    """Of the versions offered, that of this build: '2.13.0+cpu' is the CPU build, '2.13.0' the
    build that PyPI has.
    """
    same = [each for each in offered if each.partition("+")[0] == version]
    if build == "default" or not LINUX:  # elsewhere every build is for the CPU (or Apple's GPU)
        return next(iter(same), None)
    of_cpu = build == "cpu"
    return next((each for each in sorted(same) if each.endswith("+cpu") == of_cpu), None)


def present(paths: Paths) -> tuple[str, str] | None:
    """The version of torch in .venv, and its build; None if there is none."""
    version = installed(paths.packages).get("torch")
    if version is None:
        return None
    return version, "cuda" if needs_cuda(paths) else "cpu"


def needs_cuda(paths: Paths) -> bool:
    """True if the torch in .venv asks for NVIDIA's libraries."""
    for folder in paths.packages:
        for metadata in folder.glob("torch-*.dist-info/METADATA"):
            text = metadata.read_text(encoding="utf-8", errors="replace")
            return LINUX and bool(re.search(r"(?m)^Requires-Dist: (nvidia|cuda)-", text))
    return False


def _round(megabytes: int) -> str:
    return f"{megabytes / 1000:.1f} GB" if megabytes >= 1000 else f"{megabytes} MB"
