"""Trainings by hand, in the right way and in wrong ones, to hold a learner's against."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dojo.training.evidence import PILED_UP

RATE = 0.4  # of learning
RIGHT = ""
FORGOTTEN = (
    "the loss takes z_pred, the second of the pair: nn.BCEWithLogitsLoss contains the sigmoid"
)
ONCE = "optimizer.zero_grad() is called once an epoch: each batch needs it, before backward()"
AFTER = "these are the losses after the steps: keep each batch's loss from before its step"
SO_FAR = "this is the mean of the losses so far: each epoch has a mean of its own"
WRONG = (FORGOTTEN, PILED_UP, ONCE, AFTER, SO_FAR)


def steps(model: nn.Module, x: Tensor, y: Tensor, way: str = RIGHT) -> tuple[Tensor, Tensor]:
    """The losses and the weights of three epochs, of three steps each on the same examples, of a
    model that gives (y_pred, z_pred). `way` is right, or one of the mistakes.
    """
    losses, pile = [], [torch.zeros_like(parameter) for parameter in model.parameters()]
    for step in range(9):
        if step % 3 == 0 or way != ONCE:
            pile = [total if way == PILED_UP else 0 * total for total in pile]
        pair = model(x)
        loss = F.binary_cross_entropy_with_logits(pair[0 if way == FORGOTTEN else 1], y)
        gradients = torch.autograd.grad(loss, list(model.parameters()))
        pile = [total + gradient for total, gradient in zip(pile, gradients, strict=True)]
        with torch.no_grad():
            for parameter, total in zip(model.parameters(), pile, strict=True):
                parameter -= RATE * total
            after = F.binary_cross_entropy_with_logits(model(x)[1], y)
        losses.append(after if way == AFTER else loss.detach())
    means = torch.stack(losses).reshape(3, 3).mean(dim=1)
    if way == SO_FAR:
        means = means.cumsum(dim=0) / torch.arange(1, 4)
    return means, torch.cat([parameter.detach().flatten() for parameter in model.parameters()])
