"""k13: three networks, what each of them can and can't draw, and a training that takes logits."""

from functools import partial

import pytest
import torch
from sklearn.metrics import accuracy_score, f1_score
from torch import nn
from torch.nn import functional as F

from katas.given.data import close_circles, wide_circles
from tests.support import expect, layers, placement, training

SIGMOID_TWICE = (
    "a sigmoid is applied before the loss: nn.BCEWithLogitsLoss contains it and wants the raw"
    " logits"
)
SQUARED_ERROR = "this is the squared error: use nn.BCEWithLogitsLoss"
FIRST, SECOND, LAST = (
    "in_features=2, out_features=10",
    "in_features=10, out_features=10",
    "in_features=10, out_features=1",
)
LAYERS = {
    "LinearStack": ("network", [FIRST, SECOND, LAST]),
    "BinaryClassifier": ("main", [FIRST, None, LAST]),
    "ReluStack": ("network", [FIRST, None, SECOND, None, LAST]),
}


class Network:
    """Checks that hold for each of the networks."""

    def check_architecture(self, kata, name):
        attribute, sizes = LAYERS[name]
        parts = [f"Linear({size}, bias=True)" if size else "ReLU()" for size in sizes]
        causes = {
            "the sigmoid stays outside: nn.BCEWithLogitsLoss contains it": "Sigmoid",
            "a ReLU after the last layer cuts off the negative logits: end with the nn.Linear": (
                f"({len(parts)}): ReLU"
            ),
            "the sizes are swapped: nn.Linear(inputs, outputs)": "in_features=10, out_features=2",
            f"the layers belong in an nn.Sequential named {attribute}: self.{attribute} = "
            f"nn.Sequential(...)": (f"{name}()"),
        }
        if name == "LinearStack":
            causes["LinearStack has nothing between its layers: leave the activation out"] = "ReLU"
        model = getattr(kata, name)(input_size=2, hidden_size=10, output_size=1)
        expect.printed(model, layers.chain_text(name, attribute, parts), causes=causes)

    def check_formula(self, kata, name):
        model = getattr(kata, name)(input_size=3, hidden_size=6, output_size=2)
        x = 2 * torch.randn(25, 3)
        linear = [layer for layer in model.modules() if isinstance(layer, nn.Linear)]
        bent, straight = compute(linear, x, F.relu), compute(linear, x, lambda z: z)
        right = straight if name == "LinearStack" else bent
        causes = {
            "these are probabilities, and the model gives logits: leave the sigmoid out": (
                torch.sigmoid(right)
            ),
            "a ReLU cuts off the negative logits: leave it out after the last layer": F.relu(right),
            "these are answers, 0 or 1: the model gives logits": (right >= 0).float(),
            "this has a ReLU between the layers: LinearStack has nothing there": bent,
            "the ReLU between the layers is not applied, so this is a linear model": straight,
            "this is tanh between the layers, not ReLU": compute(linear, x, torch.tanh),
            "this is the sigmoid between the layers, not ReLU": compute(linear, x, torch.sigmoid),
        }
        with expect.untouched("The input", x):
            expect.close(model(x), right, what=f"The output of {name}", causes=causes)

    def check_gradients(self, kata, name):
        model = getattr(kata, name)(input_size=2, hidden_size=10, output_size=1)
        F.binary_cross_entropy_with_logits(model(torch.randn(30, 2)), torch.ones(30, 1)).backward()
        expect.gradients_reach(model)

    def check_device(self, kata, name, device):
        model = getattr(kata, name)(input_size=2, hidden_size=10, output_size=1)
        placement.check(model, torch.randn(4, 2), device=device, what=f"The output of {name}")


RULE = training.Rule(
    F.binary_cross_entropy_with_logits,
    wrong={
        SIGMOID_TWICE: lambda z, y: F.binary_cross_entropy_with_logits(torch.sigmoid(z), y),
        SQUARED_ERROR: F.mse_loss,
    },
    default=200,
)


@pytest.mark.task("linear")
class TestLinearStack(Network):
    def test_prints_the_architecture(self, kata):
        self.check_architecture(kata, "LinearStack")

    def test_output_follows_the_formula(self, kata):
        self.check_formula(kata, "LinearStack")

    def test_gradients_reach_every_parameter(self, kata):
        self.check_gradients(kata, "LinearStack")

    @pytest.mark.placement
    def test_follows_its_device(self, kata, device):
        self.check_device(kata, "LinearStack", device)


@pytest.mark.task("relu")
@pytest.mark.parametrize("name", ["BinaryClassifier", "ReluStack"])
class TestRelu(Network):
    def test_prints_the_architecture(self, kata, name):
        self.check_architecture(kata, name)

    def test_output_follows_the_formula(self, kata, name):
        self.check_formula(kata, name)

    def test_gradients_reach_every_parameter(self, kata, name):
        self.check_gradients(kata, name)

    @pytest.mark.placement
    def test_follows_its_device(self, kata, name, device):
        self.check_device(kata, name, device)


