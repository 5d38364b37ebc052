"""k18: dropout where and when it belongs, starting weights of the right size, and a network that
learns nonsense by heart.
"""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from katas.given.data import nonsense
from tests import expect, placement, regularized, training

SOFTMAX_INSIDE = (
    "softmax is applied before the loss: nn.CrossEntropyLoss contains it and wants the raw scores"
)


@pytest.mark.task("model")
class TestModel:
    def test_prints_the_architecture(self, kata):
        expect.printed(
            kata.MLP(input_dim=2, hidden_dim=100, dropout_p=0.1, num_classes=3),
            """
            MLP(
              (fc1): Linear(in_features=2, out_features=100, bias=True)
              (dropout): Dropout(p=0.1, inplace=False)
              (fc2): Linear(in_features=100, out_features=3, bias=True)
            )
            """,
            causes={
                "the softmax stays outside: nn.CrossEntropyLoss contains it": "Softmax",
                "relu holds nothing that is learned: call F.relu in forward instead of keeping "
                "a layer": ("ReLU"),
                "p is the probability to be dropped: nn.Dropout(dropout_p)": "p=0.9",
                "the probability is not handed on: nn.Dropout(dropout_p)": "p=0.5",
            },
        )

    def test_sizes_come_from_the_arguments(self, kata):
        model = kata.MLP(input_dim=5, hidden_dim=6, dropout_p=0.3, num_classes=4)
        expect.shape(model(torch.randn(7, 5)), (7, 4), what="The output for 7 examples")
        causes = {"the probability is written into the code: nn.Dropout(dropout_p)": 0.1}
        expect.close(
            model.dropout.p, 0.3, what="The probability of the dropout layer", causes=causes
        )

    def test_evaluation_follows_the_formula(self, kata):
        model, x = regularized.small(kata, dropout_p=0.5).eval(), 2 * torch.randn(25, 2)
        hidden = F.relu(model.fc1(x))
        right = model.fc2(hidden)
        causes = {
            "the relu after fc1 is missing": model.fc2(model.fc1(x)),
            "a relu cuts off the negative scores: it belongs between the layers, not at the end": (
                F.relu(right)
            ),
            "these are probabilities, and the model gives raw scores: leave the softmax out": (
                F.softmax(right, dim=1)
            ),
            "the activations are scaled in evaluation too: there dropout leaves them alone": (
                model.fc2(hidden / 0.5)
            ),
        }
        with expect.untouched("The input", x):
            seen = model(x)
        again = model(x)
        likely = (
            "dropout is active in evaluation: self.dropout(...) knows the mode, F.dropout wants"
            " training=self.training"
        )
        headline, wrong = "In evaluation mode two passes differ.", "two outputs for the same input"
        expect.that(
            torch.equal(seen, again),
            headline,
            seen=wrong,
            expected="the same output",
            likely=likely,
        )
        expect.close(seen, right, what="The output in evaluation mode", causes=causes)

    def test_training_drops_and_scales_the_hidden_activations(self, kata):
        regularized.check_dropped(regularized.square(kata, dropout_p=0.2))

    def test_every_pass_and_every_example_drops_others(self, kata):
        model, x = regularized.square(kata, 0.5).train(), torch.ones(20, regularized.SQUARE)
        one, other = model(x), model(x)
        likely = "a mask is made once and kept: nn.Dropout draws a new one in every pass"
        same = torch.equal(one, other)
        expect.that(
            not same,
            "Two passes drop the same.",
            seen="equal outputs",
            expected="other units each time",
            likely=likely,
        )
        same = bool((one == one[0]).all())
        headline = "All examples lose the same units."
        expect.that(
            not same,
            headline,
            seen="equal rows",
            expected="unlike rows",
            likely=regularized.ONE_MASK,
        )

    def test_gradients_reach_every_parameter(self, kata):
        model = regularized.small(kata, dropout_p=0.1)
        F.cross_entropy(model(torch.randn(30, 2)), torch.arange(30) % 3).backward()
        expect.gradients_reach(model)

    @pytest.mark.placement
    def test_follows_its_device(self, kata, device):
        model, x = (
            expect.moved(regularized.small(kata, dropout_p=0.1), device),
            torch.randn(4, 2, device=device),
        )
        expect.on_device(model(x), device, what="The output in training mode")
        expect.on_device(model.eval()(x), device, what="The output in evaluation mode")


