"""Usual causes of known errors in a learner's code; causes.toml lists the errors."""

import ast
import difflib
import linecache
import pkgutil
import re
import sys
import textwrap
import traceback
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from dojo.diagnosis import Cause
from dojo.suite import pretended

PACKAGES = ("torch", "numpy", "sklearn", "matplotlib")
ALLOWED = (
    "torch, numpy, sklearn (scikit-learn), matplotlib, katas.given and the modules that come with"
    " Python"
)
LIBRARIES = {*sys.stdlib_module_names, *PACKAGES}
NO_GRADIENT = (
    Cause(
        ".grad is None until backward() has run on something that was computed from that tensor,"
        " and again after zero_grad()",
        id="error.no-gradient",
    ),
    Cause(
        "only a tensor made with requires_grad=True keeps a .grad: one that was computed from"
        " others has none",
        id="error.no-gradient.2",
    ),
)
NO_RETURN = Cause(
    "something here is None: a `return` is missing in the function that gave it, or a method such"
    " as append() or backward() was used for its result",
    id="error.none",
)
DONE_TO_GRADIENTS = {"zero_", "fill_", "detach_", "mul_", "div_", "add_", "sub_", "clamp_", "copy_"}
DONE_TO_TENSORS = {"data", "clone", "norm", "abs", "sum", "mean", "max", "min", "item", "detach"}
DONE_TO_TENSORS |= {"pow", "square", "clamp"}
SIGNS: dict[object, str] = {ast.BitAnd: "&", ast.BitOr: "|"}
IDENTITY = (ast.Is, ast.IsNot, ast.In, ast.NotIn)
GRADIENT = r"(?<!no_)(?<!requires_)(?<!zero_)grad(?:s|ients?)?\b"


@dataclass(frozen=True)
class KnownError:
    """An entry of causes.toml; what the fields mean stands there."""

    id: str
    error: str
    pattern: str
    cause: str = ""
    causes: tuple[str, ...] = ()
    line: str = ""
    more: str = ""
    look: Literal[
        "",
        "shapes_of_product",
        "no_probabilities",
        "index",
        "attribute_of_none",
        "operation_on_none",
        "unknown_attribute",
        "truth",
        "math_of_tensor",
        "parameter_of_number",
        "module",
        "name_of_module",
        "gpu",
    ] = ""
    seen: str = ""


KNOWN = msgspec.toml.decode(
    Path(__file__).with_suffix(".toml").read_bytes(), type=dict[str, list[KnownError]]
)["known"]


def likely(error: BaseException) -> tuple[Cause, ...]:
    """Usual causes of this error, the likeliest first; none if it is not listed. One that stands
    alone is marked as told: the error itself is its evidence.
    """
    names = {kind.__name__ for kind in type(error).__mro__}
    for entry in KNOWN:
        if entry.error in names and (match := re.search(entry.pattern, str(error))):
            if entry.look:
                return LOOKS[entry.look](error, match)
            is_more = entry.more and re.search(entry.line, _line(error))
            texts = entry.causes or (entry.cause + (entry.more if is_more else ""),)
            return tuple(
                Cause(_filled(text, match), bool(entry.cause), f"error.{entry.id}{number}")
                for number, text in zip(["", ".2"], texts, strict=False)
            )
    return ()


def seen(error: BaseException) -> str:
    """What is shown of an error: its type and words, where those are not another's affair."""
    names = {kind.__name__ for kind in type(error).__mro__}
    for entry in KNOWN:
        if entry.seen and entry.error in names and re.search(entry.pattern, str(error)):
            return entry.seen
    kind = type(error).__name__
    return f"{kind}: {error}" if str(error) else kind


def _filled(text: str, match: re.Match[str]) -> str:
    return re.sub(r"\{(\d)\}", lambda group: match.group(int(group[1])) or "", text)


def _shapes_of_product(error: BaseException, match: re.Match[str]) -> tuple[Cause, ...]:
    """A further layer of a network may have got the network's own input."""
    text = (
        f"rows of {match[2]} numbers came where rows of {match[3]} are taken: in nn.Linear(inputs,"
        " outputs) the inputs must equal the outputs of the layer before, and in a @ b the columns"
        " of a the rows of b"
    )
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    calls = [one.f_locals for one in frames if one.f_code.co_name == "_wrapped_call_impl"]
    if len(calls) > 1 and calls[0]["args"] and calls[-1]["args"]:
        linear = [one for one in calls[0]["self"].modules() if hasattr(one, "in_features")]
        is_its_input = calls[0]["args"][0] is calls[-1]["args"][0]
        if is_its_input and calls[-1]["self"] in linear[1:] and _fits(linear[0], match[2]):
            text = (
                "a further layer got the network's own input, which is for the first one: each"
                " layer takes what came out of the one before it"
            )
    return (Cause(text, told=True, id="error.shapes-of-product"),)


