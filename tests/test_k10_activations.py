"""k10: the formulas, their gradients, what they do for large numbers, a slope that is learned, and
the units that a relu kills.
"""

import pytest
import torch
from torch.nn import functional as F

from tests.support import calls, expect, gradients, placement

TORCH = {
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "relu": F.relu,
    "leaky_relu": F.leaky_relu,
    "softplus": F.softplus,
    "silu": F.silu,
    "gelu": F.gelu,
    "selu": F.selu,
}
READY_MADE = {*TORCH, *(f"{name}_" for name in TORCH), "special_expit", "prelu", "_prelu_kernel"}
WRITE = (
    "the task is to write it out, with exp, log, clamp, where and the like; you may use your own"
    " functions"
)
FAR = torch.tensor([-1000.0, -200.0, -50.0, 50.0, 200.0, 1000.0])


class Checks:
    """Checks that hold for every activation, in every task."""

    def test_values_follow_the_formula(self, kata, name):
        x = torch.linspace(-6, 6, 125).reshape(5, 25)  # 0 is among them
        causes = {cause: wrong(x) for cause, wrong in MISTAKES[name].items()}
        with expect.untouched("The input", x):
            expect.close(getattr(kata, name)(x), TORCH[name](x), what=f"{name}(x)", causes=causes)

    def test_gradient_is_right(self, kata, name):
        expect.close(
            *slopes(kata, name, torch.linspace(-6, 6, 100)), what=f"The gradient of {name}"
        )

    def test_stays_finite_far_out(self, kata, name):
        seen = expect.tensor(getattr(kata, name)(FAR), f"{name}(x)").detach()
        likely = (
            "exp(x) is inf beyond 88, and inf / inf, inf - inf or 0 * inf is NaN: bound what goes"
            " into exp"
        )
        expect.that(
            seen.isfinite().all(),
            f"{name}(x) is not finite for x = -1000 ... 1000.",
            seen=expect.describe(seen),
            expected=expect.describe(TORCH[name](FAR)),
            likely=likely,
        )
        expect.close(seen, TORCH[name](FAR), what=f"{name}(x) for x = -1000 ... 1000")

    def test_gradient_stays_finite_far_out(self, kata, name):
        seen, expected = slopes(kata, name, FAR)
        expect.that(
            seen.isfinite().all(),
            f"The gradient of {name} is not finite for x = -1000 ... 1000.",
            seen=expect.describe(seen),
            expected=expect.describe(expected),
            likely=(
                "an exp in it gives inf, and its gradient 0 * inf is NaN. torch.where computes both"
                " sides, so it does not help: bound what goes into exp with clamp"
            ),
        )
        expect.close(seen, expected, what=f"The gradient of {name} for x = -1000 ... 1000")

    def test_is_written_out(self, kata, name):
        calls.check_written_out(
            lambda: getattr(kata, name)(torch.linspace(-6, 6, 100)), READY_MADE, name, WRITE
        )

    @pytest.mark.placement
    def test_follows_its_device(self, kata, name, device):
        x = torch.linspace(-2, 2, 4, device=device).requires_grad_()
        y = placement.same(
            getattr(kata, name), x, device=device, what=f"{name}(x)", lies_there=True
        )
        y.sum().backward()
        expect.on_device(x.grad, device, what=f"The gradient of {name}")


@pytest.mark.task("squash")
@pytest.mark.parametrize("name", ["sigmoid", "tanh"])
class TestSquash(Checks):
    pass


@pytest.mark.task("rectify")
@pytest.mark.parametrize("name", ["relu", "leaky_relu"])
class TestRectify(Checks):
    pass


@pytest.mark.task("rectify")
class TestSlope:
    def test_slope_is_an_argument(self, kata):
        x = torch.linspace(-6, 6, 100)
        causes = {"the slope is written into the code: it is an argument": F.leaky_relu(x)}
        expect.close(
            kata.leaky_relu(x, slope=0.3),
            F.leaky_relu(x, 0.3),
            what="leaky_relu(x, slope=0.3)",
            causes=causes,
        )


