"""Questions on k10: the same asking code runs on the submission, confined, and on the reference."""

import numpy as np
import torch
from torch import Tensor

from dojo.exam import Draw, question, training_steps, written_out

NAMES = ("sigmoid", "tanh", "relu", "leaky_relu", "softplus", "silu", "gelu", "selu")


def by_hand(*functions: str) -> dict[str, frozenset[str]]:
    return dict.fromkeys(functions, written_out.ACTIVATIONS)


READY_MADE = {*NAMES, *(f"{name}_" for name in NAMES), "special_expit", "prelu", "_prelu_kernel"}


def places(draw: Draw) -> list[Tensor]:
    """Where the formulas bend, and far out, where exp overflows. None is 0, where a kink may have
    either slope.
    """
    near, far = draw.uniform(-6, 6, draw.integer(4, 6), 30), draw.uniform(100, 1000, 4)
    return [near, torch.cat([far, -far, far / 10, -far / 10]), near / 100, near[:0]]


def slope_at(function, x: Tensor) -> Tensor:
    x = x.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(function(x).sum(), x)
    return gradient


def answers(function, draw: Draw) -> dict[str, object]:
    """What a function gives, its gradients, what it calls, and whether it leaves its input alone;
    then on another device.
    """
    found = {}
    for name, x in zip(("near", "far", "small", "none"), places(draw), strict=True):
        with training_steps.untouched(found, **{name: x}):
            values, found[f"{name} ready-made"] = training_steps.used(
                lambda x=x: function(x), READY_MADE
            )
        found |= {f"{name} values": values, f"{name} gradients": slope_at(function, x)}
    # any finite slope will do: times 0 it is 0
    found["finite at 0"] = 0 * slope_at(function, torch.zeros(3)) + draw.normal(3)
    away = draw.normal(8).to(draw.device).requires_grad_()
    there = function(away)
    there.sum().backward()
    return {**found, "there": there.detach(), "gradients there": away.grad}


@question("squash", times=2, by_hand=by_hand("sigmoid", "tanh"))
def squashed(kata, draw: Draw):
    return {name: answers(getattr(kata, name), draw) for name in ("sigmoid", "tanh")}


@question("rectify", times=2, by_hand=by_hand("relu", "leaky_relu"))
def rectified(kata, draw: Draw):
    return {name: answers(getattr(kata, name), draw) for name in ("relu", "leaky_relu")}


@question("rectify", times=2)
def slope_given(kata, draw: Draw):
    x, slope = draw.normal(5, 7), draw.real(0.1, 0.9)
    return {
        "number": kata.leaky_relu(x, slope=slope),
        "tensors": [kata.leaky_relu(x, slope=torch.tensor(one)) for one in (slope, [slope])],
        "ends": [kata.leaky_relu(x, slope=0.0), kata.leaky_relu(x, slope=1.0)],
    }


@question("prelu", times=2, by_hand=by_hand("PReLU"))
def learned_slope(kata, draw: Draw):
    begin, x, found = draw.real(0.3, 0.9), 2 * draw.normal(6, 8), {}
    model, usual = kata.PReLU(begin), kata.PReLU()
    ends = {f"{slope}": kata.PReLU(slope) for slope in (0.0, 1.0)}
    for name, one in {"given": model, "usual": usual, **ends}.items():
        found[name] = {
            name: value.detach().clone().flatten() for name, value in one.named_parameters()
        }
    for name, slope in (("at first", begin), ("then", draw.real(0.1, 0.8))):
        with torch.no_grad():
            model.slope.fill_(slope)
        with training_steps.untouched(found, x=x):
            found[name], found["ready-made"] = training_steps.used(lambda: model(x), READY_MADE)
    model.slope.grad = None
    (0.5 * model(x).square()).sum().backward()
    return {**found, "gradient": model.slope.grad.flatten(), "gradient of x": slope_at(model, x)}


@question("prelu")
def learned_slope_on_another_device(kata, draw: Draw):
    model = kata.PReLU(draw.real(0.1, 0.9)).to(draw.device)
    output = model(draw.normal(9).to(draw.device))
    output.sum().backward()
    return {"output": output.detach(), "gradient": model.slope.grad.flatten()}


@question("smooth", times=2, by_hand=by_hand("softplus", "silu", "gelu", "selu"))
def smooth(kata, draw: Draw):
    return {
        name: answers(getattr(kata, name), draw) for name in ("softplus", "silu", "gelu", "selu")
    }


def activations(random: np.random.Generator) -> Tensor:
    """Units that are dead, silent for most examples, nearly 0, negative or 0, and of a sum of 0, in
    no order.
    """
    examples, units = 2 * int(random.integers(3, 8)), int(random.integers(8, 14))
    table = random.standard_normal((examples, units))
    quarters = random.integers(1, 9, examples // 2) / 4
    table[:, 0] = table[:, 1] = 0
    table[1:, 2] = 0
    table[:, 3] = -np.abs(table[:, 3]) * (np.arange(examples) > 1)
    table[:, 4] = -np.abs(table[:, 4])
    table[:, 5] = np.concatenate([quarters, -quarters])
    table[:, 6] = random.uniform(1, 9, examples) * 10.0 ** -random.integers(4, 30)
    table[:, 7] = random.uniform(1, 9, examples) * 1e-30  # its square is 0 in float32
    return torch.tensor(
        table[random.permutation(examples)][:, random.permutation(units)], dtype=torch.float32
    )


@question("dead", times=3)
def dead(kata, draw: Draw):
    table, found = draw.made(activations), {}
    with training_steps.untouched(found, activations=table):
        found["dead"] = kata.dead_units(table)
        found["of one example"] = kata.dead_units(table[:1])
    return found


@question("dead")
def dead_on_another_device(kata, draw: Draw):
    return {"dead": kata.dead_units(draw.made(activations).to(draw.device))}
