"""Everything a record depends on. While none of it changes, a submission is not run again."""

import importlib.metadata
import json
import platform
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from dojo import ROOT, files, imports
from dojo.grade.assignment import Assignment
from dojo.grade.records import Submission
from dojo.reference_results import bounds_of

# what katas may import, what these compute with, and what runs the tests
USED_BY_KATAS = ("torch", "numpy", "scikit-learn", "scipy", "matplotlib", "joblib")
PACKAGES = (*USED_BY_KATAS, "threadpoolctl", "safetensors", "pytest", "pytest-timeout", "pluggy")
JUDGE = "dojo.grade.judge"
# Modules that a judge imports and that have no say in a verdict, each with the reason. All others
# that it imports, directly or not, have one, those that are still to be written included.
NO_SAY = {
    "dojo.grade.assignment": "what it has read is a part of the versions by itself",
    "dojo.grade.judge_pool": "it hands submissions to judges, and alters no record of theirs",
    "dojo.grade.text": "how text is shown, and how much of it",
}


def key(submission: Submission, versions: Mapping[str, str]) -> str:
    """Cache key of a record: hash of the student id, the submission's content and everything that
    judges it.
    """
    return _text([submission.id, submission.content, sorted(versions.items())])


def versions(assignment: Assignment, isolated: bool, root: Path = ROOT) -> dict[str, str]:
    """Everything that judges a submission of this assignment, by hashes: a change in any of them
    makes old records too old. What tasks are worth changes no verdict, and is not among them.

    Args:
        isolated: submissions run in the sandbox, and records from outside of it do not count.
    """
    names = [kata.name for kata in assignment.katas]
    pyproject = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    suite, exam = set(_suite(root, names)), set(_exam(root, names))
    judge = imports.files_of(JUDGE, root)
    judging = imports.closure([*suite, *exam, *judge], root)
    tools = {path for path in judging if path.is_relative_to(root / "tools")}
    modules = {path: imports.module_of(path, root) for path in tools}
    deciding = [path for path in tools if not imports.is_in(modules[path], NO_SAY)]
    system = [platform.python_version(), platform.system(), platform.machine()]
    return {
        "suite": _files(root, judging - exam - tools) + _text(pyproject["tool"]["pytest"]),
        "exam": _files(root, exam),
        "marks": _text([bounds_of(name) for name in names]),
        "tools": _files(root, deciding),
        "packages": _text([*system, *((name, _version(name)) for name in PACKAGES)]),
        "assignment": _text([sorted(assignment.points), vars(assignment.limits)]),
        "isolated": str(isolated),
    }


def _suite(root: Path, katas: Iterable[str]) -> Iterator[Path]:
    """The tests of these katas, and what is loaded with them without an import that says so."""
    yield root / "conftest.py"
    yield from (root / "tests" / f"test_{kata}.py" for kata in katas)
    shared = (root / "tests").rglob("*.py")
    yield from (path for path in shared if not path.name.startswith("test_k"))
    yield root / "katas" / "__init__.py"
    yield from (root / "katas" / "given").rglob("*.py")


def _exam(root: Path, katas: Iterable[str]) -> Iterator[Path]:
    for kata in katas:
        yield root / "reference" / f"{kata}.py"
        yield root / "reference" / "exams" / f"{kata}.py"


def _files(root: Path, paths: Iterable[Path]) -> str:
    """Hash of files, whatever their line ends; a file that is not there counts as well."""
    names = sorted((path.relative_to(root).as_posix(), path) for path in paths)
    return files.digest(part for name, path in names for part in (name, files.content(path)))


def _text(value: object) -> str:
    return files.digest([json.dumps(value, sort_keys=True)])


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""
