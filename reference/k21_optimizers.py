"""Optimizers: what a step makes of the gradient.

Until now torch.optim took your steps. Now you write its rules yourself, equal
to torch step by step. All of them start from g = grad + weight_decay * w:

    SGD        w -= lr * g
    Momentum   b = momentum * b + g,   then   w -= lr * b
    RMSprop    v = alpha * v + (1 - alpha) * g**2
               w -= lr * g / (sqrt(v) + eps)
    Adam       m = beta1 * m + (1 - beta1) * g
               v = beta2 * v + (1 - beta2) * g**2
               m' = m / (1 - beta1**t)    v' = v / (1 - beta2**t)
               w -= lr * m' / (sqrt(v') + eps)

The memory (b, m and v) starts at 0, and each parameter has its own. It has its
own t, too: the number of its steps, 1 in the first. Early on m and v are too
small, and dividing them by 1 - beta**t makes up for that.

In a narrow valley the gradient points at the walls, hardly along the floor.
SGD bounces from wall to wall if lr is large, and creeps if it is small. With
momentum, the pulls across the valley cancel out, and those along it add up.
RMSprop divides by the usual size of the gradient, so its steps along a flat
floor are as long as those down a steep wall. Adam does both. In a valley at an
angle, RMSprop leads SGD by less: `python -m katas.k21_optimizers` draws it.

Weight decay pulls all weights towards 0. In Adam the division makes this pull
uneven, so AdamW keeps it out of g and shrinks the weights before the step.

Tasks: base, sgd, momentum, rmsprop, adam, valley.
Builds on: k03_autograd, k05_trainer.   Source: beyond the tutorials.
"""

import math
from collections.abc import Callable, Iterable

import torch
from torch import Tensor


class Optimizer:
    """What all optimizers share. Each one below adds its own step().

    A step changes the parameters in place, by the rule of the lesson, and uses nothing of
    torch.optim. Parameters without a gradient (.grad is None) are skipped: neither they nor their
    memory change, and t does not count the step. A step leaves every .grad as it was, and the
    parameters still record gradients.

    Args:
        parameters: float32 or float64 tensors that record gradients, of any shape, on any device;
            in a list, or in an iterable that can be gone through only once, such as
            model.parameters().
        lr: the learning rate. The attribute of that name may be changed between steps; the next
            step uses the new one.
        weight_decay: how strongly the parameters are pulled towards 0.
    """

    def __init__(self, parameters: Iterable[Tensor], lr: float, weight_decay: float = 0.0) -> None:
        self.lr, self.weight_decay = lr, weight_decay
        # BEGIN SOLUTION base: keep the parameters in such a way that every step can go through them
        self.parameters = list(parameters)
        # END SOLUTION

    def zero_grad(self) -> None:
        """Set the .grad of every parameter to None."""
        # BEGIN SOLUTION base: go through the parameters
        for parameter in self.parameters:
            parameter.grad = None
        # END SOLUTION

    def gradients(self) -> list[tuple[Tensor, Tensor]]:
        """What a step starts from: (parameter, g) for each parameter that has a gradient, in the
        order of the parameters. A skipped one is left out, and those after it move up.

        The parameter is the very tensor that was given. g is its .grad + weight_decay * parameter,
        a tensor that records no gradients; .grad stays as it is.
        """
        # BEGIN SOLUTION base: leave out parameters without a gradient; work under torch.no_grad()
        with torch.no_grad():
            return [
                (parameter, parameter.grad + self.weight_decay * parameter)
                for parameter in self.parameters
                if parameter.grad is not None
            ]
        # END SOLUTION


class SGD(Optimizer):
    """Plain gradient descent, equal to torch.optim.SGD."""

    def step(self) -> None:
        """Take one step."""
        # BEGIN SOLUTION sgd: go through self.gradients(), under torch.no_grad()
        with torch.no_grad():
            for parameter, gradient in self.gradients():
                parameter -= self.lr * gradient
        # END SOLUTION


