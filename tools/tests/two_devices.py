"""Carries out one of torch's operations on the CPU or the simulated device, and says what
differs.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from aten_samples import Call
from torch import Tensor
from torch.utils import _pytree

Layout = Callable[[Tensor], tuple[Tensor, tuple]]


@dataclass
class Outcome:
    """What came of a call: everything of it that a program could see."""

    error: str = ""
    # of the results: dtype, shape, strides, offset, device, whose memory
    facts: list[object] = field(default_factory=list)
    results: list[object] = field(default_factory=list)
    memory: list[Tensor] = field(default_factory=list)  # what the arguments lie in, afterwards
    gradients: list[Tensor] = field(default_factory=list)


def contiguous(value: Tensor) -> tuple[Tensor, tuple]:
    base = value.contiguous()
    return base, (base.shape, base.stride(), 0)


def transposed(value: Tensor) -> tuple[Tensor, tuple]:
    """Memory and the view in it: the same numbers, in columns."""
    turned = value.permute(list(range(value.dim()))[::-1]).contiguous()
    there = turned.permute(list(range(value.dim()))[::-1])
    return turned, (there.shape, there.stride(), 0)


def sliced(value: Tensor) -> tuple[Tensor, tuple]:
    """Memory and the view in it: the same numbers, every second place, not from the beginning."""
    wide = torch.ones([2 * size for size in value.shape] or [3], dtype=value.dtype)
    there = wide[tuple(slice(1, None, 2) for _ in value.shape)] if value.dim() else wide[1]
    there.copy_(value)
    return wide, (there.shape, there.stride(), there.storage_offset())


LAYOUTS = (contiguous, transposed, sliced)


def outcome(
    op: torch._ops.OpOverload, call: Call, layout: Layout, device: str, gradient: bool
) -> Outcome:
    """Call the operation with the arguments laid out and on the device."""
    memory, leaves = [], []

    def lay(value: object) -> object:
        if not isinstance(value, Tensor):
            return value
        base, place = layout(value)
        base = base.clone().to(device)
        if gradient and base.is_floating_point():
            leaves.append(base.requires_grad_())
            base = base.clone()
        memory.append(base)
        return base.as_strided(*place)

    args, kwargs = _pytree.tree_map(lay, call)
    if device != "cpu" and any(argument.name == "device" for argument in op._schema.arguments):
        kwargs["device"] = torch.device(device)
    torch.default_generator.manual_seed(0)  # torch.manual_seed takes long
    try:
        results = _pytree.tree_leaves(op(*args, **kwargs))
        tensors = [result for result in results if isinstance(result, Tensor)]
        flowing = [result for result in tensors if result.requires_grad]
        total = sum(
            (result * torch.arange(1.0, result.numel() + 1, device=device).view(result.shape)).sum()
            for result in flowing
        )
        found = torch.autograd.grad(total, leaves, allow_unused=True) if flowing else []
    except (RuntimeError, ValueError, IndexError, TypeError) as error:
        return Outcome(f"{type(error).__name__}: {error}")
    whose = [
        next((n for n, base in enumerate(memory) if shares(base, result)), None)
        for result in tensors
    ]
    facts = [(t.layout, t.dtype, t.shape, *place_of(t), t.device.type == device) for t in tensors]
    facts += whose
    values = [value.detach().cpu() if isinstance(value, Tensor) else value for value in results]
    return Outcome(
        "",
        facts,
        values,
        [base.detach().cpu() for base in memory],
        [g if g is None else g.cpu() for g in found],
    )


def shares(one: Tensor, other: Tensor) -> bool:
    if one.layout != torch.strided or other.layout != torch.strided:
        return False
    return one.untyped_storage()._cdata == other.untyped_storage()._cdata


def place_of(tensor: Tensor) -> tuple:
    return (tensor.stride(), tensor.storage_offset()) if tensor.layout == torch.strided else ()


def same(one: object, other: object) -> bool:
    if not isinstance(one, Tensor) or not isinstance(other, Tensor):
        return one == other or (one != one and other != other)
    if one.dtype != other.dtype or one.shape != other.shape:
        return False
    return torch.equal(one, other) or torch.allclose(one, other, rtol=0, atol=0, equal_nan=True)


def difference(here: Outcome, there: Outcome, numbers: bool = True) -> str | None:
    """What the two devices do not have in common, in words; the results' numbers left out where
    they are chance.
    """
    if bool(here.error) != bool(there.error):
        return (
            f"{here.error or 'it works'} on the CPU, and {there.error or 'it works'} on the"
            " simulated device"
        )
    if here.facts != there.facts:
        return f"{here.facts} on the CPU, and {there.facts} on the simulated device"
    for part in ("results", "memory", "gradients"):
        for one, other in zip(getattr(here, part), getattr(there, part), strict=True):
            if (numbers or part != "results") and not same(one, other):
                return f"other {part}: {one} on the CPU, and {other} on the simulated device"
    return None
