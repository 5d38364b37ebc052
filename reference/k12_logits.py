"""Logits: scores, probabilities, answers, and what they are worth.

A network's last layer gives any number from minus to plus infinity: a score,
the logit. Three steps lead to an answer:

    logit z                  -0.4279    14.7807   -12.2642
    probability sigmoid(z)    0.3946     1.0000     4.7e-06
    label                     0          1          0

torch.round is a tempting last step, but it rounds 0.5 to 0 (halves go to the
even number).

The loss is the binary cross-entropy, -mean(y * log(p) + (1 - y) * log(1 - p)).
Written so, it breaks: the sigmoid of 10000 is 1 and of -10000 is 0 in floating
point, and log(0) is minus infinity. From the logits the same loss can be had
without harm:

    loss = mean(log(1 + exp(z)) - y * z)
    log(1 + exp(z)) = max(z, 0) + log(1 + exp(-|z|))

In the right-hand form exp gets no positive number, so nothing overflows. This
is why losses take logits (nn.BCEWithLogitsLoss) and models leave the sigmoid
out. Build it here once by hand, without torch's cross-entropies.

How good are the answers? The accuracy is the share of right ones. If 95 of 100
people are healthy, "healthy" for everybody is 95 % accurate and finds nobody
who is ill. F1 looks at class 1 alone: f1 = 2 TP / (2 TP + FP + FN), with TP
the 1s that were found, FP the 0s that were called 1 and FN the 1s that were
missed. It is 0 for the model that always says 0.

What to do: from logits to labels, the loss, the two figures.

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
        logits: any shape, float32, however large.

    Returns:
        The same shape, on the same device, each number from 0 to 1; gradients flow through it.
    """
    # BEGIN SOLUTION probabilities: the sigmoid of every logit
    return torch.sigmoid(logits)
    # END SOLUTION


def to_labels(logits: Tensor) -> Tensor:
    """The answer for each example: 1 where its probability is at least 0.5, otherwise 0.

    Args:
        logits: (n, 1) or (n,), raw scores; n may be 1.

    Returns:
        (n,) int64, on the same device.
    """
    # BEGIN SOLUTION labels: compare, drop the extra dimension, make whole numbers of it
    return (logits >= 0).reshape(-1).to(torch.int64)
    # END SOLUTION


def bce_with_logits(logits: Tensor, targets: Tensor) -> Tensor:
    """The binary cross-entropy of logits, by the stable formula of the lesson.

    Args:
        logits: any shape, float32, however large.
        targets: the same shape, on the same device, float32, each from 0 to 1.

    Returns:
        A tensor with a single number (shape ()) there, the mean over all entries; gradients flow
        through it.

    Raises:
        ValueError: the shapes differ. (n, 1) and (n,) would otherwise be stretched to (n, n).
    """
    # BEGIN SOLUTION loss: refuse other shapes; then mean(log(1 + exp(z)) - y * z), where exp never
    #     gets a positive number
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
        y_true: the right labels 0 or 1, (n,) or (n, 1), any dtype and device.
        y_pred: the answers, likewise, and on the same device; the two need not have the same of
            these shapes.

    Returns:
        A plain number from 0 to 1.
    """
    # BEGIN SOLUTION figures: flatten both, compare, take the mean
    return (y_true.flatten() == y_pred.flatten()).float().mean().item()
    # END SOLUTION


def f1(y_true: Tensor, y_pred: Tensor) -> float:
    """The F1 score of class 1. Arguments as in accuracy.

    Returns:
        A plain number from 0 to 1; 0.0 where neither the labels nor the answers have a 1.
    """
    # BEGIN SOLUTION figures: count TP, FP and FN; mind the division by zero
    right, said = y_true.flatten() == 1, y_pred.flatten() == 1
    found, false_alarms, missed = (right & said).sum(), (~right & said).sum(), (right & ~said).sum()
    whole = 2 * found + false_alarms + missed
    return (2 * found / whole).item() if whole else 0.0
    # END SOLUTION


if __name__ == "__main__":
    from katas.given import data

    points, classes = data.sine_bands()
    scores = points[:, 1:]  # how high a point lies, taken for a logit
    labels = to_labels(scores)
    print("probabilities:", to_probabilities(scores)[:3].flatten().tolist(), "...")
    print(f"loss {bce_with_logits(scores, classes):.4f}, F1 {f1(classes, labels):.2f}")
    print(f"{accuracy(classes, labels):.0%} of the points lie on the right side")
