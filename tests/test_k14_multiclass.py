"""k14: a logit for each class, probabilities that sum to 1, answers that leave the model alone, and
the training on blobs.
"""

import math
from functools import partial

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from dojo.diagnosis import counted
from katas.given.data import blobs
from tests.support import calls, expect, formula, gradients, modes, placement, training

LOGITS = torch.tensor(
    [[-14.3074, 18.9589, -5.0986, -31.1818], [-14.1848, -3.7758, 9.3668, -5.9449]]
)

RULE = training.Rule(F.cross_entropy, wrong=training.CLASS_LOSSES, default=100)


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
                    "(3): Sigmoid()\n  )"
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
                "nn.Linear": ("(3): ReLU()\n  )"),
                "there is a layer too many: two nn.Linear, and a ReLU between them": "(4): Linear",
                "10 hidden units are written into the code: use hidden_size": "out_features=10,",
                "a layer has no bias: leave out bias=False": "bias=False",
                "there is dropout in the network, and the task has none": "Dropout",
            },
        )

    def test_output_follows_the_formula(self, kata):
        n, d, hidden, classes = formula.sizes(4)
        model = kata.MulticlassClassifier(d, hidden, classes)
        first, last = (layer for layer in model.modules() if isinstance(layer, nn.Linear))

        def by(activation, x):
            hidden = activation(F.linear(x, first.weight, first.bias))
            return F.linear(hidden, last.weight, last.bias)

        right = partial(by, F.relu)
        wrong = {
            "these are probabilities, and the model gives logits: leave the softmax out": (
                lambda x: right(x).softmax(dim=1)
            ),
            "these are log-probabilities, and the model gives logits": (
                lambda x: right(x).log_softmax(dim=1)
            ),
            "a sigmoid is applied to every logit: leave it out": lambda x: right(x).sigmoid(),
            "these are class numbers: the model gives logits, and predict takes the largest": (
                lambda x: right(x).argmax(dim=1)
            ),
            "a ReLU cuts off the negative logits: leave it out after the last layer": (
                lambda x: right(x).relu()
            ),
            "the ReLU between the layers is not applied, so this is a linear model": partial(
                by, lambda z: z
            ),
            "this is tanh between the layers, not ReLU": partial(by, torch.tanh),
            "this is a sigmoid between the layers: nn.ReLU belongs there": partial(by, F.sigmoid),
            "the logits are cut off: they stay raw, however large": [
                lambda x, most=most: right(x).clamp(-most, most) for most in (1, 10, 50, 100)
            ],
            "the largest logit is taken away: softmax does that, and the logits stay raw": (
                lambda x: right(x) - right(x).amax(dim=1, keepdim=True)
            ),
            "a dimension of size 1 is dropped: a single example keeps its row": (
                lambda x: right(x).squeeze()
            ),
        }
        draws = {
            counted(n, "example"): [2 * torch.randn(n, d)],
            "huge features": [1e4 * torch.randn(6, d)],
            "a single example": [torch.randn(1, d)],
        }
        formula.check(model, right, draws, "The output", wrong, records=True)
        modes.expect_alike(model, torch.randn(7, d))

    def test_layers_start_as_torch_makes_them(self, kata):
        for layer in kata.MulticlassClassifier(60, 80, 70).modules():
            if isinstance(layer, nn.Linear):
                limit = layer.in_features**-0.5  # all numbers between -limit and limit alike
                for name, parameter in layer.named_parameters():
                    largest, spread = parameter.abs().max() / limit, parameter.std() / limit
                    headline = f"The {name} of a layer does not start as torch makes it."
                    seen = f"up to {largest:.3f}, standard deviation {spread:.3f}"
                    expected = "up to 1, standard deviation 0.58, in parts of 1 / sqrt(inputs)"
                    likely = "the layers are changed after they were made: leave nn.init out"
                    is_fresh = largest <= 1.001 and abs(spread - 3**-0.5) < 0.15
                    expect.that(is_fresh, headline, seen=seen, expected=expected, likely=likely)

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
        n, m, classes = formula.sizes(3)
        draws = {
            f"{n} examples and 3 classes": [2 * torch.randn(n, 3)],
            f"{m} examples and {classes} classes": [4 * torch.randn(m, classes)],
            "two classes": [torch.randn(n, 2)],
            "one class": [torch.randn(n, 1)],
            "a single example": [torch.randn(1, 4)],
        }
        what = "The probabilities"
        formula.check(kata.softmax, partial(F.softmax, dim=1), draws, what, NO_SOFTMAX)

    def test_rows_sum_to_one(self, kata):
        seen = kata.softmax(10 * torch.randn(50, 4))
        what = "The sums of the rows"
        expect.close(expect.tensor(seen, "The result").sum(dim=1), torch.ones(50), what)

    def test_logits_of_a_trained_network(self, kata):
        expected = torch.tensor(
            [[3.5699e-15, 1.0, 3.5644e-11, 1.6757e-22], [5.9111e-11, 1.9598e-06, 1.0, 2.2399e-07]]
        )
        seen = kata.softmax(LOGITS)
        expect.close(seen, expected, what="The probabilities of the lesson's logits")
        cut = "small probabilities are cut off or rounded: give them as they are"
        likely = expect.told(cut) if bool((seen == seen.clamp(min=1e-9)).all()) else ()
        right, what = F.log_softmax(LOGITS, dim=1), "Their logarithms"
        expect.close(seen.clamp(min=1e-30).log(), right, what, atol=1e-3, likely=likely)

    def test_stays_finite_for_huge_logits(self, kata):
        def shifted(by):
            return lambda z: whole((z - by(z)).exp())

        wrong = {
            "exp of a large number is infinite, and inf / inf is nan: first subtract each row's"
            " largest logit": lambda z: whole(z.exp()),
            "a row far below the largest logit of all rows becomes 0 / 0: subtract each row's own"
            " largest logit, dim=1": [
                shifted(lambda z: z.max()),
                shifted(lambda z: z.amax(dim=0)),
            ],
            "this subtracts each row's mean, and exp can still overflow: subtract its largest"
            " logit": shifted(lambda z: z.mean(dim=1, keepdim=True)),
            "this subtracts each row's largest absolute value: subtract its largest logit": shifted(
                lambda z: z.abs().amax(dim=1, keepdim=True)
            ),
            "the logits are cut off by clamp(), so that different ones become equal: subtract each"
            " row's largest": [
                lambda z, m=m: whole(z.clamp(-m, m).exp()) for m in (10, 20, 30, 50, 80, 88, 100)
            ],
            "nan is replaced, where each row's largest logit has to be subtracted first": [
                lambda z, n=n: torch.nan_to_num(whole(z.exp()), nan=n) for n in (0.0, 1.0)
            ],
            "this subtracts each row's smallest logit: subtract its largest": shifted(
                lambda z: z.amin(dim=1, keepdim=True)
            ),
        }
        draws = {
            f"logits up to {size:g}": [
                torch.tensor([[size, 0.0, -size], [size, size - 1, size], [0.5, 1.5, size]])
            ]
            for size in (1e3, 1e4, -1e4)
        }
        draws["a single row far below 0"] = [torch.tensor([[-1e4, -9999.0, -1e4]])]
        what = "The softmax"
        formula.check(kata.softmax, partial(F.softmax, dim=1), draws, what, wrong)

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
        n, m, classes = formula.sizes(3)
        by_class = [[-1.0, -5, -2], [0.1, 0.2, 0.3], [2.0, 9, 1], [-7.0, -6, -6.5]]

        def of(model, x, choose):
            with torch.no_grad():
                return choose(model.eval()(x))

        def each(choose):
            return lambda model, x: of(model, x, choose)

        draws = {
            "four rows of logits": [nn.Identity(), torch.tensor(by_class)],
            counted(n, "example"): [nn.Linear(2, 4), 3 * torch.randn(n, 2)],
            f"{m} examples and {classes} classes": [nn.Linear(3, classes), torch.randn(m, 3)],
            "a single example": [nn.Linear(2, 3).eval(), torch.randn(1, 2)],
            "large logits": [nn.Identity(), 1e3 * (2 + torch.randn(n, 4))],
        }
        wrong = {
            "this is the largest of each column: argmax(dim=1) goes along the row": each(
                lambda z: z.argmax(dim=0)
            ),
            "this is the position in the whole table: argmax needs dim=1": each(
                lambda z: z.argmax()
            ),
            "these are the largest logits, not their positions: max(dim=1) gives both, "
            ".indices are the positions": each(lambda z: z.amax(dim=1)),
            "the smallest logit is taken, not the largest": each(lambda z: z.argmin(dim=1)),
            "the signs are dropped: a logit far below 0 is no likely class": each(
                lambda z: z.abs().argmax(dim=1)
            ),
            "the probabilities are compared with 0.5: the likeliest class may have less": each(
                lambda z: (z.sigmoid() > 0.5).long().argmax(dim=1)
            ),
            "the sigmoid of several large logits is exactly 1: compare the logits": each(
                lambda z: z.sigmoid().argmax(dim=1)
            ),
            "the classes are counted from 1: argmax counts from 0": each(
                lambda z: z.argmax(dim=1) + 1
            ),
            "there is one column too many: keepdim=True is not needed": each(
                lambda z: z.argmax(dim=1, keepdim=True)
            ),
            "a single example keeps its dimension: leave squeeze() out": each(
                lambda z: z.argmax(dim=1).squeeze()
            ),
        }
        what = "The class numbers"
        right = each(lambda z: z.argmax(dim=1))
        formula.check(kata.predict, right, draws, what, wrong, records=False)

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

    def test_takes_any_number_of_features_and_classes(self, kata):
        n, d, classes = formula.sizes(3)
        data = torch.randn(n, d), torch.randint(classes - 1, (n,))  # the last class has no example
        model = nn.Sequential(nn.Linear(d, 7), nn.Tanh(), nn.Linear(7, classes))
        for one in (kata.MulticlassClassifier(d, 7, classes), model):  # any model that gives logits
            training.check(one, kata.train, *data, RULE, epochs=3)

    def test_stays_finite_where_the_model_is_very_sure(self, kata):
        features, labels = blobs()
        seen = training.run(network(kata), kata.train, 1e4 * features, labels, RULE, epochs=2)
        expect.that(
            all(map(math.isfinite, seen.losses)),
            "The loss of large logits is not finite.",
            seen=seen.losses,
            expected="numbers",
            likely="the log of a softmax is -inf where a probability is rounded to 0:"
            " nn.CrossEntropyLoss takes the logits as they are",
        )
        training.check_steps(seen)
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


