"""k19: a network from sizes, settings and parts by name, batches in order, training, accuracy."""

from functools import partial
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from katas.given.data import product_arrays, quadrants_arrays, xor_arrays
from tests.support import calls, expect, formula, placement, refused, training

ACTIVATIONS = {
    "relu": F.relu,
    "tanh": F.tanh,
    "sigmoid": F.sigmoid,
    "linear": lambda z: z,
    "softmax": lambda z: F.softmax(z, 1),
}
PAIRS = [("relu", "linear"), ("tanh", "sigmoid"), ("sigmoid", "softmax")]
LOSSES = {
    "regression": F.mse_loss,
    "binary": F.binary_cross_entropy_with_logits,
    "multiclass": F.cross_entropy,
}
NO_MEAN = {
    "sum": "this is the sum over the examples: the loss is their mean",
    "none": "this is a loss for each example: take the mean over the examples",
}
MEAN = "the second argument of normal_ is the mean: name the other, std=1 / layer.in_features"
OPTIMIZERS = {  # name, class, and a setting that only this one or not all of them have
    "sgd": ("SGD", {"momentum": 0.8}),
    "adam": ("Adam", {"betas": (0.7, 0.9)}),
    "rmsprop": ("RMSprop", {"alpha": 0.7}),
    "adagrad": ("Adagrad", {"lr_decay": 0.1}),
}
LAST = {"regression": "linear", "binary": "sigmoid", "multiclass": "softmax"}
PROBLEMS = {  # data, kind, sizes, last activation, epochs
    "prod": (product_arrays, "regression", [2, 16, 1], "linear", 12),
    "xor": (xor_arrays, "binary", [2, 16, 1], "sigmoid", 20),
    "quadrants": (quadrants_arrays, "multiclass", [2, 16, 4], "softmax", 8),
}


