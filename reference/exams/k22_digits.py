"""Questions on k22: the same asking code runs on the submission, confined, and on the reference."""

import contextlib
import math
from collections.abc import Callable, Iterator
from itertools import chain, pairwise

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim.optimizer import register_optimizer_step_pre_hook

from dojo.exam import Draw, equal_as, every, live, passes, question, training_steps, within

SHARES = np.array([0.5, 0.2, 0.3])


def classes_in_a_row(random: np.random.Generator):
    """Sorted labels; each class has a multiple of 10 rows, so that all shares are whole numbers."""
    counts = 10 * random.permutation([12, 25, 40, int(random.integers(50, 70))])
    labels = np.repeat(np.arange(4), counts)
    return torch.tensor(labels), {"labels": labels}


def mixed_classes(random: np.random.Generator):
    """The same in random order."""
    labels = random.permutation(classes_in_a_row(random)[1]["labels"])
    return torch.tensor(labels), {"labels": labels}


def misplaced(answer, right, hidden) -> float:
    rows = np.sort(answer["rows"].data)
    return float((rows != np.arange(len(rows))).sum())


def off(answer, right, hidden) -> float:
    """The rows of a class by which a part is too large or too small, the most."""
    labels = hidden["labels"].data
    parts = np.split(labels[answer["rows"].data], np.cumsum(answer["sizes"])[:-1])
    counts = [np.bincount(part, minlength=4) for part in parts]
    return float(np.abs(counts - np.outer(SHARES, np.bincount(labels))).max())


def changes(answer, right, hidden) -> float:
    """How often the class changes along a part, the least."""
    labels = hidden["labels"].data
    parts = np.split(labels[answer["rows"].data], np.cumsum(answer["sizes"])[:-1])
    return float(min((np.diff(part) != 0).sum() for part in parts))


IS_SPLIT = every(
    within(0, "at most", misplaced, "rows lost or twice"),
    within(2, "at most", off, "rows of a class too many or too few in a part"),
    within(20, "at least", changes, "changes of the class along a part"),
)


def dealt_out(kata, draw: Draw, labels: Tensor):
    seed, found = draw.seed(), {}
    with training_steps.untouched(found, labels=labels):
        parts, again, other = (kata.split(labels, one) for one in (seed, seed, seed + 1))
    zero, default = kata.split(labels, 0), kata.split(labels)
    found["groups"] = [list(group) for group in zip(parts, again, other, strict=True)]
    found["groups"] += [list(pair) for pair in zip(zero, default, strict=True)]
    rows = {"rows": torch.cat(list(parts)), "sizes": [len(part) for part in parts]}
    return {"parts": rows, "kinds": [str(part.dtype) for part in parts], **found}


@question("split", times=4, parts=IS_SPLIT, groups=equal_as())
def three_parts(kata, draw: Draw):
    return dealt_out(kata, draw, draw.data(classes_in_a_row))


@question("split", times=2, parts=IS_SPLIT, groups=equal_as())
def rows_in_any_order(kata, draw: Draw):
    return dealt_out(kata, draw, draw.data(mixed_classes))


@question("scale", times=2)
def scaled_parts(kata, draw: Draw):
    middle, spread = draw.uniform(-3, 9, 40), draw.uniform(0.5, 4, 40)
    parts = [
        middle + spread * draw.normal(n, 40) + shift for n, shift in ((200, 0), (50, 2), (7, -3))
    ]
    found = {}
    with training_steps.untouched(found, **{f"part {n}": part for n, part in enumerate(parts)}):
        found["parts"] = list(kata.scale(*parts))
        found["alone"] = list(kata.scale(parts[0]))
        found["others"] = list(kata.scale(parts[0], parts[2], parts[1], parts[2]))
    found["there"] = [part.device for part in kata.scale(*(part.to(draw.device) for part in parts))]
    return found


def two_faces(random: np.random.Generator):
    """Patterns of four classes, each a picture or its negative, blurred: no linear model tells them
    apart.
    """
    pictures = random.choice([-1.0, 1.0], (4, 30))

    def blurred(rows: int) -> tuple[Tensor, Tensor]:
        labels = random.permutation(np.arange(rows) % 4)
        x = pictures[labels] * random.choice([-1, 1], (rows, 1)) + random.normal(0, 0.5, (rows, 30))
        return torch.tensor(x, dtype=torch.float32), torch.tensor(labels)

    (x, y), (new, right) = blurred(600), blurred(500)
    return (x, y, new), {"right": right}


