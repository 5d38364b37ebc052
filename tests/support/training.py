"""Looks on while a learner's training runs, to say what its steps follow and whether its losses are
those of its model. Works with every optimizer of torch.
"""

import contextlib
from collections.abc import Callable, Iterator
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim.optimizer import register_optimizer_step_pre_hook

from dojo.diagnosis import Diagnosis
from dojo.diagnosis import counted as counted_in_words
from dojo.training import history, recorder, runs, steps
from dojo.training.evidence import PILED_UP
from dojo.training.rules import Rule, Training
from tests.support import expect

__all__ = ["PILED_UP", "Rule", "Training"]
DOUBLE_SIGMOID = (
    "nn.BCEWithLogitsLoss applies a sigmoid of its own, and these are probabilities already: use"
    " nn.BCELoss"
)
SQUARED_ERROR = "this is the squared error: use nn.BCELoss"
Loss = Callable[[Tensor, Tensor], Tensor]


def by_hand(y_hat: Tensor, labels: Tensor, least: float = 0, more: float = 0) -> Tensor:
    """The binary cross-entropy by its formula, of probabilities that are cut off or added to."""
    y_hat = y_hat.clamp(least, 1 - least)
    return -(labels * (y_hat + more).log() + (1 - labels) * (1 - y_hat + more).log()).mean()


SMALL = (1e-12, 1e-10, 1e-9, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3)
# likely cause → the loss of probabilities that it follows; where none is 0 or 1 some are right
HAND_MADE: dict[str, Loss] = {
    "log(0) is -inf, and 0 * -inf is NaN where a probability is exactly 0 or 1: nn.BCELoss bounds"
    " its logs": by_hand,
    **{
        f"the probabilities are cut off at {e:g}: nn.BCELoss takes them as they are": partial(
            by_hand, least=e
        )
        for e in SMALL
    },
    **{
        f"{e:g} is added within the log: nn.BCELoss takes the probabilities as they are": partial(
            by_hand, more=e
        )
        for e in SMALL
    },
}
# likely cause → the loss of class scores (n, classes) and class numbers (n,) that it follows
CLASS_LOSSES: dict[str, Loss] = {
    "a softmax is applied before the loss: nn.CrossEntropyLoss contains it and wants the raw scores"
    " (logits)": lambda scores, labels: F.cross_entropy(F.softmax(scores, dim=1), labels),
    "nn.NLLLoss wants log-probabilities, and these are raw scores: use nn.CrossEntropyLoss": (
        F.nll_loss
    ),
    "this is the squared error against one-hot labels: use nn.CrossEntropyLoss": (
        lambda scores, labels: F.mse_loss(scores, F.one_hot(labels, scores.shape[1]).float())
    ),
    "this is the loss with label_smoothing=0.1: leave the smoothing out": (
        lambda scores, labels: F.cross_entropy(scores, labels, label_smoothing=0.1)
    ),
}


def run(
    model: nn.Module,
    train: Callable[..., list[float]],
    features: Tensor,
    labels: Tensor,
    rule: Rule,
    epochs: int = 0,
    batch_size: int = 0,
) -> Training:
    """Look on while train(model, features, labels, epochs=epochs, batch_size=batch_size) runs;
    without these numbers they are those of the stub. What it returns is a list with the loss of
    each epoch.
    """
    told = {
        name: number for name, number in (("epochs", epochs), ("batch_size", batch_size)) if number
    }
    epochs = epochs or rule.default
    with expect.untouched("The data", features, labels):
        losses, record = recorder.watch(
            lambda: train(model, features, labels, **told), model, features
        )
    name = getattr(train, "__name__", "train")
    what = "train(...)" if name == "<lambda>" else f"{name}(...)"
    if isinstance(losses, list) and {type(loss) for loss in losses} == {float}:
        training = Training(record, model, (features, labels), rule, epochs, losses, batch_size)
        _raise(history.too_few_or_many(training))
    expect.losses(losses, epochs=epochs, what=what)
    return training


def check_steps(training: Training) -> None:
    """One optimizer, of all parameters of this model and no others, takes one step in each epoch,
    which follows the gradient of the loss; nothing else changes the model.
    """
    _raise(steps.problem(training))


def check_losses(training: Training) -> None:
    """The loss of each epoch is that of the model as it stood before its step."""
    _raise(history.problem(training))


def check(*arguments: object, **named: object) -> list[float]:
    """All of these for one training; the arguments are those of `run`. Its losses."""
    training = run(*arguments, **named)
    check_steps(training)
    check_losses(training)
    return training.losses


def check_every_epoch(train: Callable[..., list[float]]) -> None:
    """All epochs of train(model, features, labels, epochs=...) are made, each with a loss of its
    own, where there is nothing left to gain and where the loss rises.
    """
    labels = torch.arange(12) % 3
    for model in (runs.sure(), runs.Rising()):
        losses = train(model, F.one_hot(labels, 3).float(), labels, epochs=30)
        if isinstance(losses, list) and len(losses) < 30:
            seen, expected = counted_in_words(len(losses), "loss"), "30 losses"
            likely = expect.told("the training stops early: the stub promises all epochs")
            headline = "It does not make all epochs."
            expect.unmet(headline, seen=seen, expected=expected, likely=likely)
        expect.losses(losses, epochs=30)
    expect.that(
        losses[-1] > losses[0],
        "The losses of a training that gets worse do not rise.",
        seen=expect.describe(torch.tensor(losses)),
        expected="larger and larger ones",
        likely=expect.told("each is the smallest so far: it is the loss of its own epoch"),
    )


def weights_after(training: Training, optimizer: str, **settings: float) -> Tensor:
    """The weights, flat, that an optimizer of torch.optim makes of the gradients of a training."""
    weights = training.record.start.clone().requires_grad_()
    steps = getattr(torch.optim, optimizer)([weights], **settings)
    for gradient in training.record.gradients:
        weights.grad = gradient.clone()
        steps.step()
    return weights.detach()


def pulled(training: Training) -> list[str]:
    """Likely causes why a training whose steps are right ends elsewhere than at the lowest loss."""
    record = training.record
    decays = {
        f"weight_decay={decay:g} of torch.optim.{kind} pulls every weight towards 0 as well: the"
        " lowest loss lies elsewhere"
        for kind, decay in zip(record.kinds, record.decays, strict=True)
        if decay > 0
    }
    return sorted(decays)


def _raise(diagnosis: Diagnosis | None) -> None:
    if diagnosis:
        raise expect.Unmet(diagnosis)


@contextlib.contextmanager
def counted() -> Iterator[list[str]]:
    """The kinds of the optimizers that take a step in the block, one for each step."""
    taken: list[str] = []
    handle = register_optimizer_step_pre_hook(
        lambda optimizer, args, kwargs: taken.append(type(optimizer).__name__)
    )
    try:
        yield taken
    finally:
        handle.remove()
