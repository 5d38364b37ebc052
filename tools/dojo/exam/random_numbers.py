"""Are these random numbers of a distribution? Several calls are compared, on the trusted side."""

import itertools
import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from dojo.exam.comparisons import Comparison, within

# Bounds for n numbers, in parts of 1 / sqrt(n). The largest distance of their distribution from the
# right one is over the first once in 10^10, by Dvoretzky, Kiefer and Wolfowitz; it is below the
# second, as that of an even grid is, once in 10^12; a mean of products is over the third once in
# 10^14.
FURTHEST, NEAREST, RELATED = 3.5, 0.2, 8.0


def drawn_from(distribution: Callable[[Tensor], Tensor], what: str) -> Comparison:
    """A comparison of a list of float tensors, one of each call: their numbers are random.

    Args:
        distribution: the share of the numbers that are smaller than this one.
        what: the distribution, in words.
    """

    def measure(answer: Any, right: Any, hidden: Mapping[str, Any]) -> float:
        calls = [
            distribution(torch.from_numpy(part.data.astype(np.float64).ravel())).numpy()
            for part in answer
        ]
        return max(_far(calls), _even(calls), _related(calls))

    return within(
        1.0, "at most", measure, f"the numbers' deviation from {what}, random in each call"
    )


def _far(calls: list[np.ndarray]) -> float:
    return max(_distance(one) for one in calls) / FURTHEST


def _even(calls: list[np.ndarray]) -> float:
    return NEAREST / max(min(_distance(one) for one in calls), 1e-9)


def _distance(shares: np.ndarray) -> float:
    n, found = len(shares), np.sort(shares)
    steps = np.arange(n + 1) / n
    return math.sqrt(n) * float(max(abs(found - steps[:-1]).max(), abs(found - steps[1:]).max()))


def _related(calls: list[np.ndarray]) -> float:
    """Of neighbours, of numbers that lie further apart, and of the same place in other calls."""
    return max(map(abs, _products(calls))) / RELATED


def _products(calls: list[np.ndarray]) -> Iterator[float]:
    centered = [math.sqrt(12) * (one - 0.5) for one in calls]
    root = math.sqrt(len(calls[0]))
    for one in centered:
        for apart in (1, 2, 3, 10, 100, len(one) // 2):
            yield float((one[apart:] * one[:-apart]).sum()) / root
    for one, other in itertools.combinations(centered, 2):
        yield float((one * other).sum()) / root
        yield float((one * other[::-1]).sum()) / root
