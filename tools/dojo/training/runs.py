"""The runs of a training that may begin again: which is kept, and which others there were; and
models for trainings that gain nothing.
"""

import torch
from torch import Tensor, nn

from dojo.diagnosis import Cause, Diagnosis
from dojo.training.record import TrainingRecord
from dojo.training.rules import Training

TURNED = "another run than the best is kept: is the comparison turned around?"
BY_FIRST = (
    "the runs are compared by their first losses, which tell how lucky the random weights were: the"
    " last ones tell how a run ended"
)


class Rising(nn.Module):
    """Whatever the steps do, its scores get worse from pass to pass: the loss of (n, 3) rows rises
    by far more than a step can gain.
    """

    def __init__(self) -> None:
        super().__init__()
        self.linear, self.passes = nn.Linear(3, 3), 0

    def forward(self, x: Tensor) -> Tensor:
        self.passes += 1
        scores: Tensor = self.linear(x)
        return scores - 100 * self.passes * x


def sure() -> nn.Module:
    """Gives (n, 3) one-hot rows their own class from the start, with a loss of almost 0."""
    model = nn.Linear(3, 3)
    with torch.no_grad():
        model.weight.copy_(10 * torch.eye(3))
    return model


def _begins(record: TrainingRecord) -> list[int]:
    """The steps that don't begin where the one before them ended."""
    jumps = (record.before[1:] != record.after[:-1]).any(dim=1).nonzero().flatten()
    return [0, *(jumps + 1).tolist()]


def _whole_runs(record: TrainingRecord, epochs: int) -> list[tuple[int, int]]:
    """Number and first step of each run that is as long as the stub says."""
    begins = _begins(record) if len(record) else []
    ends = [*begins[1:], len(record)]
    pairs = enumerate(zip(begins, ends, strict=True), start=1)
    return [(number, begin) for number, (begin, end) in pairs if end - begin == epochs]


def with_others(record: TrainingRecord, epochs: int, others: int) -> TrainingRecord:
    """The record of the run that the model is left with, and of so many others of its length."""
    if not (kept := record.run()):
        return record
    begins = [begin for _, begin in _whole_runs(record, epochs) if begin not in kept][:others]
    more = [step for begin in begins for step in range(begin, begin + epochs)]
    return record.of(sorted({*kept, *more}))


def other_runs(training: Training) -> dict[str, Tensor]:
    """Likely cause → the parameters of a run that the model was not left with."""
    kept = training.record.run()[:1]
    if not training.rule.restarts or not kept:
        return {}
    runs = _whole_runs(training.record, training.epochs)
    own = next((number for number, begin in runs if begin == kept[0]), None)
    cause = (
        f"these are the losses of run {{}}, and the weights are those of {own or 'another one'}:"
        " model.state_dict() goes on changing with the model, so keep a copy of it"
        " (copy.deepcopy), and with it the losses of the same run"
    )
    return {
        cause.format(number): training.record.before[begin : begin + training.epochs]
        for number, begin in runs
        if begin != kept[0]
    }


def the_best_is_kept(training: Training) -> Diagnosis | None:
    """Only a run that another one beats in whatever a learner may look at is no best one; and where
    all are short, none may be good enough to be kept.
    """
    kept, runs = training.record.run(), _whole_runs(training.record, training.epochs)
    if not training.rule.restarts or training.epochs != training.rule.default or len(runs) < 2:
        return None
    (_, *others), epochs = [(0, kept[0]), *(r for r in runs if r[1] != kept[0])], training.epochs

    def first(begin: int) -> float:
        losses = training.right_losses(training.record.before[begin : begin + 1])
        return float("inf") if losses is None else float(losses[0])

    def looks(begin: int) -> list[float] | None:
        after = training.record.after[begin : begin + epochs]
        losses = training.right_losses(after)
        shares = [training.right_losses(after[-1:], one) for one in training.rule.best_by]
        if losses is None or None in shares or len(losses) < 2:
            return None
        return [float(losses[-1]), float(losses[-2]), float(losses.min()), *map(float, shares)]  # type: ignore[arg-type]

    own = looks(kept[0])
    for number, begin in others:
        other = looks(begin)
        if own and other and all(a < b for a, b in zip(other, own, strict=True)):
            is_luckiest = all(first(kept[0]) < first(begin) for _, begin in others)
            causes = (Cause(BY_FIRST), Cause(TURNED)) if is_luckiest else (Cause(TURNED),)
            return Diagnosis(
                "The run that is kept is not the best one.",
                f"a loss of {own[0]:.4g} in the end",
                f"{other[0]:.4g}, as in run {number}",
                causes,
            )
    return None
