"""For k11: points of its curve, and the loss of the mistake that stretches outputs and targets to a
square.
"""

import torch
from torch import Tensor


def some(count: int) -> tuple[Tensor, Tensor]:
    """So many points of the curve, in ascending order of x."""
    x = torch.linspace(-2, 2, count).reshape(-1, 1)
    return x, y_of(x)


def y_of(x: Tensor) -> Tensor:
    return x**2 + 15 * torch.sin(x) ** 3


def stretched(outputs: Tensor, targets: Tensor) -> Tensor:
    return (outputs - targets.T).square().mean()
