"""k19: a network from a list of sizes, its parts by name, batches in order, the training, and the share of right answers."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.optim.optimizer import register_optimizer_step_pre_hook

from katas.given.data import product_arrays, quadrants_arrays, xor_arrays
from tests import expect, refusals, training

ACTIVATIONS = {
    "relu": F.relu,
    "tanh": F.tanh,
    "sigmoid": F.sigmoid,
    "linear": lambda z: z,
    "softmax": lambda z: F.softmax(z, 1),
}
LOSSES = {"regression": F.mse_loss, "binary": F.binary_cross_entropy_with_logits, "multiclass": F.cross_entropy}
OPTIMIZERS = {"sgd": "SGD", "adam": "Adam", "rmsprop": "RMSprop", "adagrad": "Adagrad"}
PROBLEMS = {  # data, kind, sizes, last activation, epochs
    "prod": (product_arrays, "regression", [2, 16, 1], "linear", 12),
    "xor": (xor_arrays, "binary", [2, 16, 1], "sigmoid", 20),
    "quadrants": (quadrants_arrays, "multiclass", [2, 16, 4], "softmax", 8),
}
FORGOTTEN = "the loss takes z_pred, the second of the pair: nn.BCEWithLogitsLoss contains the sigmoid"


@pytest.mark.task("network")
class TestNetwork:
    @pytest.mark.parametrize("dims", [[2, 3, 5, 6], [4, 1]], ids=str)
    def test_torch_finds_a_weight_and_a_bias_for_each_layer(self, kata, dims):
        seen = [tuple(parameter.shape) for parameter in kata.FCNN(dims, "relu", "linear").parameters()]
        right = [shape for d_in, d_out in zip(dims[:-1], dims[1:], strict=True) for shape in ((d_out, d_in), (d_out,))]
        likely = "make an nn.Linear of each size and the next one, in the order of dims"
        if not seen:
            likely = "a plain list hides its layers from torch: put them into an nn.ModuleList"
        elif seen == [shape[::-1] for shape in right]:
            likely = "the sizes are swapped: nn.Linear(inputs, outputs)"
        expect.that(seen == right, f"FCNN({dims}, ...) has other parameters.", seen=seen, expected=right, likely=likely)

    def test_starts_from_small_normal_deviates(self, kata):
        parameters = list(kata.FCNN([300, 600, 400], "relu", "linear").parameters())
        for number, value in enumerate(parameters):
            d_in, d_out = parameters[number // 2 * 2].shape[::-1]
            causes = {
                "this is torch's own start: draw anew with nn.init.normal_(..., std=1 / layer.in_features)": (d_in / 3) ** 0.5,
                "the standard deviation is 1 / inputs, and not the root of it": d_in**0.5,
                "1 is divided by the layer's outputs, not its inputs": d_in / d_out,
                "these are all zeros": 0.0,
            }
            what = (
                f"The standard deviation of layer {number // 2 + 1}'s {('weight', 'bias')[number % 2]}, times its {d_in} inputs"
            )
            expect.close(d_in * value.detach().square().mean().sqrt(), 1.0, what=what, causes=causes, atol=0.25)

    @pytest.mark.parametrize(("name", "last"), [("relu", "linear"), ("tanh", "sigmoid"), ("sigmoid", "softmax")])
    def test_gives_the_pair_of_the_formula(self, kata, name, last):
        model, x = kata.FCNN([2, 9, 7, 3], name, last), torch.randn(11, 2)
        w1, b1, w2, b2, w3, b3 = (nn.init.normal_(parameter) for parameter in model.parameters())
        act, end = ACTIVATIONS[name], ACTIVATIONS[last]
        z = act(act(x @ w1.T + b1) @ w2.T + b2) @ w3.T + b3
        flat = ((x @ w1.T + b1) @ w2.T + b2) @ w3.T + b3
        causes = {
            "z_pred is the last layer's result before its activation, and here both are y_pred": (end(z), end(z)),
            "the last activation is not applied: both are z_pred": (z, z),
            "the pair is turned around: y_pred comes first": (z, end(z)),
            f"{name} is not applied between the layers": (end(flat), flat),
            f"{name} is applied after the last layer too": (end(act(z)), act(z)),
            "softmax goes along each row: dim=1": (F.softmax(z, dim=0), z),
        }
        with expect.untouched("The input", x):
            pair = model(x)
        right, likely = isinstance(pair, tuple) and len(pair) == 2, "return y_pred, z_pred"
        expect.that(right, "forward gives no pair.", seen=expect.describe(pair), expected="(y_pred, z_pred)", likely=likely)
        causes = {cause: torch.stack(wrong) for cause, wrong in causes.items()}
        expect.close(torch.stack(pair), torch.stack([end(z), z]), what="y_pred and z_pred, one upon the other,", causes=causes)

    def test_refuses_unknown_activations(self, kata):
        refusals.check(lambda: kata.FCNN([2, 3, 1], "swish", "linear"), "FCNN", "swish", ("relu", "sigmoid", "tanh"))
        refusals.check(lambda: kata.FCNN([2, 3, 1], "relu", "cubic"), "FCNN", "cubic", ("linear", "sigmoid", "softmax"))

    @pytest.mark.placement
    def test_follows_its_device(self, kata, device):
        y_pred, z_pred = kata.FCNN([2, 3, 1], "relu", "sigmoid").to(device)(torch.randn(4, 2, device=device))
        expect.on_device(y_pred, device, what="y_pred")
        expect.on_device(z_pred, device, what="z_pred")


@pytest.mark.task("loss")
class TestLoss:
    @pytest.mark.parametrize("kind", LOSSES)
    def test_loss_of_the_kind(self, kata, kind):
        z, targets = 0.9 * torch.rand(9, 1) + 0.05, (torch.arange(9) % 2).float().reshape(-1, 1)
        causes = {
            "this is the squared error, for regression only": F.mse_loss(z, targets),
            "nn.BCELoss takes probabilities: z_pred goes into nn.BCEWithLogitsLoss": F.binary_cross_entropy(z, targets),
        }
        if kind == "multiclass":
            z, targets = torch.randn(9, 3), torch.arange(9) % 3
        right = LOSSES[kind](z, targets)
        causes["this is the sum over the examples: the loss is their mean"] = 9 * right
        expect.close(kata.loss_for(kind)(z, targets), right, what=f"The loss of {kind}", causes=causes)

    def test_refuses_unknown_kinds(self, kata):
        refusals.check(lambda: kata.loss_for("ranking"), "loss_for", "ranking", tuple(LOSSES))


@pytest.mark.task("optimizer")
class TestOptimizer:
    @pytest.mark.parametrize("name", OPTIMIZERS)
    def test_optimizer_of_the_name(self, kata, name):
        weight = nn.Linear(2, 1).weight
        optimizer = kata.optimizer_for(name, [weight], 0.125)
        seen = type(optimizer).__name__
        likely = "each name has its class in torch.optim, and an instance of it is returned"
        expect.that(seen == OPTIMIZERS[name], "Another optimizer.", seen=seen, expected=OPTIMIZERS[name], likely=likely)
        (group,) = optimizer.param_groups
        expect.close(
            group["lr"],
            0.125,
            what="The learning rate",
            causes={"this is torch's own: pass lr on": type(optimizer)([weight]).param_groups[0]["lr"]},
        )
        right = len(group["params"]) == 1 and group["params"][0] is weight
        expect.that(
            right, "Other parameters.", seen=group["params"], expected="those it got", likely="pass them on as they are"
        )

    def test_refuses_unknown_names(self, kata):
        parameters = nn.Linear(2, 1).parameters()
        refusals.check(lambda: kata.optimizer_for("newton", parameters, 0.1), "optimizer_for", "newton", tuple(OPTIMIZERS))


@pytest.mark.task("batch")
class TestBatch:
    @pytest.mark.parametrize("kind", LOSSES)
    def test_takes_its_rows_as_the_loss_wants_them(self, kata, kind):
        features, targets = quadrants_arrays(points=45)
        causes = {
            "the batch begins at row `number`: it begins at number * size": features[2:12],
            "these are rows 10 to 19, the batch with number 1: batches are counted from 0": features[10:20],
            "these are the first rows: the batch begins at number * size": features[:10],
            "these are all of the data: take the rows of the batch": features,
        }
        with expect.untouched("The data", features, targets):
            batch = kata.next_batch(features, targets, kind, number=2, size=10)
        check_batch(batch, features[20:30], targets[20:30], kind, causes)

    def test_gives_all_data_without_a_size(self, kata):
        features, targets = xor_arrays(points=7)
        check_batch(kata.next_batch(features, targets, "binary"), features, targets, "binary")


@pytest.mark.task("train", needs="network")
class TestTrain:
    def test_loss_is_the_mean_over_the_batches(self, kata):
        model, (features, targets) = kata.FCNN([2, 6, 1], "relu", "linear"), product_arrays(points=40)
        parts = (model(torch.tensor(features).float())[1].detach() - torch.tensor(targets)).reshape(4, 10).square().mean(dim=1)
        with expect.untouched("The data", features, targets):
            losses = kata.train(model, features, targets, "regression", lr=0.0, epochs=3, batch_size=10)
        expect.losses(losses, epochs=3)
        causes = {
            "this is the sum over the batches: divide by their number": parts.sum(),
            "this is the loss of the last batch alone: add up the losses of all of them": parts[-1],
        }
        expect.close(losses[0], parts.mean(), what="The loss of an epoch with lr=0", causes=causes)

    def test_takes_a_step_for_each_batch_with_the_named_optimizer(self, kata):
        model, (features, targets), seen = kata.FCNN([2, 6, 1], "relu", "sigmoid"), xor_arrays(points=45), []
        handle = register_optimizer_step_pre_hook(
            lambda optimizer, *_: seen.append((type(optimizer).__name__, optimizer.param_groups[0]["lr"]))
        )
        try:
            kata.train(model, features, targets, "binary", optimizer="rmsprop", lr=0.003, epochs=3, batch_size=10)
        finally:
            handle.remove()
        likely = "an epoch has n // batch_size whole batches (45 // 10 = 4), and each has a step of its own"
        expect.that(
            len(seen) == 12, "Other than 4 steps an epoch.", seen=f"{len(seen)} in 3", expected="12 in 3", likely=likely
        )
        right, likely = ("RMSprop", 0.003), "optimizer_for(optimizer, model.parameters(), lr) makes it from the arguments"
        expect.that(set(seen) == {right}, "Not the optimizer that was named.", seen=seen[0], expected=right, likely=likely)

    def test_every_step_follows_the_gradient(self, kata):
        features, targets = xor_arrays(points=20)
        model, x, y = kata.FCNN([2, 6, 1], "relu", "sigmoid"), torch.tensor(features).float(), torch.tensor(targets).float()
        data = np.tile(features, (3, 1)), np.tile(targets, (3, 1))  # three equal batches: any order of them will do
        steps = training.watch(lambda: kata.train(model, *data, "binary", epochs=2, batch_size=20), model, x, y)
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
            expect.reaches(mark(f"k19.{problem}.accuracy"), (answers == wanted).float().mean(), history=losses)
        loss = LOSSES[kind](z, wanted.long().reshape(-1) if kind == "multiclass" else wanted)
        expect.reaches(mark(f"k19.{problem}.loss"), loss, history=losses)

    @pytest.mark.placement
    def test_takes_batches_to_the_model(self, kata, device):
        model, (features, targets) = kata.FCNN([2, 6, 4], "relu", "softmax").to(device), quadrants_arrays(points=40)
        expect.losses(kata.train(model, features, targets, "multiclass", epochs=2, batch_size=10), epochs=2)
        expect.on_device(next(model.parameters()), device, what="The model after training")


@pytest.mark.task("accuracy", needs="network")
class TestAccuracy:
    def test_counts_probabilities_from_a_half_on(self, kata):
        z, right = torch.tensor([-2.0, -0.3, 0.1, 0.2, 0.4, 3.0, 1.0, -1.0]), torch.tensor([0.0, 1, 1, 1, 1, 1, 0, 0])
        share = kata.accuracy(copier(kata, 1, "sigmoid"), column(z), column(right), "binary")
        causes = {
            "a half is the edge for y_pred, the probability: here z_pred is compared": ((z >= 0.5) == right).float().mean(),
            "this is a percentage: the share runs from 0 to 1": 75.0,
            "this is the number of right answers: divide by that of the examples": 6.0,
        }
        expect.close(share, 0.75, what="The accuracy", causes=causes)
        kind, likely = type(share).__name__, "item() gives the number"
        expect.that(kind == "float", "The accuracy is no plain number.", seen=kind, expected="float", likely=likely)

    def test_counts_the_largest_of_each_row(self, kata):
        z, right = torch.eye(3)[[0, 1, 2, 2, 1, 0, 0, 0]] * 3, torch.tensor([0.0, 1, 2, 1, 1, 0, 2, 0])
        share = kata.accuracy(copier(kata, 3, "softmax"), z.double().numpy(), column(right), "multiclass")
        table = z.argmax(dim=1) == right.reshape(-1, 1)
        stretched = "answers (n,) and targets (n, 1) were stretched to (n, n): give both one shape"
        causes = {stretched: table.float().mean(), f"{stretched} ": table.sum() / 8}
        expect.close(share, 0.75, what="The accuracy", causes=causes)

    def test_refuses_a_regression(self, kata):
        model, data = kata.FCNN([2, 1], "relu", "linear"), product_arrays(points=5)
        refusals.check(lambda: kata.accuracy(model, *data, "regression"), "accuracy", "regression")

    @pytest.mark.placement
    def test_takes_the_data_to_the_model(self, kata, device):
        z = torch.tensor([-2.0, 0.3, 1.0, 2.0])
        share = kata.accuracy(copier(kata, 1, "sigmoid").to(device), column(z), column((z > 0.5).float()), "binary")
        expect.close(share, 0.75, what=f"The accuracy of a model on {device}")


def column(values: torch.Tensor) -> np.ndarray:
    return values.double().numpy().reshape(-1, 1)


def copier(kata, size, last):
    """A network of one layer whose z_pred is its input."""
    model = kata.FCNN([size, size], "relu", last)
    weight, bias = model.parameters()
    nn.init.eye_(weight)
    nn.init.zeros_(bias)
    return model


def check_batch(batch, features, targets, kind, causes=None):
    """The batch holds these rows, as the loss of the kind wants them."""
    inputs, wanted = batch
    expect.close(inputs, features, what="The features of the batch", causes=causes)
    expect.dtype(inputs, torch.float32, what="The features of the batch")
    what, flat = f"The targets of {kind}", targets.reshape(-1)
    right, other = (flat, targets) if kind == "multiclass" else (targets, flat)
    likely = "class numbers go into nn.CrossEntropyLoss as a row (n,), all other targets as a column (n, 1)"
    expect.shape(wanted, right.shape, what=what, causes={likely: other.shape})
    expect.dtype(wanted, torch.int64 if kind == "multiclass" else torch.float32, what=what)
    expect.close(wanted, right, what=what)
