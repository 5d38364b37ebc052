"""k13: three networks, what each of them can and can't draw, and a training that takes logits."""

from functools import partial

import pytest
import torch
from sklearn.metrics import accuracy_score, f1_score
from torch import nn
from torch.nn import functional as F

from katas.given.data import close_circles, wide_circles
from tests.support import expect, formula, layers, modes, placement, training

SIGMOID_TWICE = (
    "a sigmoid is applied before the loss: nn.BCEWithLogitsLoss contains it and wants the raw"
    " logits"
)
SQUARED_ERROR = "this is the squared error: use nn.BCEWithLogitsLoss"
CUT_LOSS = (
    "the sigmoid of a large logit is exactly 0 or 1, where nn.BCELoss cuts the loss off at 100:"
    " nn.BCEWithLogitsLoss takes the logits"
)
RULE = training.Rule(
    F.binary_cross_entropy_with_logits,
    wrong={
        SIGMOID_TWICE: lambda z, y: F.binary_cross_entropy_with_logits(torch.sigmoid(z), y),
        SQUARED_ERROR: F.mse_loss,
        CUT_LOSS: lambda z, y: F.binary_cross_entropy(torch.sigmoid(z), y),
    },
    default=200,
)
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
            f"a layer more than asked for: {name} ends with the layer to output_size": (
                f"({len(parts)}): Linear"
            ),
            "nn.Linear comes with a bias: leave bias=False out": "bias=False",
            "the activation between the layers is ReLU, not tanh": "(1): Tanh",
            "the activation between the layers is ReLU, not LeakyReLU": "LeakyReLU",
            f"the nn.Sequential has another name: self.{attribute} = nn.Sequential(...)": (
                f"({'main' if attribute == 'network' else 'network'}): Sequential"
            ),
            f"the layers belong in an nn.Sequential named {attribute}: self.{attribute} = "
            f"nn.Sequential(...)": (f"{name}()"),
        }
        if name == "LinearStack":
            causes["LinearStack has nothing between its layers: leave the activation out"] = "ReLU"
            two = f"(0): Linear({FIRST}, bias=True)\n    (1): Linear({LAST}, bias=True)\n  )"
            causes["a layer is missing: LinearStack has three"] = two
        if name == "ReluStack":
            bare = f"Linear({SECOND}, bias=True)\n    (3): Linear({LAST},"
            causes["the ReLU after the second layer is missing"] = bare
            bare = f"(0): Linear({FIRST}, bias=True)\n    (1): Linear({SECOND},"
            causes["the ReLU after the first layer is missing"] = bare
        if name == "BinaryClassifier":
            moved = f"{FIRST}, bias=True)\n    (1): Linear({LAST}, bias=True)\n    (2): ReLU"
            causes["the ReLU belongs between the two layers, not after the last one"] = moved
        model = getattr(kata, name)(input_size=2, hidden_size=10, output_size=1)
        expect.printed(model, layers.chain_text(name, attribute, parts), causes=causes)

    def check_sizes(self, kata, name):
        inputs, hidden, outputs = formula.sizes(3)
        model = getattr(kata, name)(inputs, hidden, outputs)
        seen = [(layer.in_features, layer.out_features) for layer in linear_layers(model)]
        middle = [] if name == "BinaryClassifier" else [(hidden, hidden)]
        expected = [(inputs, hidden), *middle, (hidden, outputs)]
        causes = {
            "output_size is not used: the last layer always has one output": [
                *expected[:-1],
                (hidden, 1),
            ],
            "input_size is not used: the first layer always has two inputs": [
                (2, hidden),
                *expected[1:],
            ],
        }
        headline = f"{name}({inputs}, {hidden}, {outputs}) has layers of other sizes."
        likely = [cause for cause, wrong in causes.items() if wrong == seen]
        likely = expect.told(*likely) or "a size is written into the code: take the arguments"
        expect.that(seen == expected, headline, seen=seen, expected=expected, likely=likely)

    def check_first_weights(self, kata, name):
        model = getattr(kata, name)(40, 50, 30)
        for number, layer in enumerate(linear_layers(model)):
            for part, value in layer.named_parameters():
                largest = value.abs().max().item() * layer.in_features**0.5
                headline = f"Layer {number + 1} of {name} does not begin with torch's {part}."
                likely = "the first weights are set by hand: leave them as nn.Linear draws them"
                expect.that(
                    0.5 < largest < 1.0001,
                    headline,
                    seen=f"numbers up to {value.abs().max():.3g}",
                    expected=f"numbers up to {layer.in_features**-0.5:.3g}, 1 / sqrt(inputs)",
                    likely=likely,
                )

    def check_formula(self, kata, name):
        for sizes in ((3, 6, 2), (2, 5, 1)):
            self.check_formula_for(getattr(kata, name)(*sizes), name, sizes)

    def check_formula_for(self, model, name, sizes):
        linear = linear_layers(model)

        def bent(x):
            return compute(linear, x, F.relu)

        def straight(x):
            return compute(linear, x, lambda z: z)

        right = straight if name == "LinearStack" else bent
        wrong = {
            "these are probabilities, and the model gives logits: leave the sigmoid out": (
                lambda x: torch.sigmoid(right(x))
            ),
            "a ReLU cuts off the negative logits: leave it out after the last layer": (
                lambda x: F.relu(right(x))
            ),
            "these are answers, 0 or 1: the model gives logits": (
                lambda x: (right(x) >= 0).float()
            ),
            "this has a ReLU between the layers: LinearStack has nothing there": bent,
            "the ReLU between the layers is not applied, so this is a linear model": straight,
            "this is tanh between the layers, not ReLU": lambda x: compute(linear, x, torch.tanh),
            "this is the sigmoid between the layers, not ReLU": (
                lambda x: compute(linear, x, torch.sigmoid)
            ),
            "a dimension of size 1 is dropped: the output is (n, output_size), for n = 1 too": [
                lambda x: right(x).squeeze(),
                lambda x: right(x).squeeze(0),
                lambda x: right(x).squeeze(1),
            ],
        }
        draws = {
            "25 examples": [2 * torch.randn(25, sizes[0])],
            "a single example": [torch.randn(1, sizes[0])],
            "no example": [torch.randn(0, sizes[0])],
            "huge features": [1e4 * torch.randn(6, sizes[0])],
        }
        formula.check(model, right, draws, f"The output of {name}{sizes}", wrong, records=True)
        modes.expect_alike(model, torch.randn(7, sizes[0]))

    def check_gradients(self, kata, name):
        model = getattr(kata, name)(input_size=2, hidden_size=10, output_size=1)
        F.binary_cross_entropy_with_logits(model(torch.randn(30, 2)), torch.ones(30, 1)).backward()
        expect.gradients_reach(model)

    def check_device(self, kata, name, device):
        model = getattr(kata, name)(input_size=2, hidden_size=10, output_size=1)
        placement.check(model, torch.randn(4, 2), device=device, what=f"The output of {name}")


