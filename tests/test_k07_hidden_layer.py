"""k07: the two lists of layers, the pass through them and what it keeps, and a training that may
start again.
"""

from functools import partial

import pytest
import torch
from torch.nn import functional as F

from katas.given.data import sine_bands
from tests.support import expect, layers, marks, placement, training

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
            kata.HiddenLayerNN(num_labels=1, num_features=2, num_hidden=2),
            """
            HiddenLayerNN(
              (linear_modules): ModuleList(
                (0): Linear(in_features=2, out_features=2, bias=True)
                (1): Linear(in_features=2, out_features=1, bias=True)
              )
              (activation_modules): ModuleList(
                (0): Tanh()
                (1): Sigmoid()
              )
            )
            """,
            causes={
                "a plain list hides its layers from torch: append to the nn.ModuleLists that "
                "are there": ("HiddenLayerNN()"),
                "the activations are in the wrong order: tanh comes first, the sigmoid last, as "
                "it gives the probability": ("(0): Sigmoid()"),
                "the hidden layer's activation is tanh, not ReLU": "ReLU",
            },
        )

    def test_sizes_come_from_the_arguments(self, kata):
        first, second = kata.HiddenLayerNN(
            num_labels=3, num_features=5, num_hidden=4
        ).linear_modules
        wrong = {
            "a size is written into the code": (2, 2),
            "the sizes are swapped: nn.Linear(inputs, outputs)": (5, 4),
        }
        expect.shape(
            first.weight, (4, 5), what="The first layer's weight, (outputs, inputs),", causes=wrong
        )
        expect.shape(second.weight, (3, 4), what="The second layer's weight, (outputs, inputs),")


@pytest.mark.task("forward", needs="layers")
class TestForward:
    def test_output_follows_the_formula(self, kata):
        model, x = network(kata), 2 * torch.randn(25, 2)
        (z1, z2), (a1, y_hat) = layers.by_formula(model, x)
        causes = {
            "these are the raw scores: the last activation, the sigmoid, is not applied": z2,
            "the hidden layer's tanh is not applied": torch.sigmoid(model.linear_modules[1](z1)),
            "these are the hidden layer's activations: the output layer is left out": a1,
            "the sigmoid is applied twice": torch.sigmoid(y_hat),
        }
        with expect.untouched("The input", x):
            expect.close(model(x), y_hat, what="The output", causes=causes)

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
        model = network(kata, num_hidden=2)
        training.check_steps(training.run(model, kata.train, *sine_bands(), RULE, epochs=4))

    def test_returns_the_loss_of_each_epoch(self, kata):
        model = network(kata, num_hidden=2)
        training.check_losses(training.run(model, kata.train, *sine_bands(), RULE, epochs=5))

    def test_keeps_nothing_of_an_earlier_call(self, kata):
        for epochs in (2, 3):
            training.check(
                network(kata, num_hidden=2), kata.train, *sine_bands(), RULE, epochs=epochs
            )

    def test_bends_the_line(self, kata, mark):
        model, (features, labels) = network(kata, num_hidden=2), sine_bands()
        losses = training.check(model, kata.train, features, labels, RULE)
        y_hat = model(features).detach()
        expect.reaches(
            mark("k07.train.accuracy"), ((y_hat >= 0.5) == labels).float().mean(), history=losses
        )
        expect.reaches(
            mark("k07.train.loss"), F.binary_cross_entropy(y_hat, labels), history=losses
        )

    def test_bends_the_line_from_a_lucky_start_too(self, kata):
        # steps of a sensible size separate all points from here; too large ones don't
        torch.manual_seed(4)
        model, (features, labels) = network(kata, num_hidden=2), sine_bands()
        losses = kata.train(model, features, labels)
        loss = F.binary_cross_entropy(model(features).detach(), labels)
        expect.reaches(marks.find("k07.train.loss"), loss, history=losses)

    @pytest.mark.placement
    def test_follows_its_device(self, kata, device):
        model = expect.moved(network(kata, num_hidden=2), device)
        data = [tensor.to(device) for tensor in sine_bands()]
        placement.check_training(partial(kata.train, epochs=3), model, data, epochs=3)


def network(kata, num_hidden=3):
    return kata.HiddenLayerNN(num_labels=1, num_features=2, num_hidden=num_hidden)
