"""One network for all: any sizes, any activation, three kinds of problems.

A fully connected network is a list of sizes. With dims = [2, 3, 5, 6] it takes
2 inputs to 3 units, these to 5, these to 6:

    z_k = a_(k-1) W_k^T + b_k
    a_k = activation(z_k)
    (a_0 = x; the last layer has an activation of its own)

A linear layer holds W as (outputs, inputs), here (3, 2), (5, 3), (6, 5) (in
TensorFlow it is the transpose), and b as (outputs,); torch finds them if the
layers stand in an nn.ModuleList, and nothing in a plain list. All start as
normal deviates with standard deviation 1 / inputs.

    kind         last activation  loss                   targets of a batch
    regression   linear           nn.MSELoss             (n, 1) float32
    binary       sigmoid          nn.BCEWithLogitsLoss   (n, 1) float32, 0 or 1
    multiclass   softmax          nn.CrossEntropyLoss    (n,) int64, classes

The network returns the pair (y_pred, z_pred): the output a and the z before
its activation. All losses take z_pred, for the last two contain the sigmoid
and the softmax, and for regression both are equal. (The last one is nn.NLLLoss
of torch.log_softmax(z_pred, dim=1), in one step.) People, and the accuracy,
read y_pred.

An epoch goes through the n // size whole batches of the data, with one step of
the optimizer for each. With 16 hidden units this solves three problems on a
square: the product x1 * x2, the XOR of the signs, and the four quadrants. With
6 units some starts get stuck: XOR then ends below 95 % in about one run of
five.

What to do: the network and its settings, its parts by name, the training. An
optimizer takes more than a learning rate: see optimizer_for. `python -m
katas.k19_fcnn` solves and draws all three.

Tasks: network, loss, optimizer, batch, train, accuracy.
Builds on: k08_multi_hidden_layer, k11_nonlinear_regression,
k14_multiclass.
Source: the tutorial of trainFCNN, on fully connected networks with PyTorch.
"""

from collections.abc import Callable, Iterable

import numpy as np
import torch
from torch import Tensor, nn


def settings_for(kind: str, hidden: list[int], classes: int) -> tuple[list[int], str, str]:
    """What a network for points of the plane is made with, and a short text to tell it from others.

    Args:
        kind: "regression", "binary" or "multiclass".
        hidden: the sizes of the hidden layers; left as it is.
        classes: the number of classes. Only "multiclass" has an output for each; the other kinds
            have a single one.

    Returns:
        The sizes, with 2 inputs; the last activation; both as a text. ("multiclass", [16, 8], 4)
        gives
        ([2, 16, 8, 4], "softmax", "2-16-8-4 softmax").

    Raises:
        ValueError: another kind; the message tells it and the known ones.
    """
    # TODO network: the last activation as in the table of the lesson; put the sizes
    #     together; join them with "-"
    raise NotImplementedError("network")


