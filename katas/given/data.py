"""The data of the katas. Nothing here is yours to solve; read it to know what you work with.

Every function gives new tensors or arrays on each call, and the same numbers for the same seed.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from sklearn.datasets import make_moons
from torch import Tensor


def sine_bands_arrays() -> tuple[np.ndarray, np.ndarray]:
    """Two bands along a sine curve, as NumPy makes them.

    Returns:
        features: (25, 2) float64, the coordinates x1 and x2; labels: (25,) float64, ten 0s, then
            fifteen 1s.

    Class 0 lies on x2 = sin(x1), class 1 on x2 = sin(x1) + 1. No straight line separates them.
    Source: deep.TEACHING, "Neural Network with PyTorch".
    """
    x1 = np.concatenate([np.linspace(-5, 5, 10), np.linspace(-4.5, 4.8, 15)])
    labels = np.repeat([0.0, 1.0], [10, 15])
    return np.stack([x1, np.sin(x1) + labels], axis=1), labels


def sine_bands() -> tuple[Tensor, Tensor]:
    """The two sine bands as tensors: features (25, 2) and labels (25, 1), both float32."""
    features, labels = sine_bands_arrays()
    return torch.tensor(features, dtype=torch.float32), torch.tensor(
        labels, dtype=torch.float32
    ).reshape(-1, 1)


def sine_curves(points: int = 200) -> list[Tensor]:
    """The curves that the two sine bands lie on, class 0's and class 1's: each (points, 2) float32,
    from x1 = -5 to 5.
    """
    x1 = torch.linspace(-5, 5, points)
    return [torch.stack([x1, torch.sin(x1) + label], dim=1) for label in (0, 1)]


def parallel_lines() -> tuple[Tensor, Tensor]:
    """Two bands along parallel straight lines: features (25, 2) and labels (25, 1), both float32.

    Class 0, ten points, lies on x2 = 2 - 2 * x1, class 1, fifteen points, on x2 = 4 - 2 * x1. The
    x1 are those of sine_bands. Source: deep.TEACHING, "Neural Network with PyTorch".
    """
    bands, labels = sine_bands()
    x1 = bands[:, :1]
    return torch.cat([x1, 2 - 2 * x1 + 2 * labels], dim=1), labels


def spiral_arrays(points_per_class: int = 500, seed: int = 1234) -> tuple[np.ndarray, np.ndarray]:
    """Three arms that wind around each other.

    Returns:
        features: (3 * points_per_class, 2) float64; labels: as many strings "c1", "c2", "c3", in
            this order.

    Along arm j (0, 1, 2) the radius grows from 0 to 1 and the angle from 4j to 4(j + 1), blurred by
    a standard normal random number times 0.2. Source: the data of Made With ML, "Neural Networks",
    after the spiral of Stanford's CS231n.
    """
    random = np.random.default_rng(seed)
    radius = np.linspace(0, 1, points_per_class)
    arms = []
    for arm in range(3):
        angle = np.linspace(
            4 * arm, 4 * (arm + 1), points_per_class
        ) + 0.2 * random.standard_normal(points_per_class)
        arms.append(np.stack([radius * np.sin(angle), radius * np.cos(angle)], axis=1))
    return np.concatenate(arms), np.repeat(["c1", "c2", "c3"], points_per_class)


@dataclass(frozen=True)
class Split:
    """Features (n, d) float32 and class numbers (n,) int64 of one part of the data."""

    features: Tensor
    labels: Tensor


@dataclass(frozen=True)
class Spiral:
    """The spiral, ready for training: parts of 70, 15 and 15 %, stratified, standardized by the
    training part.

    mean and std, both (2,) float32, are those of the training part before standardizing; classes
    names the classes by number; class_weights, (3,) float32, is 1 / (training points of the class).
    """

    train: Split
    validation: Split
    test: Split
    mean: Tensor
    std: Tensor
    classes: tuple[str, ...]
    class_weights: Tensor


def spiral(seed: int = 1234) -> Spiral:
    """The spiral of 3 x 500 points as kata k17 uses it: 1050 points to train on, 225 to validate,
    225 to test.
    """
    features, names = spiral_arrays(seed=seed)
    classes, labels = np.unique(names, return_inverse=True)
    random = np.random.default_rng(seed)
    parts: list[list[np.ndarray]] = [[], [], []]
    for number in range(len(classes)):
        members = random.permutation(np.flatnonzero(labels == number))
        for part, chosen in zip(parts, np.split(members, [350, 425]), strict=True):
            part.append(chosen)
    train, validation, test = (random.permutation(np.concatenate(part)) for part in parts)
    mean, std = features[train].mean(axis=0), features[train].std(axis=0)

    def split(rows: np.ndarray) -> Split:
        standardized = torch.tensor((features[rows] - mean) / std, dtype=torch.float32)
        return Split(standardized, torch.tensor(labels[rows], dtype=torch.int64))

    counts = np.bincount(labels[train])
    return Spiral(
        train=split(train),
        validation=split(validation),
        test=split(test),
        mean=torch.tensor(mean, dtype=torch.float32),
        std=torch.tensor(std, dtype=torch.float32),
        classes=tuple(str(name) for name in classes),
        class_weights=torch.tensor(1 / counts, dtype=torch.float32),
    )


def nonsense(seed: int = 1234) -> tuple[Split, Split]:
    """Points of three classes that have nothing to do with where the points lie: 105 to train on,
    900 to test.

    The points are uniform in a square and standardized by the training part; all classes are
    equally common. On the test part no model can do better than chance, one third. Source: Made
    With ML, "Neural Networks", which tests on 23 points.
    """
    random = np.random.default_rng(seed)
    train, test = random.random((105, 2)), random.random((900, 2))
    mean, std = train.mean(axis=0), train.std(axis=0)

    def split(features: np.ndarray) -> Split:
        labels = torch.arange(3).repeat_interleave(len(features) // 3)
        return Split(torch.tensor((features - mean) / std, dtype=torch.float32), labels)

    return split(train), split(test)


def wide_circles() -> tuple[Tensor, Tensor]:
    """Two rings of 300 points, one of half the other's radius, blurred so that they nearly touch.

    Returns:
        features (300, 2) float32 and labels (300, 1) float32: 1 for the inner ring, 0 for the outer
        one.

    The same points as sklearn.datasets.make_circles(n_samples=300, factor=0.5, noise=0.1,
    random_state=2020).
    Source: "Lecture 4: Introduction to Pytorch & Neural Networks".
    """
    return _circles(points=300, factor=0.5, noise=0.1, seed=2020)


def close_circles() -> tuple[Tensor, Tensor]:
    """Two rings of 1000 points, close together and sharp. The last 200 points are meant for
    testing.

    Returns:
        features (1000, 2) float32 and labels (1000, 1) float32: 1 for the inner ring, 0 for the
        outer one.

    The same points as sklearn.datasets.make_circles(n_samples=1000, noise=0.03, random_state=448).
    Source: "Session 3: Non-linear data with Neural Networks".
    """
    return _circles(points=1000, factor=0.8, noise=0.03, seed=448)


def blobs() -> tuple[Tensor, Tensor]:
    """Four round clouds of 50 points each, in no order.

    Returns:
        features (200, 2) float32 and labels (200,) int64, the cloud's number from 0 to 3.

    The same points as sklearn.datasets.make_blobs(n_samples=200, centers=4, center_box=(-1.2, 1.2),
    cluster_std=0.15, random_state=12345). Source: "Lecture 4: Introduction to Pytorch & Neural
    Networks".
    """
    random = np.random.RandomState(12345)
    centers = random.uniform(-1.2, 1.2, size=(4, 2))
    features = np.concatenate([random.normal(center, 0.15, size=(50, 2)) for center in centers])
    labels, order = np.repeat(np.arange(4), 50), np.arange(200)
    random.shuffle(order)
    return torch.tensor(features[order], dtype=torch.float32), torch.tensor(
        labels[order], dtype=torch.int64
    )


def _circles(points: int, factor: float, noise: float, seed: int) -> tuple[Tensor, Tensor]:
    """Half of the points on a ring of radius 1, half on one of radius `factor`, shuffled, then
    blurred.
    """
    random = np.random.RandomState(seed)
    angle = np.linspace(0, 2 * np.pi, points // 2, endpoint=False)
    ring = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    order = np.arange(points)
    random.shuffle(order)
    features = np.concatenate([ring, factor * ring])[order] + random.normal(
        scale=noise, size=(points, 2)
    )
    labels = np.repeat([0.0, 1.0], points // 2)[order]
    return torch.tensor(features, dtype=torch.float32), torch.tensor(
        labels, dtype=torch.float32
    ).reshape(-1, 1)


def linear_arrays(num_features: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Noisy points along a straight line (one feature) or a plane (more of them).

    Returns:
        features: (500, num_features) float64, standard normal random numbers; targets: (500,)
        float64.

    The targets are a weighted sum of the features plus normal noise with standard deviation 10.
    Source: "Lecture 4: Introduction to Pytorch & Neural Networks" (make_regression of scikit-learn,
        random_state=0).
    """
    from sklearn.datasets import make_regression

    return make_regression(n_samples=500, n_features=num_features, random_state=0, noise=10.0)


