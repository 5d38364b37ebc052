"""A kata's code that asks whether there is a GPU is told yes, whatever the machine has: so it shows
everywhere what the code would put there.
"""

import functools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from dojo import simulated
from dojo.simulated import backend

OF_DEVICES = "k02_"  # the kata that is to ask; its tests and questions answer it themselves
ANSWERS: list[tuple[Any, str, object]] = [
    (torch.cuda, "is_available", True),
    (torch.cuda, "device_count", 1),
    (torch.backends.mps, "is_available", True),
    (torch.mps, "is_available", True),
    (torch.mps, "device_count", 1),
    (torch.accelerator, "is_available", True),
    (torch.accelerator, "device_count", 1),
    (torch.accelerator, "current_accelerator", torch.device("cuda")),
]
_files: set[str] = set()
_asked: set[str] = set()


def a_gpu(path: Path) -> None:
    """Answer yes to the code of this kata's file, and to no other's."""
    if path.name.startswith(OF_DEVICES):
        return
    _files.add(str(path))
    for module, name, yes in ANSWERS:
        if not hasattr(function := getattr(module, name), "_of_pretended"):
            setattr(module, name, _yes(function, yes))


def was_asked() -> bool:
    """Whether such code has asked."""
    return bool(_asked)


def _yes(function: Callable[..., Any], yes: object) -> Callable[..., Any]:
    @functools.wraps(function)
    def answer(*args: Any, **kwargs: Any) -> Any:
        asking, real = sys._getframe(1), function(*args, **kwargs)
        if asking.f_code.co_filename == backend.__file__ and asking.f_back:
            asking = asking.f_back  # the simulated device hides from torch.accelerator
        if (file := asking.f_code.co_filename) not in _files:
            return real
        _asked.add(file)
        return yes if not real or getattr(real, "type", "") == simulated.NAME else real

    answer._of_pretended = True  # type: ignore[attr-defined]
    return answer
