"""Data pipeline: from raw rows to something a network can learn from.

Five steps lead from a file of measurements to a training. A mistake in one of
them spoils all that follows.

    read         one line per row; the first line names the columns, the
                 last column holds the class
    split        70 % to train on, 15 % to validate (to choose between
                 models), 15 % to test (once, at the end)
    encode       class names become numbers, from 0, in alphabetical order
    standardize  x := (x - mean) / std, each feature by itself, so that no
                 feature counts more because its numbers are larger
    weigh        class weights 1 / count: rare classes count like common ones

Tables are often sorted by class, so the split shuffles the rows. It is also
stratified: every part has the classes in the proportions of the whole. Every
row goes into exactly one part and keeps its label. Other shares, such as 80 %
and 20 %, are common too.

Validation and test data stand for points that nobody has seen yet. So what is
learned from data is learned from the training part alone, even the mean, the
std and the class names. Then it is applied to the other parts. This gives the
test part a mean near 0 and a std near 1, but not exactly. A feature that is
the same in all training rows has std 0: divide it by 1, as scikit-learn does.

What to do: the five steps, with NumPy or scikit-learn. `python -m
katas.k16_data_pipeline` runs the spiral through them.

Tasks: read, split, encode, standardize, weights.
Builds on: k01_tensors.   Source: Made With ML, "Neural Networks".
"""

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import LabelEncoder, StandardScaler
from torch import Tensor


def read(path: str | Path, rows: int | None = None) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Read a table from a CSV file: first a line with the names of the columns, then one line per
    row. Commas separate the entries, and no entry contains a comma, a quote or a #.

    Args:
        path: the file. The last column holds the class of each row, the columns before it hold
            numbers.
        rows: how many rows to keep, one or more, counted from the first; None keeps all of them.

    Returns:
        The names of all columns, the features (n, d) float64, and the labels (n,) as texts.
    """
    # TODO read: take the first line as the names; in every other line the last entry is
    #     the label, and the entries before it are the features
    raise NotImplementedError("read")


def split(
    features: np.ndarray,
    labels: np.ndarray,
    seed: int = 1234,
    shares: Sequence[float] = (0.7, 0.15, 0.15),
) -> tuple[np.ndarray, ...]:
    """Shuffle the rows and divide them into parts, stratified by their labels. The arguments are
    left unchanged.

    Args:
        features: (n, d).
        labels: (n,), names or numbers.
        seed: the same seed gives the same parts, another seed gives other parts.
        shares: the share of the rows for each part; two or more numbers that sum to 1. Each part
            has this share of every class, too. Rounding may move a row of a class to another part,
            or a few rows where the last part takes what the others left.

    Returns:
        x_train, x_val, x_test, y_train, y_val, y_test, in this order: rows of features, and their
        labels. With other shares, as many x as there are shares, then as many y.
    """
    # TODO split: cut off one part after the other, each time stratified by the labels
    #     that are left; the last part is what remains
    raise NotImplementedError("split")


def encode(
    labels: Sequence[str] | np.ndarray, classes: Sequence[str] | None = None
) -> tuple[np.ndarray, list[str]]:
    """Class numbers for class names.

    Args:
        labels: (n,) names; n may be 0.
        classes: the names in the order of their numbers, as found in the training part. None
            takes the names that occur in labels, in alphabetical order.

    Returns:
        The numbers (n,) int64, and the classes, so that classes[number] is the name.

    Raises:
        ValueError: a label is not among the classes.
    """
    # TODO encode: with classes=None take each name once, sorted; then find each label's
    #     position among the classes
    raise NotImplementedError("encode")


def standardize(train: np.ndarray, *others: np.ndarray) -> tuple[np.ndarray, ...]:
    """Compute (x - mean) / std for each feature, with the mean and std of `train` for all arrays.
    Where that std is 0, divide by 1.

    Args:
        train: (n, d), the training part. The std is that of np.std, which divides by n.
        others: any number of arrays (m, d), or none.

    Returns:
        train and the others, standardized, in their order. The originals are left unchanged.
    """
    # TODO standardize: fit a scaler (or compute mean and std) on train alone, and apply
    #     it to every array
    raise NotImplementedError("standardize")


def class_weights(labels: np.ndarray) -> Tensor:
    """The weight of each class for nn.CrossEntropyLoss(weight=...).

    Args:
        labels: (n,) int64, class numbers; every number from 0 to the largest occurs.

    Returns:
        (number of classes,) float32 on the CPU: 1 / count, in the order of the class numbers.
    """
    # TODO weights: count each number, and return 1 / count as a float32 tensor
    raise NotImplementedError("weights")


if __name__ == "__main__":
    import tempfile

    from katas.given import data, plots

    points, names = data.spiral_arrays()
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "spiral.csv"
        table.write_text(
            "\n".join(
                [
                    "x1,x2,arm",
                    *(f"{x1},{x2},{name}" for (x1, x2), name in zip(points, names, strict=True)),
                ]
            )
        )
        print(*read(table, rows=5), sep="\n")
        _, points, names = read(table)
    x_train, x_val, x_test, y_train, y_val, y_test = split(points, names)
    train_numbers, known = encode(y_train)
    test_numbers, _ = encode(y_test, known)
    x_train, x_val, x_test = standardize(x_train, x_val, x_test)
    print(
        f"{len(x_train)} to train on, {len(x_val)} to validate, {len(x_test)} to test; "
        f"weights: {class_weights(train_numbers)}"
    )
    print(f"test part: mean {x_test.mean(axis=0).round(1)}, std {x_test.std(axis=0).round(1)}")
    plots.show(
        plots.plot_data(
            torch.tensor(x_train, dtype=torch.float32),
            torch.tensor(train_numbers),
            part="training part",
        ),
        plots.plot_data(
            torch.tensor(x_test, dtype=torch.float32), torch.tensor(test_numbers), part="test part"
        ),
    )
