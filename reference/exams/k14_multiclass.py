"""Questions on k14: the same asking code runs on the submission, confined, and on the reference."""

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dojo.exam import Draw, question, structure, training_steps, within, written_out

BY_HAND = {"softmax": {*written_out.SOFTMAX, *written_out.CROSS_ENTROPY}}
READY_MADE = ("softmax", "log_softmax", "softmin", "logsumexp", "cross_entropy")


def blobs(random: np.random.Generator):
    """Four clouds as in the lesson, near the corners of a square that is turned and shifted; 200
    more points are hidden.
    """
    angles = random.uniform(0, 2 * np.pi) + np.pi / 2 * np.arange(4) + random.uniform(-0.2, 0.2, 4)
    centers = random.uniform(0.75, 1, (4, 1)) * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    centers = random.permutation(centers) + random.uniform(-0.3, 0.3, 2)
    classes = random.permutation(400) % 4
    points = centers[classes] + 0.15 * random.standard_normal((400, 2))
    features, labels = (
        torch.tensor(points, dtype=torch.float32),
        torch.tensor(classes, dtype=torch.int64),
    )
    given = features[:200], labels[:200]
    return given, {
        "features": given[0],
        "labels": given[1],
        "others": features[200:],
        "labels of others": labels[200:],
    }


def network(*_) -> nn.Module:
    return nn.Sequential(nn.Linear(2, 10), nn.ReLU(), nn.Linear(10, 4))


def loss_of(answer, right, hidden) -> float:
    """Where no point counts for more than guessing costs: a model may be very sure of a few wrong
    answers, as after torch.optim.Rprop.
    """
    logits = training_steps.outputs(answer, network(), hidden["others"])
    labels = torch.from_numpy(hidden["labels of others"].data)
    return float(F.cross_entropy(logits, labels, reduction="none").clamp(max=np.log(4)).mean())


def huge(draw: Draw) -> Tensor:
    """Logits whose exp overflows, equal ones, and rows far below others."""
    size = draw.real(1e3, 1e4)
    return torch.tensor(
        [
            [size, 0, -size],
            [size, size, size],
            [-size, -size, -size - 1],
            [0.5, 1.5, -0.5],
            [0, 2, size],
        ]
    )


@question("model", times=3)
def forward_pass(kata, draw: Draw):
    sizes, found = (draw.integer(2, 5), draw.integer(3, 9), draw.integer(2, 6)), {}
    model, x = draw.weights(kata.MulticlassClassifier(*sizes)), 2 * draw.normal(25, sizes[0])
    with training_steps.untouched(found, x=x):
        output = model(x)
    (output * draw.normal(25, sizes[2])).sum().backward()
    return {
        "made of": structure.plain(model, "main"),
        "output": output,
        "gradients": [one.grad for one in model.parameters()],
        "of one example": model(x[:1]),
        "of huge features": model(1e4 * x),
        "in evaluation mode": model.eval()(x),
        **found,
    }


def off(answer, right, hidden) -> float:
    """How far the first weights are from torch's, which lie evenly up to 1 / sqrt(inputs): their
    largest, and their deviation in parts of what it has to be.
    """
    return max(
        max(abs(np.abs(one.data).max() - 1), abs(one.data.std() * np.sqrt(3) - 1)) for one in answer
    )


@question("model", start=within(0.1, "at most", off, "the start is not torch's, by"))
def starting_weights(kata, draw: Draw):
    sizes = [draw.integer(60, 90) for _ in range(3)]
    weights = [one for one in kata.MulticlassClassifier(*sizes).parameters() if one.ndim == 2]
    return {"start": [one.detach() * one.shape[1] ** 0.5 for one in weights]}


@question("model")
def model_on_another_device(kata, draw: Draw):
    model = draw.weights(kata.MulticlassClassifier(3, 5, 4)).to(draw.device)
    return {
        "output": model(draw.normal(8, 3).to(draw.device)),
        "places": [one.device.type for one in model.parameters()],
    }


@question("softmax", times=3, by_hand=BY_HAND)
def softmax(kata, draw: Draw):
    n, classes, found = draw.integer(2, 8), draw.integer(2, 6), {}
    z, weights = 8 * draw.normal(n, classes), draw.normal(n, classes)
    with training_steps.untouched(found, logits=z):
        values, found["ready-made"] = training_steps.used(lambda: kata.softmax(z), READY_MADE)
    place = z.clone().requires_grad_()
    (weights * kata.softmax(place)).sum().backward()
    found |= {
        "values": values,
        "logarithms": values.log(),
        "gradients": place.grad,
        "huge": kata.softmax(huge(draw)),
    }
    few = {"two classes": kata.softmax(z[:, :2]), "one class": kata.softmax(z[:, :1])}
    return {**found, **few, "one row": kata.softmax(z[:1])}


