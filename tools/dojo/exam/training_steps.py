"""Trainings as an exam sees them: what each step of an optimizer found, and whether it follows the
gradient of the loss.
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_pre_hook
from torch.optim.optimizer import register_optimizer_step_pre_hook
from torch.overrides import TorchFunctionMode

from dojo.exam.comparisons import Judge
from dojo.exam.draw import live

MOST = 4  # steps that are reported: enough to see what piles up


def watch(
    train: Callable[[], object], model: nn.Module, most: int = MOST
) -> tuple[object, list[dict]]:
    """Run a training; its result, and for each of its first steps the parameters, their gradients
    and the model's last input.

    A training may also train copies of the model, or others of the same form, and keep the best:
    their steps are seen alike. Where the optimizer computes the gradient itself, by a closure, the
    closure is called once more to see it.

    Each step is a dict: "parameters" and "gradients" by name (None where there is no gradient),
    "inputs" (None where the model was not called), whether the model was in "training" mode, and
    the "optimizer" and its "rate" of learning.
    """
    form, entered_last = _form(model), [model]
    seen: list[Tensor] = []
    steps: list[dict] = []

    def entered(module: nn.Module, inputs: tuple) -> None:
        if module is model or _form(module) == form:
            entered_last[0] = module
            seen[:] = (
                [inputs[0].detach().clone()] if inputs and isinstance(inputs[0], Tensor) else []
            )

    def stepped(optimizer: torch.optim.Optimizer, args: tuple, kwargs: dict) -> None:
        if len(steps) < most:
            for closure in filter(None, (*args[1:2], *kwargs.values())):
                with torch.enable_grad():
                    closure()
            model = entered_last[0]
            named = dict(model.named_parameters())
            steps.append(
                {
                    "parameters": {name: one.detach().clone() for name, one in named.items()},
                    "gradients": {
                        name: None if one.grad is None else one.grad.clone()
                        for name, one in named.items()
                    },
                    "inputs": seen[0] if seen else None,
                    "training": model.training,
                    "optimizer": type(optimizer).__name__,
                    "rate": float(optimizer.param_groups[0]["lr"]),
                }
            )

    handles = [register_module_forward_pre_hook(entered), register_optimizer_step_pre_hook(stepped)]
    try:
        return train(), steps
    finally:
        for handle in handles:
            handle.remove()


def _form(model: nn.Module) -> list[tuple[str, torch.Size]]:
    return [(name, one.shape) for name, one in model.named_parameters()]


def follow(
    build: Callable[[Mapping[str, object]], nn.Module],
    loss: Callable[[Tensor, Tensor], Tensor],
    rtol: float = 5e-3,
) -> Judge:
    """A judge of `watch`'s steps: each follows the gradient of this loss at the parameters that it
    found.

    Args:
        build: makes the model that was trained, of what is hidden; its parameters are exchanged.
        loss: of (outputs, labels). What is hidden holds the training data as "features" and
            "labels"; a batch is known by its rows.
    """

    def judge(answer: object, right: object, hidden: Mapping[str, object]) -> str:
        if not isinstance(answer, list) or len(answer) != len(right):
            return (
                f"{len(answer) if isinstance(answer, list) else 'no'} steps were taken, where"
                f" {len(right)} were expected"
            )
        for number, step in enumerate(answer, start=1):
            try:
                reason = _wrong(
                    live(step),
                    build(hidden),
                    loss,
                    live(hidden["features"]),
                    live(hidden["labels"]),
                    rtol,
                )
            except (
                TypeError,
                LookupError,
                AttributeError,
                RuntimeError,
                ValueError,
                MemoryError,
            ) as error:
                return f"step {number} can't be followed ({type(error).__name__})"
            if reason:
                return f"step {number}: {reason}"
        return ""

    return judge


def _wrong(
    step: dict, model: nn.Module, loss: Callable, features: Tensor, labels: Tensor, rtol: float
) -> str:
    model.train(step["training"])
    if _kinds(step["parameters"]) != _kinds(model.named_parameters()):
        return "its parameters are others than the model's"
    parameters = {name: value.requires_grad_() for name, value in step["parameters"].items()}
    rows = _rows(step["inputs"], features)
    if rows is None:
        return "what the model was given is not of the training data"
    outputs = torch.func.functional_call(model, parameters, (features[rows],))
    expected = torch.autograd.grad(loss(outputs, labels[rows]), list(parameters.values()))
    found = list(step["gradients"].values())
    if any(gradient is None for gradient in found):
        return "a parameter has no gradient"
    seen, wanted = (
        np.concatenate([one.detach().numpy().ravel() for one in some]) for some in (found, expected)
    )
    # never so of a NaN
    is_near = np.linalg.norm(seen - wanted) <= rtol * np.linalg.norm(wanted) + 1e-6
    return "" if is_near else "it does not follow the gradient of the loss"


def _kinds(parameters: Mapping[str, Tensor] | Iterable[tuple[str, Tensor]]) -> dict[str, tuple]:
    return {name: (one.shape, one.dtype) for name, one in dict(parameters).items()}


def _rows(inputs: Tensor | None, features: Tensor) -> Tensor | None:
    """Which training examples a batch holds; None where one of them is none."""
    if inputs is None or inputs.shape[1:] != features.shape[1:]:
        return None
    if inputs.shape == features.shape and torch.equal(inputs, features):
        return torch.arange(len(features))
    same = (inputs[:, None] == features[None]).flatten(2).all(dim=2)
    return same.int().argmax(dim=1) if bool(same.any(dim=1).all()) else None


@contextmanager
def untouched(found: dict[str, object], **tensors: Tensor):
    """Adds to the answers whether what was handed in is as it was, and where it was."""
    before = {name: (one.detach().clone(), one.device.type) for name, one in tensors.items()}
    yield
    for name, one in tensors.items():
        old, place = before[name]
        found[f"{name} untouched"] = one.device.type == place and bool(
            torch.equal(one.detach().cpu(), old.cpu())
        )


def trained(model: nn.Module) -> dict[str, Tensor]:
    """What a training has made of a model, as an answer: its parameters by name."""
    return {name: parameter.detach().clone() for name, parameter in model.named_parameters()}


def outputs(answer: object, model: nn.Module, features: object) -> Tensor:
    """For a judge: what a model gives with the parameters of a `trained` answer, so that points may
    stay hidden altogether.

    Args:
        model: of the kind that was trained; its parameters are exchanged.
        features: hidden ones, as the judge gets them.

    Raises:
        ValueError: the answer has other parameters than the model.
    """
    found = live(answer)
    if _kinds(found) != _kinds(model.named_parameters()):
        raise ValueError("other parameters than the model's")
    with torch.no_grad():
        return torch.func.functional_call(model.eval(), found, (live(features),))


class _Calls(TorchFunctionMode):
    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def __torch_function__(self, function, types, args=(), kwargs=None):
        self.names.add(getattr(function, "__name__", ""))
        return function(*args, **(kwargs or {}))


def used(call: Callable[[], object], names: Iterable[str]) -> tuple[object, list[str]]:
    """Make a call; its result, and which of these functions of torch it used, for lessons that ask
    to write one out by hand.
    """
    with _Calls() as calls:
        result = call()
    return result, sorted(calls.names.intersection(names))


def refused(call: Callable[[], object], *words: str) -> list[bool] | str:
    """Whether these words stand in the message of the ValueError that a call raises. Any other
    error goes its way.
    """
    try:
        call()
    except ValueError as error:
        return [word in str(error) for word in words]
    return "nothing is refused"
