"""Feature space: how a network sees the points.

A network like yours in k07 and k08 does draw a straight line, just not in the
space where you see the points. Two pictures show it.

The hidden space. The outputs of the last hidden layer are each point's new
coordinates (h1, h2). There the last layer does logistic regression, so its
boundary is the straight line w1 * h1 + w2 * h2 + b = 0. When all points are
classified correctly, this line separates the classes, although no straight
line does so in the data. We can only draw it for two hidden neurons. You can
send a curve there, too: it is a list of points.

The original space. Ask the model at every node of a grid, and colour the node
by the answer. For plotting, the answers form a matrix (row, column):

              x1[0]    x1[1]    x1[2]
    x2[0]    (0, 0)   (0, 1)   (0, 2)        one row for each x2,
    x2[1]    (1, 0)   (1, 1)   (1, 2)        one column for each x1

torch.meshgrid with indexing="xy" makes such a grid; without it, rows and
columns are swapped. Looking must change nothing: record no gradient, use
evaluation mode (no dropout), and restore the model's mode at the end.

What to do: three functions. To see both pictures for networks that are given:
    python -m katas.k09_feature_space
Your own networks are drawn by k08: try other sizes and activations there.

Tasks: features, boundary, grid.   Builds on: k08_multi_hidden_layer.
Source: deep.TEACHING, "Neural Network with PyTorch"; tutorial of trainFCNN.
"""

import torch
from torch import Tensor, nn


def last_hidden_features(model: nn.Module, features: Tensor) -> Tensor:
    """Where the model's last hidden layer puts each point: its activations for that point.

    Args:
        model: keeps the activations of its last pass in the list activation_results, the output
            last. It may be in training or evaluation mode, and is left in that mode.
        features: (n, num_features) float32, on the model's device.

    Returns:
        (n, neurons of the last hidden layer) float32, on the same device, without gradient,
        computed in evaluation mode.
    """
    # TODO features: note the mode, switch to evaluation mode, run the model without
    #     gradients, restore the mode; the result is the last but one in model.activation_results
    raise NotImplementedError("features")


def hidden_boundary(model: nn.Module, h1: Tensor) -> Tensor:
    """For each h1, the h2 where a model with one label is undecided (probability 0.5, score 0), in
    the space of its last hidden layer.

    Args:
        model: keeps its linear layers in linear_modules, the output layer last.
        h1: (n,) float32, on the model's device.

    Returns:
        (n,) float32 on the same device, without gradient.

    Raises:
        ValueError: the last hidden layer does not have exactly two neurons.
    """
    # TODO boundary: raise the ValueError unless model.linear_modules[-1] has two inputs;
    #     take w1, w2 and b from that layer, and solve w1 * h1 + w2 * h2 + b = 0 for h2
    raise NotImplementedError("boundary")


def predict_grid(model: nn.Module, x1: Tensor, x2: Tensor) -> Tensor:
    """The model's answers on a grid of points.

    Args:
        model: maps (n, 2) to (n, 1) probabilities, or to (n, k) outputs for k classes. It may be in
            training or evaluation mode, and is left in that mode.
        x1: (columns,) float32, the x1 of each column of the grid, on the model's device.
        x2: (rows,) float32, the x2 of each row of the grid, on the same device.

    Returns:
        (rows, columns), on the same device, without gradient, computed in evaluation mode. The
        entry [row, column] belongs to the point (x1[column], x2[row]). A model with one output
        gives its probability (float32); with several outputs, it is the number of the class with
        the largest output (int64).
    """
    # TODO grid: make one batch (rows * columns, 2) of all points of the grid; run the
    #     model on it as above; give the answers the shape of the grid
    raise NotImplementedError("grid")


if __name__ == "__main__":
    from katas.given import data, networks, plots

    points, classes = data.sine_bands()
    network = networks.unrolled_bands()
    hidden, across = last_hidden_features(network, points), torch.linspace(-1, 1, 5)
    print("the first point lies at", hidden[0].tolist(), "in the hidden space, the line at")
    print(torch.stack([across, hidden_boundary(network, across)], dim=1))
    print(predict_grid(network, torch.linspace(-6, 6, 9), torch.linspace(-2, 3, 6)))
    curves, folded = data.sine_curves(), networks.folded_bands()
    plots.show(
        plots.plot_data(points, classes, curves),
        plots.plot_hidden_space(
            folded, points, classes, [last_hidden_features(folded, curve) for curve in curves]
        ),
        plots.plot_hidden_space(network, points, classes),
        plots.plot_boundary(network, points, classes),
    )
