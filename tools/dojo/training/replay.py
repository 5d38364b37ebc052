"""Losses and gradients of a model at many parameters at once."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from dojo.training.record import Loss

CHUNK_NUMBERS = 2_000_000  # that one chunk of parameters and rows may hold


def losses(
    model: nn.Module,
    loss: Loss,
    parameters: Tensor,
    features: Tensor,
    labels: Tensor,
    rows: Sequence[Tensor] | None = None,
) -> Tensor | None:
    """The loss at each row of parameters: (rows,), on all examples, or on those of a batch for each
    row of parameters. None where it can't take the model's output.
    """
    return _each(_at(model, loss), model, parameters, (features, labels), rows)


def gradients(
    model: nn.Module,
    loss: Loss,
    parameters: Tensor,
    features: Tensor,
    labels: Tensor,
    rows: Sequence[Tensor] | None = None,
) -> Tensor | None:
    """The gradient of the loss at each row of parameters, flat as they are. None as above."""
    return _each(torch.func.grad(_at(model, loss)), model, parameters, (features, labels), rows)


def _at(model: nn.Module, loss: Loss) -> Callable[[Tensor, Tensor, Tensor], Tensor]:
    named = [(name, one.shape, one.numel()) for name, one in model.named_parameters()]

    def at(flat: Tensor, features: Tensor, labels: Tensor) -> Tensor:
        parts = torch.split(flat, [size for _, _, size in named])
        parameters = {
            name: part.view(shape) for (name, shape, _), part in zip(named, parts, strict=True)
        }
        return loss(called(model, parameters, features), labels)

    return at


def called(model: nn.Module, parameters: Mapping[str, Tensor], inputs: Tensor) -> Tensor:
    """What the model makes of its inputs with these in place of its parameters, by their names.

    torch.func.functional_call would leave its own tensors in a layer that the model has under two
    names, so it is told where each parameter lies, once.
    """
    new = {id(own): parameters[name] for name, own in model.named_parameters()}
    places = {
        f"{place}.{name}".lstrip("."): new[id(own)]
        for place, module in model.named_modules()
        for name, own in module._parameters.items()
        if own is not None
    }
    result: Tensor = torch.func.functional_call(model, places, (inputs,), tie_weights=False)
    return result


def _each(
    function: Callable[..., Tensor],
    model: nn.Module,
    parameters: Tensor,
    data: tuple[Tensor, Tensor],
    rows: Sequence[Tensor] | None,
) -> Tensor | None:
    lost = parameters.isnan().any(dim=1)  # a loss may refuse what they give, and is NaN there
    if lost.all():
        return None
    if lost.any():
        kept = None if rows is None else [rows[int(step)] for step in (~lost).nonzero()]
        known = _each(function, model, parameters[~lost], data, kept)
        if known is None:
            return None
        whole = known.new_full((len(parameters), *known.shape[1:]), torch.nan)
        whole[~lost] = known
        return whole
    if rows is None:
        return _at_once(function, model, parameters, *data, None)
    found: dict[int, Tensor] = {}
    for length in {len(batch) for batch in rows}:  # equally large batches can be taken at once
        steps = [step for step, batch in enumerate(rows) if len(batch) == length]
        chosen = torch.stack([rows[step] for step in steps])
        features, labels = (part[chosen] for part in data)
        values = _at_once(function, model, parameters[steps], features, labels, 0)
        if values is None:
            return None
        found |= dict(zip(steps, values, strict=True))
    return torch.stack([found[step] for step in range(len(rows))])


def _at_once(
    function: Callable[..., Tensor],
    model: nn.Module,
    parameters: Tensor,
    features: Tensor,
    labels: Tensor,
    batched: int | None,
) -> Tensor | None:
    """Of data that is the same for each row of parameters, or has a batch for each (`batched`)."""
    each = features if batched is None else features[0]
    size = max(CHUNK_NUMBERS // max(parameters.shape[1] + 16 * each.numel(), 1), 1)
    try:
        at_once: Any = torch.func.vmap(
            function, in_dims=(0, batched, batched), chunk_size=size, randomness="same"
        )
        result: Tensor = at_once(parameters, features, labels).detach()
        with torch.no_grad():
            model(each)  # what a model keeps of its last pass is to be of a plain one
        return result
    except Exception:  # a model that can't be taken many times at once, a loss that doesn't fit
        try:
            return torch.stack(
                [
                    function(row, features, labels).detach()
                    if batched is None
                    else function(row, features[number], labels[number]).detach()
                    for number, row in enumerate(parameters)
                ]
            )
        except (RuntimeError, ValueError, IndexError, TypeError, AttributeError):
            return None