def share(answer, right, hidden) -> float:
    return float((answer.data.argmax(axis=1) == hidden["right"].data).mean())


@question(
    "model", scores=within(0.8, "at least", share, "the share of new patterns answered right")
)
def patterns(kata, draw: Draw):
    """What no linear model learns, in a training of our own."""
    x, y, new = draw.data(two_faces)
    model = kata.make_model(30, 4)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(200):
        optimizer.zero_grad()
        F.cross_entropy(model.train()(x), y).backward()
        optimizer.step()
    with torch.no_grad():
        return {"scores": model.eval()(new)}


def ends_raw(model: nn.Module, x: Tensor) -> bool:
    """There are parameters with which the scores rise evenly, however far they go."""
    before = model(x).detach()
    far = 100 + float(before.abs().max())
    for module in model.modules():
        for value in module.parameters(recurse=False):
            kept, step, scores = value.detach().clone(), far * torch.randn_like(value), []
            for sign in (1, -1, 0):
                with torch.no_grad():
                    value.copy_(kept + sign * step)
                scores.append(model(x).detach())
            moved = (scores[0] - before).abs().max()
            is_even = (scores[0] + scores[1] - 2 * before).abs().max() < 1e-3 * moved
            if is_even and not isinstance(module, nn.PReLU):
                return True
    return False


@question("model", times=2)
def new_models(kata, draw: Draw):
    features, classes = draw.integer(3, 40), draw.integer(2, 12)
    one, other = kata.make_model(features, classes), kata.make_model(features, classes)
    x = 100 * draw.normal(200, features)
    scores = one.eval()(x)
    F.cross_entropy(scores, draw.classes(200, classes)).backward()
    values = scores.detach()
    low, high = float(values.min()), float(values.max())
    twins = list(zip(one.parameters(), other.parameters(), strict=True))
    return {
        "scores": [scores.shape, scores.requires_grad, isinstance(one, nn.Module)],
        "single row": one(x[:1]).shape,
        "raw": ends_raw(one, x),
        "ends": [
            bool((values.sum(dim=1) - 1).abs().max() < 1e-2),
            bool((values.exp().sum(dim=1) - 1).abs().max() < 1e-2),
            low >= 0 and 0.99 < high <= 1,
            -1 <= low < -0.99 and 0.99 < high <= 1,
            low == 0,
        ],
        "shared": any(value is twin for value, twin in twins),
        "equal": any(torch.equal(value, twin) for value, twin in twins if value.ndim > 1),
        "unreached": sum(value.grad is None for value in one.parameters()),
        "places": sorted({value.device.type for value in one.parameters()}),
    }


@question("model")
def model_on_another_device(kata, draw: Draw):
    model, x = kata.make_model(6, 3).to(draw.device), draw.normal(7, 6).to(draw.device)
    return {"places": [model.train(mode)(x).device for mode in (True, False)]}


def numbered(draw: Draw, rows: int, first: int = 0) -> tuple[Tensor, Tensor]:
    """Rows of five numbers, the first of which tells the row's own number, and three classes."""
    x = draw.normal(rows, 5)
    x[:, 0] = torch.arange(first, first + rows) / 100
    return x, draw.classes(rows, 3)


@contextlib.contextmanager
def passing(model: nn.Module) -> Iterator[list]:
    """The rows of each pass, the mode, and whether gradients could and did flow back."""
    seen: list = []

    def passed(module: nn.Module, given: Tensor, output: Tensor) -> None:
        rows = (given[:, 0] * 100).round().long().tolist()
        seen.append(one := [rows, module.training, output.requires_grad, False, output.detach()])
        if output.requires_grad:
            output.register_hook(lambda gradient: one.__setitem__(3, True))

    with passes.shown(model, passed):
        yield seen


@contextlib.contextmanager
def steppers() -> Iterator[list]:
    """The optimizer of each step."""
    seen: list = []
    handle = register_optimizer_step_pre_hook(lambda optimizer, *_: seen.append(optimizer))
    try:
        yield seen
    finally:
        handle.remove()


RATES = (0.0, 0.3)  # without steps, and with them


