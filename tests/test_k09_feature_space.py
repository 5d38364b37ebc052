"""k09: the hidden space of a network, the straight line in it, and the grid of answers in the
original space.
"""

import functools
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from dojo.diagnosis import counted
from katas.given.data import sine_bands
from katas.given.networks import KeepingNetwork, unrolled_bands
from tests.support import expect, formula, modes, placement, refused, subject, values

SQUEEZED = (
    "squeeze() drops the dimension of a single point, too: outputs.shape[1] counts the outputs"
)
DROPOUT = "dropout was active: call model.eval() before you run the model"


@pytest.mark.task("features")
class TestFeatures:
    def test_gives_the_last_hidden_activations(self, kata):
        n, m = formula.sizes(2)
        draws = {
            f"{n} points": [network(), torch.randn(n, 2)],
            f"a layer of {m} neurons": [network(hidden=m), torch.randn(n, 2)],
            "a layer of one neuron": [network(hidden=1), torch.randn(n, 2)],
            "a network of one hidden layer": [network(before=0), torch.randn(n, 2)],
            "a network of four hidden layers": [network(before=3), torch.randn(n, 2)],
            "a single point": [network(), torch.randn(1, 2)],
        }
        wrong = {
            "these are the outputs: the last hidden layer is the last but one in "
            "activation_results": lambda *given: kept(*given)[1][-1],
            "this is the first hidden layer: count from the end, the last one has the index -2": (
                lambda *given: kept(*given)[1][0]
            ),
            "this is the second hidden layer: count from the end, the last one has the index -2": (
                lambda *given: kept(*given)[1][1]
            ),
            "these are linear results, before the tanh: the features are the activations": (
                lambda *given: kept(*given)[0][-2]
            ),
            "these are the scores, the last linear results: the features are the last hidden "
            "layer's activations": lambda *given: kept(*given)[0][-1],
            "only two of the neurons are there: all of the last hidden layer's are asked for": (
                lambda *given: hidden_of(*given)[:, :2]
            ),
            "a dimension of size 1 is dropped: the features are (n, neurons), also where one of"
            " them is 1": lambda *given: hidden_of(*given).squeeze(),
        }
        what = "The hidden features"
        formula.check(kata.last_hidden_features, hidden_of, draws, what, wrong, records=False)

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
        n, m = formula.sizes(2)
        draws = {
            f"{n} points": [network(), torch.randn(n)],
            f"{m} points of a deep network": [network(before=3), 1e3 * torch.randn(m)],
            "a network of one hidden layer": [network(before=0, features=3), torch.randn(n)],
            "a single point": [network(), torch.randn(1)],
        }

        def line(solve, layer=-1):
            def h2(model, h1):
                last = model.linear_modules[layer]
                return solve(*last.weight[0, :2].detach(), last.bias[0].detach(), h1)

            return h2

        def right(w1, w2, b, h1):
            return -(w1 * h1 + b) / w2

        wrong = {
            "the sign is off: w2 * h2 = -(w1 * h1 + b)": [
                line(lambda w1, w2, b, h1: (w1 * h1 + b) / w2),
                line(lambda w1, w2, b, h1: (b - w1 * h1) / w2),
                line(lambda w1, w2, b, h1: (w1 * h1 - b) / w2),
            ],
            "b belongs inside the bracket: w2 * h2 = -(w1 * h1 + b)": [
                line(lambda w1, w2, b, h1: -w1 * h1 / w2 + b),
                line(lambda w1, w2, b, h1: -w1 * h1 / w2 - b),
                line(lambda w1, w2, b, h1: -w1 * h1 - b / w2),
            ],
            "the score is set to 0.5 there: the probability is 0.5 where the score is 0": line(
                lambda w1, w2, b, h1: (0.5 - b - w1 * h1) / w2
            ),
            "the bias is left out": line(lambda w1, w2, b, h1: -w1 * h1 / w2),
            "w1 and w2 are swapped: the line is solved for h2, so w2 divides": line(
                lambda w1, w2, b, h1: -(w2 * h1 + b) / w1
            ),
            "the line is solved for h2: divide by w2": [
                line(lambda w1, w2, b, h1: -(w1 * h1 + b)),
                line(lambda w1, w2, b, h1: -(w1 * h1 + b) / w1),
            ],
            "these are the weights of the first layer: the line belongs to the last one, "
            "linear_modules[-1]": line(right, layer=0),
            "this is the line at other points than the given h1: take h1 as it is": [
                line(
                    lambda w1, w2, b, h1: right(
                        w1, w2, b, torch.linspace(float(h1.min()), float(h1.max()), len(h1))
                    )
                ),
                line(lambda w1, w2, b, h1: right(w1, w2, b, torch.linspace(-1, 1, len(h1)))),
                line(lambda w1, w2, b, h1: right(w1, w2, b, h1.sort().values)),
            ],
            "these are points (h1, h2): h2 alone is asked for": line(
                lambda w1, w2, b, h1: torch.stack([h1, right(w1, w2, b, h1)], dim=1)
            ),
            "this is a column: h2 has the shape of h1": line(
                lambda w1, w2, b, h1: right(w1, w2, b, h1)[:, None]
            ),
            "h2 is clipped: the line goes on outside of the square": line(
                lambda w1, w2, b, h1: right(w1, w2, b, h1).clamp(-1, 1)
            ),
        }

        @functools.wraps(kata.hidden_boundary)
        def asked_of(model, h1):
            try:
                return kata.hidden_boundary(model, h1)
            except ValueError as error:
                expect_no_refusal(kata.hidden_boundary, model, error)
                raise

        what = "h2 along the boundary"
        formula.check(asked_of, line(right), draws, what, wrong, records=False)

    @pytest.mark.parametrize(("hidden", "before"), [(1, 1), (3, 1), (5, 0)])
    def test_refuses_other_than_two_neurons(self, kata, hidden, before):
        likely = (
            "look at the last layer's in_features (or its weight's shape), and raise ValueError"
            " unless there are 2 inputs"
        )
        neurons = counted(hidden, "hidden neuron")
        headline = f"With {neurons} there is no line, and hidden_boundary doesn't raise ValueError."
        model = network(hidden=hidden, before=before)
        try:
            result = kata.hidden_boundary(model, torch.zeros(3))
            seen = expect.describe(result)
            likely = expect.told(refused.RETURNED) if refused.handed_back(result) else likely
        except ValueError:
            return
        except (AssertionError, IndexError) as error:
            seen = f"{type(error).__name__}: {error}"
            if isinstance(error, AssertionError):
                likely = "assert raises an AssertionError: `if ...: raise ValueError(...)` instead"
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
        rows, columns = formula.sizes(2)
        grids = (rows, 7), (4, 6), (1, columns), (5, 1), (1, 1)
        draws = {f"{m} rows (x2) and {n} columns (x1)": grid(m, n) for m, n in grids}
        what = "The grid"
        formula.check(kata.predict_grid, by_rows, draws, what, NOT_THE_GRID, records=False)

    def test_square_grids_are_turned_the_right_way(self, kata):
        draws = {f"{n} rows and {n} columns": grid(n, n) for n in (5, *formula.sizes(1))}
        what = "The grid"
        formula.check(kata.predict_grid, by_rows, draws, what, NOT_THE_GRID, records=False)

    def test_several_outputs_give_the_class_number(self, kata):
        rows, columns = formula.sizes(2)
        draws = {
            "four outputs at four nodes": grid(1, 4, labels=4),
            "four outputs": grid(rows, 3, labels=4),
            "two outputs": grid(5, columns, labels=2),
            "seven outputs on one row": grid(1, columns, labels=7),
            "five outputs at a single node": grid(1, 1, labels=5),
        }
        wrong = {
            "this is the largest output: argmax gives its position, the class number": (
                lambda *given: outputs_of(*given).amax(dim=2)
            ),
            "these are all outputs: keep the number of the class with the largest one": outputs_of,
            "this is one of the outputs: with several, two as well, take argmax(dim=1)": [
                lambda *given: outputs_of(*given)[:, :, 0],
                lambda *given: outputs_of(*given)[:, :, -1],
            ],
            "two outputs are taken for one probability: with two as well, take argmax(dim=1)": [
                lambda *given: one_of_two(0, *given),
                lambda *given: one_of_two(1, *given),
            ],
            "argmax runs over the points: dim=1 goes along the outputs of each": (over_the_points),
            "this is the class with the smallest output": (
                lambda *given: outputs_of(*given).argmin(dim=2)
            ),
            "the classes are counted from 1: argmax counts from 0": (
                lambda *given: by_rows(*given) + 1
            ),
            "class numbers are int64, as argmax gives them": [
                lambda *given: by_rows(*given).float(),
                lambda *given: by_rows(*given).int(),
            ],
        } | NOT_THE_GRID

        @functools.wraps(kata.predict_grid)
        def asked_of(model, x1, x2):
            try:
                return kata.predict_grid(model, x1, x2)
            except RuntimeError as error:
                if len(x1) * len(x2) == 1 and "invalid for input of size" in str(error):
                    kata.predict_grid(model, x1.repeat(3), x2.repeat(2))  # other grids are fine
                    what = "A grid of a single point does not get its answer."
                    expected, likely = "one class number", expect.told(SQUEEZED)
                    expect.unmet(what, seen=error, expected=expected, likely=likely)
                raise

        what = "The grid of class numbers"
        formula.check(asked_of, by_rows, draws, what, wrong, records=False)

    @pytest.mark.parametrize("before", [True, False], ids=["training", "evaluation"])
    def test_looks_in_evaluation_mode_and_restores_the_mode(self, kata, before):
        model, x1, x2 = grid(6, 4, dropout=True)
        right = by_rows(model.eval(), x1, x2)
        check_looking(
            model.train(before), before, lambda: kata.predict_grid(model, x1, x2), right, "The grid"
        )

    @pytest.mark.placement
    @pytest.mark.parametrize("labels", [1, 3])
    def test_follows_its_device(self, kata, device, labels):
        check_device(kata.predict_grid, *grid(6, 4, labels=labels), device=device)