@pytest.mark.task("linear")
class TestLinearStack(Network):
    def test_prints_the_architecture(self, kata):
        self.check_architecture(kata, "LinearStack")

    def test_sizes_come_from_the_arguments(self, kata):
        self.check_sizes(kata, "LinearStack")

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

    def test_sizes_come_from_the_arguments(self, kata, name):
        self.check_sizes(kata, name)

    def test_begins_with_the_weights_that_torch_draws(self, kata, name):
        self.check_first_weights(kata, name)

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
        run = training.run(line(), partial(fit, kata), *wide_circles(), RULE, epochs=4)
        training.check_steps(run)

    def test_each_loss_is_the_cross_entropy_of_the_logits(self, kata):
        run = training.run(line(), partial(fit, kata), *wide_circles(), RULE, epochs=3)
        training.check_losses(run)

    def test_counts_large_logits_in_full(self, kata):
        model = line()
        with torch.no_grad():
            model.weight.mul_(1e4)
        features, labels = wide_circles()
        run = training.run(model, partial(fit, kata), features, labels, RULE, epochs=3)
        training.check_losses(run)
        training.check_steps(run)
        learned = (model(features) >= 0).float()  # there is nothing to learn, and it goes on
        training.run(model, partial(fit, kata), features, learned, RULE, epochs=3)

    def test_keeps_nothing_of_an_earlier_call(self, kata):
        for epochs in (2, 3):
            training.check(line(), partial(fit, kata), *wide_circles(), RULE, epochs=epochs)

    def test_makes_200_epochs_by_itself(self, kata):
        training.check(line(), partial(fit, kata), *wide_circles(), RULE)

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
        losses = fit(kata, model, features, labels)
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


def linear_layers(model):
    return [layer for layer in model.modules() if isinstance(layer, nn.Linear)]


def compute(layers, x, activation):
    """The pass through linear layers by the formula, with this activation after each but the
    last.
    """
    for layer in layers[:-1]:
        x = activation(x @ layer.weight.T + layer.bias)
    return x @ layers[-1].weight.T + layers[-1].bias


def accuracy(model, features, labels):
    return ((model(features) >= 0) == labels).float().mean()
