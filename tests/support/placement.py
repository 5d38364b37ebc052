"""A learner's code on a device: what it gives lies there, and is what it gives on the CPU. Also a
device with a number, on machines without it.
"""

import contextlib
import copy
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_pre_hook
from torch.overrides import TorchFunctionMode

from dojo.diagnosis import Cause
from dojo.suite.twins import copy_on_cpu, own_generator, tensors_in
from tests.support import expect, pointers, subject

FIRST_GPU, SECOND_GPU = map(torch.device, ("cuda:0", "cuda:1"))  # no machine has to have them
MODEL_MOVED = (
    "the training moves the model itself, for its caller too: model.to(...), .cpu() or .cuda() has"
    " no place in it; train the model where it is"
)
DATA_MOVED = (
    "the caller's tensors have been exchanged: tensor.to(device) gives another one, and .data = ..."
    " changes the first"
)
OTHER_WAY = (
    "the code goes another way there: a question such as `if x.is_cuda` or `if x.device == ...`"
    " may decide where a tensor is made, not what is computed"
)
# Rounding grows over the steps of a training. Half of a dtype's digits are plenty for one pass.
ONE_PASS, SOME_STEPS = 1, 5

Call = Callable[..., Any]


def check(call: Call, *given: Any, device: torch.device, what: str, likely: str = "") -> Any:
    """What a call gives on a device lies there, and is what it gives on the CPU: numbers, dtypes
    and gradients. What it was given stays where it was.

    Args:
        call: a function, or a model.
        given: what it takes, on the CPU; it gets copies on the device.
        what: what the result is.
        likely: why what was given might lie elsewhere afterwards.

    Returns:
        The result on the device.
    """
    model, *arguments = _on((call, *given), device)
    result = same(model, *arguments, device=device, what=what, lies_there=True)
    likely = likely or "the call moves what it is given, for its caller too: work where it is"
    for tensor in tensors_in((model, arguments)):
        expect.on_device(tensor, device, f"What was given for {what.lower()}", likely)
    return result


def same(
    call: Call,
    *given: Any,
    device: torch.device,
    what: str,
    lies_there: bool = False,
    slack: int = ONE_PASS,
    of_gradients: bool = True,
) -> Any:
    """A call gives the same as on the CPU, where it gets copies of what it is given here.

    Numbers that a GPU draws itself (dropout, noise) are others than the CPU's: after such a call
    nothing is compared. The same goes for code that by itself gives something else in each run.

    Args:
        lies_there: tensors in the result have to lie on the device.
        slack: how many times the error of one pass is let pass.
        of_gradients: whether the gradients left behind are compared. Of a training they are not:
            torch's optimizers use them up on a GPU, where they take all parameters at once.
    """
    parts = (call, *given) if isinstance(call, nn.Module) else given
    arguments = copy_on_cpu(parts)

    def ask(*parts: Any) -> Any:
        return parts[0](*parts[1:]) if isinstance(call, nn.Module) else call(*parts)

    states, before = _random_states(), own_generator(str(device))
    with _exact_products():
        result = ask(*parts)
    if lies_there:
        for part, name in _named(result, what):
            if isinstance(part, Tensor):
                expect.on_device(part, device, what=name)
    if device.type == "cpu" or not all(map(torch.equal, before, own_generator(str(device)))):
        return result
    outcome = partial(_outcome, what=what, of_gradients=of_gradients)
    here = outcome(result, parts)
    with _as_before(states):
        spare = copy_on_cpu(arguments)
        there = outcome(ask(*arguments), arguments)
    if wrong := _first_difference(here, there, slack):
        with _as_before(states):
            again = outcome(ask(*spare), spare)
        if _first_difference(again, there, slack) is None:
            name, seen, right = wrong
            headline = f"{name}: not the same on {device} as on the CPU."
            expected = f"{_shown(right)}, as on the CPU"
            expect.unmet(headline, seen=_shown(seen), expected=expected, likely=OTHER_WAY)
    return result


def check_training(
    train: Callable[..., object],
    model: nn.Module,
    data: Sequence[Tensor],
    epochs: int | None,
) -> None:
    """A training of a model, wherever it is, with this data: it works there, leaves both where they
    were, and comes to the same losses and weights as on the CPU.

    Args:
        train: takes the model and the data, and gives the losses.
        epochs: how many losses it has to return; None where it may end early.
    """
    device, before = next(model.parameters()).device, [tensor.device for tensor in data]
    place = next((there for there in (device, *before) if there.type != "cpu"), device)

    def watched(model: nn.Module, *data: Tensor) -> object:
        with _together(next(model.parameters()).device):
            return train(model, *data)

    with expect.untouched("The data", *data):
        losses = same(
            watched,
            model,
            *data,
            device=place,
            what="The losses of a training",
            slack=SOME_STEPS,
            of_gradients=False,
        )
    if epochs is not None:
        expect.losses(losses, epochs, what=f"The training on {device}")
    for name, parameter in model.named_parameters():
        expect.on_device(parameter, device, f"{name} of the model after training", MODEL_MOVED)
    for tensor, place in zip(data, before, strict=True):
        expect.on_device(tensor, place, "The data after training", DATA_MOVED)


