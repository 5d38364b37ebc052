"""k04: the printed architecture, the weighted sum, the way to the best line, what was learned, and
what scikit-learn finds.
"""

import copy
from functools import partial

import numpy as np
import pytest
import torch
from sklearn.linear_model import LinearRegression
from torch import Tensor, nn
from torch.nn import functional as F

from katas.given.data import linear, linear_arrays
from tests.support import expect, formula, modes, placement, training

ABSOLUTE = "this is the absolute error: use nn.MSELoss"
STRETCHED = "outputs (n, 1) and targets (n,) were broadcast to (n, n): leave both as columns (n, 1)"

RULE = training.Rule(
    F.mse_loss,
    wrong={
        ABSOLUTE: F.l1_loss,
        STRETCHED: lambda outputs, targets: (outputs - targets.T).square().mean(),
        "this is the root of the mean squared error: leave the root out": (
            lambda outputs, targets: F.mse_loss(outputs, targets).sqrt()
        ),
        "this is half the mean squared error: leave the half out": (
            lambda outputs, targets: F.mse_loss(outputs, targets) / 2
        ),
        "the squared errors of an example's outputs are added up: nn.MSELoss is the mean over all"
        " outputs, too": lambda outputs, targets: (outputs - targets).square().sum(dim=1).mean(),
    },
    default=300,
)


@pytest.mark.task("model")
class TestModel:
    def test_prints_the_architecture(self, kata):
        expect.printed(
            kata.LinearRegression(input_size=3, output_size=1),
            """
            LinearRegression(
              (linear): Linear(in_features=3, out_features=1, bias=True)
            )
            """,
            causes={
                "the sizes are swapped: nn.Linear(inputs, outputs)": (
                    "in_features=1, out_features=3"
                ),
                "the intercept is missing: leave out bias=False": "bias=False",
                "a size is written into the code: it is an argument": (
                    "(linear): Linear(in_features=1, out_features=1"
                ),
            },
        )

    @pytest.mark.parametrize(("features", "expected"), [(1, 2), (3, 4)])
    def test_has_a_weight_for_each_feature_and_a_bias(self, kata, features, expected):
        model = kata.LinearRegression(input_size=features, output_size=1)
        seen = sum(parameter.numel() for parameter in model.parameters())
        likely = {
            features: "the intercept is missing: leave out bias=False",
            2 * features: "the sizes are swapped: nn.Linear(inputs, outputs)",
            2: "a size is written into the code: it is an argument",
            2 * expected: "there is a second layer: one nn.Linear holds all that is learned",
        }.get(seen, "one nn.Linear(input_size, output_size) holds all that is learned")
        headline = f"A model for {features} feature(s) has the wrong number of parameters."
        expect.that(seen == expected, headline, seen=seen, expected=expected, likely=likely)
        for parameter in model.parameters():
            likely = {"the layer is made with another dtype: leave that out": torch.float64}
            expect.dtype(parameter, torch.float32, "A parameter of the model", causes=likely)

    def test_sizes_come_from_the_arguments(self, kata):
        model = kata.LinearRegression(input_size=5, output_size=3)
        expect.shape(model(torch.randn(7, 5)), (7, 3), what="The output for 7 examples")

    @pytest.mark.parametrize("outputs", [1, 3])
    def test_output_is_the_weighted_sum(self, kata, outputs):
        model, (n, m) = kata.LinearRegression(4, outputs), formula.sizes(2)
        modes.expect_steady(model, torch.ones(3, 4))

        def right(x):
            return x @ model.linear.weight.T + model.linear.bias

        wrong = {
            "the sigmoid makes probabilities: a regression gives the plain sum": lambda x: right(
                x
            ).sigmoid(),
            "tanh keeps the output between -1 and 1: a regression gives the plain sum": lambda x: (
                right(x).tanh()
            ),
            "a ReLU cuts off everything below zero: a regression gives the plain sum": lambda x: (
                right(x).relu()
            ),
            "the bias is left out": lambda x: x @ model.linear.weight.T,
            "the output lost its column: leave out flatten() or squeeze()": [
                lambda x: right(x).flatten(),
                lambda x: right(x).squeeze(),
                lambda x: right(x).squeeze(-1),
            ],
        }
        draws = {
            f"{n} examples": [3 * torch.randn(n, 4)],
            f"{m} examples with huge features": [1e6 * torch.randn(m, 4)],
            "one example": [torch.randn(1, 4)],
        }
        formula.check(model, right, draws, "The output", wrong, records=True)

    @pytest.mark.parametrize("outputs", [1, 2])
    def test_takes_a_single_example_too(self, kata, outputs):
        model, x = kata.LinearRegression(3, outputs), torch.randn(3)
        right = x @ model.linear.weight.T + model.linear.bias
        one_row = "a row is made of the example, and kept: its output has the shape (output_size,)"
        causes = {one_row: (1, outputs), "a number is made of the output": ()}
        what = "The output for an example of shape (3,)"
        expect.shape(model(x), (outputs,), what, causes)
        expect.close(model(x), right, what)

    def test_gradients_reach_every_parameter(self, kata):
        model = kata.LinearRegression(input_size=3, output_size=2)
        model(torch.randn(10, 3)).sum().backward()
        expect.gradients_reach(model)

    @pytest.mark.placement
    def test_follows_its_device(self, kata, device):
        model = kata.LinearRegression(input_size=1, output_size=1)
        placement.check(model, torch.randn(4, 1), device=device, what="The output")


