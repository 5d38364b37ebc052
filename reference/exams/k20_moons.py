"""Questions on k20: the same asking code runs on the submission, confined, and on the reference."""

import math
from collections.abc import Callable

import numpy as np
import torch
from sklearn.datasets import make_moons
from torch import Tensor, nn

from dojo.exam import Draw, formed, passes, question, training_steps, within


def moons(random: np.random.Generator, known: int = 1000, new: int = 10_000):
    """The lesson's moons, blurred anew and turned around their middle by any angle: points to train
    on, and new ones.
    """
    angle, swap = random.uniform(0, 2 * np.pi), random.integers(2)
    turn, parts = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]), []
    for points in (known, new):
        features, labels = make_moons(points, noise=0.15, random_state=int(random.integers(2**31)))
        turned = (features - [0.5, 0.25]) @ turn + [0.5, 0.25]
        parts += [
            torch.tensor(turned, dtype=torch.float32),
            torch.tensor(labels != swap, dtype=torch.float32)[:, None],
        ]
    return parts[:3], {"right": parts[3]}


def few(random: np.random.Generator) -> list[Tensor]:
    return moons(random, int(random.choice([40, 132, 264])), 2)[0][:2]


def eight(random: np.random.Generator) -> list[Tensor]:
    return moons(random, 8, 2)[0][:2]


def watched(
    train: Callable[[], list], model: nn.Module, points: int, epochs: int
) -> dict[str, object]:
    """Run a training; its losses, whether they can be those of its epochs, how much of the budget
    went, and whether gradients outlived a step.
    """
    losses, seen = passes.watch(train, model, points)
    wrongly = seen.counted_wrongly(len(losses))
    found = {"losses": losses, "counted wrongly": wrongly, "left over": seen.left_over}
    return found | {"spent": seen.made / epochs}


def of_epochs(answer, right, hidden) -> str:
    """A comparison of losses: one for an epoch, of as many as were asked for, or of fewer."""
    if not isinstance(answer, list) or any(type(loss) is not float for loss in answer):
        return "the losses are no list of float"
    if not all(map(math.isfinite, answer)):
        return "a loss is no finite number"
    return "" if 0 < len(answer) <= hidden["epochs"] else "no losses, or more than epochs"


# Counted where the submission runs, which could count wrongly: the points learned by a longer
# training are no secret, and the mark for new points, which stay outside, is what can't be forged.
BUDGET = within(
    1 + 1e-6,
    "at most",
    lambda answer, right, hidden: answer,
    "the passes over the points, in parts of the budget",
)


def share(answer, right, hidden) -> float:
    return float(((answer.data >= 0) == hidden["right"].data).mean())


def unturned(random: np.random.Generator):
    points, classes = make_moons(1000, noise=0.15, random_state=int(random.integers(2**31)))
    return torch.tensor(points, dtype=torch.float32), {"right": classes[:, None]}


UNTRAINED = within(0.96, "at most", share, "the share of points that a new model answers right")


@question("model", untrained=UNTRAINED, scores=formed(), one=formed())
def new_models(kata, draw: Draw):
    first, second = kata.build_model(), kata.build_model()
    points, scores, shared = (
        draw.data(unturned),
        first.eval()(draw.normal(draw.integer(3, 9), 2)),
        {id(value) for value in first.parameters()},
    )
    return {
        "scores": scores.detach(),
        "one": first(draw.normal(1, 2)).detach(),
        "kind": [scores.requires_grad, isinstance(first, nn.Module)],
        "untrained": first(points).detach(),
        "shared": any(id(value) in shared for value in second.parameters()),
        "places": sorted({value.device.type for value in first.parameters()}),
        "only positive": only_positive(first, draw.normal(100, 2)),
    }


def only_positive(model: nn.Module, points: Tensor) -> bool:
    """Whether no score is negative, with several other weights as well; the model is lost."""
    scores = []
    with torch.no_grad():
        for _ in range(8):
            for weight in model.parameters():
                weight += torch.randn_like(weight)
            scores.append(model(10 * points))
    return bool(torch.stack(scores).isfinite().all() and torch.stack(scores).min() >= 0)


@question("model")
def model_on_another_device(kata, draw: Draw):
    model, points = kata.build_model().to(draw.device), draw.normal(7, 2).to(draw.device)
    return {"places": [model.train(mode)(points).device for mode in (True, False)]}


def budgeted(kata, draw: Draw, epochs: int, points=few) -> dict[str, object]:
    features, labels = draw.made(points)
    draw.hidden("epochs", lambda: epochs)
    model, found = kata.build_model(), dict[str, object]()
    with training_steps.untouched(found, features=features, labels=labels):
        found |= watched(
            lambda: kata.train(model, features, labels, epochs=epochs), model, len(features), epochs
        )
    return found | {"in steps": found["spent"] > 0}


@question("train", times=2, spent=BUDGET, losses=of_epochs)
def small_budget(kata, draw: Draw):
    return budgeted(kata, draw, draw.choice([12, 16, 25]))


@question("train", spent=BUDGET, losses=of_epochs)
def a_single_epoch_of_eight_points(kata, draw: Draw):
    return budgeted(kata, draw, 1, eight)


@question("train", spent=BUDGET, losses=of_epochs)
def more_epochs_than_the_usual_800(kata, draw: Draw):
    return budgeted(kata, draw, 820, eight)


@question(
    "train",
    seconds=90,
    spent=BUDGET,
    losses=of_epochs,
    scores=within(0.96, "at least", share, "the share of new points answered right"),
)
def new_points(kata, draw: Draw):
    features, labels, new = draw.data(moons)
    draw.hidden("epochs", lambda: 800)
    model = kata.build_model()
    found = watched(lambda: kata.train(model, features, labels), model, len(features), 800)
    with torch.no_grad():
        return {"scores": model.eval()(new), "in steps": found["spent"] > 0, **found}


@question("train")
def training_on_another_device(kata, draw: Draw):
    features, labels = (part.to(draw.device) for part in draw.made(few))
    model, found = kata.build_model().to(draw.device), {}
    with training_steps.untouched(found, features=features, labels=labels):
        losses = kata.train(model, features, labels, epochs=3)
    return {
        "within": len(losses) <= 3,
        "places": sorted({weight.device.type for weight in model.parameters()}),
        **found,
    }
