"""Questions on k05: what a look at batches gives, what the small functions make of one batch, where
the trainer leads fresh models, what it prints and leaves alone.
"""

import contextlib
import io
import re
from collections.abc import Callable
from itertools import repeat

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset, default_collate

from dojo.exam import Draw, fake_devices, question, training_steps


def batches(
    draw: Draw, target: Callable[[Tensor], Tensor], device: torch.device | str = "cpu"
) -> DataLoader:
    """Three batches or more of examples with three features; the last one may be smaller."""
    size = draw.integer(2, 6)
    features = draw.normal(3 * size + draw.integer(0, size), 3)
    return DataLoader(
        TensorDataset(features.to(device), target(features).to(device)), batch_size=size
    )


def column(x: Tensor) -> Tensor:
    return (x.sum(dim=1, keepdim=True) + 1).sin() * 2


def row(x: Tensor) -> Tensor:
    return column(x).flatten()


def line() -> nn.Module:
    return nn.Linear(3, 1)


CASES = {  # case → model, criterion, targets
    "column": (line, nn.MSELoss(), column),
    "row": (line, nn.MSELoss(), row),
    "absolute error": (line, nn.L1Loss(), column),
    "several outputs": (lambda: nn.Linear(3, 3), nn.MSELoss(), lambda x: x.cos()),
    "classes": (lambda: nn.Linear(3, 3), nn.CrossEntropyLoss(), lambda x: x.argmax(dim=1)),
    "probabilities": (
        lambda: nn.Sequential(line(), nn.Sigmoid()),
        nn.BCELoss(),
        lambda x: (column(x) > 0).float(),
    ),
}


def descent(model: nn.Module, rate: float = 0.05) -> torch.optim.Optimizer:
    return torch.optim.SGD(model.parameters(), lr=rate, momentum=0.5)


def told(text: str) -> dict[str, object]:
    """What was printed, as an answer: decimals apart from the text, because the last one is a
    matter of rounding.
    """
    pattern = r"\d+\.(\d+)"
    figures = [float(found.group()) for found in re.finditer(pattern, text)]
    return {
        "text": re.sub(pattern, lambda found: "#." + "#" * len(found.group(1)), text),
        "figures": figures,
    }


@question("look", times=2)
def look(kata, draw: Draw):
    found = {}
    for name, target, device in (
        ("column", column, "cpu"),
        ("row", row, "cpu"),
        ("elsewhere", row, draw.device),
    ):
        data, taken = batches(draw, target, device), []
        data.collate_fn = lambda rows, taken=taken: (
            taken.append(len(rows)),
            default_collate(rows),
        )[1]
        number, features, targets = kata.look(data)
        are_tuples = [isinstance(shape, tuple) for shape in (features, targets)]
        found[name] = [number, tuple(features), tuple(targets), are_tuples, len(taken)]
    size = draw.integer(2, 6)
    rows = TensorDataset(draw.normal(3 * size + 1, 3))
    found["left out"] = [
        kata.look(DataLoader(TensorDataset(*rows.tensors, *rows.tensors), size, drop_last=left))[0]
        for left in (True, False)
    ]
    return found


@question("traps", times=2)
def traps(kata, draw: Draw):
    """Batches from the CPU for a model elsewhere and the other way round; outputs of any shape."""
    n, found, moved = draw.integer(2, 9), {}, {}
    for name, there, here in (("model", draw.device, "cpu"), ("batches", "cpu", draw.device)):
        model, features, targets = line().to(there), draw.normal(n, 3).to(here), draw.normal(n)
        with training_steps.untouched(found, **{f"features of {name}": features}):
            sent = kata.to_model(model, features, targets.to(here))
        numbers = kata.to_model(model, features, draw.classes(n, 3).to(here))
        moved[name] = [*sent, *numbers, next(model.parameters()).device]
    pairs = (((n, 1), (n,)), ((n,), (n, 1)), ((n, 2), (n, 2)), ((n + 1, 3), (n + 1,)), ((1,), ()))
    pairs += (((n, 1), (n, 1)), ((1, 1), (1,)), ((2, n), (2 * n,)), ((n, 3), (n + 1, 1)))
    shaped = [kata.like_targets(draw.normal(*one), draw.normal(*other)) for one, other in pairs]
    shaped.append(kata.like_targets(draw.normal(n, 2).T, draw.normal(2 * n)))  # not in its order
    with fake_devices.Pretended(fake_devices.SECOND_GPU, model := line()) as there:
        kata.to_model(model, draw.normal(n, 3), draw.normal(n))
    outputs = draw.normal(n, 1).requires_grad_()
    gradient = torch.autograd.grad((kata.like_targets(outputs, draw.normal(n)) ** 2).sum(), outputs)
    return {
        "moved": moved,
        "shaped": shaped,
        "gradient": gradient[0],
        "sent to": sorted(there.sent),
        **found,
    }


