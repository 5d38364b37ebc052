"""What is known of a training: what every step of an optimizer found and left, as plain values."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import torch
from torch import Tensor, nn

NO_BACKWARD, ZERO_BACKWARD, BACKWARD = 0, 1, 2  # what arrived at the model's output before a step


@dataclass(frozen=True)
class TrainingRecord:
    """All steps of a training, in order; the parameters of a model lie in one row, flat.

    Attributes:
        names, sizes: of the parameters, in their order.
        start, end: the parameters that the model was handed in with, and those it is left with.
        before, after: (steps, numbers), those that a step found and left.
        gradients: (steps, numbers), 0 where there is none.
        reached, held, frozen: (steps, parameters), whether it has a gradient, whether the optimizer
            has it, whether it asks for no gradient.
        foreign: (steps,), how many parameters the optimizer has that are not the model's.
        optimizers: (steps,), the number of the optimizer that took the step.
        kinds, decays, climbs, states: of each optimizer its class, weight decay, whether it
            maximizes, and whether it remembers something from step to step.
        backward: (steps,), NO_BACKWARD, ZERO_BACKWARD or BACKWARD since the step before.
        passes: (steps,), the number of the `batches` that the gradient came through; -1 for none.
        batches: each as the numbers of its rows, -1 for one that is not of the data.
        training: (steps,), the mode of the model in its last pass.
        taken: steps in all; more than are kept here where a run was left out.
    """

    names: list[str]
    sizes: list[int]
    start: Tensor
    end: Tensor
    before: Tensor
    after: Tensor
    gradients: Tensor
    reached: Tensor
    held: Tensor
    frozen: Tensor
    foreign: Tensor
    optimizers: Tensor
    kinds: list[str]
    decays: list[float]
    climbs: list[bool]
    states: list[bool]
    backward: Tensor
    passes: Tensor
    batches: list[Tensor]
    training: Tensor
    taken: int

    def __len__(self) -> int:
        return len(self.before)

    def of(self, steps: list[int]) -> "TrainingRecord":
        """The same, of these steps alone."""
        chosen = {
            part.name: getattr(self, part.name)[steps]
            for part in fields(self)
            if part.type == "Tensor" or part.type is Tensor
            if part.name not in ("start", "end")
        }
        return TrainingRecord(**{**self.plain(), **chosen})

    def fits(self, model: nn.Module) -> bool:
        """True if it can be of this model, and all its parts are of equally many steps."""
        form = [(name, one.numel()) for name, one in model.named_parameters()]
        numbers, steps = sum(size for _, size in form), len(self)
        tables = {"before": numbers, "after": numbers, "gradients": numbers}
        tables |= dict.fromkeys(("reached", "held", "frozen"), len(form))
        columns = ("foreign", "optimizers", "backward", "passes", "training")
        used = set(self.optimizers.tolist())
        return (
            list(zip(self.names, self.sizes, strict=True)) == form
            and self.start.shape == self.end.shape == (numbers,)
            and all(getattr(self, name).shape == (steps, size) for name, size in tables.items())
            and all(getattr(self, name).shape == (steps,) for name in columns)
            and used <= set(range(len(self.kinds)))
            and len(self.kinds) == len(self.climbs) == len(self.states) == len(self.decays)
            and self.taken >= steps
        )

    def plain(self) -> dict[str, Any]:
        """Its parts by name, as an exam's answer holds them."""
        return {part.name: getattr(self, part.name) for part in fields(self)}

    def run(self) -> list[int]:
        """The steps that lead to the parameters which the model is left with: each began where the
        one before it ended. Empty if no step ended there.
        """
        steps: list[int] = []
        wanted, later = _key(self.end), len(self)
        ends: dict[bytes, list[int]] = {}
        for number, row in enumerate(self.after):
            ends.setdefault(_key(row), []).append(number)
        while earlier := [number for number in ends.get(wanted, ()) if number < later]:
            later = earlier[-1]
            steps.append(later)
            wanted = _key(self.before[later])
        return steps[::-1]

    def rows(self, step: int) -> Tensor:
        """The rows of the data that this step's gradient came through."""
        number = int(self.passes[step])
        return self.batches[number] if number >= 0 else torch.empty(0, dtype=torch.int64)


def _key(parameters: Tensor) -> bytes:
    return parameters.numpy().tobytes()


Loss = Callable[[Tensor, Tensor], Tensor]
