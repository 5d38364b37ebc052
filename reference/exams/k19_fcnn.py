"""Questions on k19: the same asking code runs on the submission, confined, and on the reference."""

import functools

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dojo.exam import (
    Draw,
    equal_as,
    every,
    fake_devices,
    live,
    question,
    reaches,
    training_steps,
    within,
    written_out,
)

CPU = torch.device("cpu")
LAST = {
    "regression": lambda z: z,
    "binary": torch.sigmoid,
    "multiclass": lambda z: torch.softmax(z, dim=1),
}
LOSSES = {
    "regression": F.mse_loss,
    "binary": F.binary_cross_entropy_with_logits,
    "multiclass": F.cross_entropy,
}
# Outputs, epochs, and from how many starts: from about one in a thousand XOR is not learned.
OUTPUTS = {"regression": 1, "binary": 1, "multiclass": 3}
PROBLEMS = {"regression": (1, 12, 1), "binary": (1, 20, 2), "multiclass": (4, 8, 1)}
OPTIMIZERS = {
    "sgd": {"momentum": 0.7},
    "adam": {"betas": (0.6, 0.9)},
    "rmsprop": {"alpha": 0.6},
    "adagrad": {"lr_decay": 0.2},
}


class Net(nn.Module):
    """The exam's own network, so that a task is judged by itself: one hidden layer that starts as
    the lesson says.
    """

    def __init__(self, kind: str, outputs: int, hidden: int = 16) -> None:
        super().__init__()
        layers = [nn.Linear(2, hidden), nn.Linear(hidden, outputs)]
        for parameter, inputs in (
            (one, layer.in_features) for layer in layers for one in layer.parameters()
        ):
            nn.init.normal_(parameter, std=1 / inputs)
        self.layers, self.last = nn.Sequential(layers[0], nn.ReLU(), layers[1]), LAST[kind]

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        z = self.layers(x)
        return self.last(z), z


def points(n: int, kind: str):
    """Makes points and targets without any rule, as NumPy has them; "multiclass" with three
    classes.
    """

    def make(random: np.random.Generator):
        targets = (
            random.standard_normal(n)
            if kind == "regression"
            else random.integers(0, 3 if kind == "multiclass" else 2, n)
        )
        return random.uniform(-1, 1, (n, 2)), targets.astype(np.float64)[:, None]

    return make


