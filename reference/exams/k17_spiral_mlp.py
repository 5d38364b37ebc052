"""Questions on k17: the same asking code runs on the submission, confined, and on the reference."""

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dojo.exam import Draw, question, structure, training_steps, within
from dojo.exam.draw import spiral

NAMES = [
    "amber",
    "birch",
    "cedar",
    "dune",
    "elm",
    "fern",
    "grove",
    "heath",
    "iris",
    "juniper",
    "kelp",
    "larch",
]


def unbalanced(random: np.random.Generator):
    """Points of three classes, 25, 9 and 4 of them, and class weights that do not follow from the
    counts.
    """
    labels = random.permutation(np.repeat(random.permutation(3), [25, 9, 4]))
    features = torch.tensor(random.standard_normal((38, 2)) + labels[:, None], dtype=torch.float32)
    given = (
        features,
        torch.tensor(labels),
        torch.tensor(random.uniform(0.1, 2.0, 3), dtype=torch.float32),
    )
    return given, {
        "features": features,
        "labels": torch.stack([given[1].float(), given[2][given[1]]], dim=1),
    }


def weighted(scores: Tensor, labels: Tensor) -> Tensor:
    """The loss; a row of labels holds a class number and its weight."""
    each = F.cross_entropy(scores, labels[:, 0].long(), reduction="none")
    return (labels[:, 1] * each).sum() / labels[:, 1].sum()


def small() -> nn.Module:
    return nn.Sequential(nn.Linear(2, 10), nn.ReLU(), nn.Linear(10, 3))


def accuracy(answer, right, hidden) -> float:
    return float((answer.data.argmax(axis=1) == hidden["right"].data).mean())


# On other spirals than the mark's the reference's worst of 25 was 0.986, that of other optimizers
# and rates 0.959; steps that are too small end below 0.65.
FOUND = within(
    0.85, "at least", accuracy, "the share of the new points on which the network is right"
)


def names(random: np.random.Generator) -> list[str]:
    return random.permutation(NAMES)[:4].tolist()


def answered(random: np.random.Generator):
    """Right classes and answers, and names; of each class a point is answered right, so that no
    figure is 0 / 0.
    """
    y_true = np.repeat(np.arange(4), random.integers(5, 40, 4))
    y_pred = np.where(random.random(len(y_true)) < 0.6, y_true, random.integers(0, 4, len(y_true)))
    firsts = np.searchsorted(y_true, np.arange(4))
    y_pred[firsts] = y_true[firsts]
    order = random.permutation(len(y_true))
    return torch.tensor(y_true[order]), torch.tensor(y_pred[order]), names(random)


def points(random: np.random.Generator):
    """Two points, of which the percentage is rounded up and down."""
    return [a_point(random, 0.55, 0.95), a_point(random, 0.05, 0.45)]


def a_point(random: np.random.Generator, least: float, most: float):
    """Weights and biases of a linear model, a point, mean and std, and names; the part of the
    percentage behind its point is between these.
    """
    while True:
        drawn = [random.standard_normal(shape) for shape in ((4, 3), 4, 3, 3)] + [
            random.uniform(0.3, 3, 3)
        ]
        weight, bias, point, mean, std = (torch.tensor(one, dtype=torch.float32) for one in drawn)
        percent = 100 * float(F.softmax(weight @ ((point - mean) / std) + bias, dim=0).max())
        if percent < 99 and least < percent % 1 < most:
            return weight, bias, point, mean, std, names(random)


@question("models", times=2)
def forward_pass(kata, draw: Draw):
    sizes, found = [draw.integer(*span) for span in ((1, 6), (7, 12), (2, 6))], {}
    x, labels = draw.normal(20, sizes[0], scale=50), draw.classes(20, sizes[2])
    for name in ("LinearModel", "MLP"):
        model = draw.weights(getattr(kata, name)(*sizes))
        output = model(x)
        F.cross_entropy(output, labels).backward()
        found |= {
            f"{name} is made of": structure.plain(model, "fc1", "fc2"),
            f"scores of {name}": output,
            f"scores of {name} for one": model(x[:1]),
            f"scores of {name} in evaluation mode": model.train(False)(x).detach(),
        }
        found[f"gradients of {name}"] = [parameter.grad for parameter in model.parameters()]
    return found


@question("models")
def models_on_another_device(kata, draw: Draw):
    x, found = draw.normal(6, 2).to(draw.device), {}
    for name in ("LinearModel", "MLP"):
        model = draw.weights(getattr(kata, name)(2, 7, 3)).to(draw.device)
        found[name] = [model(x), list(model.parameters())]
    return found


