"""Regularization: good starting weights, dropout, and a network that learns
nonsense by heart.

Weights. If the weights begin too small, the signal dies out from layer to
layer; too large, and it explodes. Xavier's rule draws the weights of a layer
around 0 with a standard deviation made for its size:

    std = gain * sqrt(2 / (inputs + outputs))
    gain = sqrt(2) for a layer that a ReLU follows

A layer with ReLU multiplies the size of the signal by about std * sqrt(inputs
/ 2). By Xavier's rule, with as many outputs as inputs, that is 1; ten layers
make any other factor a tenth power. All the numbers come from one source,
which torch.manual_seed(seed) sets to a fixed point: after the same seed two
models begin alike.

Dropout. While it trains, the network loses each hidden activation with
probability p, others in every pass and for every example, so that no unit can
rely on another one. What remains is divided by 1 - p, and so the sums keep
their size:

    x -> fc1 -> relu -> dropout -> fc2
    in training: 0 with probability p, otherwise a1 / (1 - p)
                                              in evaluation: a1, untouched

model.train() and model.eval() switch between the two. A forgotten eval() makes
answers random.

Overfitting. Take 105 random points and give them classes that have nothing to
do with where they lie. There is nothing to learn, yet a wide network (the
tutorial takes 2 N C + D = 302 hidden units, for N = 50 points in each of C = 3
classes, of which 105 are trained on, and D = 2 features) is soon right on two
thirds of them, having learned them by heart. On new points it is right on a
third, which is chance. Hence the rule: what counts is the result on points
that the training has never seen. A large gap between the two says
"overfitted".

What to do: the four pieces. `python -m katas.k18_regularization` shows the
signal's size in ten layers, and the gap.

Tasks: model, init, depth, overfit.
Builds on: k17_spiral_mlp.
Source: Made With ML, "Neural Networks".
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn import init


class MLP(nn.Module):
    """One hidden layer with ReLU and dropout, raw scores (logits) at the end.

    Args:
        input_dim: features per example.
        hidden_dim: hidden units.
        dropout_p: the probability with which a hidden activation is dropped in training.
        num_classes: scores per example.
    """

    def __init__(self, input_dim: int, hidden_dim: int, dropout_p: float, num_classes: int) -> None:
        super().__init__()
        # TODO model: create self.fc1 (nn.Linear), self.dropout (nn.Dropout) and self.fc2
        #     (nn.Linear), in this order
        raise NotImplementedError("model")

    def init_weights(self) -> None:
        """Draw the weights of fc1 anew, in place, by Xavier's rule with the gain of a ReLU; leave
        the rest alone.
        """
        # TODO init: torch.nn.init has Xavier's rule, and the gain of each activation
        raise NotImplementedError("init")

    def forward(self, x: Tensor) -> Tensor:
        """Map features (n, input_dim) to raw scores (n, num_classes)."""
        # TODO model: x -> fc1 -> relu -> dropout -> fc2
        raise NotImplementedError("model")


def seeded(seed: int, input_dim: int, hidden_dim: int, dropout_p: float, num_classes: int) -> MLP:
    """A new MLP, on the CPU, that begins with weights by Xavier's rule; the seed decides on every
    number of its parameters.

    Args:
        seed: after the same one, models of the same sizes begin alike, whatever was drawn before.
        input_dim, hidden_dim, dropout_p, num_classes: as MLP takes them.
    """
    # TODO init: set torch's seed before anything is drawn; make the model, then its
    #     starting weights
    raise NotImplementedError("init")


def deviations(x: Tensor, std: float, layers: int = 10) -> list[float]:
    """Send a signal through many layers, and measure its size after each.

    Every layer takes the activations (n, width) to relu(activations @ W), which are (n, width)
    again. Each has weights W of its own (width, width), normal deviates times std; there is no
    bias.

    Args:
        x: (n, width) float32, what the first layer takes, on any device.
        std: the standard deviation of the weights.

    Returns:
        The standard deviation of all activations after each layer: plain floats.
    """
    # TODO depth: in each layer draw new weights on the device of x; multiply, relu,
    #     measure
    raise NotImplementedError("depth")


def overfit(model: nn.Module, features: Tensor, labels: Tensor, epochs: int = 200) -> list[float]:
    """Fit the model in place with nn.CrossEntropyLoss, in training mode, every epoch one step on
    all examples.

    Args:
        model: gives raw scores; it is left in the mode it came in.
        features: (n, input_dim) float32, on the model's device.
        labels: (n,) int64, class numbers, there too.

    Returns:
        The loss of each epoch, as computed before its step: plain floats.
    """
    # TODO overfit: the training loop of k17, without class weights; training mode during
    #     it, the old mode after it
    raise NotImplementedError("overfit")


if __name__ == "__main__":
    from sklearn.metrics import classification_report

    from katas.given import data, plots

    signal = torch.randn(200, 300)
    for name, size in (("small", 0.01), ("by Xavier's rule", (2 / 300) ** 0.5), ("large", 1.0)):
        spreads = ", ".join(f"{value:.2g}" for value in deviations(signal, size))
        print(f"weights {name}, {size:.2g}: {spreads}")
    known, unknown = data.nonsense()
    network = seeded(1, input_dim=2, hidden_dim=302, dropout_p=0.1, num_classes=3)
    history = overfit(network, known.features, known.labels)
    network.eval()
    for name, part in (("points it learned", known), ("new points", unknown)):
        share = (network(part.features).argmax(dim=1) == part.labels).float().mean()
        print(f"{name}: {share:.0%}")
    report = classification_report(unknown.labels, network(unknown.features).argmax(dim=1))
    print(f"On the new points:\n{report}")
    plots.show(
        plots.plot_boundary(network, known.features, known.labels, part="points it learned"),
        plots.plot_boundary(network, unknown.features, unknown.labels, part="new points"),
        plots.plot_loss_history(history),
    )
