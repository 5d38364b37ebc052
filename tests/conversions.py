"""For the way from NumPy to PyTorch and back: what the functions give, and whether memory is
shared.
"""

import numpy as np
from torch import Tensor

from tests import expect, returned

SHARED = (
    "the memory is shared: torch.tensor(array) copies, torch.from_numpy(array) and"
    " torch.as_tensor(array) do not"
)
TENSORS = {  # task → the tensors that its function makes of what is no tensor
    "make": lambda kata: kata.make([1], (2,)).values(),
    "to_tensors": lambda kata: both(kata, np.ones((4, 2)), np.ones(4)),
    "to_class_indices": lambda kata: [kata.to_class_indices(np.zeros(3))],
}


def both(kata, features: np.ndarray, labels: np.ndarray) -> tuple[Tensor, Tensor]:
    """The two tensors, once it is sure that there are two."""
    return returned.several(
        kata.to_tensors(features, labels), 2, "to_tensors", "features, labels: both, in this order"
    )


def array_of(value: object) -> np.ndarray:
    """An array, nothing else."""
    likely = "`return` is missing" if value is None else "tensor.numpy() makes the array"
    headline = "to_numpy does not return an array."
    expect.that(
        isinstance(value, np.ndarray),
        headline,
        seen=type(value).__name__,
        expected="numpy.ndarray",
        likely=likely,
    )
    return value


def check_own_memory(tensor: Tensor, array: np.ndarray, what: str) -> None:
    """A change of the array leaves the tensor made from it alone."""
    before = tensor.flatten()[0].item()
    array[:] = before + 5
    headline, seen = (
        f"A change of the {what} array changed the tensor made from it.",
        tensor.flatten()[0].item(),
    )
    expect.that(
        seen == before,
        headline,
        seen=seen,
        expected=f"{before:g}, as it was when the tensor was made",
        likely=SHARED,
    )
