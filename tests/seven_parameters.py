"""The network of seven parameters: its gradients by autograd, and what known mistakes of the chain
rule give.
"""

import contextlib
from collections.abc import Iterator

import torch
from torch import Tensor

from tests import expect

NAMES = ("w1", "w2", "b1", "b2", "w3", "w4", "b3")
POINT = torch.tensor([0.6]), torch.tensor([-1.0])
Gradients = dict[str, Tensor]


def network(recording: bool = False) -> tuple[Gradients, Tensor, Tensor]:
    """The parameters by name, and the point x, y: always the same numbers."""
    numbers = (0.5, -0.8, 0.3, 0.2, 1.5, -0.7, 0.4)
    return {
        name: torch.tensor([n], requires_grad=recording)
        for name, n in zip(NAMES, numbers, strict=True)
    }, *POINT


def gradients(
    parameters: Gradients, x: Tensor, y: Tensor
) -> tuple[Gradients, dict[str, Gradients]]:
    """The right gradients, by autograd, and for each known mistake those that it gives."""
    own = {
        name: parameter.detach().clone().requires_grad_() for name, parameter in parameters.items()
    }
    z = own["w1"] * x + own["b1"], own["w2"] * x + own["b2"]
    a = torch.tanh(z[0]), torch.tanh(z[1])
    y_hat = own["w3"] * a[0] + own["w4"] * a[1] + own["b3"]
    right = dict(zip(NAMES, torch.autograd.grad((y_hat - y) ** 2, list(own.values())), strict=True))
    first = ("w1", "w2", "b1", "b2")

    def scaled(factors: Gradients) -> Gradients:
        return {
            name: (gradient * factors.get(name, 1)).detach() for name, gradient in right.items()
        }

    slope = dict(zip(first, (1 - a[0] ** 2, 1 - a[1] ** 2) * 2, strict=True))
    weight = dict(zip(first, (own["w3"], own["w4"]) * 2, strict=True))
    return right, {
        "the sign is off: the error is y_hat minus y": scaled(dict.fromkeys(NAMES, -1)),
        "the 2 of the squared error's derivative is missing": scaled(dict.fromkeys(NAMES, 0.5)),
        "the derivative of tanh is missing, 1 - a ** 2": scaled(
            {name: 1 / value for name, value in slope.items()}
        ),
        "tanh' is 1 - a ** 2, and this is 1 - a": scaled(
            {n: 1 / (1 + a[k % 2]) for k, n in enumerate(first)}
        ),
        "tanh' is 1 - a ** 2 with a = tanh(z), and this is 1 - z ** 2": scaled(
            {name: (1 - z[k % 2] ** 2) / slope[name] for k, name in enumerate(first)}
        ),
        "the weight behind the node, w3 or w4, is missing": scaled(
            {name: 1 / value for name, value in weight.items()}
        ),
        "w3 and w4 are swapped": scaled(
            {name: weight[first[1 - k % 2]] / weight[name] for k, name in enumerate(first)}
        ),
        "the last factor, x, is missing": scaled({"w1": 1 / x, "w2": 1 / x}),
        "the bias has the factor 1, not x": scaled({"b1": x, "b2": x}),
        "a1 and a2 are swapped, or a node is missing: d y_hat / d w3 = a1": scaled(
            {"w3": a[1] / a[0], "w4": a[0] / a[1]}
        ),
    }


@contextlib.contextmanager
def written_by_hand() -> Iterator[None]:
    """The block may not need autograd: it runs where nothing is recorded."""
    try:
        with torch.no_grad():
            yield
    except RuntimeError as error:
        headline, likely = "It needs autograd.", "backward() or torch.autograd.grad is used in it"
        expect.that(
            "grad" not in str(error),
            headline,
            seen=error,
            expected="the chain rule of the lesson",
            likely=likely,
        )
        raise
