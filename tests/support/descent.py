"""A line with two weights and a bias, twelve examples in batches, the learner's trainer on them,
and gradient descent by the formula of the squared error, with its known mistakes.
"""

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from dojo.diagnosis import counted
from tests.support import expect, placement, returned, subject

LEARNING_RATE = 0.1
WRITTEN_IN = "a device is written into the code: ask the model's parameters"
WRONG_WAY = "the remainder is taken the wrong way round: epoch % every"
ANEW = "the optimizer is made anew or emptied: its momentum is the caller's"
LAST_ALONE = "this is the loss of the last batch alone: add up the losses of all of them"
FIRST_ALONE = "this is the loss of the first batch alone: the epoch ends after one batch"
SUMMED = "this is the sum over the batches: divide by len(dataloader)"
STOPS = "the training stops by itself: the stub promises all epochs"
EARLIER = "these are the weights of an earlier epoch: leave the model as the last step did"
MADE = {  # how many batches look made; 3 stands for more, too
    0: "the shapes are those of a batch as it comes: next(iter(dataloader)) makes one",
    1: "",
    2: "a second batch is taken: call next(iter(dataloader)) once, and keep the batch under a name",
    3: "a loop over the dataloader makes them all: next(iter(dataloader)) makes one",
}
NOT_USED = "what to_model gives back is not used: give it names, features, targets = to_model(...)"
CAST = "to(parameter) gives its dtype too: to(parameter.device) moves, and leaves the dtype"
RESHAPED = {  # what like_targets gives, with its known mistakes
    "the outputs are left as they were": lambda outputs, targets: outputs,
    "as many rows need not be as many numbers: compare numel()": lambda outputs, targets: (
        outputs.reshape(targets.shape) if outputs.shape[:1] == targets.shape[:1] else outputs
    ),
    "these are the targets: give the outputs their shape": [
        lambda outputs, targets: targets,
        lambda outputs, targets: targets.reshape(outputs.shape),
    ],
    "squeeze() takes dimensions away, whatever the targets have: take their shape": [
        lambda outputs, targets: outputs.squeeze(),
        lambda outputs, targets: outputs.squeeze(-1),
        lambda outputs, targets: outputs.squeeze(1) if outputs.dim() > 1 else outputs,
    ],
}


def line() -> nn.Linear:
    """A model with two weights and a bias, always the same."""
    model = nn.Linear(2, 1)
    with torch.no_grad():
        model.weight.copy_(torch.tensor([[0.5, -1.0]]))
        model.bias.fill_(0.25)
    return model


def batches(column: bool = True, device: torch.device | str = "cpu") -> DataLoader:
    """Twelve examples in three batches of four, always the same; targets (n, 1), or (n,) without
    column.
    """
    features = torch.linspace(-1.5, 2.0, 24).reshape(12, 2).sin()
    targets = features @ torch.tensor([[2.0], [1.0]]) - 0.5
    targets = targets if column else targets.reshape(-1)
    return loader(features.to(device), targets.to(device))


def loader(*data: torch.Tensor) -> DataLoader:
    return DataLoader(TensorDataset(*data), batch_size=4)


def weights(model: nn.Linear) -> torch.Tensor:
    return torch.cat([model.weight.detach().flatten().cpu(), model.bias.detach().cpu()])


def transposed(shape: tuple[int, ...]) -> torch.Tensor:
    """Random numbers of this shape that lie in memory in another order, if they have rows."""
    return torch.randn(shape[::-1]).permute(*reversed(range(len(shape))))


def descend(
    epochs: int, forget: str = "batch", step: str = "batch", rate: float = LEARNING_RATE
) -> torch.Tensor:
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
            w = w - rate * gradient * (step == "batch")
        w = w - rate * gradient * (step == "epoch")
    return w


def trained(
    epochs: int, rate: float = LEARNING_RATE, momentum: float = 0
) -> tuple[torch.Tensor, list[list[float]]]:
    """The right descent: the weights it ends at, and of each epoch the losses of its batches."""
    model, found = line(), []
    optimizer = torch.optim.SGD(model.parameters(), rate, momentum)
    for _ in range(epochs):
        parts = []
        for features, targets in batches():
            loss = nn.MSELoss()(model(features), targets)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            parts.append(loss.item())
        found.append(parts)
    return weights(model), found


def one_step(w: torch.Tensor | None = None) -> tuple[torch.Tensor, torch.Tensor]:
    """The weights after one step on the first batch, and the gradient that it followed."""
    w = (weights(line()) if w is None else w).clone().requires_grad_()
    features, targets = next(iter(batches()))
    loss = (features @ w[:2, None] + w[2] - targets).square().mean()
    (gradient,) = torch.autograd.grad(loss, w)
    return w.detach() - LEARNING_RATE * gradient, gradient


