"""What became of the mutants when they were last judged, and which survivors are equivalent:
reference/validation/mutants.toml.

[figures]
k06_logistic_regression = { total = 35, killed = 34, equivalent = 1, date = "...", of = "...", tests
= "..." }

[[equivalent]]
kata = "k06_logistic_regression"
where = "train"                         # the function, or Class.method
# the lines that the mutant changes, and what it makes of them
before = "losses = []"
after = ["losses = None", "losses = 1"] # a text, or several that share the reason
reason = "..."
"""

import datetime
import json
import re
import tomllib
from pathlib import Path

from dojo import ROOT

FILE = ROOT / "reference" / "validation" / "mutants.toml"
FEWEST_KILLED = 0.95  # of those that are not equivalent

Key = tuple[str, str, str]  # of a mutant: where, before, after


class MutantsError(Exception):
    """The list of equivalent mutants is malformed, or the reference itself fails; the message says
    which and why.
    """


def listed(kata: str, path: Path = FILE) -> dict[Key, str]:
    """The kata's survivors judged equivalent → the reason.

    Raises:
        MutantsError: the list is malformed, or a reason is missing.
    """
    found = {}
    try:
        for entry in _document(path).get("equivalent", []):
            where, before, after, reason = (
                entry[name] for name in ("where", "before", "after", "reason")
            )
            if not reason.strip():
                raise ValueError(f"no reason for {before!r}")
            if entry["kata"] == kata:
                found |= {
                    (where, before, text): reason
                    for text in ([after] if isinstance(after, str) else after)
                }
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise MutantsError(f"{path.name} is malformed: {error!r}") from None
    return found


def figures(path: Path = FILE) -> dict[str, dict]:
    """Kata → its figures: total, killed and equivalent, and what they are of.

    Raises:
        MutantsError: the file is malformed.
    """
    try:
        return {kata: dict(fields) for kata, fields in _document(path).get("figures", {}).items()}
    except (TypeError, AttributeError, ValueError) as error:
        raise MutantsError(f"{path.name} is malformed: {error!r}") from None


def record(kata: str, counted: dict[str, int], of: str, tests: str, path: Path = FILE) -> None:
    """Write a kata's figures down; the rest of the file stays as it is.

    Args:
        counted: total, killed, equivalent.
        of: the hash of the reference's code.
        tests: the hash of what judged.
    """
    lines = figures(path) | {
        kata: counted | {"date": str(datetime.date.today()), "of": of, "tests": tests}
    }
    table = ""
    for name, fields in sorted(lines.items()):
        table += (
            f"{name} = {{"
            f" {', '.join(f'{key} = {json.dumps(value)}' for key, value in fields.items())} }}\n"
        )
    text = _text(path)
    path.write_text(
        re.sub(r"^\[figures\]\n(?:k.*\n)*", f"[figures]\n{table}", text, flags=re.MULTILINE),
        encoding="utf-8",
    )


def problem(kata: str, entry: dict | None, of: str, equivalent: int) -> str:
    """Why the figures of a kata say nothing good of its tests as they are now; empty where they do.

    Args:
        of: the hash of the reference's code as it is now.
        equivalent: how many mutants are listed as such.
    """
    again = f"`python tools/validate --mutants --record {kata.partition('_')[0]}`"
    if entry is None or entry.get("of") != of:
        return f"{kata}: its reference has changed since its mutants were judged: {again}"
    total, killed = entry["total"] - entry["equivalent"], entry["killed"]
    if killed < FEWEST_KILLED * total or entry["killed"] + entry["equivalent"] < entry["total"]:
        return (
            f"{kata}: only {killed} of {total} mutants that are not equivalent were killed: {again}"
        )
    if entry["equivalent"] != equivalent:
        return (
            f"{kata}: {equivalent} mutants are listed as equivalent, and {entry['equivalent']} were"
            f" found: {again}"
        )
    return ""


def _document(path: Path) -> dict:
    return tomllib.loads(_text(path))


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else "[figures]\n"