@pytest.mark.task("init", needs="model")
class TestInit:
    @pytest.mark.parametrize(("inputs", "hidden"), [(300, 200), (50, 800)])
    def test_weights_have_the_deviation_of_xaviers_rule(self, kata, inputs, hidden):
        model = kata.MLP(input_dim=inputs, hidden_dim=hidden, dropout_p=0.1, num_classes=3)
        before = model.fc1.weight.std().item()
        model.init_weights()
        regularized.check_xavier(model.fc1.weight, before)

    def test_draws_anew_and_leaves_the_rest_alone(self, kata):
        model = regularized.small(kata, dropout_p=0.1)
        weight, others = model.fc1.weight, [model.fc1.bias, model.fc2.weight, model.fc2.bias]
        before, likely = (
            [value.detach().clone() for value in others],
            "init_weights is for fc1.weight alone",
        )
        model.init_weights()
        same, headline = (
            all(map(torch.equal, others, before)),
            "fc1.bias, fc2.weight or fc2.bias changed.",
        )
        expect.that(
            same, headline, seen="other numbers", expected="the numbers of before", likely=likely
        )
        one = model.fc1.weight.detach().clone()
        model.init_weights()
        likely = "a seed is set inside init_weights: leave seeds to the caller"
        same, headline = torch.equal(one, model.fc1.weight), "Two calls draw the same weights."
        expect.that(not same, headline, seen="equal weights", expected="new ones", likely=likely)
        kept, headline = model.fc1.weight is weight, "fc1.weight is another parameter than before."
        likely = (
            "an optimizer made earlier would not know it: fill the one that is there, with a"
            " function ending in _"
        )
        expect.that(
            kept,
            headline,
            seen="a new parameter",
            expected="the same one, with new numbers",
            likely=likely,
        )

    def test_the_seed_decides_how_a_model_begins(self, kata):
        sizes = {"input_dim": 300, "hidden_dim": 200, "dropout_p": 0.1, "num_classes": 3}
        regularized.check_seeded(lambda seed: kata.seeded(seed, **sizes))

    @pytest.mark.placement
    def test_draws_weights_where_the_model_is(self, kata, device):
        model = expect.moved(regularized.small(kata, dropout_p=0.1), device)
        model.init_weights()
        expect.on_device(model.fc1.weight, device, what="fc1.weight after init_weights")

    @pytest.mark.placement
    def test_a_seeded_model_begins_on_the_cpu_and_can_be_moved(self, kata, device):
        model = kata.seeded(1, input_dim=2, hidden_dim=10, dropout_p=0.1, num_classes=3)
        expect.on_device(model.fc1.weight, torch.device("cpu"), what="fc1.weight of a new model")
        expect.on_device(
            expect.moved(model, device)(torch.randn(4, 2, device=device)), device, what="The output"
        )


@pytest.mark.task("depth")
class TestDepth:
    @pytest.mark.parametrize(
        "std", [0.01, (2 / 300) ** 0.5, 1.0], ids=["dies out", "stays", "explodes"]
    )
    def test_the_weights_decide_what_becomes_of_the_signal(self, kata, std):
        x = torch.randn(200, 300)
        with expect.untouched("The input", x):
            regularized.check_signal(kata.deviations(x, std), std, width=300, layers=10)

    def test_every_layer_has_weights_of_its_own_and_no_bias(self, kata):
        regularized.check_layers(kata.deviations)

    @pytest.mark.placement
    def test_measures_on_the_device_of_the_signal(self, kata, device):
        regularized.check_signal(
            kata.deviations(torch.randn(200, 300, device=device), 0.1, layers=4),
            0.1,
            width=300,
            layers=4,
        )


@pytest.mark.task("overfit", needs="model")
class TestOverfit:
    def test_first_loss_is_the_cross_entropy(self, kata):
        model, (data, _) = regularized.small(kata, dropout_p=0.0), nonsense()
        scores = model(data.features).detach()
        with expect.untouched("The data", data.features, data.labels):
            losses = kata.overfit(model, data.features, data.labels, epochs=3)
        expect.losses(losses, epochs=3, what="overfit(...)")
        causes = {SOFTMAX_INSIDE: F.cross_entropy(F.softmax(scores, dim=1), data.labels)}
        right = F.cross_entropy(scores, data.labels)
        expect.close(losses[0], right, what="The loss of the first epoch", causes=causes)

    def test_every_step_follows_the_gradient(self, kata):
        model, (data, _) = regularized.small(kata, dropout_p=0.0), nonsense()
        wrong = {
            SOFTMAX_INSIDE: lambda scores, labels: F.cross_entropy(F.softmax(scores, dim=1), labels)
        }
        run = lambda: kata.overfit(model, data.features, data.labels, epochs=4)  # noqa: E731
        training.watch(run, model, data.features, data.labels).follow(nn.CrossEntropyLoss(), wrong)

    @pytest.mark.parametrize("before", [True, False], ids=["training", "evaluation"])
    def test_trains_in_training_mode_and_restores_the_mode(self, kata, before):
        model, (data, _), seen = (
            regularized.small(kata, dropout_p=0.1).train(before),
            nonsense(),
            [],
        )
        model.fc1.register_forward_hook(lambda module, inputs, output: seen.append(module.training))
        kata.overfit(model, data.features, data.labels, epochs=2)
        likely = "model.train() is missing before the loop, so that dropout sleeps"
        expect.that(
            any(seen),
            "The model does not train in training mode.",
            seen=seen,
            expected=[True] * 2,
            likely=likely,
        )
        headline = "The model is left in another mode than it came in."
        likely, seen = (
            "keep model.training at the start, and give it back: model.train(mode)",
            f"training={model.training}",
        )
        expect.that(
            model.training == before,
            headline,
            seen=seen,
            expected=f"training={before}",
            likely=likely,
        )

    def test_learns_nonsense_by_heart(self, kata, mark):
        model, (known, unknown) = (
            kata.MLP(input_dim=2, hidden_dim=302, dropout_p=0.1, num_classes=3),
            nonsense(),
        )
        losses = kata.overfit(model, known.features, known.labels)
        model.eval()
        learned, new = (
            (model(part.features).argmax(dim=1) == part.labels).float().mean()
            for part in (known, unknown)
        )
        stuck = (
            "the loss has hardly left ln 3 = 1.099, where guessing begins: the optimizer's steps"
            " are too small, try Adam"
        )
        causes = [stuck] if 1.0 < losses[-1] < 1.2 else []
        expect.reaches(mark("k18.overfit.accuracy"), learned, history=losses, causes=causes)
        expect.reaches(mark("k18.overfit.gap"), learned - new, history=losses, causes=causes)

    @pytest.mark.placement
    def test_trains_on_its_device(self, kata, device):
        model, (known, _) = expect.moved(regularized.small(kata, dropout_p=0.1), device), nonsense()
        data = [known.features.to(device), known.labels.to(device)]
        placement.check_training(
            lambda: kata.overfit(model, *data, epochs=2), model, data, epochs=2
        )
