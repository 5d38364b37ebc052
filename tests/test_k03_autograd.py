"""k03: the loss of a single weight, its gradient in two ways, the descent, learning rates, and the
chain rule through a small network.
"""

import contextlib
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from tests.support import expect, placement, returned

NAMES = ("w1", "w2", "b1", "b2", "w3", "w4", "b3")
ASKED = ("w3", "w1")
Gradients = dict[str, Tensor]
OWN = (
    "backward() ran on the weight that was given: make one of your own,"
    " weight.detach().clone().requires_grad_()"
)
AFTER = "these are the losses after each step: keep the loss before the step"
CHANGED = (
    "weight.requires_grad_() or requires_grad = ... changes the weight that was given: make one of"
    " your own, weight.detach().clone()"
)
NO_LEAF = (
    "only a tensor that was not computed from others keeps its .grad: clone() of a weight that"
    " records is computed, so detach() comes first"
)
DESCENDED = "descend changes the weight it gets, in place: give it one of your own for each rate"
RATES = [0.01, 0.1, 0.3, 0.2]
TASKS = {  # function → its task, and the one it needs
    "mse": ("mse", None),
    "gradient": ("gradient", "mse"),
    "gradient_by_hand": ("by_hand", None),
}


@pytest.mark.task("mse")
class TestMse:
    @pytest.mark.parametrize("data", ["three points", "random"])
    def test_is_the_mean_of_the_squared_errors(self, kata, data):
        weight, x, y = points(data)
        errors = weight * x - y
        causes = {
            "this is the sum of the squares, not their mean": (errors**2).sum(),
            "this is half the mean: there is no 1/2 in the formula of the lesson": (
                (errors**2).mean() / 2
            ),
            "the errors are not squared: these are their sizes": errors.abs().mean(),
            "the errors are not squared, so that they cancel out": errors.mean(),
            "the mean was squared: square each error, then take the mean": (errors.mean() ** 2),
            "this is the root of the mean: there is no root in the formula of the lesson": (
                (errors**2).mean().sqrt()
            ),
            "the squares are there, and their mean is missing": errors**2,
            "the sum is divided by 3, which fits three points only: use mean()": (
                (errors**2).sum() / 3
            ),
        }
        with expect.untouched("The data", weight, x, y):
            expect.close(kata.mse(weight, x, y), (errors**2).mean(), f"The loss of {data}", causes)

    def test_gradients_flow_back_to_the_weight(self, kata):
        weight, x, y = points("random", recording=True)
        recording = expect.tensor(kata.mse(weight, x, y), "The loss").requires_grad
        expect.that(
            recording,
            "The loss is cut off from the weight.",
            seen="requires_grad=False",
            expected="requires_grad=True",
            likely="item(), detach() or torch.no_grad() stands in between",
        )


@pytest.mark.task("gradient", needs="mse")
class TestGradient:
    @pytest.mark.parametrize(
        "recording", [True, False], ids=["weight records", "weight does not record"]
    )
    @pytest.mark.parametrize("data", ["three points", "random"])
    def test_equals_the_formula(self, kata, data, recording):
        weight, x, y = points(data, recording)
        right, causes = formula(weight, x, y), wrong(weight, x, y)
        with expect.untouched("The data", weight, x, y):
            seen = gradient(kata, weight, x, y)
        expect.close(seen, right, f"The gradient of {data}", causes)

    def test_is_the_same_in_every_call(self, kata):
        weight, x, y = points("three points", recording=True)
        right, mistakes = formula(weight, x, y), wrong(weight, x, y)
        for number in (1, 2, 3):
            causes = {
                f"backward() adds to what .grad holds from the call before. {OWN}": number * right,
                **mistakes,
            }
            expect.close(
                gradient(kata, weight, x, y),
                right,
                what=f"The gradient in call {number}",
                causes=causes,
            )

    def test_leaves_the_weight_as_it_came(self, kata):
        weight, x, y = points("three points", recording=True)
        weight.grad, right = torch.tensor([5.0]), formula(weight, x, y)
        causes = {f"the old gradient was added to. {OWN}": right + 5, **wrong(weight, x, y)}
        expect.close(
            gradient(kata, weight, x, y),
            right,
            what="The gradient, where .grad held 5 before",
            causes=causes,
        )
        same = weight.grad is not None and torch.equal(weight.grad, torch.tensor([5.0]))
        headline = "The .grad of the weight that was given has changed."
        seen = expect.describe(weight.grad)
        expect.that(same, headline, seen=seen, expected="5, as before", likely=OWN)

    @pytest.mark.parametrize("recording", [True, False], ids=["with", "without"])
    def test_leaves_requires_grad_as_it_came(self, kata, recording):
        weight, x, y = points("three points", recording)
        gradient(kata, weight, x, y)
        check_recording(weight, recording)


