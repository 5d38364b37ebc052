"""Tensors: making them, combining them, and the way from NumPy to PyTorch and
back.

A tensor is a table of numbers with any number of dimensions. It has one dtype
for all of them, and unless you name one, torch chooses: float32 if a list has
a decimal point anywhere, int64 if it has none. NumPy would take float64.

Tables are combined entry by entry (+, *), and what has size 1 is stretched to
fit: a row (1, n) and a column (n, 1) give a whole table (n, n). The matrix
product row @ column is another thing: the sum of the n products, here of shape
(1, 1).

Data usually arrives as NumPy arrays, and PyTorch works on tensors. On the way
three things can go wrong without a sound:

- the dtype. NumPy makes float64, the layers of torch.nn hold float32, and the
  two don't mix. Class numbers are int64.
- the shape. A network with one output gives a column (n, 1). Labels of shape
  (n,) next to it are stretched to (n, n).
- the memory. torch.from_numpy and Tensor.numpy share it: a change on one side
  shows on the other.

And a tensor that records gradients, or lies on a GPU, can't become an array
before it is detached and on the CPU.

What to do: some tensors, some tables, and three conversions that get all of it
right. A conversion gives a copy: whoever changes the result leaves the
original alone, and the other way round. Try them on
`katas.given.data.sine_bands_arrays()`.

Tasks: make, combine, to_tensors, to_class_indices, to_numpy.
Builds on: nothing, this is the beginning.
Source: deep.TEACHING, "Neural Network with PyTorch"; "Lecture 4: Introduction
    to Pytorch & Neural Networks".
"""

import numpy as np
import torch
from torch import Tensor


def make(numbers: list[float] | list[int], shape: tuple[int, ...]) -> dict[str, Tensor]:
    """Five tensors, all in the dtype that torch chooses by itself, and on the CPU.

    Args:
        numbers: n of them, with decimal points or without.
        shape: any number of sizes, such as (2, 3).

    Returns:
        "numbers": (n,), those of the list, float32 or int64;
        "zeros" and "ones": nothing but 0 and nothing but 1, of the shape, float32;
        "uniform": of the shape, float32, random numbers from 0 up to 1, all equally likely;
        "normal": of the shape, float32, random numbers of the standard normal distribution.
    """
    # TODO make: torch has a function for each of the five
    raise NotImplementedError("make")


def about(tensor: Tensor) -> tuple[torch.dtype, tuple[int, ...], int]:
    """The dtype of a tensor, its shape as a plain tuple, and its number of dimensions: 2 for a
    table, 0 for a single number.
    """
    # TODO make: the tensor knows all three
    raise NotImplementedError("make")


def combine(row: Tensor, column: Tensor) -> dict[str, Tensor]:
    """A row and a column, combined in three ways.

    Args:
        row: (1, n) float32.
        column: (n, 1) float32, on the same device, as the results are.

    Returns:
        "sums": (n, n), at row i and column j the column's entry i plus the row's entry j;
        "products": (n, n), likewise their product;
        "matrix_product": (1, 1), the matrix product of the row and the column, in this order.
    """
    # TODO combine: an operator for each; the first two stretch
    raise NotImplementedError("combine")


def cross(table: Tensor, number: int) -> tuple[Tensor, Tensor]:
    """One row and one column of a table.

    Args:
        table: (rows, columns), any dtype.
        number: of the row and of the column, from 0; -1 is the last.

    Returns:
        The row, (columns,), and the column, (rows,): both with a single dimension.
    """
    # TODO combine: index the rows, then the columns; a colon stands for all of them
    raise NotImplementedError("combine")


def to_tensors(features: np.ndarray, labels: np.ndarray) -> tuple[Tensor, Tensor]:
    """Turn the arrays of a data set into float32 tensors, with the labels as a column.

    Args:
        features: (n, d), any float or integer dtype.
        labels: (n,), any float or integer dtype.

    Returns:
        features (n, d) and labels (n, 1), both float32, both on the CPU, with a memory of their
        own.
    """
    # TODO to_tensors: copy both into tensors of dtype float32, and make the labels a
    #     column
    raise NotImplementedError("to_tensors")


def to_class_indices(labels: np.ndarray) -> Tensor:
    """Turn labels 0, 1, 2 ... into the class numbers that nn.CrossEntropyLoss takes.

    Args:
        labels: (n,) or (n, 1), any float or integer dtype, whole numbers.

    Returns:
        (n,) int64, on the CPU, with a memory of its own.
    """
    # TODO to_class_indices: copy into a tensor of dtype int64, as a flat row
    raise NotImplementedError("to_class_indices")


def to_numpy(tensor: Tensor) -> np.ndarray:
    """Turn a tensor into an array, whether or not it records gradients and wherever it lies.

    Args:
        tensor: any shape, dtype and device.

    Returns:
        An array of the same shape and dtype, with a memory of its own. The tensor still records
        gradients if it did.
    """
    # TODO to_numpy: detach, bring to the CPU, turn into an array, copy
    raise NotImplementedError("to_numpy")


if __name__ == "__main__":
    from katas.given import data

    for name, made in make([1, 2, 3], (2, 3)).items():
        print(name, *about(made), made.tolist())
    table = combine(torch.tensor([[1.0, 2.0, 3.0]]), torch.tensor([[10.0], [20.0], [30.0]]))[
        "products"
    ]
    print(table, *cross(table, 0), f"mean {table.mean()}, sum {table.sum()}", sep="\n")
    features, labels = to_tensors(*data.sine_bands_arrays())
    print(tuple(features.shape), tuple(labels.shape), to_class_indices(to_numpy(labels)))
