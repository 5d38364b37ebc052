"""How far a device's numbers lie from the CPU's: every call on the device is made on the CPU too,
with the same values.

A pytest plugin. The tests stay as they are; in those of placement it looks at the calls of a kata's
functions and models whose tensors are on the device. A call that draws random numbers on the device
itself (dropout, noise) can't be repeated on the CPU, and is not compared: the device's generator is
another one afterwards, and so it is known.
"""

import copy
from collections.abc import Callable, Iterator
from functools import wraps

import pytest
import torch
from torch import Tensor, nn

from dojo.results import Drift
from dojo.suite.plugin import SESSION
from dojo.suite.trainers import TRAINERS


class Shadow:
    """Watches the calls on one device."""

    def __init__(self, device: str) -> None:
        self._device, self._kind = device, device.partition(":")[0]
        # the generators' states when the outermost model was called
        self._before: list[Tensor] = []
        self._largest: dict[str, tuple[float, float]] = {}
        self._depth = 0  # a model within a model, or within a function, is not compared by itself

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        session.config.stash[SESSION].wrap = self.watched

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Iterator[None]:
        # others may count calls, and would count those of the twin too
        if item.get_closest_marker("placement") is None:
            self._depth = 1
            return (yield)
        self._largest, self._depth = {}, 0
        before = nn.modules.module.register_module_forward_pre_hook(self._enter)
        after = nn.modules.module.register_module_forward_hook(self._leave, always_call=True)
        try:
            return (yield)
        finally:
            before.remove()
            after.remove()
            for kind, (absolute, relative) in self._largest.items():
                item.user_properties.append(("drift", Drift(kind, absolute, relative)))

    def watched(self, name: str, value: object) -> object:
        """A kata's function that is also called on the CPU, before it gets to change anything;
        classes stay as they are.
        """
        if not callable(value) or isinstance(value, type):
            return value

        @wraps(value)
        def watched(*args: object, **kwargs: object) -> object:
            if self._depth or not self._is_here((args, kwargs)):
                return value(*args, **kwargs)
            self._depth += 1
            try:
                expected = self._on_cpu(lambda twin: value(*twin[0], **twin[1]), (args, kwargs))
                before = own_generator(self._device)
                result = value(*args, **kwargs)
            finally:
                self._depth -= 1
            # of the CPU's generator the twin got the same numbers
            if _same(before, own_generator(self._device)):
                self._compare("loss" if name in TRAINERS else "forward", result, expected)
            return result

        return watched

    def _enter(self, module: nn.Module, inputs: tuple[object, ...]) -> None:
        if self._depth == 0:
            self._before = self._generators()
        self._depth += 1

    def _leave(self, module: nn.Module, inputs: tuple[object, ...], output: object) -> None:
        self._depth -= 1
        if self._depth == 0 and output is not None and self._is_here((module, inputs)):
            if not _same(self._before, self._generators()):
                return
            self._depth += 1
            try:
                expected = self._on_cpu(lambda twin: twin[0](*twin[1]), (module, inputs))
            finally:
                self._depth -= 1
            self._compare("forward", output, expected)

    def _generators(self) -> list[Tensor]:
        return [torch.get_rng_state(), *own_generator(self._device)]

    def _is_here(self, value: object) -> bool:
        return any(tensor.device.type == self._kind for tensor in tensors_in(value))

    def _on_cpu(self, call: Callable, arguments: tuple) -> object:
        """What a call gives on the CPU, with copies of its arguments; the random numbers of the
        real call stay the same.
        """
        with torch.random.fork_rng(devices=[]):
            try:
                return call(copy_on_cpu(arguments))
            except (
                Exception
            ):  # the real call shows what is wrong; without a twin nothing is compared
                return None

    def _compare(self, kind: str, result: object, expected: object) -> None:
        for seen, right in zip(numbers_in(result), numbers_in(expected), strict=False):
            if seen.shape == right.shape and right.numel():
                absolute = (seen - right).abs().max().item()
                relative = absolute / max(right.abs().max().item(), torch.finfo(torch.float32).tiny)
                largest = self._largest.get(kind, (0.0, 0.0))
                self._largest[kind] = (_larger(largest[0], absolute), _larger(largest[1], relative))


def own_generator(device: str) -> list[Tensor]:
    """The state of the device's own generator of random numbers; none where they come from that of
    the CPU.
    """
    match device.partition(":")[0]:
        case "cuda":
            return [torch.cuda.get_rng_state(device)]
        case "mps":
            return [torch.mps.get_rng_state()]
    return []


def _same(before: list[Tensor], after: list[Tensor]) -> bool:
    return all(map(torch.equal, before, after))


def _larger(one: float, other: float) -> float:
    """NaN is the largest of all: a drift that is not a number must not get lost."""
    return other if other != other or other > one else one


def tensors_in(value: object) -> Iterator[Tensor]:
    """All tensors of arguments: in lists, tuples and dicts, and in models with what they keep in
    plain attributes.
    """
    match value:
        case Tensor():
            yield value
        case nn.Module():
            yield from value.parameters()
            yield from value.buffers()
            for module in value.modules():
                yield from (
                    tensor
                    for name, kept in vars(module).items()
                    if name[0] != "_"
                    for tensor in tensors_in(kept)
                )
        case list() | tuple():
            yield from (tensor for part in value for tensor in tensors_in(part))
        case dict():
            yield from (tensor for part in value.values() for tensor in tensors_in(part))


def copy_on_cpu(arguments: tuple) -> tuple:
    """Copies of the arguments whose tensors are on the CPU, parameters still parameters and shared
    ones still shared.
    """
    memo: dict[int, object] = {}
    for tensor in tensors_in(arguments):
        here = tensor.detach().cpu().clone()
        # not left to module.to("cpu"): an optimizer has to find the same ones again
        if isinstance(tensor, nn.Parameter):
            memo[id(tensor)] = nn.Parameter(here, tensor.requires_grad)
        else:
            memo[id(tensor)] = here.requires_grad_(tensor.requires_grad and tensor.is_leaf)
    copied = copy.deepcopy(arguments, memo)
    for part in _modules_in(copied):
        part.to("cpu")
    return copied


def _modules_in(value: object) -> Iterator[nn.Module]:
    match value:
        case nn.Module():
            yield value
        case list() | tuple():
            yield from (module for part in value for module in _modules_in(part))
        case dict():
            yield from (module for part in value.values() for module in _modules_in(part))


def numbers_in(value: object) -> list[Tensor]:
    """What can be compared, as float64 on the CPU: tensors of floats, numbers, and lists of
    numbers.
    """
    match value:
        case Tensor() if value.is_floating_point():
            return [value.detach().cpu().double()]
        case bool():
            return []
        case float() | int():
            return [torch.tensor([value], dtype=torch.float64)]
        case list() | tuple():
            return [number for part in value for number in numbers_in(part)]
    return []
