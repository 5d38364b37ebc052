"""How each operation of kernels.toml is carried out: on the CPU's tensors behind the simulated
ones, by the CPU's own code.

A kernel takes what torch's dispatcher gives for one operation, and answers with simulated tensors.
There are a few kinds: most operations compute something new or write into a tensor, some give a
view, some make tensors from nothing.

Every other operation of torch is refused, one by one. A single fallback would not do: for many
operations torch brings a general way that comes before any fallback, and that counts on the
device's memory being what it is on real ones.
"""

import functools
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from . import NAME, Unsupported
from .memory import as_strided_, data_behind, data_of, is_simulated, place, view, wrap

KEY = "PrivateUse1"
OTHER_LAYOUTS = f"Sparse{KEY}", f"SparseCsr{KEY}", f"Quantized{KEY}", f"NestedTensor{KEY}"

Op = torch._ops.OpOverload[..., Any]  # no public name for it
Kernel = Callable[..., Any]
# True if a tensor at this place of the arguments may lie on the CPU
Foreign = Callable[[int, Tensor], bool]
Library: Any = torch.library.Library  # its methods have no types


def register() -> list[object]:
    """Give torch a kernel for every operation, for as long as what is returned is kept."""
    everything, aten = Library("_", "IMPL"), Library("aten", "IMPL")
    for key in (KEY, *OTHER_LAYOUTS):
        everything.fallback(lambda op, *args, **kwargs: _refuse(op.name()), key)
    for name in operations():
        if name in WITH_A_KERNEL:
            aten.impl(name, kernel(name), KEY)
        elif name.startswith(REFUSED) or (name not in LEFT_TO_TORCH and has_general_way(name)):
            aten.impl(name, functools.partial(_refuse, f"aten::{name}"), KEY)
    return [everything, aten]


def operations() -> list[str]:
    """All operations of torch, without the `aten::` in front."""
    # private: no public function lists them
    names = torch._C._dispatch_get_all_op_names()
    return [name.removeprefix("aten::") for name in names if name.startswith("aten::")]


def has_general_way(name: str) -> bool:
    """True if torch would carry this out on a device that has no kernel for it. What is
    CompositeImplicit doesn't count: it is made of other operations, each of which comes here.
    """
    general = "CompositeExplicitAutograd", "CompositeExplicitAutogradNonFunctional"
    # private: nothing public says which kernels an operation has
    has_kernel = torch._C._dispatch_has_kernel_for_dispatch_key
    return any(has_kernel(f"aten::{name}", key) for key in general)


def overload(name: str) -> Op:
    """'add.Tensor' → torch.ops.aten.add.Tensor"""
    base, _, which = name.partition(".")
    op: Op = getattr(getattr(torch.ops.aten, base), which or "default")
    return op


def _refuse(name: str, *args: object, **kwargs: object) -> None:
    raise Unsupported(name)


def kernel(name: str) -> Kernel:
    """The kernel of an operation of kernels.toml."""
    if name in BY_HAND:
        return BY_HAND[name]
    op = overload(name)
    if name in TABLE["factories"]:
        return _factory(op)
    if name in TABLE["views"]:
        return _views(op)
    if name in TABLE["reshaped_in_place"]:
        return _reshape_in_place(op)
    arguments = op._schema.arguments
    foreign = _foreign_allowed(name, last=len(arguments) - 1)
    written = [number for number, one in enumerate(arguments) if one.alias_info is not None]
    return _in_place(op, foreign, written) if written else _compute(op, foreign)


def _foreign_allowed(name: str, last: int) -> Foreign:
    """What CUDA allows: numbers (tensors without a dimension) element by element, and indices."""
    if name in TABLE["indices_from_the_cpu"]:
        return lambda place, tensor: place == 1 or (place == 2 and tensor.dim() == 0)
    if name in TABLE["value_from_the_cpu"]:
        return lambda place, tensor: place == last and tensor.dim() == 0
    if name in TABLE["numbers_from_the_cpu"]:
        return lambda place, tensor: tensor.dim() == 0
    return lambda place, tensor: False


def _to_data(
    args: Sequence[object], kwargs: dict[str, Any], foreign: Foreign
) -> tuple[list[Any], dict[str, Any]]:
    """The arguments with the CPU's tensors in place of the simulated ones."""

    def translate(place: int, value: object) -> object:
        if isinstance(value, Tensor):
            if value.device.type == NAME:
                return data_of(value)
            if not foreign(place, value):
                raise other_device(value.device)
        if isinstance(value, list | tuple):
            return [translate(place, entry) for entry in value]
        if isinstance(value, torch.Generator):
            raise RuntimeError(
                f"Expected a '{NAME}' device type for generator but found '{value.device.type}'"
            )
        return value

    positional = [translate(place, value) for place, value in enumerate(args)]
    return positional, {name: translate(-1, value) for name, value in kwargs.items()}


def other_device(device: torch.device) -> RuntimeError:
    """The error that torch itself raises when tensors on several devices meet."""
    found = f"found at least two devices, {NAME}:0 and {device}!"
    return RuntimeError(f"Expected all tensors to be on the same device, but {found}")


