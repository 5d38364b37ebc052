"""k03: the loss of a single weight, its gradient in two ways, the descent, learning rates, and the
chain rule through a small network.
"""

import functools

import pytest
import torch

from dojo.diagnosis import counted
from tests.support import calls, expect, formula, gradients, placement, returned
from tests.support.one_weight import ENDS, LOSSES, MISSTEPS, SLOPES, ends, mse, slope, walk

NAMES = ("w1", "w2", "b1", "b2", "w3", "w4", "b3")
ASKED = ("w3", "w1")
TASKS = {  # function → its task, and the one it needs
    "mse": ("mse", None),
    "gradient": ("gradient", "mse"),
    "gradient_by_hand": ("by_hand", None),
}


@pytest.mark.task("mse")
class TestMse:
    def test_is_the_mean_of_the_squared_errors(self, kata):
        formula.check(kata.mse, mse, drawn(), "The loss", LOSSES)

    def test_gradients_flow_back_to_the_weight(self, kata):
        flow, right = formula.slope(kata.mse, what="The loss"), formula.slope(mse)
        wrong = formula.slopes(LOSSES)
        formula.check(flow, right, drawn(), "The gradient of the loss", wrong)


@pytest.mark.task("gradient", needs="mse")
class TestGradient:
    def test_equals_the_formula(self, kata):
        draws = drawn(recording=True) | {"a weight that does not record": points(9)}
        own = gradients.recording(kata.gradient, kata.mse)
        formula.check(own, slope, draws, "The gradient", SLOPES)

    def test_is_the_same_in_every_call(self, kata):
        weight, x, y = points(3, recording=True)
        draws = {f"call {number}": [weight, x, y] for number in (1, 2, 3)}
        formula.check(kata.gradient, slope, draws, "The gradient", SLOPES)

    def test_leaves_the_weight_as_it_came(self, kata):
        draws = drawn(recording=True) | {"a weight whose .grad holds 5": with_old_gradient()}
        formula.check(kata.gradient, slope, draws, "The gradient", SLOPES)

    def test_leaves_requires_grad_as_it_came(self, kata):
        draws = {"a weight that records": points(6, recording=True), "one that does not": points(8)}
        formula.check(kata.gradient, slope, draws, "The gradient", SLOPES)


@pytest.mark.task("by_hand")
class TestByHand:
    @pytest.mark.parametrize("recording", [True, False], ids=["with", "without"])
    def test_equals_the_formula(self, kata, recording):
        formula.check(
            kata.gradient_by_hand, slope, drawn(recording), "The gradient", SLOPES, records=False
        )

    def test_needs_no_autograd(self, kata):
        check_by_hand(lambda: kata.gradient_by_hand(*points(7)), "The gradient")


class TestPlacement:
    @pytest.mark.placement
    @pytest.mark.parametrize(
        "name",
        [
            pytest.param(name, marks=pytest.mark.task(task, needs=needs))
            for name, (task, needs) in TASKS.items()
        ],
    )
    def test_result_follows_its_device(self, kata, device, name):
        placement.check(
            getattr(kata, name), *points(7), device=device, what=f"The result of {name}"
        )


