"""k10: formulas, their gradients, large numbers, a learned slope, and the units a relu kills."""

import math

import pytest
import torch
from torch.nn import functional as F

from tests.support import calls, expect, formula, gradients, placement, subject

TORCH = {name: getattr(F, name) for name in ("relu", "leaky_relu", "softplus", "silu", "gelu")}
TORCH |= {name: getattr(torch, name) for name in ("sigmoid", "tanh", "selu")}
READY_MADE = {*TORCH, *(f"{name}_" for name in TORCH), "special_expit", "prelu", "_prelu_kernel"}
WRITE = "write it out, with exp, log, clamp, where and the like; you may use your own functions"
PLAIN = ".item(), float(...) or .detach() cuts the result off from the slope: use self.slope itself"
FAR = torch.tensor([-1000.0, -200.0, -50.0, 50.0, 200.0, 1000.0])


class Checks:
    """Checks that hold for every activation, in every task."""

    def test_values_follow_the_formula(self, kata, name):
        n, m = formula.sizes(2)
        draws = {
            "numbers from -6 to 6": [torch.linspace(-6, 6, 12 * n + 1)],  # 0 is among them
            f"numbers ({m}, 3)": [2 * torch.randn(m, 3)],
            "small numbers": [torch.tensor([[-0.3, -0.02, -1e-4], [1e-4, 0.02, 0.3]])],
            "a single number": [torch.tensor(-0.7)],
            "no numbers": [torch.zeros(0, 4)],
        }
        formula.check(getattr(kata, name), TORCH[name], draws, f"{name}(x)", mistakes(name))

    def test_gradient_is_right(self, kata, name):
        draws = {f"{n} numbers": [2 * torch.randn(n)] for n in formula.sizes(2)}
        check_slope(kata, name, draws | {"-6 to 6": [torch.linspace(-6, 6, 100)]})
        gradients.check_finite_at_0(getattr(kata, name), name)

    def test_stays_finite_far_out(self, kata, name):
        draws = {"5 numbers": [torch.randn(5)], "numbers from -1000 to 1000": [FAR]}
        formula.check(getattr(kata, name), TORCH[name], draws, f"{name}(x)", mistakes(name))

    def test_gradient_stays_finite_far_out(self, kata, name):
        draws = {"5 numbers": [torch.randn(5)], "numbers from -1000 to 1000": [FAR]}
        check_slope(kata, name, draws)

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
        written = {"the slope is written into the code: it is an argument": lambda x, _: leaky(x)}
        draws = {f"the slope {slope}": [2 * torch.randn(7, 3), slope] for slope in (0.3, 0.07)}
        draws |= {f"the slope {slope}": [torch.randn(9), slope] for slope in (0.0, 1.0)}
        draws["a slope in a tensor"] = [torch.randn(8), torch.tensor(0.4)]
        draws["a slope in a tensor (1,)"] = [torch.randn(6), torch.tensor([0.6])]
        ignored = "a tensor is not taken as slope: a float or a tensor may come"
        wrong = {**SLOPED, **written}
        wrong[ignored] = lambda x, slope: leaky(x, slope if isinstance(slope, float) else 0.01)
        formula.check(kata.leaky_relu, leaky, draws, "leaky_relu", wrong)


