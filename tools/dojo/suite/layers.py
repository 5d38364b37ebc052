"""Follows a batch through a model, layer by layer, up to the first that can't take it or gives
something wrong.

Nothing is recorded while the tests run: after a failure the model is asked once more with what it
was given, and watched.
"""

import contextlib
import os
import types
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.modules.loss import _Loss

from dojo import ROOT

MOST_LAYERS = 12
IN_FORWARD = "then forward itself raises the error, between the layers or after them"
USUAL = (torch.float32, "cpu")


def up_to_error(traceback: types.TracebackType | None) -> tuple[str, ...]:
    """A line for each layer that a model's forward went through before it raised; nothing where no
    model did.
    """
    for frame in _frames(traceback):
        module = frame.f_locals.get("self")
        if (
            frame.f_code.co_name == "_wrapped_call_impl"
            and isinstance(module, nn.Module)
            and not isinstance(module, _Loss)
        ):
            lines, result = _walk(
                module, frame.f_locals.get("args", ()), frame.f_locals.get("kwargs", {})
            )
            if result is not None:  # it went well this time: then this is not what happened
                return ()
            if len(lines) == MOST_LAYERS:
                return (*lines, "...")
            return (
                (*lines, IN_FORWARD)
                if lines and " -> (" in lines[-1].partition(": ")[2]
                else tuple(lines)
            )
    return ()


def up_to_shape(
    value: object, expected: tuple[int, ...], traceback: types.TracebackType | None
) -> tuple[str, ...]:
    """A line for each layer on the way to a result of the wrong shape; nothing where it is not
    known where it comes from.

    The model and its input are looked for among the test's variables, and are the right ones if
    they give this very result.
    """
    for frame in _frames(traceback):
        if ROOT / "tests" in Path(frame.f_code.co_filename).parents:
            known = list(frame.f_locals.values())
            models, inputs = (
                [one for one in known if isinstance(one, kind)] for kind in (nn.Module, Tensor)
            )
            for model, x in product(models[:4], inputs[:6]) if isinstance(value, Tensor) else ():
                lines, result = _walk(model, (x,), {})
                if (
                    isinstance(result, Tensor)
                    and result.shape == value.shape
                    and torch.equal(result, value)
                ):
                    return tuple(
                        _to_the_wrong_one(lines, tuple(x.shape), tuple(value.shape), expected)
                    )
    return ()


def _walk(model: nn.Module, args: tuple, kwargs: dict) -> tuple[list[str], object]:
    """What each layer takes and gives, and what the model gives: None if it raises."""
    lines, names, handles = [], {module: name for name, module in model.named_modules()}, []

    def enter(layer: nn.Module, inputs: tuple) -> None:
        if len(lines) >= MOST_LAYERS:
            raise StopIteration
        lines.append(
            f"layer {len(lines) + 1} {names[layer]} {_kind(layer)}".replace("  ", " ")
            + f": {_wanted(layer, inputs)}"
        )

    def leave(layer: nn.Module, inputs: tuple, output: object) -> None:
        head = lines[-1].partition(": ")[0]
        lines[-1] = (
            f"{head}: {_told(inputs[0] if inputs else None)} ->"
            f" {_told(output)}{_cut_off(layer, output)}"
        )

    for module in model.modules():
        if not list(module.children()):
            handles += [
                module.register_forward_pre_hook(enter),
                module.register_forward_hook(leave),
            ]
    try:
        with (
            torch.random.fork_rng(devices=[]),
            torch.enable_grad(),
            Path(os.devnull).open("w") as nowhere,
        ):
            with contextlib.redirect_stdout(nowhere):
                return lines, model(*args, **kwargs)
    except KeyboardInterrupt:
        raise
    except BaseException:  # whatever a learner's forward may do
        return lines, None
    finally:
        for handle in handles:
            handle.remove()


def _to_the_wrong_one(
    lines: list[str], given: tuple[int, ...], seen: tuple[int, ...], expected: tuple[int, ...]
) -> list[str]:
    """The lines up to the first layer that changes the number of rows, or all of them, and what
    came out.
    """
    for number, line in enumerate(lines):
        if given and f"-> ({given[0]}" not in line:
            return [*lines[:number], f"{line}, and the rows are not those of the input any more"]
    wrong = f"{seen}, where {expected} is expected"
    if lines and lines[-1].endswith(f"-> {seen}"):
        return [*lines[:-1], f"{lines[-1].removesuffix(str(seen))}{wrong}"]
    return [*lines, f"forward then gives {wrong}"]


def _wanted(layer: nn.Module, inputs: tuple) -> str:
    """What a layer can't take, for the case that it gives nothing."""
    weight = next(layer.parameters(), None)
    x = inputs[0] if inputs else None
    if not isinstance(x, Tensor):
        return f"got {_told(x)}"
    if weight is not None and x.is_floating_point() and x.dtype != weight.dtype:
        return f"has weights of {weight.dtype}, got {_told(x)}"
    if weight is not None and x.device != weight.device:
        return f"has weights on {weight.device}, got {_told(x)}"
    if isinstance(layer, nn.Linear) and (not x.ndim or x.shape[-1] != layer.in_features):
        return f"wants {layer.in_features} columns, got {_told(x)}"
    return f"got {_told(x)}"


def _kind(layer: nn.Module) -> str:
    sizes = f"({layer.in_features} -> {layer.out_features})" if isinstance(layer, nn.Linear) else ""
    return type(layer).__name__ + sizes


def _told(value: object) -> str:
    """A tensor's shape, with dtype and device where they are not the usual ones."""
    if not isinstance(value, Tensor):
        return f"a {type(value).__name__}"
    unusual = [
        str(one)
        for one, usual in zip((value.dtype, value.device), USUAL, strict=True)
        if str(one) != str(usual)
    ]
    return " ".join([str(tuple(value.shape)), *unusual])


def _cut_off(layer: nn.Module, output: object) -> str:
    weights = [parameter for parameter in layer.parameters() if parameter.requires_grad]
    return (
        ", which records no gradient"
        if weights and isinstance(output, Tensor) and not output.requires_grad
        else ""
    )


def _frames(traceback: types.TracebackType | None) -> Iterator[types.FrameType]:
    while traceback is not None:
        yield traceback.tb_frame
        traceback = traceback.tb_next