@pytest.mark.task("prelu", needs="rectify")
class TestPReLU:
    def test_has_one_parameter_the_slope(self, kata):
        for begin in (0.25, 0.6):
            model = kata.PReLU() if begin == 0.25 else kata.PReLU(begin)
            seen = {
                name: value.detach().flatten().tolist() for name, value in model.named_parameters()
            }
            expected, slope = {"slope": [pytest.approx(begin)]}, getattr(model, "slope", None)
            likely = "one parameter is asked for: self.slope = nn.Parameter(torch.tensor(slope))"
            if not seen and slope is not None:
                likely = (
                    f"self.slope is a {type(slope).__name__}, which no optimizer finds:"
                    " nn.Parameter(...) makes it one"
                )
            elif seen.get("slope") == [0.25]:
                likely = "the slope is written into the code: it is an argument"
            expect.that(
                seen == expected,
                "PReLU: not the parameters that the task asks for.",
                seen=seen,
                expected=f"{{'slope': [{begin}]}}",
                likely=likely,
            )
            expect.dtype(slope, torch.float32, what="The slope")

    def test_values_follow_the_slope_as_it_is_now(self, kata):
        model, x = kata.PReLU(0.3), torch.linspace(-6, 6, 125).reshape(5, 25)
        for slope in (0.3, 0.7):
            with torch.no_grad():
                model.slope.fill_(slope)
            causes = {
                "the first slope is kept: forward takes self.slope as it is now": F.leaky_relu(
                    x, 0.3
                )
            }
            causes |= {
                "leaky_relu is called without the slope": F.leaky_relu(x),
                "this is relu": F.relu(x),
            }
            expect.close(
                model(x),
                F.leaky_relu(x, slope),
                what=f"PReLU with the slope {slope}",
                causes=causes,
            )

    def test_gradient_reaches_the_slope(self, kata):
        model, x = kata.PReLU(0.3), torch.tensor([[-2.0, 3.0], [-0.5, 1.0]])
        model(x).sum().backward()
        expect.gradients_reach(model, what="The sum of PReLU(x)")
        causes = {"the positive x are counted too, but the slope plays no part there": x.sum()}
        expect.close(
            model.slope.grad.sum(),
            -2.5,
            what="The slope's gradient, the sum of the negative x",
            causes=causes,
        )
        gradients.check_flow(model, x, torch.tensor([[0.3, 1.0], [0.3, 1.0]]), "PReLU(x)")

    def test_training_finds_the_slope(self, kata):
        model, x = kata.PReLU(), torch.linspace(-2, 2, 50)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
        for _ in range(20):
            optimizer.zero_grad()
            F.mse_loss(model(x), F.leaky_relu(x, 0.6)).backward()
            optimizer.step()
        expect.close(
            model.slope.sum(),
            0.6,
            what="The slope after 20 steps on points with the slope 0.6",
            atol=1e-3,
        )

    def test_is_written_out(self, kata):
        calls.check_written_out(lambda: kata.PReLU()(torch.randn(4)), READY_MADE, "PReLU", WRITE)

    @pytest.mark.placement
    def test_follows_its_device(self, kata, device):
        model = expect.moved(kata.PReLU(), device)
        x = torch.linspace(-2, 2, 4, device=device)
        y = placement.same(model, x, device=device, what="PReLU(x)", lies_there=True)
        y.sum().backward()
        expect.on_device(model.slope.grad, device, what="The slope's gradient")


@pytest.mark.task("smooth", needs="squash")
@pytest.mark.parametrize("name", ["softplus", "silu", "gelu", "selu"])
class TestSmooth(Checks):
    pass


@pytest.mark.task("dead")
class TestDead:
    def test_a_unit_is_dead_if_it_gives_zero_for_every_example(self, kata):
        activations = torch.tensor(
            [[0.0, 0.0, 1.0, 0.0], [0.0, 2.0, 1.0, 0.0], [0.0, 0.0, 3.0, 0.0]]
        )
        with expect.untouched("The activations", activations):
            seen = mask(kata, activations)
        causes = {
            "a unit that is 0 for some examples is alive: all, not any": [True, True, False, True],
            "this is the wrong way round: True is for the dead units": [False, True, True, False],
            "this says which units are never 0": [False, False, True, False],
        }
        expect.equal(
            seen, [True, False, False, True], what="The dead units among four", causes=causes
        )

    def test_negative_is_not_dead(self, kata):
        # as a leaky_relu or tanh gives
        activations = torch.tensor([[0.0, -0.02, -1.0], [0.0, -0.01, 1.0]])
        causes = {
            "a negative activation is not 0: compare with == 0, not <= 0": [True, True, False],
            "positive and negative activations cancel in the sum: look at each entry": [
                True,
                False,
                True,
            ],
        }
        expect.equal(
            mask(kata, activations),
            [True, False, False],
            what="The dead units among three",
            causes=causes,
        )


