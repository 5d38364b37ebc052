"""k18: dropout where and when it belongs, starting weights of the right size, and a network that
memorizes nonsense.
"""

from functools import partial

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from katas.given.data import nonsense
from tests.support import expect, placement, training

ONE_MASK = "the mask has a single row: give nn.Dropout the hidden activations of all examples"
SQUARE = 60  # inputs, hidden units and outputs of the network that the tests of dropout use
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
                "p is the probability of being dropped: nn.Dropout(dropout_p)": "p=0.9",
                "the probability is not passed on: nn.Dropout(dropout_p)": "p=0.5",
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
        model, x = small(kata, dropout_p=0.5).eval(), 2 * torch.randn(25, 2)
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
        expect.that(
            torch.equal(seen, again),
            "In evaluation mode two passes differ.",
            seen="two outputs for the same input",
            expected="the same output",
            likely=(
                "dropout is active in evaluation: self.dropout(...) knows the mode, F.dropout needs"
                " training=self.training"
            ),
        )
        expect.close(seen, right, what="The output in evaluation mode", causes=causes)

    def test_training_drops_and_scales_the_hidden_activations(self, kata):
        output = square(kata, dropout_p=0.2).train()(torch.ones(200, SQUARE))
        seen = [round(value, 3) for value in output.unique().tolist()]
        right = [5.0, 6.875]  # 5 + 0, and 5 + 1.5 / (1 - p)
        causes = {
            "dropout is not applied: self.dropout(...) belongs in forward": [6.5],
            "what remains is not scaled by 1 / (1 - p): nn.Dropout does that by itself": [5.0, 6.5],
            "the scores are dropped: dropout belongs before fc2, not after it": [0.0, 8.125],
            "the inputs are dropped: dropout belongs after fc1 and its relu": [5.5, 6.75],
            "dropout is applied twice": [5.0, 7.344],
        }
        likely = "the output here is 5 + the hidden activation: x -> fc1 -> relu -> dropout -> fc2"
        expect.that(
            seen == right,
            "Dropout with p = 0.2 on hidden activations of 1.5: they don't become 0 and 1.5 / 0.8 ="
            " 1.875.",
            seen=f"outputs {seen[:6]}",
            expected=f"outputs {right}",
            likely=next((cause for cause, wrong in causes.items() if seen == wrong), likely),
        )
        dropped = (output == 5).float().mean().item()
        likely = "the probability is not dropout_p"
        if abs(dropped - 0.8) < 0.03:
            likely = expect.told("p is the probability of being dropped, not of being kept")
        elif (output == output[0]).all():
            likely = expect.told(ONE_MASK)
        expect.that(
            abs(dropped - 0.2) < 0.03,
            "The share that is dropped is not p.",
            seen=f"{dropped:.2f}",
            expected="about 0.2",
            likely=likely,
        )

    def test_every_pass_and_every_example_drops_different_units(self, kata):
        model, x = square(kata, 0.5).train(), torch.ones(20, SQUARE)
        one = model(x)
        other = model(x)
        same = torch.equal(one, other)
        expect.that(
            not same,
            "Two passes drop the same.",
            seen="equal outputs",
            expected="different units each time",
            likely="the mask is made once and kept: nn.Dropout draws a new one in every pass",
        )
        same = bool((one == one[0]).all())
        headline = "All examples lose the same units."
        expect.that(
            not same, headline, seen="equal rows", expected="different rows", likely=ONE_MASK
        )

    def test_gradients_reach_every_parameter(self, kata):
        model = small(kata, dropout_p=0.1)
        F.cross_entropy(model(torch.randn(30, 2)), torch.arange(30) % 3).backward()
        expect.gradients_reach(model)

    @pytest.mark.placement
    def test_follows_its_device(self, kata, device):
        x = torch.randn(4, 2)
        for dropout_p in (0.1, 0.0):  # a GPU drops other units than the CPU
            model, what = small(kata, dropout_p=dropout_p), "The output in training mode"
            placement.check(model, x, device=device, what=what)
        what = "The output in evaluation mode"
        placement.check(small(kata, dropout_p=0.1).eval(), x, device=device, what=what)


