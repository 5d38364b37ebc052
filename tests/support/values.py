"""Values of any kind that tests use (numbers, tensors, arrays, texts, lists, dicts, models):
copied, compared, and found to have changed.
"""

import copy
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

Numbers = Tensor | np.ndarray | np.generic | float | int
RTOL = 1e-4  # of each number
MOST_NUMBERS = 6  # of a tensor, in a message


def numbers(value: object) -> Tensor:
    """The numbers of a tensor, an array or a number, on the CPU and cut off from gradients."""
    if isinstance(value, Tensor):
        return value.detach().cpu()
    return torch.as_tensor(np.array(value))


def close(one: Tensor, other: Tensor, atol: float) -> bool:
    """True if these have the same shape, and the same numbers apart from rounding. What is not a
    number is equal to itself.
    """
    if one.shape != other.shape:
        return False
    one, other = one.to(torch.float64), other.to(torch.float64)
    return torch.allclose(one, other, rtol=RTOL, atol=atol, equal_nan=True)


def alike(one: object, other: object, atol: float) -> bool:
    """True if two values are the same apart from rounding; whole numbers, floats and truth values
    differ, their sizes in memory do not.
    """
    if isinstance(one, Numbers) and isinstance(other, Numbers):
        one, other = numbers(one), numbers(other)
        return _kind(one.dtype) == _kind(other.dtype) and close(one, other, atol)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(alike, one, other, [atol] * len(one)))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(alike(one[key], other[key], atol) for key in one)
    return type(one) is type(other) and one == other


def same_kind(one: object, other: object) -> bool:
    """True if two values have the same type, and arrays the same dtype too; so do their parts."""
    if type(one) is not type(other):
        return False
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype
    some, others = list(parts(one, "")), list(parts(other, ""))
    return len(some) == len(others) and all(
        type(one) is type(other) and getattr(one, "dtype", None) == getattr(other, "dtype", None)
        for (_, one), (_, other) in zip(some, others, strict=True)
    )


def _kind(dtype: torch.dtype) -> str:
    is_number = dtype.is_floating_point or dtype.is_complex
    return "float" if is_number else "bool" if dtype == torch.bool else "int"


def copied(value: Any) -> Any:
    """The same in memory of its own: requires_grad, .grad and a model's mode come along."""
    if isinstance(value, Tensor):
        twin = value.detach().clone().requires_grad_(value.requires_grad)
        kept = gradient_of(value)
        twin.grad = None if kept is None else kept.detach().clone()
        return twin
    if isinstance(value, list | tuple):
        return type(value)([copied(part) for part in value])
    if isinstance(value, dict):
        return {key: copied(part) for key, part in value.items()}
    if not isinstance(value, nn.Module):
        return copy.deepcopy(value) if isinstance(value, np.ndarray) else value
    twin = copy.deepcopy(value)  # which leaves out .grad
    for one, kept in zip(twin.parameters(), map(gradient_of, value.parameters()), strict=True):
        one.grad = None if kept is None else kept.detach().clone()
    return twin


def gradient_of(value: Tensor) -> Tensor | None:
    """What its .grad holds; a tensor that was computed from others keeps none."""
    return value.grad if value.is_leaf else None


def parts(value: Any, name: str) -> Iterator[tuple[str, Any]]:
    """A value's tensors, arrays and other single values, each with a name; a model is one."""
    if isinstance(value, dict):
        for key, part in value.items():
            yield from parts(part, f"{name}[{key!r}]")
    elif isinstance(value, list | tuple):
        for number, part in enumerate(value):
            yield from parts(part, f"{name}[{number}]")
    else:
        yield name, value


def floats(results: Any, what: str) -> dict[str, list[float]]:
    """The floats of several results, by the name of the part that they stand in."""
    found = dict[str, list[float]]()
    for name, part in parts(list(results), what):
        if isinstance(part, float | Tensor | np.ndarray | np.floating):
            entries = numbers(part)
            if entries.is_floating_point():
                known = found.setdefault(re.sub(r"\[\d+\]", "", name), [])
                known += entries.flatten().tolist()
    return found


