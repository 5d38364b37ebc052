"""What a warm process has imported, as one text: while it stays the same, a run of the warm process
is as good as a new one.

Neither the learner's files nor tests/test_kNN_*.py are in it: every child reads these itself.
"""

import contextlib
import hashlib
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from dojo import ROOT

# Settings of the libraries that the tests run with; a process started under others gives other
# results.
SETTINGS = (
    "CUBLAS",
    "CUDA",
    "KMP_",
    "LD_",
    "MKL_",
    "MPL",
    "NVIDIA",
    "OMP_",
    "OPENBLAS",
    "PYTEST_ADDOPTS",
    "PYTHON",
    "PYTORCH",
)
SETTINGS += ("TORCH",)
# before we add our own
_SETTINGS = {name: value for name, value in os.environ.items() if name.startswith(SETTINGS)}


# which no program can set back; elsewhere st_ctime is another time
HAS_CHANGE_TIME = os.name == "posix"
# a file written again within a tick of the clock looks as it did before
NANOSECONDS_TO_SETTLE = 2 * 10**9
_known: dict[Path, tuple[tuple[int, ...], bytes]] = {}


def fingerprint(root: Path = ROOT) -> str:
    """Of the tests' shared parts, what is given, the tools, the packages, this Python and its
    settings.
    """
    own = f"{sys.version}\0{sys.prefix}\0{sorted(_SETTINGS.items())}\0{sorted(_packages())}"
    return _hash(root, _given(root), own) + tools(root)


def environment() -> dict[str, str]:
    """The environment for a process that shall have the same fingerprint: with the settings this
    one was started with.
    """
    return {
        name: value for name, value in os.environ.items() if not name.startswith(SETTINGS)
    } | _SETTINGS


def tools(root: Path = ROOT) -> str:
    """Of the tools alone: when they change, whoever runs them has to start anew."""
    files = (root / "tools" / "dojo").rglob("*")
    return _hash(root, _listed(path for path in files if path.suffix in (".py", ".toml")))


def _given(root: Path) -> Iterator[Path]:
    yield from (root / name for name in ("conftest.py", "pyproject.toml", "tools/constraints.txt"))
    yield from (root / "katas" / name for name in ("__init__.py", "catalog.toml"))
    yield from _listed((root / "katas" / "given").rglob("*.py"))
    shared = root / "tests" / "support"
    yield from (
        path
        for path in (*_listed((root / "tests").glob("*")), *_listed(shared.glob("*.py")))
        if path.suffix and not path.name.startswith("test_k")
    )


def _listed(paths: Iterator[Path]) -> Iterator[Path]:
    """These, up to a folder that is moved away while it is read: what is missed makes another
    fingerprint, as it should.
    """
    with contextlib.suppress(OSError):
        yield from paths


def _hash(root: Path, paths: Iterator[Path], more: str = "") -> str:
    digest = hashlib.sha256(more.encode())
    for path in sorted(paths):
        digest.update(_of(path, root))
    return digest.hexdigest()[:32]


def _of(path: Path, root: Path) -> bytes:
    """Of one file, its name and its content; read anew unless the system says that it is as it
    was.
    """
    try:
        found = path.stat()
        state = (found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino)
        known = _known.get(path)
        if known and known[0] == state:
            return known[1]
        content = path.read_bytes()
    except OSError:  # gone, or just being written: as good as another content
        return b"?"
    digest = hashlib.sha256(path.relative_to(root).as_posix().encode() + b"\0" + content).digest()
    age = time.time_ns() - max(state[:2])
    if HAS_CHANGE_TIME and age > NANOSECONDS_TO_SETTLE:
        _known[path] = state, digest
    return digest


def _packages() -> Iterator[tuple[str, int]]:
    """The folder that each installed package leaves beside it, and when that was written."""
    for folder in sys.path:
        with contextlib.suppress(OSError):
            for entry in list(os.scandir(folder)):
                if entry.name.endswith(".dist-info"):
                    yield entry.name, _written(entry)


def _written(entry: os.DirEntry) -> int:
    try:
        return entry.stat().st_mtime_ns
    except OSError:  # a package that is being taken away or put in at this moment
        return 0
