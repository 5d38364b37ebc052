"""k19: a network from a list of sizes, its settings and parts by name, batches in order, training,
and right answers.
"""

import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import ModuleType

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim.optimizer import register_optimizer_step_pre_hook

from katas.given.data import product_arrays, quadrants_arrays, xor_arrays
from tests.support import calls, expect, placement, training

LOSSES = {
    "regression": F.mse_loss,
    "binary": F.binary_cross_entropy_with_logits,
    "multiclass": F.cross_entropy,
}
OPTIMIZERS = {  # name, class, and a setting that only this one or not all of them have
    "sgd": ("SGD", {"momentum": 0.8}),
    "adam": ("Adam", {"betas": (0.7, 0.9)}),
    "rmsprop": ("RMSprop", {"alpha": 0.7}),
    "adagrad": ("Adagrad", {"lr_decay": 0.1}),
}
PROBLEMS = {  # data, kind, sizes, last activation, epochs
    "prod": (product_arrays, "regression", [2, 16, 1], "linear", 12),
    "xor": (xor_arrays, "binary", [2, 16, 1], "sigmoid", 20),
    "quadrants": (quadrants_arrays, "multiclass", [2, 16, 4], "softmax", 8),
}
FORGOTTEN = (
    "the loss takes z_pred, the second of the pair: nn.BCEWithLogitsLoss contains the sigmoid"
)


@pytest.mark.task("network")
class TestNetwork:
    @pytest.mark.parametrize(
        ("kind", "dims", "last"), [(case[1], *case[2:4]) for case in PROBLEMS.values()]
    )
    def test_settings_follow_from_the_kind(self, kata, kind, dims, last):
        dims = [2, 16, 5, dims[-1]]
        check_settings_for(
            kata.settings_for, kind, (dims, last, f"{'-'.join(map(str, dims))} {last}")
        )

    @pytest.mark.parametrize("dims", [[2, 3, 5, 6], [4, 1]], ids=str)
    def test_torch_finds_a_weight_and_a_bias_for_each_layer(self, kata, dims):
        check_parameters(kata.FCNN(dims, "relu", "linear"), dims)

    def test_starts_from_small_normal_deviates(self, kata):
        check_start(kata.FCNN([300, 600, 400], "relu", "linear"))

    @pytest.mark.parametrize(
        ("name", "last"), [("relu", "linear"), ("tanh", "sigmoid"), ("sigmoid", "softmax")]
    )
    def test_gives_the_pair_of_the_formula(self, kata, name, last):
        check_pair(kata.FCNN([2, 9, 7, 3], name, last), torch.randn(11, 2), name, last)

    def test_refuses_unknown_activations(self, kata):
        check_refusal(
            lambda: kata.FCNN([2, 3, 1], "swish", "linear"),
            "FCNN",
            "swish",
            ("relu", "sigmoid", "tanh"),
        )
        check_refusal(
            lambda: kata.FCNN([2, 3, 1], "relu", "cubic"),
            "FCNN",
            "cubic",
            ("linear", "sigmoid", "softmax"),
        )
        check_refusal(
            lambda: kata.settings_for("ranking", [3], 2), "settings_for", "ranking", tuple(LOSSES)
        )

    @pytest.mark.placement
    def test_follows_its_device(self, kata, device):
        check_pairs(kata, device)


@pytest.mark.task("loss")
class TestLoss:
    @pytest.mark.parametrize("kind", LOSSES)
    def test_loss_of_the_kind(self, kata, kind):
        z, targets = 0.9 * torch.rand(9, 1) + 0.05, (torch.arange(9) % 2).float().reshape(-1, 1)
        causes = {
            "this is the squared error, for regression only": F.mse_loss(z, targets),
            "nn.BCELoss takes probabilities: z_pred goes into nn.BCEWithLogitsLoss": (
                F.binary_cross_entropy(z, targets)
            ),
        }
        if kind == "multiclass":
            z, targets = torch.randn(9, 3), torch.arange(9) % 3
        right = LOSSES[kind](z, targets)
        causes["this is the sum over the examples: the loss is their mean"] = 9 * right
        expect.close(
            kata.loss_for(kind)(z, targets), right, what=f"The loss of {kind}", causes=causes
        )

    def test_refuses_unknown_kinds(self, kata):
        check_refusal(lambda: kata.loss_for("ranking"), "loss_for", "ranking", tuple(LOSSES))

    def test_two_steps_give_the_loss_of_multiclass(self, kata):
        check_two_steps(kata.log_softmax_loss)

    @pytest.mark.placement
    def test_follows_its_device(self, kata, device):
        check_losses(kata, device)


