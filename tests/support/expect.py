"""Checks that explain themselves: what was seen, what was expected, and the likely cause.

A cause rests on evidence. `causes={sentence: value}` gives the value that a known mistake would
produce; a sentence is only given when that value is what came out.
"""

import contextlib
import difflib
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NoReturn

import numpy as np
import torch
from torch import Tensor, nn

from dojo import structure
from dojo.curve import Curve
from dojo.diagnosis import Cause, Diagnosis, counted
from tests.support import bands, guesses, pointers, values
from tests.support import story as stories
from tests.support.marks import Mark
from tests.support.values import describe

MOST_CAUSES = 3

NO_RETURN = "`return` is missing"

Likely = str | Sequence[Cause]  # a cause, or several with the likeliest first


class Unmet(AssertionError):
    """An expectation that was not met.

    Attributes:
        wrong: what has a wrong shape, and the right one, so that its way through the layers can be
            followed.
    """

    def __init__(
        self, diagnosis: Diagnosis, wrong: tuple[object, tuple[int, ...]] | None = None
    ) -> None:
        super().__init__(diagnosis.text())
        self.diagnosis, self.wrong = diagnosis, wrong


def unmet(
    headline: str,
    *,
    seen: object,
    expected: object,
    likely: Likely,
    pointer: str = "",
    curve: Curve | None = None,
    wrong: tuple[object, tuple[int, ...]] | None = None,
) -> NoReturn:
    """Fail, with the message that all failures share. The pointer is shown where no cause rests on
    evidence.
    """
    causes = (Cause(likely),) if isinstance(likely, str) else tuple(likely)
    diagnosis = Diagnosis(headline, str(seen), str(expected), causes, curve=curve)
    raise Unmet(diagnosis if diagnosis.leads_on else replace(diagnosis, pointer=pointer), wrong)


def told(*causes: str) -> tuple[Cause, ...]:
    """The cause that evidence tells: what came out is what this mistake gives. Where several fit,
    it is one of these, and none is told.
    """
    return tuple(Cause(text, told=len(causes) == 1) for text in causes[:MOST_CAUSES])


def that(
    condition: object,
    headline: str,
    *,
    seen: object,
    expected: object,
    likely: Likely,
    pointer: str = "",
) -> None:
    """Any check that needs no help from the others."""
    if not condition:
        unmet(headline, seen=seen, expected=expected, likely=likely, pointer=pointer)


def tensor(value: object, what: str, likely: Likely = ()) -> Tensor:
    """A tensor, nothing else."""
    if isinstance(value, Tensor):
        return value
    unmet(
        f"{what}: no tensor.",
        seen=describe(value),
        expected="a torch.Tensor",
        likely=likely or guesses.of_value(value, torch.empty(0)),
        pointer=pointers.TYPE,
    )


def shape(
    value: object,
    expected: Sequence[int],
    what: str,
    causes: Mapping[str, Sequence[int]] | None = None,
    likely: Likely = (),
) -> None:
    """A tensor (or array) of exactly this shape. A cause maps to the shape that its mistake
    gives.
    """
    if not hasattr(value, "shape"):
        tensor(value, what)
    seen, expected = tuple(value.shape), tuple(expected)
    if seen == expected:
        return
    likely = likely or _fitting(causes, lambda wrong: tuple(wrong) == seen)
    likely = likely or guesses.of_shape(seen, expected)
    headline, wrong = f"{what}: not the right shape.", (value, expected)
    unmet(
        headline, seen=seen, expected=expected, likely=likely, pointer=pointers.SHAPE, wrong=wrong
    )


def dtype(
    value: object,
    expected: torch.dtype,
    what: str,
    causes: Mapping[str, torch.dtype] | None = None,
    likely: Likely = (),
) -> None:
    """A tensor of exactly this dtype."""
    seen = tensor(value, what).dtype
    likely = likely or _fitting(causes, lambda wrong: wrong == seen)
    likely = likely or f"say which: torch.tensor(..., dtype={expected}) or .to({expected})"
    that(
        seen == expected,
        f"{what}: not the right dtype.",
        seen=seen,
        expected=expected,
        likely=likely,
        pointer=pointers.DTYPE,
    )