@pytest.mark.task("descend", needs="mse")
class TestDescend:
    def test_returns_the_loss_of_each_step(self, kata):
        self.check(kata, {"random points, 4 steps": [*points(9), 0.1, 4]})

    @pytest.mark.parametrize(("lr", "steps"), [(0.1, 3), (0.02, 3), (0.02, 50), (0.05, 1)])
    def test_every_step_takes_the_gradient_off_the_weight(self, kata, lr, steps):
        self.check(kata, {f"{counted(steps, 'step')} with lr={lr}": [*LESSON, lr, steps]})

    def test_takes_no_step_if_none_is_asked_for(self, kata):
        draws = {f"0 steps on {counted(n, 'point')}": [*points(n), 0.1, 0] for n in (8, 1)}
        run = functools.partial(descend, kata)
        formula.check(reporting(run), walk, draws, "A descent", MISSTEPS)

    def test_an_old_gradient_does_not_matter(self, kata):
        self.check(kata, {"a weight whose .grad holds 5": [*with_old_gradient(), 0.1, 3]})

    def test_a_second_call_begins_where_the_first_one_ended(self, kata):
        def twice(weight, x, y, lr, steps):
            first = descend(kata, weight, x, y, lr, steps)
            headline = "The weight no longer records gradients after a descent."
            likely = "detach_() or requires_grad_(False) changes the weight"
            seen = f"requires_grad={weight.requires_grad}"
            expect.that(
                weight.requires_grad,
                headline,
                seen=seen,
                expected="requires_grad=True",
                likely=likely,
            )
            return first + descend(kata, weight, x, y, lr, steps)

        draws = {"3 points": [*LESSON, 0.02, 2], "random points": [*points(12), 0.05, 3]}
        formula.check(
            reporting(twice),
            lambda *given: walk(*given[:4], 2 * given[4]),
            draws,
            "Two descents, one after the other",
        )

    def check(self, kata, draws):
        draws = draws | {"steps that lead up": [*LESSON, 0.3, 6]}
        more = {f"{n} points, {n % 7 + 2} steps": [*points(n), 0.07, n % 7 + 2] for n in SIZES}
        run = functools.partial(descend, kata)
        formula.check(reporting(run), walk, draws | more, "A descent", MISSTEPS)

    @pytest.mark.placement
    def test_follows_its_device(self, kata, device):
        weight, x, y = (tensor.to(device) for tensor in points(7))
        placement.same(
            lambda *data: descend(kata, *data, lr=0.1, steps=2),
            weight.requires_grad_(),
            x,
            y,
            device=device,
            what="The losses of the steps",
        )
        expect.on_device(weight, device, what="The weight")


@pytest.mark.task("rates", needs="descend")
class TestRates:
    def test_gives_the_loss_that_each_rate_ends_at(self, kata):
        recording = LESSON[0].clone().requires_grad_()
        self.check(kata, {"the lesson's points": [recording, *LESSON[1:], RATES, 4]})

    @pytest.mark.parametrize("steps", [1, 9])
    def test_takes_as_many_steps_as_asked_for(self, kata, steps):
        self.check(kata, {counted(steps, "step"): [*points(10), RATES, steps]})

    def test_leaves_the_weight_as_it_came(self, kata):
        draws = {"a weight that records": [*points(11, recording=True), RATES, 3]}
        draws |= {"a weight whose .grad holds 5": [*with_old_gradient(), [0.1], 2]}
        self.check(kata, draws)

    def check(self, kata, draws):
        @functools.wraps(kata.compare_rates)
        def compared(weight, x, y, rates, steps):
            compare = gradients.recording(kata.compare_rates, kata.mse)
            losses = compare(weight, x, y, rates, steps)
            if isinstance(losses, list) and len(losses) == len(set(rates)) < len(rates):
                headline, seen = "A rate that is given twice has one loss.", f"{len(losses)} losses"
                expected = f"{len(rates)} losses for the rates {rates}"
                expect.unmet(headline, seen=seen, expected=expected, likely=expect.told(ONCE))
            what = f"compare_rates(..., {len(rates)} rates)"
            expect.losses(losses, epochs=len(rates), what=what, each="rate")
            return torch.tensor(losses)

        more = {f"{n} points": [*points(n), [0.05, 0.01, 0.05, 0.08], n % 5 + 3] for n in SIZES}
        what = "The losses"
        formula.check(compared, ends, draws | more, what, ENDS, if_changed=DESCENDED)

    @pytest.mark.placement
    def test_descends_on_any_device(self, kata, device):
        given = *LESSON, RATES, 4
        placement.check(kata.compare_rates, *given, device=device, what="The losses")


@pytest.mark.task("chain")
class TestChain:
    @pytest.mark.parametrize("recording", [True, False], ids=["with", "without"])
    def test_both_gradients_equal_those_of_autograd(self, kata, recording):
        def named(*given):
            found = kata.network_gradients(*given)
            return dict(returned.named(found, ASKED, "network_gradients"))

        draws = {f"network {number}": network(recording) for number in (1, 2, 3)}
        what = "The gradients"
        formula.check(named, chained, draws, what, chain_mistakes(), records=False)

    def test_needs_no_autograd(self, kata):
        given = network()
        check_by_hand(lambda: kata.network_gradients(*given), "The gradients")

    @pytest.mark.placement
    def test_gradients_follow_their_device(self, kata, device):
        parameters, x, y = network()
        placement.check(
            kata.network_gradients, parameters, x, y, device=device, what="The gradients"
        )


