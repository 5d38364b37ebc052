"""Trainings as an exam sees them: what every step found and left, and the losses that came back.
The submission's process only looks on; what it sends is judged here, as the suite judges it.
"""

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_pre_hook
from torch.optim.optimizer import (
    register_optimizer_step_post_hook,
    register_optimizer_step_pre_hook,
)

from dojo.exam.comparisons import UNFIT, Comparison
from dojo.exam.values import live
from dojo.suite import called
from dojo.training import history, passes, recorder, runs, steps
from dojo.training.record import TrainingRecord
from dojo.training.rules import Rule, Training

MOST = 4  # steps that are reported: enough to see what piles up

Loss = Callable[[Tensor, Tensor], Tensor]
Step = dict[str, Any]


def watch(
    train: Callable[[], object], model: nn.Module, most: int = MOST
) -> tuple[Any, list[Step]]:
    """Run a training; return its result, and for each of its first steps the parameters, their
    gradients and the model's last input.

    A training may also train copies of the model, or others of the same form, and keep the best:
    their steps are seen alike. Where the optimizer computes the gradient itself, by a closure, the
    closure is called once more to see it.

    Each step is a dict: "parameters", those "after" it, and "gradients" by name (None where there
    is no gradient), "inputs" (None where the model was not called), whether the model was in
    "training" mode, and the "optimizer" and its "rate" of learning.
    """
    form, last_model = _form(model), model
    last_input: Tensor | None = None
    steps: list[Step] = []

    def entered(module: nn.Module, inputs: tuple[Any, ...]) -> None:
        nonlocal last_model, last_input
        if module is model or _form(module) == form:
            is_tensor = bool(inputs) and isinstance(inputs[0], Tensor)
            last_model, last_input = module, inputs[0].detach().clone() if is_tensor else None

    def stepped(
        optimizer: torch.optim.Optimizer, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        if len(steps) == most:
            return
        for closure in filter(None, (*args[1:2], *kwargs.values())):
            with torch.enable_grad():
                closure()
        gradients = {name: one.grad for name, one in last_model.named_parameters()}
        steps.append(
            {
                "parameters": trained(last_model),
                "gradients": {
                    name: None if gradient is None else gradient.clone()
                    for name, gradient in gradients.items()
                },
                "inputs": last_input,
                "training": last_model.training,
                "optimizer": type(optimizer).__name__,
                "rate": float(optimizer.param_groups[0]["lr"]),
            }
        )

    def passed(module: nn.Module, given: Any, output: Any) -> None:
        entered(module, (given,))  # by model.forward(...), too

    def left(*_: object) -> None:
        if len(steps) < most:
            steps[-1]["after"] = trained(last_model)

    handles = [
        register_module_forward_pre_hook(entered),
        register_optimizer_step_pre_hook(stepped),
        register_optimizer_step_post_hook(left),
    ]
    try:
        with passes.shown(model, passed):
            return train(), steps
    finally:
        for handle in handles:
            handle.remove()


def every_epoch(train: Callable[..., list[float]]) -> dict[str, Any]:
    """How many losses there are where there is nothing left to gain and where the loss rises, and
    whether they rise there.
    """
    labels = torch.arange(12) % 3
    features = nn.functional.one_hot(labels, 3).float()
    sure = train(runs.sure(), features, labels, epochs=30)
    rising = train(runs.Rising(), features, labels, epochs=30)
    return {"losses": [len(sure), len(rising)], "rising": rising[-1] > rising[0]}


def looked_at(
    train: Callable[..., list[float]],
    model: nn.Module,
    data: tuple[Tensor, ...],
    epochs: int = 0,
    other_runs: int = 0,
    batch_size: int = 0,
) -> dict[str, Any]:
    """The answers of a training on (features, labels, ...), with so many epochs and so large
    batches or, without a number, with those that it makes by itself: a "training" that `keeps`
    judges, and whether the data is untouched. Of other runs of the same training, which are not
    the model's in the end, so many are left in: enough to see whether the best is kept.
    """
    answers: dict[str, Any] = {}
    told = {"epochs": epochs} if epochs else {}
    told |= {"batch_size": batch_size} if batch_size else {}
    if epochs:  # a call before leaves nothing behind
        train(copy.deepcopy(model), *data, **told | {"epochs": 2})
    parts = {f"data {number}": part for number, part in enumerate(data)}
    with untouched(answers, **parts):
        losses, record = recorder.watch(lambda: train(model, *data, **told), model, data[0])
    kept = runs.with_others(record, len(losses) if isinstance(losses, list) else 0, other_runs)
    found = {"losses": losses, "record": kept.plain(), "batch_size": batch_size}
    return {"training": found, **answers}


def keeps(build: Callable[[Mapping[str, Any]], nn.Module], rule: Rule) -> Comparison:
    """A comparison of the "training" of `looked_at`: its steps and losses are what the stub says,
    as many as the reference's.

    Args:
        build: makes the model that was trained, from what is hidden; its parameters are exchanged.
        rule: what the stub says. What is hidden holds the training data as "features" and "labels".
    """

    def compare(answer: Any, right: Any, hidden: Mapping[str, Any]) -> str:
        epochs, losses = len(right["losses"]), answer["losses"]
        if not isinstance(losses, list) or {type(loss) for loss in losses} != {float}:
            return "the losses are no list of float"
        if len(losses) != epochs:
            return f"{len(losses)} losses came back, where {epochs} were expected"
        record, model = TrainingRecord(**live(answer["record"])), build(hidden)
        started = live(right["record"]["start"])
        if not record.fits(model) or not torch.equal(record.start, started):
            return "what was trained is not the model that was handed in"
        data = live(hidden["features"]), live(hidden["labels"])
        training = Training(record, model, data, rule, epochs, losses, right["batch_size"])
        run = training.run()
        values = (run.before, run.after, run.gradients, torch.tensor(losses))
        if not all(bool(one.isfinite().all()) for one in values):
            return "the training went to infinity"
        if not rule.restarts and record.taken != len(record):
            return "some of the steps do not lead to what the model is left with"
        found = steps.problem(training) or history.problem(training)
        return found.headline if found else ""

    return compare


def _form(model: nn.Module) -> list[tuple[str, torch.Size]]:
    return [(name, parameter.shape) for name, parameter in model.named_parameters()]


def on_device(
    device: torch.device,
    train: Callable[..., list[float]],
    data: Iterable[Tensor],
    model: nn.Module,
) -> dict[str, Any]:
    """The answers of three epochs on a device: how many losses, the places, untouched data."""
    answers: dict[str, Any] = {}
    features, labels = (part.to(device) for part in data)
    model.to(device)
    with untouched(answers, features=features, labels=labels):
        answers["epochs"] = len(train(model, features, labels, epochs=3))
    return {"places": [parameter.device for parameter in model.parameters()], **answers}


def follow(
    build: Callable[[Mapping[str, Any]], nn.Module], loss: Loss, rtol: float = 5e-3
) -> Comparison:
    """A comparison of `watch`'s steps: each follows the gradient of this loss at the parameters
    that it found, on as many examples as the reference's; the first begins with the parameters that
    were handed out, and each other where the one before it ended.

    Args:
        build: makes the model that was trained, from what is hidden; its parameters are exchanged.
        loss: of (outputs, labels). What is hidden holds the training data as "features" and
            "labels"; a batch is recognized by its rows.
    """

    def compare(answer: Any, right: Any, hidden: Mapping[str, Any]) -> str:
        if not isinstance(answer, list) or len(answer) != len(right):
            count = len(answer) if isinstance(answer, list) else "no"
            return f"{count} steps were taken, where {len(right)} were expected"
        left = live(right[0]["parameters"])
        for number, (step, twin) in enumerate(zip(answer, right, strict=True), start=1):
            try:
                data = live(hidden["features"]), live(hidden["labels"])
                if not _equal(live(step["parameters"]), left):
                    return f"step {number}: it begins with other parameters than it has to"
                if len(step["inputs"].data) != len(twin["inputs"].data):
                    return f"step {number}: it is on another number of examples"
                left = live(step["after"]) if number < len(right) else left
                reason = _wrong(live(step), build(hidden), loss, *data, rtol)
            except UNFIT as error:
                return f"step {number} can't be followed ({type(error).__name__})"
            if reason:
                return f"step {number}: {reason}"
        return ""

    return compare


def _wrong(
    step: Step, model: nn.Module, loss: Loss, features: Tensor, labels: Tensor, rtol: float
) -> str:
    model.train(step["training"])
    if not _fits(step["parameters"], model):
        return "its parameters are others than the model's"
    parameters = {name: value.requires_grad_() for name, value in step["parameters"].items()}
    rows = _rows(step["inputs"], features)
    if rows is None:
        return "what the model was given is not of the training data"
    outputs = torch.func.functional_call(model, parameters, (features[rows],))
    expected = torch.autograd.grad(loss(outputs, labels[rows]), list(parameters.values()))
    gradients = list(step["gradients"].values())
    if any(gradient is None for gradient in gradients):
        return "a parameter has no gradient"
    found, right = (
        torch.cat([one.detach().flatten() for one in part]) for part in (gradients, expected)
    )
    # False if there is a NaN
    is_near = (found - right).norm() <= rtol * right.norm() + 1e-6
    return "" if is_near else "it does not follow the gradient of the loss"


def _equal(some: Mapping[str, Tensor], others: Mapping[str, Tensor]) -> bool:
    return some.keys() == others.keys() and all(torch.equal(some[n], others[n]) for n in some)


def _fits(parameters: Mapping[str, Tensor], model: nn.Module) -> bool:
    found, expected = (
        {name: (one.shape, one.dtype) for name, one in group.items()}
        for group in (parameters, dict(model.named_parameters()))
    )
    return found == expected


def _rows(inputs: Tensor | None, features: Tensor) -> Tensor | None:
    """The numbers of a batch's training examples; None where one of them is not among these."""
    if inputs is None or inputs.shape[1:] != features.shape[1:]:
        return None
    if inputs.shape == features.shape and torch.equal(inputs, features):
        return torch.arange(len(features))
    same = (inputs[:, None] == features[None]).flatten(2).all(dim=2)
    return same.int().argmax(dim=1) if bool(same.any(dim=1).all()) else None


@contextmanager
def untouched(answers: dict[str, Any], **tensors: Tensor) -> Iterator[None]:
    """Add to the answers what each of these tensors is afterwards: its place and, bit by bit, its
    numbers. The trusted side compares them with those that the reference leaves.
    """
    yield
    for name, one in tensors.items():
        answers[f"{name} untouched"] = [one.device.type, bits(one)]


def bits(tensor: Tensor) -> np.ndarray:
    """The numbers of a tensor as whole ones, which are compared without a tolerance; -0 is 0."""
    numbers = tensor.detach().cpu().numpy()
    floats = {2: np.int16, 4: np.int32, 8: np.int64}
    is_float = numbers.dtype.kind == "f"
    return (numbers + 0).view(floats[numbers.itemsize]) if is_float else numbers


def trained(model: nn.Module) -> dict[str, Tensor]:
    """The result of a training, as an answer: the model's parameters by name."""
    return {name: parameter.detach().clone() for name, parameter in model.named_parameters()}


def outputs(answer: object, model: nn.Module, features: object) -> Tensor:
    """For a comparison: the outputs of a model with the parameters of a `trained` answer, so that
    points may stay hidden altogether.

    Args:
        model: of the kind that was trained; its parameters are exchanged.
        features: hidden ones, as the comparison gets them.

    Raises:
        ValueError: the answer has other parameters than the model.
    """
    parameters = live(answer)
    if not _fits(parameters, model):
        raise ValueError("other parameters than the model's")
    with torch.no_grad():
        result: Tensor = torch.func.functional_call(model.eval(), parameters, (live(features),))
    return result


def used(call: Callable[[], object], names: Iterable[str]) -> tuple[Any, list[str]]:
    """Make a call; return its result and which of these functions of torch it used."""
    with called.functions() as seen:
        result = call()
    return result, sorted(seen.intersection(names))


def refused(call: Callable[[], object], *words: str) -> list[bool] | str:
    """For each word, whether the ValueError that the call raises contains it."""
    try:
        call()
    except ValueError as error:
        return [word in str(error) for word in words]
    return "nothing is refused"
