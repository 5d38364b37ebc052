"""Likely causes where no known mistake gives what came out: what a shape, a number or a device by
itself suggests.
"""

import math

import torch
from torch import Tensor, nn

from dojo.diagnosis import Cause


def of_shape(seen: tuple[int, ...], expected: tuple[int, ...]) -> list[Cause]:
    """The likely cause of a wrong shape, by where it differs from the right one."""
    if len(seen) == len(expected) == 2 and seen == expected[::-1] and seen != expected:
        return [Cause("rows and columns are swapped")]
    if math.prod(seen) == math.prod(expected):
        return [
            Cause(
                "the numbers are there in another arrangement: reshape, unsqueeze or squeeze puts"
                " them right"
            )
        ]
    size = Cause("a size is written into the code")
    if len(seen) < len(expected):
        return [Cause("a dimension was summed up, picked out or flattened away"), size]
    if len(seen) > len(expected):
        return [Cause("a dimension is left that should have been summed up, or picked out"), size]
    if seen[1:] == expected[1:]:
        return [size, Cause("rows are left out, or taken twice")]
    return [size, Cause("the sizes of a layer are swapped: nn.Linear(inputs, outputs)")]


def of_device(value: Tensor, expected: torch.device) -> str:
    """The likely cause of a tensor on another device. If it records gradients, its graph shows
    whether it was moved there as the last step.
    """
    if value.device.type == expected.type:
        return (
            "the number of the device is lost or written into the code: x.device is the whole of it"
        )
    written = "a device is written into the code"
    if value.device.type != "cpu":
        return f"{written}: take it from the data (x.device) or the model's parameters"
    if type(value.grad_fn).__name__.startswith("ToCopy"):
        return f"{written}, such as .cpu() or 'cpu'"
    return (
        f"a new tensor is made on the CPU unless it is told device=x.device; or {written}, such as"
        " .cpu() or 'cpu'"
    )


def of_numbers(seen: Tensor, wanted: Tensor) -> Cause:
    """The first that fits of what is not a number, all 0, k times right, here and there wrong."""
    seen, wanted = seen.to(torch.float64), wanted.to(torch.float64)
    if not torch.isfinite(seen).all():
        return Cause("a division by zero, or exp or log of a number too large or too small")
    if not seen.any():
        return Cause("the result is all zeros: was it created and then never filled?")
    if (factor := _factor(seen, wanted)) is not None:
        kind = "the sign is off" if factor < 0 else "a factor is missing, or one too many"
        return Cause(f"every number is {factor:.4g} times the expected one: {kind}", told=True)
    off = ~torch.isclose(seen, wanted, rtol=1e-4, atol=1e-5)
    if 0 < off.sum() < off.numel():
        return Cause(
            f"{int(off.sum())} of {off.numel()} numbers are off, the first at position"
            f" {off.nonzero()[0].tolist()}"
        )
    which = "the number is" if wanted.numel() == 1 else "every number is"
    return Cause(f"{which} off: compare your formula with the one in the lesson, step by step")


def of_hidden(model: nn.Module) -> list[str]:
    """A cause for each plain list, tuple or dict of a model that holds layers, which torch
    therefore does not find.
    """
    causes = []
    for name, value in vars(model).items():
        parts = (
            value.values()
            if isinstance(value, dict)
            else value
            if isinstance(value, list | tuple)
            else ()
        )
        if not name.startswith("_") and any(
            isinstance(part, nn.Module | nn.Parameter) for part in parts
        ):
            kind = type(value).__name__
            right = "ModuleDict" if isinstance(value, dict) else "ModuleList"
            causes.append(
                f"a plain {kind} hides its layers from torch: self.{name} has to be an nn.{right}"
            )
    return causes


def _factor(seen: Tensor, wanted: Tensor) -> float | None:
    """The number that makes the expected ones those seen, if there is one; of numbers that are all
    alike it tells nothing.
    """
    if (
        seen.numel() < 2
        or torch.count_nonzero(wanted) < 2
        or wanted.max() - wanted.min() < 1e-3 * wanted.abs().max()
    ):
        return None
    factor = ((seen * wanted).sum() / (wanted * wanted).sum()).item()
    return factor if torch.allclose(seen, factor * wanted, rtol=1e-4, atol=1e-7) else None
