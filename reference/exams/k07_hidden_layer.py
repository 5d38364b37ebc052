"""Questions on k07: the layers of a network, a pass through it and what it keeps, and its training
on bands that bend.
"""

from functools import partial

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dojo.exam import Draw, equal_as, live, question, structure, training_steps, within

TIMES = 3  # from so many starts: a network of two hidden nodes may be stuck from one of them


class Network(nn.Module):
    """A network as the lesson makes it, for questions about its training alone."""

    def __init__(self, num_labels: int = 1, num_features: int = 2, num_hidden: int = 2) -> None:
        super().__init__()
        self.linear_modules = nn.ModuleList(
            [nn.Linear(num_features, num_hidden), nn.Linear(num_hidden, num_labels)]
        )
        self.activation_modules = nn.ModuleList([nn.Tanh(), nn.Sigmoid()])

    def forward(self, x: Tensor) -> Tensor:
        self.linear_results, self.activation_results = [], []
        for linear, activation in zip(self.linear_modules, self.activation_modules, strict=True):
            self.linear_results.append(linear(x))
            x = activation(self.linear_results[-1])
            self.activation_results.append(x)
        return x


def bands(random: np.random.Generator) -> tuple[tuple[Tensor, Tensor], dict[str, Tensor]]:
    """The two sine bands, as many points as in the lesson, moved along, mirrored and turned;
    further points stay hidden.
    """
    angle, swapped = random.uniform(0, 2 * np.pi), random.integers(2)
    turn = np.array(
        [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    ) * random.choice([-1, 1], 2)

    def points(*x1: np.ndarray) -> tuple[Tensor, Tensor]:
        features = (
            np.concatenate([np.stack([x, np.sin(x) + label], axis=1) for label, x in enumerate(x1)])
            @ turn.T
        )
        labels = np.repeat([float(swapped), 1.0 - swapped], [len(x) for x in x1])
        return (
            torch.tensor(features, dtype=torch.float32),
            torch.tensor(labels, dtype=torch.float32)[:, None],
        )

    near = [
        np.linspace(low, high, n) + random.uniform(-0.15, 0.15, n)
        for low, high, n in ((-5, 5, 10), (-4.5, 4.8, 15))
    ]
    given, further = points(*near), points(*random.uniform(-5, 5, (2, 200)))
    return given, dict(
        zip(
            ("features", "labels", "further features", "further labels"),
            (*given, *further),
            strict=True,
        )
    )


def loss_on_further_points(answer, right, hidden) -> float:
    """Of the best network; probabilities are cut off at 3 and 97 %, because few points leave a
    steep edge somewhere.
    """
    labels = live(hidden["further labels"])
    outputs = [
        training_steps.outputs(trained, Network(), hidden["further features"]) for trained in answer
    ]
    return min(
        F.binary_cross_entropy(output.clamp(0.03, 0.97), labels).item() for output in outputs
    )


NEAR = within(
    0.52, "at most", loss_on_further_points, "the cross-entropy on points that were not handed out"
)


@question("layers", times=3, another=equal_as())
def layers(kata, draw: Draw):
    sizes = draw.integer(2, 5), draw.integer(1, 5), draw.integer(6, 8)
    model, other = kata.HiddenLayerNN(*sizes), kata.HiddenLayerNN(*sizes)
    pairs = zip(model.parameters(), other.parameters(), strict=True)
    return {
        "made of": structure.plain(model, "linear_modules", "activation_modules"),
        "shapes": {name: one.shape for name, one in model.state_dict().items()},
        "another": [list(pair) for pair in pairs if pair[0].ndim > 1],
    }


def kept(model: nn.Module) -> list[object]:
    """Both lists; whether what they hold records gradients is left to the learner."""
    lists = model.linear_results, model.activation_results
    return [
        [type(results).__name__, [result.detach().clone() for result in results]]
        for results in lists
    ]


@question("forward", times=2)
def passes(kata, draw: Draw):
    """Two of them, the second with other examples, in evaluation mode."""
    labels, features = draw.integer(1, 3), draw.integer(2, 4)
    model, found = draw.weights(kata.HiddenLayerNN(labels, features, draw.integer(2, 5))), {}
    for name in ("first", "second"):
        x = draw.normal(draw.integer(2, 30), features)
        found[f"{name} example alone"] = model.train(name == "first")(x[:1])
        with training_steps.untouched(found, **{name: x}):
            output = model(x)
        kata.HiddenLayerNN(1, 2, 2)(draw.normal(3, 2))  # leaves nothing in this one
        found[f"{name} output"], found[f"{name} results"] = output, kept(model)
    (output * draw.normal(labels)).sum().backward()
    return {"gradients": {name: one.grad for name, one in model.named_parameters()}, **found}


@question("forward")
def pass_on_another_device(kata, draw: Draw):
    model = draw.weights(kata.HiddenLayerNN(1, 2, 3)).to(draw.device)
    return {
        "output": model(draw.normal(9, 2).to(draw.device)),
        "results": kept(model),
        "weights": list(model.parameters()),
    }


KEEPS = training_steps.keeps(
    lambda hidden: Network(),
    training_steps.Rule(
        F.binary_cross_entropy,
        restarts=True,
        best_by=(lambda outputs, labels: ((outputs >= 0.5) != labels).float().mean(),),
        default=1000,
    ),
)


@question("train", seconds=90, training=KEEPS, trained=NEAR)
def trainings(kata, draw: Draw):
    """From several starts; the first is followed step by step."""
    data, models = draw.data(bands), [draw.weights(Network()) for _ in range(TIMES)]
    found = training_steps.looked_at(kata.train, models[0], data, other_runs=2)
    for model in models[1:]:
        kata.train(model, *data)
    return {"trained": [training_steps.trained(model) for model in models], **found}


def stuck(random: np.random.Generator):
    """The bands, and weights from which no training gets anywhere: both hidden nodes give -1 on one
    side of a line, and 1 on the other, with a slope of 0. Their loss is lower than that of random
    weights, and six points or more are on the wrong side.
    """
    given, hidden = bands(random)
    features, ones = given[0].numpy(), given[1].numpy()[:, 0] == 1
    across = features[ones].mean(axis=0) - features[~ones].mean(axis=0)
    places = np.sort(features @ across)
    lines = []
    for place, half in zip((places[1:] + places[:-1]) / 2, np.diff(places) / 2, strict=True):
        beyond = features @ across > place
        shares = [ones[side].mean().clip(0.01, 0.99) for side in (~beyond, beyond)]
        right = np.where(ones, shares[0] + beyond * (shares[1] - shares[0]), 0.0)
        right += np.where(~ones, 1 - shares[0] - beyond * (shares[1] - shares[0]), 0.0)
        if half > 1e-3 and 6 <= (right < 0.5).sum() <= 9:
            lines.append((-np.log(right).mean(), place, half, shares))
    _, place, half, shares = min(lines)
    low, high = (float(np.log(share / (1 - share))) for share in shares)
    first, second = 20 / half * np.array([across, across]), np.array([[(high - low) / 4] * 2])
    weights = first, -20 / half * np.array([place, place]), second, np.array([(high + low) / 2])
    return (*given, *(torch.tensor(one, dtype=torch.float32) for one in weights)), hidden


@question("train", seconds=90, times=2, training=KEEPS)
def best_of_several(kata, draw: Draw):
    """A model that is stuck, with a low loss."""
    (*data, first, bias, second, last), model = draw.data(stuck), Network()
    with torch.no_grad():
        for parameter, value in zip(model.parameters(), (first, bias, second, last), strict=True):
            parameter.copy_(value)
    return training_steps.looked_at(kata.train, model, tuple(data), other_runs=3)


def some(random: np.random.Generator, n: int, labels: int):
    """Features, and so many labels of each example."""
    given = (
        torch.tensor(random.standard_normal((n, random.integers(3, 6))), dtype=torch.float32),
        torch.tensor(random.integers(2, size=(n, labels)), dtype=torch.float32),
    )
    return given, dict(zip(("features", "labels"), given, strict=True))


KEEPS_SOME = training_steps.keeps(
    lambda hidden: Network(hidden["labels"].shape[1], hidden["features"].shape[1], 3),
    training_steps.Rule(F.binary_cross_entropy, restarts=True, default=1000),
)


@question("train", training=KEEPS_SOME)
def several_labels(kata, draw: Draw):
    n, labels = draw.integer(5, 20), draw.integer(2, 4)
    return on_some(kata, draw, n, labels)


@question("train", training=KEEPS_SOME)
def single_example(kata, draw: Draw):
    return on_some(kata, draw, 1, 1)


def on_some(kata, draw: Draw, n: int, labels: int) -> dict[str, object]:
    data = draw.data(partial(some, n=n, labels=labels))
    model = draw.weights(Network(labels, data[0].shape[1], 3))
    return training_steps.looked_at(kata.train, model, data, draw.integer(3, 5))


def apart(random: np.random.Generator) -> tuple[tuple[Tensor, Tensor], dict[str, Tensor]]:
    """Two bands with a gap between them, where the loss falls and falls."""
    x1, labels = random.uniform(-5, 5, 25), np.arange(25) % 2
    x2 = x1 + random.uniform(-1, 1) + random.uniform(4, 5) * labels
    features = torch.tensor(np.stack([x1, x2], axis=1), dtype=torch.float32)
    given = features, torch.tensor(labels[:, None], dtype=torch.float32)
    return given, dict(zip(("features", "labels"), given, strict=True))


@question("train", seconds=60, training=KEEPS)
def training_that_could_stop(kata, draw: Draw):
    return training_steps.looked_at(kata.train, draw.weights(Network()), draw.data(apart))


@question("train", times=2, training=KEEPS)
def gradients(kata, draw: Draw):
    data, model = draw.data(bands), draw.weights(Network())
    return training_steps.looked_at(kata.train, model, data, draw.integer(3, 6))


@question("train", training=KEEPS)
def sure_and_wrong(kata, draw: Draw):
    """Weights so large that every probability is exactly 0 or 1, and many are wrong."""
    data, model = draw.data(bands), draw.weights(Network(), scale=1e5)
    return training_steps.looked_at(kata.train, model, data, draw.integer(3, 6))


@question("train")
def training_on_another_device(kata, draw: Draw):
    data, model = draw.data(bands), draw.weights(Network())
    return training_steps.on_device(draw.device, kata.train, data, model)
