"""What the file under test is about, so that no advice speaks of what is not in it."""

import ast
import re
from collections.abc import Collection

from dojo.suite import loader
from dojo.suite.source.code import Code

A_FORMULA = re.compile(r"^ {4,}.*[\w)\]] = .*[-+*/(]", re.MULTILINE)


def is_about(function: object) -> None:
    """Note which function a check is about: its code is shown where the check fails."""
    if kata := loader.under_test():
        loader.is_about(kata, function)


def has(*words: str) -> bool:
    """True if one of these stands in the text of the file under test."""
    kata = loader.under_test()
    return kata is not None and any(word in loader.source_of(kata) for word in words)


def _code() -> Code | None:
    """The file under test; None where it can't be read, or there is none."""
    kata = loader.under_test()
    try:
        return Code(loader.source_of(kata)) if kata is not None else None
    except (SyntaxError, ValueError, RecursionError):
        return None


def uses(name: str, words: str) -> bool:
    """True if these words stand in a function or class of the file under test, or in what of the
    file it leads to; also if that can't be read.
    """
    code = _code()
    return code is None or any(words in ast.unparse(node) for node in code.reached([name]))


def writes(numbers: Collection[int]) -> bool:
    """True if one of these numbers is written into what the test used of the file; also if that
    can't be read.
    """
    kata, code = loader.under_test(), _code()
    if kata is None or code is None:
        return True
    nodes = (node for part in code.reached(loader.used(kata)) for node in ast.walk(part))
    written = {node.value for node in nodes if isinstance(node, ast.Constant)}
    return any(type(one) is int and one in numbers for one in written)


def place_of_formula() -> str:
    """Where the file's formulas stand, in words: "the one in the lesson"; "" if there is none."""
    kata = loader.under_test()
    if kata is None:
        return ""
    source = loader.source_of(kata)
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return ""
    if A_FORMULA.search(ast.get_docstring(tree, clean=False) or ""):
        return "the one in the lesson"
    name = loader.last_used(kata)
    for node in tree.body:
        if getattr(node, "name", None) == name and isinstance(node, ast.FunctionDef | ast.ClassDef):
            text = ast.get_docstring(node, clean=False) or ""
            return "the one in the stub" if re.search(r"[\w)] [-+*/] [\w(]", text) else ""
    return ""