@pytest.mark.task("init", needs="model")
class TestInit:
    @pytest.mark.parametrize(("inputs", "hidden"), [(300, 200), (50, 800)])
    def test_weights_have_the_standard_deviation_of_xaviers_rule(self, kata, inputs, hidden):
        model = kata.MLP(input_dim=inputs, hidden_dim=hidden, dropout_p=0.1, num_classes=3)
        before = model.fc1.weight.std().item()
        model.init_weights()
        right = (4 / (inputs + hidden)) ** 0.5
        causes = {
            "the weights are as they were: xavier_normal_ works in place, on self.fc1.weight": (
                before
            ),
            "the gain of a ReLU is missing: gain=init.calculate_gain('relu')": right / 2**0.5,
            "the gain is 2 and should be its root: init.calculate_gain('relu')": right * 2**0.5,
            "this is Kaiming's rule, sqrt(2 / inputs): Xavier's has inputs + outputs": (
                (2 / inputs) ** 0.5
            ),
            "this is sqrt(1 / inputs): Xavier's rule has inputs + outputs, and a gain": (
                (1 / inputs) ** 0.5
            ),
            "these are standard normal numbers: Xavier's rule depends on the layer's size": 1.0,
        }
        seen, mean = model.fc1.weight.std().item(), model.fc1.weight.mean().item()
        fitting = (cause for cause, wrong in causes.items() if abs(seen / wrong - 1) < 0.02)
        likely = "init.xavier_normal_(self.fc1.weight, gain=init.calculate_gain('relu'))"
        expect.that(
            abs(seen / right - 1) < 0.03,
            f"Weights of {inputs} inputs and {hidden} outputs have the wrong standard deviation.",
            seen=f"{seen:.4f}",
            expected=f"{right:.4f}",
            likely=next(fitting, likely),
        )
        expect.that(
            abs(mean) < 0.05 * right,
            "The mean of the weights is not near 0.",
            seen=f"{mean:.4f}",
            expected="about 0",
            likely="Xavier's rule draws around 0",
        )

    def test_draws_anew_and_leaves_the_rest_alone(self, kata):
        model = small(kata, dropout_p=0.1)
        weight = model.fc1.weight
        others = [model.fc1.bias, model.fc2.weight, model.fc2.bias]
        before = [value.detach().clone() for value in others]
        likely = "init_weights is for fc1.weight alone"
        model.init_weights()
        same = all(map(torch.equal, others, before))
        headline = "fc1.bias, fc2.weight or fc2.bias changed."
        expect.that(
            same,
            headline,
            seen="different numbers",
            expected="the numbers from before",
            likely=likely,
        )
        one = model.fc1.weight.detach().clone()
        model.init_weights()
        likely = "a seed is set inside init_weights: leave seeds to the caller"
        same, headline = torch.equal(one, model.fc1.weight), "Two calls draw the same weights."
        expect.that(not same, headline, seen="equal weights", expected="new ones", likely=likely)
        expect.that(
            model.fc1.weight is weight,
            "fc1.weight is a different parameter than before.",
            seen="a new parameter",
            expected="the same one, with new numbers",
            likely=(
                "an optimizer made earlier would not know it: fill the one that is there, with a"
                " function ending in _"
            ),
        )

    def test_the_seed_decides_how_a_model_begins(self, kata):
        sizes = {"input_dim": 300, "hidden_dim": 200, "dropout_p": 0.1, "num_classes": 3}
        models = []
        for seed in (1, 1, 2):
            models.append(kata.seeded(seed, **sizes))
            torch.rand(3)  # somebody else draws in between
        one, same, other = (dict(model.named_parameters()) for model in models)
        unlike = [name for name in one if not torch.equal(one[name], same[name])]
        likely = "torch.manual_seed(seed) is missing"
        if unlike and "fc1.weight" not in unlike:
            likely = (
                "the seed comes too late: nn.Linear draws its numbers when it is made, so"
                " torch.manual_seed goes before MLP(...)"
            )
        expect.that(
            not unlike,
            "Two models with the same seed start differently.",
            seen=f"different numbers in {', '.join(unlike)}",
            expected="the same numbers in all parameters",
            likely=likely,
        )
        alike = [name for name in one if torch.equal(one[name], other[name])]
        headline = "Seeds 1 and 2 give the same numbers."
        likely = "a seed is written into the code: use the argument"
        expect.that(
            not alike,
            headline,
            seen=f"the same {', '.join(alike)}",
            expected="others",
            likely=likely,
        )
        weight, headline = one["fc1.weight"], "The weights of fc1 do not start by Xavier's rule."
        right, plain = (4 / sum(weight.shape)) ** 0.5, (3 * weight.shape[1]) ** -0.5
        seen = weight.std().item()
        likely = (
            "model.init_weights() is missing"
            if abs(seen / plain - 1) < 0.02
            else "see what init_weights draws"
        )
        expected = f"a standard deviation of {right:.4f}"
        expect.that(
            abs(seen / right - 1) < 0.03,
            headline,
            seen=f"{seen:.4f}",
            expected=expected,
            likely=likely,
        )

    @pytest.mark.placement
    def test_draws_weights_where_the_model_is(self, kata, device):
        model = kata.MLP(input_dim=300, hidden_dim=200, dropout_p=0.1, num_classes=3)
        placement.same(
            lambda model: model.init_weights(),
            model := expect.moved(model, device),
            device=device,
            what="What init_weights draws",
        )
        expect.on_device(model.fc1.weight, device, what="fc1.weight after init_weights")
        seen, right = model.fc1.weight.std().item(), (4 / 500) ** 0.5
        expect.that(
            abs(seen / right - 1) < 0.03,
            f"The weights drawn on {device} have a different standard deviation than on the CPU.",
            seen=f"{seen:.4f}",
            expected=f"{right:.4f}",
            likely=placement.OTHER_WAY,
        )

    @pytest.mark.placement
    def test_a_seeded_model_begins_on_the_cpu_and_can_be_moved(self, kata, device):
        model = kata.seeded(1, input_dim=2, hidden_dim=10, dropout_p=0.1, num_classes=3)
        expect.on_device(model.fc1.weight, torch.device("cpu"), what="fc1.weight of a new model")
        placement.check(model.eval(), torch.randn(4, 2), device=device, what="The output")


