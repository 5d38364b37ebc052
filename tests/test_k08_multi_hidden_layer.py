"""k08: layers from a list of sizes, the pass through them, and a training that leaves no point on
the wrong side.
"""

from functools import partial

import pytest
import torch
from torch.nn import functional as F

from katas.given.data import sine_bands
from tests.support import expect, formula, layers, modes, placement, training

RULE = training.Rule(
    F.binary_cross_entropy,
    wrong={
        training.DOUBLE_SIGMOID: F.binary_cross_entropy_with_logits,
        training.SQUARED_ERROR: F.mse_loss,
        **training.HAND_MADE,
    },
    default=1000,
)
SIZES = [[2, 20, 20, 2], [3, 4], [5], [2, 7, 3, 6, 2]]
THIRD = "(2): Linear(in_features=20, out_features=2, bias=True)"
LAST = """(3): Linear(in_features=2, out_features=1, bias=True)
  )
  (activation_modules): ModuleList(
    (0): Tanh()
    (1): Tanh()
"""


@pytest.mark.task("layers")
class TestLayers:
    def test_prints_the_architecture(self, kata):
        expect.printed(
            kata.MultiHiddenLayerNN(num_labels=1, num_hidden=[2, 20, 20, 2]),
            """
            MultiHiddenLayerNN(
              (linear_modules): ModuleList(
                (0): Linear(in_features=2, out_features=20, bias=True)
                (1): Linear(in_features=20, out_features=20, bias=True)
                (2): Linear(in_features=20, out_features=2, bias=True)
                (3): Linear(in_features=2, out_features=1, bias=True)
              )
              (activation_modules): ModuleList(
                (0-2): 3 x Tanh()
                (3): Sigmoid()
              )
            )
            """,
            causes={
                "a plain list hides its layers from torch: append to the nn.ModuleLists that "
                "are there": "NN()",
                "tanh belongs between the layers, not ReLU (two neurons that are stuck at 0 can't "
                "tell points apart)": "ReLU",
                "tanh belongs between the layers, the sigmoid only at the end": "(0): Sigmoid()",
                "the tanh after the last hidden layer is missing": f"{LAST}    (2): Sigmoid()",
                "the last layer is missing, the one with num_labels outputs": (
                    f"{THIRD}\n  )\n  (activation_modules): ModuleList(\n    (0)"
                ),
                "a hidden layer is left out: a list of n numbers makes n linear layers": (
                    "(2): Linear(in_features=20, out_features=1, "
                ),
                "the sigmoid at the end is missing": "(2): Tanh()\n  )",
                "the last activation is the sigmoid, not tanh: it gives a probability": (
                    "(3): Tanh()\n  )"
                ),
                "the last activation is the sigmoid, which gives a probability": "(3): Identity()",
                "a pair of sizes is left out: a list of n numbers makes n linear layers": (
                    "(2): Linear(in_features=2, out_features=1, "
                ),
                "the size after the first equal one is taken, as index(...) finds it: pair the list"
                " with itself, num_hidden[1:]": (
                    "(2): Linear(in_features=20, out_features=20, bias=True)\n    (3): Linear("
                    "in_features=2, "
                ),
                "the first layer is there twice: pair each size with the next one alone": (
                    "(4): Linear"
                ),
                "the last activation is the sigmoid: each label has a probability of its own": (
                    "(3): Softmax"
                ),
                "nn.Linear comes with a bias: leave bias=False out": "bias=False",
                "the sizes are swapped: nn.Linear(inputs, outputs)": (
                    "(0): Linear(in_features=20, out_features=2, "
                ),
            },
        )

    @pytest.mark.parametrize("sizes", SIZES, ids=str)
    def test_sizes_come_from_the_list(self, kata, sizes):
        model = kata.MultiHiddenLayerNN(num_labels=4, num_hidden=list(sizes))
        seen = [(layer.in_features, layer.out_features) for layer in model.linear_modules]
        expected = list(zip(sizes, [*sizes[1:], 4], strict=True))
        likely = "pair each size with the next one, and the last one with num_labels"
        if len(seen) == 4 and len(sizes) != 4:
            likely = "the number of layers is written into the code: loop over the list"
        elif seen[-1:] == [(sizes[-1], 1)]:
            likely = "num_labels is not used: the last layer always has one output"
        headline = f"num_hidden={sizes} and num_labels=4 make the wrong layers."
        expect.that(seen == expected, headline, seen=seen, expected=expected, likely=likely)

    def test_each_layer_is_its_own(self, kata):
        model = kata.MultiHiddenLayerNN(num_labels=6, num_hidden=[6, 6, 6, 6])
        seen = len(set(model.linear_modules))
        likely = "one nn.Linear is used again where the sizes are equal: make a new one each time"
        headline = "Equal sizes share a layer."
        expect.that(seen == 4, headline, seen=seen, expected="4 layers", likely=expect.told(likely))

    def test_leaves_the_list_as_it_was(self, kata):
        sizes = [2, 20, 20, 2]
        kata.MultiHiddenLayerNN(num_labels=1, num_hidden=sizes)
        expect.that(
            sizes == [2, 20, 20, 2],
            "The list num_hidden was changed.",
            seen=sizes,
            expected="[2, 20, 20, 2], as before",
            likely=expect.told(
                "append, insert, pop and += change the caller's list: make a new list, such as"
                " num_hidden + [num_labels]"
            ),
        )


