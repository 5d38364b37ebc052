"""Likely causes where no known mistake gives what came out: what a shape, a number or a device by
itself suggests.
"""

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from dojo import rounding
from dojo.diagnosis import Cause
from tests.support import subject, values

FEW = 0.5  # share of the numbers: more of them than this say nothing about one


def of_shape(seen: tuple[int, ...], expected: tuple[int, ...]) -> list[Cause]:
    """The likely cause of a wrong shape, by where it differs from the right one."""
    if len(seen) == len(expected) == 2 and seen == expected[::-1] and seen != expected:
        return [Cause("rows and columns are swapped")]
    if math.prod(seen) == math.prod(expected):
        if len(seen) < len(expected) and subject.has("squeeze("):
            return [Cause("squeeze takes sizes of 1 away: reshape to the shape that is asked for")]
        return [
            Cause(
                "the numbers are there in another arrangement: reshape, unsqueeze or squeeze puts"
                " them right"
            )
        ]
    if math.prod(expected) == 1 and len(seen) == 1 and seen[0] > 1:
        return [Cause(f"there are {seen[0]} numbers where one belongs: is a sum or mean missing?")]
    size = _of_size(seen, expected)
    if len(seen) < len(expected):
        return [Cause("a dimension was summed up, picked out or flattened away"), size]
    if len(seen) > len(expected):
        return [Cause("a dimension is left that should have been summed up, or picked out"), size]
    if seen[1:] == expected[1:]:
        few = seen[0] < expected[0]
        return [size, Cause("rows are left out" if few else "there are more rows than asked for")]
    swapped = Cause("the sizes of a layer are swapped: nn.Linear(inputs, outputs)")
    return [size, swapped] if subject.has("nn.Linear") else [size]


def _of_size(seen: tuple[int, ...], expected: tuple[int, ...]) -> Cause:
    """The likely cause of another size: one that the code holds, or one more or less; or where to
    look.
    """
    off = [pair for pair in zip(seen, expected, strict=False) if pair[0] != pair[1]]
    if subject.writes({size for size, _ in off} or set(seen)):
        return Cause("a size is written into the code")
    if len(seen) == len(expected) and all(abs(one - other) == 1 for one, other in off):
        more = "one more" if off[0][0] > off[0][1] else "one less"
        return Cause(f"{more} than right: where does the counting begin, and where does it end?")
    return Cause("which line makes this size, and along which dimension does it work?")


def of_device(value: Tensor, expected: torch.device) -> str:
    """The likely cause of a tensor on another device. If it records gradients, its graph shows
    whether it was moved there as the last step.
    """
    if value.device.type == expected.type:
        return (
            "the number of the device is lost or written into the code: x.device is the whole of it"
        )
    written = "a device is written into the code"
    if value.device.type != "cpu":
        return f"{written}: take it from the data (x.device) or the model's parameters"
    if type(value.grad_fn).__name__.startswith("ToCopy"):
        return f"{written}, such as .cpu() or 'cpu'"
    return (
        f"a new tensor is made on the CPU unless it is told device=x.device; or {written}, such as"
        " .cpu() or 'cpu'"
    )


def of_numbers(seen: Tensor, wanted: Tensor) -> Cause:
    """The first that fits of what is not a number, all zeros, k times right, here and there wrong;
    a question where nothing does.
    """
    seen, wanted = seen.to(torch.float64), wanted.to(torch.float64)
    if seen.numel() == 1:
        return Cause(of_one_number(seen.item(), wanted.item()))
    broken = ~torch.isfinite(seen) & torch.isfinite(wanted)
    if broken.any():
        place = broken.nonzero()[0].tolist()
        return Cause(f"first at position {place}: {_of_no_number(seen[broken][0].item())}")
    if not seen.any():
        return Cause("the result is all zeros: was it created and then never filled?")
    if (factor := _factor(seen, wanted)) is not None:
        is_sign = math.isclose(factor, -1, rel_tol=1e-3)
        kind = "the sign is off" if is_sign else "a factor is missing, or one too many"
        return Cause(f"every number is {factor:.4g} times the expected one: {kind}", told=True)
    if rounding.decimals(seen.numpy(), wanted.numpy()) is not None:
        return Cause(rounding.ROUNDED, told=True)
    off = ~torch.isclose(seen, wanted, rtol=1e-4, atol=1e-5, equal_nan=True)
    if 0 < off.sum() <= FEW * off.numel():
        place = tuple(off.nonzero()[0].tolist())
        which = "it is" if off.sum() == 1 else "the first of them is"
        return Cause(
            f"{_off(off)}: {which} at position {list(place)}, {seen[place].item():.4g} and not"
            f" {wanted[place].item():.4g}. What is special about that one?"
        )
    if torch.equal(seen.flatten().sort().values, wanted.flatten().sort().values):
        return Cause("these are the right numbers in another order", told=True)
    return Cause(f"{'no number is right' if off.all() else _off(off)}: {_compare()}")


