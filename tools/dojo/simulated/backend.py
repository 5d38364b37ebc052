"""Makes the simulated device known to torch, as late as possible.

Two steps, because the first takes long and changes nothing for anyone, and the second is quick and
changes the process: `prepare` gives torch the kernels, which are there but can't be reached;
`enable` gives the device its name.
"""

import contextlib
import functools
import operator
import types
from collections.abc import Iterator
from typing import Any

import torch

from . import NAME, Unavailable

_kept: list[object] = []  # the kernels, which must live as long as the process
_failures: list[str] = []  # why preparing or enabling failed, once it was tried

# Parts of torch without a public counterpart; where one is missing the device is not available.
PRIVATE = (
    "utils.backend_registration._setup_privateuseone_for_python_backend",
    "_C._acc.create_empty_tensor",
    "_C._construct_storage_from_data_pointer",
    "_C._dispatch_get_all_op_names",
    "_C._dispatch_has_kernel_for_dispatch_key",
    "_C.DispatchKeySet",
    "_C.DispatchKey.CPU",
    "_ops.OpOverload.redispatch",
)


# What becomes `torch.simulated`: torch asks it when it seeds, and other code may ask it.
MODULE = types.SimpleNamespace(
    is_available=lambda: True,
    is_initialized=lambda: True,
    device_count=lambda: 1,
    current_device=lambda: 0,
    _is_in_bad_fork=lambda: False,
    manual_seed_all=lambda seed: None,  # numbers come from the CPU's generator, seeded already
)


def available() -> str | None:
    """None if the device can be enabled, otherwise the reason why not. Asking changes nothing."""
    if _failures:
        return _failures[0]
    for name in PRIVATE:
        try:
            operator.attrgetter(name)(torch)
        except AttributeError:
            version = torch.__version__
            return f"torch {version} has no torch.{name}, which the simulated device stands on"
    return None


def prepare() -> None:
    """Give torch the kernels. Nothing can reach them yet, so this may be done in a process that
    only forks others. It never raises: where it fails, `available` says why from then on.
    """
    if not _kept and available() is None:
        try:
            from . import kernels

            _kept.append(kernels.register())
        except Exception as error:  # of a private API that has changed, any may come
            _note(error)


@contextlib.contextmanager
def without_float64() -> Iterator[None]:
    """In the block the device, once enabled, has neither float64 nor complex128, as Apple's MPS has
    not: none is made there or gets there. Blocks may lie within each other.
    """
    from .memory import REFUSED

    before = set(REFUSED)
    REFUSED.update((torch.float64, torch.complex128))
    try:
        yield
    finally:
        REFUSED.intersection_update(before)


@functools.cache
def enable() -> None:
    """Make `torch.device("simulated")` work in this process; from then on it is there for good.

    Raises:
        Unavailable: torch's private API is not there, or does other things than it did.
    """
    prepare()
    if reason := available():
        raise Unavailable(reason)
    try:
        _enable()
        _check()
    except Exception as error:
        _note(error)
        raise Unavailable(_failures[0]) from error


def _note(error: Exception) -> None:
    _failures.append(
        f"torch {torch.__version__} can't set up the simulated device: {type(error).__name__}:"
        f" {error}"
    )


def _enable() -> None:
    # The first backward of a process starts a thread for every device there is. It comes before
    # this one is there: the work on it is done by the thread that asks for it, as on the CPU.
    torch.autograd.backward([torch.zeros(1, requires_grad=True).sum()])
    torch.autograd.set_multithreading_enabled(False)
    torch.utils.backend_registration._setup_privateuseone_for_python_backend(
        NAME, backend_module=MODULE
    )
    _hide()
    # before torch's own way for devices of this kind, which asks them for more
    torch.serialization.register_package(0, lambda storage: None, _load)


def _load(storage: Any, place: str) -> torch.UntypedStorage | None:
    """What torch.load has read, on the device that it was saved from."""
    if place.partition(":")[0] != NAME:
        return None
    read = torch.empty(0, dtype=torch.uint8).set_(storage)
    return read.to(NAME).untyped_storage()


def _hide() -> None:
    """Keep torch.accelerator unaware of this device, for code on the CPU that asks it."""
    original = torch.accelerator.current_accelerator

    @functools.wraps(original)
    def current_accelerator(check_available: bool = False) -> torch.device | None:
        found = original(check_available)
        return None if found is not None and found.type == NAME else found

    torch.accelerator.current_accelerator = current_accelerator


def _check() -> None:
    """A first calculation, to notice a changed API before a learner's code meets it."""
    numbers, gradients = [[1.0, 2.0], [3.0, 4.0]], []
    for device in (NAME, "cpu"):
        weight = torch.tensor(numbers, device=device, requires_grad=True)
        torch.autograd.backward([(weight.t() @ weight[0]).square().sum()])
        gradients.append(weight.grad.cpu() if weight.grad is not None else torch.zeros(0))
        if weight.device.type != device:
            raise RuntimeError("its first calculation was carried out elsewhere")
    if not torch.equal(*gradients):
        raise RuntimeError("its first calculation came out wrong")
