"""k09: the hidden space of a network, the straight line in it, and the grid of answers in the
original space.
"""

import pytest
import torch
from torch import Tensor, nn

from katas.given.data import sine_bands
from katas.given.networks import KeepingNetwork, unrolled_bands
from tests.support import expect, placement

MODE = "note model.training at the start, and restore it at the end: model.train(mode)"
DROPOUT = "dropout was active: call model.eval() before you run the model"


@pytest.mark.task("features")
class TestFeatures:
    @pytest.mark.parametrize("hidden", [2, 5])
    def test_gives_the_last_hidden_activations(self, kata, hidden):
        model, points = network(hidden=hidden), torch.randn(7, 2)
        model(points)
        linear, activated = model.linear_results, model.activation_results
        causes = {
            "these are the outputs: the last hidden layer is the last but one in "
            "activation_results": activated[-1],
            "this is the first hidden layer: count from the end, the last one has the index -2": (
                activated[0]
            ),
            "these are linear results, before the tanh: the features are the activations": linear[
                -2
            ],
            "these are the scores, the last linear results: the features are the last hidden "
            "layer's activations": linear[-1],
        }
        model.activation_results, model.linear_results = [], []
        with expect.untouched("The points", points):
            seen = kata.last_hidden_features(model, points)
        expect.close(seen, activated[-2], what="The hidden features", causes=causes)

    def test_are_those_of_this_pass(self, kata):
        model = network()
        curve = torch.stack([torch.linspace(-5, 5, 100), torch.linspace(-5, 5, 100).sin()], dim=1)
        model(torch.randn(25, 2))
        causes = {"these are of an earlier pass: run the model on these features first": (25, 2)}
        expect.shape(
            kata.last_hidden_features(model, curve),
            (100, 2),
            what="The features of a curve",
            causes=causes,
        )

    @pytest.mark.parametrize("before", [True, False], ids=["training", "evaluation"])
    def test_looks_in_evaluation_mode_and_restores_the_mode(self, kata, before):
        model = network(dropout=True)
        points = torch.randn(7, 2)
        check_looking(
            model,
            before,
            lambda: kata.last_hidden_features(model, points),
            asked(model, points, before),
            "The hidden features",
        )

    @pytest.mark.placement
    def test_follows_its_device(self, kata, device):
        check_device(kata.last_hidden_features, network(), torch.randn(7, 2), device=device)


@pytest.mark.task("boundary")
class TestBoundary:
    def test_the_model_is_undecided_there(self, kata):
        model, h1 = network(), torch.linspace(-1, 1, 11)
        (w1, w2), b = model.linear_modules[-1].weight[0], model.linear_modules[-1].bias[0]
        (v1, v2), c = model.linear_modules[0].weight[0], model.linear_modules[0].bias[0]
        causes = {
            "the sign is off: w2 * h2 = -(w1 * h1 + b)": (w1 * h1 + b) / w2,
            "b belongs inside the bracket: w2 * h2 = -(w1 * h1 + b)": -w1 * h1 / w2 + b,
            "the bias is left out": -w1 * h1 / w2,
            "w1 and w2 are swapped: the line is solved for h2, so w2 divides": -(w2 * h1 + b) / w1,
            "these are the weights of the first layer: the line belongs to the last one, "
            "linear_modules[-1]": (-(v1 * h1 + c) / v2),
        }
        with expect.untouched("h1", h1):
            h2 = kata.hidden_boundary(model, h1)
        expect.close(h2, -(w1 * h1 + b) / w2, what="h2 along the boundary", causes=causes)
        check_no_gradient(h2, "The boundary")

    @pytest.mark.parametrize("hidden", [1, 3])
    def test_refuses_other_than_two_neurons(self, kata, hidden):
        likely = (
            "look at the last layer's in_features (or its weight's shape), and raise ValueError"
            " unless there are 2 inputs"
        )
        headline = (
            f"The boundary of a last hidden layer of {hidden} is not a line, and"
            " hidden_boundary does not say so."
        )
        try:
            seen = expect.describe(kata.hidden_boundary(network(hidden=hidden), torch.zeros(3)))
        except ValueError:
            return
        except IndexError as error:
            seen = f"{type(error).__name__}: {error}"
        expect.unmet(headline, seen=seen, expected="ValueError", likely=likely)

    def test_separates_the_bands_in_the_hidden_space(self, kata):
        model, (points, labels) = unrolled_bands(), sine_bands()
        model(points)
        hidden = model.activation_results[-2].detach()
        above = hidden[:, 1] > kata.hidden_boundary(model, hidden[:, 0])
        ones = int((above == (labels[:, 0] == 1)).sum())
        expect.that(
            ones in (0, 25),
            (
                "The line does not separate the two bands, although this network classifies all 25"
                " points correctly."
            ),
            seen=f"{max(ones, 25 - ones)} of 25 points on the right side",
            expected="25",
            likely="the first test of the boundary says why",
        )

    @pytest.mark.placement
    def test_follows_its_device(self, kata, device):
        check_device(kata.hidden_boundary, network(), torch.linspace(-1, 1, 11), device=device)