def square(random: np.random.Generator):
    """A square turned at random, and the lesson's three problems on it: 2500 points to train on and
    as many others.
    """
    x, angle, names = (
        random.uniform(-1, 1, (5000, 2)),
        random.uniform(0, 2 * np.pi),
        random.permutation(4),
    )
    turned = x @ [[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]
    product, quadrants = x[:, 0] * x[:, 1], names[(x[:, 0] > 0) + 2 * (x[:, 1] > 0)]
    targets = {
        "regression": product,
        "binary": (product < 0) ^ (names[0] < 2),
        "multiclass": quadrants,
    }
    targets = {kind: values.astype(np.float64)[:, None] for kind, values in targets.items()}
    given = [
        turned[:2500],
        {kind: values[:2500] for kind, values in targets.items()},
        turned[2500:],
    ]
    return given, {kind: values[2500:] for kind, values in targets.items()}


def keeps(kind: str):
    """The judge of a training of a small `Net`."""
    loss = LOSSES[kind]
    return training_steps.keeps(
        lambda hidden: Net(kind, OUTPUTS[kind], hidden=6),
        training_steps.Rule(
            lambda pair, labels: loss(pair[1], labels), default=100, batch_size=100, is_cut=True
        ),
    )


def looked_at(kata, draw: Draw, kind: str, n: int, **told) -> dict[str, object]:
    """A training of a small `Net`, on points without any rule."""

    def drawn(random: np.random.Generator):
        features, targets = (torch.tensor(part).float() for part in points(n, kind)(random))
        labels = targets[:, 0].long() if kind == "multiclass" else targets
        return [features, labels], {"features": features, "labels": labels}

    def train(model: nn.Module, features: Tensor, labels: Tensor, **told):
        data = features.double().numpy(), labels.double().reshape(-1, 1).numpy()
        with training_steps.untouched(
            found, **dict(zip("xy", map(torch.from_numpy, data), strict=True))
        ):
            return kata.train(model, *data, kind, **told)

    found, model = {}, draw.weights(Net(kind, OUTPUTS[kind], hidden=6))
    return training_steps.looked_at(train, model, draw.data(drawn), **told) | found


def solved(kind: str, mark: str):
    """The judge of a problem: the pass marks of the same training, for new points of the same kind,
    and the best start.
    """

    def losses(answer, hidden) -> list[float]:
        wanted = torch.tensor(hidden[kind].data, dtype=torch.float32)
        wanted = wanted[:, 0].long() if kind == "multiclass" else wanted
        return [float(LOSSES[kind](live(outputs), wanted)) for outputs in answer]

    def loss(answer, right, hidden) -> float:
        return min(losses(answer, hidden))

    def accuracy(answer, right, hidden) -> float:
        best = answer[int(np.argmin(losses(answer, hidden)))].data
        answers = best > 0 if kind == "binary" else best.argmax(axis=1)[:, None]
        return float((answers == hidden[kind].data).mean())

    judges = [reaches(f"{mark}.loss", loss)] + [reaches(f"{mark}.accuracy", accuracy)] * (
        kind != "regression"
    )
    return every(*judges)


def off(answer, right, hidden) -> float:
    """How far the start is from deviates of deviation 1 / inputs, in parts of that; of 300 and
    more, by chance 0.1.
    """
    return float(
        np.abs([(np.sqrt((one.data**2).mean()) - 1, one.data.mean()) for one in answer]).max()
    )


@question("network")
def settings(kata, draw: Draw):
    found, classes = [], draw.integer(3, 9)
    for kind in LOSSES:
        hidden = draw.made(lambda random: random.integers(3, 30, random.integers(1, 4)).tolist())
        found.append([kata.settings_for(kind, hidden, classes), hidden])
    return {
        "found": found,
        "refused": training_steps.refused(
            lambda: kata.settings_for("ranking", [3], 2), "ranking", *LOSSES
        ),
    }


@question(
    "network",
    start=within(
        0.4, "at most", off, "the deviation or the mean of the start is off, in parts of 1 / inputs"
    ),
    starts=equal_as(),
)
def starting_parameters(kata, draw: Draw):
    dims = [draw.integer(*span) for span in ((300, 350), (900, 1000), (300, 350))]
    parameters = [one.detach() for one in kata.FCNN(dims, "relu", "linear").parameters()]
    other = kata.FCNN([draw.integer(2, 9), 4, 7, 1], "relu", "linear").parameters()
    start = [dims[number // 2] * one for number, one in enumerate(parameters)]
    first, second = (next(kata.FCNN([2, 1], "relu", "linear").parameters()) for _ in "ab")
    shapes = [one.shape for one in [*parameters, *other]]
    return {"start": start, "shapes": shapes, "starts": [[first, second]]}


@question("network")
def forward_pass(kata, draw: Draw):
    x, found = draw.normal(11, 2), {}
    for name, last in (
        ("relu", "linear"),
        ("tanh", "sigmoid"),
        ("sigmoid", "softmax"),
        ("relu", "softmax"),
    ):
        outputs = 1 if last == "sigmoid" else 3
        sizes = [2, draw.integer(4, 9), 5, outputs]
        model = draw.weights(kata.FCNN(sizes, name, last), scale=1.0)
        found[f"{name}, {last}"] = [model(x), model(x[:1])]
        model.to(draw.device)
        found[f"{name}, {last}, moved"] = [model(x.to(draw.device)), list(model.parameters())]
    return {**found, "x": x}


@question("network")
def unknown_activations(kata, draw: Draw):
    known, last = ("relu", "sigmoid", "tanh"), ("linear", "sigmoid", "softmax")
    ones = draw.choice(("swish", "maxout", "step")), "linear", "softmax"
    others = draw.choice(("cubic", "relu6", "none")), "relu", "tanh"
    build = functools.partial(kata.FCNN, [2, 3, 1])
    return {
        "hidden": [
            training_steps.refused(functools.partial(build, one, "linear"), one, *known)
            for one in ones
        ],
        "last": [
            training_steps.refused(functools.partial(build, "relu", other), other, *last)
            for other in others
        ],
    }


@question("loss")
def losses(kata, draw: Draw):
    z, numbers, found = draw.normal(9, 3), draw.classes(9, 3), {}
    targets = {
        "regression": draw.normal(9, 1),
        "binary": (numbers[:, None] > 0).float(),
        "multiclass": numbers,
    }
    for place in (CPU, draw.device):
        for kind, wanted in targets.items():
            scores = z if kind == "multiclass" else z[:, :1]
            for size in (1, 1000):
                value = kata.loss_for(kind)(size * scores.to(place), wanted.to(place))
                found[f"{kind}, {place.type}, {size}"] = value
        found[f"in two steps, {place.type}"] = kata.log_softmax_loss(z.to(place), numbers.to(place))
    return {
        **found,
        "refused": training_steps.refused(lambda: kata.loss_for("ranking"), "ranking", *LOSSES),
    }


@question("loss", by_hand={"log_softmax_loss": written_out.CROSS_ENTROPY})
def two_steps(kata, draw: Draw):
    z, targets = draw.normal(12, 4), draw.classes(12, 4)
    value, used = training_steps.used(
        lambda: kata.log_softmax_loss(z, targets), ["cross_entropy", "cross_entropy_loss"]
    )
    return {"value": value, "used": used, "large": kata.log_softmax_loss(300 * z, targets)}


@question("optimizer")
def optimizers(kata, draw: Draw):
    found, lr = {}, draw.real(0.05, 0.2)
    for name, own in OPTIMIZERS.items():
        for place in (CPU, draw.device):
            for more in ({}, {"weight_decay": draw.real(0.1, 0.5)} | own):
                weight = nn.Parameter(draw.normal(3, 2).to(place))
                optimizer = kata.optimizer_for(name, iter([weight]), lr, **more)
                for _ in range(3):
                    weight.grad = draw.normal(3, 2).to(place)
                    optimizer.step()
                found[f"{name}, {len(more)} settings, {place.type}"] = [
                    type(optimizer).__name__,
                    weight,
                ]
    return {
        **found,
        "refused": [
            training_steps.refused(
                functools.partial(kata.optimizer_for, name, [weight], lr), name, *OPTIMIZERS
            )
            for name in ("newton", draw.choice(("adamw", "nadam", "adadelta")))
        ],
    }


@question("batch")
def batches(kata, draw: Draw):
    found, size, number = {}, draw.integer(4, 7), draw.integer(1, 4)
    for kind in LOSSES:
        data = draw.made(points(40, kind))
        found[kind] = [
            kata.next_batch(*data, kind, number, size),
            kata.next_batch(*data, kind, size=size),
            kata.next_batch(*data, kind),
            kata.next_batch(*data, kind, number),
            data,
        ]
    return found


@question("train", training=keeps("regression"))
def regression_steps(kata, draw: Draw):
    size, epochs = draw.integer(6, 9), draw.integer(3, 5)
    return looked_at(kata, draw, "regression", 3 * size + 5, epochs=epochs, batch_size=size)


@question("train", training=keeps("binary"))
def binary_steps(kata, draw: Draw):
    size, epochs = draw.integer(6, 9), draw.integer(3, 5)
    return looked_at(kata, draw, "binary", 3 * size + 5, epochs=epochs, batch_size=size)


@question("train", training=keeps("multiclass"))
def multiclass_steps(kata, draw: Draw):
    size, epochs = draw.integer(6, 9), draw.integer(3, 5)
    return looked_at(kata, draw, "multiclass", 3 * size + 5, epochs=epochs, batch_size=size)


@question("train", training=keeps("binary"))
def steps_without_further_arguments(kata, draw: Draw):
    return looked_at(kata, draw, "binary", draw.integer(220, 280))


@question("train")
def named_optimizers(kata, draw: Draw):
    # three equal batches: any order of them will do
    data, found = [np.tile(part, (3, 1)) for part in draw.made(points(20, "multiclass"))], {}
    for name in OPTIMIZERS:
        model, lr = draw.weights(Net("multiclass", 3)), draw.real(0.005, 0.01)
        kata.train(model, *data, "multiclass", name, lr, epochs=2, batch_size=20)
        found[name] = list(model.parameters())
    model = draw.weights(Net("multiclass", 3))
    kata.train(model, *data, "multiclass", epochs=2, batch_size=20)
    return {**found, "by default": list(model.parameters())}


@question(
    "train",
    seconds=90,
    regression=solved("regression", "k19.prod"),
    binary=solved("binary", "k19.xor"),
    multiclass=solved("multiclass", "k19.quadrants"),
)
def problems_on_a_square(kata, draw: Draw):
    (features, targets, new), found = draw.data(square), {}
    for kind, (outputs, epochs, starts) in PROBLEMS.items():
        models = [Net(kind, outputs) for _ in range(starts)]
        for model in models:
            kata.train(model, features, targets[kind], kind, lr=0.05, epochs=epochs)
        found[kind] = [
            model(torch.tensor(new, dtype=torch.float32))[1].detach() for model in models
        ]
    return found


@question("train")
def training_on_another_device(kata, draw: Draw):
    data, model = (
        draw.made(points(40, "multiclass")),
        draw.weights(Net("multiclass", 3)).to(draw.device),
    )
    losses = kata.train(model, *data, "multiclass", epochs=2, batch_size=10)
    return {"epochs": len(losses), "places": [weight.device for weight in model.parameters()]}


@question("train")
def training_on_a_second_gpu(kata, draw: Draw):
    data = draw.made(points(40, "multiclass"))
    with fake_devices.Pretended(fake_devices.SECOND_GPU, model := Net("multiclass", 3)) as there:
        kata.train(model, *data, "multiclass", epochs=1, batch_size=10)
    return {"sent to": sorted(there.sent)}


@question("accuracy")
def accuracy_on_a_second_gpu(kata, draw: Draw):
    data = draw.made(points(20, "binary"))
    with fake_devices.Pretended(fake_devices.SECOND_GPU, model := Net("binary", 1)) as there:
        kata.accuracy(model, *data, "binary")
    return {"sent to": sorted(there.sent)}


@question("accuracy", times=2)
def right_answers(kata, draw: Draw):
    n = draw.integer(120, 180)
    x, found = draw.normal(n, 2), {}
    for kind, outputs in (("binary", 1), ("multiclass", 3)):
        model = draw.weights(Net(kind, outputs))
        z = model(x)[1].detach()
        answers = (z > 0).double() if kind == "binary" else z.argmax(dim=1, keepdim=True).double()
        # a fifth is wrong
        targets = torch.where(
            draw.uniform(0, 1, n, 1) < 0.2, (answers + 1) % max(outputs, 2), answers
        )
        data = [x.double().numpy(), targets.numpy()]
        for place in (CPU, draw.device):
            found[f"{kind}, {place.type}"] = kata.accuracy(model.to(place), *data, kind)
    model = Net("binary", 1)
    nn.init.zeros_(model.layers[2].weight)
    nn.init.zeros_(model.layers[2].bias)
    found["at a half"] = kata.accuracy(
        model, x.double().numpy(), draw.made(points(n, "binary"))[1], "binary"
    )
    refused = {
        kind: training_steps.refused(
            functools.partial(kata.accuracy, Net("regression", 1), *data, kind), kind
        )
        for kind in ("regression", draw.choice(("ranking", "ordinal")))
    }
    return {**found, "refused": list(refused.values())}
