"""The functions of katas that train, and a way to let them train elsewhere."""

from collections.abc import Callable
from functools import wraps

import torch
from torch import Tensor, nn

from dojo.suite import devices
from dojo.suite.loader import Wrap

TRAINERS = ("train", "fit", "trainer", "overfit", "descend")


def on_device(device: str) -> Wrap:
    """Trainings get their model and tensors on this device; the model comes back to the CPU, where
    the tests go on.
    """

    def wrap(name: str, value: object) -> object:
        return _moved(value, devices.get(device)) if name in TRAINERS and callable(value) else value

    return wrap


def _moved(train: Callable, device: torch.device) -> Callable:
    @wraps(train)
    def moved(*args: object, **kwargs: object) -> object:
        def there(value: object) -> object:
            return value.to(device) if isinstance(value, Tensor | nn.Module) else value

        try:
            return train(
                *map(there, args), **{name: there(value) for name, value in kwargs.items()}
            )
        finally:
            for value in (*args, *kwargs.values()):
                if isinstance(value, nn.Module):
                    value.to("cpu")

    return moved
