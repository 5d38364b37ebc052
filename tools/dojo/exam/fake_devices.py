"""Machines that are not there, for questions about devices: accelerators, a GPU with a number."""

import types
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

FIRST_GPU, SECOND_GPU = torch.device("cuda:0"), torch.device("cuda:1")


@contextmanager
def machine(kata: types.ModuleType, present: Collection[str]) -> Iterator[None]:
    """As if these of "cuda" and "mps" were the only accelerators, however the kata asks."""
    best = next((torch.device(kind) for kind in ("cuda", "mps") if kind in present), None)
    has_cuda, has_mps = "cuda" in present, "mps" in present
    answers: list[tuple[Any, str, object]] = [
        (torch.cuda, "is_available", has_cuda),
        (torch.cuda, "device_count", int(has_cuda)),
        (torch.cuda, "current_device", 0),
        (torch.backends.mps, "is_available", has_mps),
        (torch.mps, "is_available", has_mps),
        (torch.mps, "device_count", int(has_mps)),
        (torch.accelerator, "is_available", best is not None),
        (torch.accelerator, "device_count", int(best is not None)),
        (torch.accelerator, "current_accelerator", best),
    ]
    with ExitStack() as stack:
        for module, name, answer in answers:
            original = getattr(module, name, None)
            imported = [(kata, alias) for alias, value in vars(kata).items() if value is original]
            for holder, attribute in [(module, name), *imported]:
                stack.enter_context(patch.object(holder, attribute, _always(answer), create=True))
        yield


def _always(answer: object) -> Callable[..., object]:
    return lambda *args, **kwargs: answer


class Pretended(TorchFunctionMode):
    """As if a model were on a device that this machine need not have, and some tensors on the first
    GPU. Nothing moves: what tensors are sent to is noted.

    Attributes:
        sent: the devices that other tensors were sent to or made on, as they were named; not the
            CPU.
    """

    def __init__(
        self, device: torch.device, model: nn.Module | None = None, on_first: Sequence[Tensor] = ()
    ) -> None:
        super().__init__()
        self.sent: set[str] = set()
        self._device = device
        self._moved = [] if model is None else list(model.parameters())
        self._on_first = list(on_first)

    def _answers(self, device: torch.device) -> dict[Callable[..., Any], object]:
        return {
            Tensor.device.__get__: device,
            Tensor.is_cuda.__get__: device.type == "cuda",  # type: ignore[attr-defined]  # a property
            Tensor.get_device: device.index,
        }

    def __torch_function__(
        self,
        function: Callable[..., Any],
        types: object,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        args, kwargs, name = list(args), dict(kwargs or {}), getattr(function, "__name__", "")
        is_moved = bool(args) and self._is_moved(args[0])
        is_first = bool(args) and any(args[0] is tensor for tensor in self._on_first)
        if is_moved or is_first:
            answers = self._answers(self._device if is_moved else FIRST_GPU)
            if function in answers:
                return answers[function]
        if name == "cuda":
            device = (args[1:2] or [kwargs.get("device")])[0]
            self._note("cuda" if device is None else device, is_moved)
            return args[0]
        by_place = len(args) > 1 and isinstance(args[1], torch.device | str | int | Tensor)
        if name == "to" and by_place:
            self._note(args[1], is_moved)
            args[1] = "cpu"
        if kwargs.get("device") is not None:
            self._note(kwargs["device"], is_moved)
            kwargs["device"] = "cpu"
        return function(*args, **kwargs)

    def _is_moved(self, value: object) -> bool:
        return any(value is tensor for tensor in self._moved)

    def _note(self, target: torch.device | str | int | Tensor, is_moved: bool) -> None:
        if isinstance(target, Tensor):
            target = self._device if self._is_moved(target) else target.device
        name = str(torch.device("cuda", target) if isinstance(target, int) else target)
        # torch itself makes tensors on the CPU, such as those of a DataLoader
        if not is_moved and name != "cpu":
            self.sent.add(name)
