"""Follows a batch through a model, layer by layer, up to the first that can't take it or gives
something wrong.

Nothing is recorded while the tests run: after a failure the model is asked once more with what it
was given, and watched.
"""

import contextlib
import os
import types
from itertools import product
from pathlib import Path
from traceback import walk_tb
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.loss import _Loss

from dojo import ROOT

MOST_LAYERS = 12
IN_FORWARD = "then forward itself raises the error, between the layers or after them"
USUAL = ("torch.float32", "cpu")


def up_to_error(traceback: types.TracebackType | None) -> tuple[str, ...]:
    """A line for each layer that a model's forward went through before it raised."""
    for frame, _ in walk_tb(traceback):
        module = frame.f_locals.get("self")
        is_call = frame.f_code.co_name == "_wrapped_call_impl"
        if is_call and isinstance(module, nn.Module) and not isinstance(module, _Loss):
            given = frame.f_locals.get("args", ()), frame.f_locals.get("kwargs", {})
            lines, result = _walk(module, *given)
            if result is not None:  # it went well this time: then this is not what happened
                return ()
            if len(lines) == MOST_LAYERS:
                return (*lines, "...")
            is_between = bool(lines) and " -> (" in lines[-1].partition(": ")[2]
            return (*lines, IN_FORWARD) if is_between else tuple(lines)
    return ()


def up_to_shape(
    value: object, expected: tuple[int, ...], traceback: types.TracebackType | None
) -> tuple[str, ...]:
    """A line for each layer on the way to a result of the wrong shape. The model and its input are
    those variables of the test that give this very result; without such there are no lines.
    """
    if not isinstance(value, Tensor):
        return ()
    for frame, _ in walk_tb(traceback):
        if Path(frame.f_code.co_filename).parent == ROOT / "tests":
            variables = frame.f_locals.values()
            models = [variable for variable in variables if isinstance(variable, nn.Module)]
            inputs = [variable for variable in variables if isinstance(variable, Tensor)]
            for model, x in product(models[:4], inputs[:6]):
                lines, result = _walk(model, (x,), {})
                if _is_same(result, value):
                    shapes = tuple(x.shape), tuple(value.shape), expected
                    return tuple(_to_the_wrong_one(lines, *shapes))
    return ()


def _is_same(result: object, value: Tensor) -> bool:
    return isinstance(result, Tensor) and result.shape == value.shape and torch.equal(result, value)


def _walk(
    model: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[list[str], object]:
    """Each layer's input and output as text, and the model's output: None if it raises."""
    lines: list[str] = []
    names = {module: name for name, module in model.named_modules()}

    def enter(layer: nn.Module, inputs: tuple[object, ...]) -> None:
        if len(lines) >= MOST_LAYERS:
            raise StopIteration
        head = f"layer {len(lines) + 1} {names[layer]} {_kind(layer)}".replace("  ", " ")
        lines.append(f"{head}: {_problem(layer, inputs[0] if inputs else None)}")

    def leave(layer: nn.Module, inputs: tuple[object, ...], output: object) -> None:
        head, taken = lines[-1].partition(": ")[0], _form(inputs[0] if inputs else None)
        lines[-1] = f"{head}: {taken} -> {_form(output)}{_cut_off(layer, output)}"

    handles = []
    for layer in (module for module in model.modules() if not list(module.children())):
        handles.append(layer.register_forward_pre_hook(enter))
        handles.append(layer.register_forward_hook(leave))
    try:
        with contextlib.ExitStack() as stack:
            stack.enter_context(torch.random.fork_rng(devices=[]))
            stack.enter_context(torch.enable_grad())
            nowhere = stack.enter_context(Path(os.devnull).open("w", encoding="utf-8"))
            stack.enter_context(contextlib.redirect_stdout(nowhere))
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
    """The lines up to the first layer that changes the number of rows, and what came out."""
    for number, line in enumerate(lines):
        if given and f"-> ({given[0]}" not in line:
            return [*lines[:number], f"{line}, and the rows are not those of the input any more"]
    wrong = f"{seen}, where {expected} is expected"
    if lines and lines[-1].endswith(f"-> {seen}"):
        return [*lines[:-1], f"{lines[-1].removesuffix(str(seen))}{wrong}"]
    return [*lines, f"forward then gives {wrong}"]


def _problem(layer: nn.Module, x: object) -> str:
    """Why a layer can't take its input, for the case that it gives nothing."""
    weight = next(layer.parameters(), None)
    got = f"got {_form(x)}"
    if not isinstance(x, Tensor):
        return got
    if weight is not None and x.is_floating_point() and x.dtype != weight.dtype:
        return f"has weights of {weight.dtype}, {got}"
    if weight is not None and x.device != weight.device:
        return f"has weights on {weight.device}, {got}"
    if isinstance(layer, nn.Linear) and (not x.ndim or x.shape[-1] != layer.in_features):
        return f"wants {layer.in_features} columns, {got}"
    return got


def _kind(layer: nn.Module) -> str:
    sizes = f"({layer.in_features} -> {layer.out_features})" if isinstance(layer, nn.Linear) else ""
    return type(layer).__name__ + sizes


def _form(value: object) -> str:
    """A tensor's shape, with dtype and device where they are not the usual ones."""
    if not isinstance(value, Tensor):
        return f"a {type(value).__name__}"
    unusual = [name for name in map(str, (value.dtype, value.device)) if name not in USUAL]
    return " ".join([str(tuple(value.shape)), *unusual])


def _cut_off(layer: nn.Module, output: object) -> str:
    learns = any(parameter.requires_grad for parameter in layer.parameters())
    is_cut_off = learns and isinstance(output, Tensor) and not output.requires_grad
    return ", which records no gradient" if is_cut_off else ""
