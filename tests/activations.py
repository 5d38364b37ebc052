"""The activations: torch's own functions by name, and what known mistakes in their formulas would
give.
"""

import torch
from torch.nn import functional as F

TORCH = {
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "relu": F.relu,
    "leaky_relu": F.leaky_relu,
    "softplus": F.softplus,
    "silu": F.silu,
    "gelu": F.gelu,
    "selu": F.selu,
}
ALPHA, SCALE = 1.6732632, 1.0507010
MISTAKES = {
    "sigmoid": {
        "the sign is off: exp(-x), not exp(x)": lambda x: 1 / (1 + x.exp()),
        "this is tanh: the sigmoid runs from 0 to 1": torch.tanh,
    },
    "tanh": {
        "tanh(x) is 2 * sigmoid(2 * x) - 1: the 2 inside is missing": (
            lambda x: 2 * torch.sigmoid(x) - 1
        ),
        "tanh runs from -1 to 1: 2 * sigmoid(2 * x) - 1, and the - 1 is missing": (
            lambda x: 2 * torch.sigmoid(2 * x)
        ),
    },
    "relu": {
        "this is the absolute value: negative numbers become 0": torch.abs,
        "this says where x is positive: it gives 1 there, not x": lambda x: (x > 0).float(),
    },
    "leaky_relu": {
        "the slope is left out: this is relu": F.relu,
        "the two sides are swapped: torch.where(condition, where true, elsewhere)": (
            lambda x: torch.where(x > 0, 0.01 * x, x)
        ),
    },
    "softplus": {"this is log(exp(x)), which is x: the 1 is missing": lambda x: x},
    "silu": {
        "this is the sigmoid alone: x * sigmoid(x)": torch.sigmoid,
        "this is x * tanh(x): silu takes the sigmoid": lambda x: x * torch.tanh(x),
    },
    "gelu": {
        "this is the approximation by tanh: the lesson has the formula with erf": lambda x: F.gelu(
            x, approximate="tanh"
        ),
        "the root of 2 is missing: erf(x / sqrt(2))": lambda x: x * (1 + torch.erf(x)) / 2,
    },
    "selu": {
        "SELU_SCALE is left out: it multiplies both sides": lambda x: F.elu(x, alpha=ALPHA),
        "the - 1 is missing: exp(x) - 1": lambda x: torch.where(
            x > 0, F.selu(x), SCALE * ALPHA * x.exp()
        ),
    },
}