@pytest.mark.task("by_hand")
class TestByHand:
    @pytest.mark.parametrize("data", ["three points", "random"])
    def test_equals_the_formula(self, kata, data):
        weight, x, y = points(data, recording=True)
        right, causes = formula(weight, x, y), wrong(weight, x, y)
        with expect.untouched("The data", weight, x, y):
            result = kata.gradient_by_hand(weight, x, y)
        check_recording(weight, True)
        expect.close(result, right, what=f"The gradient of {data}", causes=causes)
        expect.that(
            not result.requires_grad,
            "The result has requires_grad, as the weight does.",
            seen="requires_grad=True",
            expected="requires_grad=False",
            likely="compute it under torch.no_grad()",
        )

    def test_needs_no_autograd(self, kata):
        weight, x, y = points("random")
        with written_by_hand():
            kata.gradient_by_hand(weight, x, y)


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
            getattr(kata, name), *points("random"), device=device, what=f"The result of {name}"
        )


@pytest.mark.task("descend", needs="mse")
class TestDescend:
    def test_returns_the_loss_of_each_step(self, kata):
        weight, x, y = points("random", recording=True)
        _, right = walk(weight, x, y, lr=0.1, steps=4)
        with expect.untouched("The data", x, y):
            losses = descend(kata, weight, x, y, lr=0.1, steps=4)
        expect.losses(losses, epochs=4, what="descend(..., steps=4)", each="step")
        causes = missteps(*points("random"), lr=0.1, steps=4, losses=True)
        causes[AFTER] = walk(*points("random"), lr=0.1, steps=5)[1][1:]
        expect.close(torch.tensor(losses), torch.tensor(right), what="The losses", causes=causes)

    @pytest.mark.parametrize(("lr", "steps"), [(0.1, 3), (0.02, 3), (0.02, 50)])
    def test_every_step_takes_the_gradient_off_the_weight(self, kata, lr, steps):
        weight, x, y = points("three points", recording=True)
        (right, _), causes = walk(weight, x, y, lr, steps), missteps(weight, x, y, lr, steps)
        descend(kata, weight, x, y, lr=lr, steps=steps)
        expect.close(
            weight, right, what=f"The weight after {steps} steps with lr={lr}", causes=causes
        )

    def test_an_old_gradient_does_not_matter(self, kata):
        weight, x, y = points("three points", recording=True)
        (right, _), weight.grad = walk(weight, x, y, 0.1, steps=1), torch.tensor([5.0])
        causes = {
            "the old gradient was added: clear .grad before backward(), not only after it": (
                right - 0.1 * 5
            )
        }
        causes |= missteps(weight, x, y, 0.1, steps=1)
        descend(kata, weight, x, y, lr=0.1, steps=1)
        expect.close(
            weight, right, what="The weight after a step, where .grad held 5 before", causes=causes
        )

    def test_a_second_call_begins_where_the_first_one_ended(self, kata):
        weight, x, y = points("three points", recording=True)
        right, _ = walk(weight, x, y, 0.02, steps=4)
        causes = missteps(weight, x, y, 0.02, steps=4)
        for _ in range(2):
            descend(kata, weight, x, y, lr=0.02, steps=2)
        expect.that(
            weight.requires_grad,
            "The weight no longer records gradients.",
            seen="requires_grad=False",
            expected="requires_grad=True",
            likely="detach_() or requires_grad_(False) changes the weight",
        )
        expect.close(
            weight, right, what="The weight after 2 + 2 steps, compared with 4", causes=causes
        )

    @pytest.mark.placement
    def test_follows_its_device(self, kata, device):
        weight, x, y = (tensor.to(device) for tensor in points("random"))
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
        weight, x, y = points("three points", recording=True)
        with expect.untouched("The data", x, y):
            losses = kata.compare_rates(weight, x, y, RATES, steps=4)
        moved, headline = expect.describe(weight), "The weight that was given has moved."
        likely = expect.told(DESCENDED)
        expect.that(weight == 1, headline, seen=moved, expected="1, as before", likely=likely)
        expect.losses(losses, epochs=4, what="compare_rates(..., four rates, steps=4)", each="rate")
        right = ends(weight, x, y, steps=4)
        causes = {
            "these are the losses before the last step: mse of the weight where the descent ends": (
                [walk(weight, x, y, lr, steps=4)[1][-1] for lr in RATES]
            ),
            "these are the losses at the start: mse of the weight where the descent ends": (
                [walk(weight, x, y, lr, steps=4)[1][0] for lr in RATES]
            ),
            "each descent begins where the one before ended: give each a weight of its own": (
                one_after_the_other(weight, x, y, steps=4)
            ),
            "the rates were sorted first: keep their order": [right[n] for n in (0, 1, 3, 2)],
            "these are the weights where the descents end: mse gives their losses": [
                walk(weight, x, y, lr, steps=4)[0].item() for lr in RATES
            ],
            "each descent takes one step: hand on `steps`": ends(weight, x, y, steps=1),
        }
        causes = {cause: torch.tensor(wrong) for cause, wrong in causes.items()}
        expect.close(torch.tensor(losses), torch.tensor(right), "The losses", causes)

    @pytest.mark.parametrize("steps", [1, 9])
    def test_takes_as_many_steps_as_asked_for(self, kata, steps):
        weight, x, y = points("random")
        losses = kata.compare_rates(weight, x, y, RATES, steps=steps)
        expect.losses(losses, epochs=4, what="compare_rates(..., four rates)", each="rate")
        right = torch.tensor(ends(weight, x, y, steps=steps))
        expect.close(torch.tensor(losses), right, what=f"The losses after {steps} step(s)")

    @pytest.mark.parametrize("recording", [True, False], ids=["with", "without"])
    def test_leaves_the_weight_as_it_came(self, kata, recording):
        weight, x, y = points("three points", recording)
        with expect.untouched("The weight", weight):
            kata.compare_rates(weight, x, y, [0.1], steps=2)
        check_recording(weight, recording)
        expect.that(
            weight.grad is None,
            "The .grad of the weight that was given has changed.",
            seen=expect.describe(weight.grad),
            expected="None, as before",
            likely=OWN,
        )

    @pytest.mark.placement
    def test_descends_on_any_device(self, kata, device):
        given = *points("three points"), RATES, 4
        placement.check(kata.compare_rates, *given, device=device, what="The losses")


