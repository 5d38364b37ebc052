"""k06: the printed architecture, the forward pass, the best straight line and where it lies."""

import re
from functools import partial

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from dojo.diagnosis import counted
from katas.given.data import parallel_lines, sine_bands
from tests.support import expect, formula, modes, placement, training, values

RULE = training.Rule(
    F.binary_cross_entropy,
    wrong={
        training.DOUBLE_SIGMOID: F.binary_cross_entropy_with_logits,
        training.SQUARED_ERROR: F.mse_loss,
        **training.HAND_MADE,
        "the loss sees the first label alone: every label counts": (
            lambda y_hat, labels: F.binary_cross_entropy(y_hat[:, 0], labels[:, 0])
        ),
    },
    default=1000,
)


@pytest.mark.task("model")
class TestModel:
    def test_prints_the_architecture(self, kata):
        expect.printed(
            kata.LogisticRegression(num_labels=1, num_features=2),
            """
            LogisticRegression(
              (linear): Linear(in_features=2, out_features=1, bias=True)
              (sigmoid): Sigmoid()
            )
            """,
            causes={
                "the sizes are swapped: nn.Linear(inputs, outputs)": (
                    "in_features=1, out_features=2"
                ),
                "the layer has no bias, the b of z = w1 * x1 + w2 * x2 + b": "bias=False",
            },
        )

    @pytest.mark.parametrize("examples", [7, 1])
    def test_sizes_come_from_the_arguments(self, kata, examples):
        model = kata.LogisticRegression(num_labels=3, num_features=5)
        causes = {"squeeze() and [0] take a dimension away: a single example keeps its row": (3,)}
        what = f"The output for {counted(examples, 'example')}"
        expect.shape(model(torch.randn(examples, 5)), (examples, 3), what, causes)

    @pytest.mark.parametrize("num_labels", [1, 3])
    def test_output_is_the_sigmoid_of_the_scores(self, kata, num_labels):
        model = kata.LogisticRegression(num_labels=num_labels, num_features=2)
        x = 3 * torch.randn(25, 2)
        x[:2], x[2:4] = 1e6 * torch.eye(2), -1e6 * torch.eye(2)  # far away: exp becomes infinite
        scores = x @ model.linear.weight.T + model.linear.bias
        causes = {
            "these are the raw scores: self.sigmoid is not applied to them": scores,
            "the sigmoid is applied twice": torch.sigmoid(torch.sigmoid(scores)),
            "this is tanh, which runs from -1 to 1: a probability needs the sigmoid": torch.tanh(
                scores
            ),
            "these are answers, 0 or 1: the model gives the probability, unrounded": (
                (scores >= 0).float()
            ),
            "the probabilities of an example add up to 1, as softmax makes them: each label has a"
            " sigmoid of its own": torch.softmax(scores, dim=1),
        }
        with expect.untouched("The input", x):
            expect.close(model(x), torch.sigmoid(scores), what="The output", causes=causes)
        modes.expect_alike(model, x)

    def test_gradients_reach_every_parameter(self, kata):
        model = kata.LogisticRegression(num_labels=2, num_features=3)
        model(torch.randn(10, 3)).sum().backward()
        expect.gradients_reach(model)

    @pytest.mark.placement
    def test_follows_its_device(self, kata, device):
        model = kata.LogisticRegression(num_labels=1, num_features=2)
        placement.check(model, torch.randn(4, 2), device=device, what="The output")


@pytest.mark.task("train", needs="model")
class TestTrain:
    def test_every_step_follows_the_gradient(self, kata):
        training.check_steps(training.run(line(kata), kata.train, *sine_bands(), RULE, epochs=4))

    def test_returns_the_loss_of_each_epoch(self, kata):
        training.check_losses(training.run(line(kata), kata.train, *sine_bands(), RULE, epochs=5))

    def test_takes_several_labels(self, kata):
        n, num_features = formula.sizes(2)
        for num_labels in (2, 3):
            model = kata.LogisticRegression(num_labels, num_features)
            labels = torch.randint(2, (n, num_labels)).float()
            training.check(model, kata.train, torch.randn(n, num_features), labels, RULE, epochs=3)

    def test_bounds_the_loss_where_a_probability_is_0_or_1(self, kata):
        model = nn.Sequential(nn.Linear(2, 1), nn.Sigmoid())
        with torch.no_grad():
            model[0].weight.mul_(1e5)
        seen = training.run(model, kata.train, *sine_bands(), RULE, epochs=3)
        training.check_losses(seen)
        training.check_steps(seen)

    def test_keeps_nothing_of_an_earlier_call(self, kata):
        model = line(kata)
        for epochs in (2, 3):  # the second goes on from there
            training.check(model, kata.train, *sine_bands(), RULE, epochs=epochs)

    def test_reaches_the_best_straight_line(self, kata, mark):
        model, (features, labels) = line(kata), sine_bands()
        seen = training.run(model, kata.train, features, labels, RULE)
        training.check_steps(seen)
        training.check_losses(seen)
        y_hat = model(features).detach()
        distance = (y_hat - probabilities_of_the_best_line()).abs().max()
        causes = training.pulled(seen)
        expect.reaches(mark("k06.train.distance"), distance, history=seen.losses, causes=causes)
        wrong = int(((y_hat >= 0.5) != labels).sum())
        expect.that(
            wrong == 8,
            "The trained model does not classify the points as the best straight line does.",
            seen=f"{wrong} of 25 points on the wrong side",
            expected="8",
            likely="a line this near to the best one can still miss a point: train it further",
        )

    def test_separates_two_parallel_lines(self, kata):
        model, (features, labels) = line(kata), parallel_lines()
        losses = training.check(model, kata.train, features, labels, RULE)
        wrong = int(((model(features) >= 0.5) != labels).sum())
        headline = "The trained model does not separate two bands that are linearly separable."
        seen = f"{wrong} of 25 points on the wrong side"
        expect.that(wrong == 0, headline, seen=seen, expected="0", likely=expect.story(losses))

    @pytest.mark.placement
    def test_follows_its_device(self, kata, device):
        model = expect.moved(kata.LogisticRegression(num_labels=1, num_features=2), device)
        data = [tensor.to(device) for tensor in sine_bands()]
        placement.check_training(partial(kata.train, epochs=3), model, data, epochs=3)


