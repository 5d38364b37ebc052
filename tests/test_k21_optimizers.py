"""k21: what all optimizers share, five rules as torch has them, and walks through a valley."""

import contextlib
import functools
import itertools

import pytest
import torch
from torch import Tensor

from dojo.suite import called
from tests.support import expect, formula, gradients, guesses, placement, pointers
from tests.support.rules import (
    ALPHA,
    B1,
    B2,
    DECAY,
    EPS,
    LR,
    MU,
    RULES,
    Changes,
    changed,
    late,
    simulated,
)
from tests.support.walks import (
    START,
    STEPS,
    Own,
    below,
    best,
    bowl,
    by_hand,
    check_defaults,
    end,
    huge,
    momentum,
    smallest,
    wrong_rates,
)

OPTIMIZERS = {  # name → its task, torch's own, how both are made here
    "SGD": ("sgd", torch.optim.SGD, {"lr": LR}),
    "Momentum": ("momentum", torch.optim.SGD, {"lr": LR, "momentum": MU}),
    "RMSprop": ("rmsprop", torch.optim.RMSprop, {"lr": LR, "alpha": ALPHA, "eps": EPS}),
    "Adam": ("adam", torch.optim.Adam, {"lr": LR, "betas": (B1, B2), "eps": EPS}),
    "AdamW": ("adam", torch.optim.AdamW, {"lr": LR, "betas": (B1, B2), "eps": EPS}),
}
EACH = [
    pytest.param(name, marks=pytest.mark.task(task, needs="base"))
    for name, (task, _, _) in OPTIMIZERS.items()
]
STEP: Changes = {
    "the step goes up the gradient: it is taken off the parameter": "p - lr => p + lr",
    "the learning rate is left out of the step": "p - lr * => p -",
    "the step takes the mean of g: each entry has a step of its own": "lr * g => lr * g.mean()",
    "the weight decay is there twice: self.gradients() has added it": "g + decay => g + 2 * decay",
}
STEP_ITSELF = "does the test that compares it with torch step by step pass? If not, it says why"
DIVISION: Changes = STEP | {
    "eps stands inside the root: sqrt(v) + eps": "(V**0.5 + EPS) => (V + EPS)**0.5",
    "the root is missing: the step divides by sqrt(v) + eps": "V**0.5 => V",
    "no eps is added, or a much smaller one: sqrt(v) + self.eps": " + EPS => ",
    "v squares .grad: it squares g, which holds the weight decay": "g**2 => (g - decay * p)**2",
    "the step is multiplied by the root: divide by it": "/ (V => * (V",
    "v is one mean over all entries: each entry has its own": "g**2 => (g**2).mean()",
}


