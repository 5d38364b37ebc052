"""What the references reached when they were last validated: reference/validation/reference.json.

Written by `python tools/validate --record`, read by `python tools/check`. Each kata's entry carries
a hash of what it
speaks of, so that an entry older than its reference or its tests is known.
"""

import hashlib
import json
import tomllib
from dataclasses import dataclass
from pathlib import Path

from dojo import ROOT
from dojo.results import KataResult, Outcome

FILE = ROOT / "reference" / "validation" / "reference.json"


@dataclass(frozen=True)
class Entry:
    """One kata's reference: the tasks it passes, and the numbers its trainings reached (mark →
    value).
    """

    content: str
    passed: tuple[str, ...]
    measured: dict[str, float | None]


def content_hash(kata: str) -> str:
    """Of the reference, its tests and its pass marks, the same on every system."""
    digest = hashlib.sha256()
    for path in (ROOT / "reference" / f"{kata}.py", ROOT / "tests" / f"test_{kata}.py"):
        digest.update(path.read_bytes().replace(b"\r\n", b"\n") + b"\0")
    digest.update(bounds_of(kata).encode())
    return digest.hexdigest()[:16]


def bounds_of(kata: str) -> str:
    """What a kata's trainings have to reach, as text; without what was measured, which changes
    nothing for a solution.
    """
    marks = tomllib.loads((ROOT / "tests" / "pass_marks.toml").read_text(encoding="utf-8"))
    own = {
        name: (mark["must_be"], mark["mark"])
        for name, mark in marks.items()
        if name.startswith(kata.partition("_")[0] + ".")
    }
    return json.dumps(own, sort_keys=True)


def entry_of(result: KataResult) -> Entry:
    passed = tuple(task.name for task in result.tasks if task.outcome == Outcome.PASSED)
    measured = {number.mark: number.value for number in result.measured}
    return Entry(content_hash(result.name), passed, measured)


def read(path: Path = FILE) -> dict[str, Entry]:
    """Kata name → entry; empty where there is no readable record."""
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        return {
            name: Entry(fields["content"], tuple(fields["passed"]), fields["measured"])
            for name, fields in entries.items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def write(entries: dict[str, Entry], path: Path = FILE) -> None:
    document = {
        name: vars(entry) | {"passed": list(entry.passed)} for name, entry in entries.items()
    }
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
