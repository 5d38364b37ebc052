"""k04: the printed architecture, the weighted sum, the way to the best line, what was learned, and
what scikit-learn finds.
"""

from functools import partial

import pytest
import torch
from sklearn.linear_model import LinearRegression
from torch import Tensor
from torch.nn import functional as F

from katas.given.data import linear, linear_arrays
from tests.support import expect, placement, training

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
                    "in_features=1, out_features=1"
                ),
            },
        )

    @pytest.mark.parametrize(("features", "expected"), [(1, 2), (3, 4)])
    def test_has_a_weight_for_each_feature_and_a_bias(self, kata, features, expected):
        model = kata.LinearRegression(input_size=features, output_size=1)
        seen = sum(parameter.numel() for parameter in model.parameters())
        likely = (
            "one nn.Linear(input_size, output_size) holds them all: is there another layer, a fixed"
            " size, or no bias?"
        )
        headline = f"A model for {features} feature(s) has the wrong number of parameters."
        expect.that(seen == expected, headline, seen=seen, expected=expected, likely=likely)

    def test_sizes_come_from_the_arguments(self, kata):
        model = kata.LinearRegression(input_size=5, output_size=3)
        expect.shape(model(torch.randn(7, 5)), (7, 3), what="The output for 7 examples")

    def test_output_is_the_weighted_sum(self, kata):
        model, x = kata.LinearRegression(input_size=3, output_size=1), 3 * torch.randn(25, 3)
        right = x @ model.linear.weight.T + model.linear.bias
        causes = {
            "the sigmoid makes probabilities: a regression gives the plain sum": torch.sigmoid(
                right
            ),
            "tanh keeps the output between -1 and 1: a regression gives the plain sum": torch.tanh(
                right
            ),
            "a ReLU cuts off everything below zero: a regression gives the plain sum": F.relu(
                right
            ),
            "the bias is left out": x @ model.linear.weight.T,
            "the output lost its column: leave out flatten() or squeeze()": right.flatten(),
        }
        with expect.untouched("The input", x):
            expect.close(model(x), right, what="The output", causes=causes)

    def test_takes_a_single_example_too(self, kata):
        model, x = kata.LinearRegression(input_size=3, output_size=1), torch.randn(3)
        expect.close(
            model(x), model(x.unsqueeze(0))[0], what="The output for an example of shape (3,)"
        )

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

    def test_finds_the_line_of_scikit_learn(self, kata, mark):
        model = plane(kata, 1)
        losses = training.check(model, kata.fit, *linear(), RULE)
        expect.reaches(mark("k04.line.distance"), distance(model), history=losses)

    def test_finds_the_coefficients_of_three_features(self, kata, mark):
        model = plane(kata, 3)
        losses = training.check(model, kata.fit, *linear(3), RULE)
        expect.reaches(mark("k04.plane.distance"), distance(model), history=losses)

    def test_a_second_call_begins_with_what_the_first_one_learned(self, kata):
        model = plane(kata, 1)
        for epochs in (50, 2):
            training.check(model, kata.fit, *linear(), RULE, epochs=epochs)

    def test_prints_nothing(self, kata, capsys):
        kata.fit(plane(kata, 1), *linear(), epochs=2)
        printed = capsys.readouterr().out
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
    @pytest.mark.parametrize("features", [1, 3])
    def test_bias_comes_first_then_the_weights(self, kata, features):
        model = plane(kata, features)
        weights, bias = model.linear.weight.detach()[0], model.linear.bias.detach()
        seen = numbers(kata.coefficients(model))
        causes = {
            "the bias comes first": torch.cat([weights, bias]),
            "the bias is missing": weights,
            "the weights are missing": bias,
            "only the first weight is there: there is one for each feature": torch.cat(
                [bias, weights[:1]]
            ),
        }
        expect.close(
            seen,
            torch.cat([bias, weights]),
            what=f"The coefficients of {features} feature(s)",
            causes=causes,
        )

    def test_leaves_the_model_as_it_was(self, kata):
        model = plane(kata, 3)
        with expect.untouched("The weights", model.linear.weight):
            kata.coefficients(model)
        recording = all(parameter.requires_grad for parameter in model.parameters())
        expect.that(
            recording,
            "After coefficients(...) the model can't be trained any more.",
            seen="requires_grad=False",
            expected="requires_grad=True",
            likely=(
                "detach_() and requires_grad_(False) change the parameters themselves: detach(),"
                " tolist() and item() do not"
            ),
        )

    @pytest.mark.placement
    def test_reads_a_model_on_any_device(self, kata, device):
        model = plane(kata, 3)
        right = torch.cat([model.linear.bias, model.linear.weight[0]])
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
    @pytest.mark.parametrize("features", [1, 3])
    def test_finds_the_lowest_squared_error(self, kata, features):
        points, targets = torch.randn(60, features), 10 * torch.randn(60, 1) + 5
        with expect.untouched("The data", points, targets):
            seen = numbers(kata.best_coefficients(points, targets), "best_coefficients(...)")
        check_best(seen, points, targets)

    @pytest.mark.placement
    def test_takes_data_on_any_device(self, kata, device):
        points, targets = torch.randn(60, 2), torch.randn(60, 1) + 5
        data = points.to(device), targets.to(device)
        best = placement.same(
            kata.best_coefficients, *data, device=device, what="The best coefficients"
        )
        check_best(numbers(best, "best_coefficients(...)"), points, targets)
        for tensor in data:
            expect.on_device(tensor, device, "The data afterwards", placement.DATA_MOVED)


