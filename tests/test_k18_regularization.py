"""k18: dropout where and when it belongs, starting weights of the right size, and a network that
memorizes nonsense.
"""

from functools import partial

import pytest
import torch
from torch.nn import functional as F

from katas.given.data import nonsense
from tests.support import expect, formula, modes, placement, signals, training

ONE_MASK = "the mask has a single row: give nn.Dropout the hidden activations of all examples"
SQUARE = 60  # inputs, hidden units and outputs of the network that the tests of dropout use
WHOLE = "the mask has a single column: every hidden activation is dropped or kept by itself"
WEIGHTED = "the classes are weighted by their counts: this loss takes all examples alike"
RULE = training.Rule(
    F.cross_entropy,
    wrong=training.CLASS_LOSSES
    | {WEIGHTED: lambda z, y: F.cross_entropy(z, y, weight=1 / y.bincount(minlength=3))},
    default=200,
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
        hidden, headline = model.fc1.out_features, "There are not hidden_dim hidden units."
        likely = "a size is written into the code: use the arguments"
        expect.that(hidden == 6, headline, seen=hidden, expected=6, likely=likely)
        causes = {"the probability is written into the code: nn.Dropout(dropout_p)": 0.1}
        expect.close(
            model.dropout.p, 0.3, what="The probability of the dropout layer", causes=causes
        )

    def test_evaluation_follows_the_formula(self, kata):
        model, x = small(kata, dropout_p=0.25).eval(), 2 * torch.randn(25, 2)
        with expect.untouched("The input", x):
            one = model(x)
        expect.that(
            torch.equal(one, model(x)),
            "In evaluation mode two passes differ.",
            seen="two outputs for the same input",
            expected="the same output",
            likely=(
                "dropout is active in evaluation: self.dropout(...) knows the mode, F.dropout needs"
                " training=self.training"
            ),
        )

        def given(between, end=lambda scores: scores):
            return lambda x: end(model.fc2(between(model.fc1(x)))).detach()

        formula.check(
            lambda x: model(x),
            given(F.relu),
            {"25 examples": (x,), "a single example": (torch.randn(1, 2),)},
            what="The output in evaluation mode",
            wrong={
                "the relu after fc1 is missing": given(lambda z: z),
                "a relu cuts off the negative scores: it belongs between the layers, not at the"
                " end": given(F.relu, F.relu),
                "these are probabilities, and the model gives raw scores: leave the softmax out": (
                    given(F.relu, lambda scores: F.softmax(scores, dim=1))
                ),
                "the activations are scaled in evaluation too: there dropout leaves them alone": [
                    given(lambda z: F.relu(z) / 0.75),
                    given(lambda z: F.relu(z) * 0.75),
                ],
                "a single example loses its row: squeeze() drops every dimension of size 1": (
                    given(F.relu, torch.squeeze)
                ),
                "this is another activation than relu": [
                    given(each) for each in (torch.tanh, torch.sigmoid, F.leaky_relu, F.gelu, F.elu)
                ],
            },
        )

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
            "F.dropout drops with 0.5 unless it is told another probability": [5.0, 8.0],
        }
        likely = "the output here is 5 + the hidden activation: x -> fc1 -> relu -> dropout -> fc2"
        expect.that(
            seen == right,
            "Dropout with p = 0.2 on hidden activations of 1.5: they don't become 0 and 1.5 / 0.8 ="
            " 1.875.",
            seen=f"outputs {seen[:6]}",
            expected=f"outputs {right}",
            likely=expect.told(*(cause for cause, wrong in causes.items() if seen == wrong))
            or likely,
        )
        dropped = (output == 5).float().mean().item()
        likely = "the probability is not dropout_p"
        if abs(dropped - 0.8) < 0.03:
            likely = expect.told("p is the probability of being dropped, not of being kept")
        elif (output == output[0]).all():
            likely = expect.told(ONE_MASK)
        elif (output == output[:, :1]).all():
            likely = expect.told(WHOLE)
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
        same = bool((one == one[:, :1]).all())
        headline, seen = "An example loses all of its units or none.", "rows of equal numbers"
        expect.that(not same, headline, seen=seen, expected="some of the units", likely=WHOLE)

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
            "these are uniform numbers between -std and std: the bounds are sqrt(3) * std": (
                right / 3**0.5
            ),
            "this is the variance where the standard deviation belongs: take its root": right**2,
        }
        seen, mean = model.fc1.weight.std().item(), model.fc1.weight.mean().item()
        fitting = (cause for cause, wrong in causes.items() if abs(seen / wrong - 1) < 0.02)
        likely = "init.xavier_normal_(self.fc1.weight, gain=init.calculate_gain('relu'))"
        expect.that(
            abs(seen / right - 1) < 0.03,
            f"Weights of {inputs} inputs and {hidden} outputs have the wrong standard deviation.",
            seen=f"{seen:.4f}",
            expected=f"{right:.4f}",
            likely=expect.told(*fitting) or likely,
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
        expect.that(
            weight.requires_grad,
            "fc1.weight does not learn any more.",
            seen="requires_grad=False",
            expected="requires_grad=True",
            likely="requires_grad is switched off: torch.no_grad() is enough while numbers change",
        )

    def test_a_seeded_model_has_the_sizes_that_it_is_told(self, kata):
        expect.printed(
            kata.seeded(3, input_dim=4, hidden_dim=17, dropout_p=0.35, num_classes=6),
            """
            MLP(
              (fc1): Linear(in_features=4, out_features=17, bias=True)
              (dropout): Dropout(p=0.35, inplace=False)
              (fc2): Linear(in_features=17, out_features=6, bias=True)
            )
            """,
        )

    def test_the_seed_decides_how_a_model_begins(self, kata):
        sizes = {"input_dim": 300, "hidden_dim": 200, "dropout_p": 0.1, "num_classes": 3}
        models = []
        for seed in (1, 1, 2, 0, 0):
            models.append(kata.seeded(seed, **sizes))
            torch.rand(3)  # somebody else draws in between
        one, same, other, zero, again = (dict(model.named_parameters()) for model in models)
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
        expect.that(
            all(torch.equal(zero[name], again[name]) for name in zero),
            "Two models with seed 0 start differently.",
            seen="different numbers",
            expected="the same numbers, as with any other seed",
            likely="0 counts as False in an `if`: set the seed without a condition",
        )
        expect.that(
            one["fc1.weight"] is not same["fc1.weight"],
            "The second call with the same seed gives the first model again.",
            seen="one model, which both callers would train",
            expected="a new model with the same numbers",
            likely="the models are kept from call to call: make a new one each time",
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
        x = signals.small_and_large(300)
        before = x.clone()
        with expect.untouched("The input", x):
            signal = kata.deviations(x, std)
        signals.check(signal, before, std, layers=10)

    def test_measures_all_activations_of_a_single_example(self, kata):
        (seen,) = signals.numbers(kata.deviations(torch.ones(1, 300), 0.1, 1), layers=1)
        right = signals.RELU_SHARE * 0.1 * 300**0.5
        likely = "the deviation is that of all numbers in the layer: activations.std()"
        if seen != seen or seen == 0:
            likely = expect.told(
                "each unit is measured by itself, over the examples: activations.std() is the"
                " deviation of all numbers"
            )
        expect.that(
            abs(seen / right - 1) < 0.4,
            "The deviation of a single example's activations is not right.",
            seen=f"{seen:.3g}",
            expected=f"about {right:.3g}",
            likely=likely,
        )

    def test_every_layer_has_weights_of_its_own_and_no_bias(self, kata):
        x = torch.randn(5, 40)
        expect.that(
            kata.deviations(x, 0.3, 1) != kata.deviations(x, 0.3, 1),
            "Two calls draw the same weights.",
            seen="equal deviations",
            expected="new random numbers in every call",
            likely="a seed is set inside deviations: leave seeds to the caller",
        )
        factors = []
        for _ in range(200):  # of eight, seven have a negative weight, and leave nothing
            signal = kata.deviations(torch.tensor([[0.0], [1.0]]), 1.0, 3)
            first, second, third = signals.numbers(signal, 3)
            factors += [(second / first, third / second)] if third > 0 else []
        unlike = [pair for pair in factors if abs(pair[0] - pair[1]) > 1e-4 * pair[0]]
        headline = "All layers have the same weights."
        likely = "draw them inside the loop, new ones for every layer"
        seen = (
            "the same factor from layer to layer, every time"
            if factors
            else "nothing ever comes through three layers of one unit"
        )
        expect.that(unlike, headline, seen=seen, expected="different factors", likely=likely)
        signal = kata.deviations(torch.zeros(5, 4), 1.0, 3)
        headline = "Zeros do not stay zeros."
        likely = "the layers have a bias: nn.Linear(..., bias=False), or a product alone"
        expect.that(signal == [0.0] * 3, headline, seen=signal, expected=[0.0] * 3, likely=likely)

    @pytest.mark.placement
    def test_measures_on_the_device_of_the_signal(self, kata, device):
        x = signals.small_and_large(300)
        signal = placement.same(
            partial(kata.deviations, std=0.1, layers=4),
            x.to(device),
            device=device,
            what="The deviations",
        )
        signals.check(signal, x, 0.1, layers=4)


@pytest.mark.task("overfit", needs="model")
class TestOverfit:
    def test_every_step_follows_the_gradient(self, kata):
        model, data = small(kata, dropout_p=0.0), points()
        for epochs in (4, 3):  # the second call goes on from there
            training.check_steps(training.run(model, kata.overfit, *data, RULE, epochs=epochs))

    def test_returns_the_loss_of_each_epoch(self, kata):
        data = points()
        for epochs in (5, 0):  # without a number it makes 200
            model = small(kata, dropout_p=0.0)
            training.check_losses(training.run(model, kata.overfit, *data, RULE, epochs=epochs))

    def test_makes_every_epoch(self, kata):
        training.check_every_epoch(kata.overfit)

    @pytest.mark.parametrize("before", [True, False], ids=["training", "evaluation"])
    def test_trains_in_training_mode_and_restores_the_mode(self, kata, before):
        model, data = small(kata, dropout_p=0.1).train(before), points()
        run = training.run(model, kata.overfit, *data, RULE, epochs=3)
        seen = run.record.training.tolist()
        expect.that(
            all(seen),
            "The model does not train in training mode.",
            seen=seen,
            expected=[True] * 3,
            likely=expect.told(
                "eval() in the loop switches dropout off for the next epoch: model.train() belongs"
                " before each forward pass"
                if seen[0]
                else "model.train() is missing before the loop, so dropout may be off"
            ),
        )
        modes.expect_left(model, before)

    def test_learns_nonsense_by_heart(self, kata, mark):
        model, (known, unknown) = (
            kata.MLP(input_dim=2, hidden_dim=302, dropout_p=0.1, num_classes=3),
            nonsense(),
        )
        began = size_of(model)
        losses = kata.overfit(model, known.features, known.labels)
        expect.losses(losses, epochs=200, what="overfit(...)")
        model.eval()
        learned, new = (
            (model(part.features).argmax(dim=1) == part.labels).float().mean()
            for part in (known, unknown)
        )
        stuck = (
            "the loss has hardly left ln 3 = 1.099, the loss of guessing: the optimizer's steps"
            " are too small, try Adam"
        )
        shrunk = (
            "the weights have shrunk to a fraction of what they were: weight_decay keeps a network"
            " from memorizing"
        )
        causes = [shrunk if size_of(model) < began / 2 else stuck] if 1.0 < losses[-1] < 1.2 else []
        expect.reaches(mark("k18.overfit.accuracy"), learned, history=losses, causes=causes)
        expect.reaches(mark("k18.overfit.gap"), learned - new, history=losses, causes=causes)

    @pytest.mark.placement
    def test_trains_on_its_device(self, kata, device):
        known, _ = nonsense()
        data = [known.features.to(device), known.labels.to(device)]
        for dropout_p in (0.1, 0.0):  # a GPU drops other units than the CPU
            model = expect.moved(small(kata, dropout_p=dropout_p), device)
            placement.check_training(partial(kata.overfit, epochs=2), model, data, epochs=2)


def small(kata, dropout_p):
    return kata.MLP(input_dim=2, hidden_dim=10, dropout_p=dropout_p, num_classes=3)


def points():
    """Some of the points: the classes are not equally common."""
    known, rows = nonsense()[0], [*range(35), *range(35, 70, 2), *range(70, 105, 3)]
    return known.features[rows], known.labels[rows]


def size_of(model):
    return sum(weight.detach().square().sum().item() for weight in model.parameters()) ** 0.5


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