def network(
    hidden: int = 2, labels: int = 1, dropout: bool = False, before: int = 1, features: int = 2
) -> KeepingNetwork:
    """A network with large random weights; this many hidden layers stand before the last one."""
    sizes = [features, *[9] * before, hidden]
    parts: list[nn.Module] = []
    for pair in pairwise(sizes):
        tanh = nn.Sequential(nn.Tanh(), nn.Dropout(0.5)) if dropout else nn.Tanh()
        parts += [nn.Linear(*pair), tanh]
    model = KeepingNetwork(*parts, nn.Linear(hidden, labels), nn.Sigmoid())
    for parameter in model.parameters():
        nn.init.normal_(parameter)
    with torch.no_grad():
        weight = model.linear_modules[-1].weight
        weight += 0.3 * weight.sign()  # far enough from 0 to divide by
    return model


def kept(model: KeepingNetwork, points: Tensor) -> tuple[list[Tensor], list[Tensor]]:
    """The linear results and the activations of a pass in evaluation mode."""
    with torch.no_grad():
        model.eval()(points)
    return model.linear_results, model.activation_results


def hidden_of(model: KeepingNetwork, points: Tensor) -> Tensor:
    return kept(model, points)[1][-2]


def asked(model: KeepingNetwork, points: Tensor, mode: bool) -> Tensor:
    """The hidden features in evaluation mode; the model is then set to the mode, and remembers
    another pass.
    """
    right = hidden_of(model, points)
    model(torch.zeros(1, 2))
    model.train(mode)
    return right


