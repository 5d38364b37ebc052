"""A model with two weights and a bias, its data in batches, and where gradient descent by the
formula leads it.
"""

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from tests import expect, placement

LEARNING_RATE = 0.1
META = torch.device("meta")
NOT_MOVED = (
    "the batch is not moved to the model: batch.to(device) gives back another one, on the model's"
    " device"
)


def line() -> nn.Linear:
    """A model with two weights and a bias, always the same."""
    model = nn.Linear(2, 1)
    with torch.no_grad():
        model.weight.copy_(torch.tensor([[0.5, -1.0]]))
        model.bias.fill_(0.25)
    return model


def on_meta() -> nn.Linear:
    """The model on a device that every machine has besides the CPU: shapes without numbers. Its
    inputs have to be there too.
    """
    model = line().to(META)
    model.register_forward_pre_hook(
        lambda module, inputs: expect.on_device(*inputs, META, "The model's input", NOT_MOVED)
    )
    return model


def batches(column: bool = True, device: torch.device | str = "cpu") -> DataLoader:
    """Twelve examples in three batches of four, always the same; targets (n, 1), or (n,) without
    column.
    """
    features = torch.linspace(-1.5, 2.0, 24).reshape(12, 2).sin()
    targets = features @ torch.tensor([[2.0], [1.0]]) - 0.5
    targets = targets if column else targets.reshape(-1)
    return DataLoader(TensorDataset(features.to(device), targets.to(device)), batch_size=4)


def run(
    kata,
    model,
    data,
    *,
    epochs,
    learning_rate=LEARNING_RATE,
    criterion=None,
    optimizer=None,
    verbose=False,
    **more,
):
    """The learner's trainer, by default with the squared error and plain gradient descent."""
    optimizer = optimizer or torch.optim.SGD(model.parameters(), lr=learning_rate)
    return kata.trainer(
        model, criterion or nn.MSELoss(), optimizer, data, epochs=epochs, verbose=verbose, **more
    )


def check_meeting(kata, model: nn.Module, data: DataLoader) -> None:
    """Batches and model may lie on two devices: the training works, and leaves model and data where
    they are.
    """
    given = data.dataset.tensors
    places = [tensor.device for tensor in given]
    placement.check_training(lambda: run(kata, model, data, epochs=2), model, given, epochs=2)
    for tensor, place in zip(data.dataset.tensors, places, strict=True):
        expect.on_device(tensor, place, "The data set after training", placement.DATA_MOVED)
    expect.close(
        weights(model),
        descend(epochs=2),
        what=f"The weights, on {model.weight.device}, after two epochs",
        atol=1e-4,
    )


def weights(model: nn.Linear) -> torch.Tensor:
    return torch.cat([model.weight.detach().flatten().cpu(), model.bias.detach().cpu()])


def descend(epochs: int, forget: str = "batch", step: str = "batch") -> torch.Tensor:
    """Gradient descent with the formula of the squared error, and its known mistakes: the weights
    it ends at.
    """
    w = weights(line())
    gradient = torch.zeros(3)
    for _ in range(epochs):
        gradient *= forget == "never"
        for features, targets in batches():
            x = torch.cat([features, torch.ones(4, 1)], dim=1)
            gradient = gradient * (forget != "batch") + 2 * x.T @ (x @ w - targets.reshape(-1)) / 4
            w = w - LEARNING_RATE * gradient * (step == "batch")
        w = w - LEARNING_RATE * gradient * (step == "epoch")
    return w


class OnlyLooks(nn.Module):
    """A criterion that asks where its inputs are, and gives a loss that depends on nothing."""

    def forward(self, outputs, targets):
        expect.on_device(outputs, META, what="The output that the criterion gets")
        expect.on_device(targets, META, "The target that the criterion gets", NOT_MOVED)
        return torch.zeros((), requires_grad=True)


def lines(losses, epochs=None, scores=None):
    """The text of these epochs, by default of all."""
    endings = [f", score: {score:.4f}" for score in scores] if scores else [""] * len(losses)
    numbers = epochs or range(1, len(losses) + 1)
    return "".join(f"epoch: {n}, loss: {losses[n - 1]:.4f}{endings[n - 1]}\n" for n in numbers)
