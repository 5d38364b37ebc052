"""Training and evaluation mode: a model has one, and so has each of its layers."""

import torch
from torch import Tensor, nn

from tests.support import expect

KEEP = "note model.training at the start, and restore it at the end: model.train(mode)"
ALONE = (
    "the model alone is switched back, and its layers are not: model.train(mode) reaches them all,"
    " model.training = mode does not"
)
OTHERWISE = (
    "forward looks at self.training, or has a layer that does, such as a dropout: what it gives is"
    " the same in both modes here"
)


def expect_left(model: nn.Module, in_training: bool) -> None:
    """A model that came in a mode is left in it, with all its layers."""
    name, seen = _name(in_training), [part.training for part in model.modules()]
    is_alone = model.training == in_training
    others = sum(each != in_training for each in seen)
    expect.that(
        not others,
        f"A model that came in {name} mode is left in another one.",
        seen=f"{others} of its layers in {_name(not in_training)} mode"
        if is_alone
        else f"training={model.training}",
        expected=f"all in {name} mode" if is_alone else f"training={in_training}",
        likely=expect.told(ALONE if is_alone else KEEP),
    )


def expect_steady(model: nn.Module, *x: Tensor) -> None:
    """A model without dropout and the like gives the same in every pass."""
    one, other = (model(*(each.clone() for each in x)) for _ in range(2))
    # what is no tensor is another matter
    same = not isinstance(one, Tensor) or not isinstance(other, Tensor) or torch.equal(one, other)
    headline, seen = "Two passes give two outputs of the same rows.", expect.describe(other)
    likely = "random numbers are drawn in forward, as a dropout or a new layer there does"
    expect.that(same, headline, seen=seen, expected=expect.describe(one), likely=likely)


def expect_alike(model: nn.Module, *x: Tensor) -> None:
    """A model without dropout and the like gives the same in both modes; it is left in its own."""
    mode = model.training
    seen, expected = model.train(False)(*x), model.train(True)(*x)
    model.train(mode)
    expect.that(
        isinstance(seen, Tensor) and torch.equal(seen, expected),
        "The model gives something else in evaluation mode.",
        seen=expect.describe(seen),
        expected=f"{expect.describe(expected)}, as in training mode",
        likely=expect.told(OTHERWISE),
    )


def _name(in_training: bool) -> str:
    return "training" if in_training else "evaluation"