def grid(
    rows: int, columns: int, labels: int = 1, dropout: bool = False
) -> tuple[KeepingNetwork, Tensor, Tensor]:
    """A model, and the lines of a grid: in any order, and not evenly spaced."""
    model = network(labels=labels, dropout=dropout)
    return model, 3 * torch.randn(columns), 2 * torch.randn(rows)


def outputs_of(model: KeepingNetwork, x1: Tensor, x2: Tensor) -> Tensor:
    """The model's outputs, asked row by row: (rows, columns, labels)."""
    model.eval()
    with torch.no_grad():
        return torch.stack([model(torch.stack([x1, x1 * 0 + each], dim=1)) for each in x2])


def by_rows(model: KeepingNetwork, x1: Tensor, x2: Tensor) -> Tensor:
    """The probabilities, or the class numbers, of a grid."""
    outputs = outputs_of(model, x1, x2)
    return outputs[:, :, 0] if outputs.shape[2] == 1 else outputs.argmax(dim=2)


def one_of_two(place: int, *given: Any) -> Tensor:
    outputs = outputs_of(*given)
    return outputs[:, :, place] if outputs.shape[2] == 2 else by_rows(*given)


def by_chance(model: KeepingNetwork, x1: Tensor, x2: Tensor) -> Tensor:
    """The answers to points whose coordinates are of different nodes."""
    grids = torch.stack(torch.meshgrid(x1, x2, indexing="xy"))
    with torch.no_grad():
        outputs = model.eval()(grids.reshape(-1, 2))
    answers = outputs[:, 0] if outputs.shape[1] == 1 else outputs.argmax(dim=1)
    return answers.reshape(len(x2), len(x1))


