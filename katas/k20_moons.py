"""Challenge: the moons, within 800 epochs.

Two half moons of 500 points each interlock, and noise blurs them.
You know everything you need: layers, activations, losses, optimizers, batches.
Only the budget is fixed, as if computing time cost money: the training may go
over its points 800 times, and no more.

Then your model is tested on 20000 new points, drawn in the same way:

    bronze    93 %      a straight line gets only 87 %
    silver    98 %
    gold      98.5 %    the noise lets no model get much above 99 %

Each medal has its own test; the kata is done when you reach gold. The model
gives one raw score per point, and its answer is 1 where the score is not
negative. So the sigmoid belongs in the loss (nn.BCEWithLogitsLoss).

In one epoch every point goes once through the model, forward and backward. A
mini-batch of 100 of the 1000 points is a tenth of an epoch. If you start again
with new weights, the epochs you have used stay used. Evaluating, without
backward(), is free. You may stop early.

What to try: wider layers, or narrowing ones; other activations, or different
ones in one network; an optimizer with momentum or with adaptive steps;
mini-batches. Change one thing at a time and write down what it gave. Two ReLU
layers of 10 neurons with plain SGD at lr=0.1 get bronze in two of three runs,
and never gold. `python -m katas.k20_moons` draws your result.

Tasks: model, train.   Builds on: k13_circles, k19_fcnn.
Source: "Session 3: Non-linear data with Neural Networks", its challenge.
"""

import torch
from torch import Tensor, nn


def build_model() -> nn.Module:
    """A new, untrained model on the CPU that maps points (n, 2) to raw scores (n, 1)."""
    # TODO model: any layers you like; the last has one output and no sigmoid after it
    raise NotImplementedError("model")


def train(model: nn.Module, features: Tensor, labels: Tensor, epochs: int = 800) -> list[float]:
    """Fit the model in place.

    Args:
        model: from build_model, on any device; it stays there. Afterwards it is tested in
            evaluation mode.
        features: (n, 2) float32, on the model's device.
        labels: (n, 1) float32, each 0 or 1, on the same device.
        epochs: how many passes over the n points the training may make at most.

    Returns:
        The loss of each epoch that was made, as plain floats: at least one, at most `epochs`.
    """
    # TODO train: any loss, optimizer and batches you like, within the budget
    raise NotImplementedError("train")


if __name__ == "__main__":
    from katas.given import data, plots

    points, classes = data.moons()
    network = build_model()
    history = train(network, points, classes)
    print(f"loss {history[-1]:.4f} after {len(history)} epochs")
    plots.show(
        plots.plot_boundary(network, points, classes, threshold=0.0),
        plots.plot_loss_history(history),
    )
