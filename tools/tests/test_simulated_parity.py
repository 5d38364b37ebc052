"""The simulated device: every operation of its table gives what the CPU gives, forwards and backwards."""

import warnings
from dataclasses import dataclass, field

import aten_samples
import pytest
import torch
from torch import Tensor
from torch.utils import _pytree

from dojo import simulated

if reason := simulated.available():
    pytest.skip(reason, allow_module_level=True)

from dojo.simulated import kernels, table

DTYPES = {torch.float32: aten_samples.SHAPES, torch.float64: aten_samples.SHAPES[:1], torch.int64: aten_samples.SHAPES[:3]}
DTYPES |= {torch.bool: aten_samples.SHAPES[:1]}
# Their signature is not enough: with wrong arguments the CPU's own code writes where it must not.
ONLY_BY_HAND = {
    "_cdist_backward",
    "_cdist_forward",
    "_cummax_helper",
    "_cummin_helper",
    "_log_softmax_backward_data",
    "_prelu_kernel",
    "_prelu_kernel_backward",
    "_reshape_alias",
    "_softmax_backward_data",
    "embedding_dense_backward",
    "glu_backward",
    "native_batch_norm",
    "native_batch_norm_backward",
    "native_dropout_backward",
    "native_group_norm",
    "native_group_norm_backward",
    "native_layer_norm",
    "native_layer_norm_backward",
    "nll_loss_backward",
    "nll_loss2d_backward",
    "unfold_backward",
}
ONLY_CONTIGUOUS = {"native_group_norm", "nll_loss2d_backward"}  # the CPU takes no other tensors
WITHOUT_NUMBERS = {name for name in table.FACTORIES if "empty" in name}  # what is in their memory is chance
BY_THEIR_OWN_TEST = {"set_.source_Storage", "set_.source_Storage_storage_offset"}  # they take a storage


@pytest.fixture(scope="module", autouse=True)
def enabled():
    simulated.enable()


@dataclass
class Outcome:
    """What came of a call: everything of it that a program could see."""

    error: str = ""
    facts: list[tuple] = field(default_factory=list)  # of each result: dtype, shape, strides, offset, whose memory
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


def outcome(op, call: aten_samples.Call, layout, device: str, gradient: bool) -> Outcome:
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
            (result * torch.arange(1.0, result.numel() + 1, device=device).view(result.shape)).sum() for result in flowing
        )
        found = torch.autograd.grad(total, leaves, allow_unused=True) if flowing else []
    except (RuntimeError, ValueError, IndexError, TypeError) as error:
        return Outcome(f"{type(error).__name__}: {error}")
    assert all(result.device.type == device for result in tensors), "a result is on another device"
    whose = [next((n for n, base in enumerate(memory) if shares(base, result)), None) for result in tensors]
    facts = [(t.dtype, t.shape, t.stride(), t.storage_offset(), owner) for t, owner in zip(tensors, whose, strict=True)]
    values = [value.detach().cpu() if isinstance(value, Tensor) else value for value in results]
    return Outcome("", facts, values, [base.detach().cpu() for base in memory], [g if g is None else g.cpu() for g in found])


def shares(one: Tensor, other: Tensor) -> bool:
    return one.untyped_storage()._cdata == other.untyped_storage()._cdata


def same(one: object, other: object) -> bool:
    if not isinstance(one, Tensor) or not isinstance(other, Tensor):
        return one == other or (one != one and other != other)
    if one.dtype != other.dtype or one.shape != other.shape:
        return False
    return torch.equal(one, other) or torch.allclose(one, other, rtol=0, atol=0, equal_nan=True)


def compare(name: str, call: aten_samples.Call, layout, gradient: bool) -> Outcome | None:
    """The outcome that both devices have; None where both refuse."""
    op = kernels.overload(name)
    here, there = (outcome(op, call, layout, device, gradient) for device in ("cpu", "simulated"))
    if problem := difference(name, here, there):
        pytest.fail(f"{name}, {layout.__name__}, gradient={gradient}: {problem}\n{call}", pytrace=False)
    return None if here.error else here


def difference(name: str, here: Outcome, there: Outcome) -> str | None:
    """What the two devices do not have in common, in words."""
    if bool(here.error) != bool(there.error):
        return f"{here.error or 'it works'} on the CPU, and {there.error or 'it works'} on the simulated device"
    if here.facts != there.facts:
        return f"{here.facts} on the CPU, and {there.facts} on the simulated device"
    for part in ("results", "memory", "gradients"):
        pairs = zip(getattr(here, part), getattr(there, part), strict=True)
        if not (part == "results" and name in WITHOUT_NUMBERS):
            for one, other in pairs:
                if not same(one, other):
                    return f"other {part}: {one} on the CPU, and {other} on the simulated device"
    return None


def calls(name: str):
    """The calls to compare an operation with, beginning with those in float32."""
    op = kernels.overload(name)
    for dtype, shapes in DTYPES.items():
        by_hand = aten_samples.by_hand(dtype).get(name, [])
        yield from ((dtype, call) for call in by_hand)
        if name not in ONLY_BY_HAND:
            yield from ((dtype, call) for call in aten_samples.calls(op, dtype, shapes))


@pytest.mark.parametrize("name", sorted(table.WITH_A_KERNEL - BY_THEIR_OWN_TEST))
def test_gives_what_the_cpu_gives(name):
    if name not in kernels._operations():
        pytest.skip("this torch has no such operation")
    compared = dict.fromkeys(LAYOUTS, 0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for dtype, call in calls(name):
            for layout in LAYOUTS if dtype in (torch.float32, torch.int64) else LAYOUTS[:2]:
                compared[layout] += compare(name, call, layout, gradient=False) is not None
                if dtype == torch.float32:
                    compare(name, call, layout, gradient=True)
    wanted = LAYOUTS[:1] if name in ONLY_CONTIGUOUS else LAYOUTS
    assert all(compared[layout] for layout in wanted), f"{name} was never compared: give it arguments in aten_samples.by_hand"
