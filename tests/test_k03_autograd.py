"""k03: the loss of a single weight, its gradient by autograd and by hand, and the descent that follows it."""

import pytest
import torch

from tests import expect

PILED_UP = "gradients pile up from step to step, because backward() adds to .grad: clear it before each backward()"
REBOUND = "weight = weight - ... gives another tensor the name: under torch.no_grad(), weight -= ... changes the one handed in"
OWN = "backward() ran on the weight that was given: make one of your own, weight.detach().clone().requires_grad_()"
UNMOVED = "the weight that was given has not moved: no step was taken, or weight = weight - ... gave its name to another tensor"
AFTER = "these are the losses after each step: each belongs before its step"
TASKS = {"mse": "mse", "gradient": "gradient", "gradient_by_hand": "by_hand"}


@pytest.mark.task("mse")
class TestMse:
    @pytest.mark.parametrize("data", ["three points", "random"])
    def test_is_the_mean_of_the_squared_errors(self, kata, data):
        weight, x, y = points(data)
        errors = weight * x - y
        causes = {
            "this is the sum of the squares, not their mean": (errors**2).sum(),
            "this is half the mean: there is no 1/2 in the formula of the lesson": (errors**2).mean() / 2,
            "the errors are not squared: these are their sizes": errors.abs().mean(),
            "the errors are not squared, so that they cancel out": errors.mean(),
            "the squares are there, and their mean is missing": errors**2,
            "the sum is divided by 3, which fits three points only: use mean()": (errors**2).sum() / 3,
        }
        with expect.untouched("The data", weight, x, y):
            expect.close(kata.mse(weight, x, y), (errors**2).mean(), f"The loss of {data}", causes)

    def test_gradients_flow_back_to_the_weight(self, kata):
        weight, x, y = points("random", recording=True)
        recording = expect.tensor(kata.mse(weight, x, y), "The loss").requires_grad
        headline, likely = "The loss is cut off from the weight.", "item(), detach() or torch.no_grad() stands in between"
        expect.that(recording, headline, seen="requires_grad=False", expected="requires_grad=True", likely=likely)


@pytest.mark.task("gradient")
class TestGradient:
    @pytest.mark.parametrize("recording", [True, False], ids=["weight records", "weight does not record"])
    @pytest.mark.parametrize("data", ["three points", "random"])
    def test_equals_the_formula(self, kata, data, recording):
        weight, x, y = points(data, recording)
        with expect.untouched("The data", weight, x, y):
            expect.close(kata.gradient(weight, x, y), formula(weight, x, y), f"The gradient of {data}", wrong(weight, x, y))

    def test_is_the_same_in_every_call(self, kata):
        weight, x, y = points("three points", recording=True)
        right, mistakes = formula(weight, x, y), wrong(weight, x, y)
        for number in (1, 2, 3):
            causes = {f"backward() adds to what .grad holds from the call before. {OWN}": number * right, **mistakes}
            expect.close(kata.gradient(weight, x, y), right, what=f"The gradient in call {number}", causes=causes)

    def test_leaves_the_weight_as_it_came(self, kata):
        weight, x, y = points("three points", recording=True)
        weight.grad, right = torch.tensor([5.0]), formula(weight, x, y)
        causes = {f"the old gradient was added to. {OWN}": right + 5, **wrong(weight, x, y)}
        expect.close(kata.gradient(weight, x, y), right, what="The gradient, where .grad held 5 before", causes=causes)
        same = weight.grad is not None and torch.equal(weight.grad, torch.tensor([5.0]))
        headline, seen = "The .grad of the weight that was given has changed.", expect.describe(weight.grad)
        expect.that(same, headline, seen=seen, expected="5, as before", likely=OWN)


@pytest.mark.task("by_hand")
class TestByHand:
    @pytest.mark.parametrize("data", ["three points", "random"])
    def test_equals_the_formula(self, kata, data):
        weight, x, y = points(data, recording=True)
        right, causes = formula(weight, x, y), wrong(weight, x, y)
        with expect.untouched("The data", weight, x, y):
            found = kata.gradient_by_hand(weight, x, y)
        expect.close(found, right, what=f"The gradient of {data}", causes=causes)
        headline, likely = "The result still records gradients, as the weight does.", "compute it under torch.no_grad()"
        expect.that(not found.requires_grad, headline, seen="requires_grad=True", expected="requires_grad=False", likely=likely)

    def test_needs_no_autograd(self, kata):
        weight, x, y = points("random")
        try:
            with torch.no_grad():
                kata.gradient_by_hand(weight, x, y)
        except RuntimeError as error:
            headline, likely = "It needs autograd.", "backward() or torch.autograd.grad is used in it"
            expect.that("grad" not in str(error), headline, seen=error, expected="the formula of the lesson", likely=likely)
            raise


class TestPlacement:
    @pytest.mark.placement
    @pytest.mark.parametrize("name", [pytest.param(name, marks=pytest.mark.task(task)) for name, task in TASKS.items()])
    def test_result_follows_its_device(self, kata, device, name):
        found = getattr(kata, name)(*(one.to(device) for one in points("random")))
        expect.on_device(found, device, what=f"The result of {name}")


