"""Pass marks with a pedigree: each mark with what right and wrong trainings reached, and how often
it judges them wrongly.
"""

import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version

QUANTILES = {
    "min": 0.0,
    "q01": 0.01,
    "q05": 0.05,
    "median": 0.5,
    "q95": 0.95,
    "q99": 0.99,
    "max": 1.0,
}
RIGHT_SEEDS, WRONG_SEEDS = 1000, 200

Values = dict[str, list[float]]  # mark → what it was held against, NaN where a training broke


def spread(values: Sequence[float]) -> dict[str, float | int]:
    """Seeds and quantiles; NaN counts as a seed and stands in no quantile."""
    numbers = sorted(value for value in values if value == value)
    if not numbers:
        return {"seeds": len(values)}
    return {"seeds": len(values)} | {
        name: numbers[round(q * (len(numbers) - 1))] for name, q in QUANTILES.items()
    }


def share_meeting(values: Sequence[float], bound: float, at_most: bool) -> float:
    """The share of values that meet a mark; NaN meets none."""
    met = sum(value <= bound if at_most else value >= bound for value in values)
    return met / len(values)


@dataclass(frozen=True)
class Measurement:
    """What the trainings of one kata reached.

    Attributes:
        of: what was measured, as a hash.
        right: the reference's values.
        wrong: known mistake that a mark has to catch → its values.
        beside: known mistakes that other tests catch, each with the test, for no mark has to.
    """

    of: str
    right: Values
    wrong: dict[str, Values]
    beside: tuple[str, ...]


def entries(old: dict[str, dict], measured: Sequence[Measurement]) -> dict[str, dict]:
    """The marks with what was measured for them; the other marks stay as they were."""
    new = {mark: dict(entry) for mark, entry in old.items()}
    when = f"{date.today()}, torch {version('torch')}, Python {platform.python_version()}"
    for one in measured:
        for mark, values in one.right.items():
            entry = new[mark]
            bound = entry["mark"], entry["must_be"] == "at most"
            entry["right"] = spread(values)
            entry["false_fail"] = 1 - share_meeting(values, *bound)
            entry["measured"], entry["of"] = when, one.of
            entry["wrong"] = [
                {"name": name, "false_pass": share_meeting(reached[mark], *bound)}
                | {"meets_all_marks": share_meeting_all(reached, old)}
                | spread(reached[mark])
                for name, reached in one.wrong.items()
                if mark in reached
            ]
            entry["caught_beside"] = list(one.beside)
    return new


def share_meeting_all(values: Values, marks: Mapping[str, dict]) -> float:
    """The share of runs that meet every mark they were held against: only these are taken for
    right.
    """
    runs = list(zip(*values.values(), strict=True))
    bounds = [(marks[mark]["mark"], marks[mark]["must_be"] == "at most") for mark in values]
    passing = [
        all(share_meeting([value], *bound) for value, bound in zip(run, bounds, strict=True))
        for run in runs
    ]
    return sum(passing) / len(runs)


def to_toml(marks: dict[str, dict]) -> str:
    """pass_marks.toml, in the order of the names."""
    lines = [
        (
            "# What a training has to reach. Chosen by hand: what, on, must_be and mark. `python"
            " tools/validate --marks` measures"
        ),
        (
            "# and writes all else: what the reference reached and how often it missed the mark"
            " (false_fail); what known"
        ),
        (
            "# mistakes reached, how often they met this mark (false_pass), and all marks of their"
            " test at once; and the mistakes"
        ),
        (
            "# that no mark has to part from right solutions, each with the test that catches it."
            " Where quantiles are missing, no"
        ),
        "# run ended at a number: it went to infinity.",
        "",
    ]
    for name, entry in sorted(marks.items(), key=lambda pair: pair[0].partition(".")[0]):
        lines.append(f'["{name}"]')
        for key, value in entry.items():
            if not isinstance(value, list):
                lines.append(f"{key} = {_toml(value)}")
            elif value:
                lines += [f"{key} = [", *(f"    {_toml(part)}," for part in value), "]"]
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def _toml(value: object) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(part)}" for key, part in value.items()) + " }"
    if isinstance(value, float):
        return repr(float(f"{value:.6g}"))
    return json.dumps(value, ensure_ascii=False)


def problems(marks: Mapping[str, dict]) -> list[str]:
    """Marks that were not measured enough, that a right training missed, or that a wrong one
    met.
    """
    found = []
    for name, entry in marks.items():
        if (seeds := entry["right"].get("seeds", 0)) < RIGHT_SEEDS:
            found.append(
                f"{name}: measured over {seeds} seeds of {RIGHT_SEEDS}: `python tools/validate"
                " --marks`"
            )
            continue
        if rate := entry.get("false_fail", 1.0):
            found.append(
                f"{name}: {rate:.1%} of the right trainings miss it: choose another mark or another"
                " setting"
            )
        for wrong in entry.get("wrong", []):
            if wrong["seeds"] < WRONG_SEEDS:
                found.append(
                    f"{name}, '{wrong['name']}': measured over {wrong['seeds']} seeds of"
                    f" {WRONG_SEEDS}"
                )
            if rate := wrong["meets_all_marks"]:
                found.append(
                    f"{name}, '{wrong['name']}': {rate:.1%} of these wrong trainings meet every"
                    " mark"
                )
    return found