LESSON = torch.tensor([1.0]), torch.tensor([1.0, 2.0, 3.0]), torch.tensor([2.0, 4.0, 6.0])
SIZES = (13, 19)
RATES = [0.01, 0.1, 0.3, 0.2]
DESCENDED = "descend changes the weight it gets, in place: give it one of your own for each rate"
ONCE = "a dict keeps each key once, and a rate may be given twice: append to a list for each rate"
STOPPED = "the descent stops where the loss rises: take as many steps as asked for"
REBOUND = (
    "weight = weight - ... gives another tensor the name: under torch.no_grad(), weight -= ..."
    " changes the one handed in"
)


def points(number, recording=False):
    """Weight (1,), inputs (n,) and targets (n,), drawn afresh."""
    weight, x, y = torch.randn(1), torch.randn(number), 2 * torch.randn(number)
    return [weight.requires_grad_(recording), x, y]


def with_old_gradient():
    """The same, and .grad of the weight holds 5 already."""
    weight, x, y = points(6, recording=True)
    weight.grad = torch.tensor([5.0])
    return [weight, x, y]


def drawn(recording=False):
    """Draws of points by name: those of the lesson, many, and a single one."""
    given = LESSON[0].clone().requires_grad_(recording), *LESSON[1:]
    n, m = formula.sizes(2)
    random = {counted(size, "point"): points(size, recording) for size in (n, m, 1)}
    return {"the lesson's points": given, **random}


def descend(kata, weight, x, y, lr, steps):
    """The learner's descent. An error that comes with the second step shows that the weight was
    replaced by a new one.
    """
    fresh = weight.detach().clone().requires_grad_()
    try:
        losses = kata.descend(weight, x, y, lr=lr, steps=steps)
    except (TypeError, RuntimeError) as error:
        if steps > 1 and ("NoneType" in str(error) or "does not require grad" in str(error)):
            kata.descend(fresh, x, y, lr=lr, steps=1)
            headline, expected = "The second step raises an error.", "as many steps as asked for"
            expect.unmet(headline, seen=error, expected=expected, likely=REBOUND)
        raise
    what = f"descend(..., steps={steps})"
    if isinstance(losses, list) and losses[-2:] == sorted(losses[-2:]) and 1 < len(losses) < steps:
        seen, likely = f"{len(losses)} losses, of which the last is higher", expect.told(STOPPED)
        headline = f"{what} ends early."
        expect.unmet(headline, seen=seen, expected=f"{steps} losses", likely=likely)
    expect.losses(losses, epochs=steps, what=what, each="step")
    return losses


def reporting(run):
    """A descent with a weight of its own: its losses, and where the weight ends."""

    def both(weight, x, y, lr, steps):
        own = weight.detach().clone().requires_grad_()
        own.grad = None if weight.grad is None else weight.grad.clone()
        losses = run(own, x, y, lr, steps)
        return {"the losses": losses, "the weight": own.detach()}

    return both


def network(recording=False):
    """Parameters by name, and the point x, y, drawn afresh."""
    numbers = {name: torch.randn(1).requires_grad_(recording) for name in NAMES}
    return [numbers, torch.randn(1), 2 * torch.randn(1)]


def chained(parameters, x, y):
    """The right gradients, by autograd."""
    return slopes_of(parameters, x, y)[0]


def chain_mistakes():
    """Cause → the gradients that the mistake gives."""
    causes = slopes_of(*network())[1]
    by_order = "the parameters are taken by their order: parameters[...] takes each by its name"
    names = ("w1", "w2", "w3", "w4", "b1", "b2", "b3")
    return {by_order: lambda p, x, y: chained(dict(zip(names, p.values(), strict=True)), x, y)} | {
        cause: lambda *given, cause=cause: {**chained(*given), **slopes_of(*given)[1][cause]}
        for cause in causes
    }