@question("batch", times=2)
def one_batch(kata, draw: Draw):
    """For each case, with something in .grad before."""
    answers = {}
    for case, (build, criterion, target) in CASES.items():
        model, found = draw.weights(build()), {}
        features = draw.normal(draw.integer(2, 7), 3)
        targets = target(features)
        for parameter in model.parameters():
            parameter.grad = torch.ones_like(parameter)
        with training_steps.untouched(found, features=features, targets=targets):
            loss, *judged = kata.train_batch(model, criterion, descent(model), features, targets)
        answers[case] = [
            loss,
            type(loss).__name__,
            *(part.detach() for part in judged),
            training_steps.trained(model),
            found,
        ]
    return answers


@question("batch")
def steps_of_the_optimizer(kata, draw: Draw):
    model, features, steps = draw.weights(line()), draw.normal(5, 3), []
    optimizer = descent(model)
    optimizer.register_step_post_hook(lambda *_: steps.append(1))
    kata.train_batch(model, nn.MSELoss(), optimizer, features, column(features))
    return {"steps": len(steps)}


@question("batch")
def one_batch_on_another_device(kata, draw: Draw):
    model, features = draw.weights(line()).to(draw.device), draw.normal(5, 3)
    optimizer = descent(model)
    loss, *judged = kata.train_batch(model, nn.MSELoss(), optimizer, features, row(features))
    return {
        "loss": loss,
        "judged": [part.detach() for part in judged],
        "parameters": list(model.parameters()),
    }


@question("line", times=2)
def line_to_print(kata, draw: Draw):
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        lines = [
            kata.epoch_line(
                draw.integer(1, 999), draw.real(0, 9) * 10 ** draw.integer(-3, 3), score
            )
            for score in (None, draw.real(0, 1), 0.0, 1.0)
        ]
        short = told(kata.epoch_line(1, 2.0))
    return {
        "lines": [told(line) for line in lines],
        "short": short,
        "printed": printed.getvalue(),
    }


@question("trainer", times=2, seconds=20)
def trainings(kata, draw: Draw):
    """Two calls each, the second with what the first has left; nothing is printed."""
    answers = {}
    for case, (build, criterion, target) in CASES.items():
        model, data, found = draw.weights(build()), batches(draw, target), {}
        optimizer, (features, targets) = descent(model, draw.real(0.03, 0.1)), data.dataset.tensors
        with (
            training_steps.untouched(found, features=features, targets=targets),
            contextlib.redirect_stdout(io.StringIO()) as printed,
        ):
            first = kata.trainer(
                model, criterion, optimizer, data, epochs=draw.integer(2, 4), verbose=False
            )
            between = [one.detach().clone() for one in model.parameters()]
            second = kata.trainer(model, criterion, optimizer, data, epochs=2, verbose=False)
        answers[case] = [
            first,
            between,
            second,
            training_steps.trained(model),
            printed.getvalue(),
            found,
        ]
    return answers


@question("trainer")
def the_mean_of_uneven_batches(kata, draw: Draw):
    """Without steps; also of losses so small that a rounded one shows."""
    model, size = draw.weights(line()), draw.integer(3, 6)
    features = draw.normal(2 * size + 1, 3)
    data, found = DataLoader(TensorDataset(features, column(features)), batch_size=size), {}
    for name, times in (("usual", 1.0), ("small", 1e-5)):
        losses = kata.trainer(
            model,
            lambda *of, times=times: times * nn.MSELoss()(*of),
            descent(model, 0.0),
            data,
            epochs=draw.integer(1, 3),
            verbose=False,
        )
        found[name] = [[loss / times for loss in losses], [type(loss).__name__ for loss in losses]]
    return found


