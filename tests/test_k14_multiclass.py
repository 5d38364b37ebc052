"""k14: a logit for each class, probabilities that sum to 1, answers that leave the model alone, and
the training on blobs.
"""

from functools import partial

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from katas.given.data import blobs
from tests.support import calls, expect, gradients, modes, placement, training

SOFTMAX_TWICE = (
    "a softmax is applied before the loss: nn.CrossEntropyLoss contains it and wants the raw logits"
)
LOGITS = torch.tensor(
    [[-14.3074, 18.9589, -5.0986, -31.1818], [-14.1848, -3.7758, 9.3668, -5.9449]]
)

RULE = training.Rule(
    F.cross_entropy,
    wrong={
        SOFTMAX_TWICE: lambda logits, labels: F.cross_entropy(F.softmax(logits, dim=1), labels),
        "this is the squared error against one-hot labels: use nn.CrossEntropyLoss": (
            lambda logits, labels: F.mse_loss(logits, F.one_hot(labels, 4).float())
        ),
    },
    default=100,
)


@pytest.mark.task("model")
class TestModel:
    def test_prints_the_architecture(self, kata):
        expect.printed(
            kata.MulticlassClassifier(input_size=3, hidden_size=17, output_size=6),
            """
            MulticlassClassifier(
              (main): Sequential(
                (0): Linear(in_features=3, out_features=17, bias=True)
                (1): ReLU()
                (2): Linear(in_features=17, out_features=6, bias=True)
              )
            )
            """,
            causes={
                "the softmax stays outside: nn.CrossEntropyLoss contains it": "Softmax",
                "the sigmoid is for a single logit; here each class has one, and they stay raw": (
                    "(3): Sigmoid"
                ),
                "this is a sigmoid between the layers: nn.ReLU belongs there": "(1): Sigmoid",
                "this is tanh between the layers: nn.ReLU belongs there": "(1): Tanh",
                "one output is for two classes: each class needs one of its own": "out_features=1,",
                "four classes are written into the code: use output_size": "out_features=4,",
                "the sizes are swapped: nn.Linear(inputs, outputs)": (
                    "in_features=17, out_features=3"
                ),
                "the layers belong in a Sequential named main: self.main = nn.Sequential(...)": (
                    "Classifier()"
                ),
                "a ReLU after the last layer cuts off the negative logits: end with the "
                "nn.Linear": ("(3): ReLU"),
            },
        )

    def test_output_follows_the_formula(self, kata):
        model = kata.MulticlassClassifier(input_size=3, hidden_size=6, output_size=5)
        x = 2 * torch.randn(25, 3)
        first, last = (layer for layer in model.modules() if isinstance(layer, nn.Linear))
        z1 = x @ first.weight.T + first.bias
        right = F.relu(z1) @ last.weight.T + last.bias
        causes = {
            "these are probabilities, and the model gives logits: leave the softmax out": F.softmax(
                right, dim=1
            ),
            "these are log-probabilities, and the model gives logits": F.log_softmax(right, dim=1),
            "a sigmoid is applied to every logit: leave it out": torch.sigmoid(right),
            "these are class numbers: the model gives logits, and predict takes the largest": (
                right.argmax(dim=1)
            ),
            "a ReLU cuts off the negative logits: leave it out after the last layer": F.relu(right),
            "the ReLU between the layers is not applied, so this is a linear model": (
                z1 @ last.weight.T + last.bias
            ),
            "this is tanh between the layers, not ReLU": torch.tanh(z1) @ last.weight.T + last.bias,
        }
        with expect.untouched("The input", x):
            expect.close(model(x), right, what="The output", causes=causes)

    def test_gradients_reach_every_parameter(self, kata):
        model = kata.MulticlassClassifier(input_size=2, hidden_size=10, output_size=4)
        F.cross_entropy(model(torch.randn(30, 2)), torch.arange(30) % 4).backward()
        expect.gradients_reach(model)

    @pytest.mark.placement
    def test_follows_its_device(self, kata, device):
        placement.check(network(kata), torch.randn(3, 2), device=device, what="The output")


