"""The trainer: one loop for every model.

Large data comes in batches, and training repeats five moves for each of them:

    outputs = model(features)           forward: what does the model say?
    loss = criterion(outputs, targets)  how wrong is that?
    optimizer.zero_grad()               backward() adds to old gradients
    loss.backward()                     the gradient at every parameter
    optimizer.step()                    each parameter moves against it

One pass over all batches is an epoch, and its loss is the mean of the batches'
losses. A trainer works with any model, loss and optimizer. It resets nothing:
a second call goes on where the first one ended.

There are three traps on the way:

- Device. The model may be on a GPU while the batches are on the CPU. Move each
  batch to where the model's parameters are.
- Shape. Outputs (n, 1) minus targets (n,) are broadcast to (n, n), and
  nn.MSELoss only warns. Give the outputs the shape of the targets.
- Mode. Dropout and batch normalization work differently in training. Call
  model.train() first, and return the model in the mode it came in.

What to do: small functions first. Each is used by a later one, and trainer
puts them together. `python -m katas.k05_trainer` trains a line with yours.

Tasks: look, traps, batch, line, trainer.
Builds on: k02_devices, k03_autograd, k04_linear_regression.
Source: "Lecture 4: Introduction to Pytorch & Neural Networks".
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader


def look(dataloader: DataLoader) -> tuple[int, tuple[int, ...], tuple[int, ...]]:
    """How many batches there are, and the two shapes of the first one. It makes a single batch,
    because making all of them can take long.

    Args:
        dataloader: gives batches (features, targets), on any device.

    Returns:
        The number of batches, the shape of the features and the shape of the targets, as a number
        and two tuples, such as 10, (50, 1), (50,).
    """
    # BEGIN SOLUTION look: ask for the number of batches, make the first one, and read its shapes
    features, targets = next(iter(dataloader))
    return len(dataloader), tuple(features.shape), tuple(targets.shape)
    # END SOLUTION


def to_model(model: nn.Module, features: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """The trap of the device: the features and the targets, on the device of the model, with their
    dtypes as they were.

    Args:
        model: with at least one parameter, on any device. It stays there.
        features, targets: on any device, the same as the model's or another one.
    """
    # BEGIN SOLUTION traps: any parameter says where the model is; send both tensors there
    device = next(model.parameters()).device
    return features.to(device), targets.to(device)
    # END SOLUTION


def like_targets(outputs: Tensor, targets: Tensor) -> Tensor:
    """The trap of the shape: the outputs in the shape of the targets, if both hold equally many
    numbers. Otherwise, as for class scores (n, 3) and class numbers (n,), the outputs as they are.
    """
    # BEGIN SOLUTION traps: compare how many numbers the two hold, then reshape or not
    return outputs.reshape(targets.shape) if outputs.numel() == targets.numel() else outputs
    # END SOLUTION


def train_batch(
    model: nn.Module,
    criterion: nn.Module,
    optimizer: torch.optim.Optimizer,
    features: Tensor,
    targets: Tensor,
) -> tuple[float, Tensor, Tensor]:
    """The five moves for one batch, with the first two traps avoided: one step of the optimizer.

    Args:
        model: on any device.
        criterion: a loss of (outputs, targets), such as nn.MSELoss().
        optimizer: made from the model's parameters. They may come with old gradients, which must
            not count.
        features, targets: one batch, on any device.

    Returns:
        The loss before the step, a plain float. Then the outputs and the targets that the criterion
        was given: on the model's device and, if they hold equally many numbers, in the same shape.
    """
    # BEGIN SOLUTION batch: move the batch, then the five moves, with like_targets before the loss
    features, targets = to_model(model, features, targets)
    outputs = like_targets(model(features), targets)
    loss = criterion(outputs, targets)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item(), outputs, targets
    # END SOLUTION


def epoch_line(epoch: int, loss: float, score: float | None = None) -> str:
    """The text that trainer prints after an epoch. It is returned, not printed here.

    Args:
        epoch: its number, counted from 1.
        loss: the loss of the epoch.
        score: the score of the epoch, None if there is none.

    Returns:
        "epoch: 1, loss: 0.6711" or, with a score, "epoch: 1, loss: 0.6711, score: 0.5833". Loss and
        score have exactly four decimals.
    """
    # BEGIN SOLUTION line: an f-string with :.4f, and a second one if there is a score
    ending = "" if score is None else f", score: {score:.4f}"
    return f"epoch: {epoch}, loss: {loss:.4f}{ending}"
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
        model: on any device, in any mode. It trains in training mode and is left as it came.
        criterion: a loss of (outputs, targets), the mean over a batch.
        optimizer: made from the model's parameters.
        dataloader: gives batches (features, targets), on any device. The data stays as it is.
        epochs: passes over all batches.
        verbose: if true, print the epoch_line of an epoch after it, counted from 1. If false,
            print nothing.
        every: print only after every so many epochs: with 10 after epochs 10, 20, 30 ...
        score: a figure for people to read, such as the accuracy; no gradient is taken of it. Called
            once for each batch, with the outputs and targets that the criterion was given, it
            returns a number or a tensor of shape (). The line has its mean over the batches of the
            epoch.

    Returns:
        The loss of each epoch, the mean over its batches, as plain floats.
    """
    # BEGIN SOLUTION trainer: keep the mode and switch to training; for each epoch train every
    #     batch, keep the mean loss (and score), print if asked; give the mode back
    mode = model.training
    model.train()
    history = []
    for epoch in range(1, epochs + 1):
        total, scores = 0.0, 0.0
        for features, targets in dataloader:
            loss, *judged = train_batch(model, criterion, optimizer, features, targets)
            total += loss
            if score is not None:
                scores += float(score(*judged))
        history.append(total / len(dataloader))
        if verbose and epoch % every == 0:
            mean = None if score is None else scores / len(dataloader)
            print(epoch_line(epoch, history[-1], mean))
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
    print("The points scatter around the line: even the best one has a loss of about 93.")
    plots.show(plots.plot_loss_history(history))