@pytest.mark.task("fit", needs="model")
class TestFit:
    def test_every_step_follows_the_gradient(self, kata):
        training.check_steps(training.run(plane(kata, 3), kata.fit, *linear(3), RULE, epochs=4))

    def test_returns_the_loss_of_each_epoch(self, kata):
        training.check_losses(training.run(plane(kata, 1), kata.fit, *linear(), RULE, epochs=5))

    def test_counts_all_outputs_alike(self, kata):
        n, d, outputs = formula.sizes(3)
        data = torch.randn(n, d), 0.1 * torch.randn(n, outputs)
        training.check(kata.LinearRegression(d, outputs), kata.fit, *data, RULE, epochs=3)

    def test_trains_any_model(self, kata):
        training.check(nn.Sequential(nn.Linear(3, 1)), kata.fit, *linear(3), RULE, epochs=3)

    def test_finds_the_line_of_scikit_learn(self, kata, mark):
        check_fit(kata, 1, mark("k04.line.distance"))

    def test_finds_the_coefficients_of_three_features(self, kata, mark):
        check_fit(kata, 3, mark("k04.plane.distance"))

    def test_a_second_call_begins_with_what_the_first_one_learned(self, kata):
        model = plane(kata, 1)
        for epochs in (50, 2):
            training.check(model, kata.fit, *linear(), RULE, epochs=epochs)

    def test_prints_nothing(self, kata, capsys):
        kata.fit(plane(kata, 1), torch.randn(9, 1), torch.randn(9, 1))
        printed = "".join(capsys.readouterr())
        expect.that(
            not printed,
            "fit(...) prints.",
            seen=repr(printed[:80]),
            expected="nothing",
            likely="take the print out: the losses are returned, and can be printed by the caller",
        )

    @pytest.mark.placement
    def test_follows_its_device(self, kata, device):
        model = expect.moved(plane(kata, 3), device)
        data = [tensor.to(device) for tensor in linear(3)]
        placement.check_training(partial(kata.fit, epochs=2), model, data, epochs=2)