class FCNN(nn.Module):
    """A fully connected network.

    Args:
        dims: the sizes, inputs first and outputs last, such as [2, 16, 1].
        activation: after every layer but the last: "relu", "sigmoid" or "tanh".
        last_activation: after the last layer: "linear" (none), "sigmoid" or "softmax".

    Raises:
        ValueError: an activation has another name; the message tells this name and the known ones.
    """

    def __init__(self, dims: list[int], activation: str, last_activation: str) -> None:
        super().__init__()
        # TODO network: refuse unknown names; make the nn.Linear layers and let torch find
        #     them; start all weights
        #     and biases as normal deviates with standard deviation 1 / (inputs of the layer)
        raise NotImplementedError("network")

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Map x (n, dims[0]) to the pair (y_pred, z_pred), both (n, dims[-1])."""
        # TODO network: each layer and its activation in turn; keep the last z for the
        #     pair
        raise NotImplementedError("network")


def loss_for(kind: str) -> Callable[[Tensor, Tensor], Tensor]:
    """The loss of (z_pred, targets) for "regression", "binary" or "multiclass": the mean over the
    examples.

    Raises:
        ValueError: another kind; the message tells it and the known ones.
    """
    # TODO loss: as in the table of the lesson
    raise NotImplementedError("loss")


def log_softmax_loss(z_pred: Tensor, targets: Tensor) -> Tensor:
    """The loss of "multiclass" in two steps: nn.LogSoftmax along each row, and of its results
    nn.NLLLoss.

    Args:
        z_pred: (n, classes), finite numbers of any size, for which the loss is finite, too.
        targets: (n,) int64, class numbers, on the same device.

    Returns:
        A tensor with a single number there, shape (); the mean over the examples.
    """
    # TODO loss: both are classes of torch.nn: make one, then call it
    raise NotImplementedError("loss")


def optimizer_for(
    name: str,
    parameters: Iterable[nn.Parameter],
    lr: float,
    **settings: float | bool | tuple[float, float],
) -> torch.optim.Optimizer:
    """The optimizer "sgd", "adam", "rmsprop" or "adagrad" of these parameters, with this learning
    rate.

    Args:
        settings: what else the optimizer is made with; what is not named stays as torch has it.
            weight_decay=0.01 draws every parameter towards 0, for all four; momentum=0.9 lets the
            steps of "sgd" go on in the direction of the last ones; alpha=0.9 smooths the squared
            gradients of "rmsprop", whose mean is then one over about the last ten steps.

    Raises:
        ValueError: another name; the message tells it and the known ones.
    """
    # TODO optimizer: torch.optim has SGD, Adam, RMSprop and Adagrad; pass the settings on
    #     as they came
    raise NotImplementedError("optimizer")


def next_batch(
    features: np.ndarray, targets: np.ndarray, kind: str, number: int = 0, size: int | None = None
) -> tuple[Tensor, Tensor]:
    """Batch `number` (0, 1, ...) of `size` examples each, in the order of the data; all of the data
    without a size.

    Args:
        features: (n, d) float64; targets: (n, 1) float64, for "multiclass" the class numbers.

    Returns:
        (size, d) float32, and the targets as the table of the lesson has them; both on the CPU.
    """
    # TODO batch: take the rows from number * size up to (number + 1) * size, if there is
    #     a size; make tensors
    raise NotImplementedError("batch")


def train(
    model: FCNN,
    features: np.ndarray,
    targets: np.ndarray,
    kind: str,
    optimizer: str = "adam",
    lr: float = 0.02,
    epochs: int = 100,
    batch_size: int = 100,
) -> list[float]:
    """Fit the model in place, every epoch one step on each of the n // batch_size whole batches.

    Args:
        model: on any device.
        features, targets, kind: as in next_batch.

    Returns:
        The loss of each epoch, the mean over its batches, as computed before their steps: plain
        floats.
    """
    # TODO train: put the parts together; move each batch to the device of the model's
    #     parameters
    raise NotImplementedError("train")


def accuracy(model: FCNN, features: np.ndarray, targets: np.ndarray, kind: str) -> float:
    """The share of right answers: y_pred >= 0.5 is a 1 for "binary", the position of the largest
    counts for "multiclass".

    The model may be on any device.

    Raises:
        ValueError: the kind is neither; a regression has no right answers to count.
    """
    # TODO accuracy: all of the data as one batch; compare answers and targets of one
    #     shape; a plain float
    raise NotImplementedError("accuracy")


if __name__ == "__main__":
    from katas.given import data, plots

    problems = {
        "regression": data.product_arrays(),
        "binary": data.xor_arrays(),
        "multiclass": data.quadrants_arrays(),
    }
    figures = []
    for problem, (points, values) in problems.items():
        dims, last_activation, description = settings_for(problem, [16], classes=4)
        network = FCNN(dims, "relu", last_activation)
        history = train(network, points, values, problem)
        share = (
            ""
            if problem == "regression"
            else f", accuracy: {accuracy(network, points, values, problem):.2%}"
        )
        print(f"{problem}, {description}, final loss: {history[-1]:.5f}{share}")
        print([tuple(parameter.shape) for parameter in network.parameters()])
        figures.append(plots.plot_loss_history(history))
        draw = plots.plot_surface if problem == "regression" else plots.plot_boundary
        figures.append(draw(network, points, values))
    plots.show(*figures)