@pytest.mark.task("network")
class TestNetwork:
    @pytest.mark.parametrize(
        ("kind", "dims", "last"), [(case[1], *case[2:4]) for case in PROBLEMS.values()]
    )
    def test_settings_follow_from_the_kind(self, kata, kind, dims, last):
        dims, hidden = [2, 16, 5, 9, dims[-1]], [16, 5, 9]
        text = f"{'-'.join(map(str, dims))} {last}"
        seen = kata.settings_for(kind, hidden, 4)
        expect.that(
            hidden == [16, 5, 9],
            "The list of the hidden sizes changed.",
            seen=hidden,
            expected=[16, 5, 9],
            likely="+=, insert and append change the list that came: make a new one, "
            "[2, *hidden, ...]",
        )
        one_each = "only multiclass has an output for each class: the others have one"
        causes = {
            "a hidden size is missing: *hidden takes all": (
                ([2, 16, 9, dims[-1]], last, f"2-16-9-{dims[-1]} {last}")
            ),
            one_each: ([2, 16, 5, 9, 4], last, f"2-16-5-9-4 {last}"),
            "the two inputs are missing at the start of the sizes": (dims[1:], last, text[2:]),
            "the text has no brackets or commas: join the sizes with '-'": (
                (dims, last, f"{dims} {last}")
            ),
        }
        for other in set(LAST.values()) - {last}:
            cause = f"the last activation is {last!r} for this kind: the lesson's table says it"
            causes[f"{cause}{' ' * len(causes)}"] = (dims, other, text.replace(last, other))
        what = f"settings_for({kind!r}, {hidden}, 4)"
        expect.equal(seen, (dims, last, text), what=what, causes=causes)

    @pytest.mark.parametrize("dims", [[2, 3, 5, 6], [4, 1]], ids=str)
    def test_torch_finds_a_weight_and_a_bias_for_each_layer(self, kata, dims):
        model, right = kata.FCNN(dims, "relu", "linear"), []
        for inputs, outputs in pairwise(dims):
            right += [(outputs, inputs), (outputs,)]
        seen = [tuple(parameter.shape) for parameter in model.parameters()]
        likely = "make an nn.Linear of each size and the next one, in the order of dims"
        if not seen:
            likely = "a plain list hides its layers from torch: put them into an nn.ModuleList"
        elif seen[::2] == [shape[::-1] for shape in right[::2]]:
            likely = "the sizes are swapped: nn.Linear(inputs, outputs)"
        elif seen == right[::2]:
            likely = "the biases are missing: leave bias=False out"
        headline = f"FCNN({dims}, ...) has the wrong parameters."
        expect.that(seen == right, headline, seen=seen, expected=right, likely=likely)

    def test_starts_from_small_normal_random_numbers(self, kata):
        parameters = list(kata.FCNN([300, 1000, 400], "relu", "linear").parameters())
        for number, value in enumerate(parameters):
            d_in, d_out = parameters[number // 2 * 2].shape[::-1]
            causes = {
                "these are torch's own numbers: redraw them with nn.init.normal_(..., std=1 / "
                "layer.in_features)": (d_in / 3) ** 0.5,
                "the standard deviation is 1 / inputs, and not the root of it": d_in**0.5,
                "1 is divided by the layer's outputs, not its inputs": d_in / d_out,
                "these are all zeros": 0.0,
                "1 is divided by the network's inputs, not the layer's": d_in / 300,
                "these are uniform numbers: draw normal ones": (1 / 3) ** 0.5,
            }
            name = f"layer {number // 2 + 1}'s {('weight', 'bias')[number % 2]}"
            what = f"The standard deviation of {name}, times its {d_in} inputs"
            seen = d_in * value.detach().square().mean().sqrt()
            if abs(seen / d_in - 1) < 0.02:
                shifted = next(kata.FCNN([1, 999, 1], "relu", "linear").parameters()).mean() > 0.5
                causes = {MEAN if shifted else "the factor 1 / inputs is missing": seen}
            expect.close(seen, 1.0, what=what, causes=causes, atol=0.25)
        first, second = (next(kata.FCNN([2, 1], "relu", "linear").parameters()) for _ in "ab")
        expect.that(
            not torch.equal(first, second),
            "Two networks start from the same numbers.",
            seen=first.tolist(),
            expected="other numbers in each network",
            likely=expect.told("a seed is set in the network: leave that to its caller"),
        )

    @pytest.mark.parametrize("n", [11, 1])
    @pytest.mark.parametrize(("name", "last"), PAIRS)
    def test_gives_the_pair_of_the_formula(self, kata, name, last, n):
        outputs = 1 if last == "sigmoid" else 3
        model, x = kata.FCNN([2, 9, 7, outputs], name, last), torch.randn(n, 2)
        w1, b1, w2, b2, w3, b3 = (nn.init.normal_(parameter) for parameter in model.parameters())
        act, end = ACTIVATIONS[name], ACTIVATIONS[last]
        z = act(act(x @ w1.T + b1) @ w2.T + b2) @ w3.T + b3
        flat = ((x @ w1.T + b1) @ w2.T + b2) @ w3.T + b3
        with expect.untouched("The input", x):
            pair = model(x)
        expect.that(
            isinstance(pair, tuple) and len(pair) == 2,
            "forward does not return a pair.",
            seen=expect.describe(pair),
            expected="(y_pred, z_pred)",
            likely="return y_pred, z_pred",
        )
        causes = {
            "z_pred is the last layer's result before its activation, and here both are y_pred": (
                (end(z), end(z))
            ),
            "the last activation is not applied: both are z_pred": (z, z),
            "the pair is swapped: y_pred comes first": (z, end(z)),
            f"{name} is not applied between the layers": (end(flat), flat),
            f"{name} is applied after the last layer too": (end(act(z)), act(z)),
            "softmax goes along each row: dim=1": (F.softmax(z, dim=0), z),
        }
        for other in {"relu", "tanh", "sigmoid"} - {name}:
            f = ACTIVATIONS[other]
            y = f(f(x @ w1.T + b1) @ w2.T + b2) @ w3.T + b3
            causes[f"{other} is between the layers, and {name} belongs there"] = (end(y), y)
        causes = {cause: torch.stack(wrong) for cause, wrong in causes.items()}
        for part, what in zip(pair, ("y_pred", "z_pred"), strict=True):
            dropped = (
                "squeeze() drops dimensions of size 1: a single row, or a single column, stays"
            )
            wrong = {f"{dropped}{' ' * k}": one for k, one in enumerate([(n,), (outputs,), ()])}
            expect.shape(part, (n, outputs), what, causes=wrong)
        what = "y_pred and z_pred, one above the other"
        expect.close(torch.stack(pair), torch.stack([end(z), z]), what=what, causes=causes)

    def test_refuses_unknown_activations(self, kata):
        hidden, last = ("relu", "sigmoid", "tanh"), ("linear", "sigmoid", "softmax")
        for name in ("swish", "linear", "softmax"):  # of which two are for the last layer
            refused.check(kata, "FCNN", ([2, 3, 1], name, "linear"), name, hidden)
        for name in ("cubic", "relu", "tanh"):
            refused.check(kata, "FCNN", ([2, 3, 1], "relu", name), name, last)
        refused.check(kata, "settings_for", ("ranking", [3], 2), "ranking", LOSSES)

    @pytest.mark.placement
    def test_follows_its_device(self, kata, device):
        for name, last in PAIRS:
            model, what = kata.FCNN([2, 3, 2], name, last), f"(y_pred, z_pred) of {name} and {last}"
            placement.check(model, torch.randn(4, 2), device=device, what=what)


@pytest.mark.task("loss")
class TestLoss:
    @pytest.mark.parametrize("kind", LOSSES)
    def test_loss_of_the_kind(self, kata, kind):
        draws = {}
        for n, scale in zip([*formula.sizes(2), 1, 9], (1, 1, 1, 1e3), strict=True):
            z, half = scale * torch.rand(n, 3), (torch.arange(n) % 2).float()[:, None]
            pair = [z, torch.arange(n) % 3] if kind == "multiclass" else [z[:, :1], half]
            draws[f"{n} examples" if scale == 1 else "huge z_pred"] = pair
        wrong = {cause: partial(LOSSES[kind], reduction=how) for how, cause in NO_MEAN.items()}
        if kind == "binary":
            takes = "nn.BCELoss takes probabilities: z_pred goes into nn.BCEWithLogitsLoss"
            before = "a sigmoid before nn.BCELoss rounds to 0 or 1: use nn.BCEWithLogitsLoss"
            wrong[takes] = F.binary_cross_entropy
            wrong[before] = lambda z, targets: F.binary_cross_entropy(z.sigmoid(), targets)
            wrong["this is the squared error, for regression only"] = F.mse_loss
        formula.check(kata.loss_for(kind), LOSSES[kind], draws, f"The loss of {kind}", wrong)

    def test_refuses_unknown_kinds(self, kata):
        refused.check(kata, "loss_for", ("ranking",), "ranking", LOSSES)

    def test_two_steps_give_the_loss_of_multiclass(self, kata):
        draws = {}
        for n, scale in zip([*formula.sizes(2), 1, 9], (3, 3, 3, 600), strict=True):
            name = f"{n} examples" if scale == 3 else "large z_pred"
            draws[name] = [scale * torch.randn(n, 4), torch.arange(n) % 4]
        wrong = {cause: partial(F.cross_entropy, reduction=how) for how, cause in NO_MEAN.items()}
        wrong |= {
            "NLLLoss has no logarithm in it: nn.Softmax gives probabilities, nn.LogSoftmax their"
            " logarithms": lambda z, targets: F.nll_loss(z.softmax(1), targets),
            "the first step is missing: nn.LogSoftmax of z_pred": F.nll_loss,
            "the softmax goes along each row: nn.LogSoftmax(dim=1)": (
                lambda z, targets: F.nll_loss(z.log_softmax(0), targets)
            ),
            "the minus is in NLLLoss already": lambda z, targets: -F.cross_entropy(z, targets),
            "a probability of 0 has no logarithm: nn.LogSoftmax goes from z_pred to the logarithms"
            " in one step": lambda z, targets: F.nll_loss(z.softmax(1).log(), targets),
        }
        loss, what = kata.log_softmax_loss, "The loss in two steps"
        formula.check(loss, F.cross_entropy, draws, what, wrong)
        likely = "make it from nn.LogSoftmax and nn.NLLLoss"
        calls.check_written_out(lambda: loss(*draws["1 examples"]), ["cross_entropy"], what, likely)

    @pytest.mark.placement
    def test_follows_its_device(self, kata, device):
        z, numbers = torch.randn(4, 3, requires_grad=True), torch.arange(4) % 3
        what = "The loss in two steps"
        placement.check(kata.log_softmax_loss, z, numbers, device=device, what=what)
        column = torch.randn(4, 1, requires_grad=True), torch.ones(4, 1)
        for kind in LOSSES:
            pair, what = (z, numbers) if kind == "multiclass" else column, f"The loss of {kind}"
            placement.check(kata.loss_for(kind), *pair, device=device, what=what)


@pytest.mark.task("optimizer")
class TestOptimizer:
    @pytest.mark.parametrize("name", OPTIMIZERS)
    def test_optimizer_of_the_name(self, kata, name):
        weight, right = nn.Linear(2, 1).weight, OPTIMIZERS[name][0]
        optimizer = made(kata, name, [weight])
        seen = type(optimizer).__name__
        likely = "each name has its class in torch.optim, and an instance of it is returned"
        expect.that(seen == right, "The wrong optimizer.", seen=seen, expected=right, likely=likely)
        (group,), plain = optimizer.param_groups, type(optimizer)([weight]).param_groups[0]
        causes = {"this is torch's default: pass lr on": plain["lr"]}
        expect.close(group["lr"], 0.125, what="The learning rate", causes=causes)
        expect.that(
            len(group["params"]) == 1 and group["params"][0] is weight,
            "The optimizer does not hold the parameters that it was given.",
            seen=group["params"],
            expected="those it got",
            likely="pass them on as they are",
        )
        named = ("weight_decay", "momentum", "betas", "alpha", "lr_decay")
        seen = {setting: group[setting] for setting in named if setting in group}
        right = {setting: plain[setting] for setting in named if setting in plain}
        causes = {"a setting that was not named keeps torch's default": seen}
        expect.equal(seen, right, what="The settings that were not named", causes=causes)

    @pytest.mark.parametrize("name", OPTIMIZERS)
    def test_passes_its_settings_on(self, kata, name):
        right = {"weight_decay": 0.25} | OPTIMIZERS[name][1]
        optimizer = made(kata, name, nn.Linear(2, 1).parameters(), **right)
        (group,) = optimizer.param_groups
        lost = [setting for setting, value in right.items() if group[setting] != value]
        likely = "**settings passes each of them on under its own name, whichever came"
        if len(lost) == len(right):
            likely = "the settings are left behind: pass **settings on to the class, next to lr"
        expect.that(
            not lost,
            "The settings do not reach the optimizer.",
            seen={setting: group[setting] for setting in lost},
            expected={setting: right[setting] for setting in lost},
            likely=likely,
        )

    def test_refuses_unknown_names(self, kata):
        for name in ("newton", "adamw"):  # torch has the second one, too
            given = name, nn.Linear(2, 1).parameters(), 0.1
            refused.check(kata, "optimizer_for", given, name, OPTIMIZERS)

    @pytest.mark.placement
    def test_takes_steps_on_any_device(self, kata, device):
        for name in OPTIMIZERS:
            model = nn.Linear(2, 1).to(device)
            before = model.weight.tolist()
            x, what = torch.ones(3, 2, device=device), f"A step of {name!r}"
            placement.same(partial(take_step, kata, name), model, x, device=device, what=what)
            expect.on_device(model.weight, device, what=f"The weight after a step of {name!r}")
            seen = model.weight.tolist()
            expect.that(
                seen != before,
                f"A step of {name!r} changes nothing on {device}.",
                seen=seen,
                expected="another weight",
                likely="it did not get the model's parameters: pass them on as they are",
            )


@pytest.mark.task("batch")
class TestBatch:
    @pytest.mark.parametrize("kind", LOSSES)
    def test_takes_its_rows_as_the_loss_wants_them(self, kata, kind):
        features, targets = quadrants_arrays(points=45)
        causes = {
            "the batch begins at row `number`: it begins at number * size": features[2:12],
            "the batch ends at (number + 1) * size, and not at number + size": features[20:12],
            "these are rows 10 to 19, the batch with number 1: batches are counted from 0": (
                features[10:20]
            ),
            "these are the first rows: the batch begins at number * size": features[:10],
            "these are all of the data: take the rows of the batch": features,
        }
        with expect.untouched("The data", features, targets):
            batch = kata.next_batch(features, targets, kind, number=2, size=10)
        check_batch(batch, features[20:30], targets[20:30], kind, causes)
        first = kata.next_batch(features, targets, kind, size=10)
        causes = {"this is no batch, but all of the data: number 0 is the first one": features}
        check_batch(first, features[:10], targets[:10], kind, causes)

    def test_gives_all_data_without_a_size(self, kata):
        data = xor_arrays(points=7)
        causes = {"without a size `number` has no say: give all of the data": data[0][:0]}
        for number in ([], [2]):
            check_batch(kata.next_batch(*data, "binary", *number), *data, "binary", causes)

    @pytest.mark.placement
    @pytest.mark.parametrize("kind", LOSSES)
    def test_batches_are_made_on_the_cpu(self, kata, kind):
        batch = kata.next_batch(*xor_arrays(points=7), kind)
        for part, what in zip(batch, ("features", "targets"), strict=True):
            expect.on_device(part, torch.device("cpu"), what=f"The {what} of a batch")


@pytest.mark.task("train", needs=("network", "loss", "optimizer", "batch"))
class TestTrain:
    @pytest.mark.parametrize("kind", LOSSES)
    def test_every_step_follows_the_gradient(self, kata, kind):
        for n, size in ((45, 10), (12, 12), (5, 1)):
            training.check_steps(trained(kata, kind, n, epochs=3, batch_size=size))

    @pytest.mark.parametrize("kind", LOSSES)
    def test_loss_is_the_mean_over_the_batches(self, kata, kind):
        for n, size in ((45, 10), (12, 12), (5, 1)):
            training.check_losses(trained(kata, kind, n, epochs=4, batch_size=size))

    @pytest.mark.parametrize("name", OPTIMIZERS)
    def test_takes_its_steps_with_the_named_optimizer(self, kata, name):
        seen = trained(kata, "binary", 45, epochs=2, batch_size=10, optimizer=name, lr=0.003)
        training.check_steps(seen)
        causes = {
            f"this is {other!r}: optimizer_for(optimizer, ...) makes the one that is named": (
                training.weights_after(seen, OPTIMIZERS[other][0], lr=0.003)
            )
            for other in OPTIMIZERS.keys() - {name}
        }
        right, default = (
            training.weights_after(seen, OPTIMIZERS[name][0], lr=lr) for lr in (0.003, 0.02)
        )
        causes["lr is not used: a learning rate is written into the code"] = default
        what = f"The weights that {name!r} leaves"
        expect.close(seen.record.end, right, what=what, causes=causes)

    def test_has_the_defaults_of_the_stub(self, kata):
        training.check_steps(seen := trained(kata, "regression", 230))
        right = training.weights_after(seen, "Adam", lr=0.02)
        likely = 'optimizer="adam" and lr=0.02 stand in the stub: leave them as they are'
        what, causes = "The weights without further arguments", {likely: seen.record.end}
        expect.close(seen.record.end, right, what=what, causes=causes)

    @pytest.mark.parametrize("problem", PROBLEMS)
    def test_solves_the_problem(self, kata, mark, problem):
        data, kind, dims, last, epochs = PROBLEMS[problem]
        model, (features, targets) = kata.FCNN(dims, "relu", last), data()
        losses = kata.train(model, features, targets, kind, lr=0.05, epochs=epochs)
        z, wanted = model(torch.tensor(features).float())[1].detach(), torch.tensor(targets).float()
        answers = (z > 0).float() if kind == "binary" else z.argmax(dim=1, keepdim=True)
        if kind != "regression":
            expect.reaches(
                mark(f"k19.{problem}.accuracy"), (answers == wanted).float().mean(), history=losses
            )
        loss = LOSSES[kind](z, wanted.long().reshape(-1) if kind == "multiclass" else wanted)
        expect.reaches(mark(f"k19.{problem}.loss"), loss, history=losses)

    @pytest.mark.placement
    def test_takes_batches_to_the_model(self, kata, device):
        data = quadrants_arrays(points=40)
        model = expect.moved(kata.FCNN([2, 6, 4], "relu", "softmax"), device)

        def train(model):
            return kata.train(model, *data, "multiclass", epochs=2, batch_size=10)

        placement.check_training(train, model, [], epochs=2)
        placement.check_sent(model, train, what="The batches", who="train")
        placement.check_number(kata.FCNN([2, 6, 4], "relu", "softmax"), train, what="The batches")


@pytest.mark.task("accuracy", needs=("network", "batch"))
class TestAccuracy:
    def test_counts_probabilities_from_a_half_on(self, kata):
        n = torch.randint(51, 80, ()).item()  # half of them: more than 100 examples
        z = torch.tensor([-2.0, -0.3, 0.0, 0.2, 0.4, 3.0, 1.0, -1.0, 2.0])
        right = torch.tensor([0.0, 1, 1, 1, 1, 1, 0, 0, 1])
        first = accuracy_of(kata, "binary", torch.full((2 * n, 1), 2.0), torch.arange(2 * n) < n)
        causes = {"only the first 100 examples are asked: take all of the data": n / 100}
        causes["this is a percentage: the share runs from 0 to 1"] = 50.0
        expect.close(first, 0.5, "The accuracy of a model that is right on one half", causes=causes)
        share = accuracy_of(kata, "binary", z.reshape(-1, 1), right)
        causes = {
            "0.5 is the threshold for y_pred, the probability: here z_pred is compared": (
                ((z >= 0.5) == right).float().mean()
            ),
            "this is the number of right answers: divide it by the number of examples": 7.0,
            "argmax over one column is always 0: for binary, ask y_pred >= 0.5": 1 / 3,
            "exactly 0.5 counts as 1: y_pred >= 0.5": ((z > 0) == right).float().mean(),
            "answers (n,) and targets (n, 1) were broadcast to (n, n): give both one shape": (
                ((z >= 0) == right[:, None]).float().mean()
            ),
        }
        expect.close(share, 7 / 9, what="The accuracy", causes=causes)

    def test_counts_the_largest_of_each_row(self, kata):
        z = torch.eye(3)[[0, 1, 2, 2, 1, 0, 0]] * 3
        right = torch.tensor([0.0, 1, 2, 1, 1, 0, 1])
        table = z.argmax(dim=1) == right.reshape(-1, 1)
        likely = "answers (n,) and targets (n, 1) were broadcast to (n, n): give both one shape"
        causes = {
            likely: table.float().mean(),
            f"{likely} ": table.sum() / 7,
            "argmax finds the largest of each row, argmin the smallest": 1 / 7,
            "the share is rounded: return it as it is": 0.71,
            "this is the share of wrong answers": 2 / 7,
        }
        expect.close(accuracy_of(kata, "multiclass", z, right), 5 / 7, "The accuracy", causes)

    def test_refuses_a_regression(self, kata):
        model, data = kata.FCNN([2, 1], "relu", "linear"), product_arrays(points=5)
        for kind in ("regression", "ranking"):
            refused.check(kata, "accuracy", (model, *data, kind), kind)

    @pytest.mark.placement
    def test_takes_the_data_to_the_model(self, kata, device):
        z = torch.tensor([-2.0, 0.3, 1.0, 2.0])
        share = accuracy_of(kata, "binary", z.reshape(-1, 1), (z > 0.5).float(), device)
        expect.close(share, 0.75, what=f"The accuracy of a binary model on {device}")
        z, right = torch.eye(3)[[0, 1, 2, 2]], torch.tensor([0.0, 1, 2, 1])
        share = accuracy_of(kata, "multiclass", z, right, device)
        expect.close(share, 0.75, what=f"The accuracy of a multiclass model on {device}")

        def ask(model):
            return kata.accuracy(model, np.zeros((4, 2)), np.zeros((4, 1)), "binary")

        model, what = kata.FCNN([2, 1], "relu", "sigmoid"), "The features"
        placement.check_sent(model, ask, what, who="accuracy")
        placement.check_number(kata.FCNN([2, 1], "relu", "sigmoid"), ask, what)


def trained(kata, kind, n, epochs=0, batch_size=0, **settings):
    """A training on n random points that was looked at."""
    outputs, loss = 3 if kind == "multiclass" else 1, LOSSES[kind]
    of_y_pred = "the loss takes z_pred, the second of the pair: it contains the last activation"
    rule = training.Rule(
        lambda pair, labels: loss(pair[1], labels),
        {of_y_pred: lambda pair, labels: loss(pair[0], labels)} if kind != "regression" else {},
        default=100,
        batch_size=100,
        is_cut=True,
    )
    labels = torch.randn(n, 1) if kind == "regression" else torch.randint(2, (n, 1)).float()
    labels = torch.randint(3, (n,)) if kind == "multiclass" else labels

    def train(model, features, labels, **told):
        data = features.double().numpy(), labels.double().reshape(-1, 1).numpy()
        with expect.untouched("The data", *data):
            return kata.train(model, *data, kind, **settings, **told)

    model = kata.FCNN([2, 6, outputs], "tanh", LAST[kind])
    return training.run(model, train, torch.randn(n, 2), labels, rule, epochs, batch_size)


def made(kata, name, parameters, **settings):
    """The optimizer of this name, with a learning rate of 0.125."""
    try:
        return kata.optimizer_for(name, parameters, 0.125, **settings)
    except (TypeError, KeyError) as error:
        words = f"{type(error).__name__}: {error}"
        if "'dict'" not in words and "'settings'" not in words and words != "KeyError: 0":
            raise
        headline = f"The optimizer {name!r} can't be made."
        likely = expect.told("settings is a dict: pass it on as **settings")
        expect.unmet(headline, seen=words, expected="no error", likely=likely)


def take_step(kata, name, model, x):
    """A step of this optimizer."""
    optimizer = made(kata, name, model.parameters())
    model(x).sum().backward()
    optimizer.step()


def check_batch(batch, features, targets, kind, causes=None):
    """The batch holds these rows, as the loss of the kind wants them. A cause maps to the features
    that its mistake gives.
    """
    inputs, answers = batch
    expect.close(inputs, features, what="The features of the batch", causes=causes)
    expect.dtype(inputs, torch.float32, what="The features of the batch")
    what, flat = f"The targets of {kind}", targets.reshape(-1)
    right, other = (flat, targets) if kind == "multiclass" else (targets, flat)
    likely = (
        "class numbers go into nn.CrossEntropyLoss as a flat (n,), all other targets as a column"
        " (n, 1)"
    )
    expect.shape(answers, right.shape, what=what, causes={likely: other.shape})
    expect.dtype(answers, torch.int64 if kind == "multiclass" else torch.float32, what=what)
    expect.close(answers, right, what=what)


def accuracy_of(kata, kind, z, right, device="cpu"):
    """The accuracy of a network of one layer, made so that its z_pred are these z (n, outputs),
    against the right answers (n,).
    """
    last = "sigmoid" if kind == "binary" else "softmax"
    model = kata.FCNN([z.shape[1], z.shape[1]], "relu", last)
    weight, bias = model.parameters()
    nn.init.eye_(weight)
    nn.init.zeros_(bias)
    data = z.double().numpy(), right.double().numpy().reshape(-1, 1)
    device = torch.device(device)
    with expect.untouched("The data", *data):
        accuracy = placement.same(
            lambda model: kata.accuracy(model, *data, kind),
            model.to(device),
            device=device,
            what="The accuracy",
        )
    expect.that(
        type(accuracy).__name__ == "float",
        "The accuracy is not a plain number.",
        seen=type(accuracy).__name__,
        expected="float",
        likely="item() returns the plain number",
    )
    return accuracy
