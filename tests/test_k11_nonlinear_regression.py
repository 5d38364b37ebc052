"""k11: two architectures, their parameters, the pieces the nodes make, and training in shuffled
batches.
"""

from functools import partial
from itertools import pairwise

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from katas.given.data import curve
from tests.support import batches, expect, gradients, layers, placement, training

STRETCHED = "outputs (n, 1) and targets (n,) were broadcast to (n, n): leave both as columns (n, 1)"
SUMMED = "this is the sum over the examples: the loss is their mean"
PILED_UP = (
    "gradients pile up from batch to batch: optimizer.zero_grad() is missing before"
    " loss.backward(), or is outside the loop over the batches"
)
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
            "no activation after the last layer: a prediction is any number": f"({len(parts)}): ",
            "an activation is missing between two layers: without it they are a single linear "
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
        headline = f"{name}(..., activation=nn.Tanh) does not use the activation it is given."
        expected = ["Tanh"] * len(seen)
        likely = (
            "activation is a class: activation() makes a layer of it, while nn.Sigmoid() would"
            " always make a sigmoid"
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
        placement.check(
            getattr(kata, name)(**sizes),
            torch.randn(4, 2),
            device=device,
            what=f"The output of {name}",
        )


@pytest.mark.task("count")
class TestCount:
    @pytest.mark.parametrize(
        ("sizes", "expected"), [((1, 3, 1), 10), ((1, 20, 1), 61), ((4, 2, 3), 19)], ids=str
    )
    def test_counts_weights_and_biases(self, kata, sizes, expected):
        model = chain(*sizes)
        first, second = linear_layers(model)
        causes = {
            "this counts the tensors: a weight matrix holds more than one number (numel())": 4,
            "the biases are left out": first.weight.numel() + second.weight.numel(),
            "only the first dimension is counted: numel() is the number of all entries": sum(
                map(len, model.parameters())
            ),
            "only the first layer is counted": first.weight.numel() + first.bias.numel(),
        }
        seen = kata.count_parameters(model)
        expect.equal(seen, expected, what=f"The parameters of {sizes}", causes=causes)

    def test_leaves_out_what_training_cannot_change(self, kata):
        model = nn.Sequential(chain(1, 3, 1), nn.BatchNorm1d(5))
        model[0][0].requires_grad_(False)
        causes = {
            "frozen parameters (requires_grad=False) are counted too": 20,
            "model.state_dict() also holds running means, which are not parameters: take "
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
            placement.same(
                kata.count_parameters, chain(1, 3, 1).to(device), device=device, what="The number"
            ),
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
        causes = {
            "this is a dict: a table is a list of rows": {
                name: (shape, number) for name, shape, number in expected
            },
            "a row is a tuple of three: (name, shape, number)": [list(row) for row in expected],
            "the names are left out: model.named_parameters() gives them": [
                row[1:] for row in expected
            ],
            "the numbers of entries are left out: parameter.numel()": [row[:2] for row in expected],
            "the biases are left out": expected[::2],
            "only the first dimension is counted: numel() is the number of all entries": [
                (name, shape, shape[0]) for name, shape, _ in expected
            ],
            "the shape is the wrong way round: a weight has a row for each output": [
                (name, shape[::-1], number) for name, shape, number in expected
            ],
            "these are the layers' names, and a layer has a weight and a bias": [
                (name.rpartition(".")[0], shape, number) for name, shape, number in expected
            ],
        }
        expect.equal(seen, expected, what="The table of the sizes (4, 2, 3)", causes=causes)

    def test_has_a_row_for_frozen_parameters_but_none_for_running_means(self, kata):
        model = nn.Sequential(nn.Linear(1, 3), nn.BatchNorm1d(3))
        model[0].requires_grad_(False)
        everything = [
            (name, tuple(value.shape), value.numel()) for name, value in model.state_dict().items()
        ]
        causes = {
            "model.state_dict() also holds running means, which are not parameters: "
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
        table = placement.same(
            kata.summary, nn.Linear(1, 2).to(device), device=device, what="The table"
        )
        expect.equal(table, rows, what=f"The table of a model on {device}")


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
            "these are the outputs before their activation": before,
            "this is the model's output: leave the last layer out": last(nodes),
            "these are the outputs of the first hidden layer: the last hidden layer is asked for": (
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
        placement.check(
            kata.node_outputs,
            kata.NonlinearRegression(1, 3, 1),
            torch.randn(4, 1),
            device=device,
            what="The nodes' outputs",
            likely="node_outputs moves the model itself",
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
            losses[0], right, what="The loss of the first epoch, with a single batch", causes=causes
        )

    def test_goes_through_shuffled_batches(self, kata):
        model, (x, y) = chain(1, 3, 1), some(120)
        with batches.watching(model) as watch:
            losses = kata.fit(model, x, y, epochs=2, batch_size=50)
        seen = watch.recording
        sizes = [len(batch.inputs) for batch in seen]
        likely = (
            "loop over a DataLoader with batch_size=batch_size, over all its batches in every epoch"
        )
        if sizes == [50, 50, 50, 50]:
            likely = "drop_last=True leaves the smaller last batch out: its examples count too"
        elif sizes and set(sizes) == {sum([50, 50, 20, 50, 50, 20][: 6 // len(sizes)])}:
            likely = "every epoch makes one step on all examples: split them with a DataLoader"
        expect.that(
            sizes == [50, 50, 20, 50, 50, 20],
            "fit(..., epochs=2, batch_size=50) on 120 examples makes the wrong batches.",
            seen=sizes,
            expected=[50, 50, 20, 50, 50, 20],
            likely=likely,
        )
        first, second = (
            torch.cat([batch.inputs for batch in part]) for part in (seen[:3], seen[3:])
        )
        expect.close(first.sort(dim=0).values, x, what="The examples of the first epoch, sorted")
        headline = "The examples are not shuffled again in every epoch."
        expect.that(
            not torch.equal(first, x),
            headline,
            seen="the order of the data",
            expected="a new order in each epoch",
            likely="DataLoader(..., shuffle=True) is missing",
        )
        expect.that(
            not torch.equal(first, second),
            headline,
            seen="the same order twice",
            expected="a new order in each epoch",
            likely="they are shuffled once, before the loop over the epochs",
        )
        parts = [F.mse_loss(batch.outputs, y_of(batch.inputs)).item() for batch in seen[:3]]
        causes = {
            "this is the sum over the batches: divide by their number": sum(parts),
            "this is the loss of the last batch alone: add up the losses of all of them": parts[-1],
            "the sum over the batches is divided by the number of examples": sum(parts) / 120,
        }
        what = "The loss of the first epoch"
        expect.close(losses[0], sum(parts) / 3, what=what, causes=causes, atol=1e-3)

    def test_every_step_follows_the_gradient(self, kata):
        model, (x, y) = chain(1, 3, 1), some(120)
        with batches.watching(model) as watch:
            kata.fit(model, x, y, epochs=2, batch_size=50)
        training.expect_steps(len(watch.steps))
        before = None
        for number, step in enumerate(watch.steps, start=1):
            if any(gradient is None for gradient in step.gradients.values()):
                continue
            followed, right = flat(step.gradients.values()), gradient_of(F.mse_loss, model, step)
            if not alike(followed, right):
                mistakes = {PILED_UP: before + right} if before is not None else {}
                mistakes[ABSOLUTE] = gradient_of(F.l1_loss, model, step)
                mistakes[STRETCHED] = gradient_of(stretched, model, step)
                fitting = [cause for cause, wrong in mistakes.items() if alike(followed, wrong)]
                if fitting:  # others pass: there are more right ways than a list holds
                    expect.unmet(
                        f"Step {number} of the training does not follow the gradient of its batch.",
                        seen=expect.describe(followed),
                        expected=expect.describe(right),
                        likely=expect.told(*fitting),
                    )
            before = followed

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
        placement.check_training(partial(kata.fit, epochs=2, batch_size=25), model, data, epochs=2)


def chain(*sizes, activation=nn.Sigmoid):
    """A network like those of the first task, so that other tasks can be checked without it."""
    parts = [part for pair in pairwise(sizes) for part in (nn.Linear(*pair), activation())]
    return nn.Sequential(*parts[:-1])


def linear_layers(model):
    return [part for part in model.modules() if isinstance(part, nn.Linear)]


def gradient_of(loss, model, step):
    """The gradient of this loss of a batch, at the parameters that the optimizer found."""
    x = step.batch.inputs
    return flat(step.gradients_of(model, x, lambda outputs: loss(outputs, y_of(x))).values())


def alike(one, other):
    distance = torch.linalg.vector_norm(one - other)
    return bool(distance <= 1e-3 * torch.linalg.vector_norm(other) + 1e-9)


def flat(gradients):
    return torch.cat([gradient.detach().flatten() for gradient in gradients])


def some(count):
    """So many points of the curve, in ascending order of x."""
    x = torch.linspace(-2, 2, count).reshape(-1, 1)
    return x, y_of(x)


def y_of(x):
    return x**2 + 15 * torch.sin(x) ** 3


def stretched(outputs, targets):
    return (outputs - targets.T).square().mean()
