"""The simulated device: what is not in its table is refused, or is made of what is; never does it
give wrong numbers.
"""

import warnings

import aten_samples
import pytest
import torch
from two_devices import contiguous, difference, outcome

from dojo import simulated
from dojo.simulated import backend

if reason := backend.available():
    pytest.skip(reason, allow_module_level=True)

from dojo.simulated import kernels

# Right answers that are not the CPU's.
DIFFERENT = {
    "get_device": "it asks for the number of the device, and the CPU has none",
    "nanquantile": "torch checks the range of q on the CPU only",
    "nanquantile.out": "as nanquantile",
    "native_channel_shuffle": "the CPU's own code gives a copy, the general one may give a view",
}


@pytest.fixture(scope="module", autouse=True)
def enabled():
    backend.enable()


def has_kernel(name: str, key: str) -> bool:
    return torch._C._dispatch_has_kernel_for_dispatch_key(f"aten::{name}", key)


def made_of_others(name: str) -> bool:
    return has_kernel(name, "CompositeImplicitAutograd") and not has_kernel(name, kernels.KEY)


def takes_tensors(name: str) -> bool:
    kinds = [str(argument.type) for argument in kernels.overload(name)._schema.arguments]
    return any("Tensor" in kind or "Device" in kind for kind in kinds)


def operations() -> list[str]:
    """All that torch has, but for the few that Python can't call."""
    callable_ones = []
    for name in kernels.operations():
        base, _, which = name.partition(".")
        if hasattr(getattr(torch.ops.aten, base, None), which or "default"):
            callable_ones.append(name)
    return callable_ones


def test_every_operation_has_a_kernel_of_ours_or_is_made_of_others():
    """torch's general ways come before the fallback: none of them is left, but for the four that
    read no numbers.
    """
    general = [
        name
        for name in operations()
        if kernels.has_general_way(name) and not has_kernel(name, kernels.KEY)
    ]
    assert set(general) == kernels.LEFT_TO_TORCH & set(operations())


def test_the_rest_of_torch_refuses_in_one_sentence():
    """Every operation outside the table that is not made of others, called with tensors of the
    device.
    """
    strange, refused = [], 0
    for name in operations():
        if (
            name in kernels.SUPPORTED
            or made_of_others(name)
            or not takes_tensors(name)
            or name == "_fw_primal"
        ):
            continue  # _fw_primal belongs to autograd, and is alias for everyone else
        for call in aten_samples.calls(
            kernels.overload(name), torch.float32, aten_samples.SHAPES[:2]
        ):
            found = outcome(kernels.overload(name), call, contiguous, "simulated", gradient=False)
            refused += found.error.startswith(
                f"Unsupported: simulated device: aten::{name} is not supported; "
            )
            if not found.error:
                strange.append(name)
    assert not strange
    assert refused > 1500


def test_what_is_made_of_others_is_refused_or_right():
    """Every public operation that torch makes of others: where it works, it gives what the CPU
    gives.
    """
    wrong, right = [], set()
    for name in operations():
        op = kernels.overload(name)
        if (
            not made_of_others(name)
            or name.startswith("_")
            or "backward" in name
            or not takes_tensors(name)
        ):
            # with arguments at random, those behind an underscore bring the CPU's own code down
            continue
        for call in aten_samples.calls(op, torch.float32):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                there = outcome(op, call, contiguous, "simulated", gradient=False)
                here = None if there.error else outcome(op, call, contiguous, "cpu", gradient=False)
            if here and (problem := difference(here, there)) and name not in DIFFERENT:
                wrong.append(f"{name}: {problem}")
            elif here:
                right.add(name)
    assert not wrong, "\n".join(wrong)
    assert len(right) > 200


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("what", "attempt"),
    [
        ("complex", lambda x: x.to(torch.complex64)),
        ("sparse", lambda x: x.to_sparse()),
        ("fft", lambda x: torch.fft.fft(x)),
        ("resize", lambda x: x.resize_(1)),
        ("a fused optimizer", lambda x: fused_step(x.requires_grad_())),
        ("convolution", lambda x: torch.nn.functional.conv1d(x[None], x[None])),
        ("lstm", lambda x: torch.nn.LSTM(4, 2).to("simulated")(x)),
        ("out=", lambda x: torch.add(x, x, out=torch.empty_like(x))),
    ],
)
def test_refuses(what, attempt):
    with pytest.raises((simulated.Unsupported, RuntimeError), match="simulated"):
        attempt(torch.ones(3, 4, device="simulated"))


def fused_step(x: torch.Tensor) -> None:
    x.sum().backward()
    torch.optim.Adam([x], fused=True).step()


@pytest.mark.filterwarnings("ignore")
def test_a_compressed_tensor_can_be_made_and_does_nothing():
    """torch makes it without asking the device, out of the device's tensors."""
    x = torch.ones(2, device="simulated")
    compressed = torch.sparse_csr_tensor(x.long() - 1, x[:0].long(), x[:0], (1, 1))
    for attempt in (
        compressed.to_dense,
        lambda: compressed + compressed,
        lambda: compressed @ x[:1],
        lambda: compressed.cpu(),
    ):
        with pytest.raises(RuntimeError):
            attempt()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "attempt",
    [
        lambda: torch.Generator(device="simulated"),
        lambda: torch.zeros(2).pin_memory(device="simulated"),
    ],
    ids=["generator", "pinned memory"],
)
def test_what_torch_itself_does_not_let_it_do_is_a_limit_too(attempt):
    with pytest.raises(NotImplementedError) as raised:
        attempt()
    assert simulated.limit(raised.value).startswith("simulated device: torch's get")
