"""What a question draws: made at random on the trusted side, and only repeated on the submission's.

The submission's side never has the random numbers' seed, so that it can't work out what stays
hidden.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from dojo import simulated
from dojo.exam.values import live, mapped
from dojo.suite import devices

Random = np.random.Generator
Make = Callable[[Random], Any]
Option = TypeVar("Option")
Model = TypeVar("Model", bound=nn.Module)


class Mismatch(Exception):
    """What was drawn does not fit what the submission made; the message says why."""


class Draw(ABC):
    """Random values for a question. The submission sees all of them, except those of hidden()."""

    @abstractmethod
    def made(self, make: Make) -> Any:
        """Anything plain that a function makes with a NumPy generator, on the trusted side."""

    @abstractmethod
    def hidden(self, name: str, value: Callable[[], object]) -> None:
        """Keep something for the comparisons, such as labels; made on the trusted side alone."""

    @property
    def device(self) -> torch.device:
        """Another device than the CPU, to ask about placement: the simulated one, if possible."""
        is_absent = devices.why_absent(simulated.NAME) is not None
        return torch.device("cpu") if is_absent else devices.get(simulated.NAME)

    def integer(self, low: int, high: int) -> int:
        """An integer from low to high, both included."""
        return int(self.made(lambda random: int(random.integers(low, high + 1))))

    def real(self, low: float, high: float) -> float:
        """A number between low and high."""
        return float(self.made(lambda random: float(random.uniform(low, high))))

    def choice(self, options: Sequence[Option]) -> Option:
        """One of the options."""
        return options[self.integer(0, len(options) - 1)]

    def seed(self) -> int:
        """A seed for functions that want one."""
        return self.integer(0, 2**31 - 1)

    def normal(self, *shape: int, scale: float = 1.0) -> Tensor:
        """Normal deviates, float32."""
        return self._tensor(lambda random: scale * random.standard_normal(shape))

    def uniform(self, low: float, high: float, *shape: int) -> Tensor:
        """Uniform numbers, float32."""
        return self._tensor(lambda random: random.uniform(low, high, shape))

    def classes(self, n: int, classes: int) -> Tensor:
        """Class numbers (n,), int64; each class occurs where n allows it."""
        return self._tensor(lambda random: random.permutation(np.arange(n) % classes), torch.int64)

    def _tensor(self, make: Make, dtype: torch.dtype = torch.float32) -> Tensor:
        tensor: Tensor = self.made(lambda random: torch.tensor(make(random), dtype=dtype))
        return tensor

    def data(self, make: Callable[[Random], tuple[Any, dict[str, Any]]]) -> Any:
        """Data with a hidden part: the function returns what is handed out, and that by name."""

        def handed_out(random: Random) -> object:
            given, hidden = make(random)
            for name in hidden:
                self.hidden(name, partial(hidden.__getitem__, name))
            return given

        return self.made(handed_out)

    def weights(self, model: Model, scale: float = 0.5) -> Model:
        """Give the model random parameters, the same on both sides, and return it.

        They are matched by name; where the names differ, by order; where the order of shapes
        differs, by shape.

        Raises:
            Mismatch: its parameters have other shapes than the reference's.
        """
        parameters = dict(model.named_parameters())

        def make(random: Random) -> dict[str, Tensor]:
            return {
                name: torch.tensor(scale * random.standard_normal(one.shape), dtype=one.dtype)
                for name, one in parameters.items()
            }

        values = _in_order(parameters, self.made(make))
        with torch.no_grad():
            for parameter, value in zip(parameters.values(), values, strict=True):
                parameter.copy_(value)
        return model


def _in_order(parameters: dict[str, nn.Parameter], drawn: dict[str, Tensor]) -> Iterable[Tensor]:
    shapes = {name: tuple(parameter.shape) for name, parameter in parameters.items()}
    drawn_shapes = {name: tuple(value.shape) for name, value in drawn.items()}
    if shapes == drawn_shapes:
        return [drawn[name] for name in parameters]
    found, expected = list(shapes.values()), list(drawn_shapes.values())
    if found == expected:
        return drawn.values()
    by_shape = dict(zip(expected, drawn.values(), strict=True))
    if len(by_shape) == len(expected) and sorted(by_shape) == sorted(found):
        return [by_shape[shape] for shape in found]
    raise Mismatch(
        f"the model's parameters have the shapes {found}, where {expected} were expected"
    )


class Drawing(Draw):
    """The trusted side's: draws, and keeps what was drawn and what is hidden."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self.drawn: list[object] = []
        self.hidden_values: dict[str, object] = {}

    def made(self, make: Make) -> Any:
        value = make(self._random)
        self.drawn.append(mapped(value, _copied))  # before a kata gets it into its hands
        return value

    def hidden(self, name: str, value: Callable[[], object]) -> None:
        self.hidden_values[name] = value()


def _copied(value: object) -> object:
    if isinstance(value, Tensor):
        return value.detach().clone()
    return value.copy() if isinstance(value, np.ndarray) else value


class Repeated(Draw):
    """The submission's side: what was drawn for the reference, in the same order."""

    def __init__(self, drawn: Iterable[object]) -> None:
        self._drawn = iter(drawn)

    def made(self, make: Make) -> Any:
        try:
            return live(next(self._drawn))
        except StopIteration:
            raise Mismatch("the question asked for more than was drawn") from None

    def hidden(self, name: str, value: Callable[[], object]) -> None:
        pass


ARMS, BLUR = 3, 0.2  # of the spiral, as in the katas' own
# points of an arm: as many to train on as in the katas, and enough new ones to measure an accuracy
KNOWN, NEW = 350, 1000


def spiral(random: Random) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """A new spiral for the katas that train on one: three arms, turned and perhaps mirrored,
    numbered at random and standardized by the points to train on.

    Returns:
        What is handed out, for `Draw.data`: "features" (1050, 2) float32 and "labels" (1050,) int64
        to train on, and "new" (3000, 2) float32; and what stays hidden: "right" (3000,) int64, the
        labels of the new points.
    """
    turn, side = random.uniform(0, 2 * np.pi), random.choice([-1, 1])
    numbers = random.permutation(ARMS)

    def points(per_arm: int) -> tuple[np.ndarray, np.ndarray]:
        arm, radius = np.repeat(np.arange(ARMS), per_arm), random.random(ARMS * per_arm)
        angle = turn + side * (4 * (arm + radius) + BLUR * random.standard_normal(ARMS * per_arm))
        order = random.permutation(ARMS * per_arm)
        return (radius * [np.sin(angle), np.cos(angle)]).T[order], numbers[arm][order]

    (features, labels), (new, right) = points(KNOWN), points(NEW)
    mean, deviation = features.mean(axis=0), features.std(axis=0)
    given = {
        "features": ((features - mean) / deviation).astype(np.float32),
        "labels": labels.astype(np.int64),
        "new": ((new - mean) / deviation).astype(np.float32),
    }
    return given, {"right": right.astype(np.int64)}
