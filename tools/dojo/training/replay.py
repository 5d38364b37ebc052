"""Losses and gradients of a model at many parameters at once."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from dojo.training.record import Loss

CHUNK_NUMBERS = 2_000_000  # that one chunk of parameters and rows may hold


def losses(
    model: nn.Module, loss: Loss, parameters: Tensor, features: Tensor, labels: Tensor
) -> Tensor | None:
    """The loss at each row of parameters: (rows,). None where it can't take the model's output."""
    return _each(_at(model, loss, features, labels), model, parameters, features)


def gradients(
    model: nn.Module, loss: Loss, parameters: Tensor, features: Tensor, labels: Tensor
) -> Tensor | None:
    """The gradient of the loss at each row of parameters, flat as they are. None as above."""
    compute = torch.func.grad(_at(model, loss, features, labels))
    return _each(compute, model, parameters, features)


def _at(
    model: nn.Module, loss: Loss, features: Tensor, labels: Tensor
) -> Callable[[Tensor], Tensor]:
    named = [(name, one.shape, one.numel()) for name, one in model.named_parameters()]

    def at(flat: Tensor) -> Tensor:
        parts = torch.split(flat, [size for _, _, size in named])
        parameters = {
            name: part.view(shape) for (name, shape, _), part in zip(named, parts, strict=True)
        }
        return loss(torch.func.functional_call(model, parameters, (features,)), labels)

    return at


def _each(
    function: Callable[[Tensor], Tensor], model: nn.Module, parameters: Tensor, features: Tensor
) -> Tensor | None:
    if not len(parameters):
        return None
    size = max(CHUNK_NUMBERS // max(parameters.shape[1] + 16 * features.numel(), 1), 1)
    try:
        at_once: Any = torch.func.vmap(function, chunk_size=size, randomness="same")
        result: Tensor = at_once(parameters).detach()
        with torch.no_grad():
            model(features)  # what a model keeps of its last pass is to be of a plain one
        return result
    except Exception:  # a model that can't be taken many times at once, a loss that doesn't fit
        try:
            return torch.stack([function(row).detach() for row in parameters])
        except (RuntimeError, ValueError, IndexError, TypeError):
            return None
