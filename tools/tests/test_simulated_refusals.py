"""The simulated device: what is not in its table is refused, or is made of what is; never does it
give wrong numbers.
"""

import warnings

import aten_samples
import numpy as np
import pytest
import torch
from torch import nn
from two_devices import contiguous, difference, outcome

from dojo import simulated
from dojo.simulated import NAME, Unsupported, backend

if reason := backend.available():
    pytest.skip(reason, allow_module_level=True)

from dojo.simulated import kernels
from dojo.simulated.backend import without_float64

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


WITH_FLOAT64 = {
    "a tensor is moved": lambda: torch.ones(2, dtype=torch.float64).to(NAME),
    "NumPy's numbers are moved": lambda: torch.from_numpy(np.ones(2)).to(NAME).float(),
    "to(dtype)": lambda: torch.ones(2, device=NAME).to(torch.float64),
    "double()": lambda: torch.ones(2, device=NAME).double(),
    "a tensor is made there": lambda: torch.zeros(2, dtype=torch.float64, device=NAME),
    "a tensor is made of a list there": lambda: torch.tensor(
        [1.0], dtype=torch.float64, device=NAME
    ),
    "a tensor is made of NumPy's numbers there": lambda: torch.as_tensor(np.ones(2), device=NAME),
    "like another": lambda: torch.ones_like(torch.ones(2, device=NAME), dtype=torch.float64),
    "a sum": lambda: torch.ones(2, device=NAME).sum(dtype=torch.float64),
    "a model": lambda: nn.Linear(1, 1).double().to(NAME),
    "a model is converted there": lambda: nn.Linear(1, 1).to(NAME).double(),
    "the default dtype": lambda: made_by_default(torch.float64),
}


def made_by_default(dtype):
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        return torch.ones(2, device=NAME)
    finally:
        torch.set_default_dtype(before)


@pytest.mark.parametrize("way", WITH_FLOAT64)
def test_float64_can_be_refused_as_mps_refuses_it(way):
    with without_float64(), pytest.raises(TypeError, match=r"doesn't support float64.*float32"):
        WITH_FLOAT64[way]()
    assert WITH_FLOAT64[way]() is not None  # and CUDA has it


def test_complex128_is_refused_too_and_other_complex_numbers_are_beyond_the_simulation():
    with without_float64():
        with pytest.raises(TypeError, match=r"doesn't support complex128.*complex64"):
            torch.ones(2, dtype=torch.complex128).to(NAME)
        with pytest.raises(Unsupported):
            torch.ones(2, dtype=torch.complex64).to(NAME)


@pytest.mark.parametrize(
    "dtype", [torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.uint8, torch.bool]
)
def test_what_mps_has_stays(dtype):
    with without_float64():
        assert torch.ones(2, dtype=dtype).to(NAME).dtype == dtype


def test_converting_on_the_way_and_numbers_of_python_are_no_float64_there():
    wide = torch.from_numpy(np.array([0.5, 2.0]))
    with without_float64():
        assert wide.to(NAME, torch.float32).cpu().tolist() == [0.5, 2.0]
        x = wide.float().to(NAME)
        for result in (x * 0.1, x + np.float64(0.1), torch.where(x > 1, x, 0.1), x.mean(), x / 3):
            assert result.dtype == torch.float32
        assert x.cpu().double().dtype == torch.float64


def test_the_refusal_ends_with_its_block():
    with pytest.raises(ZeroDivisionError), without_float64():
        with without_float64():
            pass
        with pytest.raises(TypeError):
            torch.ones(1, device=NAME).double()
        _ = 1 / 0
    assert torch.ones(1, device=NAME).double().dtype == torch.float64