@pytest.mark.task("base")
class TestBase:
    def test_zero_grad_sets_every_gradient_to_none(self, kata):
        parameters, given = tensors(5, 2), [1.0, 2.0, None, 0.0, 3.0]
        for parameter, number in zip(parameters, given, strict=True):
            parameter.grad = None if number is None else torch.full((2,), number)
        optimizer = kata.Optimizer(parameters, lr=LR)
        gradients.check_cleared(optimizer, parameters)

    def test_parameters_may_come_from_a_generator(self, kata):
        parameters = tensors(2, 2)
        parameters[0].grad = parameters[1].grad = torch.ones(2)
        optimizer = kata.Optimizer((parameter for parameter in parameters), lr=LR)
        first, second = (len(list(optimizer.gradients())) for _ in range(2))
        headline = "gradients() does not find the parameters from a generator."
        likely = "a generator can be gone through only once: keep list(parameters)"
        likely = expect.told(likely) if (first, second) == (2, 0) else likely
        seen, right = f"{first} of 2, in the next call {second}", first == second == 2
        expect.that(right, headline, seen=seen, expected="2 in every call", likely=likely)

    @pytest.mark.parametrize("decay", [0.0, DECAY])
    def test_gradients_gives_what_a_step_starts_from(self, kata, decay):
        parameters, grads = tensors(4, 2, 3), list(torch.randn(4, 2, 3))
        grads[1], grads[2] = None, torch.zeros(2, 3)  # zeros are a gradient, too
        for parameter, grad in zip(parameters, grads, strict=True):
            parameter.grad = None if grad is None else grad.clone()
        pairs = gradients.pairs_of(kata.Optimizer(parameters, lr=LR, weight_decay=decay), 3)
        for number, (parameter, g) in zip((0, 2, 3), pairs, strict=True):
            given, grad = parameters[number], grads[number]
            headline, w = f"The pair of parameter {number} begins otherwise.", given.detach()
            signs = {
                "the pair is turned around: (parameter, g)": g is given,
                "the order is changed": any(parameter is one for one in parameters),
                "this is .data, detached or a copy: give the very tensor that came": True,
            }
            likely = expect.told(next(cause for cause, fits in signs.items() if fits))
            seen, expected = expect.describe(parameter), f"parameter {number}, {expect.describe(w)}"
            same = parameter is given
            expect.that(same, headline, seen=seen, expected=expected, likely=likely)
            causes = {
                "the weight decay is left out: add weight_decay * parameter": grad,
                "the weight decay is taken off: it is added": grad - decay * w,
                "weight_decay multiplies the gradient: it multiplies the parameter": (
                    grad * (1 + decay)
                ),
                "there is no 2: the decay is weight_decay * parameter": grad + 2 * decay * w,
                "lr has no place here: the step multiplies by it": grad + LR * decay * w,
                "the gradient itself is missing": decay * w,
            }
            expect.close(g, grad + decay * w, f"g of parameter {number}", causes=causes)

    def test_gradients_changes_nothing_and_records_nothing(self, kata):
        (parameter,) = tensors(1, 3)
        parameter.grad = torch.randn(3)
        with expect.untouched("The gradient or the parameter", parameter.grad, parameter):
            ((_, g),) = gradients.pairs_of(
                kata.Optimizer([parameter], lr=LR, weight_decay=DECAY), 1
            )
        gradients.check_none(g, "The tensors that gradients() gives")
        gradients.check_still_recording("gradients()")

    def test_gradients_are_those_of_today_in_the_parameters_dtype(self, kata):
        parameter = torch.randn(3, dtype=torch.float64, requires_grad=True)
        optimizer = kata.Optimizer([parameter], lr=LR, weight_decay=DECAY)
        rows = {}
        for when in ("in the first call", "in the next call"):
            parameter.grad = torch.randn(3, dtype=torch.float64)
            ((_, g),) = gradients.pairs_of(optimizer, 1)
            what = f"g of a float64 parameter, {when}"
            rows[when] = parameter.grad + DECAY * parameter.detach()
            likely = "it is kept from the first call: work it out anew from .grad in every call"
            expect.close(g, rows[when], what, causes={likely: rows["in the first call"]})
            off = (g - rows[when]).abs().max().item()
            headline = f"{what}: not as exact as float64 can be."
            likely = "is something turned into float32, by .float() or by a dtype written out?"
            expect.that(
                off < 1e-12, headline, seen=f"off by {off:.2g}", expected="0", likely=likely
            )
            parameter.data += 1

    @pytest.mark.placement
    def test_gradients_follow_their_device(self, kata, device):
        def pairs(parameter, grad):
            parameter.grad = grad
            return gradients.pairs_of(kata.Optimizer([parameter], lr=LR, weight_decay=DECAY), 1)

        placement.check(pairs, *tensors(1, 3), torch.randn(3), device=device, what="The pairs")


@pytest.mark.task("sgd", needs="base")
class TestSGD:
    @pytest.mark.parametrize("decay", [0.0, DECAY])
    def test_sgd_equals_torch_step_by_step(self, kata, decay):
        causes = STEP | {
            "lr divides the gradient: it multiplies it": "lr * g => g / lr",
            "g is divided by its length: the step is lr * g": "lr * g => lr * g / g.norm()",
        }
        check_path(kata, "SGD", causes, decay)


@pytest.mark.task("momentum", needs="base")
class TestMomentum:
    @pytest.mark.parametrize("decay", [0.0, DECAY])
    def test_momentum_equals_torch_step_by_step(self, kata, decay):
        causes = STEP | {
            "g has a factor 1 - momentum: torch adds the whole g to b": "+ g => + (1 - MU) * g",
            "this is SGD: put the new b back into the memory in every step": "MU * b => 0 * b",
            "0.9 is written into the code: use self.momentum": "MU => 0.9",
            "momentum * b is missing: b only adds up the gradients": "MU * b => b",
            "momentum multiplies g: it multiplies the old b": "MU * b + g => b + MU * g",
            "the step is Nesterov's, g + momentum * b: it is lr * b": "lr * b => lr * (g + MU * b)",
            "the step uses the b from before: first the new b, then the step": late(
                RULES["Momentum"], "b"
            ),
        }
        check_path(kata, "Momentum", causes, decay)


