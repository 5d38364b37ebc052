"""For networks that keep their layers in linear_modules and activation_modules, and what each gave
in linear_results and activation_results: the same pass by the formula, and the check of what was
kept. And the text of a chain of layers, whether a model ends
with raw scores, and whether each new one is another."""

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor, nn

from dojo.diagnosis import counted
from tests.support import expect, values

KEPT = "the list still holds results of the pass before: empty it at the start of forward"


def by_formula(model: nn.Module, x: Tensor) -> tuple[list[Tensor], list[Tensor]]:
    """The results of the linear layers and of their activations (tanh, at the end the sigmoid),
    with the model's own weights.
    """
    scores, activations = [], []
    for layer in model.linear_modules:
        scores.append((activations[-1] if activations else x) @ layer.weight.T + layer.bias)
        activations.append(torch.tanh(scores[-1]))
    activations[-1] = torch.sigmoid(scores[-1])
    return scores, activations


def chain_text(name: str, attribute: str, parts: Sequence[str]) -> str:
    """The printed text of a model whose only attribute is an nn.Sequential of these parts."""
    lines = [f"    ({number}): {part}" for number, part in enumerate(parts)]
    return "\n".join([f"{name}(", f"  ({attribute}): Sequential(", *lines, "  )", ")"])


def check_each_new(make: Callable[[], nn.Module]) -> None:
    """Two calls make two models, each with weights of its own."""
    one, other = make(), make()
    shared = set(one.parameters()) & set(other.parameters())
    likely = "layers are made outside the function: make them inside"
    headline, seen = "Two models share parameters.", f"{len(shared)} shared"
    expect.that(not shared, headline, seen=seen, expected="none", likely=expect.told(likely))
    pairs = zip(one.parameters(), other.parameters(), strict=True)
    equal = [value for value, twin in pairs if value.ndim > 1 and torch.equal(value, twin)]
    likely = "one model is copied: make new layers in each call"
    if any(value.min() == value.max() for value in equal):
        likely = "all weights of a layer are one number: leave them as nn.Linear draws them"
    elif torch.equal(*(_state_after(make, seed) for seed in (1, 2))):
        likely = "a seed is set inside the function: leave that to its caller"
    expect.that(
        not equal,
        "Two new models have the same weights.",
        seen="equal weights",
        expected="other random weights in each",
        likely=expect.told(likely),
    )


def _state_after(make: Callable[[], nn.Module], seed: int) -> Tensor:
    torch.manual_seed(seed)
    make()
    return torch.get_rng_state()


def ends_raw(model: nn.Module, x: Tensor) -> bool:
    """No activation follows the last layer: there are parameters with which the scores rise evenly,
    however far they go. Only what comes after an activation moves them so.
    """
    before = model(x).detach()
    far = 100 + float(before.abs().max())
    for module in model.modules():
        for value in module.parameters(recurse=False):
            kept, step = value.detach().clone(), far * torch.randn_like(value)
            scores = []
            for sign in (1, -1):
                with torch.no_grad():
                    value.copy_(kept + sign * step)
                scores.append(model(x).detach())
            with torch.no_grad():
                value.copy_(kept)
            moved = (scores[0] - before).abs().max()
            is_even = (scores[0] + scores[1] - 2 * before).abs().max() < 1e-3 * moved
            if is_even and not isinstance(module, nn.PReLU):
                return True
    return False


def check_kept(
    model: nn.Module, name: str, expected: Sequence[Tensor], causes: Mapping[str, Sequence[Tensor]]
) -> None:
    """model.<name> is a list of exactly the expected tensors. A cause maps to the tensors that its
    mistake would keep.
    """
    results = getattr(model, name)
    right = isinstance(results, list) and len(results) == len(expected)
    seen = (
        f"{type(results).__name__} of {len(results)}"
        if hasattr(results, "__len__")
        else type(results).__name__
    )
    headline = f"{name} does not hold one tensor for each layer."
    likely = _miscounted(model, results, expected) if not right else ""
    expect.that(right, headline, seen=seen, expected=f"list of {len(expected)}", likely=likely)
    others = {**causes, "the results stand in the reverse order": expected[::-1]}
    for number, (result, wanted) in enumerate(zip(results, expected, strict=True)):
        wrong = {cause: tensors[number] for cause, tensors in others.items()}
        expect.close(result, wanted, what=f"{name}[{number}]", causes=wrong)


def check_devices(model: nn.Module, device: torch.device) -> None:
    """All that was kept of the last pass lies on the device."""
    for name in ("linear_results", "activation_results"):
        for number, result in enumerate(getattr(model, name)):
            expect.on_device(result, device, what=f"{name}[{number}]")


def _miscounted(model: nn.Module, results: object, expected: Sequence[Tensor]) -> expect.Likely:
    """Why a list does not hold a result for each layer."""
    in_order = "append the result of every layer, in order"
    if not isinstance(results, list) or not all(isinstance(one, Tensor) for one in results):
        return in_order
    told = {
        "nothing is kept: the list is emptied at the end, or the results go to a list of another"
        " name": not results,
        "both names stand for one list: make two, one for each": (
            model.linear_results is model.activation_results
        ),
        "what stands first is the input: only results of the layers belong in the list": (
            _alike(results[1:], expected)
        ),
        "every result is appended twice": _alike(results[::2], expected)
        and _alike(results[1::2], expected),
        "the last layer's result is not kept": _alike(results, expected[:-1]),
        "the result of the last layer alone is kept: append within the loop": (
            _alike(results, expected[-1:])
        ),
        KEPT: _alike(results[-len(expected) :], expected),
    }
    return expect.told(*[cause for cause, fits in told.items() if fits][:1]) or in_order


def _alike(some: Sequence[Tensor], others: Sequence[Tensor]) -> bool:
    return values.alike([*some], [*others], 1e-5)


def check_fresh(model: nn.Module, other: nn.Module) -> None:
    """A second pass, with other examples, leaves nothing of the first one in the lists; nor does a
    pass through another model change them. In evaluation mode a pass is kept, too.
    """
    layers, inputs = len(model.linear_modules), model.linear_modules[0].in_features
    for examples in (25, 7):
        model(torch.randn(examples, inputs))
    other(torch.randn(4, inputs))
    for name in ("linear_results", "activation_results"):
        results = getattr(model, name)
        headline = f"After two passes {name} holds more than the results of the last one."
        seen, expected = counted(len(results), "result"), counted(layers, "result")
        is_old = any(len(result) == 25 for result in results)
        likely = expect.told(KEPT) if is_old else "keep the result of each layer, and nothing else"
        expect.that(len(results) == layers, headline, seen=seen, expected=expected, likely=likely)
        rows = results[0].shape[0]
        shared = "the lists are shared by all models: each model needs its own, self.{} = []"
        expect.that(
            rows != 4,
            f"{name} holds results of another model.",
            seen="the results of the other model's pass",
            expected="those of its own last pass",
            likely=expect.told(shared.format(name)),
        )
        headline = f"{name} holds results of the pass before."
        expect.that(
            rows == 7,
            headline,
            seen=counted(rows, "row"),
            expected="7 rows, one for each example",
            likely=expect.told(KEPT),
        )
    model.eval()(torch.randn(5, inputs))
    for name in ("linear_results", "activation_results"):
        rows = [len(result) for result in getattr(model, name)]
        expect.that(
            rows == [5] * layers,
            f"{name} does not hold the results of a pass in evaluation mode.",
            seen=f"results with {rows} rows",
            expected=f"results with {[5] * layers} rows",
            likely=expect.told(
                "the results are kept in training mode alone: keep those of every pass"
            ),
        )
