"""Which devices are present. Asking never initialises CUDA."""

import functools
import os

import torch

from dojo import simulated
from dojo.simulated import backend
from dojo.suite.unit import ACCEPTED, KINDS, is_device

# With this, is_available() asks the driver's management library instead of starting CUDA in this
# process.
os.environ.setdefault("PYTORCH_NVML_BASED_CUDA_CHECK", "1")

# With this, CUDA's matrix products give the same numbers in every run.
os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")


class DeviceError(Exception):
    """No such device, or not here; the message says which there are."""


def present(wanted: str) -> list[str]:
    """The devices that a name stands for: itself, or with "all" every accelerator of this machine.

    Raises:
        DeviceError: an unknown name, or nothing of it is present.
    """
    if wanted == "all":
        found = [kind for kind in KINDS if kind != "cpu" and why_absent(kind) is None]
        if not found:
            raise DeviceError(
                f"No accelerator to validate on: {'; '.join(filter(None, map(why_absent, KINDS)))}."
            )
        return found
    if wanted == "auto" or not is_device(wanted):
        raise DeviceError(
            f"There is no device '{wanted}': choose all, {ACCEPTED.removeprefix('auto, ')}."
        )
    if reason := why_absent(wanted):
        raise DeviceError(f"Nothing was validated on {wanted}: {reason}.")
    return [wanted]


def to_test(choice: str) -> list[str]:
    """The devices for which placement tests are made; those that are absent are skipped when their
    turn comes.

    Without a GPU the simulated one is among them: on the CPU alone, a forgotten .to(device) goes
    unnoticed.
    """
    if choice != "auto":
        return [choice]
    return ["cpu", "cuda", "mps"] + (
        [simulated.NAME] if why_absent("cuda") and why_absent("mps") else []
    )


def get(device: str) -> torch.device:
    """The device of that name. The simulated one is made known to torch here, no earlier.

    Raises:
        simulated.Unavailable: it can't be made on this torch.
    """
    if device.partition(":")[0] == simulated.NAME:
        backend.enable()
    return torch.device(device)


def why_absent(device: str) -> str | None:
    """None if the device is present, otherwise the reason why not."""
    kind, _, number = device.partition(":")
    if kind == simulated.NAME:
        return (
            "there is only one simulated device" if number not in ("", "0") else backend.available()
        )
    if kind == "cuda" and not torch.cuda.is_available():
        return (
            "no CUDA GPU on this machine"
            if torch.backends.cuda.is_built()
            else "this build of torch has no CUDA"
        )
    if kind == "mps" and not torch.backends.mps.is_available():
        return "no Apple GPU (MPS) on this machine"
    if kind == "mps" and (refusal := _mps_refuses()):
        return refusal
    if kind == "cuda" and int(number or 0) >= (there := torch.cuda.device_count()):
        return f"this machine has {there} CUDA GPU{'s' * (there != 1)}, counted from cuda:0"
    if kind in ("mps", "cpu") and int(number or 0) > 0:
        return f"there is only one device {kind}"
    return None


@functools.cache
def _mps_refuses() -> str | None:
    """Why an Apple GPU that is there can't be used: a virtual machine may show one and give no
    memory. CUDA is never tried.
    """
    try:
        torch.ones(1, device="mps").item()
    except RuntimeError as error:
        return f"MPS is there but gives no memory: {str(error).partition(chr(10))[0]}"
    return None