@pytest.mark.task("softmax")
class TestSoftmax:
    def test_probabilities_follow_the_formula(self, kata):
        z = torch.randn(5, 3)
        powers, shifted = z.exp(), (z - z.amax(dim=1, keepdim=True)).exp()
        causes = {
            "the sum runs over the examples: dim=1 goes along the row": powers / powers.sum(dim=0),
            "the sum of the shifted powers runs over the examples: dim=1 goes along the row": (
                shifted / shifted.sum(dim=0)
            ),
            "the sum runs over all numbers: every row has a sum of its own": powers / powers.sum(),
            "exp is missing": z / z.sum(dim=1, keepdim=True),
            "these are the powers exp(z), not divided by their sum": powers,
            "these are the powers of the shifted logits, not divided by their sum": shifted,
            "this is the sigmoid of each logit: its row does not sum to 1": torch.sigmoid(z),
            "this is the logarithm of the softmax": F.log_softmax(z, dim=1),
        }
        with expect.untouched("The logits", z):
            expect.close(
                kata.softmax(z), F.softmax(z, dim=1), what="The probabilities", causes=causes
            )

    def test_rows_sum_to_one(self, kata):
        seen = kata.softmax(10 * torch.randn(50, 4))
        expect.close(
            expect.tensor(seen, "The result").sum(dim=1),
            torch.ones(50),
            what="The sums of the rows",
        )

    def test_logits_of_a_trained_network(self, kata):
        expected = torch.tensor(
            [[3.5699e-15, 1.0, 3.5644e-11, 1.6757e-22], [5.9111e-11, 1.9598e-06, 1.0, 2.2399e-07]]
        )
        seen = kata.softmax(LOGITS)
        expect.close(seen, expected, what="The probabilities of the lesson's logits")
        expect.close(
            seen.clamp(min=1e-30).log(),
            F.log_softmax(LOGITS, dim=1),
            what="Their logarithms",
            atol=1e-3,
        )

    @pytest.mark.parametrize("size", [1e3, 1e4, -1e4], ids="{:g}".format)
    def test_stays_finite_for_huge_logits(self, kata, size):
        logits = torch.tensor([[size, 0.0, -size], [size, size, size], [0.5, 1.5, size]])
        seen = expect.tensor(kata.softmax(logits), "The result")
        overflow = (
            "exp of a large number is infinite, and inf / inf is nan: first subtract each row's"
            " largest logit"
        )
        one_shift = (
            "a row far below the largest logit of all rows becomes 0 / 0: subtract each row's own"
            " largest logit, dim=1"
        )
        naive = logits.exp() / logits.exp().sum(dim=1, keepdim=True)
        likely = overflow if torch.equal(naive.isfinite(), seen.isfinite()) else one_shift
        right = F.softmax(logits, dim=1)
        expect.that(
            bool(seen.isfinite().all()),
            "The softmax of huge logits is not finite.",
            seen=expect.describe(seen),
            expected=expect.describe(right),
            likely=likely,
        )
        expect.close(seen, right, what="The softmax of huge logits")

    def test_gradients_flow(self, kata):
        z, weights = torch.randn(4, 3), torch.randn(4, 3)
        p = F.softmax(z, dim=1)
        right = p * (weights - (weights * p).sum(dim=1, keepdim=True))
        gradients.check_flow(kata.softmax, z, right, "The softmax", weights)

    def test_is_written_out(self, kata):
        names = ("softmax", "log_softmax", "softmin", "logsumexp", "cross_entropy")
        likely = (
            "this lesson builds the softmax by hand, from max, exp and sum; later katas use torch's"
        )
        calls.check_written_out(
            lambda: kata.softmax(torch.randn(3, 4)), names, "The softmax", likely
        )

    @pytest.mark.placement
    def test_follows_its_device(self, kata, device):
        logits = LOGITS.clone().requires_grad_()
        placement.check(kata.softmax, logits, device=device, what="The probabilities")