@pytest.mark.task("forward", needs="layers")
class TestForward:
    @pytest.mark.parametrize("sizes", SIZES, ids=str)
    def test_output_follows_the_formula(self, kata, sizes):
        model = kata.MultiHiddenLayerNN(num_labels=len(sizes), num_hidden=list(sizes))
        draws = {
            "25 examples": [2 * torch.randn(25, sizes[0])],
            "a single example": [torch.randn(1, sizes[0])],
            "no example": [torch.randn(0, sizes[0])],
            "huge features": [1e4 * torch.randn(6, sizes[0])],
        }

        def score(x):
            return layers.by_formula(model, x)[0][-1]

        wrong = {
            "these are the raw scores: the last activation, the sigmoid, is not applied": score,
            "the linear layers come one after the other, and the activations after them: each"
            " activation follows its own layer": lambda x: stacked(model, x),
            "these are the first hidden layer's activations: the return stands in the loop": (
                lambda x: torch.tanh(model.linear_modules[0](x))
            ),
            "what the activations give is kept, and not passed on: each is the next layer's input,"
            " and the last one is returned": lambda x: stacked(model, x, activated=False),
            "no activation is applied: the layers together are one linear layer": (
                lambda x: through(model, x, lambda z: z)
            ),
            "tanh is applied at the end: the last activation is the sigmoid": (
                lambda x: torch.tanh(score(x))
            ),
            "these are the last hidden layer's activations: the last layer is left out": (
                lambda x: layers.by_formula(model, x)[1][-2:][0]
            ),
            "the sigmoid is applied between the layers: tanh belongs there": (
                lambda x: through(model, x, torch.sigmoid)
            ),
            "the sigmoid is applied twice": lambda x: score(x).sigmoid().sigmoid(),
            "these are answers, 0 or 1: probabilities are asked for": (
                lambda x: (score(x) >= 0).float()
            ),
            "this is softmax: each label has a probability of its own": (
                lambda x: score(x).softmax(dim=1)
            ),
            "a dimension of size 1 is dropped: the output is (n, num_labels), for n = 1 too": [
                lambda x: score(x).sigmoid().squeeze(),
                lambda x: score(x).sigmoid().squeeze(0),
                lambda x: score(x).sigmoid().squeeze(1),
            ],
        }
        formula.check(
            model,
            lambda x: layers.by_formula(model, x)[1][-1],
            draws,
            f"The output of a network {sizes}",
            wrong,
            records=True,
        )
        modes.expect_alike(model, torch.randn(7, sizes[0]))

    def test_keeps_the_result_of_every_layer(self, kata):
        model, x = network(kata), torch.randn(25, 2)
        linear, activated = layers.by_formula(model, x)
        model(x)
        layers.check_kept(
            model,
            "linear_results",
            linear,
            {"these are the activations, not the linear results": activated},
        )
        layers.check_kept(
            model,
            "activation_results",
            activated,
            {
                "these are the linear results, not the activations": linear,
                "these are what the layers get: keep what they give": [x, *activated[:-1]],
            },
        )

    def test_keeps_nothing_of_an_earlier_pass(self, kata):
        layers.check_fresh(network(kata), network(kata))

    def test_gradients_reach_every_parameter(self, kata):
        model = network(kata)
        model(torch.randn(10, 2)).sum().backward()
        expect.gradients_reach(model)

    @pytest.mark.placement
    def test_follows_its_device(self, kata, device):
        model = expect.moved(network(kata), device)
        x = torch.randn(4, 2).to(device)
        placement.same(model, x, device=device, what="The output", lies_there=True)
        layers.check_devices(model, device)


