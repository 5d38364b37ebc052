"""More than two classes: a score for each.

With four clouds of points the network gives four logits per point, one for
each class. The softmax makes probabilities of them, row by row: all positive,
and together 1.

    p_k = exp(z_k) / sum_j exp(z_j)

    logits           -14.3074   18.9589   -5.0986  -31.1818
    probabilities     3.6e-15    1.0       3.6e-11   1.7e-22   → class 1

exp(1000) is infinite in floating point, and inf / inf is nan. Taking the same
number from all logits of a row does not change the quotients, so take the
largest: exp then gets nothing above 0. Write the softmax out by hand, without
torch's.

The loss is nn.CrossEntropyLoss: -log of the probability of the right class,
the mean over all points. It takes raw logits (n, classes) and class numbers
(n,) int64, because the softmax is inside. Whoever applies it twice sees no
error and hardly a worse accuracy, but a loss that never falls below 0.74.

The likeliest class has the largest logit, so an answer needs no softmax:
argmax over the row. Ask in evaluation mode and without gradients, and give the
model back in the mode it came in. The training begins near a loss of ln 4 =
1.386, which is what guessing among four costs, and ends far below 0.1.

What to do: the network, softmax, answers, training. `python -m
katas.k14_multiclass` draws the four regions.

Tasks: model, softmax, predict, train.   Builds on: k12_logits, k13_circles.
Source: "Lecture 4: Introduction to Pytorch & Neural Networks".
"""

import torch
from torch import Tensor, nn


class MulticlassClassifier(nn.Module):
    """Two linear layers with a ReLU between them.

    Args:
        input_size: features per example.
        hidden_size: outputs of the first layer.
        output_size: classes, each with a logit.
    """

    def __init__(self, input_size: int, hidden_size: int, output_size: int) -> None:
        super().__init__()
        # TODO model: create self.main, an nn.Sequential of nn.Linear, nn.ReLU, nn.Linear
        raise NotImplementedError("model")

    def forward(self, x: Tensor) -> Tensor:
        """Map features (n, input_size) to logits (n, output_size)."""
        # TODO model: one call; the logits stay raw
        raise NotImplementedError("model")


def softmax(logits: Tensor) -> Tensor:
    """The probability of each class, for each example.

    Args:
        logits: (n, classes) float32, however large.

    Returns:
        (n, classes) on the same device, each row sums to 1; gradients flow through it.
    """
    # TODO softmax: take each row's largest logit from the row, then exp, then divide by
    #     the row's sum
    raise NotImplementedError("softmax")


def predict(model: nn.Module, features: Tensor) -> Tensor:
    """The likeliest class of each example.

    Args:
        model: gives logits (n, classes); it may be in any mode and is left in it.
        features: (n, input_size) float32, on the model's device.

    Returns:
        (n,) int64 there, class numbers, as the model in evaluation mode gives them; without
        gradient.
    """
    # TODO predict: remember the mode, evaluate without gradients, argmax over each row,
    #     restore the mode
    raise NotImplementedError("predict")


def train(model: nn.Module, features: Tensor, labels: Tensor, epochs: int = 100) -> list[float]:
    """Fit the model in place with nn.CrossEntropyLoss, every epoch one step on all examples.

    Args:
        model: gives logits (n, classes).
        features: (n, input_size) float32, on the model's device.
        labels: (n,) int64, class numbers, there too.

    Returns:
        The loss of each epoch, as computed before its step: plain floats.
    """
    # TODO train: the loss on the raw logits, an optimizer that gets there in 100 steps,
    #     the five moves
    raise NotImplementedError("train")


if __name__ == "__main__":
    from katas.given import data, plots

    points, classes = data.blobs()
    network = MulticlassClassifier(input_size=2, hidden_size=10, output_size=4)
    history = train(network, points, classes)
    plots.show(
        plots.plot_network([2, 10, 4]),
        plots.plot_boundary(network, points, classes),
        plots.plot_loss_history(history),
    )
    print(softmax(network(torch.tensor([[-1.0, -1.0], [0.0, 0.0]])).detach()))
