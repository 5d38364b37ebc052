"""Questions on k18: the same asking code runs on the submission, confined, and on the reference."""

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from dojo.exam import Draw, equal_as, question, reaches, structure, training_steps, within

SQUARE = 60  # inputs, hidden units and outputs of the network whose dropout is looked at


def nonsense(random: np.random.Generator):
    """105 points in a square, standardized, and classes that have nothing to do with where they
    lie.
    """
    points = random.random((105, 2))
    features = torch.tensor(
        (points - points.mean(axis=0)) / points.std(axis=0), dtype=torch.float32
    )
    given = features, torch.tensor(random.permutation(np.arange(105) % 3))
    return given, dict(zip(("features", "labels"), given, strict=True))


def lopsided(random: np.random.Generator):
    """A part of such points; the classes are not equally common."""
    (features, labels), _ = nonsense(random)
    kept = (labels < 2) | (torch.arange(105) % 4 == 0)
    given = features[kept], labels[kept]
    return given, dict(zip(("features", "labels"), given, strict=True))


def small() -> nn.Module:
    return nn.Sequential(nn.Linear(2, 10), nn.ReLU(), nn.Linear(10, 3))


def large() -> nn.Module:
    """The network of the lesson that learns by heart."""
    return nn.Sequential(nn.Linear(2, 302), nn.ReLU(), nn.Dropout(0.1), nn.Linear(302, 3))


def learned(answer, right, hidden) -> float:
    """The share of right answers; they are computed here, because the labels are handed out."""
    pairs = [
        (training_steps.outputs(one, large(), x).argmax(dim=1).numpy(), y.data)
        for one, (x, y) in zip(answer, hidden["data"], strict=True)
    ]
    return float(np.mean([answers == labels for answers, labels in pairs]))


def share(answer, right, hidden) -> float:
    """How far the share of dropped activations, which give the smallest output, is from p."""
    return abs(float((answer.data < answer.data.min() + 0.1).mean()) - float(hidden["p"]))


def off(answer, right, hidden) -> float:
    """How far weights (outputs, inputs) are from Xavier's rule, in parts of its deviation; by
    chance 0.02.
    """
    each = [weight.data / (4 / sum(weight.data.shape)) ** 0.5 for weight in answer]
    return float(np.abs([(one.std() - 1, one.mean()) for one in each]).max())


# By chance 0.02; every other rule is off by 0.15 and more.
RULE = within(
    0.06, "at most", off, "the deviation or the mean of the weights is off, in parts of the rule's"
)


def grown(answer, right, hidden) -> float:
    """How far the signal is from what the weights' deviation makes of it: after one layer, then
    from the first to each later layer. By chance it is 0.02 and 0.05.
    """
    (first, *later), growth = answer, float(hidden["growth"])
    off = [1.5 * abs(first / float(hidden["first"]) - 1)]
    off += [abs((each / first) ** (1 / n) / growth - 1) for n, each in enumerate(later, 1)]
    return float(max(off))


@question("model", times=2)
def evaluation(kata, draw: Draw):
    inputs, hidden, p, classes = (
        draw.integer(1, 6),
        draw.integer(7, 15),
        draw.choice([0.15, 0.25, 0.4]),
        draw.integer(2, 6),
    )
    model, x, found = (
        draw.weights(kata.MLP(inputs, hidden, p, classes)).eval(),
        draw.normal(20, inputs),
        {},
    )
    with training_steps.untouched(found, x=x):
        output, again, one = model(x), model(x), model(x[:1])
    F.cross_entropy(output, draw.classes(20, classes)).backward()
    found |= {
        "made of": structure.plain(model, "fc1", "dropout", "fc2"),
        "output": output,
        "again": again,
        "one": one,
    }
    return {**found, "gradients": [parameter.grad for parameter in model.parameters()]}


@question("model", output=within(0.04, "at most", share, "the share that is dropped is off"))
def training(kata, draw: Draw):
    p, bias, shift = draw.choice([0.2, 0.25, 0.3]), draw.real(0.3, 1.0), draw.real(2.0, 5.0)
    draw.hidden("p", lambda: p)
    model = kata.MLP(SQUARE, SQUARE, p, SQUARE).train()
    # its output is shift + the hidden activation, which is 1 + bias for an input of ones
    with torch.no_grad():
        for layer, value in ((model.fc1, bias), (model.fc2, shift)):
            layer.weight.copy_(torch.eye(SQUARE))
            layer.bias.fill_(value)
        one, other = model(torch.ones(200, SQUARE)), model(torch.ones(200, SQUARE))
    unlike = [not torch.equal(one, other), bool((one != one[0]).any())]
    unlike.append(bool((one != one[:, :1]).any(dim=1).all()))
    return {"output": one, "values": one.unique(), "unlike": unlike}


@question("model")
def model_on_another_device(kata, draw: Draw):
    model, x = (
        draw.weights(kata.MLP(2, 7, 0.2, 3)).to(draw.device),
        draw.normal(4, 2).to(draw.device),
    )
    trains = model.train()(x).device
    return {"training": trains, "output": model.eval()(x), "weights": list(model.parameters())}


@question("init", weights=RULE)
def weights_by_xaviers_rule(kata, draw: Draw):
    sizes = [
        (draw.integer(250, 350), draw.integer(100, 150)),
        (draw.integer(40, 60), draw.integer(600, 800)),
    ]
    models = [kata.MLP(inputs, hidden, 0.1, 3) for inputs, hidden in sizes]
    for model in models:
        model.init_weights()
    return {"weights": [model.fc1.weight.detach() for model in models]}