def given_by(epoch) -> tuple[dict[int, Tensor], Tensor]:
    """What the model gave for each row of an epoch, in their order; and all of that."""
    outputs = torch.cat([torch.empty(0, 3), *live(epoch["outputs"])])
    return dict(zip(chain(*epoch["batches"]), outputs, strict=True)), outputs


def is_an_epoch(answer, right, hidden) -> str:
    """A comparison of epochs over the same rows: batches as large as the reference's, of all rows,
    in new orders, and the loss that is their mean. Without steps each row gives what it gives in
    the reference's.
    """
    if answer["rows"] != right["rows"]:
        return "there are other rows"
    labels = torch.from_numpy(hidden[f"labels of {right['rows']}"].data)
    orders, given = [], []
    for rate, twin in zip(answer["epochs"], right["epochs"], strict=True):
        if [len(rows) for rows in rate["batches"]] != [len(rows) for rows in twin["batches"]]:
            return "the batches have other sizes"
        of_rows, outputs = given_by(rate)
        order = list(of_rows)
        if len(order) < len(outputs) or not set(order) <= set(range(len(labels))):
            return "a row is in two batches"
        mean = float(F.cross_entropy(outputs, labels[order])) if order else 0.0
        if type(rate["loss"]) is not float or not abs(rate["loss"] - mean) < 1e-4:
            return "the loss is not the mean over the rows"
        orders.append(order)
        given.append(of_rows)
    known, _ = given_by(right["epochs"][0])
    if any(
        not torch.allclose(given[0].get(row, one), one, atol=1e-4) for row, one in known.items()
    ):
        return "the model gives something else"
    neighbours = [sum(b == a + 1 for a, b in pairwise(order)) for order in orders]
    is_new = orders[0] != orders[1] and max(neighbours) < len(labels) / 2
    few = len(labels) < 20  # these may come in any order by chance
    return "" if is_new or few else "the rows are not in a new order"


EPOCHS = dict.fromkeys(("some left", "one left", "none left", "less than a batch"), is_an_epoch)


@question("epoch", times=2, **EPOCHS)
def an_epoch(kata, draw: Draw):
    """Its batches and its loss, without and with steps."""
    size, lots, found = draw.integer(7, 20), draw.integer(3, 6), {}
    left = {"some left": draw.integer(2, size - 1), "one left": 1, "none left": 0}
    rows = {name: size * lots + more for name, more in left.items()}
    kept = []
    for name, count in (rows | {"less than a batch": size - 2}).items():
        found[name], more = epochs_of(kata, draw, count, size)
        kept.append(more)
    return {**found, "kept": kept}


def epochs_of(kata, draw: Draw, rows: int, size: int):
    """Epochs with each rate; and what has to be as it was."""
    x, y = numbered(draw, rows)
    draw.hidden(f"labels of {rows}", lambda: y)
    epochs, kept = [], {}
    for rate in RATES:
        model = draw.weights(nn.Linear(5, 3)).eval()
        optimizer = torch.optim.SGD(model.parameters(), lr=rate)
        with (
            training_steps.untouched(kept, features=x, labels=y),
            passing(model) as seen,
            steppers() as used,
        ):
            loss = kata.train_epoch(model, optimizer, x, y, batch_size=size)
        learned = [one for one in seen if one[3]]
        epochs.append(
            {"batches": [one[0] for one in learned], "outputs": [one[4] for one in learned]}
            | {"loss": loss}
        )
        kept[f"rate {rate}"] = [all(one[1] for one in seen), [one is optimizer for one in used]]
    return {"rows": rows, "epochs": epochs}, kept


@question("epoch")
def batches_by_default(kata, draw: Draw):
    (x, y), model = numbered(draw, draw.integer(130, 190)), draw.weights(nn.Linear(5, 3))
    with passing(model) as seen:
        kata.train_epoch(model, torch.optim.SGD(model.parameters(), lr=0.1), x, y)
    return {"sizes": [len(one[0]) for one in seen if one[3]]}


def few(random: np.random.Generator):
    x = torch.tensor(random.standard_normal((90, 5)), dtype=torch.float32)
    y = torch.tensor(random.permutation(np.arange(90) % 3))
    more = torch.tensor(random.standard_normal((30, 5)), dtype=torch.float32)
    return (x, y, more, torch.arange(30) % 3), {"features": x, "labels": y}


