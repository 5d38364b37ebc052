"""Logistic regression: how far a straight line gets.

A linear layer turns each point into a score z. The logistic function, or
sigmoid, squeezes that score into a probability:

    (x1, x2)  --linear-->  z  --sigmoid-->  y_hat  --at least 0.5?-->  0 or 1

    z = w1 * x1 + w2 * x2 + b
    y_hat = sigmoid(z) = 1 / (1 + exp(-z))

The model answers 1 where y_hat >= 0.5, which is where z >= 0. The boundary
between the two answers is the straight line z = 0. Training looks for the line
with the smallest binary cross-entropy:

    loss = -mean(y * log(y_hat) + (1 - y) * log(1 - y_hat))        (nn.BCELoss)

Points along two parallel lines are linearly separable: a straight line can
separate the classes. The loss then keeps falling towards 0 while the weights
grow. No straight line separates the two sine bands. There the loss has a
single lowest point, so every good training ends at the same line, with 8 of
the 25 points on the wrong side. The next kata bends the line.

What to do: the model, its training, and the line it draws. To see your lines:
    python -m katas.k06_logistic_regression

Tasks: model, train, boundary.   Builds on: k01_tensors, k05_trainer.
Source: deep.TEACHING, "Neural Network with PyTorch".
"""

import torch
from torch import Tensor, nn


class LogisticRegression(nn.Module):
    """Probability of class 1 for each example.

    Args:
        num_labels: outputs per example (1 for two classes).
        num_features: inputs per example.
    """

    def __init__(self, num_labels: int, num_features: int) -> None:
        super().__init__()
        # TODO model: create self.linear (nn.Linear) and self.sigmoid (nn.Sigmoid)
        raise NotImplementedError("model")

    def forward(self, x: Tensor) -> Tensor:
        """Map features (n, num_features) to probabilities (n, num_labels)."""
        # TODO model: x -> linear -> sigmoid -> y_hat
        raise NotImplementedError("model")


def train(model: nn.Module, features: Tensor, labels: Tensor, epochs: int = 1000) -> list[float]:
    """Fit the model in place, from the weights it has, with nn.BCELoss; each epoch is one step on
    all examples. After 1000 epochs on the sine bands, each of the 25 probabilities is within 0.01
    of the best line's.

    Args:
        features: (n, num_features) float32, on the model's device.
        labels: (n, num_labels) float32, each 0 or 1, on the same device.

    Returns:
        The loss of each epoch, computed before its step, as plain floats.
    """
    # TODO train: pick an optimizer from torch.optim; each epoch: forward, loss,
    #     zero_grad, backward, step
    raise NotImplementedError("train")


def decision_boundary(model: LogisticRegression, x1: Tensor) -> Tensor:
    """For each x1, the x2 where a model with two features and one label is undecided.

    Args:
        x1: (n,) float32, on the model's device.

    Returns:
        (n,) float32 on the same device, without gradient. The model and x1 stay as they are.
    """
    # TODO boundary: solve w1 * x1 + w2 * x2 + b = 0 for x2; linear.weight[0] is [w1, w2]
    raise NotImplementedError("boundary")


if __name__ == "__main__":
    from katas.given import data, plots

    figures = [plots.plot_network([2, 1])]
    for points, classes in (data.parallel_lines(), data.sine_bands()):
        line = LogisticRegression(num_labels=1, num_features=2)
        history = train(line, points, classes)
        figures += [plots.plot_boundary(line, points, classes), plots.plot_loss_history(history)]
        print(
            "boundary at x1 = -2, 0 and 2: x2 =",
            decision_boundary(line, torch.tensor([-2.0, 0.0, 2.0])).tolist(),
        )
    plots.show(*figures)
