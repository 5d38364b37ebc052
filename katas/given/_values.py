"""What the pictures are made from: values in the shapes they need, and the answers of models."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

Values = Tensor | np.ndarray | Sequence
Model = nn.Module | Callable[[Tensor], Any]


def to_array(values: Any) -> np.ndarray:
    if isinstance(values, Tensor):
        values = values.detach().cpu()
        return (values.double() if values.is_floating_point() else values).numpy()
    if isinstance(values, list | tuple) and any(isinstance(value, Tensor) for value in values):
        return np.array([to_array(value) for value in values])
    return np.asarray(values)


def to_columns(
    values: Values, what: str, columns: int | None = None, n: int | None = None
) -> np.ndarray:
    """The values as (n, columns) float64; one column may also come as (n,)."""
    array = to_array(values)
    array = array[:, None] if columns == 1 and array.ndim == 1 else array
    if (
        array.ndim != 2
        or not len(array)
        or columns not in (None, array.shape[1])
        or n not in (None, len(array))
    ):
        raise ValueError(
            f"{what} must have the shape ({n or 'n'}, {columns or 'd'}), and these have"
            f" {array.shape}."
        )
    if array.dtype.kind not in "buif" or not np.isfinite(array).all():
        raise ValueError(
            f"{what} must be finite numbers, and these hold something else, such as nan or inf."
        )
    return array.astype(float)


def to_classes(
    labels: Values, n: int | None = None, what: str = "labels", names: bool = False
) -> tuple[np.ndarray, list[str]]:
    """The class number of each point, (n,), and the name of each number; names says whether labels
    may be names.
    """
    array = to_array(labels)
    array = array[:, 0] if array.ndim == 2 and array.shape[1] == 1 else array
    if array.ndim != 1 or not len(array) or n not in (None, len(array)):
        raise ValueError(
            f"{what} must have the shape ({n or 'n'},) or ({n or 'n'}, 1), and these have"
            f" {array.shape}."
        )
    if names and array.dtype.kind in "UO":
        unique, numbers = np.unique(array.astype(str), return_inverse=True)
        return numbers, unique.tolist()
    if array.dtype.kind not in "buif" or not np.isin(array, range(1000)).all():
        raise ValueError(
            f"{what} must be class numbers, that is 0, 1, 2 and so on, and these hold something"
            " else."
        )
    return array.astype(int), [f"class {number}" for number in range(int(array.max()) + 1)]


@contextmanager
def left_alone(model: Model) -> Iterator[None]:
    """Evaluation mode without gradients inside; afterwards every module has its mode and its lists
    of results back.
    """
    modules = list(model.modules()) if isinstance(model, nn.Module) else []
    modes = [(module, module.training) for module in modules]
    lists = [
        (vars(m), name, value, list(value))
        for m in modules
        for name, value in vars(m).items()
        if type(value) is list
    ]
    try:
        for module in modules:
            module.training = False
        with torch.no_grad():
            yield
    finally:
        for module, mode in modes:
            module.training = mode
        for attributes, name, value, items in lists:
            value[:] = items
            attributes[name] = value


def ask(model: Model, inputs: np.ndarray, columns: int | None = None) -> np.ndarray:
    """What the model gives for the inputs (n, d), as (n, columns) float64."""
    tensors = [*model.parameters(), *model.buffers()] if isinstance(model, nn.Module) else []
    like = next((tensor for tensor in tensors if tensor.is_floating_point()), torch.zeros(()))
    outputs = model(torch.as_tensor(inputs, dtype=like.dtype).to(like.device))
    outputs = to_array(outputs[0] if isinstance(outputs, tuple) else outputs)
    outputs = outputs[:, None] if outputs.ndim == 1 else outputs
    if (
        outputs.ndim != 2
        or len(outputs) != len(inputs)
        or columns not in (None, outputs.shape[1])
        or not outputs.size
    ):
        wanted = f"({len(inputs)}, {columns or 'outputs'})"
        raise ValueError(
            f"{name_of(model)} must give the shape {wanted} for {inputs.shape}, and it gives"
            f" {outputs.shape}."
        )
    if not np.isfinite(outputs).all():
        raise ValueError(
            f"{name_of(model)} answers nan or inf, which cannot be drawn: its training may have"
            " diverged."
        )
    return outputs.astype(float)


def name_of(model: Model) -> str:
    name = type(model).__name__ if isinstance(model, nn.Module) else getattr(model, "__name__", "")
    return name if name.isidentifier() else "the model"
