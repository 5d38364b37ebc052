"""For the fully connected network of k19: its parts, its training and its accuracy on any
device.
"""

import contextlib
from collections.abc import Callable, Iterable
from types import ModuleType

import numpy as np
import torch
from torch import Tensor, nn

from tests import expect, fcnn, placement


def check_pairs(kata: ModuleType, device: torch.device) -> None:
    """A network with any activations comes along to the device, and gives its pair there."""
    for name, last in (("relu", "linear"), ("tanh", "sigmoid"), ("sigmoid", "softmax")):
        model = expect.moved(kata.FCNN([2, 3, 2], name, last), device)
        for what, seen in zip(
            ("y_pred", "z_pred"), model(torch.randn(4, 2, device=device)), strict=True
        ):
            expect.on_device(seen, device, what=f"{what} of {name} and {last}")


def check_losses(kata: ModuleType, device: torch.device) -> None:
    """Every loss of z_pred and targets on the device is there, too."""
    z, numbers = torch.randn(4, 3, device=device), torch.arange(4, device=device) % 3
    expect.on_device(kata.log_softmax_loss(z, numbers), device, what="The loss in two steps")
    column = torch.ones(4, 1, device=device)
    for kind, pair in (
        ("regression", (z[:, :1], column)),
        ("binary", (z[:, :1], column)),
        ("multiclass", (z, numbers)),
    ):
        expect.on_device(kata.loss_for(kind)(*pair), device, what=f"The loss of {kind}")


def check_steps(
    optimizer_for: Callable[..., torch.optim.Optimizer], names: Iterable[str], device: torch.device
) -> None:
    """Each of these optimizers changes a weight on the device, and leaves it there."""
    for name in names:
        model = nn.Linear(2, 1).to(device)
        before, optimizer = model.weight.tolist(), optimizer_for(name, model.parameters(), 0.1)
        model(torch.ones(3, 2, device=device)).sum().backward()
        optimizer.step()
        expect.on_device(model.weight, device, what=f"The weight after a step of {name!r}")
        likely = (
            "it got other tensors than the model's parameters: pass them on as they are, whichever"
            " device they are on"
        )
        headline, seen = f"A step of {name!r} changes nothing on {device}.", model.weight.tolist()
        expect.that(seen != before, headline, seen=seen, expected="another weight", likely=likely)


def check_batch(batch: tuple[Tensor, Tensor], device: torch.device) -> None:
    """Both parts of the batch lie on the device."""
    for part, what in zip(batch, ("features", "targets"), strict=True):
        expect.on_device(part, device, what=f"The {what} of a batch")


def check_training(
    kata: ModuleType, features: np.ndarray, targets: np.ndarray, device: torch.device
) -> None:
    """The training takes every batch of the class numbers 0 to 3 to the model, which stays on the
    device, number and all.
    """
    model = expect.moved(kata.FCNN([2, 6, 4], "relu", "softmax"), device)

    def train(model: nn.Module = model) -> list[float]:
        return kata.train(model, features, targets, "multiclass", epochs=2, batch_size=10)

    placement.check_training(train, model, [], epochs=2)
    check_moved(model, train)
    check_number(kata.FCNN([2, 6, 4], "relu", "softmax"), train, what="The batches")


def check_shares(kata: ModuleType, device: torch.device) -> None:
    """The share of right answers of a model on the device, for both kinds that have one."""
    z = torch.tensor([-2.0, 0.3, 1.0, 2.0])
    share = fcnn.share(kata, "binary", z.reshape(-1, 1), (z > 0.5).float(), device)
    expect.close(share, 0.75, what=f"The accuracy of a binary model on {device}")
    share = fcnn.share(
        kata, "multiclass", torch.eye(3)[[0, 1, 2, 2]], torch.tensor([0.0, 1, 2, 1]), device
    )
    expect.close(share, 0.75, what=f"The accuracy of a multiclass model on {device}")

    def ask(model: nn.Module) -> float:
        return kata.accuracy(model, np.zeros((4, 2)), np.zeros((4, 1)), "binary")

    model = kata.FCNN([2, 1], "relu", "sigmoid")
    check_moved(model, lambda: ask(model))
    check_number(kata.FCNN([2, 1], "relu", "sigmoid"), ask, what="The features")


def check_number(model: nn.Module, call: Callable[[nn.Module], object], what: str) -> None:
    """The call takes its tensors to the GPU of the model, by its number: the model is said to be on
    the second one.
    """
    with placement.Pretended(placement.SECOND_GPU, model) as there:
        call(model)
    there.check(what)


def check_moved(model: nn.Module, call: Callable[[], object]) -> None:
    """The call gives the model its input where the model lies: on the meta device here, which every
    machine has.
    """

    class Seen(Exception):
        """Ends the call: numbers are not to be had on this device."""

    def look(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        expect.on_device(inputs[0], torch.device("meta"), what="The model's input")
        raise Seen

    model.to("meta").register_forward_pre_hook(look)
    with contextlib.suppress(Seen):
        call()
