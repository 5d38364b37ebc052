"""Comparisons of an answer with the reference's. A comparison returns why the answer is wrong, or
an empty text; it never reveals what is right.
"""

import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from typing import Any

import numpy as np

from dojo import ROOT, rounding
from dojo.exam.values import Numbers, Other

Comparison = Callable[[Any, Any, Mapping[str, Any]], str]
Measure = Callable[[Any, Any, Mapping[str, Any]], float]

# float32 summed in another order differs by less; no known mistake comes this near
RTOL, ATOL = 1e-3, 1e-4
OTHER_FORM = "the answer has another form than asked for"
# what a calculation with an answer of another form may raise
UNFIT = (AttributeError, LookupError, MemoryError, RuntimeError, TypeError, ValueError)


def same(rtol: float = RTOL, atol: float = ATOL) -> Comparison:
    """The same structure, types, shapes, dtypes, devices and texts; numbers apart from what another
    order of computing makes of them, and none that were rounded on purpose.
    """
    return lambda answer, right, hidden: (
        _difference(answer, right, rtol, atol) or _rounded(answer, right)
    )


def reaches(name: str, measure: Measure) -> Comparison:
    """A measured value reaches a pass mark.

    Args:
        name: the mark's, in tests/pass_marks.toml.
        measure: computes the value from the answer, the reference's answer and what is hidden.
    """

    def compare(answer: Any, right: Any, hidden: Mapping[str, Any]) -> str:
        mark = _marks()[name]
        return within(mark["mark"], mark["must_be"], measure, mark["what"])(answer, right, hidden)

    return compare


@cache
def _marks() -> dict[str, Any]:
    return tomllib.loads((ROOT / "tests" / "pass_marks.toml").read_text(encoding="utf-8"))


def within(bound: float, must_be: str, measure: Measure, what: str) -> Comparison:
    """A measured value is "at most" or "at least" a bound, for data without a pass mark."""

    def compare(answer: Any, right: Any, hidden: Mapping[str, Any]) -> str:
        # other numbers, but not more of them: the best of many would be counted
        if form(answer) != form(right):
            return OTHER_FORM
        try:
            value = float(measure(answer, right, hidden))
        except UNFIT as error:
            return f"{OTHER_FORM} ({type(error).__name__})"
        is_met = value <= bound if must_be == "at most" else value >= bound
        return "" if is_met else f"{what}: {value:.4g}, and it has to be {must_be} {bound:g}"

    return compare


def every(*comparisons: Comparison) -> Comparison:
    """Several comparisons of one answer; the first reason counts."""
    return lambda answer, right, hidden: _first(
        compare(answer, right, hidden) for compare in comparisons
    )


def formed() -> Comparison:
    """The same structure, types and shapes, with any finite numbers."""
    return lambda answer, right, hidden: "" if form(answer) == form(right) else OTHER_FORM


def equal_as(of: Callable[[np.ndarray], np.ndarray] = np.asarray) -> Comparison:
    """Of groups of parts: in each group those are equal that are equal in the reference's answer,
    and no others. Which numbers they have is free.

    Args:
        of: what is compared of an array or a tensor.
    """

    def compare(answer: Any, right: Any, hidden: Mapping[str, Any]) -> str:
        named = isinstance(right, dict)
        if len(answer) != len(right) or isinstance(answer, dict) != named:
            return OTHER_FORM
        groups = right if named else range(len(right))
        if any(list(map(_kind_of, answer[n])) != list(map(_kind_of, right[n])) for n in groups):
            return OTHER_FORM
        alike = all(_equal(answer[each], of) == _equal(right[each], of) for each in groups)
        return "" if alike else "what has to be equal differs, or the other way round"

    return compare


def _kind_of(part: Numbers) -> tuple[str, str, int]:
    return part.kind, part.dtype, part.data.ndim


def _equal(parts: list[Any], of: Callable[[np.ndarray], np.ndarray]) -> list[int]:
    """For each part the first that is equal to it."""
    arrays = [of(part.data) for part in parts]
    return [
        next(n for n, other in enumerate(arrays) if np.array_equal(one, other)) for one in arrays
    ]


def _first(reasons: Iterable[str]) -> str:
    return next(filter(None, reasons), "")


def form(value: object) -> object:
    """All of an answer except its numbers: structure, keys, shapes, types."""
    if isinstance(value, Numbers):
        return value.kind, value.dtype, value.shape
    if isinstance(value, list | tuple):
        return type(value).__name__, [form(item) for item in value]
    if isinstance(value, dict):
        return {key: form(item) for key, item in value.items()}
    return value.type if isinstance(value, Other) else type(value).__name__


def _difference(answer: Any, right: Any, rtol: float, atol: float) -> str:
    if isinstance(answer, Other):
        return f"a {answer.type} came back, which is no answer"
    if _kind(answer) != _kind(right):
        return f"{_kind(answer)} came back, where {_kind(right)} was expected"
    if isinstance(right, Numbers):
        return _numbers_difference(answer, right, rtol, atol)
    if isinstance(right, list | tuple):
        if len(answer) != len(right):
            return f"{len(answer)} items came back, where {len(right)} were expected"
        pairs = list(zip(answer, right, strict=True))
        return _first(_difference(*pair, rtol, atol) for pair in pairs)
    if isinstance(right, dict):
        if set(answer) != set(right):
            return "the keys differ"
        return _first(_difference(answer[key], right[key], rtol, atol) for key in right)
    if isinstance(right, float):
        return "" if _is_close(answer, right, rtol, atol) else "the number differs"
    return "" if answer == right else f"the {type(right).__name__} differs"


def _numbers_difference(answer: Numbers, right: Numbers, rtol: float, atol: float) -> str:
    for name in ("dtype", "device", "requires_grad", "shape"):
        value, expected = getattr(answer, name), getattr(right, name)
        if value != expected:
            return f"the {name} is {value}, where {expected} was expected"
    if right.data.dtype.kind == "f":
        is_same = _is_close(answer.data, right.data, rtol, atol)
    else:
        is_same = np.array_equal(answer.data, right.data)
    return "" if is_same else "the values differ"


def _is_close(answer: Any, right: Any, rtol: float, atol: float) -> bool:
    found, expected = (np.asarray(value, dtype=np.float64) for value in (answer, right))
    return np.allclose(found, expected, rtol=rtol, atol=atol, equal_nan=True)


def _rounded(answer: Any, right: Any) -> str:
    """Of two answers that are the same otherwise."""
    groups = dict[str, tuple[list[Any], list[Any]]]()
    for sides, value in enumerate((answer, right)):
        for name, numbers in _floats(value):
            groups.setdefault(name, ([], []))[sides].append(numbers.ravel())
    pairs = (tuple(map(np.concatenate, pair)) for pair in groups.values())
    is_rounded = any(rounding.decimals(*pair) is not None for pair in pairs)
    return "the numbers are rounded" if is_rounded else ""


def _floats(value: Any, name: str = "") -> Iterator[tuple[str, np.ndarray]]:
    """The floats of an answer; those of a list, and of lists in it, have one name."""
    if isinstance(value, Numbers):
        if value.data.dtype.kind == "f":
            yield name, value.data
    elif isinstance(value, float):
        yield name, np.array([value])
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _floats(item, name)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _floats(item, f"{name}/{key}")


def _kind(value: object) -> str:
    if isinstance(value, Numbers):
        return {"tensor": "a tensor", "array": "an array", "scalar": "a NumPy number"}[value.kind]
    return "None" if value is None else f"a {type(value).__name__}"
