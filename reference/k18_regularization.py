"""Regularization: starting weights, dropout, and memorized nonsense.

Weights. If they start too small, the signal dies out from layer to layer; if
too large, it explodes. Xavier's rule draws them around 0 with a standard
deviation that depends on the layer's size:

    std = gain * sqrt(2 / (inputs + outputs)),  gain = sqrt(2) before a ReLU

With as many outputs as inputs, a ReLU layer roughly keeps the signal's size.

Dropout. In training, each hidden activation is set to 0 with probability p,
different ones in every pass and for every example. So no unit can rely on
another one. Dividing the rest by 1 - p keeps the sums the same on average.

    training     x -> fc1 -> relu -> dropout -> fc2
    evaluation   x -> fc1 -> relu ------------> fc2

model.train() and model.eval() switch between the two. If you forget eval(),
the answers are random.

Overfitting. Take 105 random points with random classes. There is nothing to
learn, yet a wide network is soon right on two thirds of them: it memorizes
them. On new points it is right on a third, which is chance. Such a gap is
called overfitting, and only points kept out of training can show it.

What to do: the four pieces. `python -m katas.k18_regularization` shows the
signal's size in ten layers, and the gap.

Tasks: model, init, depth, overfit.   Builds on: k17_spiral_mlp.
Source: Made With ML, "Neural Networks".
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn import init


class MLP(nn.Module):
    """One hidden layer with ReLU and dropout, raw scores (logits) at the end.

    fc1 and fc2 are its only layers with weights.

    Args:
        input_dim: features per example.
        hidden_dim: hidden units.
        dropout_p: the probability that a hidden activation is dropped in training.
        num_classes: scores per example.
    """

    def __init__(self, input_dim: int, hidden_dim: int, dropout_p: float, num_classes: int) -> None:
        super().__init__()
        # BEGIN SOLUTION model: create self.fc1 (nn.Linear), self.dropout (nn.Dropout) and self.fc2
        #     (nn.Linear)
        self.fc1 = nn.Linear(input_dim, hidden_dim)
        self.dropout = nn.Dropout(dropout_p)
        self.fc2 = nn.Linear(hidden_dim, num_classes)
        # END SOLUTION

    def init_weights(self) -> None:
        """Redraw the weights of fc1 in place, by Xavier's rule with the gain of a ReLU. All other
        parameters stay as they are. Normal or uniform random numbers are both fine.
        """
        # BEGIN SOLUTION init: torch.nn.init has Xavier's rule and the gain of each activation
        init.xavier_normal_(self.fc1.weight, gain=init.calculate_gain("relu"))
        # END SOLUTION

    def forward(self, x: Tensor) -> Tensor:
        """Map features (n, input_dim) to raw scores (n, num_classes)."""
        # BEGIN SOLUTION model: x -> fc1 -> relu -> dropout -> fc2
        return self.fc2(self.dropout(F.relu(self.fc1(x))))
        # END SOLUTION


def seeded(seed: int, input_dim: int, hidden_dim: int, dropout_p: float, num_classes: int) -> MLP:
    """A new MLP on the CPU whose fc1 starts by Xavier's rule. The seed decides every number in its
    parameters.

    Args:
        seed: with the same seed, models of the same sizes start with the same numbers, whatever was
            drawn before; torch.manual_seed does this for all of torch.
        input_dim, hidden_dim, dropout_p, num_classes: as for MLP.
    """
    # BEGIN SOLUTION init: set torch's seed before anything is drawn; make the model, then its
    #     starting weights
    torch.manual_seed(seed)
    model = MLP(input_dim, hidden_dim, dropout_p, num_classes)
    model.init_weights()
    return model
    # END SOLUTION


def deviations(x: Tensor, std: float, layers: int = 10) -> list[float]:
    """Send a signal through many layers and measure its size after each of them.

    Every layer maps activations (n, width) to relu(activations @ W), again (n, width). It has its
    own weights W (width, width), standard normal random numbers times std, other ones in every
    call, and no bias.

    Args:
        x: (n, width) float32, the input of the first layer, on any device; left unchanged.
        std: the standard deviation of the weights.
        layers: the number of layers.

    Returns:
        After each layer, the standard deviation of all its activations, as plain floats.
    """
    # BEGIN SOLUTION depth: for each layer draw new weights on the device of x; multiply, apply
    #     relu, measure
    found = []
    for _ in range(layers):
        weights = std * torch.randn(x.shape[1], x.shape[1], device=x.device)
        x = F.relu(x @ weights)
        found.append(x.std().item())
    return found
    # END SOLUTION


def overfit(model: nn.Module, features: Tensor, labels: Tensor, epochs: int = 200) -> list[float]:
    """Fit the model in place, from the weights it has, with nn.CrossEntropyLoss, in training mode:
    in every epoch one step on all examples. The optimizer and its learning rate are your choice.

    With 302 hidden units and 200 epochs, at least half of the 105 points come out right.

    Args:
        model: gives raw scores. It comes in either mode and is left in that mode.
        features: (n, input_dim) float32, on the model's device.
        labels: (n,) int64, class numbers, on the same device.

    Returns:
        The loss of each epoch, computed before its step, as plain floats.
    """
    # BEGIN SOLUTION overfit: the training loop of k17, without class weights; training mode during
    #     it, the old mode after it
    loss_function = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    mode = model.training
    model.train()
    losses = []
    for _ in range(epochs):
        loss = loss_function(model(features), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    model.train(mode)
    return losses
    # END SOLUTION


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