@pytest.mark.task("prelu", needs="rectify")
class TestPReLU:
    def test_has_one_parameter_the_slope(self, kata):
        models = [(kata.PReLU(), 0.25), *((kata.PReLU(one), one) for one in (0.6, 0.0, 1.0))]
        for model, begin in models:
            seen = {name: one.detach().flatten().tolist() for name, one in model.named_parameters()}
            expected, slope = {"slope": [pytest.approx(begin)]}, getattr(model, "slope", None)
            likely = "one parameter is asked for: self.slope = nn.Parameter(torch.tensor(slope))"
            if not seen and slope is not None:
                likely = (
                    f"self.slope is a {type(slope).__name__}, which no optimizer finds:"
                    " nn.Parameter(...) makes it one"
                )
            elif seen and len({id(one) for some, _ in models for one in some.parameters()}) == 1:
                likely = "all objects share one parameter: __init__ makes a new one for each"
            elif seen == {"slope": [0.25]} and begin == 0:
                likely = "0.0 counts as false for `or` and `if slope`, and is a slope as well"
            elif seen == {"slope": [0.25]}:
                likely = "the slope is written into the code: it is an argument"
            elif len(seen.get("slope", [])) == len(seen) == 1:
                likely = "the slope starts with the number that is given, and with 0.25 by default"
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
            first = "the first slope is kept: forward takes self.slope as it is now"
            without = "leaky_relu is called without the slope"
            causes = {
                first: F.leaky_relu(x, 0.3),
                without: F.leaky_relu(x),
                "this is relu": F.relu(x),
            }
            right, what = F.leaky_relu(x, slope), f"PReLU with the slope {slope}"
            expect.close(model(x), right, what=what, causes=causes)

    def test_gradient_reaches_the_slope(self, kata):
        model, x = kata.PReLU(0.3), torch.tensor([[-2.0, 3.0], [-0.5, 1.0]])
        gradients.recorded(model(x), model.slope, "PReLU(x)", PLAIN).sum().backward()
        expect.gradients_reach(model, what="The sum of PReLU(x)")
        causes = {"the positive x are counted too, but the slope plays no part there": x.sum()}
        what = "The slope's gradient, the sum of the negative x"
        expect.close(model.slope.grad.sum(), -2.5, what=what, causes=causes)
        gradients.check_flow(model, x, torch.tensor([[0.3, 1.0], [0.3, 1.0]]), "PReLU(x)")

    def test_training_finds_the_slope(self, kata):
        model, x = kata.PReLU(), torch.linspace(-2, 2, 50)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
        for _ in range(20):
            optimizer.zero_grad()
            y = gradients.recorded(model(x), model.slope, "PReLU(x)", PLAIN)
            F.mse_loss(y, F.leaky_relu(x, 0.6)).backward()
            optimizer.step()
        expect.close(model.slope.sum(), 0.6, "The slope after 20 steps towards 0.6", atol=1e-3)

    def test_is_written_out(self, kata):
        calls.check_written_out(lambda: kata.PReLU()(torch.randn(4)), READY_MADE, "PReLU", WRITE)

    @pytest.mark.placement
    def test_follows_its_device(self, kata, device):
        model = expect.moved(kata.PReLU(), device)
        x = torch.linspace(-2, 2, 4, device=device)
        y = placement.same(model, x, device=device, what="PReLU(x)", lies_there=True)
        gradients.recorded(y, model.slope, "PReLU(x)", PLAIN).sum().backward()
        expect.on_device(model.slope.grad, device, what="The slope's gradient")


@pytest.mark.task("smooth", needs="squash")
@pytest.mark.parametrize("name", ["softplus", "silu", "gelu", "selu"])
class TestSmooth(Checks):
    pass


@pytest.mark.task("dead")
class TestDead:
    def test_a_unit_is_dead_if_it_gives_zero_for_every_example(self, kata):
        n, m, k = formula.sizes(3)
        draws = {
            f"a relu's output ({n}, {k})": [outputs(n, k)],
            f"a relu's output ({k}, {m})": [outputs(k, m)],
            "a single example": [outputs(1, n)],
            "a single unit": [torch.zeros(m, 1)],
        }
        formula.check(kata.dead_units, dead, draws, "The dead units", ALIVE)

    def test_negative_is_not_dead(self, kata):
        negative = -outputs(9, 8)  # as a leaky_relu or tanh gives
        both = torch.tensor([[0.0, -0.5, 0.0, 2.0], [0.0, 0.5, -3.0, -2.0], [0.0, 0.0, 0.0, 0.0]])
        draws = {"negative numbers": [negative], "both signs": [both], "1s": [torch.ones(7, 3)]}
        formula.check(kata.dead_units, dead, draws, "The dead units", ALIVE)

    def test_nearly_zero_is_not_dead(self, kata):
        draws = {f"outputs of {size:g}": [size * outputs(8, 6)] for size in (1e-3, 1e-9, 1e-30)}
        draws["small outputs, none of them 0"] = [1e-9 * (1 + torch.rand(7, 5))]
        formula.check(kata.dead_units, dead, draws, "The dead units", ALIVE)


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
            activations, what = getattr(kata, name)(layer(x)), f"units among six with {name}"
            expect.equal(kata.dead_units(activations).tolist(), dead, what=f"The dead {what}")
            (gradient,) = torch.autograd.grad(activations.sum(), layer.bias)
            expect.equal((gradient == 0).tolist(), dead, what=f"The {what} without a gradient")

    @pytest.mark.placement
    def test_follows_its_device(self, kata, device):
        hidden = torch.tensor([[0.0, 0.0, 2.0], [0.0, 1.0, 0.0]])
        placement.check(kata.dead_units, hidden, device=device, what="The dead units")


