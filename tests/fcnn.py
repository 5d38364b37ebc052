"""For the fully connected network of k19: the pass by the formula, the checks of its parts, and the
steps of a training.
"""

from collections.abc import Callable, Mapping
from types import ModuleType

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim.optimizer import register_optimizer_step_pre_hook

from tests import calls, expect

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


def share(
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
