"""Tensors: from NumPy to PyTorch and back.

Data usually arrives as NumPy arrays, and PyTorch works on tensors. On the way three things can go wrong without a sound:

- the dtype. NumPy makes float64, the layers of torch.nn hold float32, and the two don't mix. Class numbers are int64.
- the shape. A network with one output gives a column (n, 1). Labels of shape (n,) next to it are stretched to (n, n).
- the memory. torch.from_numpy and Tensor.numpy share it: a change on one side shows on the other.

And a tensor that records gradients, or lies on a GPU, can't become an array before it is detached and on the CPU.

What to do: three small conversions that get all of it right. Every one gives a copy: whoever changes the result leaves the
original alone, and the other way round. Try them on the 25 points of `katas.given.data.sine_bands_arrays()`.

Tasks: to_tensors, to_class_indices, to_numpy.   Builds on: nothing, this is the beginning.
Source: deep.TEACHING, "Neural Network with PyTorch"; "Lecture 4: Introduction to Pytorch & Neural Networks".
"""

import numpy as np
import torch
from torch import Tensor


def to_tensors(features: np.ndarray, labels: np.ndarray) -> tuple[Tensor, Tensor]:
    """Turn the arrays of a data set into float32 tensors, with the labels as a column.

    Args:
        features: (n, d), any float or integer dtype.
        labels: (n,), any float or integer dtype.

    Returns:
        features (n, d) and labels (n, 1), both float32, both with a memory of their own.
    """
    # TODO to_tensors: copy both into tensors of dtype float32, and make the labels a column
    raise NotImplementedError("to_tensors")


def to_class_indices(labels: np.ndarray) -> Tensor:
    """Turn labels 0, 1, 2 ... into the class numbers that nn.CrossEntropyLoss takes.

    Args:
        labels: (n,) or (n, 1), any float or integer dtype, whole numbers.

    Returns:
        (n,) int64, with a memory of its own.
    """
    # TODO to_class_indices: copy into a tensor of dtype int64, as a flat row
    raise NotImplementedError("to_class_indices")


def to_numpy(tensor: Tensor) -> np.ndarray:
    """Turn a tensor into an array, whether or not it records gradients and wherever it lies.

    Args:
        tensor: any shape, dtype and device.

    Returns:
        An array of the same shape and dtype, with a memory of its own. The tensor still records gradients if it did.
    """
    # TODO to_numpy: detach, bring to the CPU, turn into an array, copy
    raise NotImplementedError("to_numpy")
