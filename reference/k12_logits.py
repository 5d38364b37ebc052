"""Logits: scores, probabilities, answers, and what they are worth.

A network's last layer can give any number. This score is called the logit:

    logit z                       -0.4279     14.7807    -12.2642
    probability sigmoid(z)         0.3946      1.0000     4.7e-06
    label: 1 from 0.5 up           0           1          0

The binary cross-entropy of k06 can break: in float32, sigmoid(-200) is 0, and
log(0) is minus infinity. Computed from the logits, the same loss is safe:

    loss = mean(log(1 + exp(z)) - y * z)
    log(1 + exp(z)) = max(z, 0) + log(1 + exp(-|z|))

On the right, exp never gets a positive number, so nothing overflows. This is
why losses take logits (nn.BCEWithLogitsLoss) and models leave the sigmoid out.

How good are the answers? Accuracy is the share of right ones. If 95 of 100
people are healthy, a model that calls everyone healthy has 95 % accuracy and
finds nobody who is ill. F1 looks at class 1 alone, and is 0 for that model:

    F1 = 2 TP / (2 TP + FP + FN)        TP: 1s that were found
    FP: 0s that were called 1           FN: 1s that were missed

What to do: five functions. `python -m katas.k12_logits` shows what they give.

Tasks: probabilities, labels, loss, figures.
Builds on: k01_tensors, k06_logistic_regression.
Source: "Lecture 4: Introduction to Pytorch & Neural Networks"; "Session 3:
    Non-linear data with Neural Networks".
"""

import torch
from torch import Tensor


def to_probabilities(logits: Tensor) -> Tensor:
    """The probability of class 1 for each logit.

    Args:
        logits: any shape, float32; the numbers may be huge.

    Returns:
        The same shape, on the same device, each number finite and from 0 to 1. Gradients flow
        through it, and are finite for every logit.
    """
    # BEGIN SOLUTION probabilities: the sigmoid of every logit
    return torch.sigmoid(logits)
    # END SOLUTION


def to_labels(logits: Tensor) -> Tensor:
    """The answer for each example: 1 where its probability is at least 0.5, and 0 elsewhere.

    torch.round would turn a probability of exactly 0.5 into 0.

    Args:
        logits: (n, 1) or (n,), raw scores; n may be 1.

    Returns:
        (n,) int64, on the same device.
    """
    # BEGIN SOLUTION labels: compare, drop the extra dimension, turn the answers into whole numbers
    return (logits >= 0).reshape(-1).to(torch.int64)
    # END SOLUTION


def bce_with_logits(logits: Tensor, targets: Tensor) -> Tensor:
    """The binary cross-entropy of logits, by the safe formula of the lesson.

    torch's own cross-entropies and soft_margin_loss are not allowed; log1p, logaddexp, softplus and
    logsigmoid are.

    Args:
        logits: any shape, float32; the numbers may be huge.
        targets: the same shape, on the same device, float32, each from 0 to 1.

    Returns:
        A tensor with a single number (shape ()), on the same device: the mean over all entries.
        Value and gradient are finite for every logit.

    Raises:
        ValueError: the shapes differ. Otherwise (n, 1) and (n,) would be broadcast to (n, n).
    """
    # BEGIN SOLUTION loss: raise the ValueError where the shapes differ; then
    #     mean(log(1 + exp(z)) - y * z), where exp never gets a positive number
    if logits.shape != targets.shape:
        raise ValueError(
            f"logits {tuple(logits.shape)} and targets {tuple(targets.shape)} differ in shape"
        )
    softplus = torch.maximum(logits, torch.zeros_like(logits)) + torch.log1p(
        torch.exp(-logits.abs())
    )
    return (softplus - targets * logits).mean()
    # END SOLUTION


def accuracy(y_true: Tensor, y_pred: Tensor) -> float:
    """The share of right answers.

    Args:
        y_true: the right labels, each 0 or 1: (n,) or (n, 1), any dtype but bfloat16, any device.
            Apple's GPUs have no float64, so do without it.
        y_pred: the answers, each 0 or 1: (n,) or (n, 1), any dtype but bfloat16, on the same
            device. One may be a column (n, 1) and the other (n,).

    Returns:
        A plain float from 0 to 1.
    """
    # BEGIN SOLUTION figures: flatten both, compare, make floats of True and False, take the mean
    return (y_true.flatten() == y_pred.flatten()).float().mean().item()
    # END SOLUTION


def f1(y_true: Tensor, y_pred: Tensor) -> float:
    """The F1 score of class 1. Arguments as in accuracy.

    Returns:
        A plain float from 0 to 1; 0.0 where neither the labels nor the answers have a 1.
    """
    # BEGIN SOLUTION figures: count TP, FP and FN; avoid a division by zero
    right, said = y_true.flatten() == 1, y_pred.flatten() == 1
    found, false_alarms, missed = (right & said).sum(), (~right & said).sum(), (right & ~said).sum()
    whole = 2 * found + false_alarms + missed
    return (2 * found / whole).item() if whole else 0.0
    # END SOLUTION


if __name__ == "__main__":
    from katas.given import data

    points, classes = data.sine_bands()
    scores = points[:, 1:]  # take the height of a point as its logit
    labels = to_labels(scores)
    print("probabilities:", to_probabilities(scores)[:3].flatten().tolist(), "...")
    print(f"loss {bce_with_logits(scores, classes):.4f}, F1 {f1(classes, labels):.2f}")
    print(f"{accuracy(classes, labels):.0%} of the points lie on the right side")