@question("init")
def the_rest_is_left_alone(kata, draw: Draw):
    model = draw.weights(kata.MLP(3, 20, 0.1, 4)).to(draw.device)
    weight = model.fc1.weight
    model.init_weights()
    before = weight.detach().cpu().clone()
    model.init_weights()
    anew = [model.fc1.weight is weight, torch.equal(before, weight.detach().cpu())]
    anew.append(weight.requires_grad)
    return {
        "anew": anew,
        "place": model.fc1.weight.device,
        "rest": [model.fc1.bias, model.fc2.weight, model.fc2.bias],
    }


@question("init", weights=RULE, groups=equal_as())
def the_seed(kata, draw: Draw):
    sizes, seed = (draw.integer(250, 350), draw.integer(100, 150), 0.3, 4), draw.integer(0, 10**6)
    models = []
    for number in (seed, seed, seed + draw.integer(1, 99), 0, 0):
        models.append(kata.seeded(number, *sizes))
        torch.rand(3)  # somebody else draws in between
    one, again, other, zero, too = (dict(model.named_parameters()) for model in models)
    groups = {name: [some[name] for some in (one, again, other)] for name in one}
    groups |= {f"{name} of 0": [zero[name], too[name]] for name in zero}
    moved = [weight.device for weight in models[2].to(draw.device).parameters()]
    return {
        "groups": groups,
        "new": [one[name] is not again[name] for name in one],
        "weights": [one["fc1.weight"].detach()],
        "made of": structure.plain(models[0], "fc1", "dropout", "fc2"),
        "moved": moved,
    }


@question(
    "depth",
    times=2,
    found=within(0.12, "at most", grown, "the signal's growth is off, in parts of what is right"),
    calls=equal_as(),
)
def size_of_a_signal(kata, draw: Draw):
    width = draw.integer(250, 350)
    # small rows and large ones, so that the deviation of all is not the mean of theirs
    x = draw.normal(200, width) * torch.tensor([0.2, 1.8]).repeat_interleave(100)[:, None]
    std, found, rows = draw.choice([0.02, (2 / width) ** 0.5, 2.0]), {}, x.square().mean(dim=1)
    share = float(rows.mean() / 2 - rows.sqrt().mean() ** 2 / (2 * torch.pi)) ** 0.5
    draw.hidden("first", lambda: share * std * width**0.5)
    draw.hidden("growth", lambda: std * (width / 2) ** 0.5)
    with training_steps.untouched(found, x=x):
        sizes = kata.deviations(x, std, layers=draw.integer(8, 11))
    kinds = [type(sizes).__name__, len(sizes), *{type(size).__name__ for size in sizes}]
    found["of one row"] = [size > 0 for size in kata.deviations(x[150:151], std, 2)]
    found["calls"] = [[np.array(kata.deviations(x, std, 1)) for _ in range(2)]]
    return {"found": sizes, "kinds": kinds, "default": len(kata.deviations(x, std)), **found}


@question("depth")
def layers_of_their_own(kata, draw: Draw):
    factors = []
    # layers of one weight: seven runs of eight end in a negative one, and leave nothing
    for _ in range(200):
        first, second, third = kata.deviations(torch.tensor([[0.0], [1.0]]), 1.0, 3)
        factors += [(second / first, third / second)] if third > 0 else []
    unlike = any(abs(one - other) > 1e-3 * one for one, other in factors)
    return {"unlike": unlike, "zeros": kata.deviations(torch.zeros(5, 4), 1.0, 3)}


@question("depth")
def signal_on_another_device(kata, draw: Draw):
    return {"layers": len(kata.deviations(draw.normal(5, 6).to(draw.device), 0.5, layers=3))}


RULE = training_steps.Rule(F.cross_entropy, default=200)
KEEPS = training_steps.keeps(lambda hidden: small(), RULE)


@question("overfit", training=KEEPS)
def gradients(kata, draw: Draw):
    model = draw.weights(small()).eval()
    found = training_steps.looked_at(kata.overfit, model, draw.data(lopsided), draw.integer(3, 6))
    modes = found["training"]["record"]["training"].tolist()
    return {**found, "modes": modes, "afterwards": [part.training for part in model.modules()]}


@question("overfit", training=KEEPS)
def two_hundred_epochs(kata, draw: Draw):
    return training_steps.looked_at(kata.overfit, draw.weights(small()), draw.data(lopsided))


@question("overfit")
def all_epochs(kata, draw: Draw):
    return training_steps.every_epoch(kata.overfit)


# Some nonsense is harder to learn than other; over five of them the mark parts as in the tests,
# where it is always the same.
@question("overfit", seconds=90, trained=reaches("k18.overfit.accuracy", learned))
def nonsense_by_heart(kata, draw: Draw):
    trained, data = [], draw.made(lambda random: [nonsense(random)[0] for _ in range(5)])
    draw.hidden("data", lambda: data)
    for features, labels in data:
        model = large()
        kata.overfit(model, features, labels)
        trained.append(training_steps.trained(model))
    return {"trained": trained}


@question("overfit")
def training_on_another_device(kata, draw: Draw):
    features, labels = (part.to(draw.device) for part in draw.data(nonsense))
    model, found = draw.weights(small()).to(draw.device), {}
    with training_steps.untouched(found, features=features, labels=labels):
        losses = kata.overfit(model, features, labels, epochs=2)
    found["afterwards"] = model.training
    return {
        "epochs": len(losses),
        "places": [weight.device for weight in model.parameters()],
        **found,
    }
