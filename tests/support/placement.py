"""Where tensors are while a learner's code runs: trainings on a device, and a device with a number
on machines without it.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_pre_hook
from torch.overrides import TorchFunctionMode

from tests.support import expect

SECOND_GPU = torch.device("cuda:1")  # hardly any machine has it, and none has to
MODEL_MOVED = (
    "the training moves the model itself, for its caller too: model.to(...), .cpu() or .cuda() has"
    " no place in it; train the model where it is"
)
DATA_MOVED = (
    "the caller's tensors have been exchanged: tensor.to(device) gives another one, and .data = ..."
    " changes the first"
)


def check_training(
    train: Callable[[], object], model: nn.Module, data: Sequence[Tensor], epochs: int | None
) -> None:
    """A training of a model, wherever it is, with this data: it works there, and leaves both where
    they were.

    Args:
        epochs: how many losses it has to return; None where it may end early.
    """
    device, before = next(model.parameters()).device, [tensor.device for tensor in data]
    with _together(device), expect.untouched("The data", *data):
        losses = train()
    if epochs is not None:
        expect.losses(losses, epochs, what=f"The training on {device}")
    for name, parameter in model.named_parameters():
        expect.on_device(parameter, device, f"{name} of the model after training", MODEL_MOVED)
    for tensor, place in zip(data, before, strict=True):
        expect.on_device(tensor, place, "The data after training", DATA_MOVED)


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
        if len(set(devices.values())) < 2:
            return
        away = [what for what, place in devices.items() if not expect.lies_on(place, device)]
        likely = (
            f"{' and '.join(away)} of this call: a device is written into the code, such as .cpu()"
            " or .cuda(), or not all of a batch was moved: features and targets both belong on the"
            " model's device"
        )
        headline = f"{type(module).__name__} is called with tensors on two devices."
        likely = MODEL_MOVED if "its weights" in away else likely
        seen = ", ".join(f"{what} on {place}" for what, place in devices.items())
        expect.unmet(headline, seen=seen, expected=f"all of them on {device}", likely=likely)

    handle = register_module_forward_pre_hook(look)
    try:
        yield
    finally:
        handle.remove()


class Pretended(TorchFunctionMode):
    """As if a model were on a device that this machine need not have. Nothing moves: what tensors
    are sent to is noted.

    Attributes:
        sent: the devices that other tensors were sent to or made on, as they were named; not the
            CPU.
    """

    def __init__(self, device: torch.device, model: nn.Module | None = None) -> None:
        super().__init__()
        self.sent: list[str] = []
        self._device, self._there = device, [] if model is None else list(model.parameters())

    def __torch_function__(self, function, types, args=(), kwargs=None):
        args, kwargs, name = list(args), dict(kwargs or {}), getattr(function, "__name__", "")
        is_there = bool(args) and any(args[0] is tensor for tensor in self._there)
        answers = {
            torch.Tensor.device.__get__: self._device,
            torch.Tensor.is_cuda.__get__: self._device.type == "cuda",
            torch.Tensor.get_device: self._device.index,
        }
        if is_there and function in answers:
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
        if not self.sent:
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
