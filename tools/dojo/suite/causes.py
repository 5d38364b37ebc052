"""Known errors of Python and torch, and what usually lies behind them in a learner's code.

Each entry is (exception type's name, pattern of its text, cause); the first that fits counts. A
group of the pattern can be used in a cause as {1}, {2} ... A cause is a text where the error itself
tells it: a sentence that is true whenever the pattern fits. It is a tuple of texts, the likeliest
first, where one or the other may lie behind it, and a function where more has to be looked at than
the error's words. An error that is not listed here gets no guess.
"""

import linecache
import re
import sys
import traceback
from collections.abc import Callable

from dojo.diagnosis import Cause

Causes = str | tuple[str, ...]

LIBRARIES = {*sys.stdlib_module_names, "torch", "numpy", "sklearn", "matplotlib"}
NO_GRADIENT = (
    (
        ".grad is None until backward() has run on something that was computed from that tensor,"
        " and again after zero_grad()"
    ),
    (
        "only a tensor made with requires_grad=True keeps a .grad: one that was computed from"
        " others has none"
    ),
)
NO_RETURN = (
    "something here is None: a `return` is missing in the function that gave it, or a method such"
    " as append() or backward() was used for its result"
)
TWO_DTYPES = (
    "numbers of two dtypes met: layers, losses and gradients need floats, so convert whole numbers"
    " with .float()"
)
DONE_TO_GRADIENTS = {"zero_", "fill_", "detach_", "mul_", "div_", "add_", "sub_", "clamp_", "copy_"}
KNOWN_OF_TENSORS = {
    "data",
    "clone",
    "norm",
    "abs",
    "sum",
    "mean",
    "max",
    "min",
    "item",
    "detach",
    "pow",
    "square",
    "clamp",
}
GRADIENT = r"(?<!no_)(?<!requires_)(?<!zero_)grad(?:s|ients?)?\b"


def _of_none(error: BaseException, found: re.Match) -> Causes:
    """None has no attributes to speak of: what stands before the dot?"""
    name, line = found[1], _line(error)
    if name in DONE_TO_GRADIENTS or re.search(rf"{GRADIENT}(?:\[[^\]]*\])?\s*\.{name}\b", line):
        return *NO_GRADIENT, NO_RETURN
    return (NO_RETURN, *NO_GRADIENT) if name in KNOWN_OF_TENSORS else (NO_RETURN,)


def _none_in_an_operation(error: BaseException, found: re.Match) -> Causes:
    if re.search(GRADIENT, _line(error)):
        return *NO_GRADIENT, NO_RETURN
    return (NO_RETURN, *NO_GRADIENT) if "unsupported operand" in str(error) else (NO_RETURN,)


def _unknown_attribute(error: BaseException, found: re.Match) -> Causes:
    """Only of a class in the learner's own file can it be said where its attributes are made."""
    is_own = type(getattr(error, "obj", None)).__module__.partition(".")[0] not in LIBRARIES
    if is_own:
        return (
            "{1} has nothing called '{2}': check its spelling here against the place where it is"
            " made (self.{2} = ...)"
        )
    return (
        "{1} has nothing called '{2}': check the spelling, and whether a value of another type was"
        " meant to stand here"
    )


def _line(error: BaseException) -> str:
    """The lines of code that raised it; empty where there are none to read."""
    frames = traceback.extract_tb(error.__traceback__)
    if not frames or not frames[-1].lineno:
        return ""
    last = frames[-1]
    numbers = range(last.lineno, (last.end_lineno or last.lineno) + 1)
    return "".join(linecache.getline(last.filename, number) for number in numbers)


