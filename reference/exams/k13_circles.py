"""Questions on k13: the same asking code runs on the submission, confined, and on the reference."""

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from dojo.exam import Draw, every, question, structure, training_steps, within

# from so many starts: about once in a thousand all ReLUs of a layer die, and nothing more is
# learned
TIMES = 2
CROSS_ENTROPY = F.binary_cross_entropy_with_logits


def rings(random: np.random.Generator):
    """The close circles of the lesson, drawn anew somewhere near; either ring may be class 1. 400
    more points are hidden.
    """
    place, inner = random.uniform(-0.2, 0.2, 2), random.integers(2)
    radii, classes = np.array([0.8, 1.0]), random.permutation(1200) % 2
    angles = random.uniform(0, 2 * np.pi, 1200)
    points = radii[classes, None] * np.stack([np.cos(angles), np.sin(angles)], axis=1) + place
    features = torch.tensor(points + 0.03 * random.standard_normal((1200, 2)), dtype=torch.float32)
    labels = torch.tensor(classes != inner, dtype=torch.float32)[:, None]
    given = features[:800], labels[:800]
    return given, {
        "features": given[0],
        "labels": given[1],
        "others": features[800:],
        "labels of others": labels[800:],
    }


def network(*_) -> nn.Module:
    return nn.Sequential(
        nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 1)
    )


def line(*_) -> nn.Module:
    return nn.Linear(2, 1)


def losses_of(answer, hidden) -> list[float]:
    labels = torch.from_numpy(hidden["labels"].data)
    return [
        float(CROSS_ENTROPY(training_steps.outputs(trained, network(), hidden["features"]), labels))
        for trained in answer
    ]


def loss_of(answer, right, hidden) -> float:
    return min(losses_of(answer, hidden))


def accuracy_of(answer, right, hidden) -> float:
    """Of the network that fits its own points best."""
    logits = training_steps.outputs(
        answer[int(np.argmin(losses_of(answer, hidden)))], network(), hidden["others"]
    )
    return float(((logits >= 0).numpy() == hidden["labels of others"].data).mean())


def forward_pass(kind: type[nn.Module], draw: Draw) -> dict[str, object]:
    """What a network prints, gives and learns from; then on another device."""
    sizes, found = (draw.integer(2, 5), draw.integer(3, 9), draw.integer(1, 4)), {}
    model, x = draw.weights(kind(*sizes)), 2 * draw.normal(25, sizes[0])
    with training_steps.untouched(found, x=x):
        output = model(x)
    (output * draw.normal(25, sizes[2])).sum().backward()
    found |= {
        "made of": structure.plain(model, "main", "network"),
        "output": output,
        "gradients": [one.grad for one in model.parameters()],
        "in evaluation mode": model.eval()(x),
    }
    there = model.to(draw.device)(draw.normal(4, sizes[0]).to(draw.device))
    found |= {"there": there, "places": [one.device.type for one in model.parameters()]}
    one = draw.weights(kind(sizes[0], 3, 1))(draw.normal(1, sizes[0]))
    return found | {"one example": one}


def begins(model: nn.Module) -> list[float]:
    """The largest number of each weight and bias, in parts of the range that torch draws it
    from.
    """
    layers = [part for part in model.modules() if isinstance(part, nn.Linear)]
    return [
        float(one.detach().abs().max()) * layer.in_features**0.5
        for layer in layers
        for one in layer.parameters()
    ]


AS_TORCH_DOES = within(
    0.2501,
    "at most",
    lambda answer, right, hidden: max(abs(one - 0.75) for one in answer),
    "how far the largest number of a weight or bias is from three quarters of torch's range",
)


@question("linear", times=3)
def linear_stack(kata, draw: Draw):
    return forward_pass(kata.LinearStack, draw)


@question("relu", times=3, begins=AS_TORCH_DOES)
def binary_classifier(kata, draw: Draw):
    return {
        "begins": begins(kata.BinaryClassifier(40, 50, 30)),
        **forward_pass(kata.BinaryClassifier, draw),
    }


@question("relu", times=3, begins=AS_TORCH_DOES)
def relu_stack(kata, draw: Draw):
    return {"begins": begins(kata.ReluStack(40, 50, 30)), **forward_pass(kata.ReluStack, draw)}


RULE = training_steps.Rule(CROSS_ENTROPY, default=200)


@question(
    "train",
    seconds=40,
    training=training_steps.keeps(network, RULE),
    trained=every(
        within(0.5, "at most", loss_of, "the loss on the training points"),
        within(
            0.85, "at least", accuracy_of, "the share of right answers to other points of the rings"
        ),
    ),
)
def training(kata, draw: Draw):
    """Several of them; the first is followed step by step."""
    # of the weights that the pass marks know; the first is the same on both sides: so is
    # torch's seed
    data, models = draw.data(rings), [network() for _ in range(TIMES)]
    found = training_steps.looked_at(kata.train, models[0], data)
    for model in models[1:]:
        kata.train(model, *data)
    return {"trained": [training_steps.trained(model) for model in models], **found}


@question("train", times=2, training=training_steps.keeps(line, RULE))
def gradients(kata, draw: Draw):
    data, model = draw.data(rings), draw.weights(line(), scale=3.0)
    return training_steps.looked_at(kata.train, model, data, draw.integer(3, 6))


@question("train", training=training_steps.keeps(line, RULE))
def large_logits(kata, draw: Draw):
    """Weights so large that every sigmoid is exactly 0 or 1, and many are wrong."""
    data, model = draw.data(rings), draw.weights(line(), scale=1e5)
    return training_steps.looked_at(kata.train, model, data, draw.integer(3, 6))


@question("train")
def training_on_another_device(kata, draw: Draw):
    data, model = draw.data(rings), draw.weights(network())
    return training_steps.on_device(draw.device, kata.train, data, model)
