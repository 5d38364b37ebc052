"""Whether the steps of a training go through its batches: all examples, each epoch in a new
order; or the whole batches that the data is cut into as it stands.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from dojo.diagnosis import Cause, Diagnosis
from dojo.training.rules import Training, cut_sizes

UNSHUFFLED = "the batches are shuffled, and the examples in them are not"


def problem(training: Training) -> Diagnosis | None:
    """What is wrong with the batches that the steps of a training saw."""
    rows = training.rows or []
    if any(-1 in batch for batch in rows):
        return Diagnosis(
            "The model is given something else than the examples.",
            "rows that are not in the features",
            "batches of the features as they came",
            (Cause("the features are changed, or filled up, before the model gets them"),),
        )
    wrong_sizes = _sizes(training, [len(batch) for batch in rows])
    if training.rule.is_cut:
        return wrong_sizes or _as_cut(training, rows)
    return wrong_sizes or _all_examples(training, rows) or _new_orders(training, rows)


def _epochs(training: Training, rows: Sequence[Tensor]) -> list[Tensor]:
    each = len(training.sizes)
    return [torch.cat(list(rows[n : n + each])) for n in range(0, len(rows), each)]


def _sizes(training: Training, seen: list[int]) -> Diagnosis | None:
    right, epochs, examples = training.sizes, training.epochs, len(training.data[0])
    if seen == right * epochs:
        return None
    whole = [size for size in right if size == right[0]]
    likely = "loop over a DataLoader with batch_size=batch_size, with one step in each turn"
    causes = {}
    if training.rule.is_cut:
        likely = "loop over the numbers of the n // batch_size batches, with one step in each turn"
        causes = {
            "the examples that are left over make a step, too: only the n // batch_size whole"
            " batches do": cut_sizes(examples, right[0]) * epochs,
            "the loop makes one batch too few: n // batch_size of them are whole": (
                right[1:] * epochs
            ),
            "optimizer.step() stands after the loop over the batches: each of them has a step of"
            " its own": [sum(right)] * epochs,
        }
    causes |= {
        "drop_last=True leaves the smaller last batch out: its examples count, too": whole * epochs,
        "each epoch makes one step on all examples: split them into batches, and let"
        " optimizer.step() stand in the loop over the batches": [examples] * epochs,
        "only the last batch of each epoch makes a step: backward() and step() belong in the loop"
        " over the batches": right[-1:] * epochs,
        "only the first batch of each epoch makes a step: does something end the loop?": (
            right[:1] * epochs
        ),
        "each batch is a single example": [1] * examples * epochs,
        "every step is on all examples: give the model those of the batch, not all features": (
            [examples] * len(right) * epochs
        ),
        "each batch makes two steps": [size for size in right for _ in range(2)] * epochs,
        "the argument epochs is not used: the number is written into the code": (
            right * training.rule.default
        ),
        "range(...) makes one epoch too few": right * (epochs - 1),
        "range(...) makes one epoch too many": right * (epochs + 1),
    }
    if seen and seen == [min(seen[0], examples), *seen[1:]]:
        cut = training.cut(examples, seen[0])
        written = "batch_size is not used: a size is written into the code"
        head = f"batch_size={right[0]} stands in the stub: leave it as it is"
        causes[written if training.batch_size else head] = cut * epochs
    each = range(0, len(seen), len(right))
    if len(seen) == len(right) * epochs and all(
        sorted(seen[n : n + len(right)]) == sorted(right) for n in each
    ):
        causes[UNSHUFFLED] = seen
    told = [cause for cause, sizes in causes.items() if sizes == seen][:1]
    few = ", ".join(map(str, seen[: len(right) + 1]))
    return Diagnosis(
        f"The steps are not one for each batch of {right[0]} of the {examples} examples.",
        f"{len(seen)} steps, the first on {few} examples" if seen else "no step on the examples",
        f"{len(right) * epochs} steps, on {', '.join(map(str, right))} examples in each epoch",
        tuple(Cause(cause, told=True) for cause in told) or (Cause(likely),),
    )


def _as_cut(training: Training, rows: Sequence[Tensor]) -> Diagnosis | None:
    each, size = len(training.sizes), training.sizes[0]
    whole = torch.arange(each * size).reshape(each, size)
    right = [batch.tolist() for batch in whole]
    for epoch in range(training.epochs):
        seen = [sorted(batch.tolist()) for batch in rows[epoch * each : (epoch + 1) * each]]
        if sorted(seen) == right:
            continue
        first = next(batch for batch in seen if batch not in right or seen.count(batch) > 1)
        told = []
        if all(batch == right[0] for batch in seen):
            told = ["every batch is the first one: the number of the batch is not passed on"]
        elif all(batch in right for batch in seen):
            told = ["batches are drawn at random: each of them comes once in an epoch"]
        elif len({row for batch in seen for row in batch}) < each * size:
            told = ["batches share examples: batch `number` begins at number * batch_size"]
        elif any(batch[-1] - batch[0] >= size for batch in seen):
            told = ["the examples are shuffled: each batch takes them as they stand in the data"]
        shown = ", ".join(map(str, first[:4]))
        return Diagnosis(
            "The batches of an epoch are not the whole batches of the data.",
            f"in epoch {epoch + 1} a batch of the rows {shown}, ...",
            f"{each} batches, each once: rows 0 to {size - 1}, {size} to {2 * size - 1}, ...",
            tuple(Cause(cause, told=True) for cause in told)
            or (Cause("the batches begin at another row than number * batch_size"),),
        )
    return None


def _all_examples(training: Training, rows: Sequence[Tensor]) -> Diagnosis | None:
    examples = len(training.data[0])
    lost = [examples - len(set(epoch.tolist())) for epoch in _epochs(training, rows)]
    if not any(lost):
        return None
    told = "each batch is drawn from all examples: cut one random order into batches"
    return Diagnosis(
        "Not every example is in one batch of each epoch.",
        f"{max(lost)} examples in no batch, and others in several",
        "each example once",
        (Cause(told, told=True),),
    )


def _new_orders(training: Training, rows: Sequence[Tensor]) -> Diagnosis | None:
    orders = _epochs(training, rows)
    given = torch.arange(len(training.data[0]))
    neighbours = [float((order[1:] == order[:-1] + 1).float().mean()) for order in orders]
    if any(torch.equal(order, given) for order in orders):
        seen, told = "the order of the data", "DataLoader(..., shuffle=True) is missing"
    elif len({order.numpy().tobytes() for order in orders}) < len(orders):
        seen = "the same order twice"
        told = "they are shuffled once, before the loop over the epochs, or by a fixed seed"
    elif max(neighbours) > 0.5:
        seen = "batches in a random order, each of neighbours"
        told = UNSHUFFLED
    else:
        return None
    return Diagnosis(
        "The examples are not shuffled again in every epoch.",
        seen,
        "a new order in each epoch",
        (Cause(told, told=True),),
    )
