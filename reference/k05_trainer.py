"""The trainer: one loop for every model.

Training in PyTorch repeats five moves for each batch:

    outputs = model(features)           forward: what does the model say?
    loss = criterion(outputs, targets)  how wrong is that?
    optimizer.zero_grad()         forget the gradients of the batch before:
                                  backward() adds to them
    loss.backward()               the gradient of the loss at every parameter
    optimizer.step()              move every parameter a little against
                                  its gradient

One pass over all batches is an epoch. Its loss is the mean over the batches'
losses. Nothing is reset at the start: a second call carries the first one
further, because all that was learned is in the model and the optimizer. Any
cost will do. A score for people to read, such as the accuracy, gives no
gradient to follow, but it can be shown next to the loss.

Three traps lie on the way, and a good trainer springs none of them:

- The model may be on a GPU while the batches come from the CPU: move each
  batch to the device of the model's parameters.
- Outputs (n, 1) and targets (n,) hold one number per example each, yet outputs
  - targets has shape (n, n), and nn.MSELoss only warns. Give the outputs the
  shape of the targets whenever both hold equally many numbers.
- Dropout and batch normalization behave differently in training: model.train()
  says that it has begun. Whoever lent you the model in another mode wants it
  back in that mode.

What to do: look at a batch, then write the loop once, well; the later katas
use such a loop again and again. `python -m katas.k05_trainer` trains a line
with yours, and draws how its loss fell.

Tasks: look, trainer.
Builds on: k02_devices, k03_autograd, k04_linear_regression.
Source: "Lecture 4: Introduction to Pytorch & Neural Networks".
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader


def look(dataloader: DataLoader) -> tuple[int, tuple[int, ...], tuple[int, ...]]:
    """How many batches there are, and the shapes of the features and of the targets in one batch,
    the first.

    Args:
        dataloader: gives batches (features, targets).

    Returns:
        The number of batches and two plain tuples, such as 10, (50, 1), (50,).
    """
    # BEGIN SOLUTION look: count the batches, take the first one out, and read its two shapes
    features, targets = next(iter(dataloader))
    return len(dataloader), tuple(features.shape), tuple(targets.shape)
    # END SOLUTION


def trainer(
    model: nn.Module,
    criterion: nn.Module,
    optimizer: torch.optim.Optimizer,
    dataloader: DataLoader,
    epochs: int = 5,
    verbose: bool = True,
    every: int = 1,
    score: Callable[[Tensor, Tensor], float] | None = None,
) -> list[float]:
    """Train the model in place.

    Args:
        model: on any device, in any mode; it is left in the mode it came in.
        criterion: a loss such as nn.MSELoss() of (outputs, targets), the mean over a batch.
        optimizer: made from the model's parameters.
        dataloader: gives batches (features, targets), on any device.
        epochs: passes over all batches.
        verbose: print a line such as "epoch: 1, loss: 0.6711" after each epoch, and nothing
            otherwise.
        every: print only after every so many epochs: with 10 after epochs 10, 20, 30 ...
        score: a number for the outputs and targets of a batch, such as their accuracy. Its mean
            over the batches of the epoch ends the line, "epoch: 1, loss: 0.6711, score: 0.5833";
            without a score the line ends with the loss.

    Returns:
        The loss of each epoch, the mean over its batches: plain floats.
    """
    # BEGIN SOLUTION trainer: remember the mode and switch to training; for each epoch go through
    #     the batches, each with
    #     the five moves of the lesson on the model's device; keep the mean loss (and score), print
    #     if asked; restore the mode
    device = next(model.parameters()).device
    mode = model.training
    model.train()
    history = []
    for epoch in range(epochs):
        total, scores = 0.0, 0.0
        for features, targets in dataloader:
            features, targets = features.to(device), targets.to(device)
            outputs = model(features)
            if outputs.numel() == targets.numel():
                outputs = outputs.reshape(targets.shape)
            loss = criterion(outputs, targets)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item()
            if score is not None:
                scores += float(score(outputs, targets))
        history.append(total / len(dataloader))
        if verbose and (epoch + 1) % every == 0:
            ending = "" if score is None else f", score: {scores / len(dataloader):.4f}"
            print(f"epoch: {epoch + 1}, loss: {history[-1]:.4f}{ending}")
    model.train(mode)
    return history
    # END SOLUTION


if __name__ == "__main__":
    from torch.utils.data import TensorDataset

    from katas.given import data, plots

    batches = DataLoader(TensorDataset(*data.linear()), batch_size=50, shuffle=True)
    print(*look(batches))
    line = nn.Linear(1, 1)
    gradient_descent = torch.optim.SGD(line.parameters(), lr=0.01)
    history = trainer(line, nn.MSELoss(), gradient_descent, batches, epochs=30, every=5)
    plots.show(plots.plot_loss_history(history))