@pytest.mark.task("rmsprop", needs="base")
class TestRMSprop:
    @pytest.mark.parametrize("decay", [0.0, DECAY])
    def test_rmsprop_equals_torch_step_by_step(self, kata, decay):
        old = "ALPHA * v + (1 - ALPHA) * g"
        causes = DIVISION | {
            "v is not kept for the next step": "ALPHA * v => 0 * v",
            "alpha and 1 - alpha are swapped: alpha belongs to the old v": (
                f"{old} => (1 - ALPHA) * v + ALPHA * g"
            ),
            "0.99 is written into the code: use self.alpha": "ALPHA => 0.99",
            "the gradient is not squared in v": "g**2 => g",
            "v holds sizes: it is the mean of the squares": "g**2 => abs(g); V**0.5 => V",
            "the squares are added up, as in Adagrad: v is their mean": f"{old} => v + g",
            "the factor 1 - alpha is missing": "(1 - ALPHA) * g => g",
            "the root is kept as v: sqrt_() works in place": "V = v => V = v = v**0.5; V**0.5 => V",
            "v is corrected, as in Adam: RMSprop takes it as it is": "= v => = v / (1 - ALPHA**t)",
            "the step uses the v from before: first the new v, then the step": late(
                RULES["RMSprop"], "v"
            ),
        }
        check_path(kata, "RMSprop", causes, decay)


@pytest.mark.task("adam", needs="base")
class TestAdam:
    @pytest.mark.parametrize("decay", [0.0, DECAY])
    def test_adam_equals_torch_step_by_step(self, kata, decay):
        m, v = " / (1 - B1**t) => ", " / (1 - B2**t) => "
        causes = DIVISION | {
            "neither m nor v is corrected: m' = m / (1 - beta1**t), v' likewise": f"{m}; {v}",
            "m is not corrected: m' = m / (1 - beta1**t)": m,
            "v is not corrected: v' = v / (1 - beta2**t)": v,
            "t is 0 in the first step, and so is 1 - beta**0: first count": "**t => **(t - 1)",
            "1 - beta divides in every step: t has to grow, in beta**t": "**t => **1",
            "beta is multiplied by t: it is the power beta**t": "**t => *t",
            "m' and v' divide by each other's: beta1 belongs to m, beta2 to v": (
                "m / (1 - B1 => m / (1 - B3; v / (1 - B2 => v / (1 - B1; B3 => B2"
            ),
            "beta1 corrects v, too: v' = v / (1 - beta2**t)": "v / (1 - B2 => v / (1 - B1",
            "beta2 corrects m, too: m' = m / (1 - beta1**t)": "m / (1 - B1 => m / (1 - B2",
            "beta1 is multiplied by t: it is the power beta1**t": "B1**t => B1 * t",
            "beta2 is multiplied by t: it is the power beta2**t": "B2**t => B2 * t",
            "v holds the square of m: it is that of g": "g**2 => m**2",
            "1 - beta**t multiplies: m and v are divided by it": (
                "m / (1 - B1**t) => m * (1 - B1**t); v / (1 - B2**t) => v * (1 - B2**t)"
            ),
            "m' and v' are kept, and corrected once more": "M = => M = m =; V = => V = v =",
            "eps is added before v is corrected: sqrt(v') + eps": (
                "V**0.5 => v**0.5; lr * M => lr * M * (1 - B2**t) ** 0.5"
            ),
            "beta1 and beta2 are swapped: beta1 belongs to m": "B1 => B3; B2 => B1; B3 => B2",
            "beta and 1 - beta are swapped: beta belongs to the old m and v": (
                "= B1 * => = B3 *; (1 - B1) * => B1 *; B3 => (1 - B1);"
                " = B2 * => = B3 *; (1 - B2) * => B2 *; B3 => (1 - B2)"
            ),
            "0.9, 0.999 are written into the code: use self.betas": "B1 => 0.9; B2 => 0.999",
            "the factor 1 - beta1 is missing in m": "(1 - B1) * g => g",
            "the factor 1 - beta2 is missing in v": "(1 - B2) * g => g",
            "the gradient is not squared in v": "g**2 => g",
            "the step takes g: it takes the corrected m": "lr * M => lr * g",
            "m and v are not kept for the next step": "B1 * m => 0 * m; B2 * v => 0 * v",
            "the step uses m and v from before: first the new ones, then the step": late(
                RULES["Adam"], "mv"
            ),
        }
        check_path(kata, "Adam", causes, decay)

    def test_adamw_equals_torch_step_by_step(self, kata):
        shrink = "p = p * (1 - lr * decay)"
        causes = {
            "the decay goes into g, as in Adam: leave it out": f"{shrink} => g = g + decay * p",
            "no decay at all: multiply each parameter by 1 - lr * decay": f"{shrink} => ",
            "lr is missing: multiply by 1 - lr * decay": "lr * decay => decay",
            "the decay comes after Adam's step: it comes before it": late(RULES["AdamW"], "p"),
            "the parameters grow: multiply by 1 - lr * decay": "1 - lr => 1 + lr",
            "lr * decay is what is left: multiply by 1 - lr * decay": "1 - lr => lr",
            "Adam's step is missing: super().step() takes it": "lr * M => 0 * M",
            "the decay is there twice, in g as well": f"{shrink} => {shrink}\ng = g + decay * p",
        }
        check_path(kata, "AdamW", causes, DECAY)