@pytest.mark.task("chain")
class TestChain:
    @pytest.mark.parametrize("recording", [True, False], ids=["with", "without"])
    def test_both_gradients_equal_those_of_autograd(self, kata, recording):
        parameters, x, y = network(recording)
        right, causes = gradients(parameters, x, y)
        with expect.untouched("The parameters or the point", *parameters.values(), x, y):
            seen = returned.named(
                kata.network_gradients(parameters, x, y), ASKED, "network_gradients"
            )
        for name in ASKED:
            expect.close(
                seen[name],
                right[name],
                what=f"The gradient at {name}",
                causes={c: v[name] for c, v in causes.items() if name in v},
            )
            expect.that(
                not seen[name].requires_grad,
                f"The gradient at {name} has requires_grad.",
                seen="requires_grad=True",
                expected="requires_grad=False",
                likely="compute it under torch.no_grad()",
            )

    def test_needs_no_autograd(self, kata):
        parameters, x, y = network()
        with written_by_hand():
            kata.network_gradients(parameters, x, y)

    @pytest.mark.placement
    def test_gradients_follow_their_device(self, kata, device):
        parameters, x, y = network()
        placement.check(
            kata.network_gradients, parameters, x, y, device=device, what="The gradients"
        )


REBOUND = (
    "weight = weight - ... gives another tensor the name: under torch.no_grad(), weight -= ..."
    " changes the one handed in"
)