@question("trainer")
def printed_lines(kata, draw: Draw):
    """By default, now and then, and with scores that are numbers or tensors, or all 0."""
    scores, every = draw.uniform(0, 1, 60).tolist(), draw.integer(2, 4)
    kinds = {"numbers": iter(scores), "tensors": map(torch.tensor, scores)}
    kinds |= {"whole numbers": (int(9 * score) for score in scores), "zeros": repeat(0.0)}
    calls = {"default": {}, "every": {"every": every, "epochs": 2 * every + 1}}
    calls |= {
        name: {"epochs": 2, "score": lambda *_, values=values: next(values)}
        for name, values in kinds.items()
    }
    found = {}
    for name, more in calls.items():
        model, data = draw.weights(line()), batches(draw, column)
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            kata.trainer(model, nn.MSELoss(), descent(model), data, **more)
        found[name] = told(printed.getvalue())
    return found


@question("trainer")
def what_the_score_gets(kata, draw: Draw):
    """Without steps, so that it does not matter when it is asked."""
    model, data, asked = draw.weights(line()), batches(draw, row), []

    def score(outputs: Tensor, targets: Tensor) -> float:
        asked.append(
            [
                outputs.detach().flatten().clone(),
                targets.flatten().clone(),
                outputs.shape == targets.shape,
            ]
        )
        return 0.5

    with contextlib.redirect_stdout(io.StringIO()):
        kata.trainer(model, nn.MSELoss(), descent(model, 0.0), data, epochs=1, score=score)
        of_one_epoch = list(asked)
        for more in ({"verbose": False}, {"every": 9}):
            kata.trainer(model, nn.MSELoss(), descent(model), data, epochs=2, score=score, **more)
    return {"asked": of_one_epoch, "asked in all": asked}


@question("trainer")
def a_model_that_fits(kata, draw: Draw):
    """There is nothing left to learn, and all epochs are made."""
    model, features = draw.weights(line()), draw.normal(9, 3)
    data = DataLoader(TensorDataset(features, model(features).detach()), batch_size=4)
    losses = kata.trainer(
        model, nn.MSELoss(), descent(model), data, epochs=draw.integer(3, 6), verbose=False
    )
    return {"losses": losses}


@question("trainer")
def a_loss_that_rises(kata, draw: Draw):
    """The steps are too large; the model stays as the last one leaves it."""
    model, data = draw.weights(line()), batches(draw, column)
    losses = kata.trainer(model, nn.MSELoss(), descent(model, 3.0), data, 3, verbose=False)
    return {"losses": losses, "weights": training_steps.trained(model)}


@question("trainer")
def mode(kata, draw: Draw):
    found, seen = [], []
    for before in (True, False):
        model = nn.Sequential(draw.weights(line()), nn.Identity()).train(before)
        model.register_forward_hook(lambda module, inputs, output: seen.append(module.training))
        kata.trainer(
            model, nn.MSELoss(), descent(model), batches(draw, column), epochs=2, verbose=False
        )
        found.append([all(seen), len(seen), [part.training for part in model.modules()]])
    return {"modes": found}


def apart(outputs: torch.Tensor, targets: torch.Tensor) -> float:
    """A score that needs both on one device."""
    return (outputs - targets).abs().mean().item()


@question("trainer")
def two_devices(kata, draw: Draw):
    """Batches from the CPU for a model elsewhere, and the other way round; and a device with a
    number.
    """
    found = {}
    for name, there, here in (("model", draw.device, "cpu"), ("batches", "cpu", draw.device)):
        model, data = draw.weights(line()).to(there), batches(draw, row, here)
        tensors = dict(zip(("features", "targets"), data.dataset.tensors, strict=True))
        with training_steps.untouched(answer := {}, **tensors):
            losses = kata.trainer(
                *(model, nn.MSELoss(), descent(model), data), epochs=2, verbose=False, score=apart
            )
        kept = [
            now is before
            for now, before in zip(data.dataset.tensors, tensors.values(), strict=True)
        ]
        found[name] = [losses, list(model.parameters()), kept, answer]
    with fake_devices.Pretended(fake_devices.SECOND_GPU, model := line()) as there:
        kata.trainer(
            model, nn.MSELoss(), descent(model), batches(draw, column), epochs=1, verbose=False
        )
    return {**found, "sent to": sorted(there.sent)}