class TestEveryOptimizer:
    @pytest.mark.parametrize("name", EACH)
    def test_a_changed_learning_rate_counts_at_once(self, kata, name):
        (starts, given), rates = problem(1), [LR, LR, LR / 5, LR / 5]
        inside = changed(RULES[name], "b + g => b + lr * g; lr * b => b")
        after = functools.partial(simulated, starts=starts, given=given, decay=DECAY)
        causes = {
            "the step goes on with the first lr: read self.lr in every step": after(RULES[name]),
            "lr is a part of b, where the old one lives on: the step is lr * b": after(
                inside, rates=rates
            ),
        }
        compare(kata, name, lambda: causes, starts, given, rates, weight_decay=DECAY)

    @pytest.mark.parametrize("name", EACH)
    def test_each_parameter_has_its_own_memory(self, kata, name):
        starts, given = problem(2)
        after = functools.partial(simulated, RULES[name], starts, given, decay=DECAY)
        first = simulated(RULES[name], starts, [[one[0], None] for one in given], decay=DECAY)
        causes = {
            "only the first parameter moves: a return or break ends the loop": first,
            "all parameters share one memory: each needs its own": after(memory="one"),
            "t counts parameters: each has its own t, which counts its steps": after(count="all"),
            "all share m and v: each needs its own": after(memory="one", count="steps"),
        }
        compare(kata, name, lambda: causes, starts, given, weight_decay=DECAY)

    @pytest.mark.parametrize("name", EACH)
    def test_skips_parameters_without_a_gradient(self, kata, name):
        starts, given = problem(3)
        given[0][0] = given[1][1] = given[2][0] = None
        first, *middle, last = (rule := RULES[name]).split("\n")
        after = functools.partial(simulated, rule, starts, given, decay=DECAY)
        causes = {
            "without a gradient a parameter moves, as if that were 0: skip it": after(skipped=rule),
            "without a gradient a parameter is shrunk: skip it": after(skipped=first),
            "without a gradient the memory changes: skip it": after(skipped="\n".join(middle)),
            "without a gradient a parameter still moves, by what its memory holds: skip it": after(
                skipped="\n".join([*[line for line in middle if line[0].isupper()], last])
            ),
            "a skipped one's memory is used, for gradients() leaves that parameter out: look the"
            " memory up by parameter, not by position": after(memory="position"),
            "gradients() leaves a parameter out, and zip() shifts and drops memories: look the"
            " memory up by parameter": after(memory="zipped"),
            "t also counts steps that skip the parameter: each has its own t": after(count="steps"),
        }
        compare(kata, name, lambda: causes, starts, given, weight_decay=DECAY)

    @pytest.mark.parametrize("name", EACH)
    def test_a_new_optimizer_remembers_nothing(self, kata, name):
        (parameter,), (start, grad) = tensors(1, 3), torch.rand(2, 3) + 0.2
        make, places = getattr(kata, name), []
        for optimizer in [make([parameter], **OPTIMIZERS[name][2]) for _ in range(2)]:
            parameter.data, parameter.grad = start.clone(), grad.clone()
            optimizer.step()
            places.append(parameter.detach().clone())
        likely = (
            "the memory belongs to the class, or stands outside: make it in __init__, as an"
            " attribute of self"
        )
        what = f"{name}: the first step of a second optimizer of the same parameter"
        expect.close(places[1], places[0], what, likely=likely)

    @pytest.mark.parametrize("decay", [0.0, DECAY])
    @pytest.mark.parametrize("name", EACH)
    def test_a_step_leaves_gradients_and_recording_alone(self, kata, name, decay):
        parameters = [torch.randn(shape, requires_grad=True) for shape in ((4,), (3, 2), ())]
        optimizer = getattr(kata, name)(parameters, **OPTIMIZERS[name][2], weight_decay=decay)
        kept = [torch.randn(parameter.shape) for parameter in parameters]
        for parameter, gradient in zip(parameters, kept, strict=True):
            parameter.grad = gradient
        with expect.untouched("A gradient", *kept):
            optimizer.step()
            gradients.check_still_recording("a step")
            optimizer.step()
        for parameter, gradient in zip(parameters, kept, strict=True):
            likely = "zero_grad() clears the gradients, and step() leaves them"
            headline, seen = "A step has cleared or exchanged .grad.", repr(parameter.grad)
            same = parameter.grad is not None and torch.equal(parameter.grad, gradient)
            expect.that(same, headline, seen=seen, expected=f"{gradient}, as before", likely=likely)
            headline, seen = "After a step the parameter records nothing.", "requires_grad=False"
            likely = "requires_grad_(False), detach_() or requires_grad = False stands in the step"
            records = parameter.requires_grad
            expect.that(records, headline, seen=seen, expected="requires_grad=True", likely=likely)

    @pytest.mark.parametrize("name", EACH)
    def test_float64_stays_exact(self, kata, name):
        starts, given = problem(2, torch.float64)
        makes = getattr(kata, name), OPTIMIZERS[name][1]
        seen, right = (walked(make, name, starts, given, weight_decay=DECAY) for make in makes)
        off = (seen - right).abs().max().item()
        headline = f"{name}: parameters of float64 are not moved as exactly as float64 can be."
        likely = "the memory is float32: torch.zeros_like(parameter) has the parameter's own dtype"
        likely = expect.told(likely) if off < 1e-4 else STEP_ITSELF
        expect.that(off < 1e-10, headline, seen=f"off by {off:.2g}", expected="0", likely=likely)

    @pytest.mark.placement
    @pytest.mark.parametrize("name", EACH)
    def test_a_step_follows_its_device(self, kata, name, device):
        def moved(*given):
            optimizer = getattr(kata, name)(given[:2], **OPTIMIZERS[name][2], weight_decay=DECAY)
            for _ in range(2):
                given[0].grad, given[1].grad = given[2].clone(), given[3].clone()
                optimizer.step()
            return list(given[:2])

        given = [*tensors(2, 3), *torch.randn(2, 3)]
        placement.check(moved, *given, device=device, what="The parameters after two steps")