PILED_UP = (
    "gradients pile up from step to step, because backward() adds to .grad: clear it before each"
    " backward()"
)


UNMOVED = (
    "the weight that was given has not moved: no step was taken, or weight = weight - ... gave its"
    " name to another tensor"
)


def points(data: str, recording: bool = False):
    """Weight (1,), inputs (n,) and targets (n,): the three points of the lesson, or seven random
    ones, the same each time.
    """
    if data == "three points":
        weight = torch.tensor([1.0])
        x = torch.tensor([1.0, 2.0, 3.0])
        y = torch.tensor([2.0, 4.0, 6.0])
    else:
        weight, x, y = torch.randn(15, generator=torch.Generator().manual_seed(3)).split([1, 7, 7])
    return weight.clone().requires_grad_(recording), x.clone(), y.clone()


def gradient(kata, weight, x, y):
    """The learner's gradient; None has another cause where a weight that does not record has
    one.
    """
    result = kata.gradient(weight, x, y)
    if result is None and weight.requires_grad:
        with contextlib.suppress(RuntimeError):
            result = kata.gradient(weight.detach().clone(), x, y)
        headline, likely = "The gradient is None.", expect.told(NO_LEAF)
        expect.that(result is None, headline, seen="None", expected="(1,) float32", likely=likely)
    return result


def formula(weight, x, y):
    return 2 / len(x) * (x * (weight.detach() * x - y)).sum().reshape(1)


def wrong(weight, x, y):
    """Known mistakes of the gradient, and what they give."""
    right, errors = formula(weight, x, y), weight.detach() * x - y
    return {
        "the sign is off: the error is prediction minus target": -right,
        "the 2 of the formula is missing": right / 2,
        "this is the sum over the points, and the 1 / n is missing": len(x) * right,
        "the number of points is written into the code as 3": len(x) / 3 * right,
        "the chain rule's second factor, the inputs, is missing": 2 * errors.mean().reshape(1),
        "there is a number for each point: their mean is missing": 2 * x * errors,
        "this is the loss, not its gradient: after backward() the gradient lies in .grad": (
            (errors**2).mean()
        ),
        "this is a single number of shape (), and the weight has the shape (1,): reshape(1) makes "
        "one of the other": right[0],
    }


def walk(weight, x, y, lr, steps, fresh=True):
    """Gradient descent by the formula: the weight it ends at, and the losses before each step."""
    weight, total, losses = weight.detach().clone(), torch.zeros(1), []
    for _ in range(steps):
        losses.append(((weight * x - y) ** 2).mean().item())
        total = formula(weight, x, y) + (0 if fresh else total)
        weight = weight - lr * total
    return weight, losses


def ends(weight, x, y, steps):
    """The loss where the descent of each rate ends."""
    found = [walk(weight, x, y, lr, steps)[0] for lr in RATES]
    return [((end * x - y) ** 2).mean().item() for end in found]


def one_after_the_other(weight, x, y, steps):
    """The same, if each descent goes on from the end of the one before."""
    losses = []
    for lr in RATES:
        weight, _ = walk(weight, x, y, lr, steps)
        losses.append(((weight * x - y) ** 2).mean().item())
    return losses


def check_recording(weight, recording):
    """The weight still records gradients, or still does not."""
    headline = "The requires_grad of the weight that was given has changed."
    seen, expected = f"requires_grad={weight.requires_grad}", f"requires_grad={recording}"
    expect.that(
        weight.requires_grad == recording, headline, seen=seen, expected=expected, likely=CHANGED
    )


