"""k15: random parameters, the pass forward, the loss, every gradient, a step, and the training on
the spiral, in NumPy.
"""

import numpy as np
import pytest

from katas.given.data import spiral
from tests import expect, two_layers
from tests.two_layers import NAMES


@pytest.mark.task("init")
class TestInit:
    def test_shapes_come_from_the_arguments(self, kata):
        made = two_layers.named(
            kata.init_parameters(input_dim=2, hidden_dim=100, num_classes=3), "init_parameters(...)"
        )
        for name, shape in zip(NAMES, [(2, 100), (1, 100), (100, 3), (1, 3)], strict=True):
            expect.shape(
                made[name], shape, what=name, causes={"a bias is a row, (1, units)": shape[1:]}
            )

    def test_weights_are_small_and_random(self, kata):
        made = two_layers.named(
            kata.init_parameters(input_dim=50, hidden_dim=80, num_classes=60),
            "init_parameters(...)",
        )
        causes = {
            "the factor 0.01 is missing": 1.0,
            "these are uniform numbers: random.standard_normal(...) makes normal deviates": (
                0.01 / 12**0.5
            ),
            "all weights are alike, and so all hidden units would stay alike: draw each at "
            "random": (0.0),
        }
        for name in ("W1", "W2"):
            seen = made[name].std()
            told = [
                cause for cause, wrong in causes.items() if abs(seen - wrong) <= 0.1 * wrong + 1e-12
            ]
            likely = told[0] if told else "0.01 * random.standard_normal((rows, columns))"
            headline, right = f"The standard deviation of {name} is off.", abs(seen - 0.01) < 0.001
            expect.that(right, headline, seen=f"{seen:.4g}", expected="about 0.01", likely=likely)
            mean, likely = (
                made[name].mean(),
                "these are not normal deviates around 0: random.standard_normal(...)",
            )
            expect.that(
                abs(mean) < 0.001,
                f"{name} is not around 0.",
                seen=f"{mean:.3g}",
                expected="about 0",
                likely=likely,
            )

    def test_biases_begin_at_zero(self, kata):
        made = two_layers.named(
            kata.init_parameters(input_dim=3, hidden_dim=4, num_classes=5), "init_parameters(...)"
        )
        for name, units in (("b1", 4), ("b2", 5)):
            expect.close(made[name], np.zeros((1, units)), what=name)

    def test_the_seed_decides(self, kata):
        one, same, other = (
            two_layers.named(kata.init_parameters(3, 4, 4, seed=seed), "init_parameters(...)")
            for seed in (1, 1, 2)
        )
        headline, likely = (
            "The seed does not decide on the weights.",
            "np.random.default_rng(seed) makes the deviates",
        )
        seen, again = "other weights for the same seed", (one["W1"] == same["W1"]).all()
        expect.that(again, headline, seen=seen, expected="the same weights", likely=likely)
        seen, likely = (
            "the same weights for seeds 1 and 2",
            "a seed is written into the code: use the argument",
        )
        expect.that(
            (one["W1"] != other["W1"]).any(),
            headline,
            seen=seen,
            expected="other weights",
            likely=likely,
        )


@pytest.mark.task("forward")
class TestForward:
    def test_follows_the_formula(self, kata):
        parameters, x, _ = two_layers.example()
        right = two_layers.forward(parameters, x)
        with expect.untouched("A parameter or the input", x, *parameters.values()):
            a1, y_hat = two_layers.pair(kata.forward(parameters, x))
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
            "the bias b2 is left out": two_layers.softmax(right["a1"] @ parameters["W2"]),
            "this is the sigmoid of each score: the softmax divides by the row's sum": (
                1 / (1 + np.exp(-right["z2"]))
            ),
        }
        expect.close(y_hat, right["y_hat"], what="y_hat", causes=causes)

    def test_large_scores_stay_finite(self, kata):
        parameters, x, _ = two_layers.example()
        parameters["W2"] *= 1e4
        _, y_hat = two_layers.pair(kata.forward(parameters, x))
        likely = (
            "exp overflows: subtract z2.max(axis=1, keepdims=True) from z2 first, which leaves the"
            " softmax as it is"
        )
        headline = "y_hat is not finite where the scores are large."
        seen, fine = expect.describe(y_hat), np.isfinite(y_hat).all()
        expect.that(
            fine, headline, seen=seen, expected="probabilities, 0 and 1 among them", likely=likely
        )
        expect.close(
            y_hat, two_layers.forward(parameters, x)["y_hat"], what="y_hat for large scores"
        )


