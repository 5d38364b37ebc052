"""How each operation of the table is carried out: on the CPU's tensors behind the simulated ones,
by the CPU's own code.

A kernel takes what torch's dispatcher gives for one operation, and answers with simulated tensors.
There are a few kinds: most operations compute something new or write into a tensor, some give a
view, some make tensors from nothing.

Every other operation of torch is refused, one by one. A single fallback would not do: for many
operations torch brings a general way that comes before any fallback, and that counts on the
device's memory being what it is on real ones.
"""

import functools
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from dojo.simulated import NAME, Unsupported, table
from dojo.simulated.memory import CPU, data_behind, data_of, is_simulated, place, view, wrap

KEY = "PrivateUse1"
OTHER_LAYOUTS = f"Sparse{KEY}", f"SparseCsr{KEY}", f"Quantized{KEY}", f"NestedTensor{KEY}"
Kernel = Callable[..., object]
_as_strided_ = torch.ops.aten.as_strided_.default


def register() -> tuple[torch.library.Library, torch.library.Library]:
    """Give torch a kernel for every operation. They stay for as long as what is returned is
    kept.
    """
    everything, aten = torch.library.Library("_", "IMPL"), torch.library.Library("aten", "IMPL")
    for key in (KEY, *OTHER_LAYOUTS):
        everything.fallback(lambda op, *args, **kwargs: _refuse(_name_of(op)), key)
    for name in _operations():
        if name in table.WITH_A_KERNEL:
            aten.impl(name, kernel(name), KEY)
        elif name.startswith(table.REFUSED) or (
            name not in table.LEFT_TO_TORCH and _has_general_way(name)
        ):
            aten.impl(name, functools.partial(_refuse, name), KEY)
    return everything, aten


def _operations() -> list[str]:
    """All operations of torch, without the `aten::` in front."""
    return [
        name.removeprefix("aten::")
        for name in torch._C._dispatch_get_all_op_names()
        if name.startswith("aten::")
    ]


def _has_general_way(name: str) -> bool:
    """Whether torch would carry this out on a device that has no kernel for it.

    What torch calls CompositeImplicit is left as it is: it is made of other operations, each of
    which comes here in its turn.
    """
    general = "CompositeExplicitAutograd", "CompositeExplicitAutogradNonFunctional"
    return any(
        torch._C._dispatch_has_kernel_for_dispatch_key(f"aten::{name}", key) for key in general
    )


def overload(name: str) -> torch._ops.OpOverload:
    """'add.Tensor' → torch.ops.aten.add.Tensor"""
    base, _, which = name.partition(".")
    return getattr(getattr(torch.ops.aten, base), which or "default")


def _name_of(op: torch._ops.OpOverload) -> str:
    return op._schema.name.removeprefix("aten::") + (
        f".{op._schema.overload_name}" if op._schema.overload_name else ""
    )


def _refuse(name: str, *args: object, **kwargs: object) -> None:
    raise Unsupported(f"aten::{name}")


def kernel(name: str) -> Kernel:
    """The kernel of an operation of the table."""
    if name in _BY_HAND:
        return _BY_HAND[name]
    op = overload(name)
    if name in table.FACTORIES:
        return _factory(op)
    if name in table.VIEWS:
        return _views(op)
    if name in table.RESHAPED_IN_PLACE:
        return _reshape_in_place(op)
    foreign = _foreign_allowed(op, name)
    written = [
        number
        for number, argument in enumerate(op._schema.arguments)
        if argument.alias_info is not None
    ]
    return _in_place(op, foreign, written) if written else _compute(op, foreign)


# What of the arguments may lie on the CPU: takes the argument's place, says whether that one may be
# there.
Foreign = Callable[[int, Tensor], bool]


def _foreign_allowed(op: torch._ops.OpOverload, name: str) -> Foreign:
    """What CUDA allows: single numbers (tensors without a dimension) in element by element
    operations, and indices.
    """
    if name in table.INDICES_FROM_THE_CPU:
        return lambda place, tensor: place == 1 or (place == 2 and tensor.dim() == 0)
    if name in table.VALUE_FROM_THE_CPU:
        return lambda place, tensor: place == len(op._schema.arguments) - 1 and tensor.dim() == 0
    if name in table.NUMBERS_FROM_THE_CPU:
        return lambda place, tensor: tensor.dim() == 0
    return lambda place, tensor: False


def _to_data(
    args: Sequence[object], kwargs: dict[str, object], foreign: Foreign
) -> tuple[list[object], dict[str, object]]:
    """The arguments with the CPU's tensors in place of the simulated ones."""

    def translate(place: int, value: object) -> object:
        if isinstance(value, Tensor):
            if value.device.type == NAME:
                return data_of(value)
            if not foreign(place, value):
                raise other_device(value.device)
            return value
        if value is None or isinstance(value, int | float | str):
            return value
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
    """What torch itself says when tensors on several devices meet."""
    found = f"found at least two devices, {NAME}:0 and {device}!"
    return RuntimeError(f"Expected all tensors to be on the same device, but {found}")