class Momentum(Optimizer):
    """Gradient descent with momentum, equal to torch.optim.SGD(..., momentum=momentum).

    Torch adds the whole gradient to b, with no factor (1 - momentum).
    """

    def __init__(
        self,
        parameters: Iterable[Tensor],
        lr: float,
        momentum: float = 0.9,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(parameters, lr, weight_decay)
        self.momentum = momentum
        # BEGIN SOLUTION momentum: prepare the memory: b for each parameter
        self.b = {parameter: torch.zeros_like(parameter) for parameter in self.parameters}
        # END SOLUTION

    def step(self) -> None:
        """Take one step."""
        # BEGIN SOLUTION momentum: first the new b, then the step with it
        with torch.no_grad():
            for parameter, gradient in self.gradients():
                b = self.b[parameter] = self.momentum * self.b[parameter] + gradient
                parameter -= self.lr * b
        # END SOLUTION


class RMSprop(Optimizer):
    """Steps divided by the usual size of the gradient, equal to torch.optim.RMSprop."""

    def __init__(
        self,
        parameters: Iterable[Tensor],
        lr: float,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(parameters, lr, weight_decay)
        self.alpha, self.eps = alpha, eps
        # BEGIN SOLUTION rmsprop: prepare the memory: v for each parameter
        self.v = {parameter: torch.zeros_like(parameter) for parameter in self.parameters}
        # END SOLUTION

    def step(self) -> None:
        """Take one step."""
        # BEGIN SOLUTION rmsprop: first the new v, then the step with it
        with torch.no_grad():
            for parameter, gradient in self.gradients():
                v = self.v[parameter] = (
                    self.alpha * self.v[parameter] + (1 - self.alpha) * gradient**2
                )
                parameter -= self.lr * gradient / (v.sqrt() + self.eps)
        # END SOLUTION


class Adam(Optimizer):
    """Momentum and division by the usual size in one, equal to torch.optim.Adam."""

    def __init__(
        self,
        parameters: Iterable[Tensor],
        lr: float,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(parameters, lr, weight_decay)
        self.betas, self.eps = betas, eps
        # BEGIN SOLUTION adam: prepare the memory: m, v and t for each parameter
        self.m = {parameter: torch.zeros_like(parameter) for parameter in self.parameters}
        self.v = {parameter: torch.zeros_like(parameter) for parameter in self.parameters}
        self.t = dict.fromkeys(self.parameters, 0)
        # END SOLUTION

    def step(self) -> None:
        """Take one step."""
        # BEGIN SOLUTION adam: count, the new m and v, both corrected, the step with them
        beta1, beta2 = self.betas
        with torch.no_grad():
            for parameter, gradient in self.gradients():
                t = self.t[parameter] = self.t[parameter] + 1
                m = self.m[parameter] = beta1 * self.m[parameter] + (1 - beta1) * gradient
                v = self.v[parameter] = beta2 * self.v[parameter] + (1 - beta2) * gradient**2
                m_corrected, v_corrected = m / (1 - beta1**t), v / (1 - beta2**t)
                parameter -= self.lr * m_corrected / (v_corrected.sqrt() + self.eps)
        # END SOLUTION


class AdamW(Adam):
    """Adam with the weight decay kept out of g, equal to torch.optim.AdamW."""

    def __init__(
        self,
        parameters: Iterable[Tensor],
        lr: float,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.01,
    ) -> None:
        super().__init__(parameters, lr, betas, eps, weight_decay=0.0)  # so g is .grad alone
        self.decay = weight_decay

    def step(self) -> None:
        """Multiply each parameter by 1 - lr * decay; then take Adam's step."""
        # BEGIN SOLUTION adam: shrink the parameters that have a gradient; super().step() is Adam's
        with torch.no_grad():
            for parameter, _ in self.gradients():
                parameter *= 1 - self.lr * self.decay
        super().step()
        # END SOLUTION


def valley(point: Tensor, slant: float = 0.0) -> Tensor:
    """The height of a point (2,) in a narrow valley, as a tensor with a single number.

    The walls are 50 times as steep as the floor, and the lowest point is (0, 0). The floor runs
    along the first axis; with a slant it runs at an angle.
    """
    along, across = point[0], point[1] - slant * point[0]
    return (along**2 + 50 * across**2) / 2


def walk(
    optimizer: Optimizer, point: Tensor, height: Callable[[Tensor], Tensor], steps: int
) -> Tensor:
    """Let an optimizer walk downhill, and write down where it has been.

    Args:
        optimizer: of this point; one of yours or of torch.optim.
        point: (n,), records gradients; its .grad may hold anything before.
        height: the loss: gives the height of a point, such as `valley`.
        steps: how many steps to take.

    Returns:
        The places: (steps + 1, n), the start first, then the place after each step; on the point's
        device, in its dtype, without gradient.
    """
    # BEGIN SOLUTION valley: each step is zero_grad, backward, step; keep copies of the point
    places = [point.detach().clone()]
    for _ in range(steps):
        optimizer.zero_grad()
        height(point).backward()
        optimizer.step()
        places.append(point.detach().clone())
    return torch.stack(places)
    # END SOLUTION


def best_rate(
    make: Callable[..., Optimizer],
    start: Tensor,
    height: Callable[[Tensor], Tensor],
    rates: list[float],
    steps: int,
) -> float:
    """Try learning rates, and return the one whose walk ends at the lowest height.

    Every walk begins at the start, which stays as it is. A walk that ends at inf or nan never wins;
    at least one ends at a number.

    Args:
        make: makes an optimizer, such as SGD: make([point], lr=rate).
        start: (n,), on any device; it need not record gradients.
        height, steps: as in walk.
        rates: the learning rates to try.
    """
    # BEGIN SOLUTION valley: for each rate a copy of the start that records gradients, and a walk
    ends = {}
    for rate in rates:
        point = start.detach().clone().requires_grad_()
        last = walk(make([point], lr=rate), point, height, steps)[-1]
        ends[rate] = height(last).item()
    return min((rate for rate in ends if math.isfinite(ends[rate])), key=lambda rate: ends[rate])
    # END SOLUTION


if __name__ == "__main__":
    from katas.given import plots

    start, steps = torch.tensor([-4.0, 1.0]), 50
    candidates = [0.001 * 1.5**k for k in range(24)]  # from 0.001 to 11
    figures = []
    for slant in (0.0, 0.5):

        def height(point: Tensor, slant: float = slant) -> Tensor:
            return valley(point, slant)

        print(f"A valley {'at an angle' if slant else 'along the first axis'}, {steps} steps:")
        paths = {}
        for make in (SGD, Momentum, RMSprop, Adam):
            rate = best_rate(make, start, height, candidates, steps)
            point = start.clone().requires_grad_()
            places = walk(make([point], lr=rate), point, height, steps)
            paths[f"{make.__name__}, lr={rate:.2g}"] = places
            print(f"  {make.__name__:<9} lr={rate:<6.2g} ends at height {height(places[-1]):.2g}")
        figures.append(plots.plot_descents(height, paths))
    plots.show(*figures)
