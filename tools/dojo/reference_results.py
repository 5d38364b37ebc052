"""What the references reached when they were last validated: reference/validation/reference.json.

Written by `python tools/validate --record`, read by `python tools/check`. Each kata's entry carries
a hash of what it is about, which shows an entry older than its reference or its tests.
"""

import functools
import json
import tomllib
from dataclasses import dataclass
from pathlib import Path

from dojo import ROOT, files, imports
from dojo.results import KataResult, Outcome

FILE = ROOT / "reference" / "validation" / "reference.json"
_parsed = functools.lru_cache(maxsize=1)(tomllib.loads)  # every kata asks for the pass marks


@dataclass(frozen=True)
class ReferenceResult:
    """A kata's reference: the tasks it passes, and the numbers its trainings reached (by mark)."""

    content: str
    passed: tuple[str, ...]
    measured: dict[str, float | None]


def content_hash(kata: str) -> str:
    """Hash of the reference, its tests and its pass marks, the same on every system."""
    paths = [ROOT / "reference" / f"{kata}.py", *tests_of(kata)]
    return files.digest([*map(files.content, paths), bounds_of(kata)])[:16]


def tests_of(kata: str) -> list[Path]:
    """The files that test a kata: its test file, conftest.py, and what they import of tests/ and
    katas/. The tools are none of them: these have tests of their own.
    """
    starts = [ROOT / "tests" / f"test_{kata}.py", ROOT / "conftest.py"]
    return sorted(imports.closure(starts, without=("dojo",)))


def bounds_of(kata: str) -> str:
    """The pass marks of a kata's trainings as text, without what does not change a verdict."""
    marks = _parsed((ROOT / "tests" / "pass_marks.toml").read_text(encoding="utf-8"))
    names = (name for name in marks if name.startswith(kata.partition("_")[0] + "."))
    bounds = {name: (marks[name]["must_be"], marks[name]["mark"]) for name in names}
    return json.dumps(bounds, sort_keys=True)


def entry_of(result: KataResult) -> ReferenceResult:
    """The entry to record for a reference's result."""
    passed = tuple(task.name for task in result.tasks if task.outcome == Outcome.PASSED)
    measured = {number.mark: number.value for number in result.measured}
    return ReferenceResult(content_hash(result.name), passed, measured)


def read(path: Path = FILE) -> dict[str, ReferenceResult]:
    """Kata name → entry; empty where there is no readable record."""
    return files.read_json(path, dict[str, ReferenceResult]) or {}


def write(entries: dict[str, ReferenceResult], path: Path = FILE) -> None:
    """Write the record."""
    files.write_record(path, entries, indent=2)
