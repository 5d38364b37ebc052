"""k11: two architectures, their parameters, the pieces the nodes make, and a training in shuffled
batches.
"""

from itertools import pairwise

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from katas.given.data import curve
from tests import batches, expect, gradients, layers, parameters, placement
from tests.curve_fit import some, stretched, y_of

STRETCHED = "outputs (n, 1) and targets (n,) were stretched to (n, n): leave both as columns (n, 1)"
SUMMED = "this is the sum over the examples: the loss is their mean"
ABSOLUTE = "this is the absolute error: use nn.MSELoss"
SHALLOW = {"input_size": 2, "hidden_size": 4, "output_size": 3}
DEEP = {"input_size": 2, "hidden_size_1": 5, "hidden_size_2": 4, "output_size": 3}
NAMES = ["NonlinearRegression", "DeepRegression"]
BOTH = pytest.mark.parametrize(
    ("name", "sizes"), [(NAMES[0], SHALLOW), (NAMES[1], DEEP)], ids=NAMES
)
TRAININGS = [("three_nodes", (1, 3, 1), nn.Sigmoid, 50), ("deep", (1, 10, 10, 1), nn.SiLU, 40)]
TRAININGS += [("twenty_nodes", (1, 20, 1), nn.Tanh, 90)]


@pytest.mark.task("models")
class TestModels:
    @pytest.mark.parametrize("sizes", [(1, 3, 1), (1, 5, 3, 1)], ids=str)
    def test_prints_the_architecture(self, kata, sizes):
        name, parts = "NonlinearRegression" if len(sizes) == 3 else "DeepRegression", []
        for inputs, outputs in pairwise(sizes):
            parts += [
                f"Linear(in_features={inputs}, out_features={outputs}, bias=True)",
                "Sigmoid()",
            ]
        del parts[-1]  # no sigmoid at the end
        causes = {
            "nothing follows the last layer: a prediction may be any number": f"({len(parts)}): ",
            "no activation stands between two layers, and without one they are a single linear "
            "layer": ("bias=True)\n    (1): L"),
            "the second hidden layer has no activation: without one it adds nothing": (
                "bias=True)\n    (3): L"
            ),
            "the activation is the sigmoid unless another one is asked for": "(1): ReLU",
            "a plain list hides its layers from torch: self.main = nn.Sequential(...)": (
                "Regression()"
            ),
        }
        expect.printed(
            getattr(kata, name)(*sizes), layers.chain_text(name, "main", parts), causes=causes
        )

    @BOTH
    def test_activation_is_an_argument(self, kata, name, sizes):
        model = getattr(kata, name)(**sizes, activation=nn.Tanh)
        seen = [type(part).__name__ for part in model.main[1::2]]
        headline, expected = (
            f"{name}(..., activation=nn.Tanh) has other activations.",
            ["Tanh"] * len(seen),
        )
        likely = (
            "activation is a class: activation() makes one, where nn.Sigmoid() would always make"
            " the same"
        )
        expect.that(seen == expected, headline, seen=seen, expected=expected, likely=likely)

    @BOTH
    def test_output_follows_the_formula(self, kata, name, sizes):
        model, x = getattr(kata, name)(**sizes), 2 * torch.randn(25, 2)
        hidden = x
        for layer in linear_layers(model)[:-1]:
            hidden = torch.sigmoid(layer(hidden))
        right = linear_layers(model)[-1](hidden)
        causes = {
            "a sigmoid follows the last layer: a prediction may be any number": torch.sigmoid(
                right
            ),
            "these are the nodes' outputs: the last layer is left out": hidden,
        }
        with expect.untouched("The input", x):
            expect.close(model(x), right, what=f"The output of {name}", causes=causes)

    @BOTH
    def test_gradients_reach_every_parameter(self, kata, name, sizes):
        model = getattr(kata, name)(**sizes)
        model(torch.randn(30, 2)).sum().backward()
        expect.gradients_reach(model)

    @BOTH
    @pytest.mark.placement
    def test_follows_its_device(self, kata, name, sizes, device):
        model = expect.moved(getattr(kata, name)(**sizes), device)
        expect.on_device(
            model(torch.randn(4, 2, device=device)), device, what=f"The output of {name}"
        )


@pytest.mark.task("count")
class TestCount:
    @pytest.mark.parametrize(
        ("sizes", "expected"), [((1, 3, 1), 10), ((1, 20, 1), 61), ((4, 2, 3), 19)], ids=str
    )
    def test_counts_weights_and_biases(self, kata, sizes, expected):
        model = chain(*sizes)
        parameters.check_count(
            kata.count_parameters(model), model, expected, what=f"The parameters of {sizes}"
        )

    def test_leaves_out_what_training_cannot_change(self, kata):
        model = nn.Sequential(chain(1, 3, 1), nn.BatchNorm1d(5))
        model[0][0].requires_grad_(False)
        causes = {
            "frozen parameters (requires_grad=False) are counted too": 20,
            "model.state_dict() also holds running means, which are no parameters: take "
            "model.parameters()": (31),
        }
        expect.equal(
            kata.count_parameters(model),
            14,
            what="The parameters of a model with a frozen layer",
            causes=causes,
        )

    @pytest.mark.placement
    def test_counts_on_any_device(self, kata, device):
        expect.equal(
            kata.count_parameters(chain(1, 3, 1).to(device)),
            10,
            what=f"The parameters of a model on {device}",
        )


