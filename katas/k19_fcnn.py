"""One network for all: any sizes, any activation, three kinds of problems.

A fully connected network is described by a list of sizes, here [2, 3, 5, 6]:

    x (n, 2) -> z1, a1 (n, 3) -> z2, a2 (n, 5) -> z3, a3 (n, 6)
    z_k = a_(k-1) W_k^T + b_k,  a_k = activation(z_k),  a_0 = x

W_k is (outputs, inputs) and b_k is (outputs,). Both start as standard normal
random numbers times 1 / inputs. torch finds layers in an nn.ModuleList, but
not in a plain list. The last layer has its own activation. The kind of problem
decides which one, and which loss:

    kind         last activation  loss                   targets of a batch
    regression   linear           nn.MSELoss             (n, 1) float32
    binary       sigmoid          nn.BCEWithLogitsLoss   (n, 1) float32, 0 or 1
    multiclass   softmax          nn.CrossEntropyLoss    (n,) int64, classes

The network returns the pair (y_pred, z_pred): the last a and the last z. The
losses take z_pred, as they contain the last activation; accuracy reads y_pred.

An epoch goes through the n // size whole batches, with one step for each. With
16 hidden units this solves three problems on a square: the product x1 * x2,
the XOR of the signs, and the four quadrants. With 6, some starts get stuck.

What to do: the network and its settings, its parts by name, the training.
`python -m katas.k19_fcnn` solves and draws all three.

Tasks: network, loss, optimizer, batch, train, accuracy.
Builds on: k08_multi_hidden_layer, k11_nonlinear_regression, k14_multiclass.
Source: the tutorial of trainFCNN, on fully connected networks with PyTorch.
"""

from collections.abc import Callable, Iterable

import numpy as np
import torch
from torch import Tensor, nn


def settings_for(kind: str, hidden: list[int], classes: int) -> tuple[list[int], str, str]:
    """The settings of a network for points in the plane, and a short text that describes it.

    Args:
        kind: "regression", "binary" or "multiclass".
        hidden: the sizes of the hidden layers; left unchanged.
        classes: the number of classes. Only "multiclass" has an output for each of them; the other
            kinds have one output.

    Returns:
        All sizes, beginning with 2 inputs; the last activation; both as a text. For
        ("multiclass", [16, 8], 4) that is ([2, 16, 8, 4], "softmax", "2-16-8-4 softmax").

    Raises:
        ValueError: another kind; the message contains it and the three known kinds.
    """
    # TODO network: the last activation is in the lesson's table; put the sizes together;
    #     join them with "-"
    raise NotImplementedError("network")


class FCNN(nn.Module):
    """A fully connected network.

    The names of its layers are up to you. Their parameters come in the order of dims: for each
    layer a weight (outputs, inputs), which TensorFlow holds transposed, and a bias (outputs,).

    Args:
        dims: the sizes, inputs first and outputs last, such as [2, 16, 1].
        activation: after every layer but the last: "relu", "sigmoid" or "tanh".
        last_activation: after the last layer: "linear" (none), "sigmoid" or "softmax".

    Raises:
        ValueError: activation or last_activation is another name; the message contains this
            name and the three known ones for this argument.
    """

    def __init__(self, dims: list[int], activation: str, last_activation: str) -> None:
        super().__init__()
        # TODO network: refuse unknown names; make the nn.Linear layers where torch finds
        #     them; draw all weights and biases as standard normal random numbers times 1 / (inputs
        #     of the layer)
        raise NotImplementedError("network")

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Map x (n, dims[0]) to the pair (y_pred, z_pred), both (n, dims[-1])."""
        # TODO network: call each layer and its activation in turn; keep the last z for
        #     the pair
        raise NotImplementedError("network")


def loss_for(kind: str) -> Callable[[Tensor, Tensor], Tensor]:
    """The loss for "regression", "binary" or "multiclass": a function of (z_pred, targets) that
    gives the mean over the examples.

    Raises:
        ValueError: another kind; the message contains it and the three known kinds.
    """
    # TODO loss: as in the lesson's table
    raise NotImplementedError("loss")


def log_softmax_loss(z_pred: Tensor, targets: Tensor) -> Tensor:
    """The loss for "multiclass" in two steps: nn.LogSoftmax along each row, then nn.NLLLoss of the
    result. nn.CrossEntropyLoss does both at once.

    Args:
        z_pred: (n, classes), finite numbers of any size; the loss is finite, too.
        targets: (n,) int64, class numbers, on the same device.

    Returns:
        A tensor of shape () on the same device, the mean over the examples.
    """
    # TODO loss: both are classes in torch.nn: make an object of each, then call it
    raise NotImplementedError("loss")


def optimizer_for(
    name: str,
    parameters: Iterable[nn.Parameter],
    lr: float,
    **settings: float | bool | tuple[float, float],
) -> torch.optim.Optimizer:
    """The torch optimizer "sgd", "adam", "rmsprop" or "adagrad" for these parameters, with this
    learning rate.

    Args:
        settings: further arguments for the optimizer, a dict that ** takes apart; the others keep
            torch's defaults. Examples: weight_decay=0.01 pulls every parameter towards 0, for all
            four; momentum=0.9 keeps "sgd" moving in the direction of its last steps; alpha=0.9 lets
            "rmsprop" average the squared gradients over about the last ten steps.

    Raises:
        ValueError: another name; the message contains it and the four known names.
    """
    # TODO optimizer: torch.optim has SGD, Adam, RMSprop and Adagrad; pass the settings on
    #     unchanged
    raise NotImplementedError("optimizer")


def next_batch(
    features: np.ndarray, targets: np.ndarray, kind: str, number: int = 0, size: int | None = None
) -> tuple[Tensor, Tensor]:
    """Batch `number` (0, 1, ...) of `size` examples, in the order of the data. Without a size, all
    of the data.

    Args:
        features: (n, d) float64.
        targets: (n, 1) float64; for "multiclass" these are class numbers.

    Returns:
        The features (size, d) float32, and the targets with shape and dtype as in the lesson's
        table; both on the CPU.
    """
    # TODO batch: if there is a size, take the rows from number * size up to, but without,
    #     (number + 1) * size; make tensors
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
    """Fit the model in place: in every epoch one step on each of the n // batch_size whole batches.
    The order of the batches is up to you.

    Args:
        model: on any device.
        features, targets, kind: as in next_batch.

    Returns:
        The loss of each epoch, as plain floats: the mean over its batches, each computed before its
        step.
    """
    # TODO train: put the parts together; move each batch to the device of the model's
    #     parameters
    raise NotImplementedError("train")


def accuracy(model: FCNN, features: np.ndarray, targets: np.ndarray, kind: str) -> float:
    """The share of right answers, a plain float from 0 to 1. For "binary" the answer is 1 where
    y_pred >= 0.5, for "multiclass" it is the position of the largest y_pred.

    Args:
        model: on any device.
        features, targets, kind: as in next_batch.

    Raises:
        ValueError: another kind, such as "regression", which has no right answers to count; the
            message contains the kind.
    """
    # TODO accuracy: take all of the data as one batch; compare answers and targets of the
    #     same shape; return a plain float
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