def over_the_points(model: KeepingNetwork, x1: Tensor, x2: Tensor) -> Tensor:
    """For each output the number of the point where it is largest; from the start, till all nodes
    have a number.
    """
    numbers = outputs_of(model, x1, x2).flatten(0, 1).argmax(dim=0)
    return numbers.repeat(len(x1) * len(x2))[: len(x1) * len(x2)].reshape(len(x2), len(x1))


def even(values: Tensor) -> Tensor:
    return torch.linspace(float(values[0]), float(values[-1]), len(values))


NOT_THE_GRID: dict[str, Callable[..., Tensor] | list[Callable[..., Tensor]]] = {
    'the grid lies on its side: torch.meshgrid(x1, x2, indexing="xy") has a row for each x2': (
        lambda *given: by_rows(*given).T
    ),
    'the answers come column by column, and reshape fills row by row: use indexing="xy"': (
        lambda *given: by_rows(*given).T.reshape(len(given[2]), -1)
    ),
    "x1 and x2 are swapped in the points: the first column of the batch is x1": [
        lambda model, x1, x2: by_rows(model, x2, x1).T,
        lambda model, x1, x2: by_rows(model, x2, x1),
        lambda model, x1, x2: by_rows(model, x2, x1).reshape(len(x2), len(x1)),
    ],
    "the answers are not in rows and columns yet: reshape them to the shape of the grid": (
        lambda *given: by_rows(*given).flatten()
    ),
    "the answers are still one column: reshape them to the grid": (
        lambda *given: by_rows(*given).reshape(-1, 1)
    ),
    "the two grids are joined before they are flattened, so that a point has two x1 or two x2:"
    " stack the flat ones in dim=1": by_chance,
    "a dimension of size 1 is dropped: a grid of one row or column stays a table": (
        lambda *given: by_rows(*given).squeeze()
    ),
    "the shape is turned: a row for each x2 and a column for each x1, (len(x2), len(x1))": (
        lambda *given: by_rows(*given).reshape(len(given[1]), len(given[2]))
    ),
    "the grid stands on its head: row 0 belongs to x2[0]": lambda *given: by_rows(*given).flip(0),
    "this is a grid of other points: take x1 and x2 as they are, in their order": [
        lambda model, x1, x2: by_rows(model, even(x1), even(x2)),
        lambda model, x1, x2: by_rows(model, even(x1.sort().values), even(x2.sort().values)),
        lambda model, x1, x2: by_rows(model, x1.sort().values, x2.sort().values),
        lambda model, x1, x2: by_rows(model, even(x1.sort().values), x2),
        lambda model, x1, x2: by_rows(model, x1, even(x2.sort().values)),
        lambda model, x1, x2: by_rows(model, even(x1), x2),
        lambda model, x1, x2: by_rows(model, x1, even(x2)),
    ],
    "these are answers, 0 or 1: the grid holds the probability, unrounded": [
        lambda *given: (by_rows(*given) >= 0.5).float(),
        lambda *given: (by_rows(*given) >= 0.5).long(),
    ],
    "argmax of a single output is always 0: with one output, the probability is asked for": (
        lambda *given: torch.zeros(len(given[2]), len(given[1]), dtype=torch.int64)
    ),
    "the sigmoid is applied again: the model gives probabilities already": (
        lambda *given: by_rows(*given).sigmoid()
    ),
}


