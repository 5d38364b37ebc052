"""Where to look next, by the kind of check: a question or a small experiment that contradicts no
cause and solves nothing.
"""

import torch
from torch import Tensor

TYPE = "What does the last line of your function hand back? Print its type just before."
SHAPE = (
    "Print the shape after each step: at which one does it first differ from what you had in mind?"
)
DTYPE = "Print the dtype after each step: at which one does it become another?"
NUMBERS = (
    "Work out the {} by hand, from the formula: at which step does your code give another one?"
)
NUMBER = "Work it out by hand, with small numbers: at which step does your code give another one?"
TEXT = (
    "Put the two under each other: where is the first difference, and which line of yours makes"
    " that part?"
)
LAYERS = (
    "Print the model and go through it line by line: which line of __init__ makes the one that"
    " differs?"
)
DEVICE = "Print the device after each step: which is the first line that makes a tensor elsewhere?"
PARAMETERS = (
    "List model.named_parameters(): which of its layers is not there, or has no gradient after"
    " backward()?"
)
IN_PLACE = "Print it before and after each line that touches it: which one changes it?"
AGAIN = "Call it twice in a row and print both answers: what does the first call leave behind?"
VALUE = "Call it yourself with the same arguments: at which line does a value differ from the plan?"


def numbers(seen: Tensor, wanted: Tensor) -> str:
    """To the first number that is off."""
    same = torch.isclose(seen.double(), wanted.double(), rtol=1e-4, atol=1e-5, equal_nan=True)
    first = (~same).nonzero()
    place = first[0].tolist() if len(first) else []
    return NUMBERS.format(f"number at position {place}" if any(place) else "first number")
