"""Devices: where the numbers lie.

A GPU computes the same as a CPU, but many numbers at a time. PyTorch knows
three kinds of device that matter here: "cuda", the GPUs of NVIDIA; "mps", the
GPUs of Apple; and "cpu", which is always there. Ask it what there is:

    torch.cuda.is_available()
    torch.backends.mps.is_available()

Code that asks runs everywhere. Code with "cuda" written into it stops with an
error where there is none.

Every tensor lies on one device, tensor.device. All tensors of a computation
must lie on the same one. A new tensor can be made there, as in
torch.rand(2, 2, 2, device=device). An existing one is moved with to():

    tensor.to(device)    gives a tensor there; the first one stays where it is
    model.to(device)     moves the model itself, and returns it

So write `batch = batch.to(device)`: without the assignment nothing happens.
The model goes to the GPU once, and the batches follow one by one, because a
GPU's memory seldom holds all the data.

What to do: pick the best device there is, and move a whole batch. To see where
it ends up: `python -m katas.k02_devices`. For experiments there is "meta", a
device of every machine whose tensors have a shape and a dtype, but no numbers.

Tasks: pick, move.   Builds on: k01_tensors.
Source: "Lecture 4: Introduction to Pytorch & Neural Networks".
"""

import torch
from torch import Tensor


def pick_device() -> torch.device:
    """The best device of this machine. Each call asks anew.

    Returns:
        torch.device("cuda") if there is a GPU of NVIDIA, otherwise torch.device("mps") if there is
        one of Apple, otherwise torch.device("cpu"). The first GPU may be called "cuda:0", and an
        accelerator of another maker may be taken before the CPU.
    """
    # TODO pick: ask for one after the other
    raise NotImplementedError("pick")


def move_batch(batch: tuple | list | dict, device: torch.device) -> tuple | list | dict:
    """A batch with all its tensors on the device.

    Args:
        batch: a tuple, a list or a dict of any length, such as (features, labels) or
            {"features": ..., "names": [...]}. Tensors may have any shape, dtype and device. Other
            entries are allowed, such as numbers, None, a list of names or a model.
        device: where the tensors should go.

    Returns:
        A new tuple, list or dict, as the batch is one. Its tensors lie on the device, with the same
        numbers and dtypes; its other entries are those of the batch. The batch itself is not
        changed: it still holds its own tensors, where they were.
    """

    # TODO move: make a new tuple, list or dict; move each tensor, keep anything else
    raise NotImplementedError("move")


if __name__ == "__main__":
    from katas.given import data

    best = pick_device()
    for tensor in move_batch(data.sine_bands(), best):
        print(tuple(tensor.shape), tensor.dtype, tensor.device)
