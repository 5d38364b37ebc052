"""Looks on while a training runs. Works with every optimizer of torch, with closures too."""

from collections.abc import Callable, Iterable
from functools import partial
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

from dojo.training.record import BACKWARD, NO_BACKWARD, ZERO_BACKWARD, TrainingRecord

UNKNOWN = torch.tensor([-1])  # a batch that is not of the data
MOST_STEPS = 20_000  # that are kept; a training that takes more has gone astray


def watch(
    train: Callable[[], Any], model: nn.Module, features: Tensor
) -> tuple[Any, TrainingRecord]:
    """Run a training of the model on these features; return its result and its record.

    A training may also train copies of the model, or others of the same form, and keep the best:
    their steps are seen alike.
    """
    recorder = _Recorder(model, features)
    handles = [
        register_module_forward_pre_hook(recorder.entered),
        register_module_forward_hook(recorder.left),
        register_optimizer_step_pre_hook(recorder.stepping),
        register_optimizer_step_post_hook(recorder.stepped),
    ]
    try:
        result = train()
    finally:
        for handle in handles:
            handle.remove()
    return result, recorder.record()


class _Recorder:
    def __init__(self, model: nn.Module, features: Tensor) -> None:
        self._model = model
        self._form, self._names = _form(model), [name for name, _ in model.named_parameters()]
        self._shapes = _shapes(model)
        self._candidates, self._others = [model], dict[int, nn.Module]()
        self._start = _flat(model.parameters())
        self._rows = _Rows(features)
        self._inside: nn.Module | None = None  # the outermost module that is being passed
        self._last, self._mode = model, model.training
        self._seen: list[Tensor] = []  # batches that a gradient came through since the last step
        self._backward = NO_BACKWARD
        self._parameters: list[nn.Parameter] = []
        self._known: dict[int, _Places] = {}
        self._found: tuple[Tensor, list[bool]] | None = None  # by a closure: at its first call
        self._optimizers: list[torch.optim.Optimizer] = []
        self._steps: list[dict[str, Any]] = []
        self._batches: dict[bytes, int] = {}
        self._taken = 0

    def entered(self, module: nn.Module, inputs: tuple[Any, ...]) -> None:
        if self._is_of_the_form(module):
            self._inside, self._last, self._mode = module, module, module.training

    def left(self, module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        if self._inside is not None and module is not self._inside:
            return
        is_whole, self._inside = module is self._inside, None
        given = inputs[0] if inputs and isinstance(inputs[0], Tensor) else None
        parts = output if isinstance(output, tuple) else (output,)
        outputs = [one for one in parts if isinstance(one, Tensor) and one.requires_grad]
        if given is None or not outputs or not torch.is_grad_enabled():
            return
        # a model whose forward() is called, or its layers one by one, is passed by its first layer
        if not is_whole and not any(module is one for one in self._last.modules()):
            return
        rows = self._rows.of(given)
        if rows is UNKNOWN and not is_whole:
            return

        if not is_whole:
            self._mode = self._last.training

        first: list[int] = []  # of several outputs one may be made of another

        def arrived(gradient: Tensor, number: int) -> None:
            if (first or [number])[0] == number:
                first[:] = [number]
                self._seen.append(rows)
            flows = BACKWARD if bool(gradient.any()) else ZERO_BACKWARD
            self._backward = max(self._backward, flows)

        for number, one in enumerate(outputs):
            one.register_hook(partial(arrived, number=number))  # type: ignore[no-untyped-call]

    def stepping(
        self, optimizer: torch.optim.Optimizer, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]] | None:
        self._taken += 1
        held = {id(one) for group in optimizer.param_groups for one in group["params"]}
        self._parameters = self._owned(held)
        number = next((n for n, one in enumerate(self._optimizers) if one is optimizer), None)
        if number is None:
            number = len(self._optimizers)
            self._optimizers.append(optimizer)
        own = [id(parameter) for parameter in self._parameters]
        self._found = None
        self._steps.append(
            {
                "before": _flat(self._parameters),
                "held": [one in held for one in own],
                "foreign": len(held.difference(own)),
                "frozen": [not one.requires_grad for one in self._parameters],
                "optimizers": number,
            }
        )
        # args[0] is the optimizer itself
        closure = args[1] if len(args) > 1 else kwargs.get("closure")
        if closure is None:
            self._found = self._gradients()
            return None

        def looked_at(*more: Any, **named: Any) -> Any:
            loss = closure(*more, **named)
            if self._found is None:
                self._found = self._gradients()
            return loss

        if len(args) > 1:
            return (args[0], looked_at, *args[2:]), kwargs
        return args, {**kwargs, "closure": looked_at}

    def stepped(
        self, optimizer: torch.optim.Optimizer, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        gradients, reached = self._found or self._gradients()
        batch = torch.cat(self._seen) if self._seen else None
        self._steps[-1] |= {
            "after": _flat(self._parameters),
            "gradients": gradients,
            "reached": reached,
            "backward": self._backward,
            "passes": -1 if batch is None else self._number(batch),
            "training": self._mode,
        }
        self._seen, self._backward = [], NO_BACKWARD
        if len(self._steps) > MOST_STEPS:
            self._steps.pop()

    def _gradients(self) -> tuple[Tensor, list[bool]]:
        """The gradients, flat, 0 where there is none; and where there is one."""
        gradients = [one.grad for one in self._parameters]
        there = [
            torch.zeros_like(one) if gradient is None else gradient
            for one, gradient in zip(self._parameters, gradients, strict=True)
        ]
        return _flat(there), [gradient is not None for gradient in gradients]

    def _number(self, batch: Tensor) -> int:
        return self._batches.setdefault(batch.numpy().tobytes(), len(self._batches))

    def _is_of_the_form(self, module: nn.Module) -> bool:
        if any(module is one for one in self._candidates):
            return True
        if id(module) in self._others:
            return False
        if _shapes(module) == self._shapes:
            self._candidates.append(module)
            return True
        self._others[id(module)] = module  # kept, so that its id stays its own
        return False

    def _owned(self, held: set[int]) -> list[nn.Parameter]:
        """The parameters of the model that an optimizer has some of; those of the one in use where
        it has none of any.
        """
        own = self._parameters_of(self._last)
        for candidate in self._candidates:
            if any(id(one) in held for one in own):
                break
            own = self._parameters_of(candidate)
        if any(id(one) in held for one in own):
            return own
        return self._parameters_of(self._last)

    def _parameters_of(self, model: nn.Module) -> list[nn.Parameter]:
        known = self._known.get(id(model))
        if known is None or not known.is_true():
            known = self._known[id(model)] = _Places(model)
        return [place[name] for place, name in known.parameters]

    def record(self) -> TrainingRecord:
        steps = [step for step in self._steps if "after" in step]
        numbers = sum(self._form)
        kind = self._start.dtype
        flats = {
            name: torch.stack([step[name].to(kind) for step in steps])
            if steps
            else torch.empty(0, numbers, dtype=kind)
            for name in ("before", "after", "gradients")
        }
        flags = {
            name: torch.tensor([step[name] for step in steps], dtype=torch.bool).reshape(
                len(steps), len(self._names)
            )
            for name in ("reached", "held", "frozen")
        }
        counts = {
            name: torch.tensor([step[name] for step in steps], dtype=torch.int64)
            for name in ("foreign", "optimizers", "backward", "passes")
        }
        batches = [torch.frombuffer(bytearray(rows), dtype=torch.int64) for rows in self._batches]
        groups = [optimizer.param_groups[0] for optimizer in self._optimizers]
        return TrainingRecord(
            names=self._names,
            sizes=self._form,
            start=self._start,
            end=_flat(self._model.parameters()).to(kind),
            **flats,
            **flags,
            **counts,
            kinds=[type(optimizer).__name__ for optimizer in self._optimizers],
            decays=[float(group.get("weight_decay") or 0) for group in groups],
            climbs=[bool(group.get("maximize")) for group in groups],
            states=[_remembers(optimizer) for optimizer in self._optimizers],
            batches=batches,
            training=torch.tensor([step["training"] for step in steps], dtype=torch.bool),
            taken=self._taken,
        )


class _Places:
    """Where a model's parameters stand: a walk through its modules takes far longer than a look."""

    def __init__(self, model: nn.Module) -> None:
        self.parameters: list[tuple[dict[str, Any], str]] = []
        self._modules = [(module._modules, dict(module._modules)) for module in model.modules()]
        self._counts = [(module._parameters, len(module._parameters)) for module in model.modules()]
        seen: set[int] = set()
        for module in model.modules():
            for name, one in module._parameters.items():
                if one is not None and id(one) not in seen:
                    seen.add(id(one))
                    self.parameters.append((module._parameters, name))

    def is_true(self) -> bool:
        """False once a layer or a parameter has been put in, or another one in its place."""
        return all(now == then for now, then in self._modules) and all(
            len(now) == count for now, count in self._counts
        )


class _Rows:
    """Recognizes rows of the data."""

    def __init__(self, features: Tensor) -> None:
        self._given, self._version = features, features._version
        self._features = features.detach().cpu().clone()
        self._all = torch.arange(len(features))
        self._places = {
            row.numpy().tobytes(): number
            for number, row in reversed(list(enumerate(self._features)))
        }

    def of(self, inputs: Tensor) -> Tensor:
        """The numbers of these rows; UNKNOWN if one of them is not of the data."""
        if inputs is self._given and inputs._version == self._version:
            return self._all
        if inputs.ndim == self._features.ndim - 1:
            inputs = inputs[None]
        if inputs.shape[1:] != self._features.shape[1:]:
            return UNKNOWN
        inputs = inputs.detach().cpu().to(self._features.dtype)
        if inputs.shape == self._features.shape and torch.equal(inputs, self._features):
            return self._all
        found: list[int] = []
        for row in inputs:
            found.append(self._places.get(row.numpy().tobytes(), -1))
            if found[-1] < 0:
                return UNKNOWN
        return torch.tensor(found, dtype=torch.int64)


def _form(model: nn.Module) -> list[int]:
    return [parameter.numel() for parameter in model.parameters()]


def _flat(parameters: Iterable[Tensor]) -> Tensor:
    parts = [parameter.detach().reshape(-1) for parameter in parameters]
    return torch.cat(parts).cpu() if parts else torch.empty(0)


def _shapes(model: nn.Module) -> list[tuple[str, torch.Size]]:
    return [(name, parameter.shape) for name, parameter in model.named_parameters()]


def _remembers(optimizer: torch.optim.Optimizer) -> bool:
    """True if it keeps something besides a count of its steps: a mean, a momentum."""
    return any(
        isinstance(value, Tensor) and bool(value.any())
        for state in optimizer.state.values()
        for name, value in state.items()
        if name != "step"
    )