KNOWN: list[tuple[str, str, Causes | Callable[[BaseException, re.Match], Causes]]] = [
    (
        "RuntimeError",
        r"mat1 and mat2 shapes cannot be multiplied \((\d+)x(\d+) and (\d+)x(\d+)\)",
        (
            "rows of {2} numbers came where rows of {3} are taken: in nn.Linear(inputs, outputs)"
            " the inputs must equal the outputs of the layer before, and in a @ b the columns of a"
            " the rows of b"
        ),
    ),
    (
        "ValueError",
        (
            r"Using a target size \(torch\.Size\(\[(.*?)\]\)\) that is different to the input size"
            r" \(torch\.Size\(\[(.*?)\]\)\)"
        ),
        (
            "outputs ({2}) and targets ({1}) differ in shape: make them the same, for example (n,"
            " 1) and (n, 1)"
        ),
    ),
    (
        "ValueError",
        (
            r"Target size \(torch\.Size\(\[(.*?)\]\)\) must be the same as input size"
            r" \(torch\.Size\(\[(.*?)\]\)\)"
        ),
        (
            "outputs ({2}) and targets ({1}) differ in shape: make them the same, for example (n,"
            " 1) and (n, 1)"
        ),
    ),
    (
        "RuntimeError",
        r"all elements of input should be between 0 and 1",
        (
            "nn.BCELoss got numbers that are no probabilities: the sigmoid at the end of forward is"
            " missing, or a step gave NaN"
        ),
    ),
    (
        "RuntimeError",
        r"all elements of target should be between 0 and 1",
        (
            "nn.BCELoss got targets that are not between 0 and 1: its two classes are 0 and 1, and"
            " the outputs go in first"
        ),
    ),
    (
        "RuntimeError",
        r"element 0 of tensors does not require grad",
        (
            (
                "the loss is cut off from the parameters: something between them and the loss was"
                " detached, turned into numbers or truth values, or computed under torch.no_grad()"
            ),
            "what it is computed from does not record at all: requires_grad is False",
        ),
    ),
    (
        "RuntimeError",
        r"Trying to backward through the graph a second time",
        (
            "a forward pass, or a part of one, was used for two backward passes: compute all that"
            " leads to the loss anew for every step, inside the loop"
        ),
    ),
    (
        "RuntimeError",
        r"Can't call numpy\(\) on Tensor that requires grad",
        "a tensor that still records gradients has to be detached first: tensor.detach()",
    ),
    (
        "TypeError",
        r"can't convert (\S+) device type tensor to numpy",
        "NumPy reads the CPU's memory only: bring the tensor there first with .cpu()",
    ),
    (
        "RuntimeError",
        r"expected target dtype to be Long|\"nll_loss\w*\" not implemented for '(\w+)'",
        "nn.CrossEntropyLoss takes class numbers as int64, shape (n,)",
    ),
    (
        "RuntimeError",
        r"expected scalar type Long but found (\w+)",
        (
            (
                "whole numbers are wanted here: nn.CrossEntropyLoss takes class numbers as int64,"
                " shape (n,)"
            ),
            TWO_DTYPES,
        ),
    ),
    (
        "RuntimeError",
        r"(?i)^(?=.*\bdouble\b)(?=.*\bfloat\b).*(?:scalar type|same dtype|found dtype)",
        (
            "float32 and float64 met: NumPy makes float64 and torch's layers hold float32, so"
            " convert the data to torch.float32"
        ),
    ),
    (
        "RuntimeError",
        r"(?i)(?:scalar type|same dtype|found dtype)\b.*(?:found|got|expected)",
        TWO_DTYPES,
    ),
    (
        "RuntimeError",
        r"0D or 1D target tensor expected",
        "class numbers go in as shape (n,), one for each example, not as a column (n, 1)",
    ),
    (
        "RuntimeError",
        r"Expected all tensors to be on the same device|expects all tensors to have the same"
        r" device|"
        r"is on cpu but expected on mps|is not on the expected device|indices should be either on"
        r" \S+ or on the same device",
        (
            "a tensor was left on another device: create new tensors with device=x.device, keep"
            " constants in register_buffer, and move each batch with .to(device)"
        ),
    ),
    (
        "RuntimeError",
        r"set_data\(tensor\).*incompatible tensor type",
        (
            ".data = ... changes the tensor itself, for everyone who has it: tensor.to(device)"
            " gives another one instead"
        ),
    ),
    (
        "Exception",
        r"Torch not compiled with CUDA enabled|Found no NVIDIA driver|No CUDA GPUs are"
        r" available|PyTorch is not linked with "
        r"support for (?:cuda|mps) devices",
        (
            "a GPU is written into the code, with .cuda() or a device's name, and not every machine"
            " has it: take the device from the data (x.device) or from the model's parameters"
        ),
    ),
    (
        "AttributeError",
        r"cannot assign (?:module|parameter)s? before Module\.__init__\(\) call",
        "super().__init__() has to be the first line of __init__",
    ),
    (
        "NotImplementedError",
        r"Module \[(Module(?:List|Dict))\] is missing the required \"forward\" function",
        (
            "an nn.{1} only holds layers and can't be called: call the layers in it, one after the"
            " other"
        ),
    ),
    (
        "NotImplementedError",
        r"missing the required \"forward\" function",
        "the class has no method named forward, or it is indented so that it is outside the class",
    ),
    (
        "ValueError",
        r"optimizer got an empty parameter list",
        (
            (
                "the model has no parameters that torch can find: layers must be attributes of the"
                " model (self.x = ...) or stand in an nn.ModuleList; a plain list hides them"
            ),
            (
                "model.parameters() can be gone through once only, and something else did so before"
                " the optimizer: call it anew"
            ),
        ),
    ),
    (
        "RuntimeError",
        r"one of the variables needed for gradient computation has been modified by an inplace",
        (
            "a tensor that backward still needs was overwritten: by x += y, x[i] = y or a method"
            " such as x.add_(y) (x = x + y makes a new one instead), or by optimizer.step() before"
            " backward()"
        ),
    ),
    (
        "RuntimeError",
        r"a leaf Variable that requires grad is being used in an in-place operation",
        (
            "a tensor with requires_grad=True, as every parameter, may only be changed under"
            " torch.no_grad(), or by an optimizer"
        ),
    ),
    ("AttributeError", r"'NoneType' object has no attribute '(\w+)'", _of_none),
    ("TypeError", r"NoneType", _none_in_an_operation),
    (
        "AttributeError",
        r"module '([\w.]+)' has no attribute '(\w+)'",
        (
            "{1} has nothing called '{2}': check the spelling, and whether it belongs to another"
            " module, such as torch.nn"
        ),
    ),
    ("AttributeError", r"'([\w.]+)' object has no attribute '(\w+)'", _unknown_attribute),
    (
        "NameError",
        r"name '(\w+)' is not defined",
        (
            "nothing is called '{1}' here: it is spelled differently where it is made, made later"
            " or in another function, or not imported"
        ),
    ),
    (
        "TypeError",
        r"(\w+)\(\) (?:takes|got|missing) (.*)",
        (
            "{1}() is called with other arguments than its definition names: compare the two (a"
            " function of the stub keeps its signature), and mind `self` in methods"
        ),
    ),
    (
        "RuntimeError",
        r"shape '(.*?)' is invalid for input of size (\d+)",
        (
            "{2} numbers don't fit into the shape {1}: is a size written into the code? -1 stands"
            " for 'as many as it takes'"
        ),
    ),
    (
        "IndexError",
        r"Dimension out of range",
        (
            "a tensor has fewer dimensions than the code takes for granted: a single example needs"
            " unsqueeze(0) to be a batch"
        ),
    ),
    (
        "Exception",
        (
            r"only one element tensors can be converted|a Tensor with (\d+) elements cannot be"
            r" converted to Scalar"
        ),
        (
            "a single number was needed and a tensor of several came: reduce it first, or do not"
            " call .item() on it"
        ),
    ),
    (
        "Exception",
        r"(?:Boolean|truth) value of (?:a )?(?:Tensor|an array) with more than one",
        (
            "an `if`, `while`, `and` or `not` asks several numbers at once whether they are true:"
            " reduce them to one answer first"
        ),
    ),
    (
        "RuntimeError",
        r"The size of tensor a \((\d+)\) must match the size of tensor b \((\d+)\)",
        (
            "two tensors are combined entry by entry, and in one dimension the one has {1} entries,"
            " the other {2}: print their shapes just before"
        ),
    ),
    (
        "IndexError",
        r"list index out of range",
        (
            "the list has no entry at that place: indices begin at 0, and the last one is"
            " len(list) - 1"
        ),
    ),
    (
        "RecursionError",
        r"",
        "a function calls itself without end: does forward call self(x) or self.forward(x)?",
    ),
    (
        "TooMuchOutput",
        r"",
        "a print in a loop that never ends, or one for every number: a line an epoch is plenty",
    ),
    (
        "SystemExit",
        r"",
        "sys.exit(), exit() or quit() ends the program: a kata's functions only return",
    ),
]


def likely(error: BaseException) -> tuple[Cause, ...]:
    """What usually lies behind this error, the likeliest first; nothing where this list has no
    entry for it.

    A cause that stands alone, because the error tells it, is marked as told: of several none is,
    for only one is the right one.
    """
    names = {kind.__name__ for kind in type(error).__mro__}
    for name, pattern, causes in KNOWN:
        if name in names and (found := re.search(pattern, str(error))):
            texts = causes(error, found) if callable(causes) else causes
            is_told = isinstance(texts, str)
            return tuple(
                Cause(_filled(text, found), is_told) for text in ((texts,) if is_told else texts)
            )
    return ()


def _filled(text: str, found: re.Match) -> str:
    return re.sub(r"\{(\d)\}", lambda group: found.group(int(group[1])) or "", text)
