"""Known errors of Python and torch, and what usually lies behind them in a learner's code.

Each entry is (exception type's name or None, pattern of its text, likely cause or several). The first that fits is told. A
group of the pattern can be used in a cause as {1}, {2} ...; an error not listed here gets no guess.
"""

import re

KNOWN = [
    (
        "RuntimeError",
        r"mat1 and mat2 shapes cannot be multiplied \((\d+)x(\d+) and (\d+)x(\d+)\)",
        "a layer that takes {3} inputs got {2} per example: in nn.Linear(inputs, outputs) the inputs must equal the outputs of "
        "the layer before",
    ),
    (
        "ValueError",
        r"Using a target size \(torch\.Size\(\[(.*?)\]\)\) that is different to the input size \(torch\.Size\(\[(.*?)\]\)\)",
        "outputs ({2}) and targets ({1}) differ in shape: make them the same, for example (n, 1) and (n, 1)",
    ),
    (
        "ValueError",
        r"Target size \(torch\.Size\(\[(.*?)\]\)\) must be the same as input size \(torch\.Size\(\[(.*?)\]\)\)",
        "outputs ({2}) and targets ({1}) differ in shape: make them the same, for example (n, 1) and (n, 1)",
    ),
    (
        "RuntimeError",
        r"all elements of (?:input|target) should be between 0 and 1",
        "nn.BCELoss got numbers that are no probabilities: the sigmoid at the end of forward is missing, or a step gave NaN",
    ),
    (
        "RuntimeError",
        r"element 0 of tensors does not require grad",
        (
            "the loss is cut off from the parameters: something between them and the loss was detached, turned into numbers or "
            "truth values, or computed under torch.no_grad()",
            "what it is computed from does not record at all: requires_grad is False",
        ),
    ),
    (
        "RuntimeError",
        r"Trying to backward through the graph a second time",
        "one forward pass was used for two backward passes: run the model anew for every step, inside the loop",
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
        r"expected scalar type (\w+) but found (\w+)|(?:must have|have) the same dtype, but got (\w+) and (\w+)",
        "NumPy makes float64 and torch's layers hold float32: convert the data to torch.float32",
    ),
    (
        "RuntimeError",
        r"expected (?:scalar type Long but found (\w+)|target dtype to be Long)|\"nll_loss\w*\" not implemented for '(\w+)'",
        "nn.CrossEntropyLoss takes class numbers as int64, shape (n,)",
    ),
    ("RuntimeError", r"0D or 1D target tensor expected", "class numbers go in as shape (n,), not as a column (n, 1)"),
    (
        "RuntimeError",
        r"Expected all tensors to be on the same device|expects all tensors to have the same device|"
        r"is on cpu but expected on mps|is not on the expected device|indices should be either on \S+ or on the same device",
        "a tensor was left on another device: create new tensors with device=x.device, keep constants in register_buffer, and "
        "move each batch with .to(device)",
    ),
    (
        "RuntimeError",
        r"set_data\(tensor\).*incompatible tensor type",
        ".data = ... changes the tensor itself, for everyone who has it: tensor.to(device) gives another one instead",
    ),
    (
        "Exception",
        r"Torch not compiled with CUDA enabled|Found no NVIDIA driver|No CUDA GPUs are available|PyTorch is not linked with "
        r"support for (?:cuda|mps) devices",
        "a GPU is written into the code, with .cuda() or a device's name, and not every machine has it: take the device from "
        "the data (x.device) or from the model's parameters",
    ),
    (
        "AttributeError",
        r"cannot assign (?:module|parameter)s? before Module\.__init__\(\) call",
        "super().__init__() has to be the first line of __init__",
    ),
    (
        "NotImplementedError",
        r"missing the required \"forward\" function",
        "the class has no method named forward, or it is indented so that it is outside the class",
    ),
    (
        "ValueError",
        r"optimizer got an empty parameter list",
        "the model has no parameters that torch can find: layers must be attributes of the model (self.x = ...) or stand in an "
        "nn.ModuleList; a plain list hides them",
    ),
    (
        "RuntimeError",
        r"one of the variables needed for gradient computation has been modified by an inplace",
        "a tensor that backward still needs was overwritten: use x = x + y instead of x += y",
    ),
    (
        "RuntimeError",
        r"a leaf Variable that requires grad is being used in an in-place operation",
        "parameters may only be changed under torch.no_grad(), or by an optimizer",
    ),
    (
        "AttributeError",
        r"'NoneType' object has no attribute '(\w+)'",
        "a function gave None: a `return` is missing, or a method such as append() or backward() was used for its result",
    ),
    ("TypeError", r"'NoneType' object is not|NoneType", "a function gave None: is its `return` missing?"),
    (
        "AttributeError",
        r"'(\w+)' object has no attribute '(\w+)'",
        "{1} has nothing called '{2}': check its spelling here against the place where it is made (self.{2} = ...)",
    ),
    ("NameError", r"name '(\w+)' is not defined", "'{1}' is spelled differently where it is made, made later, or not imported"),
    (
        "TypeError",
        r"(\w+)\(\) (?:takes|got|missing) (.*)",
        "{1}() is called with other arguments than its definition names: keep the stub's signature, and mind `self` in methods",
    ),
    (
        "RuntimeError",
        r"shape '(.*?)' is invalid for input of size (\d+)",
        "{2} numbers don't fit into the shape {1}: is a size written into the code? -1 stands for 'as many as it takes'",
    ),
    (
        "IndexError",
        r"Dimension out of range",
        "a tensor has fewer dimensions than the code takes for granted: a single example needs unsqueeze(0) to be a batch",
    ),
    (
        "ValueError",
        r"only one element tensors can be converted|a Tensor with (\d+) elements cannot be converted to Scalar",
        "a single number was needed and a tensor of several came: reduce it first, or do not call .item() on it",
    ),
    (
        "RuntimeError",
        r"The size of tensor a \((\d+)\) must match the size of tensor b \((\d+)\)",
        "two tensors of {1} and {2} entries can't be combined entry by entry: print their shapes just before",
    ),
    ("IndexError", r"list index out of range", "a loop runs further than its list: mind that indices begin at 0"),
    ("RecursionError", r"", "a function calls itself without end: does forward call self(x) or self.forward(x)?"),
    ("TooMuchOutput", r"", "a print in a loop that never ends, or one for every number: a line an epoch is plenty"),
    ("SystemExit", r"", "sys.exit(), exit() or quit() ends the program: a kata's functions only return"),
]


def likely(error: BaseException) -> tuple[str, ...]:
    """What usually lies behind this error, the likeliest first; nothing where this list has no entry for it."""
    names = {kind.__name__ for kind in type(error).__mro__}
    for name, pattern, causes in KNOWN:
        if name in names and (found := re.search(pattern, str(error))):
            texts = (causes,) if isinstance(causes, str) else causes
            return tuple(_filled(text, found) for text in texts)
    return ()


def _filled(text: str, found: re.Match) -> str:
    return re.sub(r"\{(\d)\}", lambda group: found.group(int(group[1])) or "", text)
