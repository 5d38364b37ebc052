"""k03: the loss of a single weight, its gradient in two ways, the descent, seven gradients by hand,
and the record.
"""

import pytest
import torch

from tests import expect, returned
from tests.one_weight import descend, formula, missteps, points, walk, wrong
from tests.seven_parameters import NAMES, gradients, network, written_by_hand

OWN = (
    "backward() ran on the weight that was given: make one of your own,"
    " weight.detach().clone().requires_grad_()"
)
AFTER = "these are the losses after each step: each belongs before its step"
RECORDS = {
    "((weight * x - y) ** 2).mean()": (
        lambda weight, x, y: ((weight * x - y) ** 2).mean(),
        ["MeanBackward0", "PowBackward0", "SubBackward0", "MulBackward0", "AccumulateGrad"],
    ),
    "(y - x * weight).abs().sum()": (
        lambda weight, x, y: (y - x * weight).abs().sum(),
        ["SumBackward0", "AbsBackward0", "SubBackward0", "MulBackward0", "AccumulateGrad"],
    ),
    "weight.exp()": (lambda weight, x, y: weight.exp(), ["ExpBackward0", "AccumulateGrad"]),
}
TASKS = {"mse": "mse", "gradient": "gradient", "gradient_by_hand": "by_hand"}


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
        headline, likely = (
            "The loss is cut off from the weight.",
            "item(), detach() or torch.no_grad() stands in between",
        )
        expect.that(
            recording,
            headline,
            seen="requires_grad=False",
            expected="requires_grad=True",
            likely=likely,
        )


@pytest.mark.task("gradient")
class TestGradient:
    @pytest.mark.parametrize(
        "recording", [True, False], ids=["weight records", "weight does not record"]
    )
    @pytest.mark.parametrize("data", ["three points", "random"])
    def test_equals_the_formula(self, kata, data, recording):
        weight, x, y = points(data, recording)
        with expect.untouched("The data", weight, x, y):
            expect.close(
                kata.gradient(weight, x, y),
                formula(weight, x, y),
                f"The gradient of {data}",
                wrong(weight, x, y),
            )

    def test_is_the_same_in_every_call(self, kata):
        weight, x, y = points("three points", recording=True)
        right, mistakes = formula(weight, x, y), wrong(weight, x, y)
        for number in (1, 2, 3):
            causes = {
                f"backward() adds to what .grad holds from the call before. {OWN}": number * right,
                **mistakes,
            }
            expect.close(
                kata.gradient(weight, x, y),
                right,
                what=f"The gradient in call {number}",
                causes=causes,
            )

    def test_leaves_the_weight_as_it_came(self, kata):
        weight, x, y = points("three points", recording=True)
        weight.grad, right = torch.tensor([5.0]), formula(weight, x, y)
        causes = {f"the old gradient was added to. {OWN}": right + 5, **wrong(weight, x, y)}
        expect.close(
            kata.gradient(weight, x, y),
            right,
            what="The gradient, where .grad held 5 before",
            causes=causes,
        )
        same = weight.grad is not None and torch.equal(weight.grad, torch.tensor([5.0]))
        headline, seen = (
            "The .grad of the weight that was given has changed.",
            expect.describe(weight.grad),
        )
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
        headline, likely = (
            "The result still records gradients, as the weight does.",
            "compute it under torch.no_grad()",
        )
        expect.that(
            not found.requires_grad,
            headline,
            seen="requires_grad=True",
            expected="requires_grad=False",
            likely=likely,
        )

    def test_needs_no_autograd(self, kata):
        weight, x, y = points("random")
        with written_by_hand():
            kata.gradient_by_hand(weight, x, y)


class TestPlacement:
    @pytest.mark.placement
    @pytest.mark.parametrize(
        "name", [pytest.param(name, marks=pytest.mark.task(task)) for name, task in TASKS.items()]
    )
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
        (right, _), causes = (
            walk(weight, x, y, 0.02, steps=4),
            missteps(weight, x, y, 0.02, steps=4),
        )
        for _ in range(2):
            descend(kata, weight, x, y, lr=0.02, steps=2)
        headline, likely = (
            "The weight no longer records gradients.",
            "detach_() or requires_grad_(False) changes the weight",
        )
        expect.that(
            weight.requires_grad,
            headline,
            seen="requires_grad=False",
            expected="requires_grad=True",
            likely=likely,
        )
        expect.close(
            weight, right, what="The weight after 2 + 2 steps, compared with 4", causes=causes
        )

    @pytest.mark.placement
    def test_follows_its_device(self, kata, device):
        weight, x, y = (one.to(device) for one in points("random"))
        descend(kata, weight.requires_grad_(), x, y, lr=0.1, steps=2)
        expect.on_device(weight, device, what="The weight")


@pytest.mark.task("two_layers")
class TestTwoLayers:
    @pytest.mark.parametrize("recording", [True, False], ids=["recording", "not recording"])
    def test_all_seven_gradients_equal_those_of_autograd(self, kata, recording):
        parameters, x, y = network(recording)
        right, causes = gradients(parameters, x, y)
        with expect.untouched("The parameters or the point", *parameters.values(), x, y):
            seen = returned.named(
                kata.network_gradients(parameters, x, y), NAMES, "network_gradients"
            )
        for name in reversed(NAMES):  # the way the chain rule goes
            expect.close(
                seen[name],
                right[name],
                what=f"The gradient at {name}",
                causes={c: v[name] for c, v in causes.items()},
            )
            headline, likely = (
                f"The gradient at {name} records gradients itself.",
                "compute it under torch.no_grad()",
            )
            quiet, seen_there = not seen[name].requires_grad, "requires_grad=True"
            expect.that(
                quiet, headline, seen=seen_there, expected="requires_grad=False", likely=likely
            )

    def test_needs_no_autograd(self, kata):
        parameters, x, y = network()
        with written_by_hand():
            kata.network_gradients(parameters, x, y)

    @pytest.mark.placement
    def test_gradients_follow_their_device(self, kata, device):
        parameters, x, y = network()
        moved = {name: parameter.to(device) for name, parameter in parameters.items()}
        for name, found in kata.network_gradients(moved, x.to(device), y.to(device)).items():
            expect.on_device(found, device, what=f"The gradient at {name}")


@pytest.mark.task("record")
class TestRecord:
    @pytest.mark.parametrize("case", RECORDS)
    def test_names_every_step_back_to_the_weight(self, kata, case):
        weight, x, y = points("random", recording=True)
        computation, names = RECORDS[case]
        causes = {
            "the order is turned around: begin at the result": names[::-1],
            "only the first step was named: go on with next_functions": names[:1],
            "the last one is missing: AccumulateGrad is a step too": names[:-1],
            "the result's own step, grad_fn, is missing": names[1:],
            "the walk ends where the first input is data: take the step that is not None": names[
                :3
            ],
        }
        steps = kata.recorded_steps(computation(weight, x, y))
        expect.equal(steps, names, what=f"The record of {case}", causes=causes)

    def test_nothing_recorded_is_an_empty_list(self, kata):
        expect.equal(
            kata.recorded_steps(torch.ones(2) * 3), [], what="The record of a tensor without one"
        )

    @pytest.mark.placement
    def test_reads_a_record_on_any_device(self, kata, device):
        weight = torch.ones(1, device=device, requires_grad=True)
        names = ["ExpBackward0", "AccumulateGrad"]
        expect.equal(
            kata.recorded_steps(weight.exp()), names, what=f"The record of exp(weight) on {device}"
        )
