"""Checks that explain themselves: what was seen, what was expected, and the likely cause.

A cause rests on evidence. `causes={sentence: value}` gives the value that a known mistake would produce; a sentence is only
told when that value is what came out.
"""

import contextlib
import difflib
import math
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import NoReturn

import numpy as np
import torch
from torch import Tensor, nn

from tests.marks import Mark

MOST_NUMBERS = 6  # of a tensor, in a message


class Unmet(AssertionError):
    """An expectation that was not met."""


def unmet(headline: str, *, seen: object, expected: object, likely: str) -> NoReturn:
    """Fail with the message every failure has the shape of."""
    lines = [headline]
    for label, text in (("seen:", seen), ("expected:", expected), ("likely:", likely)):
        first, *rest = str(text).split("\n")
        lines += [f"  {label:<10} {first}", *(f"  {'':<10} {line}" for line in rest)]
    raise Unmet("\n".join(lines))


def that(condition: object, headline: str, *, seen: object, expected: object, likely: str) -> None:
    """Any check that needs no help from the others."""
    if not condition:
        unmet(headline, seen=seen, expected=expected, likely=likely)


def tensor(value: object, what: str) -> Tensor:
    """A tensor, nothing else."""
    if isinstance(value, Tensor):
        return value
    likely = "`return` is missing" if value is None else "a conversion is missing, or one too many was made"
    unmet(f"{what}: no tensor.", seen=describe(value), expected="a torch.Tensor", likely=likely)


def shape(value: object, expected: Sequence[int], what: str, causes: Mapping[str, Sequence[int]] | None = None) -> None:
    """A tensor (or array) of exactly this shape. A cause maps to the shape that its mistake gives."""
    if not hasattr(value, "shape"):
        tensor(value, what)
    seen, expected = tuple(value.shape), tuple(expected)
    if seen == expected:
        return
    told = [cause for cause, wrong in (causes or {}).items() if tuple(wrong) == seen]
    unmet(f"{what}: not the right shape.", seen=seen, expected=expected, likely=_first(told) or _shape_cause(seen, expected))


def dtype(value: object, expected: torch.dtype, what: str, causes: Mapping[str, torch.dtype] | None = None) -> None:
    """A tensor of exactly this dtype."""
    seen = tensor(value, what).dtype
    told = [cause for cause, wrong in (causes or {}).items() if wrong == seen]
    likely = _first(told) or f"say which: torch.tensor(..., dtype={expected}) or .to({expected})"
    that(seen == expected, f"{what}: not the right dtype.", seen=seen, expected=expected, likely=likely)


def close(
    actual: object,
    expected: Tensor | np.ndarray | float,
    what: str,
    causes: Mapping[str, object] | None = None,
    atol: float = 1e-5,
) -> None:
    """Numbers equal to the expected ones, apart from rounding (1e-4 of each, and atol)."""
    if not isinstance(actual, Tensor | np.ndarray | float | int | np.generic):
        tensor(actual, what)
    seen, wanted = _numbers(actual), _numbers(expected)
    if _same(seen, wanted, atol):
        return
    told = [cause for cause, wrong in (causes or {}).items() if _same(seen, _numbers(wrong), atol)]
    if seen.shape != wanted.shape:
        likely = _first(told) or _shape_cause(tuple(seen.shape), tuple(wanted.shape))
        unmet(f"{what}: not the right shape.", seen=tuple(seen.shape), expected=tuple(wanted.shape), likely=likely)
    likely = _first(told) or _number_cause(seen, wanted)
    unmet(f"{what}: not the right numbers.", seen=describe(actual), expected=describe(expected), likely=likely)


def equal(actual: object, expected: object, what: str, causes: Mapping[str, object] | None = None) -> None:
    """Exactly the expected string, number, list or dict."""
    if type(actual) is type(expected) and actual == expected:
        return
    told = [cause for cause, wrong in (causes or {}).items() if type(wrong) is type(actual) and wrong == actual]
    likely = _first(told) or ("`return` is missing" if actual is None else "compare the two above, character by character")
    unmet(f"{what}: not as expected.", seen=repr(actual), expected=repr(expected), likely=likely)


