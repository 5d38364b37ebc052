"""Tensors of the simulated device, and the CPU's numbers behind them.

A tensor of the device has a size, strides and an offset like any other, and lies in a storage that
says `simulated`. Storages come in pairs: the simulated one holds on to one of the CPU. So views,
`detach()`, `Parameter(...)` and `.data`, which share the simulated storage, share the numbers too;
and when the last tensor of a storage is gone, so are the numbers.
"""

import functools
from traceback import walk_stack
from typing import Any, TypeGuard

import torch
from torch import Tensor

from . import NAME, Unsupported

DTYPES = {torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.bool, torch.uint8}
DTYPES |= {torch.int8, torch.int16, torch.int32, torch.int64}

REFUSED: set[torch.dtype] = set()  # of these, those that the device lacks for now

PRINTER = "torch._tensor_str"  # by name alone: without it print() would be refused, no more

# private: only with its key an operation can be sent to the CPU's code, which for the three below
# handles sizes and strides alone and reads no numbers
_CPU_KEY = torch._C.DispatchKeySet(torch._C.DispatchKey.CPU)
_set: Any = torch.ops.aten.set_.source_Storage_storage_offset
_as_strided: Any = torch.ops.aten.as_strided.default
_as_strided_: Any = torch.ops.aten.as_strided_.default


def is_simulated(value: object) -> TypeGuard[Tensor]:
    return isinstance(value, Tensor) and value.device.type == NAME


def data_of(tensor: Tensor) -> Tensor:
    """The CPU's tensor behind a simulated one: the same memory, size and strides."""
    data = data_behind(tensor.untyped_storage())
    empty = torch.empty(0, dtype=tensor.dtype, device="cpu")
    return empty.set_(data, tensor.storage_offset(), tensor.size(), tensor.stride())


def wrap(data: Tensor) -> Tensor:
    """A new simulated tensor for a tensor of the CPU, which becomes the memory behind it."""
    if data.dtype in REFUSED and not _is_printing():
        dtype = str(data.dtype).removeprefix("torch.")
        other = {"float64": "float32"}.get(dtype, "complex64")
        raise TypeError(
            f"Cannot convert a {dtype} tensor to the {NAME} device, which like MPS doesn't support"
            f" {dtype}. Please use {other} instead."
        )
    if data.dtype not in DTYPES:
        raise Unsupported(f"the dtype {data.dtype}")
    if data.layout is not torch.strided:
        raise Unsupported(f"the layout {data.layout}")
    # private: torch.empty would ask the device's own kernel, which comes here
    empty = torch._C._acc.create_empty_tensor((0,), data.dtype)
    return place(empty, _storage_on(data.untyped_storage()), data)


def _is_printing() -> bool:
    """True while torch makes the text of a tensor, for which on MPS alone it takes no float64."""
    return any(frame.f_globals.get("__name__") == PRINTER for frame, _ in walk_stack(None))


def place(tensor: Tensor, storage: torch.UntypedStorage, like: Tensor) -> Tensor:
    """Let a simulated tensor lie in a storage, with another's size, strides and offset."""
    form = like.storage_offset(), like.size(), like.stride()
    placed: Tensor = _set.redispatch(_CPU_KEY, tensor, storage, *form)
    return placed


def view(base: Tensor, data: Tensor, op: Any = _as_strided) -> Tensor:
    """A view of a simulated tensor, where `data` is that view of the CPU's tensor behind it."""
    form = data.size(), data.stride(), data.storage_offset()
    result: Tensor = op.redispatch(_CPU_KEY, base, *form)
    return result


def as_strided_(base: Tensor, data: Tensor) -> Tensor:
    """The simulated tensor itself, with the size and strides of `data`."""
    return view(base, data, _as_strided_)


def data_behind(storage: torch.UntypedStorage) -> torch.UntypedStorage:
    """The CPU's storage behind a simulated one."""
    data: torch.UntypedStorage | None = getattr(storage, "data", None)
    if data is None:
        raise Unsupported("a storage that was made by itself, without a tensor")
    return data


def _storage_on(data: torch.UntypedStorage) -> torch.UntypedStorage:
    """The simulated storage for one of the CPU. It has the address of the real numbers, not zero:
    whatever part of torch reads there directly, reads what is right.
    """
    # private: a storage of another device can't be made otherwise. torch keeps this Python object,
    # with what is noted on it, as long as the storage itself.
    storage: Any = torch._C._construct_storage_from_data_pointer(
        data.data_ptr(), torch.device(NAME, 0), data.nbytes()
    )
    storage.data = data
    # torch's own asks for an empty storage of this device
    storage.__deepcopy__ = functools.partial(_deep_copy, data)
    simulated: torch.UntypedStorage = storage
    return simulated


def _deep_copy(data: Any, memo: dict[int, object]) -> torch.UntypedStorage:
    return _storage_on(data.clone())
