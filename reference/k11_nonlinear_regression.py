"""Non-linear regression: a curve from bent pieces.

No straight line fits the points on y = x**2 + 15 * sin(x)**3. Put a hidden
layer with an activation in between, and each hidden node gives one bent piece
of its own, which the output layer weighs and adds up:

    NonlinearRegression   Linear -> activation -> Linear
    DeepRegression     Linear -> activation -> Linear -> activation -> Linear

Nothing follows the last layer: a prediction may be any number. nn.Sequential
keeps such a chain in one attribute. With its one hidden layer the first
network is shallow, the second, with two, is deep. Sizes (1, 3, 1) mean 3
weights and 3 biases in the hidden layer, 3 weights and 1 bias after it: 10
parameters. The activation is the sigmoid unless another one is asked for: it
is given as a class, such as nn.Tanh.

Three nodes with sigmoids add up three smooth steps, too few for this curve
(mean squared error about 4). With twenty, tanh and a good optimizer the error
falls below 0.1. Two hidden layers of ten with SiLU end near 0.15 in less than
half the epochs; with tanh most of their trainings stop between 3 and 4.
Training goes in batches: a DataLoader over a TensorDataset shuffles the
examples anew in every epoch and hands them out some at a time, 500 examples in
10 batches of 50. Without the shuffling each batch here would hold neighbours
on the curve only, since the points come sorted.

What to do: the two models, a count and a table of their parameters, what each
node gives, the training. `python -m katas.k11_nonlinear_regression` draws the
curves of both and the pieces that one of them is made of.

Tasks: models, count, summary, nodes, fit.
Builds on: k05_trainer, k07_hidden_layer, k10_activations.
Source: "Lecture 4: Introduction to Pytorch & Neural Networks".
"""

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset


class NonlinearRegression(nn.Module):
    """Predictions by way of one hidden layer.

    Args:
        input_size: features per example.
        hidden_size: nodes of the hidden layer.
        output_size: numbers to predict per example.
        activation: class of the activation, such as nn.Sigmoid, nn.Tanh or nn.ReLU.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        output_size: int,
        activation: type[nn.Module] = nn.Sigmoid,
    ) -> None:
        super().__init__()
        # BEGIN SOLUTION models: create self.main, an nn.Sequential of the three parts
        self.main = nn.Sequential(
            nn.Linear(input_size, hidden_size), activation(), nn.Linear(hidden_size, output_size)
        )
        # END SOLUTION

    def forward(self, x: Tensor) -> Tensor:
        """Map features (n, input_size) to predictions (n, output_size)."""
        # BEGIN SOLUTION models: x -> main
        return self.main(x)
        # END SOLUTION


class DeepRegression(nn.Module):
    """Predictions by way of two hidden layers, hidden_size_1 and hidden_size_2. Other arguments as
    in NonlinearRegression.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size_1: int,
        hidden_size_2: int,
        output_size: int,
        activation: type[nn.Module] = nn.Sigmoid,
    ) -> None:
        super().__init__()
        # BEGIN SOLUTION models: create self.main, an nn.Sequential of the five parts
        self.main = nn.Sequential(
            nn.Linear(input_size, hidden_size_1),
            activation(),
            nn.Linear(hidden_size_1, hidden_size_2),
            activation(),
            nn.Linear(hidden_size_2, output_size),
        )
        # END SOLUTION

    def forward(self, x: Tensor) -> Tensor:
        """Map features (n, input_size) to predictions (n, output_size)."""
        # BEGIN SOLUTION models: x -> main
        return self.main(x)
        # END SOLUTION


def count_parameters(model: nn.Module) -> int:
    """How many numbers training can change in a model: those of all parameters that record
    gradients.
    """
    # BEGIN SOLUTION count: add up the entries of the model's parameters, without the frozen ones
    #     (requires_grad=False)
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
    # END SOLUTION


def summary(model: nn.Module) -> list[tuple[str, tuple[int, ...], int]]:
    """A table of a model's parameters, the frozen ones too.

    Returns:
        A row for each, in the order of model.state_dict(): its name there, its shape and how many
        numbers it holds, such as ("main.0.weight", (3, 1), 3). Running means and other buffers,
        which no gradient reaches, have no row.
    """
    # BEGIN SOLUTION summary: name, shape and number of entries of each parameter
    return [
        (name, tuple(parameter.shape), parameter.numel())
        for name, parameter in model.named_parameters()
    ]
    # END SOLUTION


def node_outputs(model: nn.Module, features: Tensor) -> Tensor:
    """What each node of the last hidden layer gives, after its activation.

    Args:
        model: a NonlinearRegression or a DeepRegression.
        features: (n, input_size) float32, on the model's device.

    Returns:
        (n, nodes) float32 there, without gradient: what the output layer weighs and adds up.
    """
    # BEGIN SOLUTION nodes: the features through all parts of model.main but the last, without
    #     recording gradients
    with torch.no_grad():
        return model.main[:-1](features)
    # END SOLUTION


def fit(
    model: nn.Module, features: Tensor, targets: Tensor, epochs: int = 100, batch_size: int = 50
) -> list[float]:
    """Fit the model in place with nn.MSELoss, in batches that are shuffled anew in every epoch.

    Args:
        features: (n, input_size) float32, on the model's device.
        targets: (n, output_size) float32, there too.
        epochs: how often all examples are gone through. A few dozen have to do, and small steps
            don't arrive in so few: Adam gets there with lr=0.05, and is stopped half-way with
            lr=0.01.
        batch_size: examples per batch; the last batch of an epoch may have fewer.

    Returns:
        The loss of each epoch, the mean over its batches: plain floats.
    """
    # BEGIN SOLUTION fit: a shuffling DataLoader, a quick optimizer, and for each batch the five
    #     moves; keep the mean loss
    batches = DataLoader(TensorDataset(features, targets), batch_size=batch_size, shuffle=True)
    loss_function = nn.MSELoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    losses = []
    for _ in range(epochs):
        total = 0.0
        for some_features, some_targets in batches:
            loss = loss_function(model(some_features), some_targets)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item()
        losses.append(total / len(batches))
    return losses
    # END SOLUTION


if __name__ == "__main__":
    from katas.given import data, plots

    x, y = data.curve()
    network = NonlinearRegression(input_size=1, hidden_size=20, output_size=1, activation=nn.Tanh)
    deep = DeepRegression(
        input_size=1, hidden_size_1=10, hidden_size_2=10, output_size=1, activation=nn.SiLU
    )
    history = fit(network, x, y)
    fit(deep, x, y, epochs=40)
    for row in summary(deep):
        print(*row)
    print(
        count_parameters(deep),
        "parameters, and",
        count_parameters(network),
        "with one hidden layer",
    )
    curves = [plots.plot_regression(model, x, y) for model in (network, deep)]
    plots.show(
        plots.plot_network([1, 10, 10, 1]),
        *curves,
        plots.plot_nodes(network, x),
        plots.plot_loss_history(history),
    )
