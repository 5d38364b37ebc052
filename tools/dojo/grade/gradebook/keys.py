"""What a record depends on. While all of it is as it was, a submission is not run again."""

import hashlib
import importlib.metadata
import json
import platform
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from dojo import ROOT
from dojo.grade.assignment import Assignment
from dojo.grade.records import Submission
from dojo.reference_results import bounds_of

# What takes part in a verdict: what katas may import, what these compute with, and what runs the
# tests.
PACKAGES = (
    "torch",
    "numpy",
    "scikit-learn",
    "scipy",
    "matplotlib",
    "joblib",
    "threadpoolctl",
    "safetensors",
)
PACKAGES += ("pytest", "pytest-timeout", "pluggy")
# Parts of tools/dojo that have no say in a verdict. All others have, those that are still to be
# written included.
_NO_SAY = (
    "check",
    "validate",
    "bench",
    "environment.py",
    "setup_progress.py",
    "lock.py",
    "console.py",
    "record.py",
)
_NO_SAY_IN_GRADE = ("intake", "gradebook", "text", "assignment", "exports", "summary")
_NO_SAY_IN_GRADE += ("progress", "show", "run", "workers", "commands")


def key(submission: Submission, versions: Mapping[str, str]) -> str:
    """The key of the record on a submission: of whose it is, of its content, and of all that judges
    it.
    """
    parts = [submission.id, submission.content, sorted(versions.items())]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def versions(assignment: Assignment, isolated: bool, root: Path = ROOT) -> dict[str, str]:
    """Everything that judges a submission of this assignment, by hashes: a change in any of them
    makes old records too old. The points are not among them: what they are worth changes no
    verdict.

    Args:
        isolated: whether submissions run in the sandbox: a record from outside of it is never taken
            for one from inside.
    """
    names = [kata.name for kata in assignment.katas]
    pyproject = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    return {
        "suite": _files(root, _suite(root, names)) + _text(pyproject["tool"]["pytest"]),
        "exam": _files(root, _exam(root, names)),
        "marks": _text([bounds_of(name) for name in names]),
        "tools": _files(root, _tools(root)),
        "packages": _text(
            [
                platform.python_version(),
                platform.system(),
                platform.machine(),
                *[(name, _version(name)) for name in PACKAGES],
            ]
        ),
        "assignment": _text([sorted(assignment.points), vars(assignment.limits)]),
        "isolated": str(isolated),
    }


def _suite(root: Path, katas: Iterable[str]) -> Iterator[Path]:
    yield root / "conftest.py"
    yield from (root / "tests" / f"test_{kata}.py" for kata in katas)
    yield from (
        path for path in (root / "tests").rglob("*.py") if not path.name.startswith("test_k")
    )
    yield root / "katas" / "__init__.py"
    yield from (root / "katas" / "given").rglob("*.py")


def _exam(root: Path, katas: Iterable[str]) -> Iterator[Path]:
    for kata in katas:
        yield root / "reference" / f"{kata}.py"
        yield root / "reference" / "exams" / f"{kata}.py"


def _tools(root: Path) -> Iterator[Path]:
    dojo = root / "tools" / "dojo"
    for path in dojo.rglob("*.py"):
        parts = path.relative_to(dojo).parts
        in_grade = (
            parts[0] == "grade"
            and len(parts) > 1
            and parts[1].removesuffix(".py") in _NO_SAY_IN_GRADE
        )
        if parts[0] not in _NO_SAY and not in_grade:
            yield path


def _files(root: Path, paths: Iterable[Path]) -> str:
    """Of the content of files, the same whatever their line ends; one that is not there counts as
    well.
    """
    found = []
    for path in sorted(set(paths)):
        content = path.read_bytes().replace(b"\r\n", b"\n") if path.is_file() else b""
        found.append((path.relative_to(root).as_posix(), hashlib.sha256(content).hexdigest()))
    return _text(found)


def _text(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:32]


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""
