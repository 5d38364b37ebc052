"""Which devices are present. Asking never initialises CUDA."""

import os
import re

import torch

# With this, is_available() asks the driver's management library instead of starting CUDA in this process.
os.environ.setdefault("PYTORCH_NVML_BASED_CUDA_CHECK", "1")

# With this, CUDA's matrix products give the same numbers in every run.
os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")

CHOICES = ("auto", "cpu", "cuda", "mps")


class DeviceError(Exception):
    """No such device, or not here; the message says which there are."""


def present(wanted: str) -> list[str]:
    """The devices that a name stands for: itself, or with "all" every accelerator of this machine.

    Raises:
        DeviceError: an unknown name, or nothing of it is present.
    """
    kinds = [kind for kind in CHOICES if kind != "auto"]
    if wanted == "all":
        found = [kind for kind in kinds if kind != "cpu" and why_absent(kind) is None]
        if not found:
            raise DeviceError(f"No accelerator to validate on: {'; '.join(filter(None, map(why_absent, kinds)))}.")
        return found
    if not re.fullmatch(rf"({'|'.join(kinds)})(:\d+)?", wanted):
        raise DeviceError(
            f"There is no device '{wanted}': choose {', '.join(kinds)}, one with a number such as cuda:1, or all."
        )
    if reason := why_absent(wanted):
        raise DeviceError(f"Nothing was validated on {wanted}: {reason}.")
    return [wanted]


def to_test(choice: str) -> list[str]:
    """The devices for which placement tests are made; those that are absent are skipped when their turn comes."""
    return ["cpu", "cuda", "mps"] if choice == "auto" else [choice]


def why_absent(device: str) -> str | None:
    """None if the device is present, otherwise the reason why not."""
    kind = torch.device(device).type
    if kind == "cuda" and not torch.cuda.is_available():
        return "no CUDA GPU on this machine" if torch.backends.cuda.is_built() else "this build of torch has no CUDA"
    if kind == "mps" and not torch.backends.mps.is_available():
        return "no Apple GPU (MPS) on this machine"
    return None
