"""Which devices are present. Asking never initialises CUDA."""

import os

import torch

# With this, is_available() asks the driver's management library instead of starting CUDA in this process.
os.environ.setdefault("PYTORCH_NVML_BASED_CUDA_CHECK", "1")

CHOICES = ("auto", "cpu", "cuda", "mps")


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
