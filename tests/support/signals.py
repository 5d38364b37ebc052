"""A random signal that is sent through many layers, for k18: what each layer should leave of it,
and what known mistakes leave.
"""

import torch
from torch.nn import functional as F

from tests.support import expect

# the deviation of max(0, z), where z is normal with deviation 1
RELU_SHARE = (0.5 - 0.5 / torch.pi) ** 0.5
MEASURED_BEFORE = "the relu comes after the measurement: measure what it gives"


def small_and_large(width):
    """Random rows, (200, width): the first half of them is small, the other one is large."""
    return torch.randn(200, width) * torch.tensor([0.2, 1.8]).repeat_interleave(100)[:, None]


def numbers(signal, layers):
    """What deviations(...) gave: a list with a float for each layer."""
    kinds = {type(number).__name__ for number in signal} if isinstance(signal, list) else set()
    is_list = isinstance(signal, list) and len(signal) == layers and kinds == {"float"}
    names = ", ".join(sorted(kinds)) or type(signal).__name__
    length = len(signal) if hasattr(signal, "__len__") else "?"
    likely = "append activations.std().item() once in every layer, after its relu"
    if signal is None:
        likely = expect.told(expect.NO_RETURN)
    elif length == 10 and layers != 10:
        likely = expect.told("the argument layers is not used: 10 is only what it is by default")
    expect.that(
        is_list,
        "deviations(...) does not give a number for each layer.",
        seen=f"{names} (length {length})",
        expected=f"a list of {layers} float",
        likely=likely,
    )
    return signal


def check(signal, x, std, layers):
    """Plain numbers that start and grow as weights of this standard deviation make them of x."""
    signal, sizes = numbers(signal, layers), x.square().mean(dim=1).sqrt()
    wide, step = std * x.shape[1] ** 0.5, std * (x.shape[1] / 2) ** 0.5
    first = wide * (sizes.square().mean() / 2 - sizes.mean() ** 2 / (2 * torch.pi)).sqrt().item()
    right, seen = (first, step), start_and_growth(signal)
    if near(seen, right):
        return
    fitting = (
        cause for cause in MISTAKES if near(seen, start_and_growth(mistaken(cause, x, std, layers)))
    )
    texts = [
        f"{pair[0]:.3g} after the first layer, then {pair[1]:.3g} times" for pair in (seen, right)
    ]
    expect.unmet(
        f"The signal does not grow as weights of standard deviation {std:.3g} make it.",
        seen=texts[0],
        expected=f"about {texts[1]}",
        likely=expect.told(*fitting)
        or "each layer is relu(activations @ W), with W = std * torch.randn(width, width)",
    )


# what a layer makes of x with weights of this deviation, and what is measured of it
MISTAKES = {
    "the relu is missing: it follows the product in every layer": (
        lambda x, std: x @ drawn(x, std),
        torch.std,
    ),
    "this is the variance: std() is its root": (lambda x, std: layer(x, std), torch.var),
    "std is taken for the variance of the weights: std * torch.randn(...)": (
        lambda x, std: layer(x, std**0.5),
        torch.std,
    ),
    "the weights do not depend on std: std * torch.randn(...)": (
        lambda x, std: layer(x, 1.0),
        torch.std,
    ),
    "the weights do not depend on std, but on the width: std * torch.randn(...)": (
        lambda x, std: layer(x, (2 / x.shape[1]) ** 0.5),
        torch.std,
    ),
    "these are uniform weights, which are never negative: torch.randn draws normal ones": (
        lambda x, std: x @ (std * torch.rand(x.shape[1], x.shape[1])),
        torch.std,
    ),
    "this is tanh, not relu": (lambda x, std: torch.tanh(x @ drawn(x, std)), torch.std),
    "this is the mean of the activations: measure their standard deviation": (
        lambda x, std: layer(x, std),
        torch.mean,
    ),
    "this is the root of the mean square: the standard deviation leaves out the mean, std()": (
        lambda x, std: layer(x, std),
        lambda activations: activations.square().mean().sqrt(),
    ),
    "each example is measured by itself: the deviation is that of all numbers in the layer": (
        lambda x, std: layer(x, std),
        lambda activations: activations.std(dim=1).mean(),
    ),
    "each unit is measured by itself: the deviation is that of all numbers in the layer": (
        lambda x, std: layer(x, std),
        lambda activations: activations.std(dim=0).mean(),
    ),
    "only the activations above 0 are measured: the zeros count as well": (
        lambda x, std: layer(x, std),
        lambda activations: activations[activations > 0].std(),
    ),
    MEASURED_BEFORE: (lambda x, std: x.relu() @ drawn(x, std), torch.std),
}


def drawn(x, std):
    return std * torch.randn(x.shape[1], x.shape[1])


def layer(x, std):
    return F.relu(x @ drawn(x, std))


def mistaken(cause, x, std, layers):
    """The deviations that a mistake gives."""
    (make, measure), found = MISTAKES[cause], []
    for number in range(layers):
        is_whole = cause == MEASURED_BEFORE and number == 0
        x = x @ drawn(x, std) if is_whole else make(x, std)
        found.append(measure(x).item())
    return found


def start_and_growth(signal):
    """The first deviation, and the factor from layer to layer after it."""
    growth = max(signal[-1], 0.0) / max(signal[0], 1e-30)
    return signal[0], growth ** (1 / (len(signal) - 1))


def near(seen, expected):
    """Both numbers as expected, up to chance: 5 % for the first layer, 9 % for the growth."""
    pairs = zip(seen, expected, (0.05, 0.09), strict=True)
    return all(abs(one - other) < share * abs(other) for one, other, share in pairs)