def close(
    actual: object,
    expected: Tensor | np.ndarray | float,
    what: str,
    causes: Mapping[str, object] | None = None,
    atol: float = 1e-5,
    likely: Likely = (),
) -> None:
    """Numbers equal to the expected ones, apart from rounding (1e-4 of each, and atol). A cause's
    value may be a list of tensors: of what its mistake gives in one way or another.
    """
    if not isinstance(actual, values.Numbers):
        tensor(actual, what)
    seen, right = values.numbers(actual), values.numbers(expected)
    if values.close(seen, right, atol):
        return

    def fits(wrong: object) -> bool:
        ways = wrong if isinstance(wrong, list) and isinstance(wrong[0], Tensor) else [wrong]
        return any(values.close(seen, values.numbers(way), atol) for way in ways)

    likely = likely or _fitting(causes, fits)
    if seen.shape != right.shape:
        shape(actual, right.shape, what, likely=likely)
    unmet(
        f"{what}: not the right number{'' if right.numel() == 1 else 's'}.",
        seen=describe(actual),
        expected=describe(expected),
        likely=likely or [guesses.of_numbers(seen, right)],
        pointer=pointers.numbers(seen, right) if right.numel() > 1 else pointers.NUMBER,
    )


def equal(
    actual: object, expected: object, what: str, causes: Mapping[str, object] | None = None
) -> None:
    """Exactly the expected string, number, list or dict."""
    if type(actual) is type(expected) and actual == expected:
        return
    differ(
        actual,
        expected,
        what,
        _fitting(causes, lambda wrong: type(wrong) is type(actual) and wrong == actual),
    )


def differ(actual: object, expected: object, what: str, likely: Likely = ()) -> NoReturn:
    """Fail: these are not the same."""
    unmet(
        f"{what}: not as expected.",
        seen=repr(actual),
        expected=repr(expected),
        likely=likely or guesses.of_value(actual, expected),
        pointer=pointers.TEXT if isinstance(expected, str) else pointers.VALUE,
    )


def printed(model: nn.Module, expected: str, causes: Mapping[str, str] | None = None) -> None:
    """A model is made of what this text shows, as print(model) does: the same names, types and
    sizes. The order counts in an nn.Sequential or nn.ModuleList, and their names do not; `inplace`
    and further parts that have nothing to learn are free.

    Args:
        causes: cause → a piece of text that only its mistake prints.
    """
    seen, wanted = structure.of(model), structure.read(expected)
    if structure.fits(seen, wanted):
        return
    lines, right_lines = list(seen.lines()), list(wanted.lines())
    differences = [line for line in difflib.ndiff(lines, right_lines) if line[0] in "-+"]
    wrong, right = (_some([line[2:] for line in differences if line[0] == side]) for side in "-+")
    missing = [line.strip("+ ") for line in differences if line[0] == "+" and "(" in line]
    likely: Likely
    if sorted(map(str.strip, lines)) == sorted(map(str.strip, right_lines)):
        likely = told("the layers are all there, in another order")
    elif not any(line[0] == "+" for line in differences):
        likely = told(f"one too many: {differences[0].strip('- ')}")
    elif "(" in wrong or not missing:
        likely = told(structure.difference(seen, wanted))
    else:
        likely = told(f"not there: {missing[0]}")
    text = "\n".join(lines)
    likely = (
        _fitting(causes, lambda piece: str(piece) in text)
        or told(*guesses.of_hidden(model))
        or likely
    )
    headline = "print(model) shows another architecture."
    unmet(headline, seen=wrong, expected=right, likely=likely, pointer=pointers.LAYERS)


def reaches(
    mark: Mark,
    value: float | Tensor,
    history: Sequence[float] | None = None,
    causes: Sequence[str] = (),
) -> None:
    """A training reached its mark. The losses of its epochs, where given, show how it went."""
    value = value.item() if isinstance(value, Tensor) else float(value)
    losses = [] if history is None else [float(loss) for loss in history]
    curve = Curve.of(losses, bands.find(mark.name)) if losses else None
    if mark.met_by(value, curve):
        return
    tale = (
        stories.of(losses, curve.band if curve else None) if history is not None else stories.UNTOLD
    )
    near = "near 0, such as" if abs(mark.usual) < 1e-3 else "at"
    usual = f" (a correct solution usually ends {near} {mark.usual:.4g})"
    usual = usual if mark.usual != mark.bound else ""
    unmet(
        f"The training ends short of its mark: {mark.what}.",
        seen=f"{value:.4g}",
        expected=f"{mark}{usual}",
        likely=told(*causes) or tale.causes,
        pointer="" if causes else tale.pointer,
        # a name for the shape of the losses would contradict a cause that is known
        curve=replace(curve, kind="" if causes else tale.kind) if curve else None,
    )


def losses(history: object, epochs: int, what: str = "train(...)", each: str = "epoch") -> None:
    """A list with the loss of each epoch (or of each step, as `each` says), as plain numbers."""
    headline = f"{what} does not return the loss of each {each}."
    expected = f"a list of {counted(epochs, 'number')}"
    if history is None:
        unmet(headline, seen="None", expected=expected, likely=told(NO_RETURN))
    seen = (
        f"{type(history).__name__} of length {len(history) if hasattr(history, '__len__') else '?'}"
    )
    that(
        isinstance(history, list) and len(history) == epochs,
        headline,
        seen=seen,
        expected=expected,
        likely=f"append one number to a list for each {each}, and return the list after the loop",
    )
    kinds = {type(loss).__name__ for loss in history}
    that(
        kinds <= {"float"},
        f"{what} does not return plain numbers.",
        seen=f"a list of {', '.join(sorted(kinds))}",
        expected="a list of float",
        likely=told(
            "loss is a tensor that holds on to its whole graph: loss.item() is the number"
            if "Tensor" in kinds
            else "these are NumPy's or other numbers: float(...) makes plain ones"
        ),
    )