@pytest.mark.task("depth")
class TestDepth:
    @pytest.mark.parametrize(
        "std", [0.01, (2 / 300) ** 0.5, 1.0], ids=["dies out", "stays", "explodes"]
    )
    def test_the_weights_decide_what_becomes_of_the_signal(self, kata, std):
        x = torch.randn(200, 300)
        with expect.untouched("The input", x):
            check_signal(kata.deviations(x, std), std, width=300, layers=10)

    def test_every_layer_has_weights_of_its_own_and_no_bias(self, kata):
        factors = []
        for _ in range(200):  # half of the weights are negative, and leave nothing
            first, second = kata.deviations(torch.tensor([[0.0], [1.0]]), 1.0, 2)
            # 0 and w have the deviation w / sqrt(2)
            factors += [(first * 2**0.5, second / first)] if second > 0 else []
        unlike = [pair for pair in factors if abs(pair[0] - pair[1]) > 1e-4 * pair[0]]
        headline = "All layers have the same weights."
        likely = "draw them inside the loop, new ones for every layer"
        seen = (
            "the same factor in both layers, every time"
            if factors
            else "nothing ever comes through two layers of one unit"
        )
        expect.that(unlike, headline, seen=seen, expected="different factors", likely=likely)
        signal = kata.deviations(torch.zeros(5, 4), 1.0, 3)
        headline = "Zeros do not stay zeros."
        likely = "the layers have a bias: nn.Linear(..., bias=False), or a product alone"
        expect.that(signal == [0.0] * 3, headline, seen=signal, expected=[0.0] * 3, likely=likely)

    @pytest.mark.placement
    def test_measures_on_the_device_of_the_signal(self, kata, device):
        check_signal(
            placement.same(
                partial(kata.deviations, std=0.1, layers=4),
                torch.randn(200, 300, device=device),
                device=device,
                what="The deviations",
            ),
            0.1,
            width=300,
            layers=4,
        )


@pytest.mark.task("overfit", needs="model")
class TestOverfit:
    def test_first_loss_is_the_cross_entropy(self, kata):
        model, (data, _) = small(kata, dropout_p=0.0), nonsense()
        scores = model(data.features).detach()
        with expect.untouched("The data", data.features, data.labels):
            losses = kata.overfit(model, data.features, data.labels, epochs=3)
        expect.losses(losses, epochs=3, what="overfit(...)")
        causes = {SOFTMAX_INSIDE: F.cross_entropy(F.softmax(scores, dim=1), data.labels)}
        right = F.cross_entropy(scores, data.labels)
        expect.close(losses[0], right, what="The loss of the first epoch", causes=causes)

    def test_every_step_follows_the_gradient(self, kata):
        model, (data, _) = small(kata, dropout_p=0.0), nonsense()
        wrong = {
            SOFTMAX_INSIDE: lambda scores, labels: F.cross_entropy(F.softmax(scores, dim=1), labels)
        }
        run = lambda: kata.overfit(model, data.features, data.labels, epochs=4)  # noqa: E731
        training.watch(run, model, data.features, data.labels).follow(nn.CrossEntropyLoss(), wrong)

    @pytest.mark.parametrize("before", [True, False], ids=["training", "evaluation"])
    def test_trains_in_training_mode_and_restores_the_mode(self, kata, before):
        model = small(kata, dropout_p=0.1).train(before)
        data, _ = nonsense()
        seen = []
        model.fc1.register_forward_hook(lambda module, inputs, output: seen.append(module.training))
        kata.overfit(model, data.features, data.labels, epochs=2)
        expect.that(
            any(seen),
            "The model does not train in training mode.",
            seen=seen,
            expected=[True] * 2,
            likely="model.train() is missing before the loop, so dropout may be off",
        )
        expect.that(
            model.training == before,
            "The model is not left in the mode it came in.",
            seen=f"training={model.training}",
            expected=f"training={before}",
            likely="keep model.training at the start, and restore it: model.train(mode)",
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
            "the loss has hardly left ln 3 = 1.099, the loss of guessing: the optimizer's steps"
            " are too small, try Adam"
        )
        causes = [stuck] if 1.0 < losses[-1] < 1.2 else []
        expect.reaches(mark("k18.overfit.accuracy"), learned, history=losses, causes=causes)
        expect.reaches(mark("k18.overfit.gap"), learned - new, history=losses, causes=causes)

    @pytest.mark.placement
    def test_trains_on_its_device(self, kata, device):
        known, _ = nonsense()
        data = [known.features.to(device), known.labels.to(device)]
        for dropout_p in (0.1, 0.0):  # a GPU drops other units than the CPU
            model = expect.moved(small(kata, dropout_p=dropout_p), device)
            placement.check_training(partial(kata.overfit, epochs=2), model, data, epochs=2)


