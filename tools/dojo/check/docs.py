"""Where torch's documentation describes what a reference uses, found by its text alone: torch is
not imported here.
"""

import ast
import re
from collections.abc import Iterator

from dojo.stubs import solution_lines

STABLE = "https://docs.pytorch.org/docs/stable/"

# Most names have a page of their own; of these several stand on one. The first pattern that fits a
# whole name counts.
_SHARED = [
    (r"torch\.nn|torch\.optim|torch\.nn\.init", "{tail}.html"),
    (
        r"torch\.((bfloat|float|complex|uint|int)\d+|float|double|half|int|long|short|bool)",
        "tensor_attributes.html#torch.dtype",
    ),
    (r"torch\.device", "tensor_attributes.html#torch.device"),
    (r"torch\.Tensor", "tensors.html"),
    (r"torch\.optim\.Optimizer", "optim.html#{name}"),
    (r"torch\.nn\.init\.\w+", "nn.init.html#{name}"),
    (r"torch\.utils\.data\.\w+", "data.html#{name}"),
    (r"torch\.backends\.\w+\.\w+", "backends.html#{name}"),
    # These functions of torch itself are only described under their longer name.
    (
        r"torch\.(relu|selu|celu|prelu|softmax|log_softmax)",
        "generated/torch.nn.functional.{tail}.html",
    ),
]


def pages(reference: str, task: str) -> list[tuple[str, str]]:
    """Name and address of the documentation of each name of torch in a task's solution, in their
    order there.

    Args:
        reference: the text of the reference. One that is not Python has no names.
    """
    try:
        tree = ast.parse(reference)
    except (SyntaxError, ValueError):
        return []
    lines = solution_lines(reference, task)
    meanings = dict(_imported(tree))
    names = (name for line, name in sorted(_used(tree, meanings)) if line in lines)
    return [(name, page(name)) for name in dict.fromkeys(names)]


def page(name: str) -> str:
    """The address of the page on a full name, such as torch.nn.Linear."""
    for pattern, address in _SHARED:
        if re.fullmatch(pattern, name):
            return STABLE + address.format(name=name, tail=name.removeprefix("torch."))
    return f"{STABLE}generated/{name}.html"


def _imported(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """What each imported name stands for: nn → torch.nn, DataLoader →
    torch.utils.data.DataLoader.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield (
                    (alias.asname, alias.name)
                    if alias.asname
                    else (alias.name.partition(".")[0],) * 2
                )
        elif isinstance(node, ast.ImportFrom):
            yield from (
                (alias.asname or alias.name, f"{node.module}.{alias.name}") for alias in node.names
            )


def _used(node: ast.AST, meanings: dict[str, str]) -> Iterator[tuple[int, str]]:
    """Line and full name of everything of torch that the code names, the longest form of each."""
    if isinstance(node, ast.Attribute | ast.Name) and (name := _full_name(node, meanings)):
        if name.startswith("torch."):
            yield node.lineno, name
        return
    for child in ast.iter_child_nodes(node):
        yield from _used(child, meanings)


def _full_name(node: ast.expr, meanings: dict[str, str]) -> str | None:
    if isinstance(node, ast.Name):
        return meanings.get(node.id)
    if isinstance(node, ast.Attribute) and (owner := _full_name(node.value, meanings)):
        return f"{owner}.{node.attr}"
    return None