def story(history: Sequence[float]) -> tuple[Cause, ...]:
    """How a training went, from the losses of its epochs: the likely causes."""
    return stories.of(history).causes


@contextlib.contextmanager
def untouched(what: str, *given: Tensor | np.ndarray) -> Iterator[None]:
    """The block leaves these tensors or arrays as they were."""
    before = [values.numbers(value).clone() for value in given]
    yield
    for value, old in zip(given, before, strict=True):
        that(
            torch.equal(values.numbers(value), old),
            f"{what}: changed, and should have been left alone.",
            seen=describe(value),
            expected=f"{describe(old)}, as before",
            likely=guesses.IN_PLACE,
            pointer=pointers.IN_PLACE,
        )


def gradients_reach(model: nn.Module, what: str = "The loss") -> None:
    """After backward, every parameter of the model has a gradient that is not all zero."""
    parameters = dict(model.named_parameters())
    hidden = (
        "layers must be attributes (self.x = ...) or stand in an nn.ModuleList: a plain list hides"
        " them from torch"
    )
    that(
        parameters,
        "The model has no parameters.",
        seen="nothing in model.parameters()",
        expected="the weights and biases of its layers",
        likely=told(*guesses.of_hidden(model)) or hidden,
        pointer=pointers.PARAMETERS,
    )
    unreached = [
        name for name, value in parameters.items() if value.grad is None or not value.grad.any()
    ]
    cut = "the way to it is cut by detach(), .data or torch.no_grad()"
    are_first = unreached == list(parameters)[: len(unreached)]  # those behind a cut are
    unused = "a layer is made but not used in forward"
    that(
        not unreached,
        f"{what} does not reach every parameter.",
        seen=f"no gradient at {', '.join(unreached)}",
        expected="a gradient at every parameter",
        likely=list(map(Cause, [cut, unused] if are_first else [unused, cut])),
        pointer=pointers.PARAMETERS,
    )


def on_device(value: object, expected: torch.device, what: str, likely: str | None = None) -> None:
    """A tensor that lies on this device; without a number, any device of the kind will do."""
    seen = tensor(value, what).device
    right = lies_on(seen, expected)
    likely, headline = likely or guesses.of_device(value, expected), f"{what}: on the wrong device."
    that(right, headline, seen=seen, expected=expected, likely=likely, pointer=pointers.DEVICE)


def lies_on(seen: torch.device, expected: torch.device) -> bool:
    """True if a device is the expected one; without a number, any device of the kind will do."""
    return seen.type == expected.type and expected.index in (None, seen.index)


def moved(model: nn.Module, device: torch.device) -> nn.Module:
    """Move a model to a device, and all of it has to come along: a plain attribute stays where it
    was made.
    """
    model = model.to(device)
    for name, module in model.named_modules():
        for attribute, value in vars(module).items():
            entries = (
                value.values()
                if isinstance(value, dict)
                else value
                if isinstance(value, list | tuple)
                else [value]
            )
            behind = [
                entry
                for entry in entries
                if isinstance(entry, Tensor) and not lies_on(entry.device, device)
            ]
            if attribute not in ("_parameters", "_buffers") and behind:
                where = ".".join(filter(None, ["self", name, attribute]))
                unmet(
                    f"model.to(device) leaves {where} behind.",
                    seen=f"a tensor in a plain attribute, on {behind[0].device}",
                    expected=f"all of the model on {device}",
                    likely=(
                        "nn.Module only moves its parameters and buffers:"
                        f" self.register_buffer({attribute!r}, ...) keeps a constant, nn.Parameter"
                        " one that is learned"
                    ),
                )
    return model


def _fitting(
    causes: Mapping[str, object] | None, fits: Callable[[object], bool]
) -> tuple[Cause, ...]:
    """The causes whose mistake gives what came out, in their order: the likeliest comes first."""
    return told(*(cause for cause, wrong in (causes or {}).items() if fits(wrong)))


def _some(lines: list[str], most: int = 4) -> str:
    """The first lines of a text, its indentation kept."""
    more = [f"... and {len(lines) - most} more lines"] if len(lines) > most else []
    return textwrap.dedent("\n".join([*lines[:most], *more])) or "nothing in their place"