@question("softmax")
def softmax_on_another_device(kata, draw: Draw):
    return {"probabilities": kata.softmax(draw.normal(6, 4).to(draw.device))}


@question("predict", times=3)
def prediction(kata, draw: Draw):
    features, classes, found, recording = draw.integer(2, 4), draw.integer(3, 6), {}, []
    model = draw.weights(
        nn.Sequential(nn.Linear(features, 8), nn.Tanh(), nn.Dropout(0.5), nn.Linear(8, classes))
    )
    model.register_forward_hook(
        lambda module, inputs, output: recording.append(output.requires_grad)
    )
    for name, training in (("training", True), ("evaluation", False)):
        model.train(training)
        x = 3 * draw.normal(draw.integer(20, 40), features)
        with training_steps.untouched(found, x=x):
            with torch.enable_grad():
                numbers = kata.predict(model, x)
                found[f"records after {name}"] = torch.is_grad_enabled()
        alone, trained = (
            kata.predict(model, x[:1]),
            [one.requires_grad for one in model.parameters()],
        )
        modes = [part.training for part in model.modules()]
        found[name] = [numbers, alone, modes, trained, any(recording)]
    return {**found, "of large logits": kata.predict(nn.Identity(), 1e3 * draw.normal(20, classes))}


@question("predict")
def prediction_on_another_device(kata, draw: Draw):
    model = draw.weights(nn.Linear(2, 5)).to(draw.device)
    numbers = kata.predict(model, draw.normal(9, 2).to(draw.device))
    return {"numbers": numbers, "places": [one.device.type for one in model.parameters()]}


@question(
    "train",
    seconds=30,
    trained=within(0.5, "at most", loss_of, "the loss on other points of the clouds"),
)
def training(kata, draw: Draw):
    features, labels = draw.data(blobs)
    # of the weights that the pass marks know, and the same on both sides: so is torch's seed
    model = network()
    kata.train(model, features, labels)
    return {"trained": training_steps.trained(model)}


KEEPS = training_steps.keeps(network, training_steps.Rule(F.cross_entropy, default=100))


@question("train", training=KEEPS)
def gradients(kata, draw: Draw):
    data, model = draw.data(blobs), draw.weights(network())
    return training_steps.looked_at(kata.train, model, data, draw.integer(3, 6))


def no_clouds(random: np.random.Generator):
    """Points and classes without any rule, of other sizes than those of the lesson; none of the
    last class.
    """
    n, d, classes = random.integers(11, 60, 3)
    features = torch.tensor(random.standard_normal((n, d)), dtype=torch.float32)
    labels = torch.tensor(random.integers(0, classes - 1, n), dtype=torch.int64)
    sizes = [int(d), 7, int(classes)]
    return (features, labels, sizes), {"features": features, "labels": labels, "sizes": sizes}


def of_sizes(hidden) -> nn.Module:
    d, units, classes = hidden["sizes"]
    return nn.Sequential(nn.Linear(d, units), nn.ReLU(), nn.Linear(units, classes))


ANY_SIZE = training_steps.keeps(of_sizes, training_steps.Rule(F.cross_entropy))


@question("train", training=ANY_SIZE)
def gradients_of_other_sizes(kata, draw: Draw):
    features, labels, sizes = draw.data(no_clouds)
    model = draw.weights(of_sizes({"sizes": sizes}))
    return training_steps.looked_at(kata.train, model, (features, labels), draw.integer(3, 6))


def far_apart(random: np.random.Generator):
    """The clouds in small units, so that all numbers are large."""
    given, hidden = blobs(random)
    features = 10.0 ** random.uniform(3.5, 4.5) * given[0]
    return (features, given[1]), hidden | {"features": features}


@question("train", training=KEEPS)
def gradients_of_large_features(kata, draw: Draw):
    data, model = draw.data(far_apart), draw.weights(network())
    return training_steps.looked_at(kata.train, model, data, 2)


@question("train", seconds=30, training=KEEPS)
def epochs_of_its_own(kata, draw: Draw):
    data, model = draw.data(blobs), draw.weights(network())
    return training_steps.looked_at(kata.train, model, data)


@question("train")
def training_on_another_device(kata, draw: Draw):
    data, model = draw.data(blobs), draw.weights(network())
    return training_steps.on_device(draw.device, kata.train, data, model)