@pytest.mark.task("train")
class TestTrain:
    def test_every_step_follows_the_gradient(self, kata):
        training.check_steps(
            training.run(line(), trained_by(kata), *wide_circles(), RULE, epochs=4)
        )

    def test_each_loss_is_the_cross_entropy_of_the_logits(self, kata):
        for epochs in (5, 2):  # each call has a list of its own
            seen = training.run(line(), trained_by(kata), *wide_circles(), RULE, epochs=epochs)
            training.check_losses(seen)

    @pytest.mark.placement
    def test_trains_on_its_device(self, kata, device):
        model, data = line().to(device), [part.to(device) for part in wide_circles()]
        placement.check_training(partial(fit, kata, epochs=2), model, data, epochs=2)


@pytest.mark.task("train", needs="linear")
class TestTrainLinear:
    def test_straight_layers_stay_near_chance(self, kata, mark):
        (features, labels), model = (
            close_circles(),
            kata.LinearStack(input_size=2, hidden_size=16, output_size=1),
        )
        losses = fit(kata, model, features[:800], labels[:800])
        expect.reaches(
            mark("k13.linear.accuracy"),
            accuracy(model, features[:800], labels[:800]),
            history=losses,
        )
        expect.reaches(
            mark("k13.linear.loss"), right_loss(model(features[:800]), labels[:800]), history=losses
        )

    def test_where_the_inner_ring_is_rare_they_are_accurate_and_find_nothing(self, kata):
        points, classes = close_circles()
        # of the inner ring every tenth point
        kept = (classes[:, 0] == 0) | (classes[:, 0].cumsum(dim=0) % 10 == 1)
        features = points[kept]
        labels = classes[kept]
        model = kata.LinearStack(input_size=2, hidden_size=16, output_size=1)
        losses = fit(kata, model, features, labels)
        answers = model(features) >= 0
        right = accuracy_score(labels, answers)
        found = f1_score(labels, answers, zero_division=0)
        expect.that(
            right > 0.88 and found < 0.1,
            "Linear layers on 500 points of class 0 and 50 of class 1 do more than guess.",
            seen=f"accuracy {right:.3f}, F1 {found:.3f}",
            expected="accuracy 0.909 and F1 0, as when every answer is 0",
            likely=expect.story(losses),
        )


@pytest.mark.task("train", needs="relu")
class TestTrainRelu:
    def test_one_relu_closes_around_the_wide_circles(self, kata, mark):
        (features, labels), model = (
            wide_circles(),
            kata.BinaryClassifier(input_size=2, hidden_size=16, output_size=1),
        )
        losses = training.check(model, trained_by(kata), features, labels, RULE)
        expect.reaches(mark("k13.wide.accuracy"), accuracy(model, features, labels), history=losses)
        expect.reaches(mark("k13.wide.loss"), right_loss(model(features), labels), history=losses)
        logits = model(torch.tensor([[0.0, 0.0], [-1.0, -1.0]])).flatten()
        headline = "The middle (0, 0) is not called 1, or the far point (-1, -1) is not called 0."
        likely = (
            "the rings are separated, but not by a closed curve: get further within the 200 steps"
        )
        right = bool(logits[0] > 0 > logits[1])
        expect.that(
            right,
            headline,
            seen=expect.describe(logits),
            expected="a logit above 0, then one below",
            likely=likely,
        )

    def test_two_relus_part_the_close_circles(self, kata, mark):
        (features, labels), model = (
            close_circles(),
            kata.ReluStack(input_size=2, hidden_size=16, output_size=1),
        )
        losses = fit(kata, model, features[:800], labels[:800])
        expect.reaches(
            mark("k13.close.accuracy"),
            accuracy(model, features[800:], labels[800:]),
            history=losses,
        )
        expect.reaches(
            mark("k13.close.loss"), right_loss(model(features[:800]), labels[:800]), history=losses
        )


right_loss = F.binary_cross_entropy_with_logits


def trained_by(kata):
    return partial(fit, kata)


def fit(kata, model, features, labels, **settings):
    """Train, and say so where the loss is one for probabilities."""
    try:
        return kata.train(model, features, labels, **settings)
    except RuntimeError as error:
        if "between 0 and 1" not in str(error):
            raise
        likely = (
            "nn.BCELoss takes probabilities, and the model gives logits: use nn.BCEWithLogitsLoss"
        )
        expect.unmet(
            "The loss does not accept the logits.",
            seen=error,
            expected="a loss that accepts any number",
            likely=likely,
        )


def line():
    """A model that is always the same: some of its logits are negative, some greater than 1."""
    model = nn.Linear(2, 1)
    with torch.no_grad():
        model.weight.copy_(torch.tensor([[2.0, -1.0]]))
        model.bias.fill_(0.5)
    return model


def compute(layers, x, activation):
    """The pass through linear layers by the formula, with this activation after each but the
    last.
    """
    for layer in layers[:-1]:
        x = activation(x @ layer.weight.T + layer.bias)
    return x @ layers[-1].weight.T + layers[-1].bias


def accuracy(model, features, labels):
    return ((model(features) >= 0) == labels).float().mean()