def run(kata, model, data, learning_rate=LEARNING_RATE, criterion=None, optimizer=None, **more):
    """The learner's trainer, by default with the squared error and plain gradient descent."""
    optimizer = optimizer or torch.optim.SGD(model.parameters(), lr=learning_rate)
    options = {"verbose": False} | more
    return kata.trainer(model, criterion or nn.MSELoss(), optimizer, data, **options)


def lines(losses, epochs=None, scores=None, first=1):
    """The text of these epochs, by default of all, with the first one called 1."""
    endings = [f", score: {score:.4f}" for score in scores] if scores else [""] * len(losses)
    numbers = epochs or range(1, len(losses) + 1)
    return "".join(
        f"epoch: {n - 1 + first}, loss: {losses[n - 1]:.4f}{endings[n - 1]}\n" for n in numbers
    )


def check_meeting(kata, model: nn.Module, data: DataLoader) -> None:
    """Batches and model may lie on two devices: the training works, and leaves model and data where
    they are.
    """
    given = data.dataset.tensors
    places = [tensor.device for tensor in given]

    def train(model, *tensors):
        batches = data if tensors[0] is given[0] else loader(*tensors)  # its copy on the CPU
        score = lambda outputs, targets: (outputs - targets).abs().mean().item()  # noqa: E731
        return run(kata, model, batches, epochs=2, score=score)

    placement.check_training(train, model, given, epochs=2)
    for tensor, place in zip(data.dataset.tensors, places, strict=True):
        expect.on_device(tensor, place, "The data set after training", placement.DATA_MOVED)


def check_shapes(shapes, one: tuple[int, ...]) -> None:
    """These are the two tuples of `batches`, where a single target has the shape `one`."""
    for name, seen, row in zip(("features", "targets"), shapes, ((2,), one), strict=True):
        causes = {
            "this is the shape of all the data: next(iter(dataloader)) takes one batch out": (
                (12, *row)
            ),
            "this is a single example: a batch has four of them": row,
            "this is the number of rows alone, as len() gives it: .shape is the whole shape": 4,
        }
        seen = tuple(seen) if isinstance(seen, torch.Size) else seen
        expect.equal(seen, (4, *row), f"The shape of the {name}", causes)


def check_losses(seen, epochs: int) -> None:
    """These are the losses of the right descent."""
    expect.losses(seen, epochs, what="trainer(...)")
    (_, parts), numbers = trained(epochs), range(1, epochs + 1)
    right = [sum(each) / len(each) for each in parts]
    causes = {
        LAST_ALONE: [each[-1] for each in parts],
        FIRST_ALONE: [each[0] for each in parts],
        SUMMED: [sum(each) for each in parts],
        "this is the mean of the losses so far: each epoch has a mean of its own": (
            [sum(right[:n]) / n for n in numbers]
        ),
        "the losses of earlier epochs are still in the sum: begin again with each epoch": (
            [sum(right[:n]) for n in numbers]
        ),
    }
    causes = {cause: torch.tensor(wrong) for cause, wrong in causes.items()}
    expect.close(torch.tensor(seen), torch.tensor(right), "The losses of the epochs", causes)


def check_all(losses, epochs: int, headline: str) -> None:
    """The training goes on to the last epoch, and no further."""
    seen, expected = counted(len(losses), "loss"), counted(epochs, "loss")
    likely = STOPS if len(losses) < epochs else "one number for each epoch of this call, no other"
    expect.that(
        len(losses) == epochs, headline, seen=seen, expected=expected, likely=expect.told(likely)
    )


def check_sent(moved, given, device, otherwise):
    """The features and the targets are on the device, with their numbers."""
    for name, seen, before in zip(("features", "targets"), moved, given, strict=True):
        likely = f"the {name} are {otherwise}: use the tensor that to(device) gives back"
        likely = likely if seen is before else WRITTEN_IN
        expect.on_device(seen, device, what=f"The {name}", likely=likely)
        expect.close(seen, before, what=f"The {name}")
        expect.dtype(seen, before.dtype, what=f"The {name}", likely=CAST)


def batch(kata, model, features, targets, criterion=None, rate=LEARNING_RATE):
    """What the learner's train_batch returns: three parts."""
    optimizer = torch.optim.SGD(model.parameters(), lr=rate)
    try:
        result = kata.train_batch(model, criterion or nn.MSELoss(), optimizer, features, targets)
    except RuntimeError as error:
        if "same device" not in str(error) or not subject.uses("train_batch", "\n    to_model("):
            raise
        headline = "The batch does not get to the model."
        expect.unmet(headline, seen=error, expected="no error", likely=expect.told(NOT_USED))
    return returned.several(result, 3, "train_batch", "loss, outputs, targets")
