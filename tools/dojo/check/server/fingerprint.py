"""What a server has imported, as one text: with the same one it is as good as a new process.

Neither the learner's files nor tests/test_kNN_*.py are in it: every child reads these itself.
"""

import contextlib
import hashlib
import os
import re
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from dojo import ROOT

# variables of the libraries that the tests run with: a process with others gives other results
SETTING = re.compile(
    "CUBLAS|CUDA|KMP_|LD_|MKL_|MPL|NVIDIA|OMP_|OPENBLAS|PYTEST_ADDOPTS|PYTHON|PYTORCH|TORCH"
)
# Those that this process was started with. Taken at import, since the first run adds our own to the
# environment (processes.forking.context) and every run imports this module first.
SETTINGS = {name: value for name, value in os.environ.items() if SETTING.match(name)}
HAS_CHANGE_TIME = os.name == "posix"  # which no program can set back; elsewhere st_ctime is another
# a file written again within a tick of the clock looks as it did before
NANOSECONDS_TO_SETTLE = 2 * 10**9
_digests: dict[Path, tuple[tuple[int, ...], bytes]] = {}  # path → state on the disk, digest


def fingerprint(root: Path = ROOT) -> str:
    """Hash of shared test files, katas/given, the tools, the packages, Python and its variables."""
    python = f"{sys.version}\0{sys.prefix}\0{sorted(SETTINGS.items())}\0{sorted(_packages())}"
    return _hash(root, _shared(root), python) + tools(root)


def environment() -> dict[str, str]:
    """The environment for a process with the same fingerprint: with this one's first settings."""
    others = {name: value for name, value in os.environ.items() if not SETTING.match(name)}
    return others | SETTINGS


def tools(root: Path = ROOT) -> str:
    """Hash of the tools alone: when they change, the program that runs them has to start again."""
    files = _listed((root / "tools" / "dojo").rglob("*"))
    return _hash(root, (path for path in files if path.suffix in (".py", ".toml")))


def _shared(root: Path) -> Iterator[Path]:
    """The files that all katas share, apart from the tools."""
    for name in ("conftest.py", "pyproject.toml", "tools/pins/core.txt", "tools/pins/torch.txt"):
        yield root / name
    yield root / "katas" / "__init__.py"
    yield root / "katas" / "catalog.toml"
    yield from _listed((root / "katas" / "given").rglob("*.py"))
    yield from _listed((root / "tests" / "support").glob("*.py"))
    for path in _listed((root / "tests").glob("*")):
        if path.suffix and not path.name.startswith("test_k"):
            yield path


def _listed(paths: Iterator[Path]) -> Iterator[Path]:
    """These paths, up to a folder that is moved away meanwhile, which is a change anyway."""
    with contextlib.suppress(OSError):
        yield from paths


def _hash(root: Path, paths: Iterable[Path], more: str = "") -> str:
    whole = hashlib.sha256(more.encode())
    for path in sorted(paths):
        whole.update(_digest(path, root))
    return whole.hexdigest()[:32]


def _digest(path: Path, root: Path) -> bytes:
    """Hash of a file's name and content. Reads it only if its state on the disk has changed."""
    try:
        status = path.stat()
        state = (status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino)
        last, digest = _digests.get(path, ((), b""))
        if last == state:
            return digest
        content = path.read_bytes()
    except OSError:  # gone, or just being written: as good as another content
        return b"?"
    digest = hashlib.sha256(path.relative_to(root).as_posix().encode() + b"\0" + content).digest()
    if HAS_CHANGE_TIME and time.time_ns() - max(state[:2]) > NANOSECONDS_TO_SETTLE:
        _digests[path] = state, digest
    return digest


def _packages() -> Iterator[tuple[str, int]]:
    """The name of each installed package's .dist-info folder, and when it was written."""
    for folder in sys.path:
        with contextlib.suppress(OSError):
            for entry in list(os.scandir(folder)):
                if entry.name.endswith(".dist-info"):
                    written = 0  # of a package that is being removed or installed at this moment
                    with contextlib.suppress(OSError):
                        written = entry.stat().st_mtime_ns
                    yield entry.name, written
