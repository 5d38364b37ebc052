"""Questions on k08: the same asking code runs on the submission, confined, and on the reference."""

from collections.abc import Sequence
from functools import partial
from itertools import pairwise

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from dojo.exam import Draw, every, question, structure, training_steps, within


def bands(random: np.random.Generator):
    """The two sine bands of the lesson, shifted, turned, mirrored its classes exchanged; 200 more
    points are hidden.
    """
    phase, angle, first = random.uniform(-0.3, 0.3), random.uniform(-0.3, 0.3), random.integers(2)
    turn = np.array(
        [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    ) * random.choice([-1, 1], 2)
    shift = random.uniform(-0.5, 0.5, 2)

    def on_the_bands(x1: np.ndarray, band: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
        points = np.stack([x1, np.sin(x1 + phase) + band - 0.5], axis=1) @ turn + shift
        return torch.tensor(points, dtype=torch.float32), torch.tensor(
            abs(band - first)[:, None], dtype=torch.float32
        )

    x1 = np.concatenate([np.linspace(-5, 5, 10), np.linspace(-4.5, 4.8, 15)]) + random.uniform(
        -0.1, 0.1, 25
    )
    given = on_the_bands(x1, np.repeat([0, 1], [10, 15]))
    others = on_the_bands(random.uniform(-4.5, 4.5, 200), np.arange(200) % 2)
    return given, {
        "features": given[0],
        "labels": given[1],
        "others": others[0],
        "labels of others": others[1],
    }


class Network(nn.Module):
    """A network as the lesson's, for questions about its training alone."""

    def __init__(self, sizes: Sequence[int] = (2, 20, 20, 2, 1)) -> None:
        super().__init__()
        self.linear_modules = nn.ModuleList([nn.Linear(*pair) for pair in pairwise(sizes)])
        self.activation_modules = nn.ModuleList([*(nn.Tanh() for _ in sizes[2:]), nn.Sigmoid()])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.linear_results, self.activation_results = [], []
        for linear, activation in zip(self.linear_modules, self.activation_modules, strict=True):
            self.linear_results.append(linear(x))
            x = activation(self.linear_results[-1])
            self.activation_results.append(x)
        return x


def network(*_) -> nn.Module:
    return Network()


def loss_of(answer, right, hidden) -> float:
    labels = torch.from_numpy(hidden["labels"].data)
    return min(
        float(
            F.binary_cross_entropy(
                training_steps.outputs(one, network(), hidden["features"]), labels
            )
        )
        for one in answer
    )


def accuracy_of(answer, right, hidden) -> float:
    labels = hidden["labels of others"].data
    return max(
        ((training_steps.outputs(one, network(), hidden["others"]) >= 0.5).numpy() == labels).mean()
        for one in answer
    )


def sizes_of(draw: Draw, layers: int) -> list[int]:
    return [draw.integer(1, 7) for _ in range(layers)]


def kept(model: nn.Module) -> dict[str, list]:
    """Every layer's result of the last pass; whether it records gradients is left to the
    learner.
    """
    lists = {"linear": model.linear_results, "activated": model.activation_results}
    return {
        name: [type(some).__name__, *(one.detach() for one in some)] for name, some in lists.items()
    }


@question("layers", times=3)
def architecture(kata, draw: Draw):
    found = {}
    several, equal = draw.integer(2, 5), draw.integer(2, 5)
    for name, sizes, labels in (
        ("one", sizes_of(draw, 1), draw.integer(1, 4)),
        ("several", sizes_of(draw, several), draw.integer(2, 4)),
        ("equal", [equal] * 3, equal),  # each layer is its own
    ):
        model = kata.MultiHiddenLayerNN(labels, sizes)
        found[name] = [
            structure.plain(model, "linear_modules", "activation_modules"),
            {name: one.shape for name, one in model.named_parameters()},
            sizes,
        ]
    return found


def answers_of(kata, draw: Draw, layers: int) -> dict[str, object]:
    sizes, found = sizes_of(draw, layers), {}
    model = draw.weights(kata.MultiHiddenLayerNN(draw.integer(1, 4), sizes), scale=1.0)
    # nothing of these passes may be left, and none of another model's may come in
    found["one example"] = model(draw.normal(1, sizes[0]))
    found["in evaluation mode"] = [model.eval()(draw.normal(4, sizes[0])), kept(model)]
    model.train()
    x = draw.normal(draw.integer(10, 30), sizes[0])
    with training_steps.untouched(found, x=x):
        output = model(x)
    kata.MultiHiddenLayerNN(1, [2, 3])(draw.normal(3, 2))
    found |= {"output": output, **kept(model)}
    output.square().sum().backward()
    return {"gradients": [one.grad for one in model.parameters()], **found}


@question("forward")
def pass_through_one_layer(kata, draw: Draw):
    return answers_of(kata, draw, layers=1)


@question("forward", times=3)
def pass_through_several_layers(kata, draw: Draw):
    return answers_of(kata, draw, layers=draw.integer(2, 5))


@question("forward")
def pass_on_another_device(kata, draw: Draw):
    model = draw.weights(kata.MultiHiddenLayerNN(2, [3, 4, 2])).to(draw.device)
    return {"output": model(draw.normal(8, 3).to(draw.device)), **kept(model)}


KEEPS = training_steps.keeps(network, training_steps.Rule(F.binary_cross_entropy, default=1000))


# The better of two trainings counts, so that Adam passes as well, which misses points in one run of
# four.
@question(
    "train",
    seconds=60,
    training=KEEPS,
    trained=every(
        within(0.5, "at most", loss_of, "the loss on the training points"),
        within(
            0.65, "at least", accuracy_of, "the share of right answers to other points of the bands"
        ),
    ),
)
def training(kata, draw: Draw):
    """Two of them; the first is followed step by step."""
    # of the weights that the pass marks know, and the same on both sides: so is torch's seed
    data, models = draw.data(bands), [network(), network()]
    found = training_steps.looked_at(kata.train, models[0], data)
    kata.train(models[1], *data)
    return {"trained": [training_steps.trained(model) for model in models], **found}


@question("train", times=2, training=KEEPS)
def gradients(kata, draw: Draw):
    data, model = draw.data(bands), draw.weights(network())
    return training_steps.looked_at(kata.train, model, data, draw.integer(3, 6))


def some(random: np.random.Generator, n: int, labels: int):
    """Features, and so many labels of each example."""
    given = (
        torch.tensor(random.standard_normal((n, random.integers(3, 6))), dtype=torch.float32),
        torch.tensor(random.integers(2, size=(n, labels)), dtype=torch.float32),
    )
    return given, dict(zip(("features", "labels"), given, strict=True))


KEEPS_SOME = training_steps.keeps(
    lambda hidden: Network([hidden["features"].shape[1], 3, hidden["labels"].shape[1]]),
    training_steps.Rule(F.binary_cross_entropy, default=1000),
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
    model = draw.weights(Network([data[0].shape[1], 3, labels]))
    return training_steps.looked_at(kata.train, model, data, draw.integer(3, 5))


@question("train", training=KEEPS)
def sure_and_wrong(kata, draw: Draw):
    """Weights so large that every probability is exactly 0 or 1, and many are wrong."""
    data, model = draw.data(bands), draw.weights(network(), scale=1e5)
    return training_steps.looked_at(kata.train, model, data, draw.integer(3, 6))


@question("train")
def training_on_another_device(kata, draw: Draw):
    data, model = draw.data(bands), draw.weights(network())
    return training_steps.on_device(draw.device, kata.train, data, model)
