"""Tables of data that are split: made-up ones, and the parts that a split gives, by name."""

import numpy as np

from tests import returned

PARTS = ("x_train", "x_val", "x_test", "y_train", "y_val", "y_test")
COUNTS = {"c": 140, "a": 40, "b": 20}


def table() -> tuple[np.ndarray, np.ndarray]:
    """200 rows sorted by class: 140 "c", 40 "a", 20 "b". The first feature is the row's number."""
    return np.stack([np.arange(200.0), np.sin(np.arange(200))], axis=1), np.repeat(
        list(COUNTS), list(COUNTS.values())
    )


def measured() -> tuple[np.ndarray, np.ndarray]:
    """Two features of unlike size: 12 training rows and 5 others, from elsewhere."""
    random = np.random.default_rng(5)
    return random.normal([3, -200], [0.5, 40], (12, 2)), random.normal([4, -100], [2, 10], (5, 2))


def standardized(part: np.ndarray, train: np.ndarray) -> np.ndarray:
    """The part by the mean and standard deviation of the training part."""
    return (part - train.mean(axis=0)) / train.std(axis=0)


def split(kata, features, labels, names=PARTS, **arguments) -> dict[str, np.ndarray]:
    """The learner's parts by name."""
    parts = returned.several(
        kata.split(features, labels, **arguments), len(names), "split", ", ".join(names)
    )
    return dict(zip(names, parts, strict=True))


def standardize(kata, *parts) -> tuple[np.ndarray, ...]:
    """The learner's standardized parts, the training part first."""
    return returned.several(
        kata.standardize(*parts), len(parts), "standardize", "one array for each that came in"
    )


def why_unproportional(seen: list[int], expected: list[int]) -> str:
    """The likely cause where a part has other numbers of the classes."""
    if abs(sum(seen) - sum(expected)) > len(expected):
        return "the part has another size: how many rows it takes comes first, and then which"
    return "the split is not stratified: train_test_split(..., stratify=labels), both times"


def mistakes(part: np.ndarray, train: np.ndarray, both: np.ndarray) -> dict[str, np.ndarray]:
    """What known mistakes make of a part: likely cause → the array that it gives."""
    mean, std = train.mean(axis=0), train.std(axis=0)
    return {
        "mean and std are those of all parts together: the training must not know the others": (
            standardized(part, both)
        ),
        "the other part is standardized by its own mean and std: use those of train": standardized(
            part, part
        ),
        "only the mean is subtracted: divide by the standard deviation": part - mean,
        "it is divided by the variance: std is its square root": (part - mean) / std**2,
        "the mean is not subtracted": part / std,
        "one mean and std for all features: each has its own, axis=0": (
            (part - train.mean()) / train.std()
        ),
        "this is the std with n - 1: np.std divides by n": (
            (part - mean) / train.std(axis=0, ddof=1)
        ),
    }
