"""Plain values: what an answer may consist of, and its form on the way between processes.

None, bool, int, float, str, tensors, arrays, and lists, tuples and dicts (with str keys) of these.
Everything else is named by its type, so that a wrong kind of answer is a wrong answer, and no
error.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

DEEPEST = 8
MOST_NODES = 20_000
LONGEST_TEXT = 50_000
DTYPES = ("float64", "float32", "float16", "int64", "int32", "int16", "int8", "uint8", "bool")


@dataclass(frozen=True, eq=False)
class Numbers:
    """A tensor or an array as it came back.

    Attributes:
        kind: "tensor" or "array".
        device: the kind of device that a tensor was on; empty for an array.
    """

    kind: str
    dtype: str
    data: np.ndarray
    device: str = ""
    requires_grad: bool = False


class NotPlain(ValueError):
    """What was received is no plain value; the message says why."""


def pack(value: object, arrays: list[np.ndarray]) -> object:
    """A value as JSON can hold it; the numbers of tensors and arrays are appended to `arrays`."""
    return _pack(value, arrays, 0)


def _pack(value: object, arrays: list[np.ndarray], depth: int) -> object:
    torch = _torch()
    if depth > DEEPEST:
        return {"is": "other", "type": "nested too deeply"}
    if value is None or type(value) in (bool, str):
        return value
    if type(value) is int:
        return value if abs(value) < 2**53 else {"is": "other", "type": "a giant int"}
    if type(value) is float:
        return value if math.isfinite(value) else {"is": "float", "text": str(value)}
    if isinstance(value, np.ndarray | np.generic) and str(value.dtype) in DTYPES:
        arrays.append(np.ascontiguousarray(value).reshape(value.shape))
        return {"is": "array" if isinstance(value, np.ndarray) else "scalar", "at": len(arrays) - 1}
    if isinstance(value, torch.Tensor):
        return _pack_tensor(value, arrays)
    if isinstance(value, list | tuple):
        name = "tuple" if isinstance(value, tuple) else "list"
        return {"is": name, "items": [_pack(item, arrays, depth + 1) for item in value]}
    if isinstance(value, dict) and all(type(key) is str for key in value):
        return {
            "is": "dict",
            "items": {key: _pack(item, arrays, depth + 1) for key, item in value.items()},
        }
    if isinstance(value, torch.dtype | torch.device | torch.Size):
        return _pack(
            str(value) if not isinstance(value, torch.Size) else tuple(value), arrays, depth + 1
        )
    return {"is": "other", "type": f"{type(value).__module__}.{type(value).__qualname__}"[:200]}


def _pack_tensor(value: object, arrays: list[np.ndarray]) -> object:
    plain = value.detach().cpu()
    dtype = str(plain.dtype).removeprefix("torch.")
    if dtype not in DTYPES:
        return {"is": "other", "type": f"a tensor of {dtype}"}
    arrays.append(np.ascontiguousarray(plain.numpy()).reshape(tuple(plain.shape)))
    return {
        "is": "tensor",
        "at": len(arrays) - 1,
        "device": value.device.type,
        "grad": bool(value.requires_grad),
    }


def unpack(packed: object, arrays: Sequence[np.ndarray]) -> object:
    """The value of what `pack` made: tensors and arrays as Numbers.

    Raises:
        NotPlain: it is not what `pack` makes, or too large.
    """
    return _Unpacking(arrays).value(packed, 0)


def size(value: object) -> int:
    """How many numbers and characters an unpacked value has, in all."""
    match value:
        case Numbers():
            return value.data.size
        case list() | tuple():
            return sum(map(size, value)) + 1
        case dict():
            return sum(map(size, value.values())) + 1
        case str():
            return len(value)
    return 1


class _Unpacking:
    def __init__(self, arrays: Sequence[np.ndarray]) -> None:
        self._arrays, self._nodes = arrays, 0

    def value(self, packed: object, depth: int) -> object:
        self._nodes += 1
        if self._nodes > MOST_NODES or depth > 2 * DEEPEST:
            raise NotPlain("the answer has too many parts")
        if isinstance(packed, str) and len(packed) > LONGEST_TEXT:
            raise NotPlain("a text in the answer is too long")
        if packed is None or isinstance(packed, bool | int | float | str):
            return packed
        if not isinstance(packed, dict):
            raise NotPlain("the answer has an unknown form")
        match packed:
            case {"is": "float", "text": "nan" | "inf" | "-inf" as text}:
                return float(text)
            case {"is": "other", "type": str(name)}:
                return Other(name[:200])
            case {"is": ("list" | "tuple") as kind, "items": list(items)}:
                found = [self.value(item, depth + 1) for item in items]
                return tuple(found) if kind == "tuple" else found
            case {"is": "dict", "items": dict(items)}:
                return {key: self.value(item, depth + 1) for key, item in items.items()}
            case {"is": "array", "at": int(at)} if 0 <= at < len(self._arrays):
                return Numbers("array", str(self._arrays[at].dtype), self._arrays[at])
            case {"is": "scalar", "at": int(at)} if (
                0 <= at < len(self._arrays) and self._arrays[at].size == 1
            ):
                return Numbers("scalar", str(self._arrays[at].dtype), self._arrays[at].reshape(()))
            case {"is": "tensor", "at": int(at), "device": str(device), "grad": bool(grad)} if (
                0 <= at < len(self._arrays)
            ):
                return Numbers(
                    "tensor", str(self._arrays[at].dtype), self._arrays[at], device[:40], grad
                )
        raise NotPlain("the answer has an unknown form")


@dataclass(frozen=True)
class Other:
    """Something that is no plain value, by the name of its type."""

    type: str


def _torch():
    import torch  # late: the trusted side unpacks without it

    return torch