def whole(powers):
    return powers / powers.sum(dim=1, keepdim=True)


def shift(z):
    return (z - z.amax(dim=1, keepdim=True)).exp()


NO_SOFTMAX = {
    "the sum runs over the examples: dim=1 goes along the row": lambda z: z.exp() / z.exp().sum(0),
    "the sum of the shifted powers runs over the examples: dim=1 goes along the row": (
        lambda z: shift(z) / shift(z).sum(dim=0)
    ),
    "the sum runs over all numbers: every row has a sum of its own": [
        lambda z: z.exp() / z.exp().sum(),
        lambda z: shift(z) / shift(z).sum(),
    ],
    "exp is missing": whole,
    "these are the powers exp(z), not divided by their sum": torch.exp,
    "these are the powers of the shifted logits, not divided by their sum": shift,
    "this is the sigmoid of each logit: its row does not sum to 1": torch.sigmoid,
    "this is the logarithm of the softmax": partial(F.log_softmax, dim=1),
    "a small number is added to the sum: leave it out, the sum is never 0": [
        lambda z, e=e: shift(z) / (shift(z).sum(dim=1, keepdim=True) + e)
        for e in (1e-2, 1e-3, 1e-4)
    ],
    "the powers are of 2: exp takes those of e": lambda z: whole(2**z),
    "the powers are divided by the root of the sum of their squares: divide by their sum": (
        lambda z: F.normalize(shift(z), dim=1)
    ),
}