@pytest.mark.task("coefficients", needs="model")
class TestCoefficients:
    def test_bias_comes_first_then_the_weights(self, kata):
        (d,) = formula.sizes(1)
        models = {f"{features} feature(s)": [plane(kata, features)] for features in (1, 3, d)}
        tiny = plane(kata, 2)
        with torch.no_grad():
            for parameter in tiny.parameters():
                parameter.mul_(1e-4)
        wrong = {
            "the bias comes first": lambda model: learned(model).roll(-1),
            "the bias is missing": lambda model: learned(model)[1:],
            "the weights are missing": lambda model: learned(model)[:1],
            "only the first weight is there: there is one for each feature": lambda model: learned(
                model
            )[:2],
            "the weights come in another order: w1 first, wd last": lambda model: torch.cat(
                [learned(model)[:1], learned(model)[1:].flip(0)]
            ),
            "the numbers are rounded: give them as they are": [
                lambda model, digits=digits: learned(model).round(decimals=digits)
                for digits in range(1, 7)
            ],
        }
        formula.check(
            lambda model: numbers(kata.coefficients(model)),
            learned,
            {**models, "tiny weights": [tiny]},
            "The coefficients",
            wrong,
            atol=1e-8,
        )

    def test_leaves_the_model_as_it_was(self, kata):
        for model in (plane(kata, 3).train(), plane(kata, 3).eval()):
            model(torch.ones(3)).backward()
            before = copy.deepcopy(model)
            for parameter, twin in zip(model.parameters(), before.parameters(), strict=True):
                twin.grad = parameter.grad.clone()
            kata.coefficients(model)
            formula.expect_as_it_came([model], [before], "coefficients(...)")

    def test_reads_the_model_as_it_is_now(self, kata):
        model = plane(kata, 2)
        kata.coefficients(model)
        nn.init.normal_(model.linear.weight)
        seen, what = numbers(kata.coefficients(model)), "The coefficients after a change"
        expect.close(seen, learned(model), what, likely=formula.KEPT)

    @pytest.mark.placement
    def test_reads_a_model_on_any_device(self, kata, device):
        model = plane(kata, 3)
        right = learned(model)
        model = expect.moved(model, device)
        expect.close(
            numbers(
                placement.same(kata.coefficients, model, device=device, what="The coefficients")
            ),
            right,
            what=f"The coefficients of a model on {device}",
        )
        expect.on_device(
            model.linear.weight,
            device,
            "The model that was read",
            "coefficients(...) moves the model itself",
        )


@pytest.mark.task("best")
class TestBest:
    def test_finds_the_lowest_squared_error(self, kata):
        (n, m) = formula.sizes(2)
        draws = {
            f"{n} examples of 1 feature": [torch.randn(n, 1), 10 * torch.randn(n, 1) + 5],
            f"{60 + m} examples of 3 features": [
                torch.randn(60 + m, 3),
                10 * torch.randn(60 + m, 1) + 5,
            ],
            "small targets": [torch.randn(9, 2), 1e-3 * torch.randn(9, 1)],
        }

        def best(points, targets):
            return numbers(kata.best_coefficients(points, targets), "best_coefficients(...)")

        formula.check(best, lowest, draws, "The best coefficients", NOT_BEST, atol=1e-6)

    @pytest.mark.placement
    def test_takes_data_on_any_device(self, kata, device):
        points, targets = torch.randn(60, 2), torch.randn(60, 1) + 5
        data = points.to(device), targets.to(device)
        best = placement.same(
            kata.best_coefficients, *data, device=device, what="The best coefficients"
        )
        seen, what = numbers(best, "best_coefficients(...)"), f"The best coefficients on {device}"
        expect.close(seen, lowest(points, targets), what, atol=1e-3)
        for tensor in data:
            expect.on_device(tensor, device, "The data afterwards", placement.DATA_MOVED)


def plane(kata, num_features):
    return kata.LinearRegression(input_size=num_features, output_size=1)


def distance(model):
    """How far the model's w0 to wd are at most from those that scikit-learn finds for this number
    of features.
    """
    best = LinearRegression().fit(*linear_arrays(model.linear.in_features))
    return (learned(model) - torch.tensor([best.intercept_, *best.coef_])).abs().max()


