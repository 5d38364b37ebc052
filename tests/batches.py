"""Looks on while a learner's training goes through batches: which examples came together, and what
each step followed.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.optim.optimizer import register_optimizer_step_pre_hook

from tests import expect, training

PILED_UP = (
    "gradients pile up from batch to batch: optimizer.zero_grad() is missing before"
    " loss.backward(), or stands outside the loop over the batches"
)


@dataclass
class Batch:
    """One forward pass that recorded gradients, and what the optimizer found after it (nothing
    where no step followed).
    """

    inputs: Tensor
    outputs: Tensor
    parameters: Sequence[Tensor] = ()
    gradients: Sequence[Tensor | None] = ()


def watch(train: Callable[[], object], model: nn.Module) -> tuple[object, list[Batch]]:
    """Run a training of the model. Returns what it returned, and the batches it went through, in
    order.
    """
    seen: list[Batch] = []

    def passed(module: nn.Module, inputs: tuple[Tensor, ...], outputs: Tensor) -> None:
        if outputs.requires_grad:
            seen.append(Batch(inputs[0].detach().clone(), outputs.detach().clone()))

    def stepped(optimizer: torch.optim.Optimizer, args: object, kwargs: object) -> None:
        if seen:
            seen[-1].parameters = [parameter.detach().clone() for parameter in model.parameters()]
            seen[-1].gradients = [
                None if p.grad is None else p.grad.clone() for p in model.parameters()
            ]

    handles = model.register_forward_hook(passed), register_optimizer_step_pre_hook(stepped)
    try:
        return train(), seen
    finally:
        for handle in handles:
            handle.remove()


def check_sizes(seen: Sequence[Batch], expected: list[int], what: str) -> None:
    """The batches have these sizes, over all epochs."""
    sizes = [len(batch.inputs) for batch in seen]
    likely = (
        "loop over a DataLoader with batch_size=batch_size, over all its batches in every epoch"
    )
    if sizes and sizes == [size for size in expected if size == max(expected)]:
        likely = "drop_last=True leaves the smaller last batch out: its examples count too"
    elif sizes and set(sizes) == {sum(expected[: len(expected) // len(sizes)])}:
        likely = "every epoch makes one step on all examples: split them with a DataLoader"
    expect.that(
        sizes == expected,
        f"{what} makes other batches.",
        seen=sizes,
        expected=expected,
        likely=likely,
    )


def check_shuffled(first: Sequence[Batch], second: Sequence[Batch], data: Tensor) -> None:
    """Two epochs take all of the data (n, 1), sorted ascending, in an order of their own."""
    one, other = (torch.cat([batch.inputs for batch in epoch]) for epoch in (first, second))
    expect.close(one.sort(dim=0).values, data, what="The examples of the first epoch, sorted")
    headline, expected = (
        "The examples are not shuffled anew in every epoch.",
        "an order of its own in each epoch",
    )
    likely = "DataLoader(..., shuffle=True) is missing"
    expect.that(
        not torch.equal(one, data),
        headline,
        seen="the order of the data",
        expected=expected,
        likely=likely,
    )
    likely = "they are shuffled once, before the loop over the epochs"
    expect.that(
        not torch.equal(one, other),
        headline,
        seen="the same order twice",
        expected=expected,
        likely=likely,
    )


def check_mean(loss: object, parts: Sequence[float], examples: int) -> None:
    """The loss of the first epoch is the mean over the losses of its batches."""
    causes = {
        "this is the sum over the batches: divide by their number": sum(parts),
        "this is the loss of the last batch alone: add up the losses of all of them": parts[-1],
        "the sum over the batches is divided by the number of examples": sum(parts) / examples,
    }
    expect.close(
        loss, sum(parts) / len(parts), what="The loss of the first epoch", causes=causes, atol=1e-3
    )


def check_gradients(
    seen: Sequence[Batch],
    model: nn.Module,
    targets: Callable[[Tensor], Tensor],
    right: Callable[[Tensor, Tensor], Tensor],
    wrong: Mapping[str, Callable[[Tensor, Tensor], Tensor]],
) -> None:
    """An optimizer takes steps, and none follows a gradient that a known mistake gives; one that
    follows none of these passes.

    Args:
        targets: gives the targets of a batch from its inputs.
        right: the loss to follow, of (outputs, targets).
        wrong: likely cause → the loss that this mistake follows.
    """
    names = [name for name, _ in model.named_parameters()]

    def gradient(batch: Batch, loss: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
        parameters = [parameter.clone().requires_grad_() for parameter in batch.parameters]
        outputs = torch.func.functional_call(
            model, dict(zip(names, parameters, strict=True)), (batch.inputs,)
        )
        return _flat(torch.autograd.grad(loss(outputs, targets(batch.inputs)), parameters))

    training.expect_steps(sum(bool(batch.gradients) for batch in seen))
    before = None
    for number, batch in enumerate(seen, start=1):
        if not batch.gradients or any(one is None for one in batch.gradients):
            continue
        followed, fresh = _flat(batch.gradients), gradient(batch, right)
        if not _alike(followed, fresh):
            mistakes = {PILED_UP: before + fresh} if before is not None else {}
            mistakes |= {cause: gradient(batch, loss) for cause, loss in wrong.items()}
            headline = f"Step {number} of the training does not follow the gradient of its batch."
            if told := [cause for cause, other in mistakes.items() if _alike(followed, other)]:
                seen, expected = expect.describe(followed), expect.describe(fresh)
                expect.unmet(headline, seen=seen, expected=expected, likely=expect.told(*told))
        before = followed


def _alike(one: Tensor, other: Tensor) -> bool:
    return bool(
        torch.linalg.vector_norm(one - other) <= 1e-3 * torch.linalg.vector_norm(other) + 1e-9
    )


def _flat(gradients: Sequence[Tensor]) -> Tensor:
    return torch.cat([gradient.detach().flatten() for gradient in gradients])
