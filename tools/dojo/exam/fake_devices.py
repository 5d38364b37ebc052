"""Machines that are not there, for questions about devices: other accelerators than this one's, and
a GPU with a number.
"""

import types
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from unittest.mock import patch

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

SECOND_GPU = torch.device("cuda:1")


@contextmanager
def machine(kata: types.ModuleType, there: Collection[str]) -> Iterator[None]:
    """As if these of "cuda" and "mps" were there, and no other accelerator, whichever way the kata
    asks.
    """
    best = next((torch.device(kind) for kind in ("cuda", "mps") if kind in there), None)
    answers = {
        (torch.cuda, "is_available"): "cuda" in there,
        (torch.cuda, "device_count"): int("cuda" in there),
        (torch.backends.mps, "is_available"): "mps" in there,
        (torch.mps, "is_available"): "mps" in there,
        (torch.mps, "device_count"): int("mps" in there),
        (torch.accelerator, "is_available"): best is not None,
        (torch.accelerator, "device_count"): int(best is not None),
    }
    with ExitStack() as stack:
        for (module, name), answer in answers.items():
            asked = getattr(module, name, None)
            imported = [(kata, known) for known, value in vars(kata).items() if value is asked]
            for place, known in [(module, name), *imported]:
                stack.enter_context(
                    patch.object(place, known, lambda *args, answer=answer: answer, create=True)
                )
        stack.enter_context(
            patch.object(
                torch.accelerator, "current_accelerator", lambda check_available=False: best
            )
        )
        yield


class Pretended(TorchFunctionMode):
    """As if a model were on a device that this machine need not have. Nothing moves: what tensors
    are sent to is noted.

    Attributes:
        sent: the devices that other tensors were sent to or made on, as they were named; not the
            CPU.
    """

    def __init__(self, device: torch.device, model: nn.Module | None = None) -> None:
        super().__init__()
        self.sent: set[str] = set()
        self._device, self._there = device, [] if model is None else list(model.parameters())

    def __torch_function__(self, function, types, args=(), kwargs=None):
        args, kwargs, name = list(args), dict(kwargs or {}), getattr(function, "__name__", "")
        is_there = bool(args) and any(args[0] is tensor for tensor in self._there)
        told = {
            Tensor.device.__get__: self._device,
            Tensor.is_cuda.__get__: self._device.type == "cuda",
            Tensor.get_device: self._device.index,
        }
        if is_there and function in told:
            return told[function]
        if name == "cuda":
            wanted = [*args[1:2], kwargs.get("device")][0]
            self._note(
                torch.device("cuda", wanted) if isinstance(wanted, int) else wanted or "cuda",
                is_there,
            )
            return args[0]
        if (
            name == "to"
            and len(args) > 1
            and isinstance(args[1], torch.device | str | int | Tensor)
        ):
            self._note(args[1], is_there)
            args[1] = "cpu"
        if kwargs.get("device") is not None:
            self._note(kwargs["device"], is_there)
            kwargs["device"] = "cpu"
        return function(*args, **kwargs)

    def _note(self, wanted: torch.device | str | int | Tensor, is_there: bool) -> None:
        if isinstance(wanted, Tensor):
            wanted = (
                self._device if any(wanted is tensor for tensor in self._there) else wanted.device
            )
        name = str(torch.device("cuda", wanted) if isinstance(wanted, int) else wanted)
        # torch itself makes tensors on the CPU, such as those of a DataLoader
        if not is_there and name != "cpu":
            self.sent.add(name)