@pytest.mark.task("summary")
class TestSummary:
    def test_gives_name_shape_and_number_of_each_parameter(self, kata):
        expected = [
            ("net.0.weight", (2, 4), 8),
            ("net.0.bias", (2,), 2),
            ("net.2.weight", (3, 2), 6),
            ("net.2.bias", (3,), 3),
        ]
        seen = kata.summary(nn.ModuleDict({"net": chain(4, 2, 3)}))
        parameters.check_table(seen, expected, what="The table of the sizes (4, 2, 3)")

    def test_has_a_row_for_frozen_parameters_but_none_for_running_means(self, kata):
        model = nn.Sequential(nn.Linear(1, 3), nn.BatchNorm1d(3))
        model[0].requires_grad_(False)
        everything = [
            (name, tuple(value.shape), value.numel()) for name, value in model.state_dict().items()
        ]
        causes = {
            "model.state_dict() also holds running means, which are no parameters: "
            "model.named_parameters()": (everything),
            "frozen parameters are parameters too: the table has a row for each": everything[2:4],
        }
        expect.equal(
            kata.summary(model),
            everything[:4],
            what="The table of a model with a frozen layer",
            causes=causes,
        )

    @pytest.mark.placement
    def test_takes_a_model_on_any_device(self, kata, device):
        rows = [("weight", (2, 1), 2), ("bias", (2,), 2)]
        expect.equal(
            kata.summary(nn.Linear(1, 2).to(device)), rows, what=f"The table of a model on {device}"
        )


@pytest.mark.task("nodes", needs="models")
class TestNodes:
    @BOTH
    def test_gives_what_each_node_gives(self, kata, name, sizes):
        model, x = getattr(kata, name)(**sizes, activation=nn.Tanh), torch.randn(25, 2)
        first, *others, last = linear_layers(model)
        hidden = before = first(x)
        for layer in others:
            hidden = before = layer(torch.tanh(hidden))
        nodes = torch.tanh(hidden)
        causes = {
            "these are the nodes before their activation": before,
            "this is the model's output: leave the last layer out": last(nodes),
            "these are the first hidden layer's nodes: the last hidden layer is asked for": (
                torch.tanh(first(x))
            ),
            "the activation is written into the code as a sigmoid: call the model's own parts": (
                torch.sigmoid(before)
            ),
        }
        with expect.untouched("The input", x):
            seen = kata.node_outputs(model, x)
        expect.close(seen, nodes, what=f"The nodes of {name}", causes=causes)

    def test_gives_no_gradient(self, kata):
        gradients.check_none(
            kata.node_outputs(kata.NonlinearRegression(1, 3, 1), torch.zeros(4, 1)),
            "The nodes' outputs",
        )

    @pytest.mark.placement
    def test_follows_its_device(self, kata, device):
        model = expect.moved(kata.NonlinearRegression(1, 3, 1), device)
        expect.on_device(
            kata.node_outputs(model, torch.zeros(4, 1, device=device)),
            device,
            what="The nodes' outputs",
        )
        expect.on_device(
            next(model.parameters()),
            device,
            "The model afterwards",
            "node_outputs moves the model itself",
        )


@pytest.mark.task("fit")
class TestFit:
    def test_returns_the_loss_of_each_epoch(self, kata):
        model, (x, y) = chain(1, 3, 1), some(40)
        outputs = model(x).detach()
        with expect.untouched("The data", x, y):
            losses = kata.fit(model, x, y, epochs=3, batch_size=50)
        expect.losses(losses, epochs=3, what="fit(...)")
        right = F.mse_loss(outputs, y)
        causes = {
            STRETCHED: stretched(outputs, y),
            ABSOLUTE: F.l1_loss(outputs, y),
            SUMMED: 40 * right,
        }
        expect.close(
            losses[0], right, what="The loss of the first epoch, of a single batch", causes=causes
        )

    def test_goes_through_shuffled_batches(self, kata):
        model, (x, y) = chain(1, 3, 1), some(120)
        losses, seen = batches.watch(lambda: kata.fit(model, x, y, epochs=2, batch_size=50), model)
        batches.check_sizes(
            seen, [50, 50, 20, 50, 50, 20], what="fit(..., epochs=2, batch_size=50) on 120 examples"
        )
        batches.check_shuffled(seen[:3], seen[3:], x)
        parts = [F.mse_loss(batch.outputs, y_of(batch.inputs)).item() for batch in seen[:3]]
        batches.check_mean(losses[0], parts, examples=120)

    def test_every_step_follows_the_gradient(self, kata):
        model, (x, y) = chain(1, 3, 1), some(120)
        _, seen = batches.watch(lambda: kata.fit(model, x, y, epochs=2, batch_size=50), model)
        batches.check_gradients(
            seen, model, y_of, F.mse_loss, {ABSOLUTE: F.l1_loss, STRETCHED: stretched}
        )

    @pytest.mark.parametrize(
        ("network", "sizes", "activation", "epochs"),
        TRAININGS,
        ids=[name for name, *_ in TRAININGS],
    )
    def test_bends_the_line(self, kata, mark, network, sizes, activation, epochs):
        model, (x, y) = chain(*sizes, activation=activation), curve()
        losses = kata.fit(model, x, y, epochs=epochs)
        expect.reaches(mark(f"k11.{network}.error"), F.mse_loss(model(x), y), history=losses)

    @pytest.mark.placement
    def test_follows_its_device(self, kata, device):
        model, data = chain(1, 3, 1).to(device), [part.to(device) for part in some(40)]
        placement.check_training(
            lambda: kata.fit(model, *data, epochs=2, batch_size=25), model, data, epochs=2
        )


def chain(*sizes, activation=nn.Sigmoid):
    """A network like those of the first task, so that other tasks can be checked without it."""
    parts = [part for pair in pairwise(sizes) for part in (nn.Linear(*pair), activation())]
    return nn.Sequential(*parts[:-1])


def linear_layers(model):
    return [part for part in model.modules() if isinstance(part, nn.Linear)]
