"""k15: random parameters, the pass forward, the loss, every gradient, a step, and the training on
the spiral, in NumPy.
"""

from collections.abc import Callable
from types import ModuleType

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from katas.given.data import spiral
from tests.support import expect

NAMES = ("W1", "b1", "W2", "b2")
Arrays = dict[str, np.ndarray]


@pytest.mark.task("init")
class TestInit:
    def test_shapes_come_from_the_arguments(self, kata):
        parameters = named(
            kata.init_parameters(input_dim=2, hidden_dim=100, num_classes=3), "init_parameters(...)"
        )
        for name, shape in zip(NAMES, [(2, 100), (1, 100), (100, 3), (1, 3)], strict=True):
            expect.shape(
                parameters[name],
                shape,
                what=name,
                causes={"a bias is a row, (1, units)": shape[1:]},
            )

    def test_weights_are_small_and_random(self, kata):
        parameters = named(
            kata.init_parameters(input_dim=50, hidden_dim=80, num_classes=60),
            "init_parameters(...)",
        )
        causes = {
            "the factor 0.01 is missing": 1.0,
            "these are uniform numbers: random.standard_normal(...) draws normal ones": (
                0.01 / 12**0.5
            ),
            "all weights are equal, so all hidden units would stay the same: draw each at random": (
                0.0
            ),
        }
        for name in ("W1", "W2"):
            seen = parameters[name].std()
            fitting = [
                cause for cause, wrong in causes.items() if abs(seen - wrong) <= 0.1 * wrong + 1e-12
            ]
            likely = fitting[0] if fitting else "0.01 * random.standard_normal((rows, columns))"
            headline, right = f"The standard deviation of {name} is off.", abs(seen - 0.01) < 0.001
            expect.that(right, headline, seen=f"{seen:.4g}", expected="about 0.01", likely=likely)
            mean = parameters[name].mean()
            likely = "these are not normal random numbers around 0: random.standard_normal(...)"
            expect.that(
                abs(mean) < 0.001,
                f"{name} is not around 0.",
                seen=f"{mean:.3g}",
                expected="about 0",
                likely=likely,
            )

    def test_biases_begin_at_zero(self, kata):
        parameters = named(
            kata.init_parameters(input_dim=3, hidden_dim=4, num_classes=5), "init_parameters(...)"
        )
        for name, units in (("b1", 4), ("b2", 5)):
            expect.close(parameters[name], np.zeros((1, units)), what=name)

    def test_the_seed_decides(self, kata):
        one, same, other = (
            named(kata.init_parameters(3, 4, 4, seed=seed), "init_parameters(...)")
            for seed in (1, 1, 2)
        )
        headline = "The seed does not decide the weights."
        likely = "np.random.default_rng(seed) draws the random numbers"
        seen = "different weights for the same seed"
        again = (one["W1"] == same["W1"]).all()
        expect.that(again, headline, seen=seen, expected="the same weights", likely=likely)
        expect.that(
            (one["W1"] != other["W1"]).any(),
            headline,
            seen="the same weights for seeds 1 and 2",
            expected="different weights",
            likely="a seed is written into the code: use the argument",
        )


