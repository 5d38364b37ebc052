"""For k17: answers to points of three classes, scikit-learn's figures for them, and those that
get_metrics returned.
"""

from collections.abc import Mapping

import torch
from sklearn.metrics import precision_recall_fscore_support
from torch import Tensor

from tests import expect


def answers() -> tuple[Tensor, Tensor, tuple[str, ...]]:
    """Ten points of three classes and answers to them, some wrong; no two figures are alike."""
    y_true = torch.tensor([0, 0, 0, 0, 0, 1, 1, 1, 2, 2])
    y_pred = torch.tensor([0, 0, 0, 1, 2, 1, 1, 0, 2, 2])
    return y_true, y_pred, ("a", "b", "c")


def sklearn(y_true: Tensor, y_pred: Tensor, average: str | None) -> Tensor:
    """Precision, recall and f1; with average=None for each class, and its number of points as a
    fourth row.
    """
    rows = precision_recall_fscore_support(y_true, y_pred, average=average)
    return torch.tensor(
        [list(row) if average is None else row for row in rows[: 4 if average is None else 3]]
    )


def figures(metrics: Mapping[str, object], *path: str) -> Tensor:
    """The four figures found at this place in what get_metrics returned."""
    place = " → ".join(path)
    for key in path:
        likely = (
            "`return` is missing"
            if metrics is None
            else "the parts are called overall and class, the classes by their names"
        )
        there = isinstance(metrics, dict) and key in metrics
        expect.that(
            there,
            f"get_metrics: nothing under {place}.",
            seen=metrics,
            expected=f"a dict with {key!r}",
            likely=likely,
        )
        metrics = metrics[key]
    names = ("precision", "recall", "f1", "num_samples")
    right = (
        isinstance(metrics, dict)
        and set(metrics) == set(names)
        and all(isinstance(value, float) for value in metrics.values())
    )
    likely = "another name, or a number that is no float: float(...) makes one"
    expect.that(
        right,
        f"get_metrics: other figures under {place}.",
        seen=metrics,
        expected=f"floats for {names}",
        likely=likely,
    )
    return torch.tensor([float(metrics[name]) for name in names])