# the deviation of max(0, z), where z is normal with deviation 1
RELU_SHARE = (0.5 - 0.5 / torch.pi) ** 0.5


def small(kata, dropout_p):
    return kata.MLP(input_dim=2, hidden_dim=10, dropout_p=dropout_p, num_classes=3)


def square(kata, dropout_p):
    """A model that gives 5 + the hidden activation; for an input of ones every hidden activation is
    1.5 before dropout.
    """
    model = kata.MLP(input_dim=SQUARE, hidden_dim=SQUARE, dropout_p=dropout_p, num_classes=SQUARE)
    with torch.no_grad():
        for layer, bias in ((model.fc1, 0.5), (model.fc2, 5.0)):
            layer.weight.copy_(torch.eye(SQUARE))
            layer.bias.fill_(bias)
    return model


def check_signal(signal, std, width, layers):
    """Plain numbers that start and grow as weights of this standard deviation make them, from
    standard normal random numbers.
    """
    kinds = (
        {type(number).__name__ for number in signal}
        if isinstance(signal, list)
        else {type(signal).__name__}
    )
    headline = "deviations(...) does not give a number for each layer."
    expected = f"a list of {layers} float"
    is_list = isinstance(signal, list) and len(signal) == layers and kinds == {"float"}
    seen = (
        f"{', '.join(sorted(kinds))} (length {len(signal) if hasattr(signal, '__len__') else '?'})"
    )
    likely = (
        "`return` is missing"
        if signal is None
        else "append activations.std().item() once in every layer, after its relu"
    )
    expect.that(is_list, headline, seen=seen, expected=expected, likely=likely)
    # what a layer makes of the signal without and with its relu
    wide, step = std * width**0.5, std * (width / 2) ** 0.5
    causes = {
        "the relu is missing: it follows the product in every layer": (wide, wide),
        "the relu comes after the measurement: measure what it gives": (wide, step),
        "this is the variance: std() is its root": ((RELU_SHARE * wide) ** 2, step**2),
        "std is taken for the variance of the weights: std * torch.randn(...)": (
            RELU_SHARE * wide / std**0.5,
            step / std**0.5,
        ),
        "the weights do not depend on std: std * torch.randn(...)": (
            RELU_SHARE * wide / std,
            step / std,
        ),
        "this is the mean of the activations: measure their standard deviation": (
            wide / (2 * torch.pi) ** 0.5,
            step,
        ),
    }
    right = (RELU_SHARE * wide, step)
    growth = (max(signal[-1], 0.0) / max(signal[0], 1e-30)) ** (1 / (layers - 1))
    fitting = [cause for cause, wrong in causes.items() if near((signal[0], growth), wrong)]
    likely = (
        fitting[0]
        if fitting
        else "each layer is relu(activations @ W), with W = std * torch.randn(width, width)"
    )
    seen, expected = (
        f"{pair[0]:.3g} after the first layer, then {pair[1]:.3g} times"
        for pair in ((signal[0], growth), right)
    )
    expect.that(
        near((signal[0], growth), right),
        (
            f"The signal does not grow as weights of standard deviation {std:.3g} make it, from"
            f" {width} standard normal numbers per row."
        ),
        seen=seen,
        expected=f"about {expected}",
        likely=likely,
    )


def near(seen, expected):
    """Both numbers as expected, up to chance: 5 % for the first layer, 9 % for the growth."""
    return abs(seen[0] / expected[0] - 1) < 0.05 and abs(seen[1] / expected[1] - 1) < 0.09