def plane(kata, num_features):
    return kata.LinearRegression(input_size=num_features, output_size=1)


def distance(model):
    """How far the model's w0 to wd are at most from those that scikit-learn finds for this number
    of features.
    """
    best = LinearRegression().fit(*linear_arrays(model.linear.in_features))
    learned = torch.cat([model.linear.bias, model.linear.weight[0]]).detach()
    return (learned - torch.tensor([best.intercept_, *best.coef_])).abs().max()


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
    elif kinds & {"list", "ndarray"}:
        table = "coef_" if "best" in call else "weight"
        likely = (
            f"a list or an array is inside the list: {table} is a table of one row here, so take"
            f" {table}[0]"
        )
    headline, expected = f"{call} does not return a flat list of plain numbers.", "a list of float"
    is_flat = isinstance(coefficients, list) and kinds == {"float"}
    seen = (
        f"a list of {', '.join(sorted(kinds))}"
        if isinstance(coefficients, list)
        else f"{type(coefficients).__name__}"
    )
    expect.that(is_flat, headline, seen=seen, expected=expected, likely=likely)
    return torch.tensor(coefficients)


def check_best(seen: Tensor, points: Tensor, targets: Tensor) -> None:
    """The coefficients (d + 1,) have the lowest mean squared error on points (n, d) and targets (n,
    1).
    """
    ones = torch.ones(len(points), 1)
    best, through_zero = lowest(torch.cat([ones, points], dim=1), targets), lowest(points, targets)
    causes = {
        "the intercept comes first": best.roll(-1),
        "the intercept is missing: it is intercept_": best[1:],
        "the coefficients are missing: they are coef_": best[:1],
        "only the first coefficient is there: coef_ has one for each feature": best[:2],
        "a line through 0 was fitted: leave out fit_intercept=False": torch.cat(
            [torch.zeros(1), through_zero]
        ),
    }
    expect.close(seen, best, what="The best coefficients", causes=causes, atol=1e-3)


def lowest(x: Tensor, y: Tensor) -> Tensor:
    """The weights with the lowest mean squared error of x @ weights, by the normal equation:
    (columns,).
    """
    x, y = x.double(), y.double()
    return torch.linalg.solve(x.T @ x, x.T @ y)[:, 0].float()
