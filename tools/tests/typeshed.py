"""Names that Python's own modules have on Linux and not on another system, as mypy's typeshed says:
a complete list, kept by others.
"""

import ast
import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path


@cache
def missing(platform: str) -> dict[str, frozenset[str]]:
    """Module → its names that the platform lacks; "*" if it has no such module at all."""
    spec = find_spec("mypy")
    stubs = Path(spec.origin).parent / "typeshed" / "stdlib"
    found = {}
    for path in [*stubs.glob("[a-z]*.pyi"), *stubs.glob("[a-z]*/__init__.pyi")]:
        text = path.read_text(encoding="utf-8")
        if "sys.platform" not in text:
            continue
        tree = ast.parse(text)
        here, there = _names(tree.body, "linux"), _names(tree.body, platform)
        if lacking := here - there:
            module = path.parent.name if path.name == "__init__.pyi" else path.stem
            is_gone = not {name for name in there if not name.startswith("_")}
            found[module] = frozenset(lacking | ({"*"} if is_gone else set()))
    return found


def _names(body: list[ast.stmt], platform: str) -> set[str]:
    """What these statements define on a platform."""
    names: set[str] = set()
    for node in body:
        if isinstance(node, ast.If):
            names |= _names(node.body if _is_so(node.test, platform) else node.orelse, platform)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.add(node.target.id)
        elif isinstance(node, ast.Assign):
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
        elif isinstance(node, ast.ImportFrom) and node.module != "typing":
            names |= {alias.asname for alias in node.names if alias.asname == alias.name}
    return names


def _is_so(test: ast.expr, platform: str) -> bool:
    """Whether the condition of an `if` in a stub holds: they ask for platform and version alone."""
    known = {"sys": _Sys(platform), "TYPE_CHECKING": True}
    return bool(eval(compile(ast.Expression(test), "stub", "eval"), {"__builtins__": {}}, known))


class _Sys:
    version_info, maxsize = sys.version_info, sys.maxsize

    def __init__(self, platform: str) -> None:
        self.platform = platform
