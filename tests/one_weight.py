"""A model with a single weight: its data, the gradient by the formula, the descent, and what known
mistakes give.
"""

import torch

from tests import expect

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
        weight, x, y = (
            torch.tensor([1.0]),
            torch.tensor([1.0, 2.0, 3.0]),
            torch.tensor([2.0, 4.0, 6.0]),
        )
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
        "this is the loss, not its gradient: after backward() the gradient lies in .grad": (
            (errors**2).mean()
        ),
        "a single number, shape (), came out of the sum: reshape(1) gives it the shape of the "
        "weight": right[0],
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
        "the step goes up the gradient: it has to be taken off the weight": walk(
            weight, x, y, -lr, steps
        ),
        "the learning rate is left out: lr * gradient is taken off": walk(weight, x, y, 1.0, steps),
        "only one step was taken": walk(weight, x, y, lr, 1),
    }
    return {cause: result[losses] for cause, result in given.items()}


def descend(kata, weight, x, y, lr, steps):
    """The learner's descent; an error that only comes with the second step is the mark of a weight
    made anew.
    """
    anew = weight.detach().clone().requires_grad_()
    try:
        return kata.descend(weight, x, y, lr=lr, steps=steps)
    except (TypeError, RuntimeError) as error:
        if steps > 1 and ("NoneType" in str(error) or "does not require grad" in str(error)):
            kata.descend(anew, x, y, lr=lr, steps=1)
            expect.unmet(
                "The second step raises an error.",
                seen=error,
                expected="as many steps as asked for",
                likely=REBOUND,
            )
        raise
