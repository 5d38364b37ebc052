"""Which devices are present, and how a training gets onto one. Asking never initialises CUDA."""

import contextlib
import functools
import os
from collections.abc import Callable

import torch
from torch import Tensor, nn

from dojo import simulated
from dojo.simulated import backend
from dojo.suite.loader import Wrap
from dojo.suite.unit import ACCEPTED, KINDS, is_device

# With this, is_available() asks the driver's library instead of starting CUDA in this process.
os.environ.setdefault("PYTORCH_NVML_BASED_CUDA_CHECK", "1")

# With this, CUDA's matrix products give the same numbers in every run.
os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")

NO_MEMORY = "gives no memory"

TRAINERS = ("train", "fit", "trainer", "overfit", "descend")  # functions of katas


class DeviceError(Exception):
    """No such device, or not here; the message says which there are."""


class NoMemory(DeviceError):
    """The device is there, but gives no memory, as in some virtual machines."""


def present(name: str) -> list[str]:
    """The devices that a name stands for: itself, or with "all" every accelerator of this machine.

    Raises:
        DeviceError: an unknown name, or nothing of it is present.
    """
    if name == "all":
        absent = {kind: why_absent(kind) for kind in KINDS}
        if accelerators := [kind for kind in KINDS if kind != "cpu" and absent[kind] is None]:
            return accelerators
        reasons = "; ".join(filter(None, absent.values()))
        raise DeviceError(f"No accelerator to validate on: {reasons}.")
    if name == "auto" or not is_device(name):
        choices = ACCEPTED.removeprefix("auto, ")
        raise DeviceError(f"There is no device '{name}': choose all, {choices}.")
    if reason := why_absent(name):
        kind = NoMemory if NO_MEMORY in reason else DeviceError
        raise kind(f"Nothing was validated on {name}: {reason}.")
    return [name]


def to_test(choice: str) -> list[str]:
    """The devices for which placement tests are made; a test on an absent one is skipped. Without a
    GPU the simulated one is among them: on the CPU, a forgotten .to(device) goes unnoticed.
    """
    if choice != "auto":
        return [choice]
    has_no_gpu = why_absent("cuda") and why_absent("mps")
    return ["cpu", "cuda", "mps", simulated.NAME] if has_no_gpu else ["cpu", "cuda", "mps"]


def get(device: str) -> torch.device:
    """The device of that name. The simulated one is made known to torch here, no earlier.

    Raises:
        simulated.Unavailable: it can't be made on this torch.
    """
    if device.partition(":")[0] == simulated.NAME:
        backend.enable()
    return torch.device(device)


def as_on_mps(device: torch.device) -> contextlib.AbstractContextManager[None]:
    """In the block the simulated device lacks what an Apple GPU lacks; others are as they are."""
    return backend.without_float64() if device.type == simulated.NAME else contextlib.nullcontext()


def why_absent(device: str) -> str | None:
    """None if the device is present, otherwise the reason why not."""
    kind, _, text = device.partition(":")
    number = int(text or 0)
    if kind == simulated.NAME:
        return "there is only one simulated device" if number else backend.available()
    if kind == "cuda":
        if not torch.cuda.is_available():
            is_built: Callable[[], bool] = torch.backends.cuda.is_built  # torch gives it no type
            return (
                "no CUDA GPU on this machine" if is_built() else "this build of torch has no CUDA"
            )
        count = torch.cuda.device_count()
        if number >= count:
            return f"this machine has {count} CUDA GPU{'s' * (count != 1)}, counted from cuda:0"
        return None
    if kind == "mps" and not torch.backends.mps.is_available():
        return "no Apple GPU (MPS) on this machine"
    if kind == "mps" and (refusal := _mps_refuses()):
        return refusal
    return f"there is only one device {kind}" if number else None


@functools.cache
def _mps_refuses() -> str | None:
    """Why an Apple GPU can't be used: in a virtual machine it may be shown and have no memory."""
    try:
        torch.ones(1, device="mps").item()
    except RuntimeError as error:
        fault = NO_MEMORY if "out of memory" in str(error) else "does not work"
        return f"MPS is there but {fault}: {str(error).partition(chr(10))[0]}"
    return None


def trainings_on(device: str) -> Wrap:
    """Trainings get their model and tensors on this device; afterwards the model is on the CPU."""

    def wrap(name: str, value: object) -> object:
        return _moved(value, get(device)) if name in TRAINERS and callable(value) else value

    return wrap


def _moved(train: Callable[..., object], device: torch.device) -> Callable[..., object]:
    def on_device(value: object) -> object:
        return value.to(device) if isinstance(value, Tensor | nn.Module) else value

    @functools.wraps(train)
    def moved(*args: object, **kwargs: object) -> object:
        try:
            named = {name: on_device(value) for name, value in kwargs.items()}
            return train(*map(on_device, args), **named)
        finally:
            for value in (*args, *kwargs.values()):
                if isinstance(value, nn.Module):
                    value.to("cpu")

    return moved