@pytest.mark.task("forward")
class TestForward:
    def test_follows_the_formula(self, kata):
        parameters, x, _ = example()
        right = forward(parameters, x)
        with expect.untouched("A parameter or the input", x, *parameters.values()):
            a1, y_hat = pair(kata.forward(parameters, x))
        z1 = x @ parameters["W1"]
        causes = {
            "this is z1: the ReLU, max(0, z1), is not applied": z1 + parameters["b1"],
            "the bias b1 is left out": np.maximum(0, z1),
            "this is tanh: the lesson's activation is max(0, z1)": np.tanh(z1 + parameters["b1"]),
        }
        expect.close(a1, right["a1"], what="a1", causes=causes)
        powers = np.exp(right["z2"])
        shifted = np.exp(right["z2"] - right["z2"].max(axis=1, keepdims=True))
        causes = {
            "these are the scores z2: the softmax is not applied": right["z2"],
            "the sum runs down the columns: every row has a sum of its own, axis=1, "
            "keepdims=True": (powers / powers.sum(axis=0)),
            "the sum runs over all scores: every row has a sum of its own, axis=1, keepdims=True": (
                powers / powers.sum()
            ),
            "the softmax runs down the columns: axis=1 runs along a row": (
                shifted / shifted.sum(axis=0)
            ),
            "exp(z2) is not divided by the sum of its row": shifted,
            "the bias b2 is left out": softmax(right["a1"] @ parameters["W2"]),
            "this is the sigmoid of each score: the softmax divides by the row's sum": (
                1 / (1 + np.exp(-right["z2"]))
            ),
        }
        expect.close(y_hat, right["y_hat"], what="y_hat", causes=causes)

    def test_large_scores_stay_finite(self, kata):
        parameters, x, _ = example()
        parameters["W2"] *= 1e4
        _, y_hat = pair(kata.forward(parameters, x))
        likely = (
            "exp overflows, or all powers of a row become 0: subtract z2.max(axis=1,"
            " keepdims=True) from z2 first, which leaves the softmax the same"
        )
        headline = "y_hat is not finite where the scores are large."
        seen, fine = expect.describe(y_hat), np.isfinite(y_hat).all()
        expect.that(
            fine, headline, seen=seen, expected="probabilities, 0 and 1 among them", likely=likely
        )
        expect.close(y_hat, forward(parameters, x)["y_hat"], what="y_hat for large scores")


@pytest.mark.task("loss")
class TestLoss:
    def test_is_the_mean_of_the_right_classes(self, kata):
        parameters, x, labels = example()
        y_hat = forward(parameters, x)["y_hat"]
        logs = -np.log(y_hat)
        picked = logs[np.arange(9), labels]
        causes = {
            "this is the sum over the points: the loss is their mean": picked.sum(),
            "the minus is missing": -picked.mean(),
            "these are the right classes' probabilities: the logarithm is missing": (
                y_hat[np.arange(9), labels].mean()
            ),
            "every class is counted: pick the right one of each row": logs.mean(),
            "this picks the right class's column for every row: y_hat[np.arange(n), labels]": (
                logs[:, labels].mean()
            ),
            "this picks each row's largest probability: pick the one of its label": (
                logs.min(axis=1).mean()
            ),
        }
        with expect.untouched("An argument", y_hat, labels):
            loss = kata.cross_entropy(y_hat, labels)
        expect.close(loss, picked.mean(), what="The loss", causes=causes)
        expect.that(
            isinstance(loss, float),
            "The loss is not a plain number.",
            seen=type(loss),
            expected="float",
            likely="float(...) turns NumPy's number into Python's",
        )

    def test_quotient_rule_gives_the_slopes_of_one_point(self, kata):
        for scores, label in (
            (np.array([0.5, -1.0, 2.0]), 0),
            (np.random.default_rng(5).standard_normal(5), 3),
        ):
            check_slopes(kata.slopes_by_hand, scores, label)


@pytest.mark.task("backward", needs="forward")
class TestBackward:
    def test_agrees_with_numerical_differences(self, kata):
        parameters, x, labels = example()
        check_gradients(kata, numerical_gradients(parameters, x, labels), parameters, x, labels)

    def test_agrees_with_autograd(self, kata):
        parameters, x, labels = example(points=40, sizes=(4, 30, 5))
        check_gradients(kata, autograd_gradients(parameters, x, labels), parameters, x, labels)

    def test_leaves_its_arguments_alone(self, kata):
        parameters, x, labels = example()
        a1, y_hat = pair(kata.forward(parameters, x))
        with expect.untouched(
            "y_hat, a1, the data or a parameter", y_hat, a1, x, labels, *parameters.values()
        ):
            kata.backward(parameters, x, labels, a1, y_hat)


@pytest.mark.task("update")
class TestUpdate:
    def test_moves_against_the_gradient(self, kata):
        parameters, x, labels = example()
        gradients = autograd_gradients(parameters, x, labels)
        before = {name: value.copy() for name, value in parameters.items()}
        with expect.untouched("A gradient", *gradients.values()):
            kata.update(parameters, gradients, 0.5)
        for name in NAMES:
            causes = {
                "nothing has moved: write the new array into the dict, parameters[name] = ...": (
                    before[name]
                ),
                "it moved along the gradient, uphill: subtract it": (
                    before[name] + 0.5 * gradients[name]
                ),
                "the learning rate is left out": before[name] - gradients[name],
            }
            expect.close(
                parameters[name],
                before[name] - 0.5 * gradients[name],
                what=f"{name} after a step",
                causes=causes,
            )