FOLLOWED = training_steps.follow(lambda hidden: nn.Linear(5, 3), F.cross_entropy)


@question("epoch", steps=FOLLOWED)
def steps_of_an_epoch(kata, draw: Draw):
    (x, y, *_), model = draw.data(few), draw.weights(nn.Linear(5, 3))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.3)
    _, steps = training_steps.watch(
        lambda: kata.train_epoch(model, optimizer, x, y, batch_size=20), model
    )
    return {"steps": steps}


def with_dropout() -> nn.Module:
    return nn.Sequential(nn.Linear(5, 9), nn.BatchNorm1d(9), nn.Dropout(0.5), nn.Linear(9, 3))


@question("epoch", times=2)
def measured(kata, draw: Draw):
    x, y = numbered(draw, draw.integer(70, 140))
    model, found = draw.weights(with_dropout()), {}
    before = {name: one.clone() for name, one in model.state_dict().items()}
    with passing(model) as seen, training_steps.untouched(found, features=x, labels=y):
        loss = kata.evaluate(model, x, y)
    is_on = torch.is_grad_enabled()
    torch.set_grad_enabled(True)
    now = model.state_dict()
    return {
        "loss": loss,
        "modes": any(one[1] for one in seen),
        "recorded": any(one[2] for one in seen),
        "autograd": is_on,
        "kept": [bool(torch.equal(one, now[name])) for name, one in before.items()],
        "gradients": [one.grad is not None for one in model.parameters()],
        "learning": [one.requires_grad for one in model.parameters()],
        "single row": kata.evaluate(model, x[:1], y[:1]),
        **found,
    }


@question("epoch")
def epoch_on_another_device(kata, draw: Draw):
    model, found = draw.weights(nn.Linear(5, 3)).to(draw.device), {}
    x, y = (part.to(draw.device) for part in numbered(draw, 50))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with training_steps.untouched(found, features=x, labels=y):
        kata.train_epoch(model, optimizer, x, y, batch_size=20)
        kata.evaluate(model, x, y)
    return {"places": [one.device for one in model.parameters()], **found}


class Scripted(nn.Module):
    """Its loss of validation rows, whose first number is below 0, is what the script says."""

    def __init__(self, script: list[float]) -> None:
        super().__init__()
        self.norm, self.linear = nn.BatchNorm1d(4), nn.Linear(4, 3)
        self.script, self.states, self.is_new = script, [], False

    def forward(self, x: Tensor) -> Tensor:
        if x[0, 0] >= 0:
            self.is_new = True
            return self.linear(self.norm(x[:, 1:]))
        if self.is_new:
            self.states.append({name: one.clone() for name, one in self.state_dict().items()})
            self.is_new = False
        loss = self.script[min(max(len(self.states), 1), len(self.script)) - 1]
        margin = math.log(2 / (math.exp(loss) - 1))
        return margin * F.one_hot(x[:, 1].long(), 3) + 0 * self.linear(x[:, 1:])


def script(random: np.random.Generator) -> tuple[int, list[float]]:
    """A patience, and validation losses: as many new lows after a single worse loss each, then one
    after too few worse ones, and none after enough, of which the last equals the lowest.
    """
    patience, low = int(random.integers(2, 5)), float(random.uniform(1.6, 1.9))
    losses = [low]
    for worse in [1] * patience + [patience - 1]:
        losses += [low + 0.05 * (worse - n) + 0.02 for n in range(worse)]
        low -= float(random.uniform(0.08, 0.15))
        losses.append(low)
    losses += [low + 0.01 * (patience - 1 - n) for n in range(patience)]
    rises = [low + 0.05 * (1 + n) for n in range(patience + 4)]
    return patience, [*losses, rises[1], rises[0], *rises[2:]]


def kept(model: Scripted) -> list[bool]:
    """Whether the model is as it was after each epoch."""
    now = model.state_dict()
    return [
        all(bool(torch.allclose(now[name].float(), one.float())) for name, one in state.items())
        for state in model.states
    ]


