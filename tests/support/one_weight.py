"""k03's single weight: loss, gradient, descent and its end by the formulas, and with the known
mistakes, each under its likely cause.
"""

import itertools

import torch

UNMOVED = (
    "the weight that was given has not moved: no step was taken, or weight = weight - ... gave its"
    " name to another tensor"
)
PILED_UP = (
    "gradients pile up from step to step, because backward() adds to .grad: clear it before each"
    " backward()"
)


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
    "predictions (n, 1) and targets (n,) were broadcast to (n, n): leave both as they are": [
        lambda w, x, y: ((w * x[:, None] - y) ** 2).mean(),
        lambda w, x, y: ((w * x[:, None] - y) ** 2).sum() / len(x),
    ],
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
    "there is a number for each point: their mean or sum is missing": [
        lambda w, x, y: 2 * x * errors(w.detach(), x, y),
        lambda w, x, y: 2 / len(x) * x * errors(w.detach(), x, y),
    ],
    "this is twice the gradient: backward() runs twice and adds, or the 2 is there twice": (
        lambda *p: 2 * slope(*p)
    ),
    "the factor is 2 / n, and this is 1 / (2 n)": lambda *p: slope(*p) / 4,
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
    "the learning rate shrinks from step to step: it is lr in each of them": [
        lambda w, x, y, lr, n, shrink=shrink: walk(w, x, y, lr, n, step=shrinking(lr, shrink))
        for shrink in (lambda k: 1 / k, lambda k: k**-0.5, lambda k: 0.9 ** (k - 1))
    ],
    "an optimizer with a memory takes the steps, such as Adam: each step is lr * gradient alone": [
        lambda w, x, y, lr, n, make=make: walk(w, x, y, lr, n, step=remembering(make, lr))
        for make in (
            torch.optim.Adam,
            torch.optim.RMSprop,
            torch.optim.Adagrad,
            lambda p, lr: torch.optim.SGD(p, lr, momentum=0.9),
        )
    ],
    "large gradients are cut off: each step is lr * gradient, as large as it is": [
        lambda w, x, y, lr, n, most=most: walk(
            w, x, y, lr, n, step=lambda g: lr * g.clamp(-most, most)
        )
        for most in (0.1, 1.0, 5.0, 10.0)
    ],
}


def shrinking(lr, shrink):
    """A step whose learning rate depends on its number, from 1."""
    number = itertools.count(1)
    return lambda gradient: lr * shrink(next(number)) * gradient


def remembering(make, lr):
    """A step as this optimizer takes it."""
    place = torch.zeros(1, requires_grad=True)
    optimizer = make([place], lr)

    def step(gradient):
        before, place.grad = place.detach().clone(), gradient.clone()
        optimizer.step()
        return before - place.detach()

    return step


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
