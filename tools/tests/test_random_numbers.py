"""Random numbers, and the pattern of what is equal: judged from the numbers alone."""

import numpy as np
import pytest
import torch

from dojo.exam import equal_as, random_numbers
from dojo.exam.values import Numbers

N = 16_000
EVEN = random_numbers.drawn_from(lambda x: x.clamp(0, 1), "the uniform distribution")
BELL = random_numbers.drawn_from(torch.special.ndtr, "the normal distribution")


def calls(*arrays: np.ndarray) -> list[Numbers]:
    return [Numbers("tensor", array.astype(np.float32)) for array in arrays]


def judged(comparison, *arrays: np.ndarray) -> str:
    right = calls(*np.random.default_rng(1).random((2, N)))
    return comparison(calls(*arrays), right, {})


@pytest.mark.parametrize("seed", range(20))
def test_random_numbers_are_not_refused(seed):
    torch.manual_seed(seed)
    assert judged(EVEN, *torch.rand(2, N).numpy()) == ""
    assert judged(BELL, *torch.randn(2, N).numpy()) == ""


def grid(shift: float = 0.3) -> np.ndarray:
    return (np.arange(N) + shift) / N


def shuffled(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).permutation(grid())


def drawn(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).random(N)


@pytest.mark.parametrize(
    "arrays",
    [
        (grid(), grid(0.4)),
        (shuffled(0), shuffled(1)),
        (drawn(0), drawn(0)),
        (drawn(0), 1 - drawn(0)),
        (drawn(0), drawn(0)[::-1]),
        (np.sort(drawn(0)), np.sort(drawn(1))),
        (np.repeat(drawn(0)[: N // 2], 2), drawn(1)),
        (np.tile(drawn(0)[: N // 2], 2), drawn(1)),
        (drawn(0) ** 1.2, drawn(1)),
    ],
    ids=["even", "shuffled", "again", "turned", "back", "sorted", "pairs", "twice", "bent"],
)
def test_numbers_that_are_not_random_are_refused(arrays):
    assert "random in each call" in judged(EVEN, *arrays)


def test_what_is_equal_to_what_is_compared_and_not_the_numbers():
    one, two, three = (calls(np.full(3, float(n)))[0] for n in range(3))
    right = {"a": [one, one, two]}
    assert equal_as()({"a": [three, three, one]}, right, {}) == ""
    for other in ([one, two, one], [one, one, one], [one, two, three]):
        assert "has to be equal" in equal_as()({"a": other}, right, {})
    assert equal_as()([[one, one, two]], right, {}) != ""
    rows = calls(np.array([1.0, 2.0]), np.array([2.0, 1.0]))
    assert equal_as(np.sort)([rows], [[one, one]], {}) == ""