def run_script(kata, draw: Draw, losses: list[float], **limits: int) -> dict[str, object]:
    model = Scripted(losses)
    (x, y), (x_val, y_val) = numbered(draw, 50), numbered(draw, 30, first=-40)
    x_val[:, 1] = y_val.float()
    train_losses, val_losses = kata.train(model, x, y, x_val, y_val, batch_size=20, **limits)
    kinds = sorted({type(one).__name__ for one in (*train_losses, *val_losses)})
    return {
        "made": [len(train_losses), len(val_losses), kinds],
        "losses": val_losses,
        "kept": kept(model),
    }


@question("train", times=4)
def when_it_ends(kata, draw: Draw):
    patience, losses = draw.made(script)
    falling = [1 - 0.1 * n for n in range(6)]
    return {
        "early": run_script(kata, draw, losses, patience=patience, epochs=len(losses)),
        "at once": run_script(kata, draw, losses, patience=1, epochs=len(losses)),
        "late": run_script(kata, draw, falling, patience=3, epochs=draw.integer(2, 6)),
        "best": run_script(kata, draw, [0.9, 0.8, 0.5, 0.7, 0.5, 0.6], patience=6, epochs=6),
        "first": run_script(kata, draw, [0.5, 0.6, 0.7], patience=3, epochs=3),
        "a little": run_script(kata, draw, [0.9, 0.7, 0.69995, 0.8], patience=4, epochs=4),
        "far above": run_script(kata, draw, [300.0, 250.0, 200.0, 260.0], patience=2, epochs=4),
    }


@question("train")
def limits_by_default(kata, draw: Draw):
    """With no more than the data it ends by itself, once late and once early."""
    falling, found = [1 - 0.02 * n for n in range(45)], {}
    for name, script in (("late", falling), ("early", [0.1, *falling])):
        model, (x, y), (x_val, y_val) = (
            Scripted(script),
            numbered(draw, 100),
            numbered(draw, 30, first=-40),
        )
        x_val[:, 1] = y_val.float()
        with passing(model) as seen:
            made = [len(losses) for losses in kata.train(model, x, y, x_val, y_val)]
        found[name] = [made, [len(one[0]) for one in seen if one[3]][:2]]
    return found


@question("train", steps=FOLLOWED)
def a_training(kata, draw: Draw):
    x, y, x_val, y_val = draw.data(few)
    model, found = draw.weights(nn.Linear(5, 3)), {}
    with (
        training_steps.untouched(found, x=x, y=y, x_val=x_val, y_val=y_val),
        steppers() as used,
    ):
        _, steps = training_steps.watch(
            lambda: kata.train(model, x, y, x_val, y_val, epochs=3, patience=3, batch_size=20),
            model,
        )
    own = {id(one) for group in used[0].param_groups for one in group["params"]} if used else set()
    found["optimizers"] = [len({id(one) for one in used}), len(used)]
    found["left out"] = [id(one) not in own for one in model.parameters()]
    return {"steps": steps, **found}


@question("train")
def what_it_learns_from(kata, draw: Draw):
    (x, y), (x_val, y_val) = numbered(draw, 60), numbered(draw, 30, first=-40)
    model = draw.weights(nn.Linear(5, 3))
    with passing(model) as seen:
        train_losses, _ = kata.train(model, x, y, x_val, y_val, epochs=2, batch_size=25)
    known = [one for one in seen if one[0][0] >= 0 and one[3]]
    means = [
        sum(F.cross_entropy(one[4], y[one[0]]).item() * len(one[0]) for one in some) / 60
        for some in (known[:3], known[3:])
    ]
    others = [one for one in seen if one[0][0] < 0]
    orders = [[row for one in some for row in one[0]] for some in (known[:3], known[3:])]
    return {
        "in training": all(one[1] for one in known),
        "shuffled anew": orders[0] != orders[1],
        "sizes": [len(one[0]) for one in known],
        "losses": [abs(one - two) < 1e-4 for one, two in zip(train_losses, means, strict=True)],
        "validated": len(others) > 0,
        "flags": [any(one[place] for one in others) for place in (1, 2, 3)],
    }


def digits(random: np.random.Generator):
    """All digits in a new order, turned upside down or mirrored: half to train on."""
    images, labels = load_digits(return_X_y=True)
    order = random.permutation(len(labels))
    images = images.reshape(-1, 8, 8)[order, :: random.choice([-1, 1]), :: random.choice([-1, 1])]
    x = torch.tensor(images.reshape(-1, 64).copy(), dtype=torch.float32)
    x, y = (x - x[:900].mean()) / x[:900].std(), torch.tensor(labels[order])
    return (x[:900], y[:900], x[900:1260], y[900:1260], x[1260:]), {"right": y[1260:]}


