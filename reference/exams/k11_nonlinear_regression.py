"""Questions on k11: the same asking code runs on the submission, confined, and on the reference."""

from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dojo.exam import Draw, question, structure, training_steps, within

ACTIVATIONS = (nn.Tanh, nn.ReLU, nn.SiLU)


def curve(random: np.random.Generator, points: int = 500):
    """The lesson's curve, mirrored and shifted, at other places that ascend; 200 more points are
    hidden.
    """
    (across, up), shift = random.choice([-1, 1], 2), random.uniform(-2, 2)

    def on_the_curve(x: np.ndarray) -> tuple[Tensor, Tensor]:
        y = up * (x**2 + 15 * np.sin(across * x) ** 3) + shift
        return (
            torch.tensor(x, dtype=torch.float32)[:, None],
            torch.tensor(y, dtype=torch.float32)[:, None],
        )

    given, others = (
        on_the_curve(np.sort(random.standard_normal(points))),
        on_the_curve(np.linspace(-2, 2, 200)),
    )
    return given, {
        "features": given[0],
        "labels": given[1],
        "others": others[0],
        "labels of others": others[1],
    }


def flat(random: np.random.Generator):
    """60 points of a line at one height."""
    x = torch.tensor(np.sort(random.standard_normal(60)), dtype=torch.float32)[:, None]
    y = torch.full((60, 1), random.uniform(0.5, 1.5))
    return (x, y), {"features": x, "labels": y}


def chain(*sizes: int, activation: type[nn.Module] = nn.Sigmoid) -> nn.Sequential:
    return nn.Sequential(
        *[part for pair in pairwise(sizes) for part in (nn.Linear(*pair), activation())][:-1]
    )


def small(*_) -> nn.Module:
    return chain(1, 3, 1)


def twenty_nodes(*_) -> nn.Module:
    return chain(1, 20, 1, activation=nn.Tanh)


def error_of(answer, right, hidden) -> float:
    outputs = training_steps.outputs(answer, twenty_nodes(), hidden["others"])
    return float(F.mse_loss(outputs, torch.from_numpy(hidden["labels of others"].data)))


def networks(kata, draw: Draw, **settings) -> dict[str, nn.Module]:
    """One of either kind, with random sizes and weights, and the same with a single output."""
    shallow_sizes, deep_sizes = ([draw.integer(2, 6) for _ in range(count)] for count in (3, 4))
    models = (
        kata.NonlinearRegression(*shallow_sizes, **settings),
        kata.DeepRegression(*deep_sizes, **settings),
    )
    models += (
        kata.NonlinearRegression(*shallow_sizes[:-1], 1, **settings),
        kata.DeepRegression(*deep_sizes[:-1], 1, **settings),
    )
    names = "shallow", "deep", "narrow", "deep and narrow"
    return {name: draw.weights(model) for name, model in zip(names, models, strict=True)}


def passes(kata, draw: Draw, **settings) -> dict[str, object]:
    """What networks print, give and learn from; then on another device."""
    found = {}
    for name, model in networks(kata, draw, **settings).items():
        x = 2 * draw.normal(25, model.main[0].in_features)
        with training_steps.untouched(found, **{name: x}):
            output = model(x)
        output.square().sum().backward()
        gradients = [one.grad for one in model.parameters()]
        found[name] = [
            structure.plain(model, "main"),
            output,
            gradients,
            model.to(draw.device)(x.to(draw.device)),
            model(x[:1].to(draw.device)),
            model.eval()(x.to(draw.device)),
        ]
    return found


@question("models", times=2)
def with_the_usual_activation(kata, draw: Draw):
    return passes(kata, draw)


@question("models", times=2)
def with_another_activation(kata, draw: Draw):
    return passes(kata, draw, activation=draw.choice(ACTIVATIONS))


def counted(draw: Draw) -> nn.Module:
    """A model with frozen parameters, and with running means, under a name of its own."""
    sizes = [draw.integer(2, 7) for _ in range(draw.integer(2, 4))]
    name, norm = f"net_{draw.integer(0, 99)}", nn.BatchNorm1d(sizes[-1])
    own = nn.ParameterDict({"scale": nn.Parameter(torch.tensor(1.0))})
    cut = nn.Conv1d(2, draw.integer(2, 5), draw.integer(2, 5))
    model = nn.ModuleDict({name: chain(*sizes), "norm": norm, "cut": cut, "own": own})
    for number, one in enumerate(model.parameters()):
        one.requires_grad_(number > 0 and draw.choice([True, True, False]))
    return model


@question("count", times=4)
def count(kata, draw: Draw):
    model = counted(draw)
    return {
        "count": kata.count_parameters(model),
        "on another device": kata.count_parameters(model.to(draw.device)),
        "learns": [one.requires_grad for one in model.parameters()],
        "of nothing": kata.count_parameters(nn.Tanh()),
    }


@question("summary", times=4)
def summary(kata, draw: Draw):
    model = counted(draw)
    return {
        "table": kata.summary(model),
        "of main": kata.summary(nn.ModuleDict({"main": chain(draw.integer(1, 5), 1)})),
        "on another device": kata.summary(model.to(draw.device)),
        "of nothing": kata.summary(nn.Tanh()),
    }


@question("nodes", times=3)
def nodes(kata, draw: Draw):
    found = {}
    for name, model in networks(kata, draw, activation=draw.choice(ACTIVATIONS)).items():
        x, kept = 2 * draw.normal(draw.integer(5, 30), model.main[0].in_features), []
        for mode in (True, False):
            with training_steps.untouched(found, **{name: x}):
                values = kata.node_outputs(model.train(mode), x)
            kept += [values, sorted({part.training for part in model.modules()})]
        there = kata.node_outputs(model.to(draw.device), x.to(draw.device))
        asked = [[one.device.type, one.requires_grad] for one in model.parameters()]
        one = kata.node_outputs(model, x[:1].to(draw.device))
        found[name] = [kept, there, one, asked, torch.is_grad_enabled()]
    return found


KEEPS = training_steps.keeps(small, training_steps.Rule(F.mse_loss, default=100, batch_size=50))


@question("fit", times=2, training=KEEPS)
def batches(kata, draw: Draw):
    """The last one of an epoch is smaller."""
    size, rest = draw.integer(40, 48), draw.integer(10, 30)
    data = draw.data(lambda random: curve(random, points=2 * size + rest))
    model, epochs = draw.weights(small()), draw.integer(3, 4)
    return training_steps.looked_at(kata.fit, model, data, epochs, batch_size=size)


@question("fit", training=KEEPS)
def by_itself(kata, draw: Draw):
    """Without a number of epochs or a size of batches; a flat line is soon learned."""
    data = draw.data(flat)
    return training_steps.looked_at(kata.fit, draw.weights(small()), data)


@question(
    "fit",
    seconds=60,
    trained=within(5, "at most", error_of, "the error on other points of the curve"),
)
def training(kata, draw: Draw):
    x, y = draw.data(curve)
    # of the weights that the pass mark knows, and the same on both sides: so is torch's seed
    model = twenty_nodes()
    kata.fit(model, x, y, epochs=90)
    return {"trained": training_steps.trained(model)}


@question("fit")
def fit_on_another_device(kata, draw: Draw):
    x, y = (part.to(draw.device) for part in draw.data(lambda random: curve(random, points=40)))
    model, found = draw.weights(small()).to(draw.device), {}
    with training_steps.untouched(found, x=x, y=y):
        losses = kata.fit(model, x, y, epochs=2, batch_size=25)
    return {
        "epochs": len(losses),
        "places": [one.device.type for one in model.parameters()],
        **found,
    }