@pytest.mark.task("optimizer")
class TestOptimizer:
    @pytest.mark.parametrize("name", OPTIMIZERS)
    def test_optimizer_of_the_name(self, kata, name):
        weight, right = nn.Linear(2, 1).weight, OPTIMIZERS[name][0]
        check_optimizer(kata.optimizer_for(name, [weight], 0.125), right, weight, lr=0.125)

    @pytest.mark.parametrize("name", OPTIMIZERS)
    def test_passes_its_settings_on(self, kata, name):
        right = {"weight_decay": 0.25} | OPTIMIZERS[name][1]
        group = kata.optimizer_for(name, nn.Linear(2, 1).parameters(), 0.125, **right).param_groups[
            0
        ]
        check_settings(group, right)

    def test_refuses_unknown_names(self, kata):
        parameters = nn.Linear(2, 1).parameters()
        check_refusal(
            lambda: kata.optimizer_for("newton", parameters, 0.1),
            "optimizer_for",
            "newton",
            tuple(OPTIMIZERS),
        )

    @pytest.mark.placement
    def test_takes_steps_on_any_device(self, kata, device):
        check_steps_on(kata.optimizer_for, OPTIMIZERS, device)


@pytest.mark.task("batch")
class TestBatch:
    @pytest.mark.parametrize("kind", LOSSES)
    def test_takes_its_rows_as_the_loss_wants_them(self, kata, kind):
        features, targets = quadrants_arrays(points=45)
        causes = {
            "the batch begins at row `number`: it begins at number * size": features[2:12],
            "these are rows 10 to 19, the batch with number 1: batches are counted from 0": (
                features[10:20]
            ),
            "these are the first rows: the batch begins at number * size": features[:10],
            "these are all of the data: take the rows of the batch": features,
        }
        with expect.untouched("The data", features, targets):
            batch = kata.next_batch(features, targets, kind, number=2, size=10)
        check_batch(batch, features[20:30], targets[20:30], kind, causes)

    def test_gives_all_data_without_a_size(self, kata):
        features, targets = xor_arrays(points=7)
        check_batch(kata.next_batch(features, targets, "binary"), features, targets, "binary")

    @pytest.mark.placement
    @pytest.mark.parametrize("kind", LOSSES)
    def test_batches_are_made_on_the_cpu(self, kata, kind):
        check_batch_on(kata.next_batch(*xor_arrays(points=7), kind), torch.device("cpu"))


