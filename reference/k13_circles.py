"""Circles: why a network needs more than linear layers.

One ring of points lies inside another, so they are not linearly separable: no
straight line has one ring on each side. Three networks try:

    LinearStack        x -> linear -> linear -> linear         logits
    BinaryClassifier   x -> linear -> ReLU -> linear           logits
    ReluStack          x -> linear -> ReLU -> linear -> ReLU -> linear  logits

Linear maps in a row are again one linear map. So LinearStack draws a single
straight line, however many layers it has. On rings it is right about half of
the time, and its loss stays near ln 2 = 0.693, the loss of guessing. A ReLU
between the layers, relu(z) = max(0, z), adds a bend for every hidden neuron,
and the bends together can close around the inner ring.

A ReLU has no sizes and no parameters. It never follows the last layer, because
the output is a logit: below zero means class 0. The sigmoid stays out as well:
nn.BCEWithLogitsLoss contains it. Applied twice, it keeps the loss above 0.5.

A useless model looks good where one class is rare. With the inner ring thinned
to a tenth, LinearStack learns to answer 0 always. That is 91 % accurate, but
F1 is 0 (k12): it finds no point of the inner ring.

What to do: three networks, and one training for all of them. `python -m
katas.k13_circles` draws how each divides the plane.

Tasks: linear, relu, train.
Builds on: k05_trainer, k07_hidden_layer, k10_activations, k12_logits.
Source: "Lecture 4: Introduction to Pytorch & Neural Networks"; "Session 3:
    Non-linear data with Neural Networks".
"""

import torch
from torch import Tensor, nn


class LinearStack(nn.Module):
    """Three linear layers with nothing between them.

    It has no other layers with weights.

    Args:
        input_size: features per example.
        hidden_size: outputs of the first and of the second layer.
        output_size: logits per example.
    """

    def __init__(self, input_size: int, hidden_size: int, output_size: int) -> None:
        super().__init__()
        # BEGIN SOLUTION linear: create self.network, an nn.Sequential of three nn.Linear
        self.network = nn.Sequential(
            nn.Linear(input_size, hidden_size),
            nn.Linear(hidden_size, hidden_size),
            nn.Linear(hidden_size, output_size),
        )
        # END SOLUTION

    def forward(self, x: Tensor) -> Tensor:
        """Map features (n, input_size) to logits (n, output_size)."""
        # BEGIN SOLUTION linear: one call
        return self.network(x)
        # END SOLUTION


class BinaryClassifier(nn.Module):
    """Two linear layers with a ReLU between them.

    The layers have torch's defaults; no others have weights.

    Args:
        input_size: features per example.
        hidden_size: outputs of the first layer.
        output_size: logits per example (1 for two classes).
    """

    def __init__(self, input_size: int, hidden_size: int, output_size: int) -> None:
        super().__init__()
        # BEGIN SOLUTION relu: create self.main, an nn.Sequential of nn.Linear, nn.ReLU, nn.Linear
        self.main = nn.Sequential(
            nn.Linear(input_size, hidden_size),
            nn.ReLU(),
            nn.Linear(hidden_size, output_size),
        )
        # END SOLUTION

    def forward(self, x: Tensor) -> Tensor:
        """Map features (n, input_size) to logits (n, output_size)."""
        # BEGIN SOLUTION relu: one call; the logits stay raw
        return self.main(x)
        # END SOLUTION


class ReluStack(nn.Module):
    """Three linear layers with a ReLU after the first and after the second.

    The layers have torch's defaults; no others have weights. Arguments as in LinearStack.
    """

    def __init__(self, input_size: int, hidden_size: int, output_size: int) -> None:
        super().__init__()
        # BEGIN SOLUTION relu: create self.network, as in LinearStack, with an nn.ReLU after the
        #     first and the second layer
        self.network = nn.Sequential(
            nn.Linear(input_size, hidden_size),
            nn.ReLU(),
            nn.Linear(hidden_size, hidden_size),
            nn.ReLU(),
            nn.Linear(hidden_size, output_size),
        )
        # END SOLUTION

    def forward(self, x: Tensor) -> Tensor:
        """Map features (n, input_size) to logits (n, output_size)."""
        # BEGIN SOLUTION relu: one call; the logits stay raw
        return self.network(x)
        # END SOLUTION


def train(model: nn.Module, features: Tensor, labels: Tensor, epochs: int = 200) -> list[float]:
    """Fit the model in place, from the weights it has, with nn.BCEWithLogitsLoss: in every epoch
    one step on all examples. The optimizer and its learning rate are your choice.

    With 16 hidden units and 200 epochs, BinaryClassifier gets at least 95 % of the wide circles
    right, and ReluStack 97 % of close circles that it has not seen. Their losses end at 0.25 or
    less.

    Args:
        model: gives logits (n, 1).
        features: (n, input_size) float32, on the model's device.
        labels: (n, 1) float32, each 0 or 1, on the same device.

    Returns:
        The loss of each epoch, computed before its step, as plain floats.
    """
    # BEGIN SOLUTION train: the loss on the raw logits, an optimizer that needs only 200 steps, the
    #     five moves
    loss_function = nn.BCEWithLogitsLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.03)
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

    figures = [plots.plot_network([2, 16, 1]), plots.plot_network([2, 16, 16, 1])]
    for kind, (points, classes) in (
        (LinearStack, data.wide_circles()),
        (BinaryClassifier, data.wide_circles()),
        (ReluStack, data.close_circles()),
    ):
        network = kind(input_size=2, hidden_size=16, output_size=1)
        history = train(network, points, classes)
        figures += [
            plots.plot_boundary(network, points, classes, threshold=0.0),
            plots.plot_loss_history(history),
        ]
    plots.show(*figures)
