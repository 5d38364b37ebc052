"""Are the values looked at, on a device? Every placement test is run again on a kata that is wrong
there, and has to notice.

A pytest plugin, for references. What a placement test calls of the kata is made wrong on the device
in each way that makes a difference, one at a time, and the test has to fail. Two ways change
nothing that a learner's stub promises: the numbers go to the CPU and come back. They are noticed
here, in what torch is asked to do, not by the test.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import wraps
from types import FunctionType, ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from dojo.suite import twins
from dojo.suite.devices import TRAINERS
from dojo.suite.loader import A_KATA
from dojo.suite.plugin import SESSION

ROUND_TRIP, CPU_COPY = "by way of the CPU", "done by a copy on the CPU"
OTHER_DTYPES = {torch.float32: torch.float16, torch.int64: torch.int32, torch.bool: torch.uint8}
AWAY, BACK = ("cpu", "numpy", "tolist", "to"), ("to", "tensor", "as_tensor", "copy_")
OF_KATA = "_of_kata"  # an attribute of models that functions of the kata made
NOTHING = "no function and no model of the kata gets anything on the device, or gives it there"


class Spoiled:
    """Looks on while a test runs, and makes one call wrong in one way.

    Attributes:
        caught: (test, what is called, way) that the tests noticed.
    """

    def __init__(self, device: str) -> None:
        self.caught: list[tuple[str, str, str]] = []
        self._kind = device.partition(":")[0]
        self._now: tuple[str, str] | None = None  # what is made wrong, and how
        self._ways: dict[tuple[str, str], None] = {}  # that make a difference in this test
        self._trips: list[str] = []
        self._depth = 0  # only what the test itself calls is looked at

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        session.config.stash[SESSION].wrap = self.watched

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Leave the tests out that are on no device."""
        items[:] = [
            item
            for item in items
            if item.get_closest_marker("placement")
            and "device" in getattr(item, "fixturenames", ())
        ]

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Iterator[None]:
        states = torch.get_rng_state()
        hooks = nn.modules.module
        before = hooks.register_module_forward_pre_hook(self._enter)
        after = hooks.register_module_forward_hook(self._leave, always_call=True)
        try:
            self._begin(None)
            yield
            self._judge(item, states)
        finally:
            before.remove()
            after.remove()

    def _judge(self, item: pytest.Item, states: Tensor) -> None:
        """Fail unless the test has noticed every way of being wrong."""
        if self._trips:
            pytest.fail(f"the numbers go to the CPU and come back: {', '.join(self._trips)}")
        if not (ways := list(self._ways)):
            pytest.fail(NOTHING)
        unnoticed = []
        for name, way in ways:
            torch.set_rng_state(states)
            self._begin((name, way))
            try:
                item.runtest()
            except AssertionError:  # any other error may be one of ours, and notices nothing
                is_noticed = True
            except Exception as error:
                unnoticed.append(f"{name}, {way} ({type(error).__name__}: {error})")
                continue
            else:
                is_noticed = bool(self._trips)
            if is_noticed:
                self.caught.append((item.nodeid.partition("::")[2], name, way))
            else:
                unnoticed.append(f"{name}, {way}")
        if unnoticed:
            pytest.fail(f"goes unnoticed on the device: {'; '.join(unnoticed)}")

    def _begin(self, now: tuple[str, str] | None) -> None:
        self._now, self._depth, self._trips = now, 0, []
        if now is None:
            self._ways = {}

    def pytest_terminal_summary(self, terminalreporter: "pytest.TerminalReporter") -> None:
        for test, name, way in self.caught:
            terminalreporter.write_line(f"caught: {test}: {name}, {way}")

    def watched(self, name: str, value: object) -> object:
        """A kata's function, made wrong when its turn comes."""
        if isinstance(value, type) and A_KATA.match(value.__module__):
            for method, code in list(vars(value).items()):
                if method[0] != "_" and method != "forward" and isinstance(code, FunctionType):
                    setattr(value, method, self.watched(f"{name}.{method}", code))
        is_watched = hasattr(value, "__wrapped__")
        if not callable(value) or isinstance(value, type | ModuleType) or is_watched:
            return value
        function: Callable[..., object] = value

        @wraps(function)
        def watched(*args: object, **kwargs: object) -> object:
            if self._depth:
                return function(*args, **kwargs)
            self._depth += 1
            try:
                with Trips(self._trips, name):
                    result = self._called(name, function, args, kwargs)
            finally:
                self._depth -= 1
            for part in twins.parts_of(result):
                if isinstance(part, nn.Module):
                    part.__dict__[OF_KATA] = True  # copies of it keep that
            return result

        return watched

    def _called(
        self, name: str, function: Callable[..., object], args: Any, kwargs: Mapping[str, Any]
    ) -> object:
        if self._now == (name, CPU_COPY) and self._is_here((args, kwargs)):
            twin: Any = twins.copy_on_cpu((args, kwargs))
            given = list(twins.tensors_in((args, kwargs)))
            pairs = list(zip(given, twins.tensors_in(twin), strict=True))  # a model may keep others
            result = self._back(function(*twin[0], **twin[1]))
            with torch.no_grad():
                for tensor, other in pairs:
                    tensor.data.copy_(other)
            return result
        result = function(*args, **kwargs)
        if isinstance(result, torch.optim.Optimizer):
            groups = result.param_groups
            is_here = self._is_here([group["params"] for group in groups])
            if is_here and self._is_wrong(name, "with another learning rate"):
                for group in groups:
                    group["lr"] *= 1.5
            return result
        if not self._is_here((args, kwargs, result)):
            return result
        weights = [one for one in twins.tensors_in((args, kwargs)) if one.requires_grad]
        trains = name in TRAINERS or "." in name  # or it is a model's method
        if weights and trains and self._is_wrong(name, "other weights"):
            with torch.no_grad():
                for weight in weights:
                    weight.mul_(1.01)
        # a copy of single numbers, without gradients, is nothing to talk about
        out = list(twins.tensors_in(result))
        is_much = name in TRAINERS or any(one.numel() > 1 or one.requires_grad for one in out)
        if is_much and self._is_here((args, kwargs)):
            self._ways[name, CPU_COPY] = None
        return self._spoilt(name, result)

    def _enter(self, module: nn.Module, inputs: tuple[object, ...]) -> None:
        self._depth += 1

    def _leave(self, module: nn.Module, inputs: tuple[object, ...], output: Any) -> Any:
        self._depth -= 1
        name = type(module).__name__
        is_own = A_KATA.match(type(module).__module__) or OF_KATA in vars(module)
        if self._depth or output is None or not is_own or not self._is_here((module, inputs)):
            return None
        self._ways[name, CPU_COPY] = None
        if self._now == (name, CPU_COPY):
            self._depth += 1
            try:
                with Trips(self._trips, name):
                    twin: Any = twins.copy_on_cpu((module, inputs))
                    return self._back(twin[0](*twin[1]))
            finally:
                self._depth -= 1
        return self._spoilt(name, output)

    def _spoilt(self, name: str, result: Any) -> Any:
        """The result, wrong in the way that has its turn. Notes the ways that make a difference."""
        for way, change in WAYS.items():
            wrong = _changed(result, change)
            if not _same(wrong, result) and self._is_wrong(name, way):
                return wrong
        here = [one for one in twins.tensors_in(result) if one.device.type == self._kind]
        if any(one.numel() > 1 for one in here) and self._is_wrong(name, ROUND_TRIP):
            with Trips(self._trips, name):
                return self._back(_changed(result, _with(Tensor.cpu)))
        return result

    def _is_wrong(self, name: str, way: str) -> bool:
        self._ways[name, way] = None
        return self._now == (name, way)

    def _is_here(self, value: object) -> bool:
        return any(tensor.device.type == self._kind for tensor in twins.tensors_in(value))

    def _back(self, result: Any) -> Any:
        return _changed(result, _with(lambda part: part.to(self._kind)))


