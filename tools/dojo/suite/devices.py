"""Which devices are present. Asking never initialises CUDA."""

import os

import torch

from dojo import simulated
from dojo.simulated import backend

# With this, is_available() asks the driver's management library instead of starting CUDA in this process.
os.environ.setdefault("PYTORCH_NVML_BASED_CUDA_CHECK", "1")


def to_test(choice: str) -> list[str]:
    """The devices for which placement tests are made; those that are absent are skipped when their turn comes.

    Without a GPU the simulated one is among them: on the CPU alone, a forgotten .to(device) goes unnoticed.
    """
    if choice != "auto":
        return [choice]
    return ["cpu", "cuda", "mps"] + ([simulated.NAME] if why_absent("cuda") and why_absent("mps") else [])


def get(device: str) -> torch.device:
    """The device of that name. The simulated one is made known to torch here, no earlier.

    Raises:
        simulated.Unavailable: it can't be made on this torch.
    """
    if device == simulated.NAME:
        backend.enable()
    return torch.device(device)


def why_absent(device: str) -> str | None:
    """None if the device is present, otherwise the reason why not."""
    if device == simulated.NAME:
        return backend.available()
    kind = torch.device(device).type
    if kind == "cuda" and not torch.cuda.is_available():
        return "no CUDA GPU on this machine" if torch.backends.cuda.is_built() else "this build of torch has no CUDA"
    if kind == "mps" and not torch.backends.mps.is_available():
        return "no Apple GPU (MPS) on this machine"
    return None
