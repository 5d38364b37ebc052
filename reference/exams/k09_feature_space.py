"""Questions on k09: the same asking code runs on the submission, confined, and on the reference."""

from itertools import pairwise

import torch
from torch import Tensor, nn

from dojo.exam import Draw, question, training_steps


class Keeping(nn.Module):
    """Keeps each layer's result of the last pass, as katas.given.networks.KeepingNetwork does."""

    def __init__(self, *parts: nn.Module) -> None:
        super().__init__()
        self.parts = nn.Sequential(*parts)
        self.linear_results: list[Tensor] = []
        self.activation_results: list[Tensor] = []

    linear_modules = property(lambda self: self.parts[0::2])
    activation_modules = property(lambda self: self.parts[1::2])

    def forward(self, x: Tensor) -> Tensor:
        results = [x]
        for part in self.parts:
            results.append(part(results[-1]))
        self.linear_results, self.activation_results = results[1::2], results[2::2]
        return results[-1]


def network(
    draw: Draw,
    hidden: int,
    labels: int = 1,
    dropout: float = 0.0,
    before: int = 1,
    features: int = 2,
) -> Keeping:
    """So many hidden layers before the last one, which has `hidden` neurons, and one probability or
    logits.
    """
    sizes = [features, *(draw.integer(3, 8) for _ in range(before)), hidden]
    parts = [part for pair in pairwise(sizes) for part in (nn.Linear(*pair), tanh(dropout))]
    return draw.weights(
        Keeping(*parts, nn.Linear(hidden, labels), nn.Sigmoid() if labels == 1 else nn.Identity()),
        scale=1.0,
    )


def tanh(dropout: float) -> nn.Module:
    return nn.Sequential(nn.Tanh(), nn.Dropout(dropout)) if dropout else nn.Tanh()


def look(call, model: nn.Module, *given: Tensor) -> list[object]:
    """What a look gives, and how it leaves the model; whether it recorded gradients, and whether
    they are recorded after it.
    """
    recorded: list[bool] = []
    handle = model.register_forward_hook(lambda _, x, output: recorded.append(output.requires_grad))
    with torch.enable_grad():
        answer, recording = call(model, *given), torch.is_grad_enabled()
    handle.remove()
    trained = [one.requires_grad for one in model.parameters()]
    return [answer, [part.training for part in model.modules()], trained, recording, any(recorded)]


def lines(draw: Draw, count: int) -> Tensor:
    """Where the lines of a grid lie, in any order."""
    return draw.uniform(-5, 5, count)


@question("features", times=2)
def hidden_features(kata, draw: Draw):
    found = {}
    for before, hidden, n in ((0, 2, 1), (1, 1, 7), (2, draw.integer(3, 6), draw.integer(5, 30))):
        model, points = network(draw, hidden=hidden, before=before), 2 * draw.normal(n, 2)
        model(draw.normal(draw.integer(2, 4), 2))  # the results of this pass are not asked for
        with training_steps.untouched(found, points=points):
            found[f"{before} before"] = kata.last_hidden_features(model, points)
    return found


@question("features", times=2)
def features_in_evaluation_mode(kata, draw: Draw):
    model, found = network(draw, hidden=2, dropout=0.5), {}
    for name, training in (("training", True), ("evaluation", False)):
        model.train(training)
        found[name] = look(kata.last_hidden_features, model, draw.normal(20, 2))
    return found


@question("features")
def features_on_another_device(kata, draw: Draw):
    model = network(draw, hidden=3).to(draw.device)
    seen = kata.last_hidden_features(model, draw.normal(7, 2).to(draw.device))
    return {"features": seen, "places": [one.device.type for one in model.parameters()]}


@question("boundary", times=4)
def boundary(kata, draw: Draw):
    found = {}
    for name, n in (("several", draw.integer(3, 12)), ("one", 1)):
        before, features = draw.integer(0, 2), draw.integer(3, 5)
        model, h1 = network(draw, 2, before=before, features=features), 2 * draw.normal(n)
        with torch.no_grad():
            weight = model.linear_modules[-1].weight
            weight += 0.2 * weight.sign()  # far enough from 0 to divide by
        with training_steps.untouched(found, h1=h1):
            found[name] = look(kata.hidden_boundary, model, h1)
    return found


@question("boundary")
def boundary_of_other_spaces(kata, draw: Draw):
    found = {}
    for hidden in (1, draw.integer(3, 6)):
        try:
            found[str(hidden)] = kata.hidden_boundary(network(draw, hidden=hidden), draw.normal(4))
        except ValueError:
            found[str(hidden)] = "refused"
    return found


@question("boundary")
def boundary_on_another_device(kata, draw: Draw):
    model = network(draw, hidden=2).to(draw.device)
    seen = kata.hidden_boundary(model, draw.normal(6).to(draw.device))
    return {"h2": seen, "places": [one.device.type for one in model.parameters()]}


@question("grid", times=4)
def grid(kata, draw: Draw):
    """Of one output, of two and of more; on oblong grids, a square one, a row, a column, and of
    a single point.
    """
    found = {}
    for labels in (1, 2, draw.integer(3, 5)):
        model, n = network(draw, hidden=draw.integer(2, 4), labels=labels), draw.integer(2, 6)
        for rows, columns in ((n, n + draw.integer(1, 4)), (n, n), (1, n), (n, 1), (1, 1)):
            x1, x2 = lines(draw, columns), lines(draw, rows)
            with training_steps.untouched(found, x1=x1, x2=x2):
                found[f"{labels}, {rows}, {columns}"] = kata.predict_grid(model, x1, x2)
    return found


@question("grid", times=2)
def grid_in_evaluation_mode(kata, draw: Draw):
    model, found = network(draw, hidden=4, dropout=0.5), {}
    for name, training in (("training", True), ("evaluation", False)):
        model.train(training)
        found[name] = look(kata.predict_grid, model, lines(draw, 4), lines(draw, 5))
    return found


@question("grid")
def grid_on_another_device(kata, draw: Draw):
    models, x1, x2 = (
        [network(draw, 2, labels).to(draw.device) for labels in (1, 3)],
        lines(draw, 3),
        lines(draw, 5),
    )
    grids = [kata.predict_grid(model, x1.to(draw.device), x2.to(draw.device)) for model in models]
    return {
        "grids": grids,
        "places": [one.device.type for model in models for one in model.parameters()],
    }
