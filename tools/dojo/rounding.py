"""Whether numbers were rounded on purpose: often too little to be called wrong by themselves, and
still not what was asked for.
"""

import numpy as np
from numpy.typing import ArrayLike

ROUNDED = "the numbers are rounded: give them as they are"
MOST = 6  # decimals; more of them are hardly fewer than a float32 has
CHANCE = 1e-6  # at most, that numbers which were not rounded look so
NOISE = 2.0**-20  # of a number: what float32 makes of it in a few operations, and no purpose


def decimals(seen: ArrayLike, right: ArrayLike) -> int | None:
    """The number of decimals that all of these have, though the right numbers have more; None where
    they are as right as computed numbers can be, or where too few of them tell.
    """
    seen, right = (np.asarray(numbers, dtype=np.float64).ravel() for numbers in (seen, right))
    if seen.shape != right.shape:
        return None
    known = np.isfinite(seen) & np.isfinite(right)
    seen, right = seen[known], right[known]
    noise = NOISE * np.abs(right)
    off = (np.abs(seen - right) > noise) & (seen != 0)
    if off.sum() < 2:
        return None
    with np.errstate(over="ignore"):
        is_float32 = seen == seen.astype(np.float32)
    spacing = np.where(is_float32, 2.0**-23, 2.0**-52) * np.abs(seen)
    for digits in range(MOST + 1):
        has_no_more = np.abs(seen - seen.round(digits)) <= spacing
        is_nearest = np.abs(seen - right) <= 0.5001 * 10.0**-digits + noise
        chance = np.minimum(1, 4 * spacing[off] * 10.0**digits).prod()
        if has_no_more.all() and is_nearest.all() and chance < CHANCE:
            return digits
    return None
