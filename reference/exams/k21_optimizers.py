"""Questions on k21: what a step starts from, where steps lead, and walks over fresh landscapes."""

from collections.abc import Callable

import torch
from torch import Tensor

from dojo.exam import Draw, called, question, same, training_steps, written_out

SHAPES = ((2,), (3, 2), (), (4,))
# of the steps, which parameters have no gradient: one at first, one in between, several
MISSING = ({1}, set(), {0}, set(), {0, 2, 3}, set())
EXACT = same(rtol=1e-9, atol=1e-10)
START = (2.0, -1.0, 0.5)


def parameters(draw: Draw, device: torch.device | str = "cpu") -> list[Tensor]:
    return [draw.normal(*shape).to(device).requires_grad_() for shape in SHAPES]


def settings(draw: Draw, name: str) -> dict[str, object]:
    """How an optimizer is made; no value is one that the stub proposes."""
    values = {"lr": draw.real(0.05, 0.2), "weight_decay": draw.real(0.2, 0.5)}
    if name == "Momentum":
        values["momentum"] = draw.real(0.5, 0.8)
    if name == "RMSprop":
        values |= {"alpha": draw.real(0.5, 0.7), "eps": draw.real(0.05, 0.1)}
    if name.startswith("Adam"):
        betas = draw.real(0.4, 0.5), draw.real(0.7, 0.8)
        values |= {"betas": betas, "eps": draw.real(0.05, 0.1)}
    return values


def steps(
    make: Callable, draw: Draw, name: str, dtype: torch.dtype, device="cpu", **changed: float
) -> list[object]:
    """Six steps: the parameters after each, what became of their gradients, and who took it."""
    weights = [one.detach().to(dtype).requires_grad_() for one in parameters(draw, device)]
    values = settings(draw, name) | changed
    optimizer, found = make((one for one in weights), **values), []
    with called.modules("torch.optim") as taken:
        for number, missing in enumerate(MISSING):
            size = 20 if number == 4 else 1
            drawn = [size * draw.normal(*shape).to(device).to(dtype) for shape in SHAPES]
            for position, (weight, gradient) in enumerate(zip(weights, drawn, strict=True)):
                weight.grad = None if position in missing else gradient.clone()
            optimizer.lr = values["lr"] if number < 3 else values["lr"] / 4
            optimizer.step()
            kept = [
                weight.grad is None
                if position in missing
                else weight.grad is not None and torch.equal(weight.grad.cpu(), gradient.cpu())
                for position, (weight, gradient) in enumerate(zip(weights, drawn, strict=True))
            ]
            places = [weight.detach().clone() for weight in weights]
            found.append([places, kept, [weight.requires_grad for weight in weights]])
    return [found, sorted(taken), torch.is_grad_enabled()]


def first_steps(make: Callable, draw: Draw, name: str) -> list[Tensor]:
    """The same first step of two optimizers of the same parameter."""
    start, gradient, values = draw.normal(5), draw.normal(5), settings(draw, name)
    parameter, places = draw.normal(5).requires_grad_(), []
    for optimizer in [make([parameter], **values) for _ in range(2)]:
        parameter.data, parameter.grad = start.clone(), gradient.clone()
        optimizer.step()
        places.append(parameter.detach().clone())
    return places


def by_default(make: Callable, draw: Draw) -> Tensor:
    """Where steps lead with no more than a learning rate, along small gradients and large ones."""
    parameter = draw.normal(4).double().requires_grad_()
    optimizer, scale = make([parameter], lr=0.1), torch.tensor([1e-6, 1e-6, 1, 1]).double()
    for _ in range(3):
        parameter.grad = draw.normal(4).double() * scale
        optimizer.step()
    return parameter.detach()


def equal_steps(kata, draw: Draw, name: str) -> dict[str, object]:
    make = getattr(kata, name)
    return {
        "float32": steps(make, draw, name, torch.float32),
        "float64": steps(make, draw, name, torch.float64),
        "no decay": steps(make, draw, name, torch.float32, weight_decay=0.0),
        "elsewhere": steps(make, draw, name, torch.float32, draw.device),
        "first steps": first_steps(make, draw, name),
        "defaults": by_default(make, draw),
    }


@question("base", times=2, float64=EXACT)
def what_a_step_starts_from(kata, draw: Draw):
    weights, decay = parameters(draw), draw.real(0.2, 0.5)
    drawn = [draw.normal(*shape) for shape in SHAPES]
    for position, (weight, gradient) in enumerate(zip(weights, drawn, strict=True)):
        weight.grad = None if position == 1 else gradient.clone()
    optimizer = kata.Optimizer((one for one in weights), lr=0.1, weight_decay=decay)
    pairs = [optimizer.gradients() for _ in range(2)][-1]
    is_lazy, pairs = iter(pairs) is pairs, list(pairs)
    given = [weight for weight in weights if weight.grad is not None]
    found = {
        "very tensors": [one is other for (one, _), other in zip(pairs, given, strict=True)],
        "g": [g for _, g in pairs],
        "kept": [weight.grad for weight in weights],
        "weights": weights,
        "computed later": is_lazy,
    }
    found["kept"] = [None if one is None else one.clone() for one in found["kept"]]
    for weight, shape in zip(weights[2:], SHAPES[2:], strict=True):
        weight.grad = draw.normal(*shape)
    weights[0].grad = torch.zeros(2)
    found["today"] = [g for _, g in optimizer.gradients()]
    exact = draw.normal(3).double().requires_grad_()
    exact.grad = draw.normal(3).double()
    ((_, found["float64"]),) = kata.Optimizer([exact], lr=0.1, weight_decay=decay).gradients()
    optimizer.zero_grad()
    found["cleared"] = [weight.grad is None for weight in weights]
    return {**found, "records": torch.is_grad_enabled()}


