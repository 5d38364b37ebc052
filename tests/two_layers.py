"""A network of two layers in NumPy, by the formulas: its pass, its gradients in several ways, and
the known mistakes.
"""

from collections.abc import Callable
from types import ModuleType

import numpy as np
import torch
from torch.nn import functional as F

from tests import expect

NAMES = ("W1", "b1", "W2", "b2")
Arrays = dict[str, np.ndarray]


def example(
    points: int = 9, sizes: tuple[int, int, int] = (2, 5, 3), seed: int = 3
) -> tuple[Arrays, np.ndarray, np.ndarray]:
    """Parameters, features and labels of a network of these sizes (inputs, hidden units, classes),
    all float64.
    """
    random = np.random.default_rng(seed)
    inputs, hidden, classes = sizes
    shapes = [(inputs, hidden), (1, hidden), (hidden, classes), (1, classes)]
    parameters = {
        name: random.standard_normal(shape) for name, shape in zip(NAMES, shapes, strict=True)
    }
    return parameters, random.standard_normal((points, inputs)), random.integers(0, classes, points)


def forward(parameters: Arrays, x: np.ndarray) -> Arrays:
    """a1, the scores z2 and the probabilities y_hat."""
    a1 = np.maximum(0, x @ parameters["W1"] + parameters["b1"])
    z2 = a1 @ parameters["W2"] + parameters["b2"]
    return {"a1": a1, "z2": z2, "y_hat": softmax(z2)}


def softmax(scores: np.ndarray) -> np.ndarray:
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def loss(parameters: Arrays, x: np.ndarray, labels: np.ndarray) -> float:
    return float(-np.log(forward(parameters, x)["y_hat"][np.arange(len(labels)), labels]).mean())


def numerical_gradients(
    parameters: Arrays, x: np.ndarray, labels: np.ndarray, step: float = 1e-5
) -> Arrays:
    """How much the loss changes when a single number of a parameter moves by a step either way, per
    step.
    """
    gradients = {}
    for name, value in parameters.items():
        gradients[name] = np.zeros_like(value)
        for place in np.ndindex(value.shape):
            move = np.zeros_like(value)
            move[place] = step
            up, down = (
                loss(parameters | {name: value + sign * move}, x, labels) for sign in (1, -1)
            )
            gradients[name][place] = (up - down) / (2 * step)
    return gradients


def autograd_gradients(parameters: Arrays, x: np.ndarray, labels: np.ndarray) -> Arrays:
    """The same gradients, by torch."""
    tensors = {name: torch.tensor(value, requires_grad=True) for name, value in parameters.items()}
    hidden = torch.relu(torch.tensor(x) @ tensors["W1"] + tensors["b1"])
    F.cross_entropy(hidden @ tensors["W2"] + tensors["b2"], torch.tensor(labels)).backward()
    return {name: tensor.grad.numpy() for name, tensor in tensors.items()}


def wrong_gradients(parameters: Arrays, x: np.ndarray, labels: np.ndarray) -> dict[str, Arrays]:
    """Likely cause → the gradients that this mistake gives."""
    a1, y_hat = (forward(parameters, x)[name] for name in ("a1", "y_hat"))
    points, one_hot = len(labels), np.eye(y_hat.shape[1])[labels]

    def back(d2: np.ndarray, mask: np.ndarray) -> Arrays:
        d1 = (d2 @ parameters["W2"].T) * mask
        return {
            "W1": x.T @ d1,
            "b1": d1.sum(axis=0, keepdims=True),
            "W2": a1.T @ d2,
            "b2": d2.sum(axis=0, keepdims=True),
        }

    right, active = back((y_hat - one_hot) / points, a1 > 0), a1 > 0
    return {
        "the gradient is not divided by the number of points": {
            name: points * value for name, value in right.items()
        },
        "the sign is turned around: d2 = (y_hat - one_hot) / n": {
            name: -value for name, value in right.items()
        },
        "the ReLU is forgotten: d1 is 0 wherever the ReLU gave 0": back(
            (y_hat - one_hot) / points, np.ones_like(a1)
        ),
        "d1 is multiplied by a1: the ReLU's slope is 1 where it is active, and 0 elsewhere": back(
            (y_hat - one_hot) / points, a1
        ),
        "nothing is subtracted at the right classes: d2 = (y_hat - one_hot) / n": back(
            y_hat / points, active
        ),
        "the 1 is subtracted in every column: d2[np.arange(n), labels] -= 1": back(
            (y_hat - 1) / points, active
        ),
        "the gradient of a bias is the sum over the points, not their mean": {
            name: value / points if name[0] == "b" else value for name, value in right.items()
        },
    }