@pytest.mark.task("boundary", needs="model")
class TestBoundary:
    @pytest.mark.parametrize("count", [11, 1])
    def test_the_model_is_undecided_there(self, kata, count):
        model, x1 = kata.LogisticRegression(num_labels=1, num_features=2), 3 * torch.randn(count)
        (w1, w2), b = model.linear.weight[0], model.linear.bias[0]
        causes = {
            "the sign is off: w2 * x2 = -(w1 * x1 + b)": (w1 * x1 + b) / w2,
            "b belongs inside the bracket: w2 * x2 = -(w1 * x1 + b)": -w1 * x1 / w2 + b,
            "w2 divides all of w1 * x1 + b: put it in brackets": [
                -w1 * x1 + b / w2,
                -w1 * x1 - b / w2,
            ],
            "the sign of b is off: w2 * x2 = -(w1 * x1 + b)": (-w1 * x1 + b) / w2,
            "0.5 is the probability there, and z is 0: w1 * x1 + w2 * x2 + b = 0": (
                (0.5 - w1 * x1 - b) / w2
            ),
            "the bias is left out": -w1 * x1 / w2,
            "w1 and w2 are swapped: the line is solved for x2, so w2 divides": -(w2 * x1 + b) / w1,
            "this is the boundary at other points than the given x1, from the smallest to the"
            " largest in even steps": (
                -(w1 * torch.linspace(float(x1.min()), float(x1.max()), count) + b) / w2
            ),
        }
        model.linear(torch.randn(4, 2)).sum().backward()
        before = values.copied([model, x1])
        x2 = boundary(kata, model, x1)
        formula.expect_as_it_came([model, x1], before, "decision_boundary(model, x1)")
        what = "x2 along the boundary"
        expect.close(x2, -(w1 * x1 + b) / w2, what, causes)
        expect.dtype(x2, torch.float32, what)

    def test_gives_no_gradient(self, kata):
        x2 = kata.decision_boundary(
            kata.LogisticRegression(num_labels=1, num_features=2), torch.zeros(3)
        )
        recording = expect.tensor(x2, "The boundary").requires_grad
        expect.that(
            not recording,
            "The boundary still records gradients.",
            seen="requires_grad=True",
            expected="requires_grad=False",
            likely=expect.told("compute it under torch.no_grad(), or detach the result"),
        )

    @pytest.mark.placement
    def test_follows_its_device(self, kata, device):
        placement.check(
            kata.decision_boundary,
            kata.LogisticRegression(num_labels=1, num_features=2),
            torch.linspace(-5, 5, 11),
            device=device,
            what="The boundary",
            likely="decision_boundary(...) moves the model itself",
        )


def boundary(kata, model, x1):
    try:
        return kata.decision_boundary(model, x1)
    except (IndexError, RuntimeError) as error:
        if not re.search(r"of tensor \w \(2\)|dimension 0 with size 1", str(error)):
            raise
        likely = "model.linear.weight has the shape (1, 2), and its only row is weight[0]: w1 is"
        likely += " weight[0, 0], and w2 is weight[0, 1]"
        headline = "decision_boundary takes the weights' row for one of them."
        expect.unmet(headline, seen=error, expected="an x2", likely=expect.told(likely))


def line(kata):
    return kata.LogisticRegression(num_labels=1, num_features=2)


def probabilities_of_the_best_line():
    """The lowest point of the loss, by Newton's method: (25, 1)."""
    features, labels = sine_bands()
    x = torch.cat([features, torch.ones(25, 1)], dim=1).double()
    weights = torch.zeros(3, 1, dtype=torch.float64)
    for _ in range(20):
        p = torch.sigmoid(x @ weights)
        weights += torch.linalg.solve(x.T @ (p * (1 - p) * x), x.T @ (labels - p))
    return torch.sigmoid(x @ weights).float()
