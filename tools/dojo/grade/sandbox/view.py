"""The files seen in the sandbox, and the command line of bubblewrap that shows them."""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dojo import ROOT
from dojo.grade.sandbox.confine import SCRATCH, SHARED_MEMORY, SUBMISSION

SYSTEM = (
    *("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64"),
    *("/etc/ld.so.cache", "/etc/alternatives", "/nix/store"),
)
WITHOUT_TESTS = ("tools/dojo", "katas/given", "katas/__init__.py", "katas/catalog.toml")
PARTS = (*WITHOUT_TESTS, "tests", "conftest.py", "pyproject.toml")
ENVIRONMENT = {
    **dict.fromkeys(("HOME", "TMPDIR", "MPLCONFIGDIR"), SCRATCH),
    "PATH": "/usr/bin:/bin",
    "LANG": "C.UTF-8",
    "MPLBACKEND": "Agg",
    **dict.fromkeys(("USER", "LOGNAME"), "learner"),
    **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
    "CUDA_VISIBLE_DEVICES": "",
    "PYTORCH_NVML_BASED_CUDA_CHECK": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
}


@dataclass(frozen=True)
class Python:
    """A Python, as far as the sandbox has to have it.

    Attributes:
        program: the interpreter itself, no link to it.
        path: sys.path, without the folders of this repository.
    """

    program: str
    folders: tuple[str, ...]
    path: tuple[str, ...]


def this_python() -> Python:
    """The Python that runs this."""
    program = os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable)
    folders = [folder for folder in sys.path if Path(folder).is_dir()]
    path = tuple(folder for folder in folders if _is_of_python(Path(folder)))
    # No more of the prefix than this: it can be somebody's home.
    prefixes = (sys.base_prefix, os.path.realpath(sys.base_prefix))
    libraries = [Path(prefix, name) for prefix in prefixes for name in ("lib", "lib64")]
    folders = [program, *(str(folder) for folder in libraries if folder.is_dir()), *path]
    return Python(program, tuple(dict.fromkeys(folders)), path)


def _is_of_python(folder: Path) -> bool:
    """True for a folder of Python and its packages. Others, such as a home, are not for view."""
    prefixes = [Path(prefix) for prefix in (sys.base_prefix, sys.prefix)]
    libraries = {prefix / name for prefix in prefixes for name in ("lib", "lib64")}
    is_packages = folder.name in ("site-packages", "dist-packages")
    return is_packages or not libraries.isdisjoint(folder.parents)


@dataclass(frozen=True)
class View:
    """The files that bubblewrap shows: an empty root, and on it these.

    Attributes:
        links: symbolic links, path → target.
        sources: files and folders, to be read only, each at its own path.
        empty: folders with nothing in them but what of the above lies deeper.
    """

    links: tuple[tuple[str, str], ...]
    sources: tuple[str, ...]
    empty: tuple[str, ...]


def view(
    python: Python, hidden: Sequence[Path] = (), root: Path = ROOT, of_root: Sequence[str] = PARTS
) -> View:
    """Python, the tests and the tools: no reference, no submission, nobody's files.

    Args:
        hidden: folders that must not be seen, even below others that are, as submissions in /usr.
        of_root: what is shown of this repository.
    """
    links = tuple((path, str(Path(path).readlink())) for path in SYSTEM if Path(path).is_symlink())
    system = [path for path in SYSTEM if Path(path).exists() and not Path(path).is_symlink()]
    parts = [str(root / part) for part in of_root if (root / part).exists()]
    folders = dict.fromkeys(str(path.resolve()) for path in hidden if path.is_dir())
    # what lies in a hidden folder is hidden with it; named once more, it would be seen as empty
    outer = [path for path in folders if not any(_is_below(path, other) for other in folders)]
    sources = [*system, *python.folders, *parts]
    # elsewhere there is nothing to hide, and its path is nobody's business
    shown = [path for path in outer if any(_is_within(path, source) for source in sources)]
    empty = tuple(dict.fromkeys([str(root), *shown]))
    return View(links, _without_doubles(sources, empty), empty)


def in_the_way(seen: View, hidden: Sequence[Path]) -> tuple[Path, str] | None:
    """A folder that can't be hidden, and what in it has to be seen; None if there is none."""
    for folder in hidden:
        for source in seen.sources:
            if _is_within(source, str(folder.resolve())):
                return folder, source
    return None


def _without_doubles(sources: Sequence[str], empty: Sequence[str]) -> tuple[str, ...]:
    """Leave out what a folder above already shows."""
    shown: list[str] = []
    for source in sorted(dict.fromkeys(sources), key=_depth):
        above = [folder for folder in (*shown, *empty) if _is_within(source, folder)]
        if not above or max(above, key=_depth) in empty:
            shown.append(source)
    return tuple(shown)


def command(program: str, seen: View, staged: Sequence[str], run: Sequence[str]) -> list[str]:
    """bubblewrap's command line to start `run` inside, for who is in a user namespace already;
    `staged` is where the sources lie now.
    """
    options = ["--unshare-pid", "--unshare-ipc", "--unshare-net", "--unshare-uts"]
    options += ["--unshare-cgroup-try", "--die-with-parent", "--new-session"]
    options += ["--hostname", "sandbox"]
    # root in its own user namespace alone: to shut its children in, which give it up
    options += ["--cap-add", "ALL"]
    for path, target in seen.links:
        options += ["--symlink", target, path]
    mounts = [(path, ["--tmpfs", path]) for path in seen.empty]
    for path, source in zip(seen.sources, staged, strict=True):
        mounts.append((path, ["--ro-bind", source, path]))
    # what lies deeper comes later, and covers
    for path, option in sorted(mounts, key=lambda mount: _depth(mount[0])):
        for folder in [*Path(path).parents][-2::-1]:  # else made for bubblewrap's own user alone
            options += ["--dir", str(folder)]
        options += option
    options += ["--proc", "/proc", "--dev", "/dev"]
    options += ["--tmpfs", SHARED_MEMORY, "--tmpfs", SCRATCH, "--dir", SUBMISSION]
    for path in ("/", "/dev", *seen.empty):
        options += ["--remount-ro", path]
    return [program, *options, "--chdir", "/", "--", *run]


def in_a_user_namespace(line: Sequence[str]) -> list[str]:
    """The same command line, for who is in no user namespace yet."""
    return [line[0], "--unshare-user", "--uid", "0", "--gid", "0", *line[1:]]


def _depth(path: str) -> int:
    return len(Path(path).parts)


def _is_below(path: str, folder: str) -> bool:
    return Path(folder) in Path(path).parents


def _is_within(path: str, folder: str) -> bool:
    return Path(folder) == Path(path) or _is_below(path, folder)