def _off(off: Tensor) -> str:
    """How many of the numbers are off."""
    verb = "is" if off.sum() == 1 else "are"
    return f"{int(off.sum())} of {off.numel()} numbers {verb} off"


def of_one_number(seen: float, wanted: float) -> str:
    """A question about a single number, from how it relates to the right one; one number is no
    evidence.
    """
    if math.isfinite(wanted) and not math.isfinite(seen):
        return _of_no_number(seen)
    near = {
        "minus the right number: which of two terms do you subtract": -wanted,
        "the right number's square: is a root missing, or a square one too many": wanted**2,
        "the right number's root: is there a root too many": math.sqrt(max(wanted, 0)),
        "1 minus the right number: do you count the other kind": 1 - wanted,
        "1 divided by the right number: what is divided by what": 1 / wanted
        if wanted
        else math.inf,
    }
    if 0 <= wanted <= 1 < seen and seen == round(seen):
        return "is this a count? A share is asked for: divide it by how many there are"
    if abs(wanted) > 1e-6:
        for text, other in near.items():
            if math.isclose(seen, other, rel_tol=1e-5):
                return f"this is {text}?"
        factor = seen / wanted
        for name, times in (("", factor), ("1/", 1 / factor if factor else 0.5)):
            if abs(times) > 1.5 and math.isclose(times, round(times), rel_tol=1e-5) and times < 100:
                what = "is a sign" if times < 0 else "are a factor or brackets"
                return f"this is {name}{round(times)} times the right number: {what} missing?"
    return f"the number is off: {_compare()}"


def _of_no_number(seen: float) -> str:
    """What gives NaN or infinity."""
    if math.isnan(seen):
        return (
            "NaN comes from 0 / 0, inf / inf, inf - inf or 0 * inf, or from the log or root of a"
            " negative number, and exp of a large number is inf: which of them can happen in your"
            " code?"
        )
    return (
        "a number divided by 0 gives inf, as do exp of a large number and -log of 0: which of them"
        " can happen in your code?"
    )


def _compare() -> str:
    where = subject.place_of_formula()
    return (
        f"where does your formula differ from {where}, step by step?"
        if where
        else "what do you get by hand, with two or three small numbers?"
    )


def of_value(seen: object, wanted: object) -> list[Cause]:
    """The likely cause of a value that is not as expected, by the kind of value."""
    if type(seen) is not type(wanted):
        number = _other_number(seen, wanted)
        return [Cause(*_of_type(seen, wanted)) if number is None else Cause(number)]
    if isinstance(wanted, str):
        return [Cause(*_of_text(str(seen), wanted))]
    if isinstance(wanted, bool):
        return [
            Cause("is the condition the wrong way round, or is this case one that it leaves out?")
        ]
    if isinstance(wanted, int) and isinstance(seen, int):
        if abs(seen - wanted) == 1:
            more = "one more" if seen > wanted else "one less"
            return [
                Cause(f"{more} than right: where does the counting begin, and where does it end?")
            ]
        return [Cause("which of the things that you count, or add, should not be among them?")]
    if isinstance(wanted, float) and isinstance(seen, float):
        return [Cause(of_one_number(seen, wanted))]
    if isinstance(wanted, dict) and isinstance(seen, dict):
        return [Cause(*_of_dict(seen, wanted))]
    if isinstance(wanted, list | tuple) and isinstance(seen, list | tuple):
        return [Cause(*_of_items(seen, wanted))]
    return [Cause("at which step of yours does it become another value?")]


def _other_number(seen: object, wanted: object) -> str | None:
    """The likely cause of a number of NumPy or torch where a float belongs, if it is off as well:
    the type comes after it.
    """
    if not isinstance(seen, Tensor | np.ndarray | np.generic) or type(wanted) is not float:
        return None
    number = values.numbers(seen).to(torch.float64)
    if number.numel() != 1 or values.alike(number.reshape(()), wanted, 1e-5):
        return None
    return of_one_number(number.item(), wanted)


def _of_type(seen: object, wanted: object) -> tuple[str, bool]:
    name, right = type(seen).__name__, type(wanted).__name__
    if seen is None:
        return "`return` is missing", True
    if callable(seen) and not isinstance(seen, type):
        return "a function comes back, and it is not called: the brackets () are missing", True
    if isinstance(seen, Tensor | np.ndarray | np.generic) and isinstance(
        wanted, bool | int | float
    ):
        if getattr(seen, "size", 1) == 1 or (isinstance(seen, Tensor) and seen.numel() == 1):
            return f"{_article(name)} comes back: .item() makes a plain number of it", True
        return (
            f"{_article(name)} of several numbers comes back, and one plain number is asked for",
            True,
        )
    if isinstance(seen, Tensor | np.ndarray) and isinstance(wanted, list):
        return f"{_article(name)} comes back: .tolist() makes a list of it", True
    if isinstance(seen, int) and isinstance(wanted, float) and 0 <= wanted <= 1 < seen:
        return of_one_number(seen, wanted), False
    if isinstance(wanted, list | tuple | str | int | float | bool | dict | Tensor | np.ndarray):
        return f"{_article(name)} comes back, and {_article(right)} is asked for", True
    return f"what comes back is of the type {name}, and not {right}", True