def check_slope(kata, name, draws):
    """The gradient of the kata's function is that of torch's."""
    formula.check(
        formula.slope(getattr(kata, name), what=f"{name}(x)", entrywise=True),
        formula.slope(TORCH[name], entrywise=True),
        draws,
        f"The gradient of {name}",
        formula.slopes(mistakes(name), entrywise=True),
    )


def mistakes(name):
    """What is known to go wrong; torch.where only where it is used."""
    own = name != "sigmoid" and subject.uses(name, "def sigmoid(")
    names = {CUT: CUT + ", here and in sigmoid" * own}
    names[BOTH_SIDES] = BOTH_SIDES * subject.uses(name, "where(")
    return {names.get(c, c): wrong for c, wrong in MISTAKES[name].items() if names.get(c, c)}


def outputs(examples, units):
    """What a relu may give: about a third of the units are dead, one is silent but for the first
    example, one but for the last.
    """
    table = torch.rand(examples, units) * (torch.rand(examples, units) > 0.4)
    table[0, 3 * (units > 3)] = 0.5
    table[:, ::3] = 0
    if units > 2:
        table[:, 1:3] = 0
        table[0, 1] = table[-1, 2] = 0.5
    return table


def dead(table):
    """The right answer: which columns are 0 from top to bottom."""
    return (table == 0).all(dim=0)


