"""The simulated device: every operation of its table gives what the CPU gives, forwards and
backwards.
"""

import warnings
from collections.abc import Iterator

import aten_samples
import pytest
import torch
from two_devices import LAYOUTS, Layout, Outcome, difference, outcome

from dojo.simulated import backend

if reason := backend.available():
    pytest.skip(reason, allow_module_level=True)

from dojo.simulated import kernels

DTYPES = {
    torch.float32: aten_samples.SHAPES,
    torch.float64: aten_samples.SHAPES[:1],
    torch.int64: aten_samples.SHAPES[:3],
    torch.bool: aten_samples.SHAPES[:1],
}
OFTEN_ENOUGH = 4
# what is in their memory is chance
WITHOUT_NUMBERS = {name for name in kernels.TABLE["factories"] if "empty" in name}
ONLY_CONTIGUOUS = {"native_group_norm", "nll_loss2d_backward"}  # the CPU takes no other tensors
# they take a storage
BY_THEIR_OWN_TEST = {"set_.source_Storage", "set_.source_Storage_storage_offset"}
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
    "nll_loss2d_backward",
    "nll_loss_backward",
    "unfold_backward",
}


@pytest.fixture(scope="module", autouse=True)
def enabled():
    backend.enable()


def calls(name: str) -> Iterator[tuple[torch.dtype, aten_samples.Call]]:
    op = kernels.overload(name)
    for dtype, shapes in DTYPES.items():
        yield from ((dtype, call) for call in aten_samples.by_hand(dtype).get(name, []))
        if name not in ONLY_BY_HAND:
            yield from ((dtype, call) for call in aten_samples.calls(op, dtype, shapes))


@pytest.mark.parametrize("name", sorted(kernels.WITH_A_KERNEL - BY_THEIR_OWN_TEST))
def test_gives_what_the_cpu_gives(name):
    base, _, which = name.partition(".")
    if not hasattr(getattr(torch.ops.aten, base, None), which or "default"):
        pytest.skip("this torch has no such operation")
    compared = dict.fromkeys(LAYOUTS, 0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for number, (dtype, call) in enumerate(calls(name)):
            # Every layout until each has been compared some times, then one of them in turn.
            for layout in [
                one
                for n, one in enumerate(LAYOUTS)
                if compared[one] < OFTEN_ENOUGH or n == number % 3
            ]:
                found = dtype == torch.float32 and compare(name, call, layout, gradient=True)
                # where there is no way back
                found = found or compare(name, call, layout, gradient=False)
                compared[layout] += found is not None
    wanted = LAYOUTS[:1] if name in ONLY_CONTIGUOUS else LAYOUTS
    assert all(compared[layout] for layout in wanted), (
        f"{name} was never compared: give it arguments in aten_samples.by_hand"
    )


def compare(name: str, call: aten_samples.Call, layout: Layout, gradient: bool) -> Outcome | None:
    """The outcome that both devices have; None where both refuse."""
    op = kernels.overload(name)
    here, there = (outcome(op, call, layout, device, gradient) for device in ("cpu", "simulated"))
    if "out= of another size" in there.error:  # the CPU changes the size, and warns
        return None
    if problem := difference(here, there, numbers=name not in WITHOUT_NUMBERS):
        pytest.fail(
            f"{name}, {layout.__name__}, gradient={gradient}: {problem}\n{call}", pytrace=False
        )
    return None if here.error else here