@pytest.mark.task("train", needs="forward")
class TestTrain:
    def test_every_step_follows_the_gradient(self, kata):
        training.check_steps(training.run(network(kata), kata.train, *sine_bands(), RULE, epochs=4))

    def test_returns_the_loss_of_each_epoch(self, kata):
        training.check_losses(
            training.run(network(kata), kata.train, *sine_bands(), RULE, epochs=5)
        )

    def test_takes_several_labels(self, kata):
        n, features = formula.sizes(2)
        for sizes in ([features, 3], [features]):
            model, labels = kata.MultiHiddenLayerNN(3, sizes), torch.rand(n, 3).round()
            training.check(model, kata.train, torch.randn(n, features), labels, RULE, epochs=3)

    def test_takes_a_single_example(self, kata):
        model, labels = kata.MultiHiddenLayerNN(1, [2, 1]), torch.ones(1, 1)
        training.check(model, kata.train, torch.randn(1, 2), labels, RULE, epochs=3)

    def test_bounds_the_loss_where_a_probability_is_0_or_1(self, kata):
        model = network(kata)
        with torch.no_grad():
            model.linear_modules[-1].weight.mul_(1e5)
        seen = training.run(model, kata.train, *sine_bands(), RULE, epochs=3)
        training.check_losses(seen)
        training.check_steps(seen)

    def test_keeps_nothing_of_an_earlier_call(self, kata):
        for epochs in (2, 3):
            training.check(network(kata), kata.train, *sine_bands(), RULE, epochs=epochs)

    def test_leaves_no_point_on_the_wrong_side(self, kata, mark):
        model, (features, labels) = network(kata), sine_bands()
        losses = training.check(model, kata.train, features, labels, RULE)
        y_hat = model(features).detach()
        expect.reaches(
            mark("k08.train.accuracy"), ((y_hat >= 0.5) == labels).float().mean(), history=losses
        )
        expect.reaches(
            mark("k08.train.loss"), F.binary_cross_entropy(y_hat, labels), history=losses
        )

    @pytest.mark.placement
    def test_follows_its_device(self, kata, device):
        model = expect.moved(network(kata), device)
        data = [tensor.to(device) for tensor in sine_bands()]
        placement.check_training(partial(kata.train, epochs=3), model, data, epochs=3)


def network(kata):
    return kata.MultiHiddenLayerNN(num_labels=1, num_hidden=[2, 20, 20, 2])


def stacked(model, x, activated=True):
    """All linear layers, then all activations, or none."""
    for layer in model.linear_modules:
        x = layer(x)
    if not activated:
        return x
    for _ in model.linear_modules[1:]:
        x = torch.tanh(x)
    return torch.sigmoid(x)


def through(model, x, activation):
    """The output with another activation between the layers, and the sigmoid at the end."""
    *hidden, last = model.linear_modules
    for layer in hidden:
        x = activation(layer(x))
    return torch.sigmoid(last(x))