@pytest.mark.task("valley")
class TestValley:
    @pytest.mark.parametrize("old", [0.0, 9.0], ids=["no gradient before", "an old gradient"])
    @pytest.mark.parametrize("make", [Own, torch.optim.Adam], ids=["one of yours", "Adam"])
    def test_walk_gives_every_place(self, kata, make, old):
        point, right = torch.tensor(START, requires_grad=True), by_hand(make)
        point.grad = torch.full((3,), old) if old else None
        lesson = by_hand(make, height=kata.valley)
        places = kata.walk(make([point], 0.02), point, bowl, STEPS)
        place = torch.where(point == right[0], torch.nan, point).detach()  # if it has moved
        causes = {
            "the point never moves: zero_grad(), then backward(), then step()": right[[0] * 5],
            "every row is the last place: keep copies, point.detach().clone()": place.expand(5, 3),
            "all but the first row are the last place: keep copies": torch.stack(
                [right[0], *[place] * STEPS]
            ),
            "this is a walk in the lesson's valley: call height(point)": lesson,
            "gradients pile up: zero_grad() is missing": by_hand(make, old=old, pile=True),
            "the old gradient was added: zero_grad() comes first": by_hand(make, old=old),
            "the start is missing: it is the first row": right[1:],
            "the last place is missing": right[:-1],
            "one step too many": by_hand(make, steps=STEPS + 1),
            "the start is there twice: note each place after its step": right[[0, 0, 1, 2, 3]],
        }
        expect.close(places, right, what="The places", causes=causes)

    @pytest.mark.parametrize("steps", [0, 1, 57])
    def test_walk_takes_as_many_steps_as_it_is_told(self, kata, steps):
        point, right = torch.tensor(START, requires_grad=True), by_hand(Own, steps=steps)
        places = kata.walk(Own([point], 0.02), point, bowl, steps)
        likely = "the walk takes another number of steps than `steps` says"
        expect.shape(places, (steps + 1, 3), f"The places with steps={steps}", likely=likely)
        expect.close(places, right, what=f"The places with steps={steps}")

    def test_places_have_the_dtype_and_record_nothing(self, kata):
        point = torch.tensor(START, dtype=torch.float64, requires_grad=True)
        places = kata.walk(torch.optim.SGD([point], 0.1), point, bowl, 2)
        expect.dtype(places, torch.float64, what="The places of a point of float64")
        gradients.check_none(places, "The places")

    def test_best_rate_ends_lowest(self, kata):
        rates = [0.0053, 0.012, 0.031, 0.097, 0.21]
        draws = {
            "rising rates": [momentum, torch.tensor(START), bowl, rates, 5],
            "falling rates": [momentum, torch.tensor(START), bowl, rates[::-1], 6],
            "heights below 0": [Own, torch.tensor([1.0, 2.0, -0.5]), below, rates, 7],
            "huge heights": [Own, torch.tensor([-3.0, 0.5, 1.0]), huge, rates, 4],
        }
        formula.check(kata.best_rate, best, draws, "The best rate", wrong_rates(kata.valley))

    def test_a_walk_that_ends_at_nan_never_wins(self, kata):
        draws = {}
        for rates in ([1e4, 0.01, 0.05], [0.01, 1e4, 0.05], [0.01, 0.05, 1e4]):
            draws[f"the rates {rates}"] = [torch.optim.SGD, torch.tensor(START), bowl, rates, 8]
        naive = "a nan wins: comparisons with it are False, and argmin takes it: leave nan out"
        wrong = {naive: [smallest(end, are_finite=False), lambda *given: 1e4]}
        formula.check(kata.best_rate, best, draws, "The best rate", wrong)

    def test_best_rate_leaves_the_start_alone(self, kata):
        starts = [torch.tensor(START, requires_grad=recording) for recording in (False, True)]
        starts[1].grad = torch.ones(3)
        draws = [[torch.optim.SGD, start, bowl, [0.05, 0.02], 2] for start in starts]
        formula.check(kata.best_rate, best, draws, "The best rate")

    @pytest.mark.placement
    def test_walks_follow_their_device(self, kata, device):
        def walk(point):
            return kata.walk(torch.optim.SGD([point], 0.1), point, bowl, 2)

        start = torch.tensor(START, requires_grad=True)
        placement.check(walk, start, device=device, what="The places")
        start = start.detach().to(device)
        height = lambda place: bowl(place - torch.zeros_like(start))  # noqa: E731
        rate = kata.best_rate(torch.optim.SGD, start, height, [0.01, 0.05], 3)
        expect.equal(rate, 0.05, what=f"The best rate on {device}")


