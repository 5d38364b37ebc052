"""How far a device's numbers lie from the CPU's: every call on the device is made on the CPU too,
with the same values.

A pytest plugin. The tests stay the same; in those of placement it looks at the calls of a kata's
functions and models whose tensors are on the device. A call that draws random numbers on the device
itself (dropout, noise) can't be repeated on the CPU, and is not compared: it is recognized by the
changed state of the device's generator.
"""

import math
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from dojo.results import Drift
from dojo.suite.devices import TRAINERS
from dojo.suite.plugin import SESSION
from dojo.suite.twins import copy_on_cpu, numbers_in, own_generator, tensors_in


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
                drift = Drift(kind, _finite(absolute), _finite(relative))
                item.user_properties.append(("drift", drift))

    def watched(self, name: str, value: object) -> object:
        """A kata's function, made to run on the CPU too, before it can change anything."""
        if not callable(value) or isinstance(value, type):
            return value
        function: Callable[..., object] = value

        @wraps(function)
        def watched(*args: object, **kwargs: object) -> object:
            if self._depth or not self._is_here((args, kwargs)):
                return function(*args, **kwargs)
            self._depth += 1
            try:
                expected = self._on_cpu(lambda twin: function(*twin[0], **twin[1]), (args, kwargs))
                before = own_generator(self._device)
                result = function(*args, **kwargs)
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
        if self._depth or output is None or not self._is_here((module, inputs)):
            return
        if _same(self._before, self._generators()):
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

    def _on_cpu(self, call: Callable[[Any], object], arguments: tuple[object, ...]) -> object:
        """The result of a call on copies on the CPU; it takes none of the random numbers."""
        with torch.random.fork_rng(devices=[]):
            try:
                return call(copy_on_cpu(arguments))
            except Exception:  # the real call shows what is wrong; nothing is compared
                return None

    def _compare(self, kind: str, result: object, expected: object) -> None:
        for seen, right in zip(numbers_in(result), numbers_in(expected), strict=False):
            if seen.shape == right.shape and right.numel():
                absolute = (seen - right).abs().max().item()
                relative = absolute / max(right.abs().max().item(), torch.finfo(torch.float32).tiny)
                largest = self._largest.get(kind, (0.0, 0.0))
                self._largest[kind] = (_larger(largest[0], absolute), _larger(largest[1], relative))


def _same(before: list[Tensor], after: list[Tensor]) -> bool:
    return all(map(torch.equal, before, after))


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _larger(largest: float, value: float) -> float:
    """NaN is the largest of all: a drift that is not a number must not get lost."""
    return value if math.isnan(value) or value > largest else largest
