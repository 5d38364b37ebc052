"""A hidden layer: the network bends its own space.

Put two neurons between the input and the output, each with a tanh, and the
straight line of the last kata can bend:

    x -> linear -> tanh -> linear -> sigmoid -> y_hat
    y_hat = sigmoid(W2 tanh(W1 x + b1) + b2)

The hidden neurons are a new pair of coordinates for every point. The last
layer still draws a straight line, but it draws it there, where the points may
lie better. To look at that space, the forward pass keeps what it computes on
the way:

    linear_results      the outputs of the linear layers, first to last
    activation_results  the outputs of the activations, first to last; the last
    of them is y_hat

Each pass begins with empty lists: they tell of this pass and of no other.

The loss of a network with a hidden layer has many valleys. With only two
hidden neurons, about half of all random starts end in one that leaves points
on the wrong side, however long you train. That is part of the lesson: `train`
may begin again from new random weights (layer.reset_parameters()) when it ends
badly, and keep the best it found.

What to do: the layers, the pass through them, the training. `python -m
katas.k07_hidden_layer` draws the result.

Tasks: layers, forward, train.   Builds on: k06_logistic_regression.
Source: deep.TEACHING, "Neural Network with PyTorch".
"""

import torch
from torch import Tensor, nn


class HiddenLayerNN(nn.Module):
    """Probability of each label, by way of one hidden layer.

    Args:
        num_labels: outputs per example (1 for two classes).
        num_features: inputs per example.
        num_hidden: neurons of the hidden layer.
    """

    def __init__(self, num_labels: int, num_features: int, num_hidden: int) -> None:
        super().__init__()
        self.linear_modules = nn.ModuleList()
        self.activation_modules = nn.ModuleList()
        self.linear_results: list[Tensor] = []
        self.activation_results: list[Tensor] = []
        # TODO layers: append two nn.Linear to linear_modules, an nn.Tanh and an
        #     nn.Sigmoid to activation_modules
        raise NotImplementedError("layers")

    def forward(self, x: Tensor) -> Tensor:
        """Map features (n, num_features) to probabilities (n, num_labels), and keep every layer's
        result of this pass.
        """
        # TODO forward: empty both lists of results; then each linear layer and its
        #     activation in turn, keeping both
        raise NotImplementedError("forward")


def train(
    model: HiddenLayerNN, features: Tensor, labels: Tensor, epochs: int = 1000
) -> list[float]:
    """Fit the model in place with nn.BCELoss, every epoch one step on all examples.

    Args:
        features: (n, num_features) float32, on the model's device.
        labels: (n, num_labels) float32, each 0 or 1, there too.

    Returns:
        The loss of each epoch of the run that was kept, as computed before its step: plain floats.
    """
    # TODO train: as in k06, with an optimizer that gets there in time; beginning again is
    #     allowed
    raise NotImplementedError("train")


if __name__ == "__main__":
    from katas.given import data, plots

    points, classes = data.sine_bands()
    network = HiddenLayerNN(num_labels=1, num_features=2, num_hidden=2)
    history = train(network, points, classes)
    plots.show(
        plots.plot_network([2, 2, 1]),
        plots.plot_boundary(network, points, classes),
        plots.plot_hidden_space(network, points, classes),
        plots.plot_loss_history(history),
    )