def _on(value: Any, device: torch.device) -> Any:
    """Copies of tensors, models and collections of these on the device; all else as it is."""
    match value:
        case Tensor():
            return value.detach().clone().to(device).requires_grad_(value.requires_grad)
        case nn.Module():
            return expect.moved(copy.deepcopy(value), device)
        case Mapping():
            return {name: _on(part, device) for name, part in value.items()}
        case list() | tuple():
            return type(value)(_on(part, device) for part in value)
    return value


def _named(value: Any, what: str) -> Iterator[tuple[Any, str]]:
    """What a result consists of, each part with a name."""
    match value:
        case Mapping():
            for name, part in value.items():
                yield from _named(part, f"{what}[{name!r}]")
        case list() | tuple():
            for number, part in enumerate(value):
                yield from _named(part, f"{what}[{number}]")
        case _:
            yield value, what


def _outcome(
    result: Any, given: Sequence[Any], what: str, of_gradients: bool
) -> list[tuple[Any, str]]:
    """All that can be told of a call: its result, the gradients of what it was given, and the
    weights of models, which a training changes.
    """
    outcome = list(_named(result, what))
    recording = [part for part, _ in outcome if isinstance(part, Tensor) and part.requires_grad]
    outcome += [
        (part.requires_grad, f"Whether gradients are recorded in {name}")
        for part, name in outcome
        if isinstance(part, Tensor)
    ]
    leaves = [tensor for tensor in tensors_in(given) if tensor.is_leaf and tensor.requires_grad]
    with contextlib.suppress(RuntimeError):  # the graph is used up: then there is nothing to ask
        if recording and leaves:
            total = sum((part * _weights(part)).sum() for part in recording)
            gradients = torch.autograd.grad(total, leaves, retain_graph=True, allow_unused=True)
            outcome += [(gradient, f"A gradient of {what.lower()}") for gradient in gradients]
    for tensor in tensors_in(given):
        outcome.append((tensor.detach().clone(), f"What was given for {what.lower()}, afterwards"))
        if tensor.is_leaf and of_gradients:
            outcome.append((tensor.grad, f"The gradient left behind by {what.lower()}"))
    return outcome


def _weights(part: Tensor) -> Tensor:
    """1, 2, 3, ...: so that the gradient of no part cancels out with another's."""
    numbers = torch.arange(1, part.numel() + 1, dtype=part.dtype, device=part.device)
    return numbers.reshape(part.shape) / part.numel()


def _first_difference(
    here: Sequence[tuple[Any, str]], there: Sequence[tuple[Any, str]], slack: int
) -> tuple[str, Any, Any] | None:
    if len(here) != len(there):
        return here[0][1], here[0][0], there[0][0]
    for (seen, name), (right, _) in zip(here, there, strict=True):
        if not _alike(seen, right, slack):
            return name, seen, right
    return None


def _alike(seen: Any, right: Any, slack: int) -> bool:
    """Equal, or for floats equal apart from the rounding of another device."""
    if type(seen) is not type(right) and not isinstance(right, Tensor):
        return False
    match right:
        case Tensor():
            if not isinstance(seen, Tensor) or (seen.shape, seen.dtype) != (
                right.shape,
                right.dtype,
            ):
                return False
            seen = seen.detach().cpu()
            if not right.is_floating_point():
                return torch.equal(seen, right)
            right, eps = right.detach(), torch.finfo(right.dtype).eps
            scale = right[right.isfinite()].abs().max() if right.isfinite().any() else 0.0
            error = float(slack * eps**0.5 * scale + eps)
            return torch.allclose(seen, right, rtol=0, atol=error, equal_nan=True)
        case np.ndarray():
            return _alike(torch.from_numpy(seen), torch.from_numpy(right), slack)
        case float():
            return _alike(torch.tensor(seen), torch.tensor(right), slack)
        case str() | bytes() | int() | None:
            return bool(seen == right)
    return True  # an optimizer, a model: its tensors are looked at where they are used


def _shown(value: Any) -> str:
    dtype = f", {value.dtype}" if isinstance(value, Tensor) else ""
    return f"{expect.describe(value)}{dtype}"


