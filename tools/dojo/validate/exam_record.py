"""How the exams did when they were last tried out: reference/validation/exams.json.

Written by `python tools/validate --exams N --record`. A kata's entry carries a hash of what it
speaks of, so that one older than the exam, the reference or the known mistakes is known.
"""

import json
from dataclasses import asdict, dataclass, fields
from importlib.metadata import version
from pathlib import Path

from dojo import ROOT

FILE = ROOT / "reference" / "validation" / "exams.json"


@dataclass(frozen=True)
class Figures:
    """Draws under which right solutions were asked, how many of these were refused, and mistakes
    tried and passed.
    """

    reference: int
    reference_refused: int
    variants: int
    variants_refused: int
    mistakes: int
    mistakes_passed: int


@dataclass(frozen=True)
class Entry:
    of: str  # the key of what was tried
    torch: str
    figures: Figures


def read(path: Path = FILE) -> dict[str, Entry]:
    """Kata name → its entry; empty where there is no readable record."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        counts = [field.name for field in fields(Figures)]
        return {
            name: Entry(
                str(one["of"]),
                str(one["torch"]),
                Figures(**{count: int(one[count]) for count in counts}),
            )
            for name, one in document.items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def write(kata: str, key: str, figures: Figures, path: Path = FILE) -> None:
    """Keep a kata's figures, unless those that are there are of the same texts and of more
    draws.
    """
    entries, new = read(path), Entry(key, version("torch").partition("+")[0], figures)
    old = entries.get(kata)
    if old and old.of == key and _draws(old.figures) > _draws(figures):
        return
    document = {
        name: {"of": one.of, "torch": one.torch, **asdict(one.figures)}
        for name, one in sorted((entries | {kata: new}).items())
    }
    path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def problem(kata: str, key: str, entry: Entry | None) -> str:
    """Why an entry says nothing good of the kata's exam as it is now; empty where it does."""
    again = f"`python tools/validate --exams 0 --record {kata.partition('_')[0]}`"
    if entry is None or entry.of != key:
        return f"{kata}: its exam has changed since it was tried out: {again}"
    found = entry.figures
    if refused := found.reference_refused + found.variants_refused:
        return f"{kata}: its exam refused a right solution under {refused} draws: {again}"
    if found.mistakes_passed:
        return f"{kata}: its exam let {found.mistakes_passed} known mistakes pass: {again}"
    if not found.reference or not found.variants or not found.mistakes:
        return f"{kata}: its exam was not tried on everything: {again}"
    return ""


def _draws(figures: Figures) -> int:
    return figures.reference + figures.variants
