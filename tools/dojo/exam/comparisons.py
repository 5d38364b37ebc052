"""How an answer is compared with the reference's. A judge returns why it is wrong, or nothing; it
never tells what is right.
"""

import tomllib
from collections.abc import Callable, Mapping
from functools import cache

import numpy as np

from dojo import ROOT
from dojo.exam.values import Numbers, Other

Judge = Callable[[object, object, Mapping[str, object]], str]

# float32 summed in another order differs by less; no known mistake comes this near
RTOL, ATOL = 1e-3, 1e-4


def same(rtol: float = RTOL, atol: float = ATOL) -> Judge:
    """The same structure, types, shapes, dtypes, devices and texts, and the same numbers apart from
    rounding.
    """

    def judge(answer: object, right: object, hidden: Mapping[str, object]) -> str:
        return _difference(answer, right, rtol, atol)

    return judge


def reaches(name: str, measure: Callable[[object, object, Mapping[str, object]], float]) -> Judge:
    """What is measured on an answer reaches a pass mark.

    Args:
        name: of the mark, in tests/pass_marks.toml.
        measure: of the answer, the reference's answer and what is hidden.
    """

    def judge(answer: object, right: object, hidden: Mapping[str, object]) -> str:
        mark = _marks()[name]
        return within(mark["mark"], mark["must_be"], measure, mark["what"])(answer, right, hidden)

    return judge


def within(
    bound: float,
    must_be: str,
    measure: Callable[[object, object, Mapping[str, object]], float],
    what: str,
) -> Judge:
    """What is measured on an answer is "at most" or "at least" a bound, for questions whose data no
    pass mark speaks of.
    """

    def judge(answer: object, right: object, hidden: Mapping[str, object]) -> str:
        # numbers may be others, and no more of them: the best of many would be counted
        if form(answer) != form(right):
            return "the answer has another form than asked for"
        try:
            value = float(measure(answer, right, hidden))
        except (
            TypeError,
            ValueError,
            AttributeError,
            LookupError,
            ArithmeticError,
            RuntimeError,
            MemoryError,
        ) as error:
            return f"the answer has another form than asked for ({type(error).__name__})"
        met = value <= bound if must_be == "at most" else value >= bound
        return "" if met else f"{what}: {value:.4g}, and it has to be {must_be} {bound:g}"

    return judge


def every(*judges: Judge) -> Judge:
    """Several judgements of one answer; the first reason counts."""

    def judge(answer: object, right: object, hidden: Mapping[str, object]) -> str:
        return next(filter(None, (one(answer, right, hidden) for one in judges)), "")

    return judge


def form(value: object) -> object:
    """What there is in an answer besides its numbers: structure, keys, shapes, types."""
    if isinstance(value, Numbers):
        return value.kind, value.dtype, value.data.shape
    if isinstance(value, list | tuple):
        return type(value).__name__, [form(item) for item in value]
    if isinstance(value, dict):
        return {key: form(item) for key, item in value.items()}
    return value.type if isinstance(value, Other) else type(value).__name__


@cache
def _marks() -> dict:
    return tomllib.loads((ROOT / "tests" / "pass_marks.toml").read_text(encoding="utf-8"))


def _difference(answer: object, right: object, rtol: float, atol: float) -> str:
    if isinstance(answer, Other):
        return f"a {answer.type} came back, which is no answer"
    if isinstance(right, Numbers) or isinstance(answer, Numbers):
        return _numbers_differ(answer, right, rtol, atol)
    if type(answer) is not type(right):
        return f"{_kind(answer)} came back, where {_kind(right)} was expected"
    if isinstance(right, list | tuple):
        if len(answer) != len(right):
            return f"{len(answer)} items came back, where {len(right)} were expected"
        return next(
            filter(
                None, (_difference(a, r, rtol, atol) for a, r in zip(answer, right, strict=True))
            ),
            "",
        )
    if isinstance(right, dict):
        if list(answer) != list(right) and set(answer) != set(right):
            return "the keys are others than expected"
        return next(
            filter(None, (_difference(answer[key], right[key], rtol, atol) for key in right)), ""
        )
    if isinstance(right, float):
        return (
            ""
            if _close(np.float64(answer), np.float64(right), rtol, atol)
            else "the number is another"
        )
    return "" if answer == right else f"the {_kind(right)} is another"


def _numbers_differ(answer: object, right: object, rtol: float, atol: float) -> str:
    if not (
        isinstance(answer, Numbers) and isinstance(right, Numbers) and answer.kind == right.kind
    ):
        return f"{_kind(answer)} came back, where {_kind(right)} was expected"
    for what in ("dtype", "device", "requires_grad"):
        if getattr(answer, what) != getattr(right, what):
            return (
                f"the {what} is {getattr(answer, what)}, where {getattr(right, what)} was expected"
            )
    if answer.data.shape != right.data.shape:
        return f"the shape is {answer.data.shape}, where {right.data.shape} was expected"
    if right.data.dtype.kind == "f":
        return "" if _close(answer.data, right.data, rtol, atol) else "the numbers are others"
    return "" if np.array_equal(answer.data, right.data) else "the numbers are others"


def _close(answer: np.ndarray, right: np.ndarray, rtol: float, atol: float) -> bool:
    return bool(
        np.allclose(
            answer.astype(np.float64),
            right.astype(np.float64),
            rtol=rtol,
            atol=atol,
            equal_nan=True,
        )
    )


def _kind(value: object) -> str:
    if isinstance(value, Numbers):
        return {"tensor": "a tensor", "array": "an array", "scalar": "a NumPy number"}[value.kind]
    return "None" if value is None else f"a {type(value).__name__}"