def tensors(number: int, *shape: int) -> list[Tensor]:
    return [torch.randn(shape, requires_grad=True) for _ in range(number)]


def problem(number: int = 2, dtype=torch.float32) -> tuple[list[Tensor], list[list[Tensor | None]]]:
    """Where parameters start, and for each step the gradient of each."""
    signs = torch.tensor([1.0, -1.0])  # so that a root of g has no value everywhere
    starts, *given = [
        list(signs * (torch.rand(number, 2, dtype=dtype) + 0.2)) for _ in range(STEPS + 1)
    ]
    given[-1] = [20 * one for one in given[-1]]  # a rule holds for a large gradient, too
    return starts, given


def walked(make, name, starts, given, rates=None, **more) -> Tensor:
    """The parameters after each step of an optimizer, in a row."""
    parameters = [start.clone().requires_grad_() for start in starts]
    optimizer, rows = make(parameters, **OPTIMIZERS[name][2], **more), []
    for grads, lr in zip(given, rates or [LR] * STEPS, strict=True):
        for parameter, grad in zip(parameters, grads, strict=True):
            parameter.grad = None if grad is None else grad.clone()
        optimizer.lr = lr
        for group in getattr(optimizer, "param_groups", []):  # where torch's own have it
            group["lr"] = lr
        optimizer.step()
        expect.dtype(parameters[0], starts[0].dtype, "A parameter after a step")
        rows.append(torch.cat([one.detach().clone() for one in parameters]))
    return torch.stack(rows)