def linear(num_features: int = 1) -> tuple[Tensor, Tensor]:
    """The points of linear_arrays as tensors: features (500, num_features) and targets (500, 1),
    both float32.
    """
    features, targets = linear_arrays(num_features)
    return torch.tensor(features, dtype=torch.float32), torch.tensor(
        targets, dtype=torch.float32
    ).reshape(-1, 1)


def curve() -> tuple[Tensor, Tensor]:
    """Points on the curve y = x**2 + 15 * sin(x)**3, in ascending order of x.

    Returns:
        features x: (500, 1) float32, sorted standard normal random numbers; targets y: (500, 1)
        float32, without noise.

    Source: "Lecture 4: Introduction to Pytorch & Neural Networks".
    """
    x = np.sort(np.random.RandomState(2020).randn(500)).reshape(-1, 1)
    return torch.tensor(x, dtype=torch.float32), torch.tensor(
        x**2 + 15 * np.sin(x) ** 3, dtype=torch.float32
    )


def _square(
    targets_of: Callable[[np.ndarray, np.ndarray], np.ndarray], points: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Points drawn evenly from the square -1 <= x1, x2 <= 1, and their targets as a column, both
    float64.
    """
    features = np.random.default_rng(seed).uniform(-1, 1, size=(points, 2))
    return features, targets_of(features[:, 0], features[:, 1]).astype(np.float64).reshape(-1, 1)


def product_arrays(points: int = 2500, seed: int = 1234) -> tuple[np.ndarray, np.ndarray]:
    """Regression on a square: features (points, 2), evenly in -1 <= x1, x2 <= 1; targets (points,
    1), x1 * x2. Both float64.

    Source of this and the next two: the tutorial of trainFCNN, on fully connected networks with
    PyTorch.
    """
    return _square(lambda x1, x2: x1 * x2, points, seed)


def xor_arrays(points: int = 2500, seed: int = 1234) -> tuple[np.ndarray, np.ndarray]:
    """Two classes on the same square: 1.0 where x1 and x2 differ in sign, else 0.0. Shapes and
    dtypes as in product_arrays.
    """
    return _square(lambda x1, x2: x1 * x2 < 0, points, seed)


def quadrants_arrays(points: int = 2500, seed: int = 1234) -> tuple[np.ndarray, np.ndarray]:
    """Four classes on the same square, its quadrants: 0.0 to 3.0, 1 for x1 > 0 plus 2 for x2 >
    0.
    """
    return _square(lambda x1, x2: (x1 > 0) + 2 * (x2 > 0), points, seed)


def moons(points: int = 1000, seed: int = 448) -> tuple[Tensor, Tensor]:
    """Two half moons that reach into each other, blurred: features (points, 2) and labels (points,
    1), both float32.

    The noise makes the moons overlap: no model answers much more than 99 of 100 new points right.
    Source: the challenge of "Non-linear data with Neural Networks", made with scikit-learn's
        make_moons.
    """
    features, labels = make_moons(points, noise=0.15, random_state=seed)
    return torch.tensor(features, dtype=torch.float32), torch.tensor(
        labels, dtype=torch.float32
    ).reshape(-1, 1)