def learned(model):
    """The bias, then the weights of a model with one output."""
    return torch.cat([model.linear.bias, model.linear.weight[0]]).detach()


def check_fit(kata, features, mark):
    """The training on the lesson's data ends at the coefficients that scikit-learn finds."""
    model = plane(kata, features)
    seen = training.run(model, kata.fit, *linear(features), RULE)
    training.check_steps(seen)
    training.check_losses(seen)
    expect.reaches(mark, distance(model), history=seen.losses, causes=training.pulled(seen))


def numbers(coefficients: object, call: str = "coefficients(...)") -> Tensor:
    """The coefficients as a tensor, once it is sure that they are a list of plain numbers."""
    kinds = (
        {type(number).__name__ for number in coefficients}
        if isinstance(coefficients, list)
        else {type(coefficients).__name__}
    )
    likely = "tolist() makes floats of the numbers of a tensor or an array, item() of a single one"
    if coefficients is None:
        likely = "`return` is missing"
    elif isinstance(coefficients, tuple):
        likely = "this is a tuple: square brackets make a list"
    elif kinds & {"list", "ndarray"}:
        table, first = ("coef_", "intercept_") if "best" in call else ("weight", "bias")
        likely = f"{table} is a table of one row here, so take {table}[0]"
        if isinstance(coefficients[0], list | np.ndarray) and np.size(coefficients[0]) == 1:
            likely = f"{first} holds one number here: item() takes it out"
        likely = f"a list or an array is inside the list, and {likely}"
    headline, expected = f"{call} does not return a flat list of plain numbers.", "a list of float"
    is_flat = isinstance(coefficients, list) and kinds == {"float"}
    seen = (
        f"a list of {', '.join(sorted(kinds))}"
        if isinstance(coefficients, list)
        else f"{type(coefficients).__name__}"
    )
    expect.that(is_flat, headline, seen=seen, expected=expected, likely=likely)
    return torch.tensor(coefficients)


def lowest(points: Tensor, targets: Tensor, start: float = 1.0, pull: float = 0.0) -> Tensor:
    """The coefficients (d + 1,) with the lowest mean squared error, by the normal equation.

    Args:
        start: what stands before the features; 0 for a line through 0.
        pull: how strongly the squares of w1 to wd count, too.
    """
    x = torch.cat([torch.full((len(points), 1), start), points], dim=1).double()
    square = x.T @ x + pull * torch.eye(x.shape[1])
    square[0, 0] += 1 - start - pull
    return torch.linalg.solve(square, x.T @ targets.double())[:, 0].float()


def turned_around(points: Tensor, targets: Tensor) -> Tensor:
    """What comes out where features and targets are exchanged."""
    return fitted(LinearRegression(), targets, points)


def fitted(best: LinearRegression, points: Tensor, targets: Tensor) -> Tensor:
    best.fit(points.numpy(), targets.numpy())
    return torch.tensor([*best.intercept_.tolist(), *best.coef_[0].tolist()])


NOT_BEST = {
    "the intercept comes first": lambda *data: lowest(*data).roll(-1),
    "the intercept is missing: it is intercept_": lambda *data: lowest(*data)[1:],
    "the coefficients are missing: they are coef_": lambda *data: lowest(*data)[:1],
    "only the first coefficient is there: coef_ has one for each feature": (
        lambda *data: lowest(*data)[:2]
    ),
    "a line through 0 was fitted: leave out fit_intercept=False": lambda *data: lowest(*data, 0),
    "features and targets are exchanged: fit(features, targets)": turned_around,
    "w0 is 0: a column of ones among the features has the intercept_ beside it": (
        lambda *data: torch.cat([torch.zeros(1), lowest(*data)[1:]])
    ),
    "none of w1 to wd may be negative: leave out positive=True": lambda points, targets: fitted(
        LinearRegression(positive=True), points, targets
    ),
    "the coefficients are pulled towards 0: LinearRegression has no penalty, Ridge has": (
        lambda *data: lowest(*data, pull=1)
    ),
}
