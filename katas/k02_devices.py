"""Devices: where the numbers lie.

A GPU computes the same as the CPU, many times in parallel. PyTorch knows three
kinds of device that matter here: "cuda", the GPUs of NVIDIA; "mps", those of
Apple's processors; and "cpu", which is always there. It tells you what it
finds:

    torch.cuda.is_available()
    torch.backends.mps.is_available()

Code that asks runs everywhere; code with "cuda" written into it stops with an
error wherever there is none.

Every tensor lies on one device, tensor.device, and all that meet in a
computation have to lie on the same one. A new tensor goes there at once:
torch.rand(2, 2, 2, device=device). A tensor that exists already is sent with
to():

    tensor.to(device)      gives a tensor on that device; the first one
                           stays where it was
    model.to(device)       moves the model itself, and gives it back

So `batch = batch.to(device)` for tensors: without the assignment nothing has
happened. The model goes to the GPU once, the batches follow one by one,
because a GPU's memory seldom holds all of the data.

What to do: pick the best device there is, and send a whole batch to it. The
device "meta" comes handy for a try: it is always there, and its tensors have a
shape and a dtype but no numbers.

Tasks: pick, move.
Builds on: k01_tensors.
Source: "Lecture 4: Introduction to Pytorch & Neural Networks".
"""

import torch
from torch import Tensor


def pick_device() -> torch.device:
    """The best device of this machine, asked for anew in each call.

    Returns:
        torch.device("cuda") if there is one, otherwise torch.device("mps"), otherwise
        torch.device("cpu").
    """
    # TODO pick: ask for the one after the other
    raise NotImplementedError("pick")


def move_batch(batch: tuple | list | dict, device: torch.device) -> tuple | list | dict:
    """Send all tensors of a batch to a device.

    Args:
        batch: a tuple, a list or a dict, such as (features, labels) or {"features": ..., "names":
            [...]}, of any length. The tensors have any shape and dtype, and other things may stand
            among them.
        device: where the tensors are to go.

    Returns:
        A new tuple, list or dict, of the same kind as the batch: its tensors on the device, all
        else as it is. The batch itself still holds its own tensors, where they were.
    """

    # TODO move: a new container of the same kind, each tensor in it sent to the device,
    #     anything else as it is
    raise NotImplementedError("move")


if __name__ == "__main__":
    from katas.given import data

    best = pick_device()
    for tensor in move_batch(data.sine_bands(), best):
        print(tuple(tensor.shape), tensor.dtype, tensor.device)
