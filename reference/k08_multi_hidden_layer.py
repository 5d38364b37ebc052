"""More hidden layers: a network from a list of sizes.

Two hidden neurons separate the sine bands only after a lucky start. Here the
sizes come in a list, and a loop builds the layers that the list describes:

    num_hidden = [2, 20, 20, 2]   and   num_labels = 1   make

    2  --tanh-->  20  --tanh-->  20  --tanh-->  2  --sigmoid-->  1

The first number is the number of features. Each arrow is a linear layer and
its activation: a tanh from each number of the list to the next, a sigmoid from
the last number to num_labels. So a list of n numbers makes n linear layers.

With enough layers, the network unrolls the bands. In the space of its last
hidden layer they are linearly separable, and all 25 points are classified
correctly. That layer has two neurons so that its space can be drawn. If you
experiment with it later, avoid ReLU there: two neurons that are stuck at 0
can't tell any points apart.

What to do: the layers, the pass, and a training that leaves no point on the
wrong side. Not every optimizer manages that from every start. Adam with
lr=0.01 fails in about one run of four. Plain SGD with lr=0.1 succeeded in
every run we tried. To see the result:
    python -m katas.k08_multi_hidden_layer

Tasks: layers, forward, train.   Builds on: k07_hidden_layer.
Source: deep.TEACHING, "Neural Network with PyTorch".
"""

import torch
from torch import Tensor, nn


class MultiHiddenLayerNN(nn.Module):
    """Probability of each label, from a network with any number of hidden layers.

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
        # BEGIN SOLUTION layers: for each size and the next one, an nn.Linear and an nn.Tanh; at the
        #     end an nn.Linear to num_labels and an nn.Sigmoid; don't change the list num_hidden
        for size, next_size in zip(num_hidden[:-1], num_hidden[1:], strict=True):
            self.linear_modules.append(nn.Linear(size, next_size))
            self.activation_modules.append(nn.Tanh())
        self.linear_modules.append(nn.Linear(num_hidden[-1], num_labels))
        self.activation_modules.append(nn.Sigmoid())
        # END SOLUTION

    def forward(self, x: Tensor) -> Tensor:
        """Map features (n, num_hidden[0]) to probabilities (n, num_labels). Keep the results of
        this pass, and only of this pass, in linear_results and activation_results. The last of the
        activation_results is the output.
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
    """Fit the model in place with nn.BCELoss; each epoch is one step on all examples. Train once:
    don't start again as in k07.

    Args:
        features: (n, num_hidden[0]) float32, on the model's device.
        labels: (n, num_labels) float32, each 0 or 1, on the same device.

    Returns:
        The loss of each epoch, computed before its step, as plain floats.
    """
    # BEGIN SOLUTION train: as in k06, with an optimizer of torch.optim that gets all points right
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