@pytest.mark.task("train", needs=("init", "loss", "backward", "update"))
class TestTrain:
    def test_takes_one_step_an_epoch(self, kata):
        parameters, x, labels = example()
        expected, losses = {0: {name: value.copy() for name, value in parameters.items()}}, []
        for epoch in range(3):
            losses.append(loss(expected[epoch], x, labels))
            gradients = autograd_gradients(expected[epoch], x, labels)
            expected[epoch + 1] = {
                name: expected[epoch][name] - 0.1 * gradients[name] for name in NAMES
            }
        with expect.untouched("The data", x, labels):
            history = kata.train(parameters, x, labels, epochs=3, learning_rate=0.1)
        expect.losses(history, epochs=3)
        late = [*losses[1:], loss(expected[3], x, labels)]
        causes = {
            "these are the losses after the steps: append each before its step": np.array(late)
        }
        expect.close(
            np.array(history), np.array(losses), what="The losses of three epochs", causes=causes
        )
        for name in NAMES:
            causes = {
                "nothing has moved: train has to change the dict it was given": expected[0][name],
                "only one step was taken": expected[1][name],
                "the last step was left out": expected[2][name],
            }
            expect.close(
                parameters[name],
                expected[3][name],
                what=f"{name} after three epochs",
                causes=causes,
            )

    def test_finds_the_arms(self, kata, mark, seed):
        data, parameters = (
            spiral(),
            kata.init_parameters(input_dim=2, hidden_dim=100, num_classes=3, seed=seed),
        )
        losses = kata.train(parameters, data.train.features.numpy(), data.train.labels.numpy())
        headline, likely = (
            "The loss does not start at ln 3.",
            "the weights start too large: 0.01 times a standard normal random number",
        )
        expect.that(
            abs(losses[0] - np.log(3)) < 0.01,
            headline,
            seen=f"{losses[0]:.4f}",
            expected="1.099",
            likely=likely,
        )
        answers = forward(parameters, data.test.features.numpy())["y_hat"].argmax(axis=1)
        accuracy = (answers == data.test.labels.numpy()).mean()
        expect.reaches(mark("k15.train.accuracy"), accuracy, history=losses)
        expect.reaches(mark("k15.train.loss"), losses[-1], history=losses)

    def test_predicts_the_likeliest_class(self, kata):
        parameters, x, _ = example()
        y_hat = forward(parameters, x)["y_hat"]
        causes = {
            "these are probabilities: the class number is the position of the largest": y_hat,
            "this is the largest probability: argmax gives its position, max its value": y_hat.max(
                axis=1
            ),
            "this is the likeliest row of each class: axis=1 runs along a row": y_hat.argmax(
                axis=0
            ),
        }
        expect.close(
            kata.predict(parameters, x),
            y_hat.argmax(axis=1),
            what="The predicted classes",
            causes=causes,
        )


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
    """Central differences: the change of the loss per step when a single number of a parameter
    moves.
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
        "the sign is reversed: d2 = (y_hat - one_hot) / n": {
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


def named(parameters: object, what: str) -> Arrays:
    """The dict that was returned, after a check that it has an array for each parameter."""
    right = (
        isinstance(parameters, dict)
        and sorted(parameters) == sorted(NAMES)
        and all(isinstance(v, np.ndarray) for v in parameters.values())
    )
    seen = (
        {name: type(value).__name__ for name, value in parameters.items()}
        if isinstance(parameters, dict)
        else type(parameters).__name__
    )
    likely = (
        "`return` is missing"
        if parameters is None
        else 'return {"W1": ..., "b1": ..., "W2": ..., "b2": ...}'
    )
    headline = f"{what} does not give a NumPy array for each parameter."
    expect.that(right, headline, seen=seen, expected="a dict of W1, b1, W2 and b2", likely=likely)
    return parameters


def pair(result: object) -> tuple[np.ndarray, np.ndarray]:
    """a1 and y_hat, after a check that there are two arrays."""
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
        "the two products are swapped: u' S comes first, u S' is subtracted": -right[0],
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