@pytest.mark.task("train", needs="network")
class TestTrain:
    def test_loss_is_the_mean_over_the_batches(self, kata):
        model, (features, targets) = (
            kata.FCNN([2, 6, 1], "relu", "linear"),
            product_arrays(points=45),
        )
        errors = (
            model(torch.tensor(features).float())[1].detach() - torch.tensor(targets)
        ).square()
        parts = errors[:40].reshape(4, 10).mean(dim=1)
        with expect.untouched("The data", features, targets):
            losses = kata.train(
                model, features, targets, "regression", lr=0.0, epochs=3, batch_size=10
            )
        expect.losses(losses, epochs=3)
        causes = {
            "all 45 points count: a batch is number and batch_size, and 5 points are left over": (
                errors.mean()
            ),
            "this is the sum over the batches: divide by their number": parts.sum(),
            "this is the loss of the last batch alone: add up the losses of all of them": parts[-1],
        }
        expect.close(losses[0], parts.mean(), what="The loss of an epoch with lr=0", causes=causes)

    def test_takes_a_step_for_each_batch_with_the_named_optimizer(self, kata):
        model, data = kata.FCNN([2, 6, 1], "relu", "sigmoid"), xor_arrays(points=45)
        settings = {"optimizer": "rmsprop", "lr": 0.003, "epochs": 3, "batch_size": 10}
        check_steps(
            lambda: kata.train(model, *data, "binary", **settings),
            ("RMSprop", 0.003),
            epochs=3,
            batches=4,
        )

    def test_every_step_follows_the_gradient(self, kata):
        features, targets = xor_arrays(points=20)
        model, x, y = (
            kata.FCNN([2, 6, 1], "relu", "sigmoid"),
            torch.tensor(features).float(),
            torch.tensor(targets).float(),
        )
        # three equal batches: any order of them will do
        data = np.tile(features, (3, 1)), np.tile(targets, (3, 1))
        steps = training.watch(
            lambda: kata.train(model, *data, "binary", epochs=2, batch_size=20), model, x, y
        )
        wrong = {FORGOTTEN: lambda pair, y: F.binary_cross_entropy_with_logits(pair[0], y)}
        steps.follow(lambda pair, y: F.binary_cross_entropy_with_logits(pair[1], y), wrong)

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
        check_training(kata, *quadrants_arrays(points=40), device)


@pytest.mark.task("accuracy", needs="network")
class TestAccuracy:
    def test_counts_probabilities_from_a_half_on(self, kata):
        z, right = (
            torch.tensor([-2.0, -0.3, 0.0, 0.2, 0.4, 3.0, 1.0, -1.0]),
            torch.tensor([0.0, 1, 1, 1, 1, 1, 0, 0]),
        )
        share = accuracy_of(kata, "binary", z.reshape(-1, 1), right)
        causes = {
            "a half is the edge for y_pred, the probability: here z_pred is compared": (
                ((z >= 0.5) == right).float().mean()
            ),
            "this is a percentage: the share runs from 0 to 1": 75.0,
            "this is the number of right answers: divide by that of the examples": 6.0,
        }
        expect.close(share, 0.75, what="The accuracy", causes=causes)

    def test_counts_the_largest_of_each_row(self, kata):
        z, right = (
            torch.eye(3)[[0, 1, 2, 2, 1, 0, 0, 0]] * 3,
            torch.tensor([0.0, 1, 2, 1, 1, 0, 2, 0]),
        )
        share = accuracy_of(kata, "multiclass", z, right)
        table = z.argmax(dim=1) == right.reshape(-1, 1)
        likely = "answers (n,) and targets (n, 1) were stretched to (n, n): give both one shape"
        expect.close(
            share,
            0.75,
            what="The accuracy",
            causes={likely: table.float().mean(), f"{likely} ": table.sum() / 8},
        )

    def test_refuses_a_regression(self, kata):
        model, data = kata.FCNN([2, 1], "relu", "linear"), product_arrays(points=5)
        check_refusal(lambda: kata.accuracy(model, *data, "regression"), "accuracy", "regression")

    @pytest.mark.placement
    def test_takes_the_data_to_the_model(self, kata, device):
        check_shares(kata, device)


ACTIVATIONS = {
    "relu": F.relu,
    "tanh": F.tanh,
    "sigmoid": F.sigmoid,
    "linear": lambda z: z,
    "softmax": lambda z: F.softmax(z, 1),
}


def check_settings_for(
    settings_for: Callable[..., object], kind: str, right: tuple[list[int], str, str]
) -> None:
    """Four classes and the hidden sizes 16 and 5 give these sizes, this last activation and this
    text.
    """
    hidden, (dims, last, text) = [16, 5], right
    seen = settings_for(kind, hidden, 4)
    likely = "+= , insert and append change the list that came: make a new one, [2, *hidden, ...]"
    headline = "The list of the hidden sizes changed."
    expect.that(hidden == [16, 5], headline, seen=hidden, expected=[16, 5], likely=likely)
    causes = {
        "only multiclass has an output for each class: the others have one": (
            [2, 16, 5, 4],
            last,
            f"2-16-5-4 {last}",
        ),
        "the two inputs are missing at the start of the sizes": (dims[1:], last, text[2:]),
        "the text holds no brackets or commas: join the sizes with '-'": (
            dims,
            last,
            f"{dims} {last}",
        ),
    }
    expect.equal(seen, right, what=f"settings_for({kind!r}, {hidden}, 4)", causes=causes)