@pytest.mark.task("descend")
class TestDescend:
    def test_returns_the_loss_of_each_step(self, kata):
        weight, x, y = points("random", recording=True)
        _, right = walk(weight, x, y, lr=0.1, steps=4)
        with expect.untouched("The data", x, y):
            losses = descend(kata, weight, x, y, lr=0.1, steps=4)
        expect.losses(losses, epochs=4, what="descend(..., steps=4)")
        causes = missteps(*points("random"), lr=0.1, steps=4, losses=True)
        causes[AFTER] = walk(*points("random"), lr=0.1, steps=5)[1][1:]
        expect.close(torch.tensor(losses), torch.tensor(right), what="The losses", causes=causes)

    @pytest.mark.parametrize(("lr", "steps"), [(0.1, 3), (0.02, 3), (0.02, 50)])
    def test_every_step_takes_the_gradient_off_the_weight(self, kata, lr, steps):
        weight, x, y = points("three points", recording=True)
        (right, _), causes = walk(weight, x, y, lr, steps), missteps(weight, x, y, lr, steps)
        descend(kata, weight, x, y, lr=lr, steps=steps)
        expect.close(weight, right, what=f"The weight after {steps} steps with lr={lr}", causes=causes)

    def test_an_old_gradient_does_not_matter(self, kata):
        weight, x, y = points("three points", recording=True)
        (right, _), weight.grad = walk(weight, x, y, 0.1, steps=1), torch.tensor([5.0])
        causes = {"the old gradient was added: clear .grad before backward(), not only after it": right - 0.1 * 5}
        causes |= missteps(weight, x, y, 0.1, steps=1)
        descend(kata, weight, x, y, lr=0.1, steps=1)
        expect.close(weight, right, what="The weight after a step, where .grad held 5 before", causes=causes)

    def test_goes_on_where_it_left_off(self, kata):
        weight, x, y = points("three points", recording=True)
        (right, _), causes = walk(weight, x, y, 0.02, steps=4), missteps(weight, x, y, 0.02, steps=4)
        for _ in range(2):
            descend(kata, weight, x, y, lr=0.02, steps=2)
        headline, likely = "The weight no longer records gradients.", "detach_() or requires_grad_(False) changes the weight"
        expect.that(weight.requires_grad, headline, seen="requires_grad=False", expected="requires_grad=True", likely=likely)
        expect.close(weight, right, what="The weight after 2 + 2 steps, compared with 4", causes=causes)

    @pytest.mark.placement
    def test_follows_its_device(self, kata, device):
        weight, x, y = (one.to(device) for one in points("random"))
        descend(kata, weight.requires_grad_(), x, y, lr=0.1, steps=2)
        expect.on_device(weight, device, what="The weight")


def points(data: str, recording: bool = False):
    """Weight (1,), inputs (n,) and targets (n,): the three points of the lesson, or seven random ones, the same each time."""
    if data == "three points":
        weight, x, y = torch.tensor([1.0]), torch.tensor([1.0, 2.0, 3.0]), torch.tensor([2.0, 4.0, 6.0])
    else:
        weight, x, y = torch.randn(15, generator=torch.Generator().manual_seed(3)).split([1, 7, 7])
    return weight.clone().requires_grad_(recording), x.clone(), y.clone()


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
        "this is the loss, not its gradient: after backward() the gradient lies in .grad": (errors**2).mean(),
        "a single number, shape (), came out of the sum: reshape(1) gives it the shape of the weight": right[0],
    }


def walk(weight, x, y, lr, steps, fresh=True):
    """Gradient descent by the formula: the weight it ends at, and the losses before each step."""
    weight, total, losses = weight.detach().clone(), torch.zeros(1), []
    for _ in range(steps):
        losses.append(((weight * x - y) ** 2).mean().item())
        total = formula(weight, x, y) + (0 if fresh else total)
        weight = weight - lr * total
    return weight, losses


def missteps(weight, x, y, lr, steps, losses=False):
    """Known mistakes of the descent, and the weight (or the losses) they give."""
    given = {
        UNMOVED: walk(weight, x, y, 0.0, steps),
        PILED_UP: walk(weight, x, y, lr, steps, fresh=False),
        "the step goes up the gradient: it has to be taken off the weight": walk(weight, x, y, -lr, steps),
        "the learning rate is left out: lr * gradient is taken off": walk(weight, x, y, 1.0, steps),
        "only one step was taken": walk(weight, x, y, lr, 1),
    }
    return {cause: result[losses] for cause, result in given.items()}


def descend(kata, weight, x, y, lr, steps):
    """The learner's descent; an error that only comes with the second step is the mark of a weight made anew."""
    anew = weight.detach().clone().requires_grad_()
    try:
        return kata.descend(weight, x, y, lr=lr, steps=steps)
    except (TypeError, RuntimeError) as error:
        if steps > 1 and ("NoneType" in str(error) or "does not require grad" in str(error)):
            kata.descend(anew, x, y, lr=lr, steps=1)
            expect.unmet("The second step raises an error.", seen=error, expected="as many steps as asked for", likely=REBOUND)
        raise
