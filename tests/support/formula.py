"""A learner's function held against a formula: on several independent draws, with its arguments
left as they came, called twice, and with the causes that fit all draws.
"""

import contextlib
import functools
import inspect
import itertools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from dojo import rounding
from dojo.diagnosis import Cause
from tests.support import expect, guesses, pointers, subject, values

Function = Callable[..., Any]
Mistakes = Mapping[str, Function | Sequence[Function]]
Draws = Mapping[str, Sequence[Any]] | Sequence[Sequence[Any]]
RECORDING = (
    "requires_grad_() or requires_grad = ... changes the caller's tensor: make one of your own,"
    " x.detach().clone()"
)
FROZEN = (
    "requires_grad_(False) and detach_() change the model's own parameters: torch.no_grad(),"
    " detach(), item() and tolist() do not"
)
SWITCHED = "train() or eval() was called, and the mode was not put back as it was"
LEFT_GRADIENT = (
    "backward() ran on what was given, and left its gradient there: make one of your own,"
    " x.detach().clone().requires_grad_(); clone() alone is still tied to it"
)
CLEARED = (
    "the gradients of what was given are gone: zero_grad() and .grad = None have no place in here"
)
SWITCHED_OFF = (
    "torch.set_grad_enabled(False) lasts for good: `with torch.no_grad():` ends by itself"
)
KEPT = (
    "something is kept from call to call: a global name, an attribute, or a list as the default of"
    " an argument"
)


class Failed:
    """What a function gives that raised an error; it is like no value."""

    def __init__(self, error: Exception) -> None:
        self.error = error


def check(
    function: Function,
    right: Function,
    draws: Draws,
    what: str,
    wrong: Mistakes | None = None,
    *,
    atol: float = 1e-5,
    records: bool | None = None,
    may_share: bool = False,
    is_fixed: bool = True,
    if_changed: str = "",
) -> None:
    """The function gives what the formula gives, for all draws, and does nothing else.

    What is right is computed before the call, from copies; what each mistake gives only where
    something else came out. A cause is told if its mistake gives what came out on all draws, and no
    other listed one does.

    Args:
        draws: the arguments of each call; a mapping also gives them a name, for the message. Give
            at least two that have nothing in common, then the extreme and the empty ones.
        what: what comes out, at the start of a sentence.
        wrong: cause → the formula of its mistake, of the same arguments, or several of them.
        records: whether the result has to record gradients; None if it may.
        may_share: the result may be the argument itself, or a view of it.
        is_fixed: the same arguments always give the same.
        if_changed: the cause, if the numbers of an argument have changed.
    """
    subject.is_about(function)
    is_named = isinstance(draws, Mapping)
    names = [f"{what} of {name}" for name in draws] if is_named else [what] * len(draws)
    given = list(draws.values()) if is_named else list(draws)
    expected = [right(*values.copied(draw)) for draw in given]
    results, kept = [], []
    for name, draw in zip(names, given, strict=True):
        arguments = values.copied(draw)
        with recording_as_before(name):
            result = _result(function, arguments)
        if not isinstance(result, Failed):
            expect_as_it_came(arguments, draw, name, if_changed, _names(function))
            if not may_share:
                _expect_own(result, arguments, what)
        results.append(result)
        kept.append(values.copied(result))
    fitting: tuple[Cause, ...] = ()
    if not values.alike(kept, expected, atol):
        fitting = fits(kept, _traces(wrong or {}, given, expected, atol), atol)
    rounded = _rounded(kept, expected, what)
    fitting = fitting or expect.told(*[rounding.ROUNDED] * bool(rounded))
    for name, result, wanted in zip(names, kept, expected, strict=True):
        _expect_same(result, wanted, name, fitting, atol)
    if rounded:
        name, seen, right = rounded
        expect.unmet(f"{name}: rounded.", seen=seen, expected=right, likely=fitting)
    for result in results:
        for name, part in values.parts(result, what):
            if records is not None and isinstance(part, Tensor):
                _expect_recording(part, records, name)
    if is_fixed:
        calls = list(zip(names, given, kept, strict=True))
        _expect_again(function, calls, what, atol)
        if not may_share:
            _expect_kept(results, kept, what)


