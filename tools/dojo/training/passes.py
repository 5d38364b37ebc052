"""Counts how often a training sends its points through its model, and gradients back."""

import contextlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.module import (
    register_module_forward_hook,
    register_module_forward_pre_hook,
)
from torch.optim.optimizer import (
    register_optimizer_step_post_hook,
    register_optimizer_step_pre_hook,
)


@dataclass(frozen=True)
class Passes:
    """What a training went through.

    Attributes:
        made: passes over all points, of the model and of its copies.
        of_copies: those of the copies alone.
        least: the same, where a step that goes through all points several times counts once.
        goes_on: whether each step began where the one before it ended, and the model was left with
            the last one: it did not begin again.
        left_over: whether gradients of the step before were there as a backward pass began, at
            parameters that an optimizer has.
        steps: of optimizers.
        called: whether the model gave outputs that a gradient could have come through.
    """

    made: float
    of_copies: float
    least: float
    goes_on: bool
    left_over: bool
    steps: int
    called: bool

    def counted_wrongly(self, losses: int) -> bool:
        """True if there can't be so many losses of epochs: there is one for each pass. An epoch may
        leave out less than half of the points; of a training that began again, not all need count.
        """
        too_many = self.made <= 0.5 * losses
        return self.made > 0 and (too_many or (self.goes_on and losses <= self.least - 1 + 1e-6))


def watch(train: Callable[[], Any], model: nn.Module, points: int) -> tuple[Any, Passes]:
    """Run a training of the model on so many points; return its result, and what it went through.

    Copies of the model count like the model; so do its layers, if they are called one by one.
    """
    seen = _Watch(model, points)
    handles = [
        register_module_forward_pre_hook(seen.entered),
        register_module_forward_hook(seen.left),
        register_optimizer_step_pre_hook(seen.stepping),
        register_optimizer_step_post_hook(seen.stepped),
    ]
    try:
        result = train()
    finally:
        for handle in handles:
            handle.remove()
    return result, seen.passes()


class _Watch:
    def __init__(self, model: nn.Module, points: int) -> None:
        self._model, self._form, self._points = model, _form(model), points
        self._parts = [one for one in model.modules() if list(one.parameters(recurse=False))]
        self._inside: nn.Module | None = None
        self._copies = dict[int, tuple[nn.Module, bool]]()  # kept, so that an id stays its own
        self._rows, self._copied, self._layers = 0, 0, Counter[int]()
        self._before, self._least = 0, 0.0
        self._last, self._goes_on = _flat(model), True
        self._is_fresh, self._left_over, self._called = True, False, False
        self._steps, self._held = 0, dict[int, Tensor]()

    def _is_whole(self, module: nn.Module) -> bool:
        if id(module) not in self._copies:
            self._copies[id(module)] = (module, module is self._model or self._is_copy(module))
        return self._copies[id(module)][1]

    def _is_copy(self, module: nn.Module) -> bool:
        return bool(self._form) and _form(module) == self._form

    def entered(self, module: nn.Module, inputs: tuple[Any, ...]) -> None:
        if self._inside is None and self._is_whole(module):
            self._inside = module

    def left(self, module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        is_whole = module is self._inside
        if is_whole:
            self._inside = None
        elif self._inside is not None or not any(module is part for part in self._parts):
            return
        if not isinstance(output, Tensor) or not output.requires_grad:
            return

        self._called = True

        def arrived(gradient: Tensor, rows: int = len(output)) -> None:
            if is_whole:
                self._rows += rows
                self._copied += rows * (module is not self._model)
            else:
                self._layers[id(module)] += rows
            if self._is_fresh:  # only then: several batches may add up to one step
                parameters = (module if is_whole else self._model).parameters()
                held = [one.grad for one in parameters if id(one) in self._held]
                self._left_over |= any(one is not None and bool(one.any()) for one in held)
            self._is_fresh = False

        output.register_hook(arrived)  # type: ignore[no-untyped-call]

    def _all_rows(self) -> int:
        # model.forward(x) calls no hook of the model: then its layers count
        return self._rows + max(self._layers.values(), default=0)

    def stepping(
        self, optimizer: torch.optim.Optimizer, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        self._goes_on &= torch.equal(_flat(self._model), self._last)
        self._steps += 1
        self._held |= {id(one): one for part in optimizer.param_groups for one in part["params"]}

    def stepped(
        self, optimizer: torch.optim.Optimizer, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        self._is_fresh = True
        rows = self._all_rows()
        self._least += min((rows - self._before) / self._points, 1)
        self._before, self._last = rows, _flat(self._model)

    def passes(self) -> Passes:
        goes_on = self._goes_on and torch.equal(_flat(self._model), self._last)
        made = self._all_rows() / self._points
        return Passes(
            made=made,
            of_copies=self._copied / self._points,
            least=self._least,
            goes_on=goes_on,
            left_over=self._left_over,
            steps=self._steps,
            called=self._called,
        )


@contextlib.contextmanager
def shown(model: nn.Module, look: Callable[[nn.Module, Tensor, Any], None]) -> Iterator[None]:
    """Shows each pass of the model and of its copies, with what goes in and comes out, where
    model.forward(...) is called, too, which calls no hook.
    """
    kind, mark = type(model), "_passes_shown"
    forward, is_own = kind.forward, "forward" in vars(kind)

    def passed(module: nn.Module, *inputs: Any, **named: Any) -> Any:
        output = forward(module, *inputs, **named)
        if mark in vars(module):
            look(module, (*inputs, *named.values())[0], output)
        return output

    vars(model)[mark] = True  # which copies take along
    kind.forward = passed
    try:
        yield
    finally:
        vars(model).pop(mark, None)
        if is_own:
            kind.forward = forward
        else:
            del kind.forward


def _form(model: nn.Module) -> list[tuple[str, torch.Size]]:
    return [(name, one.shape) for name, one in model.named_parameters()]


def _flat(model: nn.Module) -> Tensor:
    parts: Iterable[Tensor] = (one.detach().reshape(-1) for one in model.parameters())
    return torch.cat([torch.empty(0), *(part.cpu() for part in parts)])