@question(
    "train",
    seconds=60,
    scores=within(0.9, "at least", share, "the share of new digits answered right"),
)
def new_digits(kata, draw: Draw):
    *data, new = draw.data(digits)
    model = nn.Sequential(nn.Linear(64, 100), nn.ReLU(), nn.Linear(100, 10))
    kata.train(model, *data, epochs=40, patience=40)
    with torch.no_grad():
        return {"scores": model.eval()(new)}


def turned_digits(random: np.random.Generator):
    """The suite's cut of the digits, all of them turned or mirrored in the same way: what can be
    reached stays the same.
    """
    images, labels = load_digits(return_X_y=True)
    images = np.rot90(images.reshape(-1, 8, 8), random.integers(4), axes=(1, 2))
    images = images[:, :, :: random.choice([-1, 1])].reshape(-1, 64)
    train, rest = train_test_split(
        np.arange(len(labels)), train_size=0.5, stratify=labels, random_state=12
    )
    val, test = train_test_split(rest, train_size=0.4, stratify=labels[rest], random_state=12)
    x = torch.tensor((images - images[train].mean()) / images[train].std(), dtype=torch.float32)
    y = torch.tensor(labels)
    return (x[train], y[train], x[val], y[val], x[test]), {"right": y[test]}


@question(
    "train",
    seconds=60,
    scores=within(0.95, "at least", share, "the share of turned digits answered right"),
)
def medals(kata, draw: Draw):
    """A little less than gold: another start ends a little higher or lower."""
    *data, new = draw.data(turned_digits)
    model = kata.make_model(64, 10)
    kata.train(model, *data, epochs=40, patience=40)
    with torch.no_grad():
        return {"scores": model.eval()(new)}


@question("train")
def training_on_another_device(kata, draw: Draw):
    data = [part.to(draw.device) for part in (*numbered(draw, 40), *numbered(draw, 20))]
    model, found = draw.weights(nn.Linear(5, 3)).to(draw.device), {}
    names = dict(zip(("x", "y", "x_val", "y_val"), data, strict=True))
    with training_steps.untouched(found, **names):
        made = len(kata.train(model, *data, epochs=2, batch_size=16)[0])
    return {"made": made, "places": [one.device for one in model.parameters()], **found}


def counted(ask: Callable[[Tensor, Tensor, int], Tensor], draw: Draw, classes: int) -> Tensor:
    """One class never occurs, neither as a class nor as an answer."""
    labels, given = draw.classes(60, classes - 1), draw.classes(60, classes - 1)
    lacking = draw.integer(0, classes - 1)
    return ask(labels + (labels >= lacking), given + (given >= lacking), classes)


@question("look", times=2)
def confusion(kata, draw: Draw):
    none, found = torch.zeros(0, dtype=torch.int64), {}
    few, given = draw.classes(20, 3), draw.classes(20, 3)
    with training_steps.untouched(found, labels=few, given=given):
        found["last lacks"] = kata.confusion(few, given, 4)
    labels = draw.classes(9, 3).to(draw.device)
    return found | {
        "table": counted(kata.confusion, draw, draw.integer(3, 12)),
        "nothing": kata.confusion(none, none, 3),
        "there": kata.confusion(labels, labels.flip(0), 3),
    }


@question("look", times=3)
def surest_wrong_answers(kata, draw: Draw):
    classes, found = draw.integer(3, 8), {}
    scores = draw.normal(50, classes, scale=2.0) + draw.normal(50, 1, scale=3.0)
    labels = draw.classes(50, classes)
    with training_steps.untouched(found, scores=scores, labels=labels):
        found["rows"] = kata.most_wrong(scores, labels)
    answers, far = scores.argmax(dim=1), scores + draw.normal(50, 1, scale=300.0)
    found["none"], found["far"] = kata.most_wrong(scores, answers), kata.most_wrong(far, labels)
    answers[draw.integer(0, 49)] += 1
    found["one"] = kata.most_wrong(scores, answers % classes)
    found["there"] = kata.most_wrong(scores.to(draw.device), labels.to(draw.device))
    return found
