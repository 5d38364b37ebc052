"""Which known mistake gives the gradient, or the losses, that came out: told by evidence."""

from collections.abc import Callable, Iterator, Mapping

import torch
from torch import Tensor

from dojo.training.record import Loss

PILED_UP = (
    "gradients pile up from step to step: optimizer.zero_grad() is missing before loss.backward()"
)
WITHIN_EPOCH = (
    "gradients pile up from batch to batch: optimizer.zero_grad() belongs in the loop over the"
    " batches, before loss.backward()"
)
STEP_FIRST = (
    "optimizer.step() comes before loss.backward(): each step takes the gradient of the epoch"
    " before"
)
ONCE = (
    "the outputs or the loss are computed once, before the loop: each epoch needs a forward pass"
    " of its own"
)
SUMMED = "this is the sum over the examples: the loss is their mean"
TWICE = "backward() runs twice before each step"
CLIMBS = "the sign is turned around: the steps climb instead of descending"
SWAPPED = "the labels are turned around: 1 for 0, and 0 for 1"
LABELS_FIRST = "the loss takes the outputs first and the targets second: the two are swapped"
ROUNDED = "this is the loss of the rounded answers: the loss needs the outputs themselves"
LOSSES_ROUNDED = "the losses are rounded: return them as they are"
FIRST_LABEL = "the loss sees the first label alone: every label counts"
FIRST_OUTPUT = "the loss sees the first output alone: every output counts"
MIXED = "the features come in another order than the labels: shuffle both alike, or neither of them"
PENALTY = "a penalty on the weights is added to the loss"


def of_any_loss(loss: Loss, labels: Tensor) -> dict[str, Loss]:
    """Likely cause → the loss that this mistake follows, whatever the right loss is."""
    if not labels.is_floating_point():
        return {}
    is_binary = bool(((labels == 0) | (labels == 1)).all())
    several: dict[str, Loss] = {}
    if labels.ndim == 2 and labels.shape[1] > 1:
        several[FIRST_LABEL if is_binary else FIRST_OUTPUT] = lambda outputs, targets: loss(
            outputs[:, 0], targets[:, 0]
        )
    if not is_binary:
        return several
    return several | {
        SWAPPED: lambda outputs, targets: loss(outputs, 1 - targets),
        ROUNDED: lambda outputs, targets: loss(outputs.round(), targets),
        LABELS_FIRST: lambda outputs, targets: loss(targets, outputs),
    }


Near = Callable[[Tensor, Tensor], bool]


def of_gradient(
    step: int,
    found: Tensor,
    right: Tensor,
    before: Tensor,
    examples: int,
    others: Mapping[str, Tensor | None],
    near: Near,
) -> list[str]:
    """The mistakes that give this step's gradient; empty if none does.

    Args:
        step: its place in the run, from 0.
        found: its gradient.
        right: the right gradients of all steps.
        before: the parameters that it found.
        others: likely cause → the gradient that this mistake gives at this step.
    """
    here = right[step]
    mistakes: dict[str, Tensor | None] = {}
    if step > 0:
        mistakes[PILED_UP] = right[: step + 1].sum(dim=0)
        mistakes[STEP_FIRST] = right[step - 1]
        mistakes[ONCE] = right[0]
    mistakes |= others
    mistakes |= {SUMMED: examples * here, TWICE: 2 * here, CLIMBS: -here}
    told = [cause for cause, wrong in mistakes.items() if wrong is not None and near(found, wrong)]
    if told:
        return told
    extra = found - here
    factor = _factor(extra, before)
    if factor is not None and factor > 0 and near(extra, factor * before):
        return [PENALTY]
    factor = _factor(found, here)
    if factor is not None and len(here) > 1 and near(found, factor * here):
        kind = CLIMBS if factor < 0 else "the loss is multiplied by a number before backward()"
        return [f"the gradient is {factor:.4g} times the right one: {kind}"]
    return []


def _factor(some: Tensor, others: Tensor) -> float | None:
    square = float(others @ others)
    return float(some @ others) / square if square > 0 else None


def of_losses(
    found: Tensor,
    right: Tensor,
    after: Tensor,
    examples: int,
    others: Mapping[str, Tensor | None],
    near: Near,
) -> list[str]:
    """The mistakes that give these losses; empty if none does.

    Args:
        found: the losses that were returned.
        right: the loss of each epoch, as the stub says.
        after: the loss after each epoch.
        others: likely cause → the losses that this mistake gives.
    """
    return [
        cause
        for cause, wrong in [*others.items(), *_histories(right, after, examples)]
        if wrong is not None and wrong.shape == found.shape and near(found, wrong)
    ]


def of_batches(steps: Tensor, sizes: list[int], all_examples: int) -> Iterator[tuple[str, Tensor]]:
    """Likely cause → the losses of the epochs that this mistake makes of those of all steps."""
    parts, weights = steps.reshape(-1, len(sizes)), torch.tensor(sizes, dtype=steps.dtype)
    numbers = torch.arange(1, len(parts) + 1, dtype=steps.dtype)
    total = parts.sum(dim=1)
    examples = weights.sum()
    yield "this is the sum over the batches: divide by their number", total
    yield "this is the loss of the last batch alone: add up the losses of all of them", parts[:, -1]
    yield "this is the loss of the first batch alone: add up the losses of all of them", parts[:, 0]
    yield "the sum over the batches is divided by the number of examples", total / all_examples
    whole = sum(size == sizes[0] for size in sizes)
    if 1 < whole < len(sizes):
        yield (
            f"the sum over the {len(sizes)} batches is divided by {whole}: the last, smaller batch"
            " counts, too",
            total / whole,
        )
    yield (
        "this is the mean over the examples: the mean over the batches is asked for",
        (parts * weights).sum(dim=1) / examples,
    )
    yield (
        "the losses go on adding up from epoch to epoch: begin each epoch with 0",
        total.cumsum(0) / len(sizes),
    )
    yield (
        "this is the mean over all epochs so far: each epoch has its own",
        total.cumsum(0) / (len(sizes) * numbers),
    )


def _histories(right: Tensor, after: Tensor, examples: int) -> Iterator[tuple[str, Tensor]]:
    numbers = torch.arange(1, len(right) + 1, dtype=right.dtype)
    yield (
        "this is the loss after the step: keep the loss that was computed before it",
        after,
    )
    yield (
        "this is the mean of the losses so far: each epoch has its own loss",
        right.cumsum(0) / numbers,
    )
    yield "this is the smallest loss so far: each epoch has its own loss", right.cummin(0).values
    yield "the losses are added up from epoch to epoch", right.cumsum(0)
    yield SUMMED, examples * right
    yield "the loss is divided by the number of examples once more", right / examples
    yield "the loss is divided by the number of epochs", right / len(right)
    yield (
        "this is the loss of the last epoch each time: append to the list within the loop",
        right[-1:].expand_as(right),
    )
    yield (
        "this is the loss of the first epoch each time: compute it anew in every epoch",
        right[:1].expand_as(right),
    )
    yield "the sign is turned around", -right
    yield "the losses stand in the reverse order", right.flip(0)
    for digits in range(6):
        yield LOSSES_ROUNDED, right.round(decimals=digits)  # also where there are too few to tell
    yield (
        "these are the losses of the epoch before: append the loss after it is computed",
        torch.cat([right[:1], right[:-1]]),
    )