def missteps(weight, x, y, lr, steps, losses=False):
    """Known mistakes of the descent, and the weight (or the losses) they give."""
    given = {
        UNMOVED: walk(weight, x, y, 0.0, steps),
        PILED_UP: walk(weight, x, y, lr, steps, fresh=False),
        "the step goes up the gradient: it has to be taken off the weight": walk(
            weight, x, y, -lr, steps
        ),
        "the learning rate is left out: lr * gradient is taken off": walk(weight, x, y, 1.0, steps),
        "only one step was taken": walk(weight, x, y, lr, 1),
    }
    return {cause: result[losses] for cause, result in given.items()}


def descend(kata, weight, x, y, lr, steps):
    """The learner's descent. An error that comes with the second step shows that the weight was
    replaced by a new one.
    """
    fresh = weight.detach().clone().requires_grad_()
    try:
        return kata.descend(weight, x, y, lr=lr, steps=steps)
    except (TypeError, RuntimeError) as error:
        if steps > 1 and ("NoneType" in str(error) or "does not require grad" in str(error)):
            kata.descend(fresh, x, y, lr=lr, steps=1)
            expect.unmet(
                "The second step raises an error.",
                seen=error,
                expected="as many steps as asked for",
                likely=REBOUND,
            )
        raise


POINT = torch.tensor([0.6]), torch.tensor([-1.0])


def network(recording: bool = False) -> tuple[Gradients, Tensor, Tensor]:
    """The parameters by name, and the point x, y: always the same numbers."""
    numbers = (0.5, -0.8, 0.3, 0.2, 1.5, -0.7, 0.4)
    return {
        name: torch.tensor([n], requires_grad=recording)
        for name, n in zip(NAMES, numbers, strict=True)
    }, *POINT


def gradients(
    parameters: Gradients, x: Tensor, y: Tensor
) -> tuple[Gradients, dict[str, Gradients]]:
    """The right gradients, by autograd, and for each known mistake those that it gives."""
    own = {
        name: parameter.detach().clone().requires_grad_() for name, parameter in parameters.items()
    }
    z = own["w1"] * x + own["b1"], own["w2"] * x + own["b2"]
    a = torch.tanh(z[0]), torch.tanh(z[1])
    y_hat = own["w3"] * a[0] + own["w4"] * a[1] + own["b3"]
    found = torch.autograd.grad((y_hat - y) ** 2, [own[name] for name in ASKED])
    right = dict(zip(ASKED, found, strict=True))

    def scaled(**factors: Tensor | float) -> Gradients:
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
        "the derivative of tanh is 1 - a1 ** 2, and this is 1 - z1 ** 2": scaled(
            w1=(1 - z[0] ** 2) / slope
        ),
        "the factor d y_hat / d a1, which is w3, is missing": scaled(w1=1 / own["w3"]),
        "w3 and w4 are swapped": scaled(w1=own["w4"] / own["w3"]),
        "the last factor, d z1 / d w1 = x, is missing": scaled(w1=1 / x),
        "the last factor is x, and this is w1": scaled(w1=own["w1"] / x),
        "a1 and a2 are swapped: d y_hat / d w3 = a1": scaled(w3=a[1] / a[0]),
        "z1 stands where a1 belongs: d y_hat / d w3 = a1": scaled(w3=z[0] / a[0]),
        "only the first factor is there: d y_hat / d w3 = a1 is missing": scaled(w3=1 / a[0]),
    }


@contextlib.contextmanager
def written_by_hand() -> Iterator[None]:
    """The block may not need autograd: it runs where nothing is recorded."""
    try:
        with torch.no_grad():
            yield
    except RuntimeError as error:
        expect.that(
            "grad" not in str(error),
            "It needs autograd.",
            seen=error,
            expected="the chain rule of the lesson",
            likely="backward() or torch.autograd.grad is used in it",
        )
        raise