KEEPS = training_steps.keeps(lambda hidden: small(), training_steps.Rule(weighted, default=50))


@question("train", training=KEEPS)
def gradients(kata, draw: Draw):
    data, model = draw.data(unbalanced), draw.weights(small())
    return training_steps.looked_at(kata.train, model, data, draw.integer(3, 6))


@question("train", training=KEEPS)
def epochs_of_its_own(kata, draw: Draw):
    return training_steps.looked_at(kata.train, draw.weights(small()), draw.data(unbalanced))


@question("train")
def all_epochs(kata, draw: Draw):
    def train(model: nn.Module, features: Tensor, labels: Tensor, epochs: int) -> list[float]:
        return kata.train(model, features, labels, torch.ones(3), epochs=epochs)

    return training_steps.every_epoch(train)


@question("train", seconds=60, scores=FOUND)
def arms_of_a_spiral(kata, draw: Draw):
    points = {name: torch.from_numpy(part) for name, part in draw.data(spiral).items()}
    model = nn.Sequential(nn.Linear(2, 100), nn.ReLU(), nn.Linear(100, 3))
    losses = kata.train(model, points["features"], points["labels"], torch.full((3,), 1 / 350))
    return {"scores": model(points["new"]).detach(), "epochs": len(losses)}


@question("train")
def training_on_another_device(kata, draw: Draw):
    data, found = [part.to(draw.device) for part in draw.data(unbalanced)], {}
    model = draw.weights(small()).to(draw.device)
    with training_steps.untouched(found, features=data[0], labels=data[1], weights=data[2]):
        losses = kata.train(model, *data, epochs=2)
    return {
        "epochs": len(losses),
        "places": [weight.device for weight in model.parameters()],
        **found,
    }


@question("metrics", times=2)
def figures(kata, draw: Draw):
    (y_true, y_pred, classes), there, found = draw.made(answered), draw.device, {}
    pairs = {
        "here": (y_true, y_pred),
        "there": (y_true.to(there), y_pred.to(there)),
        "both": (y_true, y_pred.to(there)),
    }
    for where, pair in pairs.items():
        metrics = kata.get_metrics(*pair, classes)
        every = [metrics["overall"], *(metrics["class"][name] for name in classes)]
        found[where] = [{name: float(value) for name, value in one.items()} for one in every]
        found[f"floats {where}"] = [
            isinstance(value, float) for one in every for value in one.values()
        ]
    never = draw.integer(0, 3)  # this class is never the answer
    others = torch.where(y_pred == never, (never + 1) % 4, y_pred)
    lacking = kata.get_metrics(y_true, others, classes)
    found["never"] = [lacking["overall"], *(lacking["class"][name] for name in classes)]
    return {**found, "keys": sorted(metrics), "names": sorted(metrics["class"])}


@question("point", times=3)
def sentence(kata, draw: Draw):
    found, sizes = {"untouched": []}, []
    for number, (weight, bias, *given, classes) in enumerate(draw.made(points)):
        for name, place in (("here", torch.device("cpu")), ("there", draw.device)):
            linear = nn.Linear(3, 4)
            with torch.no_grad():
                linear.weight.copy_(weight)
                linear.bias.copy_(bias)
            model = nn.Sequential(nn.Dropout(0.5), linear).eval().to(place)
            point = [one.to(place) for one in given]
            model.register_forward_pre_hook(lambda module, inputs: sizes.append(inputs[0].shape))
            kept = [one.clone() for one in point]
            found[f"{name} {number}"] = kata.predict_point(model, *point, classes)
            found["untouched"] += [torch.equal(*pair) for pair in zip(point, kept, strict=True)]
    return {**found, "batch of one": sizes[0]}


@question("point")
def percentages(kata, draw: Draw):
    """Some whole ones, of a model with dropout that is left as it came."""
    model = nn.Sequential(nn.Dropout(0.5), nn.Linear(2, 4)).eval()
    point, mean, std = draw.normal(2), draw.normal(2), draw.uniform(0.5, 2, 2)
    found, shares = [], draw.made(lambda random: [29, 57, 58, *random.integers(26, 99, 3).tolist()])
    for share in shares:
        with torch.no_grad():
            model[1].weight.zero_()
            model[1].bias.fill_((1 - share / 100) / 3)[1] = share / 100
            model[1].bias.log_()
        found.append(kata.predict_point(model, point, mean, std, ("a", "b", "c", "d")))
    return {"sentences": found, "modes": [part.training for part in model.modules()]}
