"""A simulated accelerator, for machines without one: the device `simulated`.

Its tensors compute on the CPU, and yet are on another device: mixing them with CPU tensors is refused as a GPU refuses it, so
code that forgets a `.to(device)` is caught everywhere. It is slow, and it supports what `table.py` lists, nothing else.

    limits    its name, and how it says what it can't do
    memory    what such a tensor is: a tensor without numbers of its own, and the CPU's storage behind it
    table     the operations it supports, an explicit list
    kernels   how each of them is carried out; all others raise Unsupported
    backend   makes it known to torch

It stands on torch's Python backend for the dispatch key PrivateUse1, which torch calls experimental.
"""

from dojo.simulated.backend import available, enable, prepare
from dojo.simulated.limits import NAME, Unavailable, Unsupported, limit

__all__ = ["NAME", "Unavailable", "Unsupported", "available", "enable", "limit", "prepare"]