def change(now: Any, before: Any, name: str) -> tuple[str, str, str] | None:
    """What has changed since a value was copied: its name, and what was seen and expected in words;
    None if it is as it was.
    """
    if isinstance(before, Tensor):
        return _change_of_tensor(now, before, name)
    if isinstance(before, np.ndarray):
        kinds = (now.dtype, now.shape), (before.dtype, before.shape)
        if kinds[0] != kinds[1]:
            return name, *map(str, kinds)
        same = np.array_equal(now, before, equal_nan=before.dtype.kind in "fc")
        return None if same else (name, describe(now), f"{describe(before)}, as before")
    if isinstance(before, nn.Module):
        return _change_of_model(now, before, name)
    some, others = list(parts(now, name)), list(parts(before, name))
    if [one for one, _ in some] != [one for one, _ in others]:
        return name, f"{len(some)} items", f"{len(others)} items, as before"
    if isinstance(before, dict | list | tuple):
        pairs = zip(some, others, strict=True)
        return next(filter(None, (change(it, old, one) for (one, it), (_, old) in pairs)), None)
    is_same = type(now) is type(before) and (now is before or now == before)
    return None if is_same else (name, repr(now), f"{before!r}, as before")


def _change_of_tensor(now: Tensor, before: Tensor, name: str) -> tuple[str, str, str] | None:
    for attribute in ("shape", "dtype", "device", "requires_grad"):
        seen, old = getattr(now, attribute), getattr(before, attribute)
        if seen != old:
            old = f"{attribute} {old}" if attribute != "requires_grad" else f"requires_grad={old}"
            seen = (
                f"{attribute} {seen}" if attribute != "requires_grad" else f"requires_grad={seen}"
            )
            return name, seen, f"{old}, as before"
    if not _equal(now, before):
        return name, describe(now), f"{describe(before)}, as before"
    seen, old = gradient_of(now), gradient_of(before)
    if (seen is None) != (old is None) or (seen is not None and not _equal(seen, old)):
        shown = ["None" if one is None else describe(one) for one in (seen, old)]
        return f"the .grad of {name}", shown[0], f"{shown[1]}, as before"
    return None


def _change_of_model(now: nn.Module, before: nn.Module, name: str) -> tuple[str, str, str] | None:
    for (path, one), (_, old) in zip(now.named_modules(), before.named_modules(), strict=False):
        if one.training != old.training:
            modes = ["training mode" if each.training else "evaluation mode" for each in (one, old)]
            return f"{name}.{path}".rstrip("."), modes[0], f"{modes[1]}, as before"
    some, others = (dict(_tensors(model)) for model in (now, before))
    if some.keys() != others.keys():
        return name, ", ".join(some), f"{', '.join(others)}, as before"
    found = (_change_of_tensor(some[one], others[one], f"{name}.{one}") for one in some)
    return next(filter(None, found), None)


def _tensors(model: nn.Module) -> Iterator[tuple[str, Tensor]]:
    yield from model.named_parameters()
    yield from model.named_buffers()


def _equal(one: Tensor, other: Tensor) -> bool:
    is_float = one.is_floating_point()
    one, other = one.detach(), other.detach()
    return torch.equal(one, other) or (
        is_float and torch.allclose(one, other, rtol=0, atol=0, equal_nan=True)
    )


def describe(value: object) -> str:
    """A short text for a value: all of a small tensor, shape and first numbers of a larger one."""
    if isinstance(value, float):
        return f"{value:.5g}"
    if not isinstance(value, Tensor | np.ndarray):
        return repr(value)[:300]
    entries = numbers(value)
    if entries.ndim == 0:
        return str(entries.item()) if entries.dtype == torch.bool else f"{entries.item():.5g}"
    first = entries.flatten()[:MOST_NUMBERS].tolist()
    flat = ", ".join(str(one) if isinstance(one, bool) else f"{one:.4g}" for one in first)
    more = ", ..." if entries.numel() > MOST_NUMBERS else ""
    return f"{flat}{more}   (shape {tuple(entries.shape)})"


def shares_memory(one: object, other: object) -> bool:
    """True if a change of one would change the other."""
    if isinstance(one, Tensor) and isinstance(other, Tensor):
        if one.numel() == 0 or other.numel() == 0 or one.device != other.device:
            return False
        return one.untyped_storage().data_ptr() == other.untyped_storage().data_ptr()
    arrays = [
        each.detach().cpu().numpy() if isinstance(each, Tensor) else each for each in (one, other)
    ]
    if all(isinstance(each, np.ndarray) for each in arrays):
        return bool(np.shares_memory(*arrays))
    return False
