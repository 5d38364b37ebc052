"""k03: the loss of a single weight, its gradient in two ways, the descent, learning rates, and the
chain rule through a small network.
"""

import functools

import pytest
import torch

from dojo.diagnosis import counted
from tests.support import calls, expect, formula, gradients, placement, returned

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
        self.check(kata, {"0 steps": [*points(8), 0.1, 0]})

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
REBOUND = (
    "weight = weight - ... gives another tensor the name: under torch.no_grad(), weight -= ..."
    " changes the one handed in"
)
UNMOVED = (
    "the weight that was given has not moved: no step was taken, or weight = weight - ... gave its"
    " name to another tensor"
)
PILED_UP = (
    "gradients pile up from step to step, because backward() adds to .grad: clear it before each"
    " backward()"
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


def errors(weight, x, y):
    """Prediction minus target, for each point."""
    return weight * x - y


def mse(weight, x, y):
    """The right loss."""
    return (errors(weight, x, y) ** 2).mean()


def slope(weight, x, y):
    """The right gradient, by the lesson's formula."""
    return 2 * (x * errors(weight.detach(), x, y)).mean().reshape(1)


LOSSES = {
    "this is the sum of the squares, not their mean": lambda *p: (errors(*p) ** 2).sum(),
    "this is half the mean: there is no 1/2 in the formula of the lesson": lambda *p: mse(*p) / 2,
    "the errors are not squared: these are their sizes": lambda *p: errors(*p).abs().mean(),
    "the errors are not squared, so that they cancel out": lambda *p: errors(*p).mean(),
    "the mean was squared: square each error, then take the mean": lambda *p: (
        errors(*p).mean() ** 2
    ),
    "this is the root of the mean: there is no root in the formula of the lesson": (
        lambda *p: mse(*p).sqrt()
    ),
    "the squares are there, and their mean is missing": lambda *p: errors(*p) ** 2,
    "the sum is divided by 3, which fits three points only: use mean()": (
        lambda *p: (errors(*p) ** 2).sum() / 3
    ),
    "the sum is divided by n - 1: the mean divides by n": (
        lambda *p: (errors(*p) ** 2).sum() / (len(p[1]) - 1)
    ),
    "this is the variance of the errors: square them as they are": (
        lambda *p: errors(*p).var(correction=0)
    ),
    "this is the largest squared error: take their mean": lambda *p: (errors(*p) ** 2).max(),
    "the weight is left out: the prediction is weight * inputs": (
        lambda w, x, y: ((x - y) ** 2).mean() + 0 * w.sum()
    ),
    "the weight is added: the prediction is weight * inputs": (
        lambda w, x, y: ((x + w - y) ** 2).mean()
    ),
    "the targets are added: the error is prediction minus target": (
        lambda w, x, y: ((w * x + y) ** 2).mean()
    ),
    "inputs and targets have changed places": lambda w, x, y: ((w * y - x) ** 2).mean(),
    "the shape is (1,), and a single number has the shape ()": lambda *p: mse(*p).reshape(1),
}


def once_more(add):
    """The gradient, and what it has added up to in all calls so far."""
    total = torch.zeros(1)

    def compute(weight, x, y):
        total.add_(add(weight, x, y))
        return total.clone()

    return compute


SLOPES = {
    "the sign is off: the error is prediction minus target": lambda *p: -slope(*p),
    "the 2 of the formula is missing": lambda *p: slope(*p) / 2,
    "this is the sum over the points, and the 1 / n is missing": lambda *p: len(p[1]) * slope(*p),
    "this is the sum over the points, and both the 2 and the 1 / n are missing": (
        lambda *p: len(p[1]) / 2 * slope(*p)
    ),
    "the number of points is written into the code as 3": lambda *p: len(p[1]) / 3 * slope(*p),
    "the chain rule's second factor, the inputs, is missing": (
        lambda w, x, y: 2 * errors(w.detach(), x, y).mean().reshape(1)
    ),
    "the second factor is the weight here, and it is the inputs": (
        lambda w, x, y: 2 * (w.detach() * errors(w.detach(), x, y)).mean().reshape(1)
    ),
    "the means are taken before the product: multiply each error by its input first": (
        lambda w, x, y: 2 * x.mean() * errors(w.detach(), x, y).mean().reshape(1)
    ),
    "the errors are squared here, too: the derivative has them as they are": (
        lambda w, x, y: 2 * (x * errors(w.detach(), x, y) ** 2).mean().reshape(1)
    ),
    "there is a number for each point: their mean is missing": (
        lambda w, x, y: 2 * x * errors(w.detach(), x, y)
    ),
    "this is the loss, not its gradient: after backward() the gradient lies in .grad": [
        lambda w, x, y: mse(w.detach(), x, y),
        lambda w, x, y: mse(w.detach(), x, y).reshape(1),
    ],
    "this is a single number of shape (), and the weight has the shape (1,): reshape(1) makes one"
    " of the other": lambda *p: slope(*p)[0],
    "the old gradient was added to: make a weight of your own, weight.detach().clone()": (
        lambda w, x, y: slope(w, x, y) + (0 if w.grad is None else w.grad)
    ),
    "backward() adds to what .grad holds from the call before: make a new weight in each call": (
        once_more(slope)
    ),
    "`return` is missing, or None is returned: backward() gives nothing back, and .grad is None"
    " where backward() did not reach that weight": lambda w, x, y: None,
}


def walk(weight, x, y, lr, steps, step=None, pile=False):
    """Gradient descent by the formula: the losses before each step, and the weight it ends at."""
    old = weight.grad if pile and weight.grad is not None else torch.zeros(1)
    weight, losses = weight.detach().clone(), []
    for _ in range(steps):
        losses.append(mse(weight, x, y).item())
        old = slope(weight, x, y) + (old if pile else 0)
        weight = weight - (step or (lambda gradient: lr * gradient))(old)
    return {"the losses": losses, "the weight": weight}


def with_losses_after(weight, x, y, lr, steps):
    """A descent whose losses are those after each step."""
    whole = walk(weight, x, y, lr, steps + 1)["the losses"][1:]
    return walk(weight, x, y, lr, steps) | {"the losses": whole}


def first_kept(weight, x, y, lr, steps):
    """A descent that follows the first gradient in every step."""
    first = slope(weight, x, y)
    return walk(weight, x, y, lr, steps, step=lambda gradient: lr * first)


MISSTEPS = {
    UNMOVED: [
        lambda w, x, y, lr, n: walk(w, x, y, 0.0, n),
        lambda w, x, y, lr, n: walk(w, x, y, lr, n) | {"the weight": w.detach()},
    ],
    PILED_UP: lambda *given: walk(*given, pile=True),
    "the old gradient was added: clear .grad before backward(), not only after it": (
        lambda w, x, y, lr, n: walk(w, x, y, lr, n, step=old_first(w, lr))
    ),
    "the step goes up the gradient: it has to be taken off the weight": (
        lambda w, x, y, lr, n: walk(w, x, y, -lr, n)
    ),
    "the learning rate is left out: lr * gradient is taken off": (
        lambda w, x, y, lr, n: walk(w, x, y, 1.0, n)
    ),
    "the gradient is divided by the learning rate: lr * gradient is taken off": (
        lambda w, x, y, lr, n: walk(w, x, y, 1 / lr, n)
    ),
    "a learning rate is written into the code: it is an argument": [
        lambda w, x, y, lr, n, fixed=fixed: walk(w, x, y, fixed, n)
        for fixed in (0.001, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3)
    ],
    "only one step was taken": lambda w, x, y, lr, n: walk(w, x, y, lr, min(n, 1)),
    "one step is missing": lambda w, x, y, lr, n: walk(w, x, y, lr, n - 1),
    "one step is too much": lambda w, x, y, lr, n: walk(w, x, y, lr, n + 1),
    "these are the losses after each step: keep the loss before the step": with_losses_after,
    "the step has the size lr, and only its sign from the gradient: it is lr * gradient": (
        lambda w, x, y, lr, n: walk(w, x, y, lr, n, step=lambda g: lr * g.sign())
    ),
    "every step follows the first gradient: compute it anew in each step": first_kept,
    "the 2 of the gradient is missing": lambda w, x, y, lr, n: walk(w, x, y, lr / 2, n),
}


def old_first(weight, lr):
    """A step that adds what .grad of the weight held at the start, in the first step alone."""
    old = [torch.zeros(1) if weight.grad is None else weight.grad]
    return lambda gradient: lr * (gradient + (old.pop() if old else 0))


def ends(weight, x, y, rates, steps):
    """The loss where the descent of each rate ends."""
    found = [walk(weight, x, y, lr, steps)["the weight"] for lr in rates]
    return torch.tensor([mse(end, x, y).item() for end in found])


def one_after_the_other(weight, x, y, rates, steps):
    """The same, if each descent goes on from the end of the one before."""
    losses = []
    for lr in rates:
        weight = walk(weight, x, y, lr, steps)["the weight"]
        losses.append(mse(weight, x, y).item())
    return torch.tensor(losses)


ENDS = {
    "these are the losses before the last step: mse of the weight where the descent ends": (
        lambda w, x, y, rates, n: ends(w, x, y, rates, n - 1)
    ),
    "these are the losses at the start: mse of the weight where the descent ends": (
        lambda w, x, y, rates, n: ends(w, x, y, rates, 0)
    ),
    "each descent begins where the one before ended: give each a weight of its own": (
        one_after_the_other
    ),
    "the rates were sorted first: keep their order": (
        lambda w, x, y, rates, n: ends(w, x, y, sorted(rates), n)
    ),
    "the losses were sorted: keep the order of the rates": (
        lambda *given: ends(*given).sort().values
    ),
    "these are the weights where the descents end: mse gives their losses": (
        lambda w, x, y, rates, n: torch.cat([walk(w, x, y, lr, n)["the weight"] for lr in rates])
    ),
    "these are the smallest losses on the way: the loss after the last step is asked for": (
        lambda w, x, y, rates, n: torch.stack([ends(w, x, y, rates, k) for k in range(n + 1)]).amin(
            dim=0
        )
    ),
    "each descent takes one step: hand on `steps`": (
        lambda w, x, y, rates, n: ends(w, x, y, rates, 1)
    ),
    "every descent has the first rate": (
        lambda w, x, y, rates, n: ends(w, x, y, rates[:1] * len(rates), n)
    ),
}


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
    expect.losses(losses, epochs=steps, what=f"descend(..., steps={steps})", each="step")
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

    slope = 1 - a[0] ** 2
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
        "the factor d y_hat / d a1, which is w3, is missing": scaled(w1=1 / own["w3"]),
        "w3 and w4 are swapped": scaled(w1=own["w4"] / own["w3"]),
        "the last factor, d z1 / d w1 = x, is missing": scaled(w1=1 / x),
        "the last factor is x, and this is w1": scaled(w1=own["w1"] / x),
        "a1 and a2 are swapped: d y_hat / d w3 = a1": scaled(w3=a[1] / a[0]),
        "z1 stands where a1 belongs: d y_hat / d w3 = a1": scaled(w3=z[0] / a[0]),
        "only the first factor is there: d y_hat / d w3 = a1 is missing": scaled(w3=1 / a[0]),
    }


def check_by_hand(call, what):
    """The call gets by without autograd."""
    likely = "backward() or torch.autograd.grad is used in it: the chain rule of the lesson does it"
    calls.check_written_out(call, ("backward", "grad"), what, likely)
