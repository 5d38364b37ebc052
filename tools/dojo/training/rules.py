"""What a stub says of a training, and a training that is held against it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import Tensor, nn

from dojo.diagnosis import Diagnosis
from dojo.training import evidence, replay
from dojo.training.record import Loss, TrainingRecord


@dataclass(frozen=True)
class Rule:
    """What a stub says of a training in which every epoch is one step on all examples, or one on
    each of its batches: they hold all examples, in a new order, and the epoch's loss is their mean.

    Attributes:
        loss: of (outputs, labels).
        wrong: likely cause → the loss that this mistake follows.
        restarts: whether it may begin again from other weights; its losses are then those of the
            run that the model is left with.
        best_by: what else the best run may be chosen by; less is better.
        default: how many epochs it makes when it is not told.
        batch_size: how many examples a batch has when it is not told; 0 for one step on all.
        is_cut: whether an epoch's batches are the whole ones that the data is cut into as it
            stands, in any order; what is left over belongs to none.
    """

    loss: Loss
    wrong: Mapping[str, Loss] = field(default_factory=dict)
    restarts: bool = False
    best_by: tuple[Loss, ...] = ()
    default: int = 0
    batch_size: int = 0
    is_cut: bool = False


@dataclass(frozen=True)
class Training:
    """A training that was looked at, and all that is needed to judge it."""

    record: TrainingRecord
    model: nn.Module
    data: tuple[Tensor, Tensor]
    rule: Rule
    epochs: int
    losses: Sequence[float]
    batch_size: int = 0

    def run(self) -> TrainingRecord:
        """The steps that count: all of them, or those that lead to what the model is left with."""
        return self.record.of(self.record.run()) if self.rule.restarts else self.record

    @property
    def sizes(self) -> list[int]:
        """How many examples each step of an epoch is to see."""
        examples = len(self.data[0])
        size = self.batch_size or self.rule.batch_size or examples
        return self.cut(examples, size)

    def cut(self, examples: int, size: int) -> list[int]:
        """How many examples each batch has, if they are so large."""
        return [size] * (examples // size) if self.rule.is_cut else cut_sizes(examples, size)

    @cached_property
    def rows(self) -> list[Tensor] | None:
        """The examples of each step's batch; None where each step is one on all."""
        if not self.rule.batch_size:
            return None
        run = self.run()
        return [run.rows(step) for step in range(len(run))]

    def wrong(self) -> dict[str, Loss]:
        """Likely cause → the loss that this mistake follows."""
        return {**self.rule.wrong, **evidence.of_any_loss(self.rule.loss, self.data[1])}

    def right_losses(
        self, parameters: Tensor, loss: Loss | None = None, rows: list[Tensor] | None = None
    ) -> Tensor | None:
        return replay.losses(self.model, loss or self.rule.loss, parameters, *self.data, rows)

    def right_gradients(
        self, parameters: Tensor, loss: Loss | None = None, rows: list[Tensor] | None = None
    ) -> Tensor | None:
        return replay.gradients(self.model, loss or self.rule.loss, parameters, *self.data, rows)

    def of_epochs(self, steps: Tensor) -> Tensor:
        """From the losses of all steps those of the epochs: the mean over their batches."""
        return steps.reshape(-1, len(self.sizes)).mean(dim=1)


def cut_sizes(examples: int, size: int) -> list[int]:
    """How many examples each batch of an epoch has: the last one may have fewer."""
    whole, left = divmod(examples, max(size, 1))
    return [size] * whole + [left] * (left > 0)


Check = Callable[[Training], Diagnosis | None]


def loss_rounding_decides(
    training: Training, before: Tensor, right: Tensor, scale: float
) -> Tensor:
    """Where the loss comes out otherwise in float64: outputs so near to 0 or 1 that rounding makes
    the difference are no reason to call a loss wrong.
    """
    exact = _in_float64(training, before, replay.losses)
    if exact is None:
        return torch.zeros(len(right), dtype=torch.bool)
    return (exact - right).abs() > 2e-5 * right.abs() + 1e-6 * scale


def gradient_rounding_decides(
    training: Training, before: Tensor, right: Tensor, scale: float
) -> Tensor:
    exact = _in_float64(training, before, replay.gradients)
    if exact is None:
        return torch.zeros(len(right), dtype=torch.bool)
    decides: Tensor = (exact - right).norm(dim=1) > 2e-4 * right.norm(dim=1) + 1e-5 * scale
    return decides


def _in_float64(
    training: Training, before: Tensor, compute: Callable[..., Tensor | None]
) -> Tensor | None:
    features, labels = training.data
    wide = labels.double() if labels.is_floating_point() else labels
    exact: Tensor | None = compute(
        training.model, training.rule.loss, before.double(), features.double(), wide, training.rows
    )
    return exact


def largest(numbers: Tensor) -> float:
    finite = numbers[numbers.isfinite()]
    return float(finite.abs().max()) if len(finite) else 0.0


def shown(values: Tensor, most: int = 6) -> str:
    shown = ", ".join(f"{value:.4g}" for value in values[:most].tolist())
    return shown + (", ..." if len(values) > most else "")
