"""More than two classes: a score for each.

For four clouds of points the network gives four logits per point, one per
class. The softmax turns each row of logits into probabilities, which are all
positive and sum to 1.

    p_k = exp(z_k) / sum_j exp(z_j)

    logits           -14.3074   18.9589   -5.0986  -31.1818
    probabilities     3.6e-15    1.0       3.6e-11   1.7e-22   → class 1

In floating point exp(1000) is infinite, and inf / inf is nan. Subtracting the
same number from all logits of a row does not change the quotients. So subtract
the largest, and exp never sees a number above 0. Write the softmax out by
hand, without torch's.

The loss is nn.CrossEntropyLoss: -log of the probability of the right class,
the mean over all points. It takes raw logits (n, classes) and class numbers
(n,) int64, because the softmax is inside. If you apply the softmax twice, you
see no error and hardly a worse accuracy, but the loss never falls below 0.74.

The likeliest class has the largest logit, so predicting needs no softmax: take
the argmax of each row. Predict in evaluation mode and without gradients, and
give the model back in the mode it came in.

What to do: the network, softmax, predictions, training. `python -m
katas.k14_multiclass` draws the four regions.

Tasks: model, softmax, predict, train.   Builds on: k12_logits, k13_circles.
Source: "Lecture 4: Introduction to Pytorch & Neural Networks".
"""

import torch
from torch import Tensor, nn


class MulticlassClassifier(nn.Module):
    """Two linear layers with a ReLU between them.

    The layers have torch's defaults; no others have weights.

    Args:
        input_size: features per example.
        hidden_size: outputs of the first layer.
        output_size: logits per example, one for each class.
    """

    def __init__(self, input_size: int, hidden_size: int, output_size: int) -> None:
        super().__init__()
        # BEGIN SOLUTION model: create self.main, an nn.Sequential of nn.Linear, nn.ReLU, nn.Linear
        self.main = nn.Sequential(
            nn.Linear(input_size, hidden_size),
            nn.ReLU(),
            nn.Linear(hidden_size, output_size),
        )
        # END SOLUTION

    def forward(self, x: Tensor) -> Tensor:
        """Map features (n, input_size) to logits (n, output_size)."""
        # BEGIN SOLUTION model: one call; the logits stay raw
        return self.main(x)
        # END SOLUTION


def softmax(logits: Tensor) -> Tensor:
    """The probability of each class, for each example. Written out, without torch's softmax,
    log_softmax or logsumexp.

    Args:
        logits: (n, classes) float32, of any size.

    Returns:
        (n, classes) on the same device; each row sums to 1, and gradients flow through it. Apple's
        GPUs have no float64, so do without it.
    """
    # BEGIN SOLUTION softmax: subtract each row's largest logit from the row, then exp, then divide
    #     by the row's sum
    powers = torch.exp(logits - logits.max(dim=1, keepdim=True).values)
    return powers / powers.sum(dim=1, keepdim=True)
    # END SOLUTION


def predict(model: nn.Module, features: Tensor) -> Tensor:
    """The likeliest class of each example.

    Args:
        model: gives logits (n, classes). It comes in training or evaluation mode, and is left in
            that mode.
        features: (n, input_size) float32, on the model's device.

    Returns:
        Class numbers (n,) int64 on the same device, computed in evaluation mode and without
        gradients.
    """
    # BEGIN SOLUTION predict: remember the mode, evaluate without gradients, argmax over each row,
    #     restore the mode
    mode = model.training
    model.eval()
    with torch.no_grad():
        numbers = model(features).argmax(dim=1)
    model.train(mode)
    return numbers
    # END SOLUTION


def train(model: nn.Module, features: Tensor, labels: Tensor, epochs: int = 100) -> list[float]:
    """Fit the model in place with nn.CrossEntropyLoss: in every epoch one step on all
    examples. The optimizer and its learning rate are your choice.

    Args:
        model: gives logits (n, classes).
        features: (n, input_size) float32, on the model's device.
        labels: (n,) int64, class numbers, on the same device.

    Returns:
        The loss of each epoch, computed before its step, as plain floats. Guessing among four
        classes costs ln 4 = 1.386.
    """
    # BEGIN SOLUTION train: the loss on the raw logits, an optimizer that needs only 100 steps, the
    #     five moves
    loss_function = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
    losses = []
    for _ in range(epochs):
        loss = loss_function(model(features), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses
    # END SOLUTION


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
