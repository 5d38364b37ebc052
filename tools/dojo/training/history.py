"""Whether the losses that a training returned are those of its model."""

import torch
from torch import Tensor

from dojo import rounding
from dojo.diagnosis import Cause, Diagnosis, counted
from dojo.training import evidence, replay
from dojo.training.rules import Training, largest, loss_rounding_decides, shown
from dojo.training.runs import other_runs

WHEN_KEPT = (
    "Print the loss in each epoch right after it is computed: is that what stands in the list?"
)


def too_few_or_many(training: Training) -> Diagnosis | None:
    """What is wrong with the number of losses, where the steps of the training tell it."""
    found, epochs, taken = len(training.losses), training.epochs, training.record.taken
    run = training.run()
    if found == epochs:
        return None
    right = None if training.rule.batch_size else training.right_losses(run.before)
    last = torch.tensor(training.losses[-epochs:], dtype=torch.float64)
    if found == taken > max(epochs, len(run)) and training.rule.restarts:
        told = (
            "the losses of all runs are returned: keep those of the run that the model is left with"
        )
    elif found > epochs == len(run) and right is not None and torch.allclose(last, right.double()):
        told = "the list still holds the losses of an earlier call: make it within the function"
    elif found == training.rule.default:
        told = "the argument epochs is not used: the number is written into the code"
    elif found * len(training.sizes) == len(run) and found < epochs:
        told = "the training stops early: the stub promises all epochs"
    elif found == taken > epochs:
        told = "a loss is kept for each step: the stub asks for one for each epoch"
    else:
        return None
    return Diagnosis(
        "The losses are not one for each epoch.",
        f"{counted(found, 'loss')}, and {counted(taken, 'step')}",
        f"{counted(epochs, 'loss')} for {counted(epochs, 'epoch')}",
        (Cause(told, told=True),),
    )


def problem(training: Training) -> Diagnosis | None:
    """What is wrong with the losses that a training returned. Where its steps are not as many as
    the stub says, nothing is known of them.
    """
    run = training.run()
    found = torch.tensor(training.losses, dtype=torch.float64)
    rows, steps = training.rows, training.epochs * len(training.sizes)
    if len(run) != steps or len(found) != training.epochs or _strange(rows):
        return None
    losses = training.right_losses(run.before, rows=rows)
    later = training.right_losses(run.after, rows=rows)
    if losses is None:
        return None
    if later is None:  # the weights are lost, say
        later = torch.full_like(losses, torch.nan)
    right, after = training.of_epochs(losses.double()), training.of_epochs(later.double())
    scale = largest(right)
    wrong = ((found - right).abs() > 1e-4 * right.abs() + 1e-6 * scale) & right.isfinite()
    wrong |= ~found.isfinite() & right.isfinite()
    if wrong.any():
        decides = loss_rounding_decides(training, run.before, losses, scale)
        wrong &= training.of_epochs(decides.double()) == 0
    if not wrong.any() or rounding.decimals(found, right) is not None:
        return _rounded(found, right)

    def near(some: Tensor, others: Tensor) -> bool:
        finite = others.isfinite()
        if (some.isfinite() != finite)[right.isfinite()].any():
            return False
        return torch.allclose(some[finite], others[finite], rtol=1e-4, atol=1e-6 * scale)

    others = {
        cause: training.right_losses(run.before, loss, rows)
        for cause, loss in training.wrong().items()
    }
    if not rows:
        others |= {
            cause: training.right_losses(before) for cause, before in other_runs(training).items()
        }
        others[evidence.MIXED] = _mixed(training)
    others = {
        cause: None if one is None else training.of_epochs(one.double())
        for cause, one in others.items()
    }
    if rows:
        examples = len(training.data[0])
        others |= dict(evidence.of_batches(losses.double(), training.sizes, examples))
    told = evidence.of_losses(found, right, after, len(training.data[0]), others, near)
    first = int(wrong.nonzero()[0])
    return Diagnosis(
        f"The loss of epoch {first + 1} is not the mean loss of its batches, each before its step."
        if rows
        else f"The loss of epoch {first + 1} is not the loss of the model before its step.",
        shown(found[first : first + 3]),
        shown(right[first : first + 3]),
        tuple(Cause(text, told=True) for text in told[:3])
        or (Cause("another number than this epoch's loss is put into the list"),),
        "" if told else WHEN_KEPT,
    )


def _rounded(found: Tensor, right: Tensor) -> Diagnosis | None:
    if rounding.decimals(found, right) is None:
        return None
    seen, expected = (", ".join(f"{x:.7g}" for x in part[:3].tolist()) for part in (found, right))
    return Diagnosis(
        "The losses that are returned are rounded.",
        seen,
        expected,
        (Cause(evidence.LOSSES_ROUNDED, told=True),),
    )


def _strange(rows: list[Tensor] | None) -> bool:
    """True if it is not known for each step which examples it saw."""
    return rows is not None and any(not len(batch) or -1 in batch for batch in rows)


def _mixed(training: Training) -> Tensor | None:
    """The losses of features in the order in which the model saw them, and labels as they came."""
    run, (features, labels) = training.run(), training.data
    losses = list[Tensor]()
    for step in range(len(run)):
        rows = run.rows(step)
        if len(rows) != len(features) or -1 in rows:
            return None
        data, before = (features[rows], labels), run.before[step : step + 1]
        loss = replay.losses(training.model, training.rule.loss, before, *data)
        if loss is None:
            return None
        losses.append(loss)
    return torch.cat(losses)
