"""Tensors: making and combining them, and the way from NumPy and back.

A tensor is a table of numbers with any number of dimensions. All its numbers
have one dtype. Unless you name one, torch chooses: float32 if a list has a
decimal point anywhere, int64 if it has none. NumPy makes float64 of decimals.

+, -, * and / work entry by entry. Shapes are compared from the right, and a
size that is 1 or missing is stretched to fit. This is called broadcasting:

    (3, 1) + (1, 4)  ->  (3, 4)    a column and a row make a table
    (5, 2) - (2,)    ->  (5, 2)    one row, used for all 5
    (5, 2) / (5, 1)  ->  (5, 2)    one column, used for both
    (5, 2) / (5,)    ->  error     from the right, 2 meets 5

The matrix product @ is different: it adds up products, as row @ column does.
mean(dim=0) goes down the rows and leaves one number for each column, (d,).
sum(dim=1, keepdim=True) leaves one number for each row, as a column (n, 1).

Data usually arrives as NumPy arrays. Three things can go wrong silently:

- the dtype. NumPy makes float64, and the layers of torch.nn want float32.
- the shape. Labels (n,) next to outputs (n, 1) are broadcast to (n, n).
- the memory. torch.from_numpy and Tensor.numpy share it with the array.

What to do: make and combine tensors, solve four puzzles in a line each, and
write three conversions that copy. `python -m katas.k01_tensors` tries them.

Tasks: make, combine, puzzles, to_tensors, to_class_indices, to_numpy.
Builds on: nothing.   Source: deep.TEACHING, "Neural Network with PyTorch";
    "Lecture 4: Introduction to Pytorch & Neural Networks".
"""

import numpy as np
import torch
from torch import Tensor


def make(numbers: list[float] | list[int], shape: tuple[int, ...]) -> dict[str, Tensor]:
    """Five tensors in the dtype that torch chooses by itself, on the CPU.

    Args:
        numbers: n of them, with decimal points or without.
        shape: one size or more, such as (2, 3).

    Returns:
        A dict of
        "numbers": the list as a tensor (n,), float32 or int64;
        "zeros" and "ones": float32 tensors of this shape, filled with 0 and with 1;
        "uniform": a float32 tensor of this shape with random numbers from 0 to 1, all equally
            likely, new ones in each call;
        "normal": likewise, with standard normal random numbers.
    """
    # TODO make: torch has a function for each of the five
    raise NotImplementedError("make")


def about(tensor: Tensor) -> tuple[torch.dtype, tuple[int, ...], int]:
    """The dtype of a tensor, its shape as a tuple, and its number of dimensions: 2 for a table, 0
    for a single number. The tensor may be on any device.
    """
    # TODO make: the tensor knows all three
    raise NotImplementedError("make")


def combine(row: Tensor, column: Tensor) -> dict[str, Tensor]:
    """A row and a column, combined in three ways.

    Args:
        row: (1, n) float32.
        column: (n, 1) float32, on the same device. The results lie there, too.

    Returns:
        A dict of
        "sums": (n, n), at row i and column j the column's entry i plus the row's entry j;
        "products": (n, n), likewise the product of the two;
        "matrix_product": (1, 1), the matrix product of the row and the column, in this order.
    """
    # TODO combine: one operator for each; the first two use broadcasting
    raise NotImplementedError("combine")


def cross(table: Tensor, number: int) -> tuple[Tensor, Tensor]:
    """One row and one column of a table.

    Args:
        table: (rows, columns), any dtype, on any device.
        number: which row and which column, counted from 0; -1 is the last.

    Returns:
        The row, (columns,), and the column, (rows,): both with a single dimension.
    """
    # TODO combine: index the rows, then the columns; a colon stands for all of them
    raise NotImplementedError("combine")


def centered(table: Tensor) -> Tensor:
    """Puzzle 1: each column minus its own mean, so that every column has the mean 0.

    The puzzles need no loop. Each result lies on the device of what was given.

    Args:
        table: (n, d) float32.

    Returns:
        (n, d) float32. For [[1, 10], [3, 30]] that is [[-1, -10], [1, 10]].
    """
    # TODO puzzles: one line; which shape do the means have?
    raise NotImplementedError("puzzles")


