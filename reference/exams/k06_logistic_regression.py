"""Questions on k06: the same asking code runs on the submission, confined, and on the reference."""

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from dojo.exam import Draw, question, reaches, structure, training_steps


def bands(random: np.random.Generator):
    """The lesson's bands, each point moved a little, turned, mirrored and the classes exchanged: as
    far to go as in the lesson, from which every optimizer that the lesson lets pass gets there; the
    best line is hidden in them.
    """
    # late: found where katas run, which is where this is called
    from katas.given.data import sine_bands_arrays

    points, labels = sine_bands_arrays()
    angle, first = random.uniform(0, 2 * np.pi), random.integers(2)
    turn = np.array(
        [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    ) * random.choice([-1, 1], 2)
    features = (points + random.uniform(-0.15, 0.15, points.shape)) @ turn
    given = (
        torch.tensor(features, dtype=torch.float32),
        torch.tensor(abs(labels - first), dtype=torch.float32)[:, None],
    )
    return given, dict(zip(("features", "labels"), given, strict=True))


def line(draw: Draw) -> nn.Module:
    return draw.weights(nn.Sequential(nn.Linear(2, 1), nn.Sigmoid()))


def distance(answer, right, hidden) -> float:
    """Of the probabilities from those of the best straight line, the largest."""
    return float(np.abs(answer.data - right.data).max())


@question("model", times=3)
def forward_pass(kata, draw: Draw):
    features, labels = draw.integer(1, 6), draw.integer(2, 4)
    model = draw.weights(kata.LogisticRegression(labels, features))
    x = draw.normal(32, features)
    return {
        "made of": structure.plain(model, "linear", "sigmoid"),
        "output": model(x),
        "in evaluation mode": model.eval()(x),
        "one example": model(draw.normal(1, features)),
        "far away": model(draw.normal(8, features, scale=1000)),
    }


@question("model")
def model_on_another_device(kata, draw: Draw):
    model = draw.weights(kata.LogisticRegression(2, 3)).to(draw.device)
    return {"output": model(draw.normal(8, 3).to(draw.device)), "weights": list(model.parameters())}


RULE = training_steps.Rule(F.binary_cross_entropy, default=1000)
KEEPS = training_steps.keeps(lambda hidden: nn.Sequential(nn.Linear(2, 1), nn.Sigmoid()), RULE)


@question("train", seconds=30, training=KEEPS, trained=reaches("k06.train.distance", distance))
def training(kata, draw: Draw):
    data = draw.data(bands)
    model = line(draw)
    return {**training_steps.looked_at(kata.train, model, data), "trained": model(data[0]).detach()}


def apart(random: np.random.Generator):
    """Two bands along parallel lines, where the loss falls and falls."""
    x1, labels = random.uniform(-5, 5, 25), np.arange(25) % 2
    x2 = x1 + random.uniform(-1, 1) + random.uniform(3, 4) * labels
    given = (
        torch.tensor(np.stack([x1, x2], axis=1), dtype=torch.float32),
        torch.tensor(labels[:, None], dtype=torch.float32),
    )
    return given, dict(zip(("features", "labels"), given, strict=True))


@question("train", seconds=30, training=KEEPS)
def training_that_could_stop(kata, draw: Draw):
    return training_steps.looked_at(kata.train, line(draw), draw.data(apart))


@question("train", training=KEEPS)
def gradients(kata, draw: Draw):
    return training_steps.looked_at(kata.train, line(draw), draw.data(bands), draw.integer(3, 6))


@question("train", training=KEEPS)
def sure_and_wrong(kata, draw: Draw):
    """Weights so large that every probability is exactly 0 or 1, and many are wrong."""
    model = draw.weights(nn.Sequential(nn.Linear(2, 1), nn.Sigmoid()), scale=1e5)
    return training_steps.looked_at(kata.train, model, draw.data(bands), draw.integer(3, 6))


def several(random: np.random.Generator):
    """Labels of several kinds at once."""
    n, sizes = int(random.integers(5, 20)), (int(random.integers(3, 6)), int(random.integers(2, 5)))
    given = (
        torch.tensor(random.standard_normal((n, sizes[0])), dtype=torch.float32),
        torch.tensor(random.integers(2, size=(n, sizes[1])), dtype=torch.float32),
    )
    return given, dict(zip(("features", "labels"), given, strict=True))


def wide(features: int, labels: int) -> nn.Module:
    return nn.Sequential(nn.Linear(features, labels), nn.Sigmoid())


KEEPS_SEVERAL = training_steps.keeps(
    lambda hidden: wide(hidden["features"].shape[1], hidden["labels"].shape[1]), RULE
)


@question("train", training=KEEPS_SEVERAL)
def several_labels(kata, draw: Draw):
    features, labels = draw.data(several)
    model = draw.weights(wide(features.shape[1], labels.shape[1]))
    return training_steps.looked_at(kata.train, model, (features, labels), draw.integer(3, 5))


@question("train")
def training_on_another_device(kata, draw: Draw):
    features, labels = (part.to(draw.device) for part in draw.data(bands))
    model, found = line(draw).to(draw.device), {}
    with training_steps.untouched(found, features=features, labels=labels):
        losses = kata.train(model, features, labels, epochs=3)
    return {
        "epochs": len(losses),
        "places": [weight.device for weight in model.parameters()],
        **found,
    }


@question("boundary", times=2)
def boundary(kata, draw: Draw):
    model, x1 = draw.weights(kata.LogisticRegression(1, 2)), draw.normal(9)
    model.linear(draw.normal(4, 2)).sum().backward()
    alone = kata.decision_boundary(model, draw.normal(1))
    found = {"x2": kata.decision_boundary(model, x1), "x1": x1, "alone": alone}
    for number, weight in enumerate(model.parameters()):
        found[f"weight {number}"] = weight.detach()
        found[f"its gradient {number}"] = [weight.requires_grad, weight.grad]
    parts = (model, model.linear, model.sigmoid)
    return {**found, "modes": [part.training for part in parts]}


@question("boundary")
def boundary_on_another_device(kata, draw: Draw):
    model, x1 = (
        draw.weights(kata.LogisticRegression(1, 2)).to(draw.device),
        draw.normal(9).to(draw.device),
    )
    return {
        "x2": kata.decision_boundary(model, x1),
        "places": [weight.device for weight in model.parameters()],
    }