def _to_simulated(result: Any, args: Sequence[object]) -> Any:
    """What the CPU computed, as simulated tensors; memory shared with an argument stays shared."""
    if isinstance(result, list | tuple):
        return type(result)(_to_simulated(entry, args) for entry in result)
    if not isinstance(result, Tensor):
        return result  # a number, a bool, or nothing
    data = result.untyped_storage()
    for argument in filter(is_simulated, args):
        is_shared = data_behind(argument.untyped_storage()) is data
        if is_shared and argument.dtype == result.dtype:
            return view(argument, result)
    return wrap(result)


def _compute(op: Op, foreign: Foreign) -> Kernel:
    """An operation that gives new tensors (or a number)."""

    def run(*args: object, **kwargs: object) -> Any:
        positional, named = _to_data(args, kwargs, foreign)
        return _to_simulated(op(*positional, **named), args)

    return run


def _in_place(op: Op, foreign: Foreign, written: Sequence[int]) -> Kernel:
    """An operation that writes into arguments, and may give back the first of them."""
    gives_back = bool(op._schema.returns)

    def not_into_the_cpu(place: int, tensor: Tensor) -> bool:
        return place not in written and foreign(place, tensor)

    def run(*args: object, **kwargs: object) -> object:
        positional, named = _to_data(args, kwargs, not_into_the_cpu)
        op(*positional, **named)
        return args[written[0]] if gives_back else None

    return run


def _views(op: Op) -> Kernel:
    """An operation that gives one or several views of its first argument."""

    def run(base: Tensor, *args: object, **kwargs: object) -> Tensor | list[Tensor]:
        result = op(data_of(base), *args, **kwargs)
        if isinstance(result, Tensor):
            return view(base, result)
        return [view(base, part) for part in result]

    return run


def _reshape_in_place(op: Op) -> Kernel:
    """An operation that changes its first argument's sizes and strides, not its numbers."""
    return lambda base, *args, **kwargs: as_strided_(base, op(data_of(base), *args, **kwargs))


def _factory(op: Op) -> Kernel:
    """An operation that may say on which device its result, or the tensor it starts from, is."""

    def run(
        *args: object,
        device: torch.device | None = None,
        pin_memory: bool | None = None,
        **kwargs: object,
    ) -> Any:
        positional, named = _to_data(args, kwargs, lambda place, tensor: place == 0)
        if pin_memory:
            raise Unsupported("pinned memory")
        if device is None or device.type == NAME:
            if device is not None and device.index:
                raise RuntimeError(f"{device}: invalid device, there is only {NAME}:0")
            return wrap(op(*positional, device="cpu", **named))
        return op(*positional, device=device, **named)

    return run


def _copy(target: Tensor, source: Tensor, non_blocking: bool = False) -> Tensor:
    """The one operation that goes between devices, in both directions."""
    destination = data_of(target) if is_simulated(target) else target
    destination.copy_(data_of(source) if is_simulated(source) else source)
    return target


def _set_storage(
    tensor: Tensor,
    storage: torch.UntypedStorage,
    offset: int,
    size: Sequence[int],
    stride: Sequence[int] = (),
) -> Tensor:
    """Let a tensor lie in another storage, as copy.deepcopy and torch.save do at their end."""
    empty = torch.empty(0, dtype=tensor.dtype, device="cpu")
    return place(tensor, storage, empty.set_(data_behind(storage), offset, size, stride))


def _set_whole_storage(tensor: Tensor, storage: torch.UntypedStorage) -> Tensor:
    return _set_storage(tensor, storage, 0, [storage.nbytes() // tensor.dtype.itemsize])


def _into_out(name: str) -> Kernel:
    """An operation with out= of the right size; the CPU would resize any other unnoticed."""
    op = overload(name)

    def run(*args: object, out: Tensor) -> Tensor:
        positional, named = _to_data(args, {"out": out}, lambda place, tensor: False)
        result = op(*positional)
        if (result.shape, result.dtype) != (out.shape, out.dtype):
            raise Unsupported("out= of another size or dtype")
        named["out"].copy_(result)
        return out

    return run


def _zeros(size: list[int], dtype: torch.dtype | None = None, **kwargs: object) -> Tensor:
    """Gradients of zeros: torch wants a tensor without memory, and gets an ordinary one."""
    return wrap(torch.zeros(size, dtype=dtype, device="cpu"))


BY_HAND: dict[str, Kernel] = {
    "_efficientzerotensor": _zeros,
    "copy_": _copy,
    "maximum.out": _into_out("maximum"),
    "minimum.out": _into_out("minimum"),
    "set_.source_Storage": _set_whole_storage,
    "set_.source_Storage_storage_offset": _set_storage,
}
TABLE = {
    kind: frozenset(names.split())
    for kind, names in tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8")).items()
}
LEFT_TO_TORCH = TABLE["left_to_torch"]
SUPPORTED = frozenset(BY_HAND).union(*TABLE.values())
WITH_A_KERNEL = SUPPORTED - LEFT_TO_TORCH
# Refused although they are made of other operations: some of those build tensors without asking the
# device, or read its memory.
REFUSED = ("sparse_", "_sparse_", "fbgemm_", "quantized_", "choose_qparams")