def slope(
    function: Function, of: int = 0, what: str = "The result", entrywise: bool = False
) -> Function:
    """The gradient of a function at one of its arguments, as a function of the same arguments: of
    the sum of all that comes out, each number with a weight of its own. The weights are divided out
    again of a function that works `entrywise`: what is left is the derivative at each entry.
    """

    @functools.wraps(function, updated=())
    def gradient(*arguments: Any) -> Tensor:
        place = arguments[of].detach().clone().requires_grad_()
        value = expect.tensor(
            function(*[place if n == of else one for n, one in enumerate(arguments)]), what
        )
        _expect_recording(value, True, what)
        weights = torch.linspace(1, 2, value.numel(), device=value.device).reshape(value.shape)
        (found,) = torch.autograd.grad((weights * value).sum(), place, allow_unused=True)
        headline = f"{what}: no gradient flows back to what was given."
        likely = "the way back is cut: .item(), .detach(), .data or torch.no_grad() stands in it"
        expect.that(found is not None, headline, seen="None", expected="a gradient", likely=likely)
        return found / weights if entrywise else found

    return gradient


def slopes(mistakes: Mistakes, of: int = 0, entrywise: bool = False) -> dict[str, list[Function]]:
    """Cause → the gradient of each of its formulas, at one of the arguments."""
    several = {
        cause: [formulas] if callable(formulas) else formulas
        for cause, formulas in mistakes.items()
    }
    return {
        cause: [slope(each, of, entrywise=entrywise) for each in formulas]
        for cause, formulas in several.items()
    }


def sizes(number: int) -> list[int]:
    """Different sizes that stand in no lesson: between 11 and 60, others for every seed."""
    return (11 + torch.randperm(50)[:number]).tolist()


def fits(
    results: Sequence[object], mistakes: Mapping[str, Sequence[Sequence[object]]], atol: float
) -> tuple[Cause, ...]:
    """The causes whose mistake gives these results, on every draw that came to an end; told if
    there is only one. A cause has what each of its formulas gives.
    """
    ended = [number for number, result in enumerate(results) if not isinstance(result, Failed)]
    return expect.told(
        *(
            cause
            for cause, several in mistakes.items()
            if ended
            and any(
                all(values.alike(results[n], wrong[n], atol) for n in ended) for wrong in several
            )
        )
    )


def expect_as_it_came(
    now: Any, before: Any, what: str, likely: str = "", names: Sequence[str] = ()
) -> None:
    """Arguments, with these names, are what they were when they were copied."""
    found = values.change(list(now), list(before), "argument")
    if found is None:
        return
    name, seen, expected = found
    certain = {
        RECORDING: "requires_grad" in expected and "." not in name,
        FROZEN: "requires_grad" in expected and "." in name,
        SWITCHED: " mode" in expected,
        LEFT_GRADIENT: name.startswith("the .grad") and seen != "None",
        CLEARED: name.startswith("the .grad") and seen == "None",
    }
    causes = expect.told(*(cause for cause, fits in certain.items() if fits))
    place = re.compile(r"argument\[(\d+)\]")
    if names and (number := place.search(name)) and int(number[1]) < len(names):
        name = place.sub(names[int(number[1])], name)
    headline = f"{what}: the call changes what it is given, and should leave it alone."
    expect.unmet(
        headline,
        seen=f"{name}: {seen}",
        expected=expected,
        likely=causes or likely or guesses.in_place(before),
        pointer=pointers.IN_PLACE,
    )


def _traces(
    wrong: Mistakes, given: Sequence[Sequence[Any]], expected: Sequence[Any], atol: float
) -> dict[str, list[list[Any]]]:
    """Cause → what each of its formulas gives on all draws; one that gives what is expected is no
    evidence.
    """
    traces = {
        cause: [
            [_result(each, draw, is_ours=True) for draw in given]
            for each in ([formulas] if callable(formulas) else formulas)
        ]
        for cause, formulas in wrong.items()
    }
    return {
        cause: [one for one in several if not values.alike(one, expected, atol)]
        for cause, several in traces.items()
    }


def _names(function: Function) -> list[str]:
    """Those of its arguments, up to the first that stands for several."""
    with contextlib.suppress(TypeError, ValueError):
        parameters = inspect.signature(getattr(function, "forward", function)).parameters.values()
        single = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        return [one.name for one in itertools.takewhile(lambda one: one.kind in single, parameters)]
    return []


def _rounded(results: Sequence[Any], expected: Sequence[Any], what: str) -> tuple[str, ...]:
    """A part of what came out that was rounded in all draws: its name, its numbers and the right
    ones; nothing if there is none.
    """
    if any(isinstance(result, Failed) for result in results):
        return ()
    if _shapes(results) != _shapes(expected):
        return ()  # another shape comes first
    seen, right = values.floats(results, what), values.floats(expected, what)
    for name in seen.keys() & right.keys():
        pair = seen[name], right[name]
        if rounding.decimals(*pair) is not None:
            return name, *(", ".join(f"{one:.7g}" for one in part[:4]) for part in pair)
    return ()


