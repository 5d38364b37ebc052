"""Walks downhill, written out: their places, and which learning rate ends lowest."""

import functools

import torch
from torch import Tensor

from tests.support import expect

STEPS, START = 4, [2.0, -1.0, 0.5]


class Own(torch.optim.SGD):
    def zero_grad(self) -> None:  # as in the stub, without torch's argument
        super().zero_grad()


def bowl(point: Tensor) -> Tensor:
    return (point[0] ** 2 + 9 * (point[1] - 1) ** 2 + point[2] ** 4) / 2


def below(point: Tensor) -> Tensor:
    return bowl(point) - 500


def huge(point: Tensor) -> Tensor:
    """As steep as the bowl, and far higher."""
    return bowl(point) + 1e33 * bowl(point).detach()


def momentum(parameters: list[Tensor], lr: float) -> torch.optim.Optimizer:
    return torch.optim.SGD(parameters, lr, momentum=0.9)


def check_defaults(make, torchs, name: str) -> None:
    """With lr alone it goes where torch's own goes, along a small gradient and a large one."""
    ends = []
    for one, more in ((make, {}), (torchs, {"momentum": 0.9} if name == "Momentum" else {})):
        point = torch.ones(2, dtype=torch.float64).requires_grad_()
        optimizer = one([point], lr=0.1, **more)
        for number in (3, -1, 2):
            point.grad = number * torch.tensor([1e-6, 1.0], dtype=torch.float64)
            optimizer.step()
        ends.append(point.detach())
    likely = "its defaults are not those of the stub: leave the line of __init__ as it stands there"
    what = f"Where {name} gets with lr alone"
    expect.close(ends[0], ends[1], what=what, atol=1e-12, likely=likely)


def by_hand(make, rate=0.02, steps=STEPS, pile=False, old=0.0, start=None, height=None):
    """The places of a walk in the bowl. An old gradient is added to the first one; or they pile
    up.
    """
    point = torch.tensor(start or START, requires_grad=True)
    optimizer, places, total = make([point], rate), [point.detach().clone()], torch.full((3,), old)
    for _ in range(steps):
        (gradient,) = torch.autograd.grad((height or bowl)(point), point)
        point.grad = total + gradient
        total = point.grad.clone() if pile else torch.zeros(3)
        optimizer.step()
        places.append(point.detach().clone())
    return torch.stack(places)


@functools.cache
def walk_from(make, start: tuple[float, ...], height, rate: float, steps: int) -> Tensor:
    return by_hand(make, rate, steps, start=start, height=height)


def smallest(measure, are_finite=True):
    """A best_rate that takes the rate for whose walk `measure` of its places and the height is the
    smallest; where that is asked, of those walks alone that end at a number.
    """

    def rate(make, start, height, rates, steps):
        found = {}
        for one in rates:
            places = walk_from(make, tuple(start.tolist()), height, one, steps)
            if not are_finite or height(places[-1]).isfinite():
                found[one] = float(measure(places, height))
        return min(found, key=found.get)

    return rate


def end(places: Tensor, height) -> Tensor:
    return height(places[-1])


best = smallest(end)


def end_of_best(*given) -> float:
    make, start, height, _, steps = given
    return end(walk_from(make, tuple(start.tolist()), height, best(*given), steps), height).item()


def chained(make, start, height, rates, steps) -> float:
    found = {}
    for rate in rates:
        start = walk_from(make, tuple(start.tolist()), height, rate, steps)[-1]
        found[rate] = height(start).item()
    return min(found, key=found.get)


def wrong_rates(valley) -> dict[str, object]:
    """Likely cause → the best_rate with its mistake, or several."""
    return {
        "the walk that ends highest wins: the lowest is asked for": smallest(
            lambda places, height: -end(places, height)
        ),
        "the lowest place on the way wins: the last one counts": smallest(
            lambda places, height: min(height(place) for place in places)
        ),
        "the place before the last step counts: the last one does": smallest(
            lambda places, height: height(places[-2])
        ),
        "a walk goes on where the last one ended: every walk needs its own copy of the start": (
            chained
        ),
        "this is a position in the list: the rate itself is asked for": lambda *given: given[
            3
        ].index(best(*given)),
        "this is the height at the end: the rate is asked for": end_of_best,
        "a height below 0 is lower than one above: leave abs() out": smallest(
            lambda places, height: abs(end(places, height))
        ),
        "the lowest height so far starts at a number that may be too low: start at float('inf')": [
            lambda *given, start=number, rate=rate: (
                best(*given) if end_of_best(*given) < start else rate(given[3])
            )
            for number in (0.0, 1.0, *(10.0**power for power in range(2, 31)))
            for rate in (lambda rates: None, lambda rates: rates[0], lambda rates: 0.0)
        ],
        "this is the height in the lesson's valley: call height(point)": smallest(
            lambda places, height: valley(places[-1])
        ),
        "the place nearest to 0 wins: height(point) says which one is lowest": smallest(
            lambda places, height: places[-1].norm()
        ),
        "this is a tensor: return the rate as it stands in rates": lambda *given: torch.tensor(
            best(*given)
        ),
    }