def _of_text(seen: str, wanted: str) -> tuple[str, bool]:
    if seen.casefold() == wanted.casefold():
        return "capital and small letters are not as asked for", True
    if "".join(seen.split()) == "".join(wanted.split()):
        return "the letters are right; spaces or line ends are not as asked for", True
    pairs = enumerate(zip(seen, wanted, strict=False))
    same = next((n for n, (one, other) in pairs if one != other), min(len(seen), len(wanted)))
    begin = seen.rfind(" ", 0, same) + 1  # of the word in which they part
    found, right = (text[begin : same + 12] or "nothing" for text in (seen, wanted))
    return f"the first difference: {found!r}, and not {right!r}", False


def _of_dict(seen: dict, wanted: dict) -> tuple[str, bool]:
    missing = [repr(key) for key in wanted if key not in seen]
    others = [repr(key) for key in seen if key not in wanted]
    if missing or others:
        texts = [f"there is no {', '.join(missing[:3])}"] if missing else []
        texts += [f"{', '.join(others[:3])} is not asked for"] if others else []
        return "; ".join(texts), True
    off = [key for key in wanted if seen[key] != wanted[key]]
    return (
        f"the value of {off[0]!r} is another: which line of yours makes it?" if off else ORDER,
        False,
    )


NO_TEXT = (
    "nan stands where a text belongs: a text was read as a number, as np.genfromtxt does without"
    " dtype=str"
)
ORDER = "the entries are there in another order: does it matter which comes first?"


def _of_items(seen: list | tuple, wanted: list | tuple) -> tuple[str, bool]:
    if len(seen) != len(wanted):
        few = "too few" if len(seen) < len(wanted) else "too many"
        return f"{len(seen)} items are {few}, it should be {len(wanted)}: which ones differ?", False
    if sorted(map(repr, seen)) == sorted(map(repr, wanted)):
        return "the right items, in another order", True
    off = [n for n, pair in enumerate(zip(seen, wanted, strict=True)) if pair[0] != pair[1]]
    if len(off) == len(wanted) > 1 and seen[0] == seen[0]:
        return f"no item is right: what makes {seen[0]!r} where {wanted[0]!r} is asked for?", False
    first = off[0] if off else 0
    if isinstance(wanted[first], str) and seen[first] != seen[first]:
        return NO_TEXT, True
    if isinstance(wanted[first], str) and isinstance(seen[first], str):
        text, told = _of_text(seen[first], wanted[first])
        return f"at position {first}, {text}", told
    return f"the first difference is at position {first}: what is special about that one?", False


def _article(name: str) -> str:
    name = {"Tensor": "tensor", "ndarray": "NumPy array"}.get(name, name)
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def in_place(given: Sequence[object]) -> str:
    """The likely cause of an argument that has changed, by its kind."""
    kinds = {type(part) for _, part in values.parts(list(given), "")}
    if kinds & {Tensor, np.ndarray}:
        return IN_PLACE
    return "append, sort, pop and x[...] = work in place, on the caller's own: make a copy first"


IN_PLACE = (
    "a method ending in _ or an operator such as += or x[...] = works in place: make a new tensor"
    " instead"
)


def of_hidden(model: nn.Module) -> list[str]:
    """A cause for each plain list, tuple or dict of a model that holds layers, which torch
    therefore does not find.
    """
    causes = []
    for name, value in vars(model).items():
        parts = (
            value.values()
            if isinstance(value, dict)
            else value
            if isinstance(value, list | tuple)
            else ()
        )
        if not name.startswith("_") and any(
            isinstance(part, nn.Module | nn.Parameter) for part in parts
        ):
            kind = type(value).__name__
            right = "ModuleDict" if isinstance(value, dict) else "ModuleList"
            causes.append(
                f"a plain {kind} hides its layers from torch: self.{name} has to be an nn.{right}"
            )
    return causes


def _factor(seen: Tensor, wanted: Tensor) -> float | None:
    """The number that makes the expected ones those seen, if there is one; of numbers that are all
    alike it tells nothing.
    """
    if (
        seen.numel() < 2
        or torch.count_nonzero(wanted) < 2
        or wanted.max() - wanted.min() < 1e-3 * wanted.abs().max()
    ):
        return None
    factor = ((seen * wanted).sum() / (wanted * wanted).sum()).item()
    return factor if torch.allclose(seen, factor * wanted, rtol=1e-4, atol=1e-7) else None
