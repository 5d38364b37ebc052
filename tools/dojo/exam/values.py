"""Plain values: what an answer may consist of, and its form on the way between processes.

None, bool, int, float, str, tensors, arrays, and lists, tuples and dicts (with str keys) of these.
Everything else is named by its type, so that a wrong kind of answer is a wrong answer, not an
error.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

DEEPEST = 8
MOST_NODES = 20_000
LONGEST_TEXT = 50_000
DTYPES = ("float64", "float32", "float16", "int64", "int32", "int16", "int8", "uint8", "bool")


@dataclass(frozen=True, eq=False)
class Numbers:
    """A tensor or an array that came back.

    Attributes:
        kind: "tensor", "array", or "scalar" for a number of NumPy.
        device: the kind of device that a tensor was on; empty for an array.
    """

    kind: str
    data: np.ndarray
    device: str = ""
    requires_grad: bool = False

    @property
    def dtype(self) -> str:
        return str(self.data.dtype)

    @property
    def shape(self) -> tuple[int, ...]:
        return self.data.shape


@dataclass(frozen=True)
class Other:
    """Something that is no plain value, by the name of its type."""

    type: str


class NotPlain(ValueError):
    """What was received is no plain value; the message says why."""


def pack(value: object, arrays: list[np.ndarray], depth: int = 0) -> object:
    """A value as JSON can hold it; the arrays behind its tensors are appended to `arrays`."""
    if depth > DEEPEST:
        return _other("nested too deeply")
    if value is None or type(value) in (bool, str):
        return value
    if type(value) is int:
        return value if abs(value) < 2**53 else _other("a giant int")
    if type(value) is float:
        return value if math.isfinite(value) else {"is": "float", "text": str(value)}
    if isinstance(value, np.ndarray | np.generic) and str(value.dtype) in DTYPES:
        kind = "array" if isinstance(value, np.ndarray) else "scalar"
        return {"is": kind, "at": _place_of(np.asarray(value), arrays)}
    if isinstance(value, Tensor):
        dtype = str(value.dtype).removeprefix("torch.")
        if dtype not in DTYPES:
            return _other(f"a tensor of {dtype}")
        place = _place_of(value.detach().cpu().numpy(), arrays)
        grad = bool(value.requires_grad)
        return {"is": "tensor", "at": place, "device": value.device.type, "grad": grad}
    if isinstance(value, list | tuple):
        kind = "tuple" if isinstance(value, tuple) else "list"
        return {"is": kind, "items": [pack(item, arrays, depth + 1) for item in value]}
    if isinstance(value, dict) and all(type(key) is str for key in value):
        items = {key: pack(item, arrays, depth + 1) for key, item in value.items()}
        return {"is": "dict", "items": items}
    if isinstance(value, torch.dtype | torch.device):
        return str(value)
    return _other(f"{type(value).__module__}.{type(value).__qualname__}"[:200])


def _other(type_name: str) -> dict[str, str]:
    return {"is": "other", "type": type_name}


def _place_of(data: np.ndarray, arrays: list[np.ndarray]) -> int:
    arrays.append(np.ascontiguousarray(data).reshape(data.shape))
    return len(arrays) - 1


def unpack(packed: object, arrays: Sequence[np.ndarray]) -> Any:
    """The value of what `pack` made: tensors and arrays as Numbers.

    Raises:
        NotPlain: it is not what `pack` makes, or too large.
    """
    return _Unpacking(arrays).value(packed, 0)


class _Unpacking:
    def __init__(self, arrays: Sequence[np.ndarray]) -> None:
        self._arrays, self._places, self._nodes = arrays, range(len(arrays)), 0

    def value(self, packed: object, depth: int) -> object:
        self._nodes += 1
        if self._nodes > MOST_NODES or depth > 2 * DEEPEST:
            raise NotPlain("the answer has too many parts")
        if isinstance(packed, str) and len(packed) > LONGEST_TEXT:
            raise NotPlain("a text in the answer is too long")
        if packed is None or isinstance(packed, bool | int | float | str):
            return packed
        match packed:
            case {"is": "float", "text": "nan" | "inf" | "-inf" as text}:
                return float(text)
            case {"is": "other", "type": str(name)}:
                return Other(name[:200])
            case {"is": "list", "items": list(items)}:
                return [self.value(item, depth + 1) for item in items]
            case {"is": "tuple", "items": list(items)}:
                return tuple([self.value(item, depth + 1) for item in items])
            case {"is": "dict", "items": dict(items)}:
                return {key: self.value(item, depth + 1) for key, item in items.items()}
            case {"is": "array", "at": int(at)} if at in self._places:
                return Numbers("array", self._arrays[at])
            case {"is": "scalar", "at": int(at)} if (
                at in self._places and self._arrays[at].size == 1
            ):
                return Numbers("scalar", self._arrays[at].reshape(()))
            case {"is": "tensor", "at": int(at), "device": str(device), "grad": bool(grad)} if (
                at in self._places
            ):
                return Numbers("tensor", self._arrays[at], device[:40], grad)
        raise NotPlain("the answer has an unknown form")


def nodes(value: object) -> Iterator[object]:
    """A value and all its parts, however deep."""
    yield value
    if isinstance(value, list | tuple | dict):
        for item in value.values() if isinstance(value, dict) else value:
            yield from nodes(item)


def mapped(value: object, change: Callable[[Any], object]) -> Any:
    """The same structure of lists, tuples and dicts, with `change` applied to what they hold."""
    if isinstance(value, list | tuple):
        return type(value)(mapped(item, change) for item in value)
    if isinstance(value, dict):
        return {key: mapped(item, change) for key, item in value.items()}
    return change(value)


def size(value: object) -> int:
    """How many numbers and characters an unpacked value has, in all."""
    return sum(
        node.data.size if isinstance(node, Numbers) else len(node) if isinstance(node, str) else 1
        for node in nodes(value)
    )


def live(value: object) -> Any:
    """An unpacked value, with new tensors and arrays in place of Numbers."""
    return mapped(value, _live)


def _live(value: object) -> object:
    match value:
        case Numbers(kind="tensor"):
            return torch.from_numpy(value.data.copy())
        case Numbers(kind="array"):
            return value.data.copy()
        case Numbers():
            return value.data[()]
    return value
