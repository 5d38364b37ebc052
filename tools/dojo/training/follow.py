"""Whether every step follows the gradient of the loss."""

from collections.abc import Callable

import torch
from torch import Tensor

from dojo.diagnosis import Cause, Diagnosis
from dojo.training import evidence, replay
from dojo.training.rules import Training, gradient_rounding_decides, largest, shown

CHANGED = "the features are changed, or filled up, before the model gets them"
WHICH_LOSS = (
    "Compute the loss of the stub and its gradient by hand in the first epoch: is p.grad that"
    " number just before optimizer.step()?"
)


def each_follows_the_gradient(training: Training) -> Diagnosis | None:
    run, (features, labels) = training.run(), training.data
    right = training.right_gradients(run.before, rows=training.rows)
    if right is None:
        return None
    climbs = [training.record.climbs[int(number)] for number in run.optimizers]
    found = torch.where(torch.tensor(climbs)[:, None], -run.gradients, run.gradients)
    scale = largest(right.norm(dim=1))

    def tolerance(norm: Tensor) -> Tensor:
        return 1e-3 * norm + 2e-5 * scale + 1e-9

    finite = right.isfinite().all(dim=1)
    off = (found - right).norm(dim=1) > tolerance(right.norm(dim=1))
    off = (off | ~found.isfinite().all(dim=1)) & finite
    if off.any():
        off &= ~gradient_rounding_decides(training, run.before, right, scale)
    if off.any() and _clipped(found, right, off, run.sizes, tolerance):
        return None
    if not off.any():
        return None
    step = int(off.nonzero()[0])

    def near(some: Tensor, others: Tensor) -> bool:
        return bool((some - others).norm() <= tolerance(others.norm()))

    at, rows = run.before[step : step + 1], run.rows(step)
    here = [rows] if training.rule.batch_size else None
    others: dict[str, Tensor | None] = {
        cause: _only(training.right_gradients(at, loss, here))
        for cause, loss in training.wrong().items()
    }
    if training.rule.restarts and not step:  # the gradients of the runs before are still there
        earlier = training.record.before[: training.record.run()[0] + 1]
        piled = training.right_gradients(earlier)
        others[evidence.PILED_UP] = None if piled is None else piled.sum(dim=0)
    if here:
        first = step % len(training.sizes)
        begin = sum(training.sizes[:first])
        if first and not off[step - first + len(training.sizes) :: len(training.sizes)].any():
            # each epoch begins with a right step, so they pile up within the epoch alone
            others[evidence.PILED_UP] = None
            others[evidence.WITHIN_EPOCH] = right[step - first : step + 1].sum(dim=0)
        given = (features[rows], labels[begin : begin + len(rows)])
        others[evidence.MIXED] = _only(
            replay.gradients(training.model, training.rule.loss, at, *given)
        )
    elif 0 < len(rows) != len(features) and -1 not in rows:
        batch = (features[rows], labels[rows])
        sees = f"the step sees {len(rows)} of the {len(features)} examples: it is one step on all"
        others[sees] = _only(replay.gradients(training.model, training.rule.loss, at, *batch))
    elif -1 in rows:
        others[CHANGED] = found[step]
    elif len(rows):
        mixed = replay.gradients(training.model, training.rule.loss, at, features[rows], labels)
        others[evidence.MIXED] = _only(mixed)
    told = evidence.of_gradient(
        step,
        found[step],
        right,
        run.before[step],
        len(rows) if here else len(features),
        others,
        near,
    )
    return Diagnosis(
        f"Step {step + 1} of the training does not follow the gradient of the loss.",
        shown(found[step]),
        shown(right[step]),
        tuple(Cause(text, told=True) for text in told[:3])
        or (Cause("another loss, other examples, or a gradient that is changed before the step"),),
        "" if told else WHICH_LOSS,
    )


def _clipped(
    found: Tensor,
    right: Tensor,
    off: Tensor,
    sizes: list[int],
    tolerance: Callable[[Tensor], Tensor],
) -> bool:
    """True if all gradients that are off are right ones, cut off at a largest norm (of all, or of
    each parameter) or at a largest number.
    """
    some, others = found[off], right[off]
    norm, whole = some.norm(dim=1, keepdim=True), others.norm(dim=1, keepdim=True)

    def fits(expected: Tensor) -> bool:
        return bool(((some - expected).norm(dim=1) <= tolerance(expected.norm(dim=1))).all())

    factor = norm / whole.clamp_min(1e-30)
    if (factor <= 1.001).all() and fits(factor * others):
        # one factor for gradients of several sizes is no cutting off, but another loss
        is_one = len(some) > 2 and float(factor.max() / factor.min()) < 1.001
        return not is_one or float(whole.max() / whole.min()) < 1.02
    most = some.abs().amax(dim=1, keepdim=True)
    if fits(others.clamp(-most, most)):
        return True
    parts = [
        (a, b.norm(dim=1, keepdim=True), b)
        for a, b in zip(torch.split(some, sizes, 1), torch.split(others, sizes, 1), strict=True)
    ]
    largest = torch.stack([a.norm(dim=1, keepdim=True) for a, _, _ in parts]).amax(dim=0)
    return fits(
        torch.cat([b * (largest / n.clamp_min(1e-30)).clamp_max(1) for _, n, b in parts], 1)
    )


def _only(rows: Tensor | None) -> Tensor | None:
    return None if rows is None else rows[0]
