"""For k18: models whose dropout can be seen, and the checks of dropout, starting weights, seeds and
signals.
"""

from collections.abc import Callable
from types import ModuleType

import torch
from torch import Tensor, nn

from tests import expect

ONE_MASK = "the mask has a single row: give nn.Dropout the hidden activations of all examples"
SQUARE = 60  # inputs, hidden units and outputs of the network that the tests of dropout use
# the deviation of max(0, z), where z is normal with deviation 1
RELU_SHARE = (0.5 - 0.5 / torch.pi) ** 0.5


def small(kata: ModuleType, dropout_p: float) -> nn.Module:
    return kata.MLP(input_dim=2, hidden_dim=10, dropout_p=dropout_p, num_classes=3)


def square(kata: ModuleType, dropout_p: float) -> nn.Module:
    """A model that gives 5 + the hidden activation; for an input of ones every hidden activation is
    1.5 before dropout.
    """
    model = kata.MLP(input_dim=SQUARE, hidden_dim=SQUARE, dropout_p=dropout_p, num_classes=SQUARE)
    with torch.no_grad():
        for layer, bias in ((model.fc1, 0.5), (model.fc2, 5.0)):
            layer.weight.copy_(torch.eye(SQUARE))
            layer.bias.fill_(bias)
    return model


def check_dropped(model: nn.Module) -> None:
    """The square model with p = 0.2, in training mode, drops that share of its hidden activations
    and scales the others.
    """
    output = model.train()(torch.ones(200, SQUARE))
    seen = [round(value, 3) for value in output.unique().tolist()]
    # 5 + 0, and 5 + 1.5 / (1 - p)
    right, dropped = [5.0, 6.875], (output == 5).float().mean().item()
    causes = {
        "dropout is not applied: self.dropout(...) belongs into forward": [6.5],
        "what remains is not scaled by 1 / (1 - p): nn.Dropout does that by itself": [5.0, 6.5],
        "the scores are dropped: dropout belongs before fc2, not after it": [0.0, 8.125],
        "the inputs are dropped: dropout belongs after fc1 and its relu": [5.5, 6.75],
        "dropout is applied twice": [5.0, 7.344],
    }
    told = [cause for cause, wrong in causes.items() if seen == wrong]
    headline = (
        "Dropout with p = 0.2 on hidden activations of 1.5: they don't become 0 and 1.5 / 0.8 ="
        " 1.875."
    )
    likely = (
        told[0]
        if told
        else "the output here is 5 + the hidden activation: x -> fc1 -> relu -> dropout -> fc2"
    )
    expect.that(
        seen == right,
        headline,
        seen=f"outputs {seen[:6]}",
        expected=f"outputs {right}",
        likely=likely,
    )
    headline, likely = (
        "Not the right share is dropped.",
        "the probability is another one than dropout_p",
    )
    if abs(dropped - 0.8) < 0.03:
        likely = expect.told("p is the probability to be dropped, not to be kept")
    elif (output == output[0]).all():
        likely = expect.told(ONE_MASK)
    expect.that(
        abs(dropped - 0.2) < 0.03,
        headline,
        seen=f"{dropped:.2f}",
        expected="about 0.2",
        likely=likely,
    )


def check_xavier(weight: Tensor, before: float) -> None:
    """The weights (outputs, inputs) have the mean and the deviation of Xavier's rule; before is the
    deviation they had.
    """
    hidden, inputs = weight.shape
    right = (4 / (inputs + hidden)) ** 0.5
    causes = {
        "the weights are as they were: xavier_normal_ works in place, on self.fc1.weight": before,
        "the gain of a ReLU is missing: gain=init.calculate_gain('relu')": right / 2**0.5,
        "the gain is 2 and should be its root: init.calculate_gain('relu')": right * 2**0.5,
        "this is Kaiming's rule, sqrt(2 / inputs): Xavier's has inputs + outputs": (
            (2 / inputs) ** 0.5
        ),
        "this is sqrt(1 / inputs): Xavier's rule has inputs + outputs, and a gain": (
            (1 / inputs) ** 0.5
        ),
        "these are standard normal deviates: Xavier's rule depends on the layer's size": 1.0,
    }
    seen = weight.std().item()
    told = [cause for cause, wrong in causes.items() if abs(seen / wrong - 1) < 0.02]
    likely = (
        told[0]
        if told
        else "init.xavier_normal_(self.fc1.weight, gain=init.calculate_gain('relu'))"
    )
    headline = (
        f"The weights of {inputs} inputs and {hidden} outputs have another standard deviation."
    )
    expect.that(
        abs(seen / right - 1) < 0.03,
        headline,
        seen=f"{seen:.4f}",
        expected=f"{right:.4f}",
        likely=likely,
    )
    mean, likely = weight.mean().item(), "Xavier's rule draws around 0"
    expect.that(
        abs(mean) < 0.05 * right,
        "The mean is off.",
        seen=f"{mean:.4f}",
        expected="about 0",
        likely=likely,
    )