@pytest.mark.task("loss")
class TestLoss:
    def test_is_the_mean_of_the_right_classes(self, kata):
        parameters, x, labels = two_layers.example()
        y_hat = two_layers.forward(parameters, x)["y_hat"]
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
            "this picks each row's largest probability: it is the label that says which": (
                logs.min(axis=1).mean()
            ),
        }
        with expect.untouched("An argument", y_hat, labels):
            loss = kata.cross_entropy(y_hat, labels)
        expect.close(loss, picked.mean(), what="The loss", causes=causes)
        likely = "float(...) turns NumPy's number into Python's"
        expect.that(
            isinstance(loss, float),
            "The loss is no number.",
            seen=type(loss),
            expected="float",
            likely=likely,
        )

    def test_quotient_rule_gives_the_slopes_of_one_point(self, kata):
        for scores, label in (
            (np.array([0.5, -1.0, 2.0]), 0),
            (np.random.default_rng(5).standard_normal(5), 3),
        ):
            two_layers.check_slopes(kata.slopes_by_hand, scores, label)


@pytest.mark.task("backward", needs="forward")
class TestBackward:
    def test_agrees_with_numerical_differences(self, kata):
        parameters, x, labels = two_layers.example()
        two_layers.check_gradients(
            kata, two_layers.numerical_gradients(parameters, x, labels), parameters, x, labels
        )

    def test_agrees_with_autograd(self, kata):
        parameters, x, labels = two_layers.example(points=40, sizes=(4, 30, 5))
        two_layers.check_gradients(
            kata, two_layers.autograd_gradients(parameters, x, labels), parameters, x, labels
        )

    def test_leaves_its_arguments_alone(self, kata):
        parameters, x, labels = two_layers.example()
        a1, y_hat = two_layers.pair(kata.forward(parameters, x))
        with expect.untouched(
            "y_hat, a1, the data or a parameter", y_hat, a1, x, labels, *parameters.values()
        ):
            kata.backward(parameters, x, labels, a1, y_hat)


@pytest.mark.task("update")
class TestUpdate:
    def test_moves_against_the_gradient(self, kata):
        parameters, x, labels = two_layers.example()
        gradients = two_layers.autograd_gradients(parameters, x, labels)
        before = {name: value.copy() for name, value in parameters.items()}
        with expect.untouched("A gradient", *gradients.values()):
            kata.update(parameters, gradients, 0.5)
        for name in NAMES:
            causes = {
                "nothing has moved: write the new array into the dict, parameters[name] = ...": (
                    before[name]
                ),
                "it moved along the gradient, uphill: subtract": (
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


@pytest.mark.task("train", needs="backward")
class TestTrain:
    def test_takes_one_step_an_epoch(self, kata):
        parameters, x, labels = two_layers.example()
        expected, losses = {0: {name: value.copy() for name, value in parameters.items()}}, []
        for epoch in range(3):
            losses.append(two_layers.loss(expected[epoch], x, labels))
            gradients = two_layers.autograd_gradients(expected[epoch], x, labels)
            expected[epoch + 1] = {
                name: expected[epoch][name] - 0.1 * gradients[name] for name in NAMES
            }
        with expect.untouched("The data", x, labels):
            history = kata.train(parameters, x, labels, epochs=3, learning_rate=0.1)
        expect.losses(history, epochs=3)
        late = [*losses[1:], two_layers.loss(expected[3], x, labels)]
        causes = {
            "these are the losses after the steps: append each before its step": np.array(late)
        }
        expect.close(
            np.array(history), np.array(losses), what="The losses of three epochs", causes=causes
        )
        for name in NAMES:
            causes = {
                "nothing has moved: train changes the dict it was given": expected[0][name],
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
            "the weights begin too large: 0.01 times a normal deviate",
        )
        expect.that(
            abs(losses[0] - np.log(3)) < 0.01,
            headline,
            seen=f"{losses[0]:.4f}",
            expected="1.099",
            likely=likely,
        )
        answers = two_layers.forward(parameters, data.test.features.numpy())["y_hat"].argmax(axis=1)
        accuracy = (answers == data.test.labels.numpy()).mean()
        expect.reaches(mark("k15.train.accuracy"), accuracy, history=losses)
        expect.reaches(mark("k15.train.loss"), losses[-1], history=losses)

    def test_predicts_the_likeliest_class(self, kata):
        parameters, x, _ = two_layers.example()
        y_hat = two_layers.forward(parameters, x)["y_hat"]
        causes = {
            "these are probabilities: the class number is the place of the largest": y_hat,
            "this is the largest probability: argmax gives its place, max its value": y_hat.max(
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