def _no_probabilities(error: BaseException, match: re.Match[str]) -> tuple[Cause, ...]:
    """Where the lesson wants raw scores, no sigmoid is missing."""
    modules = (frame.f_globals for frame, _ in traceback.walk_tb(error.__traceback__))
    is_of_scores = any("BCEWithLogitsLoss" in (one.get("__doc__") or "") for one in modules)
    why = (
        "raw scores belong in nn.BCEWithLogitsLoss, which has the sigmoid inside"
        if is_of_scores
        else "the sigmoid at the end of forward is missing"
    )
    text = f"nn.BCELoss got numbers that are not probabilities: {why}; or a step gave NaN"
    return (Cause(text, told=True, id="error.no-probabilities"),)


def _fits(layer: object, columns: str) -> bool:
    return str(getattr(layer, "in_features", "")) == columns


def _index(error: BaseException, match: re.Match[str]) -> tuple[Cause, ...]:
    text = (
        "the list has no entry at that place: indices begin at 0, and the last one is len(list) - 1"
    )
    if further := re.search(r"\[\w+ ?\+ ?\d+\]", _line(error)):
        text += f". In the last round of a loop over all places, {further[0]} is past the end"
    return (Cause(text, told=True, id="error.index"),)


def _attribute_of_none(error: BaseException, match: re.Match[str]) -> tuple[Cause, ...]:
    name, line = match[1], _line(error)
    if name in DONE_TO_GRADIENTS or re.search(rf"{GRADIENT}(?:\[[^\]]*\])?\s*\.{name}\b", line):
        return *NO_GRADIENT, NO_RETURN
    return (NO_RETURN, *NO_GRADIENT) if name in DONE_TO_TENSORS else (NO_RETURN,)


def _operation_on_none(error: BaseException, match: re.Match[str]) -> tuple[Cause, ...]:
    if re.search(GRADIENT, _line(error)):
        return *NO_GRADIENT, NO_RETURN
    return (NO_RETURN, *NO_GRADIENT) if "unsupported operand" in str(error) else (NO_RETURN,)


def _unknown_attribute(error: BaseException, match: re.Match[str]) -> tuple[Cause, ...]:
    """Only for a class in the learner's own file is it known where its attributes are made."""
    module = type(getattr(error, "obj", None)).__module__
    text = "check the spelling, and whether a value of another type was meant to stand here"
    if module.startswith("torch.nn.") and not _near(match[2], dir(getattr(error, "obj", None))):
        text = "not every model or layer has it; model(x) and model.parameters() are there in each"
    if module.partition(".")[0] not in LIBRARIES:
        text = f"check its spelling here against the place where it is made (self.{match[2]} = ...)"
    cause = f"{match[1]} has nothing called '{match[2]}': {text}"
    return (Cause(cause, told=True, id="error.attribute"),)


def _truth(error: BaseException, match: re.Match[str]) -> tuple[Cause, ...]:
    """torch asks for the truth of what a loss is made with, where that should be outputs."""
    library = "np" if " array " in str(error) else "torch"
    text = (
        "an `if`, `while`, `and` or `not` asks several numbers at once whether they are true:"
        f" {library}.where(condition, a, b) decides for each number by itself, .all() or .any() for"
        " all together; whether something is there at all, `is not None` asks"
    )
    if joined := _joined_truths(error):
        text = joined
    if builtin := re.search(r"(?<![.\w])(max|min|sorted)\(", _line(error)):
        bounds = "np.clip" if library == "np" else "clamp(min=...) or clamp(max=...)"
        text = (
            f"Python's own {builtin[1]}() asks several numbers at once which is larger:"
            f" {library}.maximum and {library}.minimum compare two of the same shape number by"
            f" number, {bounds} sets bounds"
        )
    frames = traceback.extract_tb(error.__traceback__)
    if frames and Path(frames[-1].filename).name == "_reduction.py":
        text = (
            "tensors were given where the loss is made: it is made with one pair of brackets and"
            " called with another, as in nn.MSELoss()(outputs, targets)"
        )
    return (Cause(text, told=True, id="error.truth"),)


def _joined_truths(error: BaseException) -> str:
    """What stands for `and`, `not` or a chain of comparisons number by number, where the line asks
    for no single answer otherwise (`if`, `while`, `is None`); empty where there is none of them.
    """
    try:
        nodes = list(ast.walk(ast.parse(textwrap.dedent(_line(error)).strip())))
    except SyntaxError:  # the head of an `if`, or a part of a longer statement
        return ""
    compared = [node for node in nodes if isinstance(node, ast.Compare)]
    single = any(isinstance(node, ast.IfExp | ast.Assert | ast.comprehension) for node in nodes)
    if single or any(isinstance(op, IDENTITY) for node in compared for op in node.ops):
        return ""
    for chain in (node for node in compared if len(node.ops) > 1):
        signs = [SIGNS.get(type(getattr(part, "op", None))) for part in chain.comparators[:-1]]
        if sign := next(filter(None, signs), None):
            return (
                f"{sign} binds more tightly than a comparison: put each comparison in brackets of"
                f" its own, as in (a == 1) {sign} (b == 1)"
            )
        return (
            "a chain such as 0 < x < 1 asks several numbers at once whether they are true: & goes"
            " number by number, each comparison in brackets of its own, (0 < x) & (x < 1)"
        )
    for node in nodes:
        word = "and" if isinstance(getattr(node, "op", None), ast.And) else "or"
        if isinstance(node, ast.BoolOp) and (word == "and" or compared):
            sign = "&" if word == "and" else "|"
            return (
                f"`{word}` asks several numbers at once whether they are true: {sign} goes number"
                f" by number, each comparison in brackets of its own: (a == 1) {sign} (b == 1)"
            )
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return (
                "`not` asks several numbers at once whether they are true: ~ goes number by number,"
                " as in ~(a == 1); whether something is there at all, `is None` asks"
            )
    return ""


