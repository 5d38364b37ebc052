"""Non-linear regression: a curve from bent pieces.

No straight line fits the points on y = x**2 + 15 * sin(x)**3. With a hidden
layer and an activation, each hidden node makes one bent piece. The output
layer weighs the pieces and adds them up:

    NonlinearRegression  Linear -> activation -> Linear
    DeepRegression       Linear -> activation -> Linear -> activation -> Linear

nn.Sequential holds such a chain. No activation follows the last layer: a
prediction may be any number. A network with one hidden layer is called
shallow, one with more is called deep. Sizes (1, 3, 1) mean 3 weights and 3
biases in the hidden layer, then 3 weights and 1 bias: 10 parameters.

Three sigmoid nodes add up three smooth steps, too few for this curve (mean
squared error about 4). Twenty tanh nodes and a good optimizer get below 0.1.
Two hidden layers of ten SiLU nodes get near 0.15 in less than half the epochs;
with tanh, most trainings of that network stop between 3 and 4.

Training uses batches. A DataLoader over a TensorDataset shuffles the examples
in every epoch: 500 examples make 10 batches of 50. Without shuffling, each
batch would hold only neighbours on the curve, as the points are sorted.

What to do: both models, a count and a table of their parameters, the output of
each node, the training. To see the curves and the pieces:
    python -m katas.k11_nonlinear_regression

Tasks: models, count, summary, nodes, fit.
Builds on: k05_trainer, k07_hidden_layer, k10_activations.
Source: "Lecture 4: Introduction to Pytorch & Neural Networks".
"""

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset


class NonlinearRegression(nn.Module):
    """Predictions from a network with one hidden layer.

    Args:
        input_size: features per example.
        hidden_size: nodes of the hidden layer.
        output_size: numbers to predict per example.
        activation: the class of the activation, such as nn.Sigmoid, nn.Tanh or nn.ReLU.
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
    """Predictions from a network with two hidden layers.

    Args:
        hidden_size_1: nodes of the first hidden layer.
        hidden_size_2: nodes of the second hidden layer.

    The other arguments are those of NonlinearRegression.
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
    """How many numbers training can change in a model: the entries of all parameters that are not
    frozen, that is, whose requires_grad is True.
    """
    # BEGIN SOLUTION count: add up the number of entries of each parameter of the model, without the
    #     frozen ones
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
    # END SOLUTION


def summary(model: nn.Module) -> list[tuple[str, tuple[int, ...], int]]:
    """A table of a model's parameters, including the frozen ones.

    Returns:
        A list with a row for each parameter, in the order of model.state_dict(). A row is a tuple
        of its name there, its shape and its number of entries, such as
        ("main.0.weight", (3, 1), 3). Running means and other buffers have no row.
    """
    # BEGIN SOLUTION summary: name, shape and number of entries of each parameter
    return [
        (name, tuple(parameter.shape), parameter.numel())
        for name, parameter in model.named_parameters()
    ]
    # END SOLUTION


def node_outputs(model: nn.Module, features: Tensor) -> Tensor:
    """The output of each node of the last hidden layer, after its activation.

    Args:
        model: a NonlinearRegression or a DeepRegression. It comes in training or evaluation mode,
            and is left in that mode.
        features: (n, input_size) float32, on the model's device.

    Returns:
        (n, nodes) float32, on the same device, without gradient.
    """
    # BEGIN SOLUTION nodes: send the features through all parts of model.main but the last, without
    #     recording gradients
    with torch.no_grad():
        return model.main[:-1](features)
    # END SOLUTION


def fit(
    model: nn.Module, features: Tensor, targets: Tensor, epochs: int = 100, batch_size: int = 50
) -> list[float]:
    """Fit the model in place with nn.MSELoss, in batches that are shuffled again in every epoch.

    Args:
        features: (n, input_size) float32, on the model's device.
        targets: (n, output_size) float32, on the same device.
        epochs: passes through all examples. The result is judged after 40 to 90 of them. Small
            steps are too slow for that: with Adam, lr=0.05 is enough and lr=0.01 is not.
        batch_size: examples per batch; the last batch of an epoch may have fewer.

    Returns:
        The loss of each epoch, the mean over its batches, as plain floats.
    """
    # BEGIN SOLUTION fit: a shuffling DataLoader, a fast optimizer; for each batch forward, loss,
    #     zero_grad, backward, step; for each epoch the mean loss
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