ALIVE = {
    "a unit that is 0 for some examples is alive: all, not any": lambda t: (t == 0).any(dim=0),
    "this is the wrong way round: True is for the dead units": lambda t: (t != 0).any(dim=0),
    "this says which units are never 0": lambda t: (t != 0).all(dim=0),
    "a unit that always gives the same number may be alive: ask whether it is 0": [
        *(lambda t, n=n: t.std(dim=0, correction=n) == 0 for n in (0, 1)),
        lambda t: t.amax(dim=0) == t.amin(dim=0),
    ],
    "a negative activation is not 0: compare with == 0, not <= 0": [
        lambda t: (t <= 0).all(dim=0),
        lambda t: t.amax(dim=0) <= 0,
    ],
    "the largest is 0 where the others are negative: look at each entry": (
        lambda t: t.amax(dim=0) == 0
    ),
    "the smallest is 0 where another is positive: look at each entry": (
        lambda t: t.amin(dim=0) == 0
    ),
    "positive and negative activations cancel in the sum: look at each entry": [
        lambda t: t.sum(dim=0) == 0,
        lambda t: t.mean(dim=0) == 0,
    ],
    "exactly 0 is asked for: what is nearly 0 is alive": [
        *(lambda t, e=e: (t.abs() < e).all(dim=0) for e in (1e-2, 1e-3, 1e-5, 1e-6, 1e-8, 1e-12)),
        *(lambda t, e=e: (t.abs() <= e).all(dim=0) for e in (1e-3, 1e-8)),
        lambda t: torch.isclose(t, torch.zeros_like(t)).all(dim=0),
        lambda t: (t.round(decimals=4) == 0).all(dim=0),
        lambda t: t.square().sum(dim=0) == 0,
    ],
    "only the first example is asked: look at all of them": lambda t: t[0] == 0,
    "only the last example is asked: look at all of them": lambda t: t[-1] == 0,
    "these are the numbers of the dead units: True and False for each unit are asked for": (
        lambda t: dead(t).nonzero().flatten()
    ),
    "this is how many are dead: True and False for each unit are asked for": [
        lambda t: dead(t).sum(),
        lambda t: dead(t).sum().item(),
    ],
    "these are numbers, 0 and 1: True and False are asked for": [
        lambda t: dead(t).float(),
        lambda t: dead(t).long(),
    ],
    "this is how many examples are 0, for each unit": lambda t: (t == 0).sum(dim=0),
    "there is one answer per example: look along dim=0": lambda t: (t == 0).all(dim=1),
    "there is one answer for all units": lambda t: (t == 0).all(),
    "there is one answer for each entry: look at each unit's examples together": lambda t: t == 0,
    "a dimension is left, (1, units): keepdim=True is too much": (
        lambda t: (t == 0).all(dim=0, keepdim=True)
    ),
}
ALPHA, SCALE = 1.6732632423543772, 1.0507009873554805
OVERFLOW = (
    "exp is inf beyond 88, and inf / inf, inf - inf or 0 * inf is NaN: bound what goes into exp"
)
BOTH_SIDES = (
    "torch.where computes both sides, and the gradient of the one not chosen is 0 * inf, which is"
    " NaN: bound what goes into exp with clamp"
)
CUT = "exp gets no number beyond a bound that is too tight: clamp only beyond 80 or so"
STRAIGHT = "this is a straight line that is cut off: a smooth curve is asked for"
BOUNDS = (3, 4, 5, 6, 8, 10, 15, 20, 30)


def leaky(x, slope=0.01):
    """leaky_relu by its formula."""
    return torch.where(x > 0, x, slope * x)


def naive(x):
    """The sigmoid, with an exp that overflows."""
    return 1 / (1 + torch.exp(-x))


def clamped(function):
    """The function of numbers that were cut off, at several bounds."""
    return [lambda x, b=b: function(x.clamp(-b, b)) for b in BOUNDS]


