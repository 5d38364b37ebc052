"""What is recorded of a mark, held against itself: shares against quantiles, the mark between the
right trainings and the wrong ones.
"""

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

ORDER = {"min": 0.0, "q01": 0.01, "q05": 0.05, "median": 0.5, "q95": 0.95, "q99": 0.99, "max": 1.0}
ROUNDED = 1e-5  # of a value: quantiles are kept with six digits
FARTHEST = 2 / 3  # of the way from the worst right training to the best wrong one

Entry = Mapping[str, Any]


def faults(entry: Entry) -> Iterator[str]:
    """What contradicts itself in a mark's entry, and a mark that is too far from the right ones."""
    right, wrongs = entry["right"], entry.get("wrong", ())
    yield from _unordered("the reference", right)
    least, most = meeting(right, entry)
    if 1 - entry.get("false_fail", 1.0) > most + 2 / right["seeds"]:
        yield f": its quantiles say that at least {1 - most:.0%} of the right trainings miss it"
    for wrong in wrongs:
        name, slack = f"'{wrong['name']}'", 2 / max(wrong["seeds"], 1)
        yield from _unordered(name, wrong)
        least, most = meeting(wrong, entry)
        passing = wrong["false_pass"]
        if passing > most + slack or (not passing and least > slack):
            yield f", {name}: {passing:.1%} meet it by the record, {least:.0%} to {most:.0%} by its"
            " quantiles"
        if wrong["meets_all_marks"] > passing + slack:
            yield f", {name}: more meet all marks than this one"
    if not entry.get("loose", "").strip():
        yield from _too_loose(entry)


def meeting(spread: Mapping[str, float], entry: Entry) -> tuple[float, float]:
    """The least and the largest share of values that can meet the mark, by these quantiles."""
    mark, at_most = entry["mark"], entry["must_be"] == "at most"
    slack = ROUNDED * abs(mark)
    known = [(share, spread[name]) for name, share in ORDER.items() if name in spread]
    below = [share for share, value in known if value < mark - slack]
    above = [share for share, value in known if value > mark + slack]
    if at_most:
        return max(below, default=0.0), min(above, default=1.0)
    return 1 - min(above, default=1.0), 1 - max(below, default=0.0)


def _unordered(name: str, spread: Mapping[str, float]) -> Iterator[str]:
    values = [spread[quantile] for quantile in ORDER if quantile in spread]
    if any(one > other for one, other in pairwise(values)):
        yield f", {name}: its quantiles are not in their order"


def _too_loose(entry: Entry) -> Iterator[str]:
    """A mark that lies nearer to wrong trainings than to the right ones, and catches no more."""
    worst, best = ("max", "min") if entry["must_be"] == "at most" else ("min", "max")
    right = entry["right"].get(worst)
    caught = [wrong[best] for wrong in entry.get("wrong", ()) if best in wrong]
    if right is None or not caught:
        return
    nearest = min(caught, key=lambda value: abs(value - right))
    if abs(entry["mark"] - right) > FARTHEST * abs(nearest - right):
        ends = f"the right trainings end at {right:g} or better, wrong ones at {nearest:g}"
        yield f": {ends}: move it nearer, or say why in `loose`"
