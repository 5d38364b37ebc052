"""Data pipeline: from raw rows to something a network can learn from.

Five steps lie between a file of measurements and a training, and each can
spoil all that follows:

    read         a line per row; the first line names the columns, the
                 last column holds the class
    split        70 % to train on, 15 % to validate (to choose between
                 models), 15 % to test (once, at the end)
    encode       class names become numbers: the first name in the
                 alphabet is 0, the next 1, and so on
    standardize  x := (x - mean) / std, feature by feature, so that no feature
    weighs more because its unit is small
    weigh        class weights 1 / count let rare classes count as much
                 as common ones

The table is often sorted by class, so the split shuffles. It is stratified:
each part has the classes in the proportions of the whole. Every row lands in
exactly one part, and takes its label along. Other shares are common too, such
as 80 % and 20 % where nothing has to be chosen and there is no part to
validate.

Validation and test data stand for points that nobody has seen yet. Whatever is
learned from data is therefore learned from the training part alone, mean, std
and class names included, and then applied to the others. Standardized by the
training's mean and std, the test part has a mean near 0 and a std near 1, not
exactly: -0.2 and 0.8 are as they should be. A feature that is the same in all
training rows has std 0 and can't be divided by it: divide by 1 instead, as
scikit-learn does.

What to do: the five steps, with NumPy or scikit-learn; a seed makes the split
repeatable. `python -m katas.k16_data_pipeline` runs the spiral through them.

Tasks: read, split, encode, standardize, weights.
Builds on: k01_tensors.
Source: Made With ML, "Neural Networks".
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
    """Read a table from a CSV file: a line with the names of the columns, then a line for each row,
    commas in between.

    Args:
        path: of the file. Its last column holds the class of a row, all columns before it hold
            numbers.
        rows: how many to keep, the first ones, for a look at them; all of them if None.

    Returns:
        names of all columns, features (n, d) float64, labels (n,) of texts.
    """
    # TODO read: part the first line from the others; of each other line, the last entry
    #     from those before it
    raise NotImplementedError("read")


def split(
    features: np.ndarray,
    labels: np.ndarray,
    seed: int = 1234,
    shares: Sequence[float] = (0.7, 0.15, 0.15),
) -> tuple[np.ndarray, ...]:
    """Shuffle the rows and part them, stratified by their labels.

    Args:
        features: (n, d).
        labels: (n,), names or numbers.
        seed: the same seed gives the same parts.
        shares: of the rows, for each part; two or more, which add up to 1. Give or take a row per
            class and part.

    Returns:
        x_train, x_val, x_test, y_train, y_val, y_test, in this order; rows of features, and their
        labels. With other shares as many x as there are shares, then as many y.
    """
    # TODO split: cut off one part after the other, each time stratified by the labels
    #     that are left; the last part
    #     is what remains
    raise NotImplementedError("split")


def encode(
    labels: Sequence[str] | np.ndarray, classes: Sequence[str] | None = None
) -> tuple[np.ndarray, list[str]]:
    """Class numbers for class names.

    Args:
        labels: (n,) names.
        classes: the names in the order of their numbers, as found in the training part; None to
            find them in labels, sorted.

    Returns:
        numbers (n,) int64, and the classes: classes[number] is the name.

    Raises:
        ValueError: a label is not among the classes.
    """
    # TODO encode: with classes=None take the sorted names, each once; then each label's
    #     place among the classes
    raise NotImplementedError("encode")


def standardize(train: np.ndarray, *others: np.ndarray) -> tuple[np.ndarray, ...]:
    """(x - mean) / std, feature by feature, with the mean and std of `train` for all; 1 in the
    place of a std of 0.

    Args:
        train: (n, d), the training part; std is np.std, the square root of the mean squared
            deviation.
        others: arrays (m, d), as many as there are, also none.

    Returns:
        train and the others, standardized, in their order. The originals stay as they were.
    """
    # TODO standardize: fit a scaler (or take mean and std) on train alone, and apply it
    #     to every array
    raise NotImplementedError("standardize")


def class_weights(labels: np.ndarray) -> Tensor:
    """The weight of each class for nn.CrossEntropyLoss(weight=...).

    Args:
        labels: (n,) int64, numbers of classes; each from 0 to the largest occurs.

    Returns:
        (number of classes,) float32 on the CPU: 1 / count, at the place of the class's number.
    """
    # TODO weights: count each number, and give 1 / count as a float32 tensor
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
