"""Checks that gradients flow through a result of a learner's function, or are kept out of it."""

import contextlib
import functools
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from dojo.diagnosis import counted
from tests.support import expect, subject


def check_flow(
    function: Callable[[Tensor], Tensor],
    at: Tensor,
    right: Tensor,
    what: str,
    weights: Tensor | float = 1.0,
) -> None:
    """The sum of what the function gives, each entry times its weight, has the right gradient at
    this place.
    """
    place = at.clone().requires_grad_()
    value = expect.tensor(function(place), what)
    headline = f"{what}: no gradient flows."
    likely = "the way back is cut: .item(), .detach(), .data or torch.no_grad() stands in it"
    expect.that(
        value.requires_grad, headline, seen="requires_grad=False", expected="True", likely=likely
    )
    (seen,) = torch.autograd.grad((weights * value).sum(), place, allow_unused=True)
    expect.that(seen is not None, headline, seen="None", expected="a gradient", likely=likely)
    expect.close(seen, right, what=f"{what}: the gradient at {expect.describe(at)}")


def recorded(value: Tensor, parameter: Tensor, what: str, likely: str) -> Tensor:
    """What comes of a parameter, once it is sure that it records gradients: backward() would else
    raise an error.
    """
    if not parameter.requires_grad:
        likely = "the parameter itself does not record: leave requires_grad=False out"
    records, headline = expect.tensor(value, what).requires_grad, f"{what}: no gradient flows."
    expect.that(records, headline, seen="requires_grad=False", expected="True", likely=likely)
    return value


def check_none(value: object, what: str) -> None:
    """A tensor that records no gradient."""
    headline = f"{what} still record gradients."
    likely = expect.told("compute them under torch.no_grad(), or detach them")
    recording = expect.tensor(value, what).requires_grad
    expect.that(
        not recording,
        headline,
        seen="requires_grad=True",
        expected="requires_grad=False",
        likely=likely,
    )


def check_still_recording(what: str) -> None:
    """Gradients are still recorded after it."""
    headline = f"After {what} torch records no gradients any more."
    likely = expect.told(
        "set_grad_enabled(False) stays in force: `with torch.no_grad():` ends by itself"
    )
    seen = "torch.is_grad_enabled() is False"
    expect.that(torch.is_grad_enabled(), headline, seen=seen, expected="True", likely=likely)


NOT_RECORDING = (
    "a copy made by detach() does not record until requires_grad_() is called on it, with the"
    " underscore and the brackets"
)


def check_finite_at_0(function: Callable[[Tensor], Tensor], name: str) -> None:
    """Any finite number will do."""
    x = torch.zeros(3, requires_grad=True)
    (found,) = torch.autograd.grad(function(x).sum(), x)
    headline, seen = f"The gradient of {name} at 0 is no finite number.", found[0].item()
    likely = "a root has no gradient at 0: choose between two sides, or use abs() or clamp()"
    is_finite = bool(found.isfinite().all())
    expect.that(is_finite, headline, seen=seen, expected="any finite number", likely=likely)


def recording(function: Callable[..., Any], loss: Callable[..., Tensor]) -> Callable[..., Any]:
    """The learner's function. Where its backward() raises an error because the weight that it hands
    to its loss does not record, that is told.
    """

    subject.is_about(function)

    @functools.wraps(function)
    def call(*given: Any) -> Any:
        weights = []

        def look(weight: Any, *data: Any) -> Tensor:
            weights.append(weight)
            return loss(weight, *data)

        with pytest.MonkeyPatch.context() as patch:
            patch.setitem(function.__globals__, loss.__name__, look)
            try:
                return function(*given)
            except RuntimeError as error:
                recorded = not weights or getattr(weights[-1], "requires_grad", False)
                if recorded or "does not require grad" not in str(error):
                    raise
                headline = f"The weight that {loss.__name__} is given does not record."
                likely = expect.told(NOT_RECORDING)
                expect.unmet(headline, seen=error, expected="a gradient", likely=likely)

    return call


def check_cleared(optimizer: Any, parameters: list[Tensor]) -> None:
    """zero_grad leaves none of five gradients; the third is None before, the fourth 0."""
    try:
        optimizer.zero_grad()
    except AttributeError as error:
        if "NoneType" not in str(error):
            raise
        likely = "a .grad may be None: set every .grad to None, whatever it holds"
        headline = "zero_grad() needs a gradient in every parameter."
        expect.unmet(headline, seen=error, expected="no error", likely=expect.told(likely))
    left = {n: one.grad for n, one in enumerate(parameters) if one.grad is not None}
    pairs = []
    with contextlib.suppress(Exception):  # what it says counts only where zero_grad is wrong
        pairs = [one for one, _ in optimizer.gradients()]
    known = any(one is other for one in pairs for other in parameters)
    causes = {
        "zeros are a gradient too, and momentum moves on: set None": not any(
            grad.any() for grad in left.values()
        )
        and len(left) > 1,
        "the loop ends at the first parameter whose .grad is None: go on to the next": (
            list(left) == [3, 4]
        ),
        "a gradient of zeros is left: set all to None, whatever they hold": list(left) == [3],
        "only the first is cleared: a return ends the loop, or __init__ keeps one parameter": (
            list(left) == [1, 3, 4]
        ),
        "the optimizer holds none of the parameters that it was given: keep the very tensors": (
            len(left) == 4 and not known
        ),
    }
    likely = expect.told(*[cause for cause, fits in causes.items() if fits])
    expect.that(
        not left,
        "After zero_grad some gradients are left.",
        seen=", ".join(f"{grad.tolist()} in parameter {n}" for n, grad in left.items()),
        expected="None in every .grad",
        likely=likely
        or "`gradient = None` only changes a name of yours: write parameter.grad = None",
    )


def pairs_of(optimizer: Any, number: int) -> list[tuple[Tensor, Tensor]]:
    """What gradients() gives, once it is sure that it is so many pairs."""
    result = optimizer.gradients()
    pairs, likely = [] if result is None else list(result), "leave out those whose .grad is None"
    likely = expect.told(expect.NO_RETURN) if result is None else f"{likely}, and no others"
    headline = "gradients() does not give a pair for each parameter that has a gradient."
    if is_lazy := iter(result or ()) is result:
        likely = expect.told("a generator computes later, when .grad may have gone: return a list")
    right = len(pairs) == number and all(isinstance(one, tuple | list) for one in pairs)
    seen = "None" if result is None else "a generator" if is_lazy else f"{len(pairs)} entries"
    expected = f"{counted(number, 'pair')} (parameter, g)"
    expect.that(right and not is_lazy, headline, seen=seen, expected=expected, likely=likely)
    return pairs