def expect_no_refusal(boundary: Callable, model: KeepingNetwork, error: ValueError) -> None:
    """The ValueError for a model of two hidden neurons does not come from another of its sizes."""

    def is_refused(**sizes: int) -> bool:
        try:
            boundary(network(**sizes), torch.randn(3))
        except ValueError:
            return True
        return False

    features = model.linear_modules[0].in_features
    asks_for_labels = subject.uses("hidden_boundary", "out_features") and not is_refused(labels=2)
    causes = {
        "out_features of the last layer is the number of labels: its in_features are the hidden"
        " neurons": asks_for_labels and is_refused(),
        "this is the number of features: the hidden neurons are the in_features of the last layer,"
        " linear_modules[-1]": features != 2 and not is_refused(),
    }
    if likely := expect.told(*(cause for cause, fits in causes.items() if fits)):
        headline = "A model whose last hidden layer has two neurons is refused."
        seen, expected = f"ValueError: {error}", "the h2 for each h1"
        expect.unmet(headline, seen=seen, expected=expected, likely=likely)


def check_device(look, model: nn.Module, *given: torch.Tensor, device: torch.device) -> None:
    """The look at a model on a device gives its answer there, and leaves the model there."""
    likely = "looking changes nothing: .to(...), .cpu() or .cuda() moves the model itself"
    placement.check(look, model, *given, device=device, what="The answer", likely=likely)


def check_no_gradient(value: Tensor, what: str) -> None:
    recording = expect.tensor(value, what).requires_grad
    expect.that(
        not recording,
        f"{what}: gradients are still recorded.",
        seen="requires_grad=True",
        expected="requires_grad=False",
        likely="compute under torch.no_grad(), or detach the result",
    )


def check_looking(model: nn.Module, before: bool, look, right: Tensor, what: str) -> None:
    """The look is one in evaluation mode, records no gradient, and leaves the model in the mode it
    came in.
    """
    recorded = []
    handle = model.register_forward_hook(lambda _, x, output: recorded.append(output.requires_grad))
    with formula.recording_as_before(what):
        seen = look()
    handle.remove()
    is_off = not values.alike(expect.tensor(seen, what), right, 1e-5)
    if before and is_off and not values.alike(look(), seen, 1e-5):
        expect.unmet(
            f"{what}: not as in evaluation mode.",
            seen=expect.describe(seen),
            expected=expect.describe(right),
            likely=expect.told(DROPOUT),
        )
    expect.close(seen, right, what=what)
    check_no_gradient(seen, what)
    expect.that(
        not any(recorded),
        f"{what}: the model is run with gradients recorded.",
        seen="requires_grad=True",
        expected="requires_grad=False",
        likely="`with torch.no_grad():` around the call of the model: detach() comes too late",
    )
    trains = all(parameter.requires_grad for parameter in model.parameters())
    headline = "After the look the model can't be trained any more."
    seen, expected = "requires_grad=False", "requires_grad=True, as before"
    likely = expect.told(formula.FROZEN)
    expect.that(trains, headline, seen=seen, expected=expected, likely=likely)
    modes.expect_left(model, before)