@question("base")
def what_a_step_starts_from_elsewhere(kata, draw: Draw):
    weights = parameters(draw, draw.device)
    for weight, shape in zip(weights, SHAPES, strict=True):
        weight.grad = draw.normal(*shape).to(draw.device)
    optimizer = kata.Optimizer(weights, lr=0.1, weight_decay=draw.real(0.2, 0.5))
    return {"g": [g for _, g in optimizer.gradients()]}


def by_hand(name: str) -> dict[str, frozenset[str]]:
    return {name: written_out.OPTIMIZERS}


@question("sgd", times=2, by_hand=by_hand("SGD"), float64=EXACT, defaults=EXACT)
def steps_of_sgd(kata, draw: Draw):
    return equal_steps(kata, draw, "SGD")


@question("momentum", times=2, by_hand=by_hand("Momentum"), float64=EXACT, defaults=EXACT)
def steps_of_momentum(kata, draw: Draw):
    return equal_steps(kata, draw, "Momentum")


@question("rmsprop", times=2, by_hand=by_hand("RMSprop"), float64=EXACT, defaults=EXACT)
def steps_of_rmsprop(kata, draw: Draw):
    return equal_steps(kata, draw, "RMSprop")


@question("adam", times=2, by_hand=by_hand("Adam"), float64=EXACT, defaults=EXACT)
def steps_of_adam(kata, draw: Draw):
    return equal_steps(kata, draw, "Adam")


@question("adam", times=2, by_hand=by_hand("AdamW"), float64=EXACT, defaults=EXACT)
def steps_of_adamw(kata, draw: Draw):
    return equal_steps(kata, draw, "AdamW")


class Plain:
    """An optimizer with no more than a walk may ask for."""

    def __init__(self, weights: list[Tensor], lr: float) -> None:
        self.weights, self.lr = list(weights), lr

    def zero_grad(self) -> None:
        for weight in self.weights:
            weight.grad = None

    def step(self) -> None:
        with torch.no_grad():
            for weight in self.weights:
                if weight.grad is not None:
                    weight -= self.lr * weight.grad


def swinging(weights: list[Tensor], lr: float) -> torch.optim.Optimizer:
    return torch.optim.SGD(weights, lr, momentum=0.9)


def landscape(draw: Draw) -> tuple[Callable[[Tensor], Tensor], Tensor, float]:
    """A bowl in another place and of another depth: its height, a start in it, and its depth. With
    rates that are divided by the depth, every walk is of the same form.
    """
    middle, depth = draw.normal(3), draw.real(0.5, 2.0)

    def height(point: Tensor) -> Tensor:
        x, y, z = point - middle.to(point)
        return depth * (x**2 + 9 * (y - 1) ** 2 + z**4) / 2

    return height, middle + torch.tensor(START), depth


@question("valley", times=2, float64=EXACT)
def walks(kata, draw: Draw):
    height, start, depth = landscape(draw)
    found = {}
    for name, make in (("plain", Plain), ("swinging", swinging), ("adam", torch.optim.Adam)):
        for old in (None, draw.normal(3)):
            point = start.clone().requires_grad_()
            point.grad = old
            places = kata.walk(make([point], 0.02 / depth), point, height, draw.integer(3, 6))
            found[f"{name}, {old is None}"] = places
    for steps in (0, 1, draw.integer(51, 60)):
        point = start.clone().requires_grad_()
        found[f"{steps} steps"] = kata.walk(Plain([point], 0.02 / depth), point, height, steps)
    point = start.double().requires_grad_()
    exact = kata.walk(Plain([point], 0.02), point, height, 3)
    return {**found, "float64": exact}


@question("valley")
def walks_elsewhere(kata, draw: Draw):
    _, start, depth = landscape(draw)
    goal = draw.normal(3).to(draw.device)

    def height(point: Tensor) -> Tensor:
        return ((point - goal) ** 2).sum()

    point, rates = start.to(draw.device).requires_grad_(), [0.01, 0.3, 0.02]
    places = kata.walk(Plain([point], 0.02 / depth), point, height, 3)
    best = kata.best_rate(Plain, start.to(draw.device), height, rates, 3)
    return {"places": places, "best": best}


@question("valley", times=2)
def best_rates(kata, draw: Draw):
    height, start, depth = landscape(draw)
    rates, found = [rate / depth for rate in (0.005, 0.01, 0.03, 0.1, 0.2)], {}
    for order in (1, -1):
        for lift in (0.0, -500.0, 1e5):
            found[f"order {order}, lifted by {lift}"] = kata.best_rate(
                swinging, start.double(), lifted(height, lift), given := rates[::order], 5
            )
            found[f"rates left in order {order}, lifted by {lift}"] = given
        found[f"order {order}, huge"] = kata.best_rate(
            swinging, start.double(), enlarged(height), rates[::order], 5
        )
    for place in range(3):
        rates = [0.01 / depth, 0.05 / depth]
        rates.insert(place, 1e4)
        found[f"nan at {place}"] = kata.best_rate(torch.optim.SGD, start, height, rates, 30)
    for recording in (False, True):
        begin = start.clone().requires_grad_(recording)
        with training_steps.untouched(found, start=begin):
            kata.best_rate(torch.optim.SGD, begin, height, [0.01, 0.02], 2)
        found[f"recording {recording}"] = [begin.requires_grad, begin.grad is None]
    return found


def enlarged(height: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    """As steep, and far higher."""
    return lambda point: height(point) + 1e33 * height(point).detach()


def lifted(height: Callable[[Tensor], Tensor], lift: float) -> Callable[[Tensor], Tensor]:
    return lambda point: height(point) + lift