def _shapes(results: Sequence[Any]) -> list[tuple[int, ...]]:
    return [tuple(getattr(part, "shape", ())) for _, part in values.parts(list(results), "")]


@contextlib.contextmanager
def recording_as_before(what: str) -> Iterator[None]:
    """The block leaves the recording of gradients switched on."""
    with torch.enable_grad():
        yield
        records = torch.is_grad_enabled()
    headline = f"{what}: after the call no gradients are recorded any more."
    off, on = "switched off", "switched on, as before"
    expect.that(records, headline, seen=off, expected=on, likely=expect.told(SWITCHED_OFF))


def _result(function: Function, arguments: Sequence[Any], is_ours: bool = False) -> Any:
    """What it gives; `Failed` if it raises an error. A formula of ours gets a copy."""
    try:
        return function(*(values.copied(arguments) if is_ours else arguments))
    except expect.Unmet as error:
        if not is_ours:
            raise
        return Failed(error)
    except Exception as error:
        return Failed(error)


def _expect_same(
    seen: Any, wanted: Any, what: str, fitting: tuple[Cause, ...], atol: float
) -> None:
    if isinstance(seen, Failed):
        raise seen.error
    if isinstance(wanted, Tensor):
        _expect_tensor(expect.tensor(seen, what, fitting), wanted, what, fitting, atol)
    elif isinstance(wanted, dict) and isinstance(seen, dict) and seen.keys() == wanted.keys():
        for key in wanted:
            _expect_same(seen[key], wanted[key], f"{what}, {key}", fitting, atol)
    elif values.same_kind(seen, wanted) and values.alike(seen, wanted, atol):
        return
    elif isinstance(wanted, list | tuple) and type(seen) is type(wanted):
        if len(seen) != len(wanted):
            expect.differ(seen, wanted, what, fitting)
        for number, parts in enumerate(zip(seen, wanted, strict=True), start=1):
            _expect_same(*parts, f"{what}, number {number} of {len(wanted)}", fitting, atol)
    else:
        expect.differ(seen, wanted, what, fitting)


def _expect_tensor(
    seen: Tensor, wanted: Tensor, what: str, fitting: tuple[Cause, ...], atol: float
) -> None:
    if seen.shape != wanted.shape:
        expect.shape(seen, wanted.shape, what, likely=fitting)
    if seen.dtype != wanted.dtype:
        expect.dtype(seen, wanted.dtype, what, likely=fitting)
    expect.on_device(seen, wanted.device, what)
    expect.close(seen, wanted, what, atol=atol, likely=fitting)


def _expect_own(result: Any, arguments: Sequence[Any], what: str) -> None:
    for name, part in values.parts(result, what):
        shared = any(values.shares_memory(part, one) for _, one in values.parts(arguments, ""))
        expect.that(
            not shared,
            f"{name} shares its memory with what was given.",
            seen="a change of one changes the other",
            expected="a new tensor",
            likely="the argument itself comes back, or a view of it: clone() makes a copy",
            pointer=pointers.IN_PLACE,
        )


def _expect_recording(value: Tensor, records: bool, what: str) -> None:
    cut = "the way back is cut: .item(), .detach(), .data or torch.no_grad() stands in it"
    if records and (not value.is_floating_point() or bool(((value == 0) | (value == 1)).all())):
        cut = (
            "a comparison such as x > 0, or rounding, has no gradient: use it to choose, and have x"
            " itself in the result"
        )
    expect.that(
        value.requires_grad == records,
        f"{what}: {'no gradient flows' if records else 'gradients are still recorded'}.",
        seen=f"requires_grad={value.requires_grad}",
        expected=f"requires_grad={records}",
        likely=cut if records else expect.told("compute it under torch.no_grad(), or detach() it"),
    )


def _expect_again(
    function: Function, calls: Sequence[tuple[str, Sequence[Any], Any]], what: str, atol: float
) -> None:
    """The same comes out in a second round, which goes the other way round."""
    for name, draw, before in reversed(calls):
        again = function(*values.copied(draw))
        expect.that(
            values.alike(again, before, atol),
            f"{name}: a second call with the same arguments gives something else.",
            seen=expect.describe(again),
            expected=f"{expect.describe(before)}, as in the first call",
            likely=KEPT,
            pointer=pointers.AGAIN,
        )


def _expect_kept(results: Sequence[Any], before: Sequence[Any], what: str) -> None:
    """No later call has changed what an earlier one gave."""
    for result, old in zip(results, before, strict=True):
        expect.that(
            values.alike(result, old, 0),
            f"{what}: a later call changes what an earlier one gave.",
            seen=expect.describe(result),
            expected=f"{expect.describe(old)}, as it was",
            likely=KEPT,
            pointer=pointers.AGAIN,
        )