@contextlib.contextmanager
def _exact_products() -> Iterator[None]:
    """CUDA multiplies with all digits of float32, not with the few of TF32."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


def _random_states() -> tuple[Any, ...]:
    return torch.get_rng_state(), np.random.get_state(), random.getstate()


@contextlib.contextmanager
def _as_before(states: tuple[Any, ...]) -> Iterator[None]:
    """The same random numbers once more, which the calls after it do not notice."""
    now = _random_states()
    try:
        for change, state in zip(_SETTERS, states, strict=True):
            change(state)
        yield
    finally:
        for change, state in zip(_SETTERS, now, strict=True):
            change(state)


_SETTERS = torch.set_rng_state, np.random.set_state, random.setstate


@contextlib.contextmanager
def _together(device: torch.device) -> Iterator[None]:
    """Whatever module is called, a model or a loss: what it takes lies on one device, with its
    weights.
    """

    def look(module: nn.Module, inputs: tuple[object, ...]) -> None:
        places = {
            f"argument {n}": tensor
            for n, tensor in enumerate(inputs, start=1)
            if isinstance(tensor, Tensor) and tensor.ndim
        }
        devices = {what: tensor.device for what, tensor in places.items()}
        devices |= {
            what: weight.device
            for what, weight in zip(["its weights"], module.parameters(), strict=False)
        }
        if all(expect.lies_on(place, device) for place in devices.values()):
            return
        away = [what for what, place in devices.items() if not expect.lies_on(place, device)]
        likely = (
            f"{' and '.join(away)} of this call: a device is written into the code, such as .cpu()"
            " or .cuda(), or not all of a batch was moved: features and targets both belong on the"
            " model's device"
        )
        number = "another device" if len(set(devices.values())) < 2 else "two devices"
        headline = f"{type(module).__name__} is called with tensors on {number}."
        likely = MODEL_MOVED if "its weights" in away else likely
        seen = ", ".join(f"{what} on {place}" for what, place in devices.items())
        expect.unmet(headline, seen=seen, expected=f"all of them on {device}", likely=likely)

    handle = register_module_forward_pre_hook(look)
    try:
        yield
    finally:
        handle.remove()


def check_sent(model: nn.Module, call: Call, what: str, who: str) -> None:
    """The call of this name takes its tensors to where the model lies: to a device of torch's that
    every machine has, and that holds no numbers.
    """
    there = torch.device("meta")

    class Seen(Exception):
        """Ends the call: there are no numbers on this device."""

    def look(module: nn.Module, inputs: tuple[object, ...]) -> None:
        seen = expect.tensor(inputs[0], what).device
        stays = (
            "the batch stays where it was made: .to(next(model.parameters()).device) takes it to"
            " the model"
        )
        written = "a device is written into the code, such as 'cpu' or .cpu(): ask the model"
        words = "device(", "cuda", "'cpu'", "cpu("
        is_told = not any(subject.uses(who, word) for word in words)
        expect.that(
            expect.lies_on(seen, there),
            f"{what} do not go to the model's device.",
            seen=f"on {seen}",
            expected="on meta, with the model: a device without numbers that every machine has",
            likely=expect.told(stays) if is_told else [Cause(stays), Cause(written)],
            pointer=pointers.DEVICE,
        )
        raise Seen

    model.to(there).register_forward_pre_hook(look)
    with contextlib.suppress(Seen):
        call(model)


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
        self.sent: list[str] = []
        self._on_first = list(on_first)
        self._device, self._there = device, [] if model is None else list(model.parameters())

    def __torch_function__(self, function, types, args=(), kwargs=None):
        args, kwargs, name = list(args), dict(kwargs or {}), getattr(function, "__name__", "")
        is_there = bool(args) and any(args[0] is tensor for tensor in self._there)
        is_first = bool(args) and any(args[0] is tensor for tensor in self._on_first)
        place = self._device if is_there else FIRST_GPU
        answers = {
            torch.Tensor.device.__get__: place,
            torch.Tensor.is_cuda.__get__: place.type == "cuda",
            torch.Tensor.get_device: place.index,
        }
        if (is_there or is_first) and function in answers:
            return answers[function]
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
            self.sent.append(name)

    def check(self, what: str) -> None:
        """Tensors were sent to the device, and to no other."""
        likely = "a device is written into the code, in place of the one that is given"
        if not self.sent and self._on_first:
            likely = (
                "only the kinds of the devices are compared: cuda:0 and cuda:1 are two GPUs, and"
                " to(device) itself leaves alone what is there"
            )
        elif not self.sent:
            likely = "no tensor was sent to a device: tensor.to(device)"
        elif self._device.type in self.sent:
            likely = (
                "only the kind of the device is left, and its number is lost: pass the device on as"
                " it is, whole"
            )
        seen = ", ".join(sorted(set(self.sent))) or "nowhere"
        expect.that(
            set(self.sent) == {str(self._device)},
            f"{what} do not go to {self._device}.",
            seen=seen,
            expected=self._device,
            likely=likely,
        )


def check_number(model: nn.Module, call: Call, what: str) -> None:
    """The call takes its tensors to the model's GPU by number; this model claims the second."""
    with Pretended(SECOND_GPU, model) as there:
        call(model)
    there.check(what)