def shares(table: Tensor) -> Tensor:
    """Puzzle 2: each number as a share of its row, so that every row adds up to 1.

    Args:
        table: (n, d) float32, all numbers above 0.

    Returns:
        (n, d) float32. For [[1, 3], [2, 2]] that is [[0.25, 0.75], [0.5, 0.5]].
    """
    # TODO puzzles: one line; which shape do the sums need?
    raise NotImplementedError("puzzles")


def gaps(numbers: Tensor) -> Tensor:
    """Puzzle 3: how far each number is from each other one.

    Args:
        numbers: (n,) float32.

    Returns:
        (n, n) float32, at row i and column j the distance between numbers i and j, never below 0.
        For [1, 4, 6] the first row is [0, 3, 5].
    """
    # TODO puzzles: one line; how does every number meet every other?
    raise NotImplementedError("puzzles")


def one_hot(labels: Tensor, classes: int) -> Tensor:
    """Puzzle 4: class numbers as rows that have a 1 at the class and 0 everywhere else.

    Args:
        labels: (n,) int64, from 0 to classes - 1.
        classes: how many classes there are.

    Returns:
        (n, classes) float32. For labels [2, 0] and 3 classes that is [[0, 0, 1], [1, 0, 0]].
    """
    # TODO puzzles: one line; how are all labels compared with all classes?
    raise NotImplementedError("puzzles")


def to_tensors(features: np.ndarray, labels: np.ndarray) -> tuple[Tensor, Tensor]:
    """The arrays of a data set as float32 tensors, with the labels as a column. Try it on
    `katas.given.data.sine_bands_arrays()`.

    Args:
        features: (n, d), any float or integer dtype.
        labels: (n,), any float or integer dtype.

    Returns:
        features (n, d) and labels (n, 1), both float32 and on the CPU. Each has memory of its own:
        a later change of the arrays does not change the tensors.
    """
    # TODO to_tensors: copy both into tensors of dtype float32, and make the labels a
    #     column
    raise NotImplementedError("to_tensors")


def to_class_indices(labels: np.ndarray) -> Tensor:
    """Labels 0, 1, 2 ... as the class numbers that nn.CrossEntropyLoss takes.

    Args:
        labels: (n,) or (n, 1), any float or integer dtype, whole numbers.

    Returns:
        (n,) int64, on the CPU, with memory of its own.
    """
    # TODO to_class_indices: copy into a tensor of dtype int64 and shape (n,)
    raise NotImplementedError("to_class_indices")


def to_numpy(tensor: Tensor) -> np.ndarray:
    """A tensor as an array. Tensor.numpy() alone refuses a tensor that records gradients (see k03)
    or lies on a GPU.

    Args:
        tensor: any shape, dtype and device, recording gradients or not. It stays as it is.

    Returns:
        An array of the same shape and dtype, with memory of its own: a later change of one does
        not change the other.
    """
    # TODO to_numpy: detach it, bring it to the CPU, make an array, copy that
    raise NotImplementedError("to_numpy")


if __name__ == "__main__":
    from katas.given import data

    for name, made in make([1, 2, 3], (2, 3)).items():
        print(name, *about(made), made.tolist())
    row, column = torch.tensor([[1.0, 2.0, 4.0]]), torch.tensor([[10.0], [20.0], [70.0]])
    table = combine(row, column)["products"]
    print("the table of products:", table, sep="\n")
    print("its first row and column:", *cross(table, 0))
    print("each column minus its mean:", centered(table), sep="\n")
    sums = combine(row, column)["sums"]
    print("each row of the sums as shares that add up to 1:", shares(sums), sep="\n")
    print("the gaps of its first row:", gaps(table[0]), sep="\n")
    print("one-hot rows of the classes 2, 0, 1:", one_hot(torch.tensor([2, 0, 1]), 3), sep="\n")
    features, labels = to_tensors(*data.sine_bands_arrays())
    print("features", tuple(features.shape), "and labels", tuple(labels.shape))
    print("their class numbers:", to_class_indices(to_numpy(labels)))
