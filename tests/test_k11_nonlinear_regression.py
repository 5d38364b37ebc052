"""k11: two architectures, their parameters, the pieces the nodes make, and training in shuffled
batches.
"""

from functools import partial
from itertools import pairwise, permutations

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from dojo.diagnosis import counted
from katas.given.data import curve
from tests.support import expect, formula, gradients, layers, modes, placement, training, values

STRETCHED = "outputs (n, 1) and targets (n,) were broadcast to (n, n): leave both as columns (n, 1)"
ABSOLUTE = "this is the absolute error: use nn.MSELoss"


def stretched(outputs, targets):
    return (outputs - targets.mT).square().mean()


RULE = training.Rule(
    F.mse_loss, wrong={STRETCHED: stretched, ABSOLUTE: F.l1_loss}, default=100, batch_size=50
)
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
            "nn.Linear comes with a bias: leave bias=False out": "bias=False",
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

    @pytest.mark.parametrize("number", [3, 4], ids=NAMES)
    def test_sizes_come_from_the_arguments(self, kata, number):
        name, sizes = NAMES[number - 3], formula.sizes(number)
        model = getattr(kata, name)(*sizes)
        seen = [(layer.in_features, layer.out_features) for layer in linear_layers(model)]
        expected = list(pairwise(sizes))
        likely = "an argument is used twice, and another one not at all"
        if seen == [*expected[:-1], (sizes[-2], 1)]:
            likely = "output_size is not used: the last layer always has one output"
        elif not {size for pair in seen for size in pair} <= {*sizes}:
            likely = "a size is written into the code: take the arguments"
        elif any(seen == list(pairwise(order)) for order in permutations(sizes)):
            likely = "the arguments stand in another order than in the stub"
        headline = f"{name}({', '.join(map(str, sizes))}) has layers of other sizes."
        expect.that(seen == expected, headline, seen=seen, expected=expected, likely=likely)

    @BOTH
    @pytest.mark.parametrize("outputs", [3, 1])
    def test_output_follows_the_formula(self, kata, name, sizes, outputs):
        model = getattr(kata, name)(**sizes | {"output_size": outputs})
        *hidden, last = linear_layers(model)

        def nodes(x):
            for layer in hidden:
                x = torch.sigmoid(layer(x))
            return x

        wrong = {
            "a sigmoid follows the last layer: a prediction may be any number": (
                lambda x: torch.sigmoid(last(nodes(x)))
            ),
            "these are the nodes' outputs: the last layer is left out": nodes,
            "a single example loses its row: the output is (n, output_size), for n = 1 too": (
                lambda x: last(nodes(x)).squeeze(0)
            ),
            "a single output loses its column: the output is (n, output_size), (n, 1) as well": (
                lambda x: last(nodes(x)).squeeze(-1)
            ),
        }
        draws = {counted(n, "example"): [2 * torch.randn(n, 2)] for n in (25, 1, 0)}
        formula.check(
            model, lambda x: last(nodes(x)), draws, f"The output of {name}", wrong, records=True
        )
        modes.expect_alike(model, torch.randn(7, 2))

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
        before = values.copied(model)
        seen = kata.count_parameters(model)
        expect.equal(seen, expected, what=f"The parameters of {sizes}", causes=causes)
        formula.expect_as_it_came([model], [before], "count_parameters(model)")
        seen = kata.count_parameters(nn.Tanh())
        expect.equal(seen, 0, what="The parameters of a layer that has none")

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

    def test_counts_parameters_of_any_shape(self, kata):
        for model, right in ((nn.Conv1d(2, 3, 5), 33), (any_shape(), 34)):
            causes = {
                "only two dimensions are multiplied: numel() is the number of all entries": right
                - 24
            }
            what = f"The parameters of {model}"
            expect.equal(kata.count_parameters(model), right, what=what, causes=causes)

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
            ("main.0.weight", (2, 4), 8),
            ("main.0.bias", (2,), 2),
            ("main.2.weight", (3, 2), 6),
            ("main.2.bias", (3,), 3),
        ]
        model = nn.ModuleDict({"main": chain(4, 2, 3)})
        before = values.copied(model)
        seen = kata.summary(model)
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
            "the first part of each name is cut off: the table has the names of state_dict()": [
                (name.removeprefix("main."), shape, number) for name, shape, number in expected
            ],
            "these are the layers' names, and a layer has a weight and a bias": [
                (name.rpartition(".")[0], shape, number) for name, shape, number in expected
            ],
        }
        expect.equal(seen, expected, what="The table of the sizes (4, 2, 3)", causes=causes)
        formula.expect_as_it_came([model], [before], "summary(model)")
        expect.equal(kata.summary(nn.Tanh()), [], what="The table of a layer without parameters")

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

    def test_has_a_row_for_parameters_of_any_name_and_shape(self, kata):
        rows = [("cut.weight", (3, 2, 5), 30), ("cut.bias", (3,), 3), ("own.scale", (), 1)]
        causes = {"only what is called weight or bias has a row: take all parameters": rows[:2]}
        expect.equal(kata.summary(any_shape()), rows, what="The table of a model", causes=causes)

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
        def before(model, x):
            first, *others, _ = linear_layers(model)
            x = first(x)
            for layer in others:
                x = layer(torch.tanh(x))
            return x.detach()

        wrong = {
            "these are the outputs before their activation": before,
            "this is the model's output: leave the last layer out": (
                lambda model, x: model(x).detach()
            ),
            "these are the outputs of the first hidden layer: the last hidden layer is asked for": (
                lambda model, x: torch.tanh(linear_layers(model)[0](x)).detach()
            ),
            "the activation is written into the code as a sigmoid: call the model's own parts": (
                lambda model, x: torch.sigmoid(before(model, x))
            ),
            "there is a row for each node: one for each example is asked for": (
                lambda model, x: torch.tanh(before(model, x)).T
            ),
            "a single example loses its row: (n, nodes) is asked for, for n = 1 too": (
                lambda model, x: torch.tanh(before(model, x)).squeeze(0)
            ),
        }
        draws = {
            counted(n, "example"): [
                getattr(kata, name)(**sizes, activation=nn.Tanh),
                torch.randn(n, 2),
            ]
            for n in (25, 1, 0)
        }
        frozen = draws["a frozen model in evaluation mode"] = values.copied(draws["25 examples"])
        frozen[0].requires_grad_(False).eval()
        formula.check(
            kata.node_outputs,
            lambda model, x: torch.tanh(before(model, x)),
            draws,
            f"The nodes' outputs of {name}",
            wrong,
            records=False,
        )

    def test_gives_no_gradient(self, kata):
        gradients.check_none(
            kata.node_outputs(kata.NonlinearRegression(1, 3, 1), torch.zeros(4, 1)),
            "The nodes' outputs",
        )
        headline = "node_outputs leaves torch's recording of gradients switched off."
        expect.that(
            torch.is_grad_enabled(),
            headline,
            seen="torch.is_grad_enabled() is False",
            expected="True, as before",
            likely="torch.set_grad_enabled(False) stays: `with torch.no_grad():` ends by itself",
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
    def test_goes_through_shuffled_batches(self, kata):
        for size in (30, 25, 120):  # the last batch may be smaller, or the only one
            seen = training.run(chain(1, 3, 1), kata.fit, *some(100), RULE, 2, batch_size=size)
            training.check_steps(seen)

    def test_every_step_follows_the_gradient(self, kata):
        seen = training.run(chain(1, 3, 1), kata.fit, *some(120), RULE, 3, batch_size=50)
        training.check_steps(seen)

    def test_returns_the_loss_of_each_epoch(self, kata):
        for size in (12, 25, 50):
            seen = training.run(chain(1, 3, 1), kata.fit, *some(40), RULE, 3, batch_size=size)
            training.check_losses(seen)

    def test_makes_100_epochs_of_batches_of_50_by_itself(self, kata):
        x, _ = some(60)  # a flat line is soon learned, and the training goes on
        training.check(chain(1, 3, 1), kata.fit, x, torch.ones(60, 1), RULE)

    def test_keeps_nothing_of_an_earlier_call(self, kata):
        model = chain(2, 4, 3)  # the second training goes on from there
        for epochs in (2, 1):
            data = torch.randn(33, 2), torch.randn(33, 3)
            training.check(model, kata.fit, *data, RULE, epochs, batch_size=15)

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


def any_shape():
    """A model with a parameter of three dimensions, and one of none with a name of its own."""
    own = nn.ParameterDict({"scale": nn.Parameter(torch.tensor(2.0))})
    return nn.ModuleDict({"cut": nn.Conv1d(2, 3, 5), "own": own})


def linear_layers(model):
    return [part for part in model.modules() if isinstance(part, nn.Linear)]


def some(count):
    """So many points of the curve, in ascending order of x."""
    x = torch.linspace(-2, 2, count).reshape(-1, 1)
    return x, y_of(x)


def y_of(x):
    return x**2 + 15 * torch.sin(x) ** 3
