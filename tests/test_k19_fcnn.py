"""k19: a network from a list of sizes, its settings and parts by name, batches in order, training,
and right answers.
"""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from katas.given.data import product_arrays, quadrants_arrays, xor_arrays
from tests import expect, fcnn, fcnn_devices, refusals, training

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
        fcnn.check_settings_for(
            kata.settings_for, kind, (dims, last, f"{'-'.join(map(str, dims))} {last}")
        )

    @pytest.mark.parametrize("dims", [[2, 3, 5, 6], [4, 1]], ids=str)
    def test_torch_finds_a_weight_and_a_bias_for_each_layer(self, kata, dims):
        fcnn.check_parameters(kata.FCNN(dims, "relu", "linear"), dims)

    def test_starts_from_small_normal_deviates(self, kata):
        fcnn.check_start(kata.FCNN([300, 600, 400], "relu", "linear"))

    @pytest.mark.parametrize(
        ("name", "last"), [("relu", "linear"), ("tanh", "sigmoid"), ("sigmoid", "softmax")]
    )
    def test_gives_the_pair_of_the_formula(self, kata, name, last):
        fcnn.check_pair(kata.FCNN([2, 9, 7, 3], name, last), torch.randn(11, 2), name, last)

    def test_refuses_unknown_activations(self, kata):
        refusals.check(
            lambda: kata.FCNN([2, 3, 1], "swish", "linear"),
            "FCNN",
            "swish",
            ("relu", "sigmoid", "tanh"),
        )
        refusals.check(
            lambda: kata.FCNN([2, 3, 1], "relu", "cubic"),
            "FCNN",
            "cubic",
            ("linear", "sigmoid", "softmax"),
        )
        refusals.check(
            lambda: kata.settings_for("ranking", [3], 2), "settings_for", "ranking", tuple(LOSSES)
        )

    @pytest.mark.placement
    def test_follows_its_device(self, kata, device):
        fcnn_devices.check_pairs(kata, device)


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
        refusals.check(lambda: kata.loss_for("ranking"), "loss_for", "ranking", tuple(LOSSES))

    def test_two_steps_give_the_loss_of_multiclass(self, kata):
        fcnn.check_two_steps(kata.log_softmax_loss)

    @pytest.mark.placement
    def test_follows_its_device(self, kata, device):
        fcnn_devices.check_losses(kata, device)


@pytest.mark.task("optimizer")
class TestOptimizer:
    @pytest.mark.parametrize("name", OPTIMIZERS)
    def test_optimizer_of_the_name(self, kata, name):
        weight, right = nn.Linear(2, 1).weight, OPTIMIZERS[name][0]
        fcnn.check_optimizer(kata.optimizer_for(name, [weight], 0.125), right, weight, lr=0.125)

    @pytest.mark.parametrize("name", OPTIMIZERS)
    def test_passes_its_settings_on(self, kata, name):
        right = {"weight_decay": 0.25} | OPTIMIZERS[name][1]
        group = kata.optimizer_for(name, nn.Linear(2, 1).parameters(), 0.125, **right).param_groups[
            0
        ]
        fcnn.check_settings(group, right)

    def test_refuses_unknown_names(self, kata):
        parameters = nn.Linear(2, 1).parameters()
        refusals.check(
            lambda: kata.optimizer_for("newton", parameters, 0.1),
            "optimizer_for",
            "newton",
            tuple(OPTIMIZERS),
        )

    @pytest.mark.placement
    def test_takes_steps_on_any_device(self, kata, device):
        fcnn_devices.check_steps(kata.optimizer_for, OPTIMIZERS, device)


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
        fcnn.check_batch(batch, features[20:30], targets[20:30], kind, causes)

    def test_gives_all_data_without_a_size(self, kata):
        features, targets = xor_arrays(points=7)
        fcnn.check_batch(kata.next_batch(features, targets, "binary"), features, targets, "binary")

    @pytest.mark.placement
    @pytest.mark.parametrize("kind", LOSSES)
    def test_batches_are_made_on_the_cpu(self, kata, kind):
        fcnn_devices.check_batch(kata.next_batch(*xor_arrays(points=7), kind), torch.device("cpu"))


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
        fcnn.check_steps(
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
        fcnn_devices.check_training(kata, *quadrants_arrays(points=40), device)


@pytest.mark.task("accuracy", needs="network")
class TestAccuracy:
    def test_counts_probabilities_from_a_half_on(self, kata):
        z, right = (
            torch.tensor([-2.0, -0.3, 0.0, 0.2, 0.4, 3.0, 1.0, -1.0]),
            torch.tensor([0.0, 1, 1, 1, 1, 1, 0, 0]),
        )
        share = fcnn.share(kata, "binary", z.reshape(-1, 1), right)
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
        share = fcnn.share(kata, "multiclass", z, right)
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
        refusals.check(lambda: kata.accuracy(model, *data, "regression"), "accuracy", "regression")

    @pytest.mark.placement
    def test_takes_the_data_to_the_model(self, kata, device):
        fcnn_devices.check_shares(kata, device)