class Trips(TorchFunctionMode):
    """Notes who brings numbers to the CPU and back: more than one number, in both directions."""

    def __init__(self, noted: list[str], name: str) -> None:
        super().__init__()
        self._noted, self._name, self._away = noted, name, False

    def __torch_function__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        result, called = function(*args, **(kwargs or {})), getattr(function, "__name__", "")
        given = [one for one in args if isinstance(one, Tensor) and one.numel() > 1]
        was_here = any(one.device.type != "cpu" for one in given)
        is_here = isinstance(result, Tensor) and result.device.type != "cpu" and result.numel() > 1
        if called in AWAY and was_here and not is_here:
            self._away = True
        is_back = called in BACK and self._away and is_here and (given or called != "to")
        if is_back and all(one.device.type == "cpu" for one in given[-1:]):
            self._noted.append(self._name)
        return result


def _changed(value: Any, change: Callable[[Any], Any]) -> Any:
    """The value with all its tensors, numbers and texts changed."""
    match value:
        case Tensor() | float() | int() | str():
            return change(value)
        case np.ndarray():
            return change(torch.from_numpy(value)).numpy()
        case Mapping():
            return {name: _changed(part, change) for name, part in value.items()}
        case list() | tuple():
            return type(value)(_changed(part, change) for part in value)
    return value


def _same(one: Any, other: Any) -> bool:
    """Equal in all that is compared: numbers, dtypes, and whether gradients are recorded."""
    match one:
        case Tensor():
            kinds = [(part.dtype, part.requires_grad) for part in (one, other)]
            return kinds[0] == kinds[1] and torch.equal(one.detach().cpu(), other.detach().cpu())
        case np.ndarray():
            return _same(torch.from_numpy(one), torch.from_numpy(other))
        case Mapping():
            return all(_same(one[name], other[name]) for name in one)
        case list() | tuple():
            return all(map(_same, one, other))
    return bool(one == other or one is other)


def _negated(part: Any) -> Any:
    if isinstance(part, str):
        return part[::-1]
    is_bool = isinstance(part, bool) or (isinstance(part, Tensor) and part.dtype == torch.bool)
    return part ^ True if is_bool else -part


def _scaled(part: Any) -> Any:
    is_float = isinstance(part, float) or (isinstance(part, Tensor) and part.is_floating_point())
    return part * 1.01 if is_float else part


def _with(change: Callable[[Tensor], Tensor]) -> Callable[[Any], Any]:
    return lambda part: change(part) if isinstance(part, Tensor) else part


WAYS: dict[str, Callable[[Any], Any]] = {
    "negated": _negated,
    "a hundredth too large": _scaled,
    "cut off from the gradients": _with(Tensor.detach),
    "of another dtype": _with(lambda part: part.to(OTHER_DTYPES.get(part.dtype, part.dtype))),
}