def printed(model: nn.Module, expected: str, causes: Mapping[str, str] | None = None) -> None:
    """print(model) shows exactly this text. A cause maps to a piece of text that only its mistake prints."""
    seen, expected = repr(model), textwrap.dedent(expected).strip()
    if seen == expected:
        return
    differences = [line for line in difflib.ndiff(seen.splitlines(), expected.splitlines()) if line[0] in "-+"]
    wrong, right = (_some([line[2:] for line in differences if line[0] == side]) for side in "-+")
    told = [cause for cause, piece in (causes or {}).items() if piece in seen]
    missing = [line.strip("+ ") for line in differences if line[0] == "+" and "(" in line]
    if sorted(seen.splitlines()) == sorted(expected.splitlines()):
        likely = "the layers are all there, made in another order"
    elif "(" in wrong or not missing:
        likely = "a layer has another name, type or size than the task asks for"
    else:
        likely = f"not there: {missing[0]}"
    unmet("print(model) shows another architecture.", seen=wrong, expected=right, likely=_first(told) or likely)


def reaches(mark: Mark, value: float | Tensor, history: Sequence[float] | None = None, causes: Sequence[str] = ()) -> None:
    """A training reached its mark. The losses of its epochs, where given, tell how it went."""
    value = value.item() if isinstance(value, Tensor) else float(value)
    if mark.met_by(value):
        return
    unmet(
        f"The training ends short of its mark: {mark.what}.",
        seen=f"{value:.4g}",
        expected=f"{mark} (a right solution usually ends at {mark.usual:.4g})",
        likely=_first(causes) or (story(history) if history is not None else "see the tests before this one"),
    )


def losses(history: object, epochs: int, what: str = "train(...)", each: str = "epoch") -> None:
    """A list with the loss of each epoch (or of each step, as `each` says), as plain numbers."""
    headline = f"{what} does not return the loss of each {each}."
    if history is None:
        unmet(headline, seen="None", expected=f"a list of {epochs} numbers", likely="`return` is missing")
    that(
        isinstance(history, list) and len(history) == epochs,
        headline,
        seen=f"{type(history).__name__} of length {len(history) if hasattr(history, '__len__') else '?'}",
        expected=f"a list of {epochs} numbers",
        likely=f"append one number to a list in each {each}, and return the list after the loop",
    )
    kinds = {type(loss).__name__ for loss in history}
    that(
        kinds <= {"float"},
        f"{what} does not return plain numbers.",
        seen=f"a list of {', '.join(sorted(kinds))}",
        expected="a list of float",
        likely="loss is a tensor that holds on to its whole graph: loss.item() is the number",
    )