def _to_simulated(result: object, args: Sequence[object]) -> object:
    """What the CPU computed, as simulated tensors; where it lies in the memory of an argument, the
    result shares it too.
    """
    if isinstance(result, Tensor):
        address = result.untyped_storage()
        for argument in args:
            if (
                is_simulated(argument)
                and data_behind(argument.untyped_storage()) is address
                and argument.dtype == result.dtype
            ):
                return view(argument, result)
        return wrap(result)
    if isinstance(result, list | tuple):
        return type(result)(_to_simulated(entry, args) for entry in result)
    return result  # a number, a bool, or nothing


def _compute(op: torch._ops.OpOverload, foreign: Foreign) -> Kernel:
    """An operation that gives new tensors (or a number)."""

    def run(*args: object, **kwargs: object) -> object:
        positional, named = _to_data(args, kwargs, foreign)
        return _to_simulated(op(*positional, **named), args)

    return run


def _in_place(op: torch._ops.OpOverload, foreign: Foreign, written: Sequence[int]) -> Kernel:
    """An operation that writes into arguments, and gives back the first of them if it gives back
    anything.
    """
    gives_back = bool(op._schema.returns)

    def not_into_the_cpu(place: int, tensor: Tensor) -> bool:
        return place not in written and foreign(place, tensor)

    def run(*args: object, **kwargs: object) -> object:
        positional, named = _to_data(args, kwargs, not_into_the_cpu)
        op(*positional, **named)
        return args[written[0]] if gives_back else None

    return run


def _views(op: torch._ops.OpOverload) -> Kernel:
    """An operation that gives one or several views of its first argument."""

    def run(base: Tensor, *args: object, **kwargs: object) -> object:
        result = op(data_of(base), *args, **kwargs)
        return (
            view(base, result)
            if isinstance(result, Tensor)
            else [view(base, one) for one in result]
        )

    return run


def _reshape_in_place(op: torch._ops.OpOverload) -> Kernel:
    """An operation that changes the sizes and strides of its first argument, and leaves the numbers
    where they are.
    """
    key = torch._C.DispatchKeySet(torch._C.DispatchKey.CPU)

    def run(base: Tensor, *args: object, **kwargs: object) -> Tensor:
        data = op(data_of(base), *args, **kwargs)
        return _as_strided_.redispatch(key, base, data.size(), data.stride(), data.storage_offset())

    return run


def _factory(op: torch._ops.OpOverload) -> Kernel:
    """An operation that may say where its result is to lie: here, or on any device. So may the
    tensor that it starts from.
    """

    def run(
        *args: object,
        device: torch.device | None = None,
        pin_memory: bool | None = None,
        **kwargs: object,
    ) -> Tensor:
        positional, named = _to_data(args, kwargs, lambda place, tensor: place == 0)
        if pin_memory:
            raise Unsupported("pinned memory")
        if device is None or device.type == NAME:
            return wrap(op(*positional, device=CPU, **named))
        return op(*positional, device=device, **named)

    return run


def _copy(target: Tensor, source: Tensor, non_blocking: bool = False) -> Tensor:
    """The one operation that goes between devices, in both directions."""
    there = data_of(target) if is_simulated(target) else target
    there.copy_(data_of(source) if is_simulated(source) else source)
    return target


def _set_storage(
    tensor: Tensor,
    storage: torch.UntypedStorage,
    offset: int,
    size: list[int],
    stride: Sequence[int] = (),
) -> Tensor:
    """Let a tensor lie in another storage of the device: what copy.deepcopy and torch.save do at
    their end.
    """
    like = torch.empty(0, dtype=tensor.dtype, device=CPU).set_(
        data_behind(storage), offset, size, stride
    )
    return place(tensor, storage, like)


def _set_whole_storage(tensor: Tensor, storage: torch.UntypedStorage) -> Tensor:
    return _set_storage(tensor, storage, 0, [storage.nbytes() // tensor.dtype.itemsize])


def _into_out(name: str) -> Kernel:
    """An operation with out=, where that has the right size already: the CPU would resize it behind
    our back.
    """
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
    """Gradients that are zero everywhere: torch wants a tensor without memory, and gets an ordinary
    one.
    """
    return wrap(torch.zeros(size, dtype=dtype, device=CPU))


_BY_HAND: dict[str, Kernel] = {
    "_efficientzerotensor": _zeros,
    "copy_": _copy,
    "maximum.out": _into_out("maximum"),
    "minimum.out": _into_out("minimum"),
    "set_.source_Storage": _set_whole_storage,
    "set_.source_Storage_storage_offset": _set_storage,
}
