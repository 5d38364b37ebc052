"""Looks on while a learner's training runs, to say what its steps follow and whether its losses are
those of its model. Works with every optimizer of torch.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim.optimizer import register_optimizer_step_pre_hook

from dojo.diagnosis import Diagnosis
from dojo.training import history, recorder, steps
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


@dataclass(frozen=True)
class Step:
    """The model's parameters and their gradients as an optimizer found them."""

    parameters: list[Tensor]
    gradients: list[Tensor | None]


@dataclass(frozen=True)
class Steps:
    """All steps of a training, in order."""

    taken: list[Step]
    model: nn.Module
    features: Tensor
    labels: Tensor

    def follow(self, right: Loss, wrong: Mapping[str, Loss] | None = None) -> None:
        """An optimizer of torch.optim takes steps, and none of them follows a gradient that a known
        mistake gives.

        A step that follows neither the right loss nor a known mistake is let pass: there are more
        right ways than a list holds.

        Args:
            right: the loss to follow, of (outputs, targets).
            wrong: likely cause → the loss that this mistake follows.
        """
        expect_steps(len(self.taken))
        pile = [torch.zeros_like(parameter) for parameter in self.model.parameters()]
        for number, step in enumerate(self.taken, start=1):
            fresh = self._gradients(right, step)
            if fresh is None or any(gradient is None for gradient in step.gradients):
                continue
            pile = [total + gradient for total, gradient in zip(pile, fresh, strict=True)]
            if _alike(step.gradients, fresh):
                continue
            mistakes = {PILED_UP: pile} if number > 1 else {}
            mistakes |= {
                cause: self._gradients(loss, step) for cause, loss in (wrong or {}).items()
            }
            told = [
                cause
                for cause, other in mistakes.items()
                if other is not None and _alike(step.gradients, other)
            ]
            if told:
                headline = (
                    f"Step {number} of the training does not follow the gradient of the loss."
                )
                seen = expect.describe(_flat(step.gradients))
                expected = expect.describe(_flat(fresh))
                expect.unmet(headline, seen=seen, expected=expected, likely=expect.told(*told))

    def _gradients(self, loss: Loss, step: Step) -> list[Tensor] | None:
        """The gradient of a loss where this step began; None where the loss can't take the model's
        output.
        """
        names = [name for name, _ in self.model.named_parameters()]
        parameters = [parameter.requires_grad_() for parameter in step.parameters]
        try:
            outputs = torch.func.functional_call(
                self.model, dict(zip(names, parameters, strict=True)), (self.features,)
            )
            gradients = torch.autograd.grad(
                loss(outputs, self.labels), parameters, allow_unused=True
            )
        except (RuntimeError, ValueError, IndexError):
            return None
        return None if any(gradient is None for gradient in gradients) else list(gradients)


def watch(train: Callable[[], object], model: nn.Module, features: Tensor, labels: Tensor) -> Steps:
    """Run a training of the model on these features and labels, and keep what each step of its
    optimizer found.
    """
    taken: list[Step] = []

    def look(optimizer: torch.optim.Optimizer, args: object, kwargs: object) -> None:
        parameters = list(model.parameters())
        gradients = [
            None if parameter.grad is None else parameter.grad.clone() for parameter in parameters
        ]
        taken.append(Step([parameter.detach().clone() for parameter in parameters], gradients))

    handle = register_optimizer_step_pre_hook(look)
    try:
        train()
    finally:
        handle.remove()
    return Steps(taken, model, features, labels)


def expect_steps(taken: int) -> None:
    """An optimizer took steps. Of a training that changes its parameters by hand nothing could be
    seen here.
    """
    likely = expect.told(
        "optimizer.step() is missing",
        "the parameters are changed by hand: make an optimizer of model.parameters() from"
        " torch.optim, and let it step",
    )
    expect.that(
        taken > 0,
        "No optimizer of torch.optim takes a step in this training.",
        seen="no step",
        expected="a step after each loss.backward()",
        likely=likely,
    )


def _alike(some: list[Tensor], others: list[Tensor]) -> bool:
    some, others = _flat(some), _flat(others)
    return bool(
        torch.linalg.vector_norm(some - others) <= 1e-3 * torch.linalg.vector_norm(others) + 1e-9
    )


def _flat(gradients: list[Tensor]) -> Tensor:
    return torch.cat([gradient.detach().flatten() for gradient in gradients])