def story(history: Sequence[float]) -> str:
    """How a training went, in words, from the losses of its epochs."""
    numbers = [float(loss) for loss in history]
    if len(numbers) < 2:
        return "the training lasted less than two epochs"
    first, last, best = numbers[0], numbers[-1], min(numbers)
    went = f"the loss went from {first:.4g} to {last:.4g} in {len(numbers)} epochs"
    if not all(math.isfinite(loss) for loss in numbers):
        return f"{went}: it grew without bound, so the steps are too large (learning rate), or gradients pile up (zero_grad)"
    if last > first or last > 2 * best + 1e-3:
        return f"{went}, after {best:.4g} at its best: it moves away again, as when gradients pile up or steps are too large"
    if abs(first - last) < 1e-3 * max(abs(first), 1e-9):
        return f"{went}: it stands still, so optimizer.step() is missing or has other parameters, or the learning rate is tiny"
    before = numbers[-max(len(numbers) // 10, 2)]
    if before - last > 0.02 * (first - last):
        return f"{went} and was still falling: a larger learning rate, or another optimizer, gets there in time"
    if before - last > 1e-3 * last:
        return f"{went} and was still falling, slowly: the steps are too small, or this start was an unlucky one"
    return f"{went} and stays there: the model can't do better, or this start was an unlucky one"


@contextlib.contextmanager
def untouched(what: str, *values: Tensor | np.ndarray) -> Iterator[None]:
    """The block leaves these tensors or arrays as they were."""
    before = [_numbers(value).clone() for value in values]
    yield
    for value, old in zip(values, before, strict=True):
        that(
            torch.equal(_numbers(value), old),
            f"{what}: changed, and should have been left alone.",
            seen=describe(value),
            expected=f"{describe(old)}, as before",
            likely="a method ending in _ or an operator such as += or x[...] = works in place: make a new tensor instead",
        )


def gradients_reach(model: nn.Module, what: str = "The loss") -> None:
    """After backward, every parameter of the model has a gradient that is not all zero."""
    parameters = dict(model.named_parameters())
    that(
        parameters,
        "The model has no parameters.",
        seen="nothing in model.parameters()",
        expected="the weights and biases of its layers",
        likely="layers must be attributes (self.x = ...) or stand in an nn.ModuleList: a plain list hides them from torch",
    )
    unreached = [name for name, value in parameters.items() if value.grad is None or not value.grad.any()]
    that(
        not unreached,
        f"{what} does not reach every parameter.",
        seen=f"no gradient at {', '.join(unreached)}",
        expected="a gradient at every parameter",
        likely="a layer is made but not used in forward, or the way to it is cut by detach(), .data or torch.no_grad()",
    )


def on_device(value: object, expected: torch.device, what: str, likely: str | None = None) -> None:
    """A tensor that lies on this device; without a number, any device of the kind will do."""
    seen = tensor(value, what).device
    right = lies_on(seen, expected)
    that(right, f"{what}: on the wrong device.", seen=seen, expected=expected, likely=likely or _device_cause(seen, expected))


def lies_on(seen: torch.device, expected: torch.device) -> bool:
    """Whether a device is the expected one; without a number, any device of the kind will do."""
    return seen.type == expected.type and expected.index in (None, seen.index)


def moved(model: nn.Module, device: torch.device) -> nn.Module:
    """Move a model to a device, and all of it has to come along: a plain attribute stays where it was made."""
    model = model.to(device)
    for name, module in model.named_modules():
        for attribute, kept in vars(module).items():
            entries = kept.values() if isinstance(kept, dict) else kept if isinstance(kept, list | tuple) else [kept]
            left = [one for one in entries if isinstance(one, Tensor) and not lies_on(one.device, device)]
            if attribute not in ("_parameters", "_buffers") and left:
                where = ".".join(filter(None, ["self", name, attribute]))
                unmet(
                    f"model.to(device) leaves {where} behind.",
                    seen=f"a tensor in a plain attribute, on {left[0].device}",
                    expected=f"all of the model on {device}",
                    likely=f"nn.Module only moves its parameters and buffers: self.register_buffer({attribute!r}, ...) keeps a "
                    "constant, nn.Parameter one that is learned",
                )
    return model


def describe(value: object) -> str:
    """A short text for a value: all of a small tensor, shape and first numbers of a larger one."""
    if isinstance(value, float):
        return f"{value:.5g}"
    if not isinstance(value, Tensor | np.ndarray):
        return repr(value)[:300]
    numbers = _numbers(value)
    if numbers.ndim == 0:
        return f"{numbers.item():.5g}"
    flat = ", ".join(f"{number:.4g}" for number in numbers.flatten()[:MOST_NUMBERS].tolist())
    more = ", ..." if numbers.numel() > MOST_NUMBERS else ""
    return f"{flat}{more}   (shape {tuple(numbers.shape)})"


def _first(told: Sequence[str]) -> str | None:
    return told[0] if told else None


def _some(lines: list[str], most: int = 4) -> str:
    """The first lines of a text, its indentation kept."""
    more = [f"... and {len(lines) - most} more lines"] if len(lines) > most else []
    return textwrap.dedent("\n".join([*lines[:most], *more])) or "nothing in their place"


def _numbers(value: object) -> Tensor:
    if isinstance(value, Tensor):
        return value.detach().cpu()
    return torch.as_tensor(np.array(value))


def _same(one: Tensor, other: Tensor, atol: float) -> bool:
    if one.shape != other.shape:
        return False
    return torch.allclose(one.to(torch.float64), other.to(torch.float64), rtol=1e-4, atol=atol)


def _shape_cause(seen: tuple[int, ...], expected: tuple[int, ...]) -> str:
    if len(seen) == len(expected) == 2 and seen == expected[::-1]:
        return "rows and columns are swapped"
    if math.prod(seen) == math.prod(expected):
        return "the numbers are there in another arrangement: reshape, unsqueeze or squeeze puts them right"
    return "a size is written into the code, or the sizes of a layer are swapped: nn.Linear(inputs, outputs)"


def _device_cause(seen: torch.device, expected: torch.device) -> str:
    if seen.type == expected.type:
        return "the number of the device is lost or written into the code: x.device is the whole of it"
    if seen.type == "cpu":
        return (
            "a new tensor is made on the CPU unless it is told device=x.device; or a device is written into the code, such as "
            ".cpu() or 'cpu'"
        )
    return "a device is written into the code: take it from the data (x.device) or the model's parameters"


def _number_cause(seen: Tensor, wanted: Tensor) -> str:
    if not torch.isfinite(seen.to(torch.float64)).all():
        return "a division by zero, or exp or log of a number too large or too small"
    if not seen.any():
        return "the result is all zeros: was it created and then never filled?"
    off = ~torch.isclose(seen.to(torch.float64), wanted.to(torch.float64), rtol=1e-4, atol=1e-5)
    if 0 < off.sum() < off.numel():
        return f"{int(off.sum())} of {off.numel()} numbers are off, the first at position {off.nonzero()[0].tolist()}"
    return "every number is off: compare your formula with the one in the lesson, step by step"
