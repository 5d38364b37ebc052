"""k08: layers from a list of sizes, the pass through them, and a training that leaves no point on
the wrong side.
"""

from functools import partial

import pytest
import torch
from torch.nn import functional as F

from katas.given.data import sine_bands
from tests.support import expect, layers, placement, training

SIZES = [[2, 20, 20, 2], [3, 4], [5], [2, 7, 3, 6, 2]]

RULE = training.Rule(
    F.binary_cross_entropy,
    wrong={
        training.DOUBLE_SIGMOID: F.binary_cross_entropy_with_logits,
        training.SQUARED_ERROR: F.mse_loss,
    },
    restarts=True,
    best_by=(lambda outputs, labels: ((outputs >= 0.5) != labels).float().mean(),),
    default=1000,
)


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
                "are there": ("NN()"),
                "tanh belongs between the layers, not ReLU (two neurons that are stuck at 0 can't "
                "tell points apart)": ("ReLU"),
                "tanh belongs between the layers, the sigmoid only at the end": "x Sigmoid()",
                "the tanh after the last hidden layer is missing": (
                    "(0-1): 2 x Tanh()\n    (2): Sigmoid()"
                ),
                "the last layer is missing, the one with num_labels outputs": (
                    "(0-2): 3 x Tanh()\n  )"
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
        headline = f"num_hidden={sizes} and num_labels=4 make the wrong layers."
        expect.that(seen == expected, headline, seen=seen, expected=expected, likely=likely)

    def test_leaves_the_list_as_it_was(self, kata):
        sizes = [2, 20, 20, 2]
        kata.MultiHiddenLayerNN(num_labels=1, num_hidden=sizes)
        expect.that(
            sizes == [2, 20, 20, 2],
            "The list num_hidden was changed.",
            seen=sizes,
            expected="[2, 20, 20, 2], as before",
            likely=(
                "append, insert, pop and += change the caller's list: make a new list, such as"
                " num_hidden + [num_labels]"
            ),
        )


@pytest.mark.task("forward", needs="layers")
class TestForward:
    @pytest.mark.parametrize("sizes", SIZES, ids=str)
    def test_output_follows_the_formula(self, kata, sizes):
        model = kata.MultiHiddenLayerNN(num_labels=1, num_hidden=list(sizes))
        x = 2 * torch.randn(25, sizes[0])
        scores, activations = layers.by_formula(model, x)
        causes = {
            "these are the raw scores: the last activation, the sigmoid, is not applied": scores[
                -1
            ],
            "no activation is applied: the layers together are one linear layer": through(
                model, x, lambda z: z
            ),
            "tanh is applied at the end: the last activation is the sigmoid": torch.tanh(
                scores[-1]
            ),
            "these are the last hidden layer's activations: the last layer is left out": (
                activations[-2:][0]
            ),
            "the sigmoid is applied between the layers: tanh belongs there": through(
                model, x, torch.sigmoid
            ),
        }
        with expect.untouched("The input", x):
            expect.close(
                model(x), activations[-1], what=f"The output of a network {sizes}", causes=causes
            )

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
            {"these are the linear results, not the activations": linear},
        )

    def test_keeps_nothing_of_an_earlier_pass(self, kata):
        layers.check_fresh(network(kata))

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
        for epochs in (5, 2):  # each call has a list of its own
            seen = training.run(network(kata), kata.train, *sine_bands(), RULE, epochs=epochs)
            training.check_losses(seen)

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


def through(model, x, activation):
    """The output with another activation between the layers, and the sigmoid at the end."""
    *hidden, last = model.linear_modules
    for layer in hidden:
        x = activation(layer(x))
    return torch.sigmoid(last(x))
