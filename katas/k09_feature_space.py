"""Feature space: how a network sees the points.

A network such as those of k07 and k08 draws a straight line after all, only
not where you see the points. Two pictures show it.

The hidden space. The outputs of the last hidden layer are each point's new
coordinates (h1, h2), and the last linear layer answers on them as logistic
regression does: it is undecided on the straight line

    w1 * h1 + w2 * h2 + b = 0
    so
    h2 = -(w1 * h1 + b) / w2
    (w1, w2, b: of the last linear layer)

When all points are answered right, this line parts the classes in the hidden
space, although no straight line does in the data. A whole curve can be sent
there too: it is a list of points. Only a last hidden layer of two neurons can
be drawn so.

The original space. Ask the model at every node of a grid, x1 across and x2 up,
and colour the nodes. For plotting, a grid is a matrix with one row for each x2
and one column for each x1. (torch.meshgrid counts the other way round unless
told indexing="xy".) For a model with several outputs the colour is the class
number: the position of the largest output.

Looking must change nothing: no gradient is recorded, the model answers in
evaluation mode (no dropout), and gets back the mode it came in. The models
here are given to you: like yours, they keep each layer's result of the last
pass in linear_results and activation_results.

What to do: three functions. `python -m katas.k09_feature_space` draws both
pictures of trained networks. Your own networks look at home there: try other
sizes and activations in k08, and see what becomes of the hidden space.

Tasks: features, boundary, grid.   Builds on: k08_multi_hidden_layer.
Source: deep.TEACHING, "Neural Network with PyTorch"; the tutorial of
    trainFCNN, on fully connected networks with PyTorch.
"""

import torch
from torch import Tensor, nn


def last_hidden_features(model: nn.Module, features: Tensor) -> Tensor:
    """Where the model's last hidden layer puts each point: the activations before the output's.

    Args:
        model: keeps the results of a pass in activation_results, the output last; in any mode, and
            left in that mode. features: (n, num_features) float32, on the model's device.

    Returns:
        (n, neurons of the last hidden layer) float32 there, without gradient, as the model answers
        in evaluation mode.
    """
    # TODO features: note the mode, switch to evaluation, run the model without gradients,
    #     restore the mode; what
    #     you look for now stands last but one in model.activation_results
    raise NotImplementedError("features")


def hidden_boundary(model: nn.Module, h1: Tensor) -> Tensor:
    """The h2 at which a model with one label is undecided, for each h1, in the space of its last
    hidden layer.

    Args:
        model: keeps its linear layers in linear_modules.
        h1: (n,) float32, on the model's device.

    Returns:
        (n,) float32 on the same device, without gradient.

    Raises:
        ValueError: the last hidden layer has more or fewer than two neurons.
    """
    # TODO boundary: take w1, w2 and b from model.linear_modules[-1] and solve w1 * h1 +
    #     w2 * h2 + b = 0 for h2; a
    #     layer with another number of inputs than two has no such line: raise the ValueError
    raise NotImplementedError("boundary")


def predict_grid(model: nn.Module, x1: Tensor, x2: Tensor) -> Tensor:
    """The model's answers on a grid of points.

    Args:
        model: maps (n, 2) to (n, 1) probabilities, or to (n, k) outputs for k classes; in any mode,
            and left in that mode. x1, x2: (columns,) and (rows,) float32, the coordinates of the
            grid's columns and rows, on the model's device.

    Returns:
        (rows, columns) there, without gradient, in evaluation mode; [row, column] belongs to the
        point (x1[column], x2[row]). It is the probability (one output, float32) or the number of
        the class with the largest output (several outputs).
    """
    # TODO grid: make all points of the grid a batch (rows * columns, 2); run the model on
    #     it as above; give the
    #     answers the shape of the grid
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
