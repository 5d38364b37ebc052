"""More hidden layers: a network from a list of sizes.

Two hidden neurons part the sine bands only after a lucky start. Here the sizes
come in a list, and a loop builds what it says:

    num_hidden = [2, 20, 20, 2]
    2 features -> 20 -> 20 -> 2 neurons, then num_labels outputs

The first number is the number of features. Between each number and the next
stands a linear layer with a tanh; after the last number a linear layer with
num_labels outputs and a sigmoid. A list of n numbers thus makes n linear
layers.

With layers enough the network unrolls the bands: in the space of its last
hidden layer the points can be parted by a straight line, and all 25 are
answered right. Two remarks for your own experiments afterwards. The last
hidden layer has two neurons so that its space can be drawn. And there a ReLU
is a bad choice: two neurons that have died leave nothing to tell points apart.

What to do: the layers, the pass, and a training that leaves no point on the
wrong side. Not every optimizer manages that from every start: Adam with
lr=0.01 misses it in about one run of four, plain SGD with lr=0.1 got there in
every run we tried. `python -m katas.k08_multi_hidden_layer` draws the result.

Tasks: layers, forward, train.   Builds on: k07_hidden_layer.
Source: deep.TEACHING, "Neural Network with PyTorch".
"""

import torch
from torch import Tensor, nn


class MultiHiddenLayerNN(nn.Module):
    """Probability of each label, by way of any number of hidden layers.

    Args:
        num_labels: outputs per example (1 for two classes).
        num_hidden: the number of features, then the neurons of each hidden layer, such as [2, 20,
            20, 2].
    """

    def __init__(self, num_labels: int, num_hidden: list[int]) -> None:
        super().__init__()
        self.linear_modules = nn.ModuleList()
        self.activation_modules = nn.ModuleList()
        self.linear_results: list[Tensor] = []
        self.activation_results: list[Tensor] = []
        # BEGIN SOLUTION layers: for each size and the one after it an nn.Linear and an nn.Tanh; at
        #     the end an nn.Linear to
        #     num_labels and an nn.Sigmoid; leave the list num_hidden as it is
        for size, next_size in zip(num_hidden[:-1], num_hidden[1:], strict=True):
            self.linear_modules.append(nn.Linear(size, next_size))
            self.activation_modules.append(nn.Tanh())
        self.linear_modules.append(nn.Linear(num_hidden[-1], num_labels))
        self.activation_modules.append(nn.Sigmoid())
        # END SOLUTION

    def forward(self, x: Tensor) -> Tensor:
        """Map features (n, num_hidden[0]) to probabilities (n, num_labels), and keep every layer's
        result of this pass.
        """
        # BEGIN SOLUTION forward: as in k07, for any number of layers
        self.linear_results = []
        self.activation_results = []
        for linear, activation in zip(self.linear_modules, self.activation_modules, strict=True):
            z = linear(x)
            x = activation(z)
            self.linear_results.append(z)
            self.activation_results.append(x)
        return x
        # END SOLUTION


def train(
    model: MultiHiddenLayerNN, features: Tensor, labels: Tensor, epochs: int = 1000
) -> list[float]:
    """Fit the model in place with nn.BCELoss, every epoch one step on all examples.

    Args:
        features: (n, num_hidden[0]) float32, on the model's device.
        labels: (n, num_labels) float32, each 0 or 1, there too.

    Returns:
        The loss of each epoch, as computed before its step: plain floats.
    """
    # BEGIN SOLUTION train: as before, with an optimizer that reaches every point
    loss_function = nn.BCELoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
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

    points, classes = data.sine_bands()
    network = MultiHiddenLayerNN(num_labels=1, num_hidden=[2, 20, 20, 2])
    history = train(network, points, classes)
    plots.show(
        plots.plot_network([2, 20, 20, 2, 1]),
        plots.plot_boundary(network, points, classes),
        plots.plot_hidden_space(network, points, classes),
        plots.plot_loss_history(history),
    )
