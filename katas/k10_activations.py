"""Activations: the bend between two layers.

Linear layers in a row are one linear layer. What stands between them, entry by
entry, makes a network more than that:

    sigmoid     1 / (1 + exp(-x))               between 0 and 1: a probability
    tanh        2 * sigmoid(2 * x) - 1                      between -1 and 1
    relu        x where x > 0, and 0 elsewhere              the usual choice
    leaky_relu  x where x > 0, slope * x elsewhere
                                                a little is left below 0
    PReLU       the same, with a slope that is learned
    softplus    log(1 + exp(x))                 a relu without a kink
    silu        x * sigmoid(x)
    gelu        x * (1 + erf(x / sqrt(2))) / 2
    selu        scale * x where x > 0, scale * alpha * (exp(x) - 1) elsewhere

Two things to mind. float32 ends at exp(88): beyond it exp gives inf, and inf /
inf or 0 * inf is NaN. Gradients meet it even where the value is fine, and
torch.where does not help, for it computes both of its sides. So let exp see
only bounded numbers (x.clamp(min=..., max=...)), or use torch.logaddexp(a, b)
= log(exp(a) + exp(b)), which is careful by itself.

And a flat side has a price: a relu that is 0 for every example gives no
gradient, so its unit hardly ever comes back: it is dead. One step that is too
large can kill many; with smaller steps or a leaky_relu that is rarer. A tensor
that training is to change is made an nn.Parameter, as the layers' weights are:
then model.parameters() gives it to the optimizer.

What to do: write the formulas with exp, log, clamp, where and the like, not by
calling torch's function of that name; then count the dead. `python -m
katas.k10_activations` draws your curves.

Tasks: squash, rectify, prelu, smooth, dead.
Builds on: k01_tensors, k03_autograd, k04_linear_regression.
Source: "Lecture 4: Introduction to Pytorch & Neural Networks"; Made With ML,
    "Neural Networks";
"Non-linear data with Neural Networks".
"""

import math

import torch
from torch import Tensor, nn

SELU_SCALE = 1.0507009873554805
SELU_ALPHA = 1.6732632423543772


def sigmoid(x: Tensor) -> Tensor:
    """1 / (1 + exp(-x)) for float32 x of any shape; value and gradient are finite for every x."""
    # TODO squash: the formula, with what goes into exp kept below 88
    raise NotImplementedError("squash")


def tanh(x: Tensor) -> Tensor:
    """2 * sigmoid(2 * x) - 1 for float32 x of any shape; value and gradient are always finite."""
    # TODO squash: your sigmoid does most of it
    raise NotImplementedError("squash")


def relu(x: Tensor) -> Tensor:
    """x where x > 0, and 0 elsewhere, for x of any shape. The gradient is 1 or 0 (at x = 0 either
    will do).
    """
    # TODO rectify: cut off what is below zero
    raise NotImplementedError("rectify")


def leaky_relu(x: Tensor, slope: float | Tensor = 0.01) -> Tensor:
    """x where x > 0, and slope * x elsewhere, for x of any shape and a slope from 0 to 1, a number
    or a tensor of one.
    """
    # TODO rectify: choose between the two entry by entry
    raise NotImplementedError("rectify")


class PReLU(nn.Module):
    """A leaky_relu that learns its slope: self.slope, a parameter of one number (float32).

    Args:
        slope: what it begins with.
    """

    def __init__(self, slope: float = 0.25) -> None:
        super().__init__()
        # TODO prelu: create self.slope, an nn.Parameter that holds the one number
        raise NotImplementedError("prelu")

    def forward(self, x: Tensor) -> Tensor:
        """x where x > 0, and self.slope * x elsewhere, for x of any shape; gradients reach x and
        the slope.
        """
        # TODO prelu: your leaky_relu, with the slope as it is now
        raise NotImplementedError("prelu")


def softplus(x: Tensor) -> Tensor:
    """log(1 + exp(x)) for float32 x of any shape; value and gradient are finite for every x."""
    # TODO smooth: 1 is exp(0), so this is the log of a sum of two exps
    raise NotImplementedError("smooth")


def silu(x: Tensor) -> Tensor:
    """x * sigmoid(x) for float32 x of any shape (also called swish)."""
    # TODO smooth: with your sigmoid
    raise NotImplementedError("smooth")


def gelu(x: Tensor) -> Tensor:
    """x times the probability that a normal deviate is below x: x * (1 + erf(x / sqrt(2))) / 2, for
    x of any shape.
    """
    # TODO smooth: torch.erf is the error function
    raise NotImplementedError("smooth")


def selu(x: Tensor) -> Tensor:
    """SELU_SCALE * x where x > 0, and SELU_SCALE * SELU_ALPHA * (exp(x) - 1) elsewhere; finite for
    every x.
    """
    # TODO smooth: choose between the two, with what goes into exp kept from growing
    raise NotImplementedError("smooth")


def dead_units(activations: Tensor) -> Tensor:
    """Which units are silent whatever comes in.

    Args:
        activations: (n, units), what a layer's activation gave for n examples.

    Returns:
        (units,) bool: True where a unit gave exactly 0 for every example. Its sum() counts the
        dead.
    """
    # TODO dead: one answer a unit, over all examples
    raise NotImplementedError("dead")


if __name__ == "__main__":
    from katas.given import plots

    functions = [sigmoid, tanh, relu, leaky_relu, softplus, silu, gelu, selu]
    plots.show(plots.plot_activations({function.__name__: function for function in functions}))
