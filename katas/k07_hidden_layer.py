"""A hidden layer: the network bends its own space.

Put two neurons between input and output, each with a tanh, and the straight
line of the last kata can bend:

    x  --linear-->  z1  --tanh-->  a1  --linear-->  z2  --sigmoid-->  y_hat
    (n, 2)          (n, 2)         (n, 2)           (n, 1)            (n, 1)

The hidden neurons give every point a new pair of coordinates, a1. The last
layer still draws a straight line, but it draws it in that new space, where the
classes may be easier to separate. So that we can look at this space, the
forward pass keeps what it computes on the way:

    linear_results      z1 and z2, the outputs of the linear layers
    activation_results  a1 and y_hat, the outputs of the activations

Each pass starts with empty lists: they hold the results of this pass only.

With a hidden layer, the loss has many valleys. With only two hidden neurons,
about half of all random starts end in a valley that leaves points on the wrong
side, however long you train. That is part of the lesson: when a training ends
badly, `train` may start again from new random weights, which
layer.reset_parameters() draws, and keep the best run: its losses, and a copy
of its weights, copy.deepcopy(model.state_dict()).

What to do: the layers, the pass through them, the training. To see the result:
    python -m katas.k07_hidden_layer

Tasks: layers, forward, train.   Builds on: k06_logistic_regression.
Source: deep.TEACHING, "Neural Network with PyTorch".
"""

import torch
from torch import Tensor, nn


class HiddenLayerNN(nn.Module):
    """Probability of each label, from a network with one hidden layer.

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
        # TODO layers: append two nn.Linear to linear_modules; append an nn.Tanh, then an
        #     nn.Sigmoid to activation_modules
        raise NotImplementedError("layers")

    def forward(self, x: Tensor) -> Tensor:
        """Map features (n, num_features) to probabilities (n, num_labels). Keep the results of this
        pass, and only of this pass, in linear_results and activation_results.
        """
        # TODO forward: start with empty lists; then apply each linear layer and its
        #     activation in turn, and append both results
        raise NotImplementedError("forward")


def train(
    model: HiddenLayerNN, features: Tensor, labels: Tensor, epochs: int = 1000
) -> list[float]:
    """Fit the model in place with nn.BCELoss; each epoch is one step on all examples.

    Args:
        features: (n, num_features) float32, on the model's device.
        labels: (n, num_labels) float32, each 0 or 1, on the same device.

    Returns:
        The loss of each epoch of the run that was kept, computed before its step, as plain floats.
    """
    # TODO train: as in k06, with an optimizer of torch.optim that is fast enough for 1000
    #     epochs; you may start again, but don't have to
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