def named(made: object, what: str) -> Arrays:
    """What was returned, once it is clear that it is a dict with an array for each parameter."""
    right = (
        isinstance(made, dict)
        and sorted(made) == sorted(NAMES)
        and all(isinstance(v, np.ndarray) for v in made.values())
    )
    seen = (
        {name: type(value).__name__ for name, value in made.items()}
        if isinstance(made, dict)
        else type(made).__name__
    )
    likely = (
        "`return` is missing"
        if made is None
        else 'return {"W1": ..., "b1": ..., "W2": ..., "b2": ...}'
    )
    headline = f"{what} does not give a NumPy array for each parameter."
    expect.that(right, headline, seen=seen, expected="a dict of W1, b1, W2 and b2", likely=likely)
    return made


def pair(result: object) -> tuple[np.ndarray, np.ndarray]:
    """a1 and y_hat, once it is clear that there are two arrays."""
    right = (
        isinstance(result, tuple | list)
        and len(result) == 2
        and all(isinstance(part, np.ndarray) for part in result)
    )
    seen = (
        [type(part).__name__ for part in result]
        if isinstance(result, tuple | list)
        else type(result).__name__
    )
    likely = "`return` is missing" if result is None else "return a1, y_hat"
    expect.that(
        right,
        "forward(...) does not give two arrays.",
        seen=seen,
        expected="a1 and y_hat",
        likely=likely,
    )
    return result


def check_gradients(
    kata: ModuleType, expected: Arrays, parameters: Arrays, x: np.ndarray, labels: np.ndarray
) -> None:
    """backward gives the expected gradients, or fails with the known mistake that gives what it
    gave.
    """
    a1, y_hat = pair(kata.forward(parameters, x))
    gradients = named(kata.backward(parameters, x, labels, a1, y_hat), "backward(...)")
    wrong = wrong_gradients(parameters, x, labels)
    for name in reversed(NAMES):
        flat = (
            {"the bias is a row, (1, units): sum(axis=0, keepdims=True)": expected[name].shape[1:]}
            if name[0] == "b"
            else {}
        )
        expect.shape(
            gradients[name], expected[name].shape, what=f"The gradient of {name}", causes=flat
        )
        causes = {cause: arrays[name] for cause, arrays in wrong.items()}
        expect.close(
            gradients[name],
            expected[name],
            what=f"The gradient of {name}",
            causes=causes,
            atol=1e-7,
        )


def check_slopes(
    slopes_by_hand: Callable[[np.ndarray, int], tuple], scores: np.ndarray, label: int
) -> None:
    """The slopes of a point's probability and loss at its scores, by the quotient rule, are those
    that torch finds.
    """
    tensor, y = torch.tensor(scores, requires_grad=True), label
    p = torch.softmax(tensor, dim=0)
    right = [
        torch.autograd.grad(value, tensor, retain_graph=True)[0].numpy()
        for value in (p[y], -p[y].log())
    ]
    p, one_hot = p.detach().numpy(), np.eye(len(scores))[y]
    with expect.untouched("The scores", scores):
        result = slopes_by_hand(scores, label)
    fine = isinstance(result, tuple | list) and len(result) == 2
    headline, likely = "slopes_by_hand(...) does not give two arrays.", "return both: dp/dz, dJ/dz"
    expect.that(
        fine, headline, seen=type(result).__name__, expected="dp/dz and dJ/dz", likely=likely
    )
    total = np.exp(scores).sum()
    causes = {
        "this takes u' = u at every score: u = exp(z_y) does not change with the other scores": (
            p[y] * (1 - p)
        ),
        "u' is left out: at the score of the right class it is u itself": -p[y] * p,
        "S' is left out: it is exp(z_j) at every score": p[y] * one_hot,
        "the two products are turned around: u' S comes first, u S' is subtracted": -right[0],
        "this is divided by S: the quotient rule divides by its square": total * right[0],
        "these are the slopes of every class's own probability: u' S - u S' has the right "
        "class's u": (p * (one_hot - p)),
        "S' is exp(z_j), the slope of the sum at one score, and not the whole sum": (
            p[y] * (one_hot - 1)
        ),
    }
    expect.close(result[0], right[0], what="dp/dz", causes=causes)
    causes = {
        "the minus of -ln p is missing": -right[1],
        "-1/p is left out: the logarithm has the slope 1/p": right[0],
        "this is -dp/dz: the logarithm's slope 1/p is missing": -right[0],
        "each slope is divided by its own class's probability: it is the right class's p for "
        "all of them": (-right[0] / p),
    }
    expect.close(result[1], right[1], what="dJ/dz", causes=causes)