def check_path(kata, name: str, mistakes: Changes, decay: float) -> None:
    """The optimizer takes one parameter where torch's takes it, step by step."""
    (starts, given), rule = problem(1), RULES[name]
    after = functools.partial(simulated, starts=starts, given=given, decay=decay)

    def one() -> dict[str, Tensor]:
        causes = {cause: after(changed(rule, changes)) for cause, changes in mistakes.items()}
        if "g + decay" in rule:
            no_decay = "the weight decay is left out: start from self.gradients(), not .grad"
            causes[no_decay] = after(rule, decay=0.0)
        copied = "the memory starts as a copy of the parameters: it starts at 0"
        causes[copied] = after(rule, initial=None)
        return causes | {"the memory starts at 1: it starts at 0": after(rule, initial=1.0)}

    def two() -> dict[str, Tensor]:
        rows = {}
        for pair in itertools.combinations(mistakes, 2):
            with contextlib.suppress(AttributeError, SyntaxError):  # they don't go together
                rows["; and ".join(pair)] = after(changed(rule, "; ".join(map(mistakes.get, pair))))
        return rows

    otherwise = STEP_ITSELF * (name == "AdamW")  # which builds on Adam's
    compare(kata, name, one, starts, given, two=two, otherwise=otherwise, weight_decay=decay)
    check_defaults(getattr(kata, name), OPTIMIZERS[name][1], name)


def compare(
    kata, name, causes, starts, given, rates=None, otherwise=STEP_ITSELF, two=dict, **more
) -> None:
    """The learner's optimizer against torch's: a cause fits where all its steps are those seen; if
    none does, `two` of them.
    """
    right = walked(OPTIMIZERS[name][1], name, starts, given, rates, **more)
    with called.modules("torch.optim") as used:
        seen = walked(getattr(kata, name), name, starts, given, rates, **more)
    used.discard("torch.optim.optimizer")
    headline, by = f"{name} leaves its step to torch.", f"calls of {', '.join(sorted(used))}"
    likely = "write the rule of the lesson out: other programs rightly leave it to torch.optim"
    expect.that(not used, headline, seen=by, expected="your own code", likely=expect.told(likely))
    if alike(seen, right):
        return
    before = [torch.cat(starts), *right]
    step = next(n for n, rows in enumerate(zip(seen, right, strict=True)) if not alike(*rows))
    still = "the parameters never move: p -= ... moves them, p = p - ... makes another p"
    known = {still: before[0].expand(len(seen), -1)}
    for stage in (lambda: known | causes(), two):
        fitting = [c for c, rows in stage().items() if alike(rows, seen) and not alike(rows, right)]
        if fitting:
            break
    rows = (seen[step], right[step], before[step])
    is_now, to_be, was = (", ".join(f"{number:.4g}" for number in row.tolist()) for row in rows)
    expect.unmet(
        f"{name}: after step {step + 1} the parameters are not where torch.optim puts them.",
        seen=is_now,
        expected=f"{to_be}   (before this step: {was})",
        likely=expect.told(*fitting) or otherwise or [guesses.of_numbers(seen[step], right[step])],
        pointer=pointers.numbers(seen[step], right[step]),
    )


def alike(one: Tensor, other: Tensor) -> bool:
    return torch.allclose(one.double(), other.double(), rtol=1e-4, atol=1e-5, equal_nan=True)
