"""The same call once more on the CPU: what its arguments consist of, copies of them, and the
numbers in what comes out.
"""

import copy
from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from dojo.suite.loader import A_KATA


def own_generator(device: str) -> list[Tensor]:
    """The state of the device's own generator of random numbers; empty if it has none."""
    kind = device.partition(":")[0]
    if kind == "cuda":
        return [torch.cuda.get_rng_state(device)]
    return [torch.mps.get_rng_state()] if kind == "mps" else []


def parts_of(value: object) -> Iterator[object]:
    """A value and what it consists of, in lists, tuples and dicts."""
    yield value
    if isinstance(value, list | tuple | dict):
        for part in value.values() if isinstance(value, dict) else value:
            yield from parts_of(part)


def tensors_in(value: object) -> Iterator[Tensor]:
    """All tensors of arguments, also those that models keep in plain attributes, and those of a
    data set.
    """
    for part in parts_of(value):
        if isinstance(part, Tensor):
            yield part
        elif isinstance(part, DataLoader) and isinstance(part.dataset, TensorDataset):
            yield from part.dataset.tensors
        elif isinstance(part, nn.Module):
            yield from part.parameters()
            yield from part.buffers()
            for module in part.modules():
                attributes = {name: value for name, value in vars(module).items() if name[0] != "_"}
                yield from tensors_in(attributes)
        elif A_KATA.match(type(part).__module__):  # such as an optimizer written by hand
            yield from tensors_in(vars(part))


def copy_on_cpu(arguments: tuple[object, ...]) -> tuple[object, ...]:
    """Copies of the arguments on the CPU: parameters stay parameters, shared ones stay shared."""
    memo: dict[int, object] = {}
    for tensor in tensors_in(arguments):
        here = tensor.detach().cpu().clone()
        # not left to module.to("cpu"): an optimizer has to find the same ones again
        if isinstance(tensor, nn.Parameter):
            memo[id(tensor)] = nn.Parameter(here, tensor.requires_grad)
        else:
            memo[id(tensor)] = here.requires_grad_(tensor.requires_grad and tensor.is_leaf)
    copied = copy.deepcopy(arguments, memo)
    for part in parts_of(copied):
        if isinstance(part, nn.Module):
            part.to("cpu")
    return copied


def numbers_in(value: object) -> list[Tensor]:
    """The numbers in tensors of floats, numbers and lists of these, as float64 on the CPU."""
    match value:
        case Tensor() if value.is_floating_point():
            return [value.detach().cpu().double()]
        case float() | int() if not isinstance(value, bool):
            return [torch.tensor([value], dtype=torch.float64)]
        case list() | tuple():
            return [number for part in value for number in numbers_in(part)]
    return []