def check_parameters(model: nn.Module, dims: list[int]) -> None:
    """Torch finds a weight and a bias for each layer of these sizes, in order."""
    seen = [tuple(parameter.shape) for parameter in model.parameters()]
    right = [
        shape
        for d_in, d_out in zip(dims[:-1], dims[1:], strict=True)
        for shape in ((d_out, d_in), (d_out,))
    ]
    likely = "make an nn.Linear of each size and the next one, in the order of dims"
    if not seen:
        likely = "a plain list hides its layers from torch: put them into an nn.ModuleList"
    elif seen == [shape[::-1] for shape in right]:
        likely = "the sizes are swapped: nn.Linear(inputs, outputs)"
    expect.that(
        seen == right,
        f"FCNN({dims}, ...) has other parameters.",
        seen=seen,
        expected=right,
        likely=likely,
    )


def check_start(model: nn.Module) -> None:
    """Every weight and bias begins with the standard deviation 1 / inputs of its layer."""
    parameters = list(model.parameters())
    for number, value in enumerate(parameters):
        d_in, d_out = parameters[number // 2 * 2].shape[::-1]
        causes = {
            "this is torch's own start: draw anew with nn.init.normal_(..., std=1 / "
            "layer.in_features)": ((d_in / 3) ** 0.5),
            "the standard deviation is 1 / inputs, and not the root of it": d_in**0.5,
            "1 is divided by the layer's outputs, not its inputs": d_in / d_out,
            "these are all zeros": 0.0,
        }
        name = f"layer {number // 2 + 1}'s {('weight', 'bias')[number % 2]}"
        what = f"The standard deviation of {name}, times its {d_in} inputs"
        expect.close(
            d_in * value.detach().square().mean().sqrt(), 1.0, what=what, causes=causes, atol=0.25
        )


def check_pair(model: nn.Module, x: Tensor, name: str, last: str) -> None:
    """The network of three layers gives (y_pred, z_pred) by the formula, from weights drawn
    anew.
    """
    w1, b1, w2, b2, w3, b3 = (nn.init.normal_(parameter) for parameter in model.parameters())
    act, end = ACTIVATIONS[name], ACTIVATIONS[last]
    z = act(act(x @ w1.T + b1) @ w2.T + b2) @ w3.T + b3
    flat = ((x @ w1.T + b1) @ w2.T + b2) @ w3.T + b3
    causes = {
        "z_pred is the last layer's result before its activation, and here both are y_pred": (
            end(z),
            end(z),
        ),
        "the last activation is not applied: both are z_pred": (z, z),
        "the pair is turned around: y_pred comes first": (z, end(z)),
        f"{name} is not applied between the layers": (end(flat), flat),
        f"{name} is applied after the last layer too": (end(act(z)), act(z)),
        "softmax goes along each row: dim=1": (F.softmax(z, dim=0), z),
    }
    with expect.untouched("The input", x):
        pair = model(x)
    right, likely = isinstance(pair, tuple) and len(pair) == 2, "return y_pred, z_pred"
    expect.that(
        right,
        "forward gives no pair.",
        seen=expect.describe(pair),
        expected="(y_pred, z_pred)",
        likely=likely,
    )
    causes = {cause: torch.stack(wrong) for cause, wrong in causes.items()}
    expect.close(
        torch.stack(pair),
        torch.stack([end(z), z]),
        what="y_pred and z_pred, one upon the other,",
        causes=causes,
    )


def check_two_steps(loss: Callable[[Tensor, Tensor], Tensor]) -> None:
    """The loss of (z_pred, targets) is the cross-entropy, without torch's function of that name."""
    z, targets = 3 * torch.randn(9, 4), torch.arange(9) % 4
    logs, right = F.log_softmax(z, dim=1), F.cross_entropy(z, targets)
    no_logarithm = (
        "NLLLoss has no logarithm in it: nn.Softmax gives probabilities, nn.LogSoftmax their"
        " logarithms"
    )
    causes = {
        no_logarithm: F.nll_loss(logs.exp(), targets),
        "the first step is missing: nn.LogSoftmax of z_pred": F.nll_loss(z, targets),
        "the softmax goes along each row: nn.LogSoftmax(dim=1)": F.nll_loss(
            F.log_softmax(z, dim=0), targets
        ),
        "the minus is in NLLLoss already": -right,
        "this is the sum over the examples: the loss is their mean": 9 * right,
    }
    what = "The loss in two steps"
    expect.close(loss(z, targets), right, what=what, causes=causes)
    calls.check_written_out(
        lambda: loss(z, targets),
        ["cross_entropy"],
        what,
        "make it from nn.LogSoftmax and nn.NLLLoss",
    )
    seen, headline = loss(200 * z, targets), "Large z_pred give no finite loss."
    likely = (
        "a probability of 0 has no logarithm: nn.LogSoftmax goes from z_pred to the logarithms in"
        " one step"
    )
    expect.that(
        seen.isfinite(),
        headline,
        seen=expect.describe(seen),
        expected="a finite number",
        likely=likely,
    )


def check_optimizer(
    optimizer: torch.optim.Optimizer, right: str, weight: nn.Parameter, lr: float
) -> None:
    """The optimizer has the right class, this weight as its only parameter, this learning rate, and
    else torch's settings.
    """
    seen, likely = (
        type(optimizer).__name__,
        "each name has its class in torch.optim, and an instance of it is returned",
    )
    expect.that(seen == right, "Another optimizer.", seen=seen, expected=right, likely=likely)
    (group,), own = optimizer.param_groups, type(optimizer)([weight]).param_groups[0]
    expect.close(
        group["lr"],
        lr,
        what="The learning rate",
        causes={"this is torch's own: pass lr on": own["lr"]},
    )
    kept, likely = (
        len(group["params"]) == 1 and group["params"][0] is weight,
        "pass them on as they are",
    )
    expect.that(
        kept, "Other parameters.", seen=group["params"], expected="those it got", likely=likely
    )
    named = ("weight_decay", "momentum", "betas", "alpha", "lr_decay")
    seen, right = ({name: some[name] for name in named if name in some} for some in (group, own))
    expect.equal(seen, right, what="The settings that were not named")


def check_settings(group: Mapping[str, object], right: Mapping[str, object]) -> None:
    """The optimizer's settings (its param_groups[0]) are those it was asked for."""
    lost = [name for name, value in right.items() if group[name] != value]
    likely = "**settings hands each of them on under its own name, whichever came"
    if len(lost) == len(right):
        likely = "the settings are left behind: hand **settings on to the class, next to lr"
    seen, expected = {name: group[name] for name in lost}, {name: right[name] for name in lost}
    expect.that(
        not lost,
        "Settings do not reach the optimizer.",
        seen=seen,
        expected=expected,
        likely=likely,
    )


def check_steps(
    train: Callable[[], object], right: tuple[str, float], epochs: int, batches: int
) -> None:
    """The training takes a step for each of its batches, with the right optimizer (its class and
    learning rate).
    """
    seen: list[tuple[str, float]] = []
    handle = register_optimizer_step_pre_hook(
        lambda optimizer, *_: seen.append(
            (type(optimizer).__name__, optimizer.param_groups[0]["lr"])
        )
    )
    try:
        train()
    finally:
        handle.remove()
    likely = "an epoch has n // batch_size whole batches, and each has a step of its own"
    headline, steps, expected = (
        f"Other than {batches} steps an epoch.",
        f"{len(seen)} in {epochs} epochs",
        batches * epochs,
    )
    expect.that(
        len(seen) == expected,
        headline,
        seen=steps,
        expected=f"{expected} in {epochs} epochs",
        likely=likely,
    )
    likely = "optimizer_for(optimizer, model.parameters(), lr) makes it from the arguments"
    expect.that(
        set(seen) == {right},
        "Not the optimizer that was named.",
        seen=seen[0],
        expected=right,
        likely=likely,
    )


def check_batch(
    batch: tuple[Tensor, Tensor],
    features: np.ndarray,
    targets: np.ndarray,
    kind: str,
    causes: Mapping[str, np.ndarray] | None = None,
) -> None:
    """The batch holds these rows, as the loss of the kind wants them. A cause maps to the features
    that its mistake gives.
    """
    inputs, wanted = batch
    expect.close(inputs, features, what="The features of the batch", causes=causes)
    expect.dtype(inputs, torch.float32, what="The features of the batch")
    what, flat = f"The targets of {kind}", targets.reshape(-1)
    right, other = (flat, targets) if kind == "multiclass" else (targets, flat)
    likely = (
        "class numbers go into nn.CrossEntropyLoss as a row (n,), all other targets as a column"
        " (n, 1)"
    )
    expect.shape(wanted, right.shape, what=what, causes={likely: other.shape})
    expect.dtype(wanted, torch.int64 if kind == "multiclass" else torch.float32, what=what)
    expect.close(wanted, right, what=what)


def accuracy_of(
    kata: ModuleType, kind: str, z: Tensor, right: Tensor, device: torch.device | str = "cpu"
) -> float:
    """The accuracy of a network of one layer, made so that its z_pred are these z (n, outputs),
    against the right answers.
    """
    model = kata.FCNN(
        [z.shape[1], z.shape[1]], "relu", "sigmoid" if kind == "binary" else "softmax"
    )
    weight, bias = model.parameters()
    nn.init.eye_(weight)
    nn.init.zeros_(bias)
    found = kata.accuracy(
        model.to(device), z.double().numpy(), right.double().numpy().reshape(-1, 1), kind
    )
    seen, likely = type(found).__name__, "item() gives the number"
    expect.that(
        seen == "float",
        "The accuracy is no plain number.",
        seen=seen,
        expected="float",
        likely=likely,
    )
    return found


def check_pairs(kata: ModuleType, device: torch.device) -> None:
    """A network with any activations comes along to the device, and gives its pair there."""
    for name, last in (("relu", "linear"), ("tanh", "sigmoid"), ("sigmoid", "softmax")):
        model = expect.moved(kata.FCNN([2, 3, 2], name, last), device)
        for what, seen in zip(
            ("y_pred", "z_pred"), model(torch.randn(4, 2, device=device)), strict=True
        ):
            expect.on_device(seen, device, what=f"{what} of {name} and {last}")


def check_losses(kata: ModuleType, device: torch.device) -> None:
    """Every loss of z_pred and targets on the device is there, too."""
    z, numbers = torch.randn(4, 3, device=device), torch.arange(4, device=device) % 3
    expect.on_device(kata.log_softmax_loss(z, numbers), device, what="The loss in two steps")
    column = torch.ones(4, 1, device=device)
    for kind, pair in (
        ("regression", (z[:, :1], column)),
        ("binary", (z[:, :1], column)),
        ("multiclass", (z, numbers)),
    ):
        expect.on_device(kata.loss_for(kind)(*pair), device, what=f"The loss of {kind}")


def check_steps_on(
    optimizer_for: Callable[..., torch.optim.Optimizer], names: Iterable[str], device: torch.device
) -> None:
    """Each of these optimizers changes a weight on the device, and leaves it there."""
    for name in names:
        model = nn.Linear(2, 1).to(device)
        before, optimizer = model.weight.tolist(), optimizer_for(name, model.parameters(), 0.1)
        model(torch.ones(3, 2, device=device)).sum().backward()
        optimizer.step()
        expect.on_device(model.weight, device, what=f"The weight after a step of {name!r}")
        likely = (
            "it got other tensors than the model's parameters: pass them on as they are, whichever"
            " device they are on"
        )
        headline, seen = f"A step of {name!r} changes nothing on {device}.", model.weight.tolist()
        expect.that(seen != before, headline, seen=seen, expected="another weight", likely=likely)


def check_batch_on(batch: tuple[Tensor, Tensor], device: torch.device) -> None:
    """Both parts of the batch lie on the device."""
    for part, what in zip(batch, ("features", "targets"), strict=True):
        expect.on_device(part, device, what=f"The {what} of a batch")


def check_training(
    kata: ModuleType, features: np.ndarray, targets: np.ndarray, device: torch.device
) -> None:
    """The training takes every batch of the class numbers 0 to 3 to the model, which stays on the
    device, number and all.
    """
    model = expect.moved(kata.FCNN([2, 6, 4], "relu", "softmax"), device)

    def train(model: nn.Module = model) -> list[float]:
        return kata.train(model, features, targets, "multiclass", epochs=2, batch_size=10)

    placement.check_training(train, model, [], epochs=2)
    check_moved(model, train)
    check_number(kata.FCNN([2, 6, 4], "relu", "softmax"), train, what="The batches")


def check_shares(kata: ModuleType, device: torch.device) -> None:
    """The share of right answers of a model on the device, for both kinds that have one."""
    z = torch.tensor([-2.0, 0.3, 1.0, 2.0])
    share = accuracy_of(kata, "binary", z.reshape(-1, 1), (z > 0.5).float(), device)
    expect.close(share, 0.75, what=f"The accuracy of a binary model on {device}")
    share = accuracy_of(
        kata, "multiclass", torch.eye(3)[[0, 1, 2, 2]], torch.tensor([0.0, 1, 2, 1]), device
    )
    expect.close(share, 0.75, what=f"The accuracy of a multiclass model on {device}")

    def ask(model: nn.Module) -> float:
        return kata.accuracy(model, np.zeros((4, 2)), np.zeros((4, 1)), "binary")

    model = kata.FCNN([2, 1], "relu", "sigmoid")
    check_moved(model, lambda: ask(model))
    check_number(kata.FCNN([2, 1], "relu", "sigmoid"), ask, what="The features")


def check_number(model: nn.Module, call: Callable[[nn.Module], object], what: str) -> None:
    """The call takes its tensors to the GPU of the model, by its number: the model is said to be on
    the second one.
    """
    with placement.Pretended(placement.SECOND_GPU, model) as there:
        call(model)
    there.check(what)


def check_moved(model: nn.Module, call: Callable[[], object]) -> None:
    """The call gives the model its input where the model lies: on the meta device here, which every
    machine has.
    """

    class Seen(Exception):
        """Ends the call: numbers are not to be had on this device."""

    def look(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        expect.on_device(inputs[0], torch.device("meta"), what="The model's input")
        raise Seen

    model.to("meta").register_forward_pre_hook(look)
    with contextlib.suppress(Seen):
        call()


def check_refusal(
    call: Callable[[], object], who: str, name: str, known: Sequence[str] = ()
) -> None:
    """The call raises a ValueError whose message has the name it got and the known ones."""
    likely = "nothing is raised for a name that none of the branches knows"
    try:
        seen = expect.describe(call())
    except ValueError as error:
        if all(word in str(error) for word in (name, *known)):
            return
        seen, likely = (
            f"ValueError: {error}",
            "the message leaves out the name that came, or the known ones",
        )
    except KeyError as error:
        seen, likely = (
            f"KeyError: {error}",
            "a dict raises KeyError for what it does not hold: look first, `if name not in ...`",
        )
    except UnboundLocalError as error:
        seen, likely = (
            f"UnboundLocalError: {error}",
            "no branch fits: an `else` at the end has to raise the ValueError",
        )
    expected = f"ValueError with a message that has {', '.join([repr(name), *known])}"
    expect.unmet(
        f"{who} does not refuse {name!r} clearly.", seen=seen, expected=expected, likely=likely
    )