SLOPED = {
    "the slope is left out: this is relu": lambda x, slope=0.01: F.relu(x),
    "the two sides are swapped: torch.where(condition, where true, elsewhere)": (
        lambda x, slope=0.01: torch.where(x > 0, slope * x, x)
    ),
    "the slope stands alone where x is negative: it is slope * x": (
        lambda x, slope=0.01: torch.where(x > 0, x, slope + torch.zeros_like(x))
    ),
    "x is divided by the slope: it is slope * x": (
        lambda x, slope=0.01: torch.where(x > 0, x, x / slope)
    ),
    "the slope is added on the positive side, too: only negative x get slope * x": (
        lambda x, slope=0.01: F.relu(x) + slope * x
    ),
    "slope * x is taken off where it should be added: the sign is off": (
        lambda x, slope=0.01: torch.where(x > 0, x, -slope * x)
    ),
    "the slope is added to x: it is slope * x": (
        lambda x, slope=0.01: torch.where(x > 0, x, x + slope)
    ),
    "the condition is x > 0, not x > slope": (
        lambda x, slope=0.01: torch.where(x > slope, x, slope * x)
    ),
    "this is slope * x on both sides": lambda x, slope=0.01: slope * x,
    "this is x on both sides: nothing is bent": lambda x, slope=0.01: x * 1,
    "this is the smaller of x and slope * x: the larger one is right": (
        lambda x, slope=0.01: torch.minimum(x, slope * x)
    ),
}
MISTAKES = {
    "sigmoid": {
        "the sign is off: exp(-x), not exp(x)": lambda x: torch.sigmoid(-x),
        "this is tanh: the sigmoid runs from 0 to 1": torch.tanh,
        "the 1 below is missing: 1 / (1 + exp(-x))": lambda x: 1 / torch.exp(-x),
        "there is a minus: 1 / (1 + exp(-x))": lambda x: 1 / (1 - torch.exp(-x)),
        "the x inside is multiplied by 2, as for tanh": lambda x: torch.sigmoid(2 * x),
        "these are answers, 0 or 1: the sigmoid is not rounded": lambda x: torch.sigmoid(x).round(),
        STRAIGHT: [lambda x: x.clamp(0, 1), lambda x: (x / 6 + 0.5).clamp(0, 1)],
        CUT: clamped(torch.sigmoid),
        OVERFLOW: [lambda x: torch.exp(x) / (1 + torch.exp(x))],
        f"{OVERFLOW}; here -x goes in, which is large where x is very negative": naive,
        BOTH_SIDES: [
            lambda x: torch.where(x >= 0, naive(x), torch.exp(x) / (1 + torch.exp(x))),
            lambda x: torch.where(x < -80, torch.zeros_like(x), naive(x)),
            lambda x: torch.where(x < -88, torch.zeros_like(x), naive(x)),
        ],
    },
    "tanh": {
        "tanh(x) is 2 * sigmoid(2 * x) - 1: the 2 inside is missing": (
            lambda x: 2 * torch.sigmoid(x) - 1
        ),
        "tanh runs from -1 to 1: 2 * sigmoid(2 * x) - 1, and the - 1 is missing": (
            lambda x: 2 * torch.sigmoid(2 * x)
        ),
        "the 2 in front is missing: 2 * sigmoid(2 * x) - 1": lambda x: torch.sigmoid(2 * x) - 1,
        "the brackets are another way: 2 * sigmoid(2 * x) - 1": (
            lambda x: 2 * (torch.sigmoid(2 * x) - 1)
        ),
        "this is the sigmoid": torch.sigmoid,
        "the sign is off: 2 * sigmoid(2 * x) - 1": lambda x: torch.tanh(-x),
        STRAIGHT: [lambda x: x.clamp(-1, 1)],
        CUT: clamped(torch.tanh),
        OVERFLOW: [
            lambda x: (torch.exp(x) - torch.exp(-x)) / (torch.exp(x) + torch.exp(-x)),
            lambda x: (torch.exp(2 * x) - 1) / (torch.exp(2 * x) + 1),
            lambda x: 2 * naive(2 * x) - 1,
        ],
    },
    "relu": {
        "this is the absolute value: negative numbers become 0": torch.abs,
        "this says where x is positive: it gives 1 there, not x": lambda x: (x > 0).float(),
        "max and min are mixed up: this keeps the negative numbers": lambda x: x.clamp(max=0),
        "large numbers are cut off, too: only what is below 0 becomes 0": [
            *(lambda x, b=b: x.clamp(0, b) for b in (1, 6, 80, 88, 100)),
        ],
        "small positive numbers are lost: it is x wherever x > 0": [
            *(lambda x, e=e: torch.where(x > e, x, 0) for e in (1e-3, 1e-2, 0.1, 0.5, 1.0)),
        ],
        "this is a leaky relu: 0 elsewhere": [F.leaky_relu, lambda x: leaky(x, 0.1)],
        "this is x itself: nothing is bent": lambda x: x * 1,
        "the two sides are swapped: this is 0 where x > 0": lambda x: torch.where(x > 0, 0, x),
    },
    "leaky_relu": SLOPED
    | {
        "the slope is 0.1 here, and 0.01 unless another is given": lambda x: leaky(x, 0.1),
        "the slope is 0.001 here, and 0.01 unless another is given": lambda x: leaky(x, 0.001),
    },
    "softplus": {
        "this is log(exp(x)), which is x: the 1 is missing": lambda x: x * 1,
        "this is relu: the smooth one is log(1 + exp(x))": F.relu,
        "exp gets -x: log(1 + exp(x))": lambda x: F.softplus(-x),
        "the log is missing: log(1 + exp(x))": [lambda x: 1 + torch.exp(x)],
        "1 is exp(0): the other exp has 0, not 1": lambda x: torch.logaddexp(x, torch.ones_like(x)),
        "log has the base 2 or 10 here: torch.log is the natural one": [
            *(lambda x, b=b: F.softplus(x) / math.log(b) for b in (2, 10))
        ],
        "log1p adds a 1 of its own: this is log(2 + exp(x))": lambda x: torch.log(2 + torch.exp(x)),
        "exp is bounded, so that large numbers don't come out as they are: max(x, 0) + log(1 +"
        " exp(-|x|)) needs no bound": [
            *(lambda x, b=b: torch.log1p(torch.exp(x.clamp(max=b))) for b in (*BOUNDS, 50)),
            *(lambda x, b=b: torch.log1p(torch.exp(x.clamp(max=b))) for b in (80, 85, 87, 88)),
        ],
        "|x| has to have a minus in exp(-|x|)": [
            lambda x: F.relu(x) + torch.log1p(torch.exp(x.abs()))
        ],
        "max(x, 0) is missing beside log(1 + exp(-|x|))": lambda x: F.softplus(-x.abs()),
        "exp is inf beyond 88, and so is its log: exp(-|x|) is safe": [
            lambda x: torch.log(1 + torch.exp(x)),
        ],
        "this is x already where softplus is still above it: let x begin at 20 or later": [
            *(lambda x, b=b: torch.where(x > b, x, F.softplus(x)) for b in range(1, 11))
        ],
        "logsumexp runs along x: it sums each x and its 0, which torch.stack puts along dim=0": (
            lambda x: torch.stack([x, torch.zeros_like(x)]).logsumexp(dim=-1)
        ),
        BOTH_SIDES: [
            *(
                lambda x, b=b: torch.where(x > b, x, torch.log1p(torch.exp(x)))
                for b in (15, 20, 30, 80)
            )
        ],
    },
    "silu": {
        "this is the sigmoid alone: x * sigmoid(x)": torch.sigmoid,
        "this is x * tanh(x): silu takes the sigmoid": lambda x: x * torch.tanh(x),
        "this is x + sigmoid(x): it is a product": lambda x: x + torch.sigmoid(x),
        "the sigmoid gets -x: x * sigmoid(x)": lambda x: x * torch.sigmoid(-x),
        "the sigmoid gets x * x: x * sigmoid(x)": lambda x: x * torch.sigmoid(x * x),
        "this is sigmoid(x * x): the first x stands outside": lambda x: torch.sigmoid(x * x),
        "sigmoid goes around the product: it is x * sigmoid(x)": lambda x: F.silu(x).sigmoid(),
        CUT: [lambda x, b=b: x * torch.sigmoid(x.clamp(-b, b)) for b in BOUNDS],
        "x is cut off outside, too: only exp needs a bound": clamped(F.silu),
        OVERFLOW: [
            lambda x: x * naive(x),
            lambda x: x / (1 + torch.exp(-x)),
            lambda x: x * torch.exp(x) / (1 + torch.exp(x)),
        ],
    },
    "gelu": {
        "this is the approximation by tanh: the docstring's formula has erf": [
            lambda x: F.gelu(x, approximate="tanh")
        ],
        "this is an approximation by the sigmoid: the docstring's formula has erf": [
            lambda x: x * torch.sigmoid(1.702 * x)
        ],
        "the root of 2 is missing: erf(x / sqrt(2))": lambda x: x * (1 + torch.erf(x)) / 2,
        "x is divided by 2, not by its root: erf(x / sqrt(2))": (
            lambda x: x * (1 + torch.erf(x / 2)) / 2
        ),
        "x is multiplied by the root of 2: erf(x / sqrt(2))": (
            lambda x: x * (1 + torch.erf(x * math.sqrt(2))) / 2
        ),
        "the half is missing: x * (1 + erf(x / sqrt(2))) / 2": (
            lambda x: x * (1 + torch.erf(x / math.sqrt(2)))
        ),
        "the 1 is missing: x * (1 + erf(x / sqrt(2))) / 2": (
            lambda x: x * torch.erf(x / math.sqrt(2)) / 2
        ),
        "x in front is missing: x * (1 + erf(x / sqrt(2))) / 2": (
            lambda x: (1 + torch.erf(x / math.sqrt(2))) / 2
        ),
        "the 2 divides erf alone: it divides 1 + erf(x / sqrt(2)), which needs brackets": (
            lambda x: x * (1 + torch.erf(x / math.sqrt(2)) / 2)
        ),
        "the root of 2 divides erf, and should divide x: erf(x / sqrt(2))": (
            lambda x: x * (1 + torch.erf(x) / math.sqrt(2)) / 2
        ),
        "this is silu: the docstring's formula has erf": F.silu,
        CUT: [lambda x, b=b: F.gelu(x.clamp(-b, b)) for b in BOUNDS],
    },
    "selu": {
        "SELU_SCALE is left out: it multiplies both sides": lambda x: F.elu(x, alpha=ALPHA),
        "SELU_SCALE is there on the positive side only: it multiplies both": (
            lambda x: torch.where(x > 0, SCALE * x, F.elu(x, ALPHA))
        ),
        "SELU_SCALE is there on the negative side only: it multiplies both": (
            lambda x: torch.where(x > 0, x, F.selu(x))
        ),
        "SELU_ALPHA is left out on the negative side": lambda x: SCALE * F.elu(x),
        "SELU_ALPHA is there on both sides: it belongs to the negative one": (
            lambda x: SCALE * ALPHA * F.elu(x)
        ),
        "SELU_SCALE and SELU_ALPHA are mixed up": [
            lambda x: ALPHA * F.elu(x, SCALE),
            lambda x: torch.where(x > 0, ALPHA * x, F.selu(x)),
        ],
        "the - 1 is missing: exp(x) - 1": lambda x: torch.where(
            x > 0, F.selu(x), SCALE * ALPHA * x.clamp(max=0).exp()
        ),
        "the factors multiply exp(x) alone: exp(x) - 1 needs brackets": [
            lambda x: torch.where(x > 0, SCALE * x, SCALE * ALPHA * x.clamp(max=0).exp() - 1),
            lambda x: SCALE * torch.where(x > 0, x, ALPHA * x.clamp(max=0).exp() - 1),
        ],
        "1 stands inside exp: exp(x) - 1": lambda x: torch.where(
            x > 0, F.selu(x), SCALE * ALPHA * (x.clamp(max=0) - 1).exp()
        ),
        "the sign of the negative side is off: exp(x) - 1": lambda x: torch.where(
            x > 0, F.selu(x), -F.selu(x)
        ),
        "the two sides are swapped: torch.where(condition, where true, elsewhere)": (
            lambda x: torch.where(x > 0, SCALE * ALPHA * torch.expm1(x.clamp(max=80)), SCALE * x)
        ),
        "the constants are rounded: SELU_SCALE and SELU_ALPHA have all their digits": [
            lambda x: 1.05 * F.elu(x, 1.67),
            lambda x: 1.0507 * F.elu(x, 1.67),
            lambda x: 1.05 * F.elu(x, 1.673),
            lambda x: 1.051 * F.elu(x, 1.673),
        ],
        "clamp keeps the wrong side: exp gets the numbers up to 0, which clamp(max=0) keeps": [
            lambda x: F.selu(x).clamp(min=0)
        ],
        CUT: clamped(F.selu),
        BOTH_SIDES: [
            lambda x: SCALE * torch.where(x > 0, x, ALPHA * torch.expm1(x)),
            lambda x: SCALE * torch.where(x > 0, x, ALPHA * (torch.exp(x) - 1)),
        ],
        OVERFLOW: [
            lambda x: SCALE * (F.relu(x) + ALPHA * (x <= 0) * (torch.exp(x) - 1)),
            lambda x: SCALE * ((x > 0) * x + (x <= 0) * ALPHA * (torch.exp(x) - 1)),
        ],
    },
}