def _math_of_tensor(error: BaseException, match: re.Match[str]) -> tuple[Cause, ...]:
    """A function of one number got a tensor of several."""
    if one := re.search(r"\bmath\.(\w+)\(", _line(error)):
        text = (
            f"math.{one[1]} takes a single number: torch.{one[1]} does the same to each of a tensor"
        )
        return (Cause(text, told=True, id="error.math-of-tensor"),)
    text = (
        "a single number was needed and several came: reduce them first, or do not call .item() or"
        " float() on them; [0] takes one entry out"
    )
    return (Cause(text, told=True, id="error.several-for-number"),)


def _parameter_of_number(error: BaseException, match: re.Match[str]) -> tuple[Cause, ...]:
    frames = traceback.extract_tb(error.__traceback__)
    if any("Parameter(" in (frame.line or "") for frame in frames):
        text = f"nn.Parameter takes a tensor, not a plain {match[1]}: torch.tensor(...) makes one"
    else:
        text = f"a plain {match[1]} stands where a tensor is needed: .item() and float() make one"
    return (Cause(text, told=True, id="error.parameter-of-number"),)


def _module(error: BaseException, match: re.Match[str]) -> tuple[Cause, ...]:
    """There is no such module: a slip, a part its package lacks, or a package that isn't there."""
    name, (package, _, part) = match[1], match[1].rpartition(".")
    if package:
        near = _near(part, [each.name for each in pkgutil.iter_modules(_folders(package))])
        text = f"{package} has no module '{part}'" + (
            f": is {package}.{near} meant?" if near else ""
        )
        return (Cause(text, told=True, id="error.module-part"),)
    near = {"pytorch": "torch", "scikit_learn": "sklearn"}.get(name) or _near(name, PACKAGES)
    text = f"'{name}' is not among the packages that a kata can use: {ALLOWED}"
    if near:
        text = f"no package is imported as '{name}': is {near} meant?"
    return (Cause(text, told=True, id="error.module"),)


def _name_of_module(error: BaseException, match: re.Match[str]) -> tuple[Cause, ...]:
    near = _near(match[1], dir(sys.modules.get(match[2])))
    text = f"{match[2]} has nothing called '{match[1]}'" + (f": is {near} meant?" if near else "")
    return (Cause(text, told=True, id="error.name-of-module"),)


def _gpu(error: BaseException, match: re.Match[str]) -> tuple[Cause, ...]:
    """A GPU that is not there: written in, or asked for, and the tests said yes."""
    if pretended.was_asked():
        text = (
            "where there is a GPU, tensors or the model are moved to it (the tests say that there"
            " is one): leave that out; new tensors take the device of the data, x.device, or of the"
            " model, and what is made of arrays or numbers stays on the CPU"
        )
        return (Cause(text, told=True, id="error.gpu-asked-for"),)
    text = (
        "a GPU is written into the code, with .cuda() or a device's name, and not every machine has"
        " it: take the device from the data (x.device) or from the model's parameters"
    )
    return (Cause(text, told=True, id="error.gpu-written-in"),)


def _near(name: str, others: Iterable[str]) -> str:
    return next(iter(difflib.get_close_matches(name, [*others], n=1, cutoff=0.75)), "")


def _folders(package: str) -> list[str]:
    return list(getattr(sys.modules.get(package), "__path__", ()))


LOOKS = {
    "shapes_of_product": _shapes_of_product,
    "no_probabilities": _no_probabilities,
    "index": _index,
    "module": _module,
    "name_of_module": _name_of_module,
    "gpu": _gpu,
    "attribute_of_none": _attribute_of_none,
    "operation_on_none": _operation_on_none,
    "unknown_attribute": _unknown_attribute,
    "truth": _truth,
    "math_of_tensor": _math_of_tensor,
    "parameter_of_number": _parameter_of_number,
}


def _line(error: BaseException) -> str:
    """The lines of code that raised it; empty where there are none to read."""
    frames = traceback.extract_tb(error.__traceback__)
    if not frames or not frames[-1].lineno:
        return ""
    last, first_line = frames[-1], frames[-1].lineno
    numbers = range(first_line, (last.end_lineno or first_line) + 1)
    return "".join(linecache.getline(last.filename, number) for number in numbers)