@pytest.mark.task("dead", needs="rectify")
class TestDying:
    def test_a_dead_relu_gets_no_gradient_and_a_leaky_one_does(self, kata):
        layer, x = torch.nn.Linear(2, 6), torch.randn(50, 2)
        with torch.no_grad():
            layer.bias[[1, 4]] = -100.0  # where a step that is far too large may leave it
        for name, dead in (
            ("relu", [False, True, False, False, True, False]),
            ("leaky_relu", [False] * 6),
        ):
            activations = getattr(kata, name)(layer(x))
            expect.equal(
                mask(kata, activations), dead, what=f"The dead units among six with {name}"
            )
            (gradient,) = torch.autograd.grad(activations.sum(), layer.bias)
            expect.equal(
                (gradient == 0).tolist(), dead, what=f"Which units with {name} get no gradient"
            )

    @pytest.mark.placement
    def test_follows_its_device(self, kata, device):
        hidden = torch.tensor([[0.0, 0.0, 2.0], [0.0, 1.0, 0.0]])
        placement.check(kata.dead_units, hidden, device=device, what="The dead units")


def slopes(kata, name, at):
    """The gradient of the kata's function and of torch's, at these places."""
    gradients_at = []
    for function in (getattr(kata, name), TORCH[name]):
        x = at.clone().requires_grad_()
        y = expect.tensor(function(x), f"{name}(x)")
        headline = f"{name} is cut off from the gradient."
        expected = "a result that records gradients"
        likely = (
            "detach(), .data, torch.no_grad() or a conversion to NumPy: compute with torch alone"
        )
        if not y.is_floating_point() or ((y == 0) | (y == 1)).all():
            likely = (
                "a comparison such as x > 0 has no gradient: use it to choose, and have x itself in"
                " the result"
            )
        expect.that(
            y.requires_grad, headline, seen="requires_grad=False", expected=expected, likely=likely
        )
        gradients_at += torch.autograd.grad(y.sum(), x)
    return gradients_at


def mask(kata, activations):
    """The answers of dead_units as a list, once it is sure that there is one bool for each unit."""
    dead, (examples, units) = kata.dead_units(activations), activations.shape
    causes = {
        "there is one answer per example: look along dim=0": (examples,),
        "there is one answer for all units": (),
    }
    expect.shape(dead, (units,), what="The dead units", causes=causes)
    expect.dtype(dead, torch.bool, what="The dead units")
    return dead.tolist()


ALPHA, SCALE = 1.6732632, 1.0507010


MISTAKES = {
    "sigmoid": {
        "the sign is off: exp(-x), not exp(x)": lambda x: 1 / (1 + x.exp()),
        "this is tanh: the sigmoid runs from 0 to 1": torch.tanh,
    },
    "tanh": {
        "tanh(x) is 2 * sigmoid(2 * x) - 1: the 2 inside is missing": (
            lambda x: 2 * torch.sigmoid(x) - 1
        ),
        "tanh runs from -1 to 1: 2 * sigmoid(2 * x) - 1, and the - 1 is missing": (
            lambda x: 2 * torch.sigmoid(2 * x)
        ),
    },
    "relu": {
        "this is the absolute value: negative numbers become 0": torch.abs,
        "this says where x is positive: it gives 1 there, not x": lambda x: (x > 0).float(),
    },
    "leaky_relu": {
        "the slope is left out: this is relu": F.relu,
        "the two sides are swapped: torch.where(condition, where true, elsewhere)": (
            lambda x: torch.where(x > 0, 0.01 * x, x)
        ),
    },
    "softplus": {"this is log(exp(x)), which is x: the 1 is missing": lambda x: x},
    "silu": {
        "this is the sigmoid alone: x * sigmoid(x)": torch.sigmoid,
        "this is x * tanh(x): silu takes the sigmoid": lambda x: x * torch.tanh(x),
    },
    "gelu": {
        "this is the approximation by tanh: the docstring's formula has erf": lambda x: F.gelu(
            x, approximate="tanh"
        ),
        "the root of 2 is missing: erf(x / sqrt(2))": lambda x: x * (1 + torch.erf(x)) / 2,
    },
    "selu": {
        "SELU_SCALE is left out: it multiplies both sides": lambda x: F.elu(x, alpha=ALPHA),
        "the - 1 is missing: exp(x) - 1": lambda x: torch.where(
            x > 0, F.selu(x), SCALE * ALPHA * x.exp()
        ),
    },
}