def slopes_of(parameters, x, y):
    """The right gradients, by autograd, and for each known mistake those that it gives."""
    own = {
        name: parameter.detach().clone().requires_grad_() for name, parameter in parameters.items()
    }
    z = own["w1"] * x + own["b1"], own["w2"] * x + own["b2"]
    a = torch.tanh(z[0]), torch.tanh(z[1])
    y_hat = own["w3"] * a[0] + own["w4"] * a[1] + own["b3"]
    found = torch.autograd.grad((y_hat - y) ** 2, [own[name] for name in ASKED])
    right = dict(zip(ASKED, found, strict=True))

    def scaled(**factors):
        return {name: (right[name] * factor).detach() for name, factor in factors.items()}

    def other(activation, slope_of):
        """With another activation in both nodes."""
        b = activation(z[0]), activation(z[1])
        ratio = (own["w3"] * b[0] + own["w4"] * b[1] + own["b3"] - y) / (y_hat - y)
        return scaled(w3=ratio * b[0] / a[0], w1=ratio * slope_of(b[0]) / slope)

    slope = 1 - a[0] ** 2
    without = {
        "b3": (y_hat - own["b3"] - y) / (y_hat - y),
        "w4": (y_hat - own["w4"] * a[1] - y) / (y_hat - y),
    }
    second = torch.tanh(own["w2"] * x + own["b1"])
    with_b1 = (y_hat + own["w4"] * (second - a[1]) - y) / (y_hat - y)
    return right, {
        "the sign is off: the error is y_hat minus y": scaled(w3=-1, w1=-1),
        "the 2 of the squared error's derivative is missing": scaled(w3=0.5, w1=0.5),
        "the loss stands where its derivative belongs: d loss / d y_hat = 2 * (y_hat - y)": scaled(
            w3=(y_hat - y) / 2, w1=(y_hat - y) / 2
        ),
        "the derivative of tanh is missing, 1 - a1 ** 2": scaled(w1=1 / slope),
        "the derivative of tanh is 1 - a1 ** 2, and this is 1 - a1": scaled(w1=1 / (1 + a[0])),
        "the derivative of tanh is 1 - a1 ** 2, and this is (1 - a1) ** 2": scaled(
            w1=(1 - a[0]) / (1 + a[0])
        ),
        "the derivative of tanh is 1 - a1 ** 2, and this is 1 - z1 ** 2": scaled(
            w1=(1 - z[0] ** 2) / slope
        ),
        "a1 is tanh(z1) already, and this takes its tanh once more: 1 - a1 ** 2": scaled(
            w1=(1 - torch.tanh(a[0]) ** 2) / slope
        ),
        "the derivative of tanh is 1 - a1 ** 2, and this is the sigmoid's, a1 * (1 - a1)": scaled(
            w1=a[0] / (1 + a[0])
        ),
        "b3 is left out of y_hat": scaled(w3=without["b3"], w1=without["b3"]),
        "a term is left out of y_hat: w3 * a1 + w4 * a2 + b3": scaled(
            w3=without["w4"], w1=without["w4"]
        ),
        "b1 stands in the second node, and b2 belongs there": scaled(w3=with_b1, w1=with_b1),
        "a factor that both gradients share is changed in place for the other one: *= changes the"
        " tensor itself": scaled(w3=own["w3"], w1=1),
        "the factor d y_hat / d a1, which is w3, is missing": scaled(w1=1 / own["w3"]),
        "w3 and w4 are swapped": scaled(w1=own["w4"] / own["w3"]),
        "the last factor, d z1 / d w1 = x, is missing": scaled(w1=1 / x),
        "the last factor is x, and this is w1": scaled(w1=own["w1"] / x),
        "w3 stands where a1 belongs: d y_hat / d w3 = a1": scaled(w3=own["w3"] / a[0]),
        "the derivative of tanh is 1 - a1 ** 2, and this is 1 - w1 ** 2": scaled(
            w1=(1 - own["w1"] ** 2) / slope
        ),
        "the derivative of tanh is 1 - a1 ** 2, and this is 1 - x ** 2": scaled(
            w1=(1 - x**2) / slope
        ),
        "the nodes' activation is torch.tanh, and this is tan": other(torch.tan, one_less_square),
        "the nodes' activation is torch.tanh, and this is the sigmoid": other(
            torch.sigmoid, one_less_square
        ),
        "a1 and a2 are swapped: d y_hat / d w3 = a1": scaled(w3=a[1] / a[0]),
        "z1 stands where a1 belongs: d y_hat / d w3 = a1": scaled(w3=z[0] / a[0]),
        "only the first factor is there: d y_hat / d w3 = a1 is missing": scaled(w3=1 / a[0]),
    }


def one_less_square(a):
    """What is the derivative of tanh, of its own result."""
    return 1 - a**2


def check_by_hand(call, what):
    """The call gets by without autograd."""
    likely = "backward() or torch.autograd.grad is used in it: the chain rule of the lesson does it"
    calls.check_written_out(call, ("backward", "grad"), what, likely)
