"""Questions on k04: the model, its training on fresh lines and planes, what it learned, and what
scikit-learn finds.
"""

import contextlib
import io
import warnings

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dojo.exam import Draw, question, structure, training_steps, within


class Plane(nn.Module):
    """A model for questions about the training alone."""

    def __init__(self, features: int, outputs: int = 1) -> None:
        super().__init__()
        self.linear = nn.Linear(features, outputs)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(x)


def noisy(random: np.random.Generator, d: int) -> tuple[Tensor, Tensor]:
    """Points along a line or a plane, as many, as far and as noisy as those of the lesson."""
    slopes = random.uniform(-55, 55, d)
    slopes[random.integers(d)] = random.choice([-1, 1]) * random.uniform(25, 45)
    features = random.standard_normal((500, d))
    targets = random.uniform(-20, 20) + features @ slopes + 10 * random.standard_normal(500)
    return (
        torch.tensor(features, dtype=torch.float32),
        torch.tensor(targets, dtype=torch.float32)[:, None],
    )


def hidden_plane(random: np.random.Generator):
    features, labels = noisy(random, int(random.integers(1, 5)))
    return (features, labels), {"features": features, "labels": labels}


def distance(answer, right, hidden) -> float:
    """Of the coefficients from the best ones, which the reference comes within 1e-4 of: the
    largest, over all models.
    """
    return np.concatenate(
        [
            np.abs(answer[d][name].data - right[d][name].data).ravel()
            for d in right
            for name in right[d]
        ]
    ).max()


# Twelve optimizers that pass the tests end at most 0.7 away; without a step, or with steps that are
# too small, it is over 18.
NEAR = within(2.0, "at most", distance, "the largest distance of a coefficient from the best one")


@question("model", times=3)
def forward_pass(kata, draw: Draw):
    found = {}
    for outputs in (1, draw.integer(2, 5)):
        features = draw.integer(1, 6)
        model = draw.weights(kata.LinearRegression(features, outputs))
        x, far = 3 * draw.normal(20, features), draw.normal(9, features, scale=1e6)
        with training_steps.untouched(found, x=x):
            several, one, alone = model(x), model(x[:1]), model(x[0])
        made_of = structure.plain(model, "linear")
        found[f"{outputs > 1}"] = [made_of, several, one, alone, model(far)]
    return found


@question("model")
def model_on_another_device(kata, draw: Draw):
    model = draw.weights(kata.LinearRegression(3, 2)).to(draw.device)
    return {"output": model(draw.normal(8, 3).to(draw.device)), "weights": list(model.parameters())}


def several_outputs(random: np.random.Generator):
    """Small targets, several for each example."""
    n, d, outputs = random.integers(11, 60, 3)
    features, labels = (
        torch.tensor(scale * random.standard_normal((n, size)), dtype=torch.float32)
        for scale, size in ((1, d), (0.1, outputs))
    )
    return (features, labels), {"features": features, "labels": labels}


RULE = training_steps.Rule(F.mse_loss, default=300)
KEEPS = training_steps.keeps(
    lambda hidden: Plane(hidden["features"].data.shape[1], hidden["labels"].data.shape[1]), RULE
)
KEEPS_ANY = training_steps.keeps(
    lambda hidden: nn.Sequential(nn.Linear(hidden["features"].data.shape[1], 1)), RULE
)


@question("fit", seconds=60, times=2, training=KEEPS, learned=NEAR)
def training(kata, draw: Draw):
    features, targets = draw.data(hidden_plane)
    model = draw.weights(Plane(features.shape[1]))
    printed = io.StringIO()
    with (
        warnings.catch_warnings(action="ignore"),  # torch's own, such as of float(loss)
        contextlib.redirect_stdout(printed),
        contextlib.redirect_stderr(printed),
    ):
        found = training_steps.looked_at(kata.fit, model, (features, targets))
    learned = {"all": training_steps.trained(model)}
    return {"learned": learned, "printed": printed.getvalue(), **found}


@question("fit", training=KEEPS_ANY)
def gradients(kata, draw: Draw):
    """Of a model without a name for its layer."""
    data = draw.data(hidden_plane)
    model = draw.weights(nn.Sequential(nn.Linear(data[0].shape[1], 1)))
    return training_steps.looked_at(kata.fit, model, data, draw.integer(3, 6))


@question("fit", training=KEEPS)
def training_of_several_outputs(kata, draw: Draw):
    features, targets = draw.data(several_outputs)
    model = draw.weights(Plane(features.shape[1], targets.shape[1]))
    return training_steps.looked_at(kata.fit, model, (features, targets), draw.integer(3, 6))


@question("fit")
def second_training(kata, draw: Draw):
    model, (features, targets) = draw.weights(Plane(2)), draw.made(lambda random: noisy(random, 2))
    kata.fit(model, features, targets, epochs=draw.integer(20, 40))
    between = F.mse_loss(model(features), targets).item()
    return {
        "first loss, by the one between": kata.fit(model, features, targets, epochs=2)[0] / between
    }


@question("fit")
def training_on_another_device(kata, draw: Draw):
    features, targets = (
        part.to(draw.device) for part in draw.made(lambda random: noisy(random, 3))
    )
    model, found = draw.weights(Plane(3)).to(draw.device), {}
    with training_steps.untouched(found, features=features, targets=targets):
        losses = kata.fit(model, features, targets, epochs=3)
    return {
        "epochs": len(losses),
        "places": [weight.device for weight in model.parameters()],
        **found,
    }


@question("coefficients", times=2)
def coefficients(kata, draw: Draw):
    found = {}
    for device in (torch.device("cpu"), draw.device):
        for scale in (20, 1e-3):
            model = draw.weights(Plane(draw.integer(1, 5)), scale=scale).to(device)
            found[f"{scale} on {device}"] = kata.coefficients(model)
            with torch.no_grad():
                model.linear.weight *= 2
            again = kata.coefficients(model)
            found[f"{scale} on {device}, changed"] = [1e3 * number for number in again]
    return found


@question("coefficients", times=2)
def model_that_is_read(kata, draw: Draw):
    found = {}
    for device in (torch.device("cpu"), draw.device):
        for training in (True, False):
            model = draw.weights(Plane(3)).to(device).train(training)
            model(draw.normal(5, 3).to(device)).sum().backward()
            kata.coefficients(model)
            parameters = list(model.parameters())
            found[f"{device}, {training}"] = [
                [part.training for part in model.modules()],
                parameters,
                [one.grad for one in parameters],
            ]
    return found


@question("best", times=2)
def best_coefficients(kata, draw: Draw):
    found = {}
    for device in (torch.device("cpu"), draw.device):
        features, slopes = draw.normal(60, d := draw.integer(1, 5)), 10 * draw.normal(d, 1)
        targets = (features @ slopes + draw.real(-9, 9) + 5 * draw.normal(60, 1)).to(device)
        features = features.to(device)
        with training_steps.untouched(
            found, **{f"features {device}": features, f"targets {device}": targets}
        ):
            found[f"best {device}"] = kata.best_coefficients(features, targets)
        small = kata.best_coefficients(features, 1e-3 * targets)
        found[f"of small targets {device}"] = [1e3 * number for number in small]
    return found