def check_seeded(seeded: Callable[[int], nn.Module]) -> None:
    """Every parameter follows from the seed, and the weights of fc1 are those of init_weights."""
    models = []
    for seed in (1, 1, 2):
        models.append(seeded(seed))
        torch.rand(3)  # somebody else draws in between
    one, same, other = (dict(model.named_parameters()) for model in models)
    unlike = [name for name in one if not torch.equal(one[name], same[name])]
    likely = "torch.manual_seed(seed) is missing"
    if unlike and "fc1.weight" not in unlike:
        likely = (
            "the seed comes too late: nn.Linear draws its numbers when it is made, so"
            " torch.manual_seed goes before MLP(...)"
        )
    headline, seen = (
        "Two models of the same seed begin unlike.",
        f"other numbers in {', '.join(unlike)}",
    )
    expect.that(
        not unlike,
        headline,
        seen=seen,
        expected="the same numbers in all parameters",
        likely=likely,
    )
    alike = [name for name in one if torch.equal(one[name], other[name])]
    headline, likely = (
        "Seeds 1 and 2 give the same numbers.",
        "a seed is written into the code: use the argument",
    )
    expect.that(
        not alike, headline, seen=f"the same {', '.join(alike)}", expected="others", likely=likely
    )
    weight, headline = one["fc1.weight"], "The weights of fc1 do not begin by Xavier's rule."
    right, plain = (4 / sum(weight.shape)) ** 0.5, (3 * weight.shape[1]) ** -0.5
    seen = weight.std().item()
    likely = (
        "model.init_weights() is missing"
        if abs(seen / plain - 1) < 0.02
        else "see what init_weights draws"
    )
    expected = f"a standard deviation of {right:.4f}"
    expect.that(
        abs(seen / right - 1) < 0.03, headline, seen=f"{seen:.4f}", expected=expected, likely=likely
    )


def check_signal(found: object, std: float, width: int, layers: int) -> None:
    """Plain numbers that begin and grow as weights of this deviation make them, from deviates of
    deviation 1.
    """
    kinds = (
        {type(number).__name__ for number in found}
        if isinstance(found, list)
        else {type(found).__name__}
    )
    headline, expected = (
        "deviations(...) does not give a number for each layer.",
        f"a list of {layers} float",
    )
    right = isinstance(found, list) and len(found) == layers and kinds == {"float"}
    seen = f"{', '.join(sorted(kinds))} (length {len(found) if hasattr(found, '__len__') else '?'})"
    likely = (
        "`return` is missing"
        if found is None
        else "append activations.std().item() once in every layer, after its relu"
    )
    expect.that(right, headline, seen=seen, expected=expected, likely=likely)
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
    wanted, growth = (
        (RELU_SHARE * wide, step),
        (max(found[-1], 0.0) / max(found[0], 1e-30)) ** (1 / (layers - 1)),
    )
    told = [cause for cause, wrong in causes.items() if _near((found[0], growth), wrong)]
    likely = (
        told[0]
        if told
        else "each layer is relu(activations @ W), with W = std * torch.randn(width, width)"
    )
    headline = (
        f"The signal grows otherwise than weights of deviation {std:.3g} make it, from {width}"
        " deviates a row."
    )
    seen, expected = (
        f"{pair[0]:.3g} after the first layer, then {pair[1]:.3g} times"
        for pair in ((found[0], growth), wanted)
    )
    expect.that(
        _near((found[0], growth), wanted),
        headline,
        seen=seen,
        expected=f"about {expected}",
        likely=likely,
    )


def check_layers(deviations: Callable[[Tensor, float, int], list[float]]) -> None:
    """Layers of a single weight show whether each has one of its own; an input of zeros shows a
    bias.
    """
    factors = []
    for _ in range(200):  # half of the weights are negative, and leave nothing
        first, second = deviations(torch.tensor([[0.0], [1.0]]), 1.0, 2)
        # 0 and w have the deviation w / sqrt(2)
        factors += [(first * 2**0.5, second / first)] if second > 0 else []
    unlike = [pair for pair in factors if abs(pair[0] - pair[1]) > 1e-4 * pair[0]]
    headline, likely = (
        "All layers have the same weights.",
        "draw them inside the loop, anew for every layer",
    )
    seen = (
        "the same factor in both layers, every time"
        if factors
        else "nothing ever comes through two layers of one unit"
    )
    expect.that(unlike, headline, seen=seen, expected="other factors", likely=likely)
    found = deviations(torch.zeros(5, 4), 1.0, 3)
    headline, likely = (
        "Zeros do not stay zeros.",
        "the layers have a bias: nn.Linear(..., bias=False), or a product alone",
    )
    expect.that(found == [0.0] * 3, headline, seen=found, expected=[0.0] * 3, likely=likely)


def _near(seen: tuple[float, float], wanted: tuple[float, float]) -> bool:
    """Both numbers as wanted, but for the chance in the weights: 5 % in the first layer, 9 % in the
    growth.
    """
    return abs(seen[0] / wanted[0] - 1) < 0.05 and abs(seen[1] / wanted[1] - 1) < 0.09