@pytest.mark.task("grid")
class TestGrid:
    def test_rows_follow_x2_and_columns_x1(self, kata):
        model, x1, x2 = network(), torch.linspace(-5, 5, 4), torch.linspace(-2, 3, 6)
        right = node_by_node(model, x1, x2)[:, :, 0]
        by_columns = right.T
        causes = {
            'the grid lies on its side: torch.meshgrid(x1, x2, indexing="xy") has a row for '
            "each x2": (by_columns),
            'the answers come column by column, and reshape fills row by row: use indexing="xy"': (
                by_columns.reshape(6, 4)
            ),
            "x1 and x2 are swapped in the points: the first column of the batch is x1": (
                node_by_node(model, x2, x1)[:, :, 0].T
            ),
            "the answers are not in rows and columns yet: reshape them to the shape of the grid": (
                right.reshape(-1)
            ),
            "the answers are still one column: reshape them to the grid": right.reshape(-1, 1),
            "these are answers, 0 or 1: the grid holds the probability, unrounded": (
                (right >= 0.5).float()
            ),
        }
        with expect.untouched("x1 and x2", x1, x2):
            seen = kata.predict_grid(model, x1, x2)
        expect.close(seen, right, what="The grid of 6 rows (x2) and 4 columns (x1)", causes=causes)

    def test_square_grids_are_turned_the_right_way(self, kata):
        model, across = network(), torch.linspace(-5, 5, 5)
        right = node_by_node(model, across, across)[:, :, 0]
        causes = {
            'the grid lies on its side: torch.meshgrid(x1, x2, indexing="xy") has a row for '
            "each x2": (right.T)
        }
        expect.close(
            kata.predict_grid(model, across, across),
            right,
            what="The grid of 5 rows and 5 columns",
            causes=causes,
        )

    def test_several_outputs_give_the_class_number(self, kata):
        model, x1, x2 = network(labels=4), torch.linspace(-5, 5, 7), torch.linspace(-2, 3, 6)
        outputs = node_by_node(model, x1, x2)
        causes = {
            "this is the largest output: argmax gives its position, the class number": (
                outputs.max(dim=2).values
            ),
            "these are all outputs: keep the number of the class with the largest one": outputs,
            "this is the first output alone: with several outputs take argmax(dim=1)": outputs[
                :, :, 0
            ],
        }
        expect.close(
            kata.predict_grid(model, x1, x2),
            outputs.argmax(dim=2),
            what="The grid of class numbers",
            causes=causes,
        )

    @pytest.mark.parametrize("before", [True, False], ids=["training", "evaluation"])
    def test_looks_in_evaluation_mode_and_restores_the_mode(self, kata, before):
        model = network(dropout=True).eval()
        x1 = torch.linspace(-5, 5, 4)
        x2 = torch.linspace(-2, 3, 6)
        right = node_by_node(model, x1, x2)[:, :, 0]
        check_looking(
            model.train(before), before, lambda: kata.predict_grid(model, x1, x2), right, "The grid"
        )

    @pytest.mark.placement
    @pytest.mark.parametrize("labels", [1, 3])
    def test_follows_its_device(self, kata, device, labels):
        x1, x2 = torch.linspace(-5, 5, 4), torch.linspace(-2, 3, 6)
        check_device(kata.predict_grid, network(labels=labels), x1, x2, device=device)


def network(hidden: int = 2, labels: int = 1, dropout: bool = False) -> KeepingNetwork:
    """A network of two hidden layers with large random weights."""
    middle = nn.Sequential(nn.Tanh(), nn.Dropout(0.5)) if dropout else nn.Tanh()
    model = KeepingNetwork(
        nn.Linear(2, 9),
        middle,
        nn.Linear(9, hidden),
        nn.Tanh(),
        nn.Linear(hidden, labels),
        nn.Sigmoid(),
    )
    for parameter in model.parameters():
        nn.init.normal_(parameter)
    return model


def asked(model: KeepingNetwork, points: Tensor, mode: bool) -> Tensor:
    """The hidden features in evaluation mode; the model is then set to the mode, and remembers
    another pass.
    """
    model.eval()(points)
    right = model.activation_results[-2].detach()
    model(torch.zeros(1, 2))
    model.train(mode)
    return right


def node_by_node(model: KeepingNetwork, x1: Tensor, x2: Tensor) -> Tensor:
    """The model's answers, asked point by point: (rows, columns, labels)."""
    return torch.stack(
        [torch.cat([model(torch.stack([one, two]).unsqueeze(0)) for one in x1]) for two in x2]
    ).detach()


def check_device(look, model: nn.Module, *given: torch.Tensor, device: torch.device) -> None:
    """The look at a model on a device gives its answer there, and leaves the model there."""
    likely = "looking changes nothing: .to(...), .cpu() or .cuda() moves the model itself"
    placement.check(look, model, *given, device=device, what="The answer", likely=likely)


def check_no_gradient(value: Tensor, what: str) -> None:
    recording = expect.tensor(value, what).requires_grad
    expect.that(
        not recording,
        f"{what} still records gradients.",
        seen="requires_grad=True",
        expected="requires_grad=False",
        likely="compute under torch.no_grad(), or detach the result",
    )


def check_looking(model: nn.Module, before: bool, look, right: Tensor, what: str) -> None:
    """The look is one in evaluation mode, records no gradient, and leaves the model in the mode it
    came in.
    """
    seen = look()
    if before and not torch.allclose(expect.tensor(seen, what), right, atol=1e-5):
        likely = DROPOUT if not torch.allclose(look(), seen) else "an earlier test says why"
        expect.unmet(
            f"{what}: not as in evaluation mode.",
            seen=expect.describe(seen),
            expected=expect.describe(right),
            likely=likely,
        )
    expect.close(seen, right, what=what)
    check_no_gradient(seen, what)
    modes = {part.training for part in model.modules()}
    expect.that(
        modes == {before},
        (
            f"A model that came in {'training' if before else 'evaluation'} mode is left in another"
            " mode."
        ),
        seen=f"training={model.training}",
        expected=f"training={before}",
        likely=MODE,
    )