@pytest.mark.task("predict")
class TestPredict:
    def test_answers_with_the_largest_logit(self, kata):
        x = torch.tensor([[-1.0, -5.0, -2.0], [0.1, 0.2, 0.3], [2.0, 9.0, 1.0], [-7.0, -6.0, -6.5]])
        causes = {
            "this is the largest of each column: argmax(dim=1) goes along the row": x.argmax(dim=0),
            "this is the position in the whole table: argmax needs dim=1": x.argmax(),
            "these are the largest logits, not their positions: max(dim=1) gives both, "
            ".indices are the positions": x.amax(dim=1),
            "the smallest logit is taken, not the largest": x.argmin(dim=1),
            "there is one column too many: keepdim=True is not needed": x.argmax(
                dim=1, keepdim=True
            ),
        }
        with expect.untouched("The features", x):
            seen = kata.predict(nn.Identity(), x)
        expect.close(seen, torch.tensor([0, 2, 1, 1]), what="The class numbers", causes=causes)
        expect.dtype(seen, torch.int64, what="The class numbers")

    @pytest.mark.parametrize("before", [True, False], ids=["training", "evaluation"])
    def test_asks_in_evaluation_mode_and_restores_the_mode(self, kata, before):
        model, seen = nn.Sequential(nn.Linear(2, 4), nn.Dropout(0.5)).train(before), []
        model.register_forward_hook(
            lambda module, inputs, output: seen.append((module.training, output.requires_grad))
        )
        with torch.enable_grad():  # which the caller gets back as it was
            kata.predict(model, torch.randn(6, 2))
            records = torch.is_grad_enabled()
        likely = (
            "torch.set_grad_enabled(False) lasts for good: with torch.no_grad(): ends by itself"
        )
        headline, off = "After predict no gradients are recorded any more.", "switched off"
        expect.that(records, headline, seen=off, expected="switched on", likely=likely)
        expect.that(
            not any(mode for mode, _ in seen),
            "The model is called in training mode, in which dropout is active.",
            seen="training=True",
            expected="False",
            likely="call model.eval() first",
        )
        expect.that(
            not any(grad for _, grad in seen),
            "The model is called with gradients recorded.",
            seen="requires_grad=True",
            expected="False",
            likely="with torch.no_grad(): around the call of the model",
        )
        modes.expect_left(model, before)

    @pytest.mark.placement
    def test_follows_its_device(self, kata, device):
        placement.check(
            kata.predict,
            nn.Linear(2, 4),
            torch.randn(6, 2),
            device=device,
            what="The class numbers",
            likely="predict moves the model itself: call it where it is",
        )


@pytest.mark.task("train", needs="model")
class TestTrain:
    def test_every_step_follows_the_gradient(self, kata):
        training.check_steps(training.run(network(kata), kata.train, *blobs(), RULE, epochs=4))

    def test_each_loss_is_the_cross_entropy_of_the_logits(self, kata):
        for epochs in (5, 2):  # each call has a list of its own
            seen = training.run(network(kata), kata.train, *blobs(), RULE, epochs=epochs)
            training.check_losses(seen)

    def test_tells_the_four_blobs_apart(self, kata, mark):
        model, (features, labels) = network(kata), blobs()
        losses = training.check(model, kata.train, features, labels, RULE)
        logits = model(features).detach()
        right = (logits.argmax(dim=1) == labels).float().mean()
        expect.reaches(mark("k14.train.accuracy"), right, history=losses)
        expect.reaches(mark("k14.train.loss"), F.cross_entropy(logits, labels), history=losses)
        seen = model(torch.tensor([[-1.0, -1.0], [0.0, 0.0]])).argmax(dim=1)
        expect.close(
            seen, torch.tensor([1, 2]), what="The classes of the points (-1, -1) and (0, 0)"
        )

    @pytest.mark.placement
    def test_trains_on_its_device(self, kata, device):
        model, data = expect.moved(network(kata), device), [part.to(device) for part in blobs()]
        placement.check_training(partial(kata.train, epochs=2), model, data, epochs=2)


def network(kata):
    return kata.MulticlassClassifier(input_size=2, hidden_size=10, output_size=4)
