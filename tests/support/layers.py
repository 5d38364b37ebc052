"""For networks that keep their layers in linear_modules and activation_modules, and what each gave
in linear_results and activation_results: the same pass by the formula, and the check of what was
kept. And the text of a chain of layers."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

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
    for number, (result, wanted) in enumerate(zip(results, expected, strict=True)):
        wrong = {cause: tensors[number] for cause, tensors in causes.items()}
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
    pass through another model change them.
    """
    layers, inputs = len(model.linear_modules), model.linear_modules[0].in_features
    for examples in (25, 7):
        model(torch.randn(examples, inputs))
    other(torch.randn(4, inputs))
    for name in ("linear_results", "activation_results"):
        results = getattr(model, name)
        headline = f"After two passes {name} holds more than the results of the last one."
        seen, expected = f"{len(results)} results", f"{layers} results"
        expect.that(len(results) == layers, headline, seen=seen, expected=expected, likely=KEPT)
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
            seen=f"{rows} rows",
            expected="7 rows, one for each example",
            likely=KEPT,
        )
