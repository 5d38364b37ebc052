"""What the parts of a split show: whose rows they hold, and which known mistake gives that."""

from collections.abc import Sequence

import numpy as np

from dojo.diagnosis import Cause
from tests.support import expect

IN_TURNS = "x and y take turns: first come all x, then all y, in the order asked for"
OTHER_ORDER = "the parts come back in another order than the one asked for"
CHANGED = "the features are not those that came: split hands the rows on as they are"
AGAIN = "a row is drawn several times for one part: take a permutation of the rows"
OVERLAP = "the second split has to divide what the first one left, not all rows again"
OF_LEFT = "each share is a share of the whole: of what is left it is a larger one"
NEAR = 3  # rows, for rounding in each class
LOST = "rows are left out: the last part takes all that the others left"
NUMBERED = "the labels are not those that came: split hands them on as they are"
PERMUTATION = (
    "shuffle features and labels by the same permutation, and return them in the order asked for"
)


def expect_order(parts: Sequence[np.ndarray]) -> None:
    """First tables (n, d), then as many labels (n,)."""
    half = len(parts) // 2
    seen, right = [np.ndim(part) for part in parts], [2] * half + [1] * half
    in_turns = [np.ndim(part) for part in (*parts[::2], *parts[1::2])] == right
    expect.that(
        seen == right,
        "split does not return tables of features, and then labels.",
        seen=f"shapes {', '.join(str(np.shape(part)) for part in parts)}",
        expected=f"{half} of shape (n, d), then {half} of shape (n,)",
        likely=expect.told(IN_TURNS)
        if in_turns
        else "return rows of features (n, d) and labels (n,), each in the order asked for",
    )


def why_sizes(
    seen: Sequence[int], expected: Sequence[int], of_left: str = OF_LEFT
) -> expect.Likely:
    """The likely cause of parts of these sizes; `of_left` tells that a share is one of what is
    left.
    """
    if all(abs(a - b) <= NEAR for a, b in zip(sorted(seen), sorted(expected), strict=True)):
        return expect.told(OTHER_ORDER)
    rows, left, fits = sum(expected), sum(expected), []
    for place, size in enumerate(seen[:-1]):
        ends = [place] if place < len(seen) - 2 else [place, -1]  # either may be cut from the rest
        fits.append(any(abs(seen[n] - left * expected[n] / rows) <= NEAR for n in ends))
        left -= size
    if all(fits) and sum(seen) == rows:
        return expect.told(of_left)
    if sum(seen) > rows:
        return (
            f"{sum(seen)} rows come back, of {rows}: does each cut divide what the last one left?"
        )
    if sum(seen) < rows:
        return f"{sum(seen)} rows come back, of {rows}: does the last part take all that is left?"
    return "first split off the first share, and then divide the rest: has each part its share?"


def why_rows(parts: Sequence[np.ndarray], rows: int) -> expect.Likely:
    """The likely cause where parts do not hold each row once. The first feature is its number."""
    numbers = [list(part[:, 0]) for part in parts]
    if not {row for part in numbers for row in part} <= set(range(rows)):
        return expect.told(CHANGED)
    if any(len(part) != len(set(part)) for part in numbers):
        return expect.told(AGAIN)
    if sum(map(len, numbers)) > len({row for part in numbers for row in part}):
        return expect.told(OVERLAP)
    return (Cause(LOST),)


def why_labels(
    parts: Sequence[np.ndarray], of_row: np.ndarray, labels: Sequence[np.ndarray]
) -> expect.Likely:
    """The likely cause where labels do not belong to the rows of the parts."""
    got = [np.asarray(part).tolist() for part in labels]
    if not {name for part in got for name in part} <= set(of_row.tolist()):
        return expect.told(NUMBERED)
    if all(of_row[part[:, 0].astype(int)].tolist() in got for part in parts):
        return expect.told(
            "the parts of labels are not in the order asked for, that of the features"
        )
    return PERMUTATION
