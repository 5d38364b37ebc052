"""What a question draws: made at random on the trusted side, and only repeated on the submission's.

The submission's side never has the random numbers' seed, so that it can't work out what stays
hidden.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from dojo import simulated
from dojo.exam.values import Numbers
from dojo.suite import devices

Make = Callable[[np.random.Generator], object]


class Mismatch(Exception):
    """What was drawn does not fit what the submission made; the message says why."""


class Draw(ABC):
    """Random values for a question. Whatever is drawn here, the submission gets to see; hidden()
    alone is kept back.
    """

    @property
    def device(self) -> torch.device:
        """Another device than the CPU, for questions of placement: the simulated one, where this
        torch can make it.
        """
        return (
            devices.get(simulated.NAME)
            if devices.why_absent(simulated.NAME) is None
            else torch.device("cpu")
        )

    @abstractmethod
    def _next(self, make: Make) -> object:
        """The next value: a plain one, in which tensors are tensors again."""

    @abstractmethod
    def hidden(self, name: str, value: Callable[[], object]) -> None:
        """Keep something for the judges, such as the labels of held-out points. It is only made on
        the trusted side.
        """

    def integer(self, low: int, high: int) -> int:
        """From low to high, both included."""
        return self._next(lambda random: int(random.integers(low, high + 1)))

    def real(self, low: float, high: float) -> float:
        return self._next(lambda random: float(random.uniform(low, high)))

    def choice(self, options: Sequence) -> object:
        """One of the options."""
        return options[self._next(lambda random: int(random.integers(len(options))))]

    def seed(self) -> int:
        """A seed for functions that want one."""
        return self.integer(0, 2**31 - 1)

    def normal(self, *shape: int, scale: float = 1.0) -> Tensor:
        """Normal deviates, float32."""
        return self._next(
            lambda random: torch.tensor(scale * random.standard_normal(shape), dtype=torch.float32)
        )

    def uniform(self, low: float, high: float, *shape: int) -> Tensor:
        """Uniform numbers, float32."""
        return self._next(
            lambda random: torch.tensor(random.uniform(low, high, shape), dtype=torch.float32)
        )

    def classes(self, n: int, classes: int) -> Tensor:
        """Class numbers (n,), int64; each class occurs where n allows it."""
        return self._next(
            lambda random: torch.tensor(
                random.permutation(np.arange(n) % classes), dtype=torch.int64
            )
        )

    def made(self, make: Make) -> object:
        """Anything plain that a function makes of a NumPy generator: data, names, lists. It runs on
        the trusted side alone.
        """
        return self._next(make)

    def data(
        self, make: Callable[[np.random.Generator], tuple[object, dict[str, object]]]
    ) -> object:
        """Data with a hidden part: the function gives what is handed out, and by name what only the
        judges get.
        """
        return self._next(lambda random: self._shared(make(random)))

    def _shared(self, parts: tuple[object, dict[str, object]]) -> object:
        for name, value in parts[1].items():
            self.hidden(name, lambda value=value: value)
        return parts[0]

    def weights(self, model: nn.Module, scale: float = 0.5) -> nn.Module:
        """Give the model random parameters, the same on both sides, and return it.

        They find their places by name; where the names differ by order; where the shapes' order
        differs by shape.

        Raises:
            Mismatch: its parameters have other shapes than the reference's.
        """
        own = dict(model.named_parameters())
        drawn = self._next(
            lambda random: {
                name: torch.tensor(
                    scale * random.standard_normal(tuple(one.shape)), dtype=one.dtype
                )
                for name, one in own.items()
            }
        )
        with torch.no_grad():
            for parameter, value in zip(own.values(), _in_order(own, drawn), strict=True):
                parameter.copy_(value)
        return model


def _in_order(own: dict[str, nn.Parameter], drawn: dict[str, Tensor]) -> list[Tensor]:
    shapes = [tuple(parameter.shape) for parameter in own.values()]
    if set(own) == set(drawn) and all(
        drawn[name].shape == parameter.shape for name, parameter in own.items()
    ):
        return [drawn[name] for name in own]
    values = list(drawn.values())
    if [tuple(value.shape) for value in values] == shapes:
        return values
    by_shape = {tuple(value.shape): value for value in values}
    if len(by_shape) == len(values) and sorted(by_shape) == sorted(shapes):
        return [by_shape[shape] for shape in shapes]
    expected = [tuple(value.shape) for value in values]
    raise Mismatch(
        f"the model's parameters have the shapes {shapes}, where {expected} were expected"
    )


class Drawing(Draw):
    """The trusted side's: draws, and keeps what was drawn and what is hidden."""

    def __init__(self, random: np.random.Generator) -> None:
        self._random = random
        self.drawn: list[object] = []
        self.kept: dict[str, object] = {}

    def _next(self, make: Make) -> object:
        value = make(self._random)
        self.drawn.append(_copied(value))  # before a kata gets it into its hands
        return value

    def hidden(self, name: str, value: Callable[[], object]) -> None:
        self.kept[name] = value()


class Repeated(Draw):
    """The submission's side: what was drawn for the reference, in the same order."""

    def __init__(self, drawn: Sequence[object]) -> None:
        self._drawn = iter(drawn)

    def _next(self, make: Make) -> object:
        try:
            return live(next(self._drawn))
        except StopIteration:
            raise Mismatch("the question asked for more than was drawn") from None

    def hidden(self, name: str, value: Callable[[], object]) -> None:
        pass


def _copied(value: object) -> object:
    if isinstance(value, Tensor):
        return value.detach().clone()
    if isinstance(value, np.ndarray):
        return value.copy()
    if isinstance(value, list | tuple):
        return type(value)(_copied(item) for item in value)
    if isinstance(value, dict):
        return {key: _copied(item) for key, item in value.items()}
    return value


def live(value: object) -> object:
    """A value that came over the pipe, with tensors and arrays of its own."""
    match value:
        case Numbers(kind="tensor"):
            return torch.from_numpy(value.data.copy())
        case Numbers(kind="array"):
            return value.data.copy()
        case Numbers():
            return value.data[()]
        case list() | tuple():
            return type(value)(live(item) for item in value)
        case dict():
            return {key: live(item) for key, item in value.items()}
    return value
