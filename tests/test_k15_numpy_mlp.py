"""k15: random parameters, the pass forward, the loss, every gradient, a step, and the training on
the spiral, in NumPy.
"""

import functools
from collections.abc import Callable

import numpy as np
import pytest
import torch

from dojo import rounding
from katas.given.data import spiral
from tests.support import expect, formula
from tests.support.numpy_network import (
    BY_ORDER,
    NAMES,
    OTHER_ORDER,
    WRONG_A1,
    WRONG_LARGE,
    WRONG_LOSSES,
    WRONG_Y_HAT,
    Arrays,
    autograd_gradients,
    check_numpy_alone,
    example,
    forward,
    loss,
    networks,
    numerical_gradients,
    pair,
    part,
    predicted,
    reordered,
    right_loss,
    right_part,
    wrong_gradients,
)


@pytest.mark.task("init")
class TestInit:
    def test_shapes_come_from_the_arguments(self, kata):
        d, h, c = formula.sizes(3)
        parameters = named(
            kata.init_parameters(input_dim=d, hidden_dim=h, num_classes=c), "init_parameters(...)"
        )
        for name, shape in zip(NAMES, [(d, h), (1, h), (h, c), (1, c)], strict=True):
            headline, seen = f"{name}: not the right dtype.", parameters[name].dtype
            other = {"b1": (1, c), "b2": (1, h)}.get(name, ())
            likely = "say dtype=np.float64, or nothing: NumPy's own floats are float64"
            expect.that(seen == np.float64, headline, seen=seen, expected="float64", likely=likely)
            expect.shape(
                parameters[name],
                shape,
                what=name,
                causes={
                    "a bias is a row, (1, units)": shape[1:],
                    "b1 has a number for each hidden unit, and b2 one for each class": other,
                },
            )

    def test_weights_are_small_and_random(self, kata):
        parameters = named(
            kata.init_parameters(input_dim=50, hidden_dim=80, num_classes=60),
            "init_parameters(...)",
        )
        causes = {
            "the factor 0.01 is missing": 1.0,
            "0.01 multiplies the numbers: it is not their variance": 0.1,
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
            beyond = (abs(parameters[name]) > 0.02).mean()
            headline = f"{name} is not spread as normal random numbers are."
            seen, expected = f"{beyond:.2%} lie beyond 0.02", "about 4.6 %"
            is_normal = 0.03 < beyond < 0.062
            expect.that(is_normal, headline, seen=seen, expected=expected, likely=likely)

        first, second = (parameters[name].ravel()[:100] for name in ("W1", "W2"))
        headline = "W2 has the random numbers of W1 once more."
        likely = expect.told("the generator is made twice of one seed: make it once, for both")
        seen, expected = expect.describe(second), "other random numbers"
        expect.that(
            not np.allclose(first, second), headline, seen=seen, expected=expected, likely=likely
        )

    def test_biases_begin_at_zero(self, kata):
        parameters = named(
            kata.init_parameters(input_dim=3, hidden_dim=4, num_classes=5), "init_parameters(...)"
        )
        for name, units in (("b1", 4), ("b2", 5)):
            likely = "biases start at 0: np.zeros((1, units)), without random numbers or ones"
            expect.close(parameters[name], np.zeros((1, units)), what=name, likely=likely)

    def test_computes_in_numpy_alone(self, kata):
        check_numpy_alone(lambda: kata.init_parameters(2, 5, 3), "init_parameters(...)")

    def test_the_seed_decides(self, kata):
        one, same, other = (
            named(kata.init_parameters(3, 4, 4, seed=seed), "init_parameters(...)")
            for seed in (1, 1, 2)
        )
        default, number = (
            named(kata.init_parameters(3, 4, 4, **more), "init_parameters(...)")
            for more in ({}, {"seed": 1234})
        )
        headline = "The seed does not decide the weights."
        likely = "np.random.default_rng(seed) draws the random numbers"
        seen = "different weights for the same seed"
        again = (one["W1"] == same["W1"]).all()
        expect.that(again, headline, seen=seen, expected="the same weights", likely=likely)
        again = all((default[name] == number[name]).all() for name in NAMES)
        seen, likely = "without a seed other weights than for 1234", "seed=1234 is the default"
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
        draws = dict(networks(*formula.sizes(2), 1))
        formula.check(part(kata.forward, 0), right_part(0), draws, "a1", WRONG_A1)
        formula.check(part(kata.forward, 1), right_part(1), draws, "y_hat", WRONG_Y_HAT)

    def test_computes_in_numpy_alone(self, kata):
        parameters, x, _ = example()
        check_numpy_alone(lambda: kata.forward(parameters, x), "forward(...)")

    def test_probabilities_add_up_to_1(self, kata):
        sums = pair(kata.forward(*example(30)[:2]))[1].sum(axis=1)
        headline = "The probabilities of a row do not add up to 1."
        likely, right = "a row is divided by its sum, and that is all", abs(sums - 1).max() < 1e-6
        expect.that(right, headline, seen=f"{sums[0]:.7f}", expected="1", likely=likely)

    def test_large_scores_stay_finite(self, kata):
        draws = dict(networks(*formula.sizes(2), 1))
        for parameters, _ in draws.values():
            parameters["W2"] *= 1e4
        formula.check(part(kata.forward, 1), right_part(1), draws, "y_hat", WRONG_LARGE)


@pytest.mark.task("loss")
class TestLoss:
    def test_is_the_mean_of_the_right_classes(self, kata):
        draws = {}
        for points in (*formula.sizes(2), 1):
            parameters, x, labels = example(points)
            draws[f"{points} points"] = [forward(parameters, x)["y_hat"], labels]
        tiny, tiny_labels = np.array([[1e-300, 1.0], [0.5, 0.5]]), np.array([0, 1])
        draws["a probability of 1e-300"] = [tiny, tiny_labels]
        draws["a wrong class of probability 0"] = [np.array([[1.0, 0.0], [0.2, 0.8]]), tiny_labels]
        with np.errstate(all="ignore"):
            formula.check(kata.cross_entropy, right_loss, draws, "The loss", WRONG_LOSSES)

    def test_computes_in_numpy_alone(self, kata):
        parameters, x, labels = example()
        y_hat = forward(parameters, x)["y_hat"]
        check_numpy_alone(lambda: kata.cross_entropy(y_hat, labels), "cross_entropy(...)")
        check_numpy_alone(lambda: kata.slopes_by_hand(y_hat[0], 1), "slopes_by_hand(...)")

    def test_quotient_rule_gives_the_slopes_of_one_point(self, kata):
        for scores, label in (
            (np.array([0.5, -1.0, 2.0]), 0),
            (np.random.default_rng(5).standard_normal(5), 3),
        ):
            check_slopes(kata.slopes_by_hand, scores, label)


@pytest.mark.task("backward", needs="forward")
class TestBackward:
    def test_agrees_with_numerical_differences(self, kata):
        parameters, x, labels = example(4)
        self.check(kata, numerical_gradients, [(parameters, x, labels), example(3, (3, 2, 2))])

    def test_agrees_with_autograd(self, kata):
        n, inputs, hidden, classes = formula.sizes(4)
        self.check(
            kata,
            autograd_gradients,
            [
                example(n, (inputs, hidden, classes)),
                example(40),
                example(1),
                example(7, (1, 1, 2)),
                reordered(*example(12, (4, 4, 4))),
            ],
        )

    def check(self, kata, right, networks):
        draws = []
        for parameters, x, labels in networks:
            a1, y_hat = (forward(parameters, x)[name] for name in ("a1", "y_hat"))
            draws.append([parameters, x, labels, a1, y_hat])
        for name in reversed(NAMES):

            @functools.wraps(kata.backward)
            def gradient(*given, name=name):
                gradients = named(kata.backward(*given), "backward(...)")
                flat = "the bias is a row, (1, units): sum(axis=0, keepdims=True)"
                shape = given[0][name].shape
                causes = {flat: shape[1:]} if name[0] == "b" else {}
                expect.shape(gradients[name], shape, f"The gradient of {name}", causes=causes)
                return torch.from_numpy(gradients[name])

            formula.check(
                gradient,
                lambda parameters, x, labels, *_, name=name: torch.from_numpy(
                    right(parameters, x, labels)[name]
                ),
                draws,
                f"The gradient of {name}",
                wrong_gradients(name),
                atol=1e-7,
            )

    def test_computes_in_numpy_alone(self, kata):
        parameters, x, labels = example()
        a1, _, y_hat = forward(parameters, x).values()
        check_numpy_alone(lambda: kata.backward(parameters, x, labels, a1, y_hat), "backward(...)")

    def test_leaves_its_arguments_alone(self, kata):
        parameters, x, labels = example()
        a1, y_hat = pair(kata.forward(parameters, x))
        with expect.untouched(
            "y_hat, a1, the data or a parameter", y_hat, a1, x, labels, *parameters.values()
        ):
            kata.backward(parameters, x, labels, a1, y_hat)


@pytest.mark.task("update")
class TestUpdate:
    def test_computes_in_numpy_alone(self, kata):
        parameters, x, labels = example()
        gradients = autograd_gradients(parameters, x, labels)
        check_numpy_alone(lambda: kata.update(parameters, gradients, 0.1), "update(...)")

    def test_moves_against_the_gradient(self, kata):
        for points, rate, order in ((9, 0.5, NAMES), (12, 0.07, OTHER_ORDER)):
            sizes = (2, 5, 3) if order == NAMES else (4, 4, 4)
            parameters, x, labels = example(points, sizes)
            for step in ("a step", "the next step"):
                gradients = autograd_gradients(parameters, x, labels)
                gradients = {name: gradients[name] for name in order}
                before = {name: value.copy() for name, value in parameters.items()}
                with expect.untouched("A gradient", *gradients.values()):
                    kata.update(parameters, gradients, rate)
                for name in NAMES:
                    old, gradient = before[name], gradients[name]
                    causes = {
                        "nothing has moved: write the new array into the dict, parameters[name] ="
                        " ...": old,
                        "it moved along the gradient, uphill: subtract it": old + rate * gradient,
                        "the learning rate is left out": old - gradient,
                        "the parameter is multiplied by the learning rate, too: rate * gradient is"
                        " taken off it": rate * (old - gradient),
                        "the learning rate divides: it multiplies the gradient": (
                            old - gradient / rate
                        ),
                        "the step alone is kept: it is taken off the parameter": -rate * gradient,
                        BY_ORDER: old - rate * gradients[order[NAMES.index(name)]],
                    }
                    right = old - rate * gradient
                    expect.close(parameters[name], right, f"{name} after {step}", causes=causes)


@pytest.mark.task("train", needs=("init", "loss", "backward", "update"))
class TestTrain:
    @pytest.mark.parametrize("points, rate", [(9, 0.1), (14, 9.0)], ids=["small steps", "large"])
    def test_takes_one_step_an_epoch(self, kata, points, rate):
        parameters, x, labels = example(points, seed=3)
        expected, losses = {0: {name: value.copy() for name, value in parameters.items()}}, []
        for epoch in range(3):
            losses.append(loss(expected[epoch], x, labels))
            gradients = autograd_gradients(expected[epoch], x, labels)
            expected[epoch + 1] = {
                name: expected[epoch][name] - rate * gradients[name] for name in NAMES
            }
        start = {name: value.copy() for name, value in parameters.items()}
        with expect.untouched("The data", x, labels):
            history = kata.train(parameters, x, labels, epochs=3, learning_rate=rate)
        if isinstance(history, list) and len(history) == 500:
            headline, likely = "The argument epochs is not used.", "a number is in the code"
            seen, expected = "500 losses", "3 losses"
            expect.unmet(headline, seen=seen, expected=expected, likely=expect.told(likely))
        expect.losses(history, epochs=3)
        late = [*losses[1:], loss(expected[3], x, labels)]
        causes = {
            "these are the losses after the steps: append each before its step": np.array(late),
            "y_hat is still that of the first epoch: call forward in every epoch": np.full(
                3, losses[0]
            ),
            "each is the mean of all so far: it is the loss of its epoch alone": (
                np.cumsum(losses) / (1 + np.arange(3))
            ),
            "each is the smallest so far: it is the loss of its epoch": np.minimum.accumulate(
                losses
            ),
            "these are sums over the points: the loss is their mean": points * np.array(losses),
            "the learning rate is not used: a number is written into the code": (
                descended(example(points, seed=3), [1.0] * 3)
            ),
            "the parameters are drawn anew: go on from the ones that are given": descended(
                (kata.init_parameters(2, 5, 3), x, labels), [rate] * 3
            ),
            "the features are standardized first: they are taken as they are": descended(
                (start, (x - x.mean(axis=0)) / x.std(axis=0), labels), [rate] * 3
            ),
            "W2 and b2 move before the gradients of W1 and b1 are taken: all of them come before"
            " the step": descended((start, x, labels), [rate] * 3, by_layer=True),
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
        headline = "The losses of three epochs are rounded."
        likely, exact = expect.told(rounding.ROUNDED), rounding.decimals(history, losses) is None
        expect.that(exact, headline, seen=history, expected=losses, likely=likely)
        again = kata.train(parameters, x, labels, epochs=2, learning_rate=rate)
        expect.losses(again, epochs=2, what="A second call of train(...)")

    @pytest.mark.parametrize("rate", [1.0, 0.0], ids=["good", "no better"])
    def test_makes_all_epochs(self, kata, rate):
        parameters, x, _ = example(11)
        parameters["W2"] *= 100  # the network is sure, and right
        labels = forward(parameters, x)["y_hat"].argmax(axis=1)
        likely = expect.told("the training stops early: the stub promises all epochs")
        losses = kata.train(parameters, x, labels, epochs=40, learning_rate=rate)
        if isinstance(losses, list) and len(losses) < 40:
            seen, expected = f"{len(losses)} losses", "40 losses for 40 epochs"
            headline = "The training does not make all epochs."
            expect.unmet(headline, seen=seen, expected=expected, likely=likely)
        expect.losses(losses, epochs=40)

    def test_learning_rate_is_1_by_default(self, kata):
        ends = []
        for more in ({}, {"learning_rate": 1.0}):
            parameters, x, labels = example(11, seed=3)
            kata.train(parameters, x, labels, epochs=2, **more)
            ends.append(parameters["W1"])
        causes = {"learning_rate=1.0 stands in the stub: leave it as it is": ends[0]}
        expect.close(*ends, what="W1 after a training without a learning rate", causes=causes)

    def test_finds_the_arms(self, kata, mark, seed):
        data, parameters = (
            spiral(),
            kata.init_parameters(input_dim=2, hidden_dim=100, num_classes=3, seed=seed),
        )
        losses = kata.train(parameters, data.train.features.numpy(), data.train.labels.numpy())
        expect.losses(losses, epochs=500)
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

    def test_computes_in_numpy_alone(self, kata):
        parameters, x, labels = example()
        check_numpy_alone(lambda: kata.predict(parameters, x), "predict(...)")
        check_numpy_alone(lambda: kata.train(parameters, x, labels, 2), "train(...)")

    def test_predicts_the_likeliest_class(self, kata):
        causes = {
            "these are probabilities: the class number is the position of the largest": (
                lambda y_hat: y_hat
            ),
            "this is the largest probability: argmax gives its position, max its value": (
                lambda y_hat: y_hat.max(axis=1)
            ),
            "this is the position in all numbers: axis=1 runs along a row": lambda y_hat: (
                y_hat.argmax()
            ),
            "this is a table of True and False: argmax gives the position of the largest": (
                lambda y_hat: y_hat == y_hat.max(axis=1, keepdims=True)
            ),
            "this is the likeliest row of each class: axis=1 runs along a row": (
                lambda y_hat: y_hat.argmax(axis=0)
            ),
            "this is the least likely class: argmax takes the largest": (
                lambda y_hat: y_hat.argmin(axis=1)
            ),
            "classes are counted from 0": lambda y_hat: y_hat.argmax(axis=1) + 1,
            "this is a column: one class number for each row, (n,)": (
                lambda y_hat: y_hat.argmax(axis=1)[:, None]
            ),
            "these are floats: class numbers are whole": (
                lambda y_hat: y_hat.argmax(axis=1).astype(float)
            ),
            "a probability is compared with 0.5: of several classes the largest wins": [
                lambda y_hat: (y_hat[:, -1] > 0.5).astype(int),
                lambda y_hat: (y_hat > 0.5).argmax(axis=1),
            ],
        }
        formula.check(
            part(kata.predict),
            predicted(lambda y_hat: y_hat.argmax(axis=1)),
            dict(networks(*formula.sizes(2), 1)),
            "The predicted classes",
            {
                "these are the strongest hidden units: forward(...) gives y_hat second": part(
                    lambda parameters, x: forward(parameters, x)["a1"].argmax(axis=1)
                )
            }
            | {
                cause: [predicted(each) for each in (wrong if isinstance(wrong, list) else [wrong])]
                for cause, wrong in causes.items()
            },
        )


def descended(network: tuple, rates: list[float], by_layer: bool = False) -> np.ndarray:
    """The losses of a descent; by layer, W2 and b2 have moved when d1 is computed of W2."""
    parameters, x, labels = network
    parameters, losses = {name: value.copy() for name, value in parameters.items()}, []
    for rate in rates:
        losses.append(loss(parameters, x, labels))
        gradients, passed = autograd_gradients(parameters, x, labels), forward(parameters, x)
        parameters |= {name: parameters[name] - rate * gradients[name] for name in NAMES[2:]}
        if by_layer:
            d2 = (passed["y_hat"] - np.eye(len(parameters["b2"][0]))[labels]) / len(labels)
            d1 = d2 @ parameters["W2"].T * (passed["a1"] > 0)
            gradients |= {"W1": x.T @ d1, "b1": d1.sum(axis=0, keepdims=True)}
        parameters |= {name: parameters[name] - rate * gradients[name] for name in NAMES[:2]}
    return np.array(losses)


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
    seen, expected = type(result).__name__, "dp/dz and dJ/dz"
    expect.that(fine, headline, seen=seen, expected=expected, likely=likely)
    total, top = np.exp(scores).sum(), np.eye(len(scores))[p.argmax()]
    causes = {
        "this takes u' = u at every score: u = exp(z_y) does not change with the other scores": (
            p[y] * (1 - p)
        ),
        "this takes u' = exp(z_j) at every score: u changes with the right class's score alone": (
            p * (1 - p[y])
        ),
        "u' and S' are one array, or S' is 0 at the other classes: S' is exp(z_j) at every score": (
            right[0] * one_hot
        ),
        "these are the slopes of the loss, dJ/dz: dp/dz comes first": right[1],
        "this takes the likeliest class for the right one: label tells it": p.max() * (top - p),
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
        "dp/dz_j is missing from dJ/dz_j = -1/p dp/dz_j": [
            -torch.ones(shape) / p[y] for shape in ((), p.shape)
        ],
        "-1/p is left out: the logarithm has the slope 1/p": right[0],
        "this is -dp/dz: the logarithm's slope 1/p is missing": -right[0],
        "each slope is divided by its own class's probability: it is the right class's p for "
        "all of them": (-right[0] / p),
    }
    expect.close(result[1], right[1], what="dJ/dz", causes=causes)
