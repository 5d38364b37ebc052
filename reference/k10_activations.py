"""Activations: the bend between two layers.

Linear layers in a row are no more than one. An activation between them, entry
by entry, makes the difference. A relu has a kink; a softplus is a smooth relu:

       sigmoid, tanh               relu                softplus
             .-----                   /                      /
            /                        /                     .'
      -----'                 -------'              -----'''

Two things can go wrong. First, exp overflows: in float32 it is inf just above
x = 88. Then inf / inf or 0 * inf gives NaN, often in the gradient only. It
does not help to pick the good side with torch.where, because the gradient
passes through both sides. So bound what goes into exp: x.clamp(...) does it.
Where the result itself grows with x, a clamp cuts it off: find another form.

Second, units (neurons) die. Where a relu is flat, its gradient is 0. A unit
that gives 0 for every example gets no gradient at all, so it hardly ever comes
back: it is dead. One step that is too large can kill many units. Smaller steps
or a leaky_relu make that less likely.

What to do: write the functions by the formulas in their docstrings, with exp,
log, clamp, where and the like, on the device of x, which they leave unchanged.
At x = 0 any finite gradient will do. Torch's own versions are not allowed.
Then find the dead units. `python -m katas.k10_activations` draws your curves.

Tasks: squash, rectify, prelu, smooth, dead.
Builds on: k01_tensors, k03_autograd, k04_linear_regression.
Source: "Lecture 4: Introduction to Pytorch & Neural Networks"; "Non-linear
    data with Neural Networks"; Made With ML, "Neural Networks".
"""

import math

import torch
from torch import Tensor, nn

SELU_SCALE = 1.0507009873554805
SELU_ALPHA = 1.6732632423543772


def sigmoid(x: Tensor) -> Tensor:
    """1 / (1 + exp(-x)) for float32 x of any shape; value and gradient are finite for every x from
    -1000 to 1000.
    """
    # BEGIN SOLUTION squash: the formula, with an exp that only sees numbers below 88
    return 1 / (1 + torch.exp(-x.clamp(min=-80)))
    # END SOLUTION


def tanh(x: Tensor) -> Tensor:
    """2 * sigmoid(2 * x) - 1 for float32 x of any shape; value and gradient are finite for every x
    from -1000 to 1000.
    """
    # BEGIN SOLUTION squash: your sigmoid does most of it
    return 2 * sigmoid(2 * x) - 1
    # END SOLUTION


def relu(x: Tensor) -> Tensor:
    """x where x > 0, and 0 elsewhere, for float32 x of any shape."""
    # BEGIN SOLUTION rectify: cut off what is below zero
    return x.clamp(min=0)
    # END SOLUTION


def leaky_relu(x: Tensor, slope: float | Tensor = 0.01) -> Tensor:
    """x where x > 0, and slope * x elsewhere, for float32 x of any shape.

    Args:
        slope: from 0 to 1; a float, or a tensor of shape () or (1,).
    """
    # BEGIN SOLUTION rectify: choose between x and slope * x, entry by entry
    return torch.where(x > 0, x, slope * x)
    # END SOLUTION


class PReLU(nn.Module):
    """A leaky_relu that learns its slope: self.slope, its only parameter, one float32 number.

    An nn.Parameter is a tensor that training may change, like the weights of a layer: it is among
    model.parameters(), so the optimizer finds it.

    Args:
        slope: the float that the slope starts with, from 0 to 1; you may take it that
            training keeps it there.
    """

    def __init__(self, slope: float = 0.25) -> None:
        super().__init__()
        # BEGIN SOLUTION prelu: create self.slope, an nn.Parameter that holds this number; its shape
        #     may be () or (1,)
        self.slope = nn.Parameter(torch.tensor(slope))
        # END SOLUTION

    def forward(self, x: Tensor) -> Tensor:
        """x where x > 0, and self.slope * x elsewhere, for float32 x of any shape; gradients reach
        both x and the slope.
        """
        # BEGIN SOLUTION prelu: your leaky_relu, with the slope as it is now
        return leaky_relu(x, self.slope)
        # END SOLUTION


def softplus(x: Tensor) -> Tensor:
    """log(1 + exp(x)) for float32 x of any shape; value and gradient are finite for every x from
    -1000 to 1000.
    """
    # BEGIN SOLUTION smooth: 1 is exp(0), so this is the log of a sum of two exps, for which torch
    #     has a function
    return torch.logaddexp(x, torch.zeros_like(x))
    # END SOLUTION


def silu(x: Tensor) -> Tensor:
    """x * sigmoid(x), also called swish, for float32 x of any shape; value and gradient are finite
    for every x from -1000 to 1000.
    """
    # BEGIN SOLUTION smooth: with your sigmoid
    return x * sigmoid(x)
    # END SOLUTION


def gelu(x: Tensor) -> Tensor:
    """x * (1 + erf(x / sqrt(2))) / 2 for float32 x of any shape; value and gradient are finite for
    every x from -1000 to 1000. This is x times the probability that a standard normal number is
    below x.
    """
    # BEGIN SOLUTION smooth: torch.erf is the error function
    return x * (1 + torch.erf(x / math.sqrt(2))) / 2
    # END SOLUTION


def selu(x: Tensor) -> Tensor:
    """SELU_SCALE * x where x > 0, and SELU_SCALE * SELU_ALPHA * (exp(x) - 1) elsewhere, for float32
    x of any shape; value and gradient are finite for every x from -1000 to 1000.
    """
    # BEGIN SOLUTION smooth: choose between the two, with an exp that only sees numbers up to 0
    return SELU_SCALE * torch.where(x > 0, x, SELU_ALPHA * torch.expm1(x.clamp(max=0)))
    # END SOLUTION


def dead_units(activations: Tensor) -> Tensor:
    """Which units are dead, judged by these examples.

    Args:
        activations: (n, units) float32, the output of a layer's activation for n examples.

    Returns:
        (units,) bool, on the same device: True where a unit gave exactly 0 for every example. Its
        sum() is the number of dead units.
    """
    # BEGIN SOLUTION dead: one answer per unit, over all examples
    return (activations == 0).all(dim=0)
    # END SOLUTION


if __name__ == "__main__":
    from katas.given import plots

    functions = [sigmoid, tanh, relu, leaky_relu, softplus, silu, gelu, selu]
    plots.show(plots.plot_activations({function.__name__: function for function in functions}))
