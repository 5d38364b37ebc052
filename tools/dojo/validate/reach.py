"""What a piece of code depends on: the definitions it reaches by name, through several modules.

Names are compared as text, so that more may be reached than is used; less is not, but for names put
together while running.
"""

import ast
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from dojo import ROOT, dependencies

Definitions = dict[str, list[ast.stmt]]  # a name may be defined in several modules


def definitions(sources: Iterable[str]) -> Definitions:
    """What the modules define at their top, and the methods of test classes, each by itself."""
    found: Definitions = {}
    for source in sources:
        for node in dependencies.without_docstrings(ast.parse(source)).body:
            for name, statement in _named(node):
                found.setdefault(name, []).append(statement)
    return found


def reached(known: Definitions, start: Iterable[str]) -> str:
    """The text of all definitions that can be reached from these names, without comments and
    docstrings.
    """
    waiting, seen, parts = list(start), set(), []
    while waiting:
        if (name := waiting.pop()) in seen:
            continue
        seen.add(name)
        for node in known.get(name, []):
            parts.append(ast.unparse(node))
            waiting += _mentioned(node)
    return "\n".join(sorted(parts))


def test_modules(kata: str, without: Collection[str] = ()) -> list[Path]:
    """A kata's test file and the modules of tests/support/ that it imports, directly or through
    others, without those named.
    """
    found, waiting = [], [ROOT / "tests" / f"test_{kata}.py"]
    while waiting:
        if (module := waiting.pop()) not in found:
            found.append(module)
            for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
                if isinstance(node, ast.ImportFrom) and node.module == "tests.support":
                    names = [alias.name for alias in node.names if alias.name not in without]
                    waiting += [ROOT / "tests" / "support" / f"{name}.py" for name in names]
    return found


def _named(node: ast.stmt) -> Iterator[tuple[str, ast.stmt]]:
    match node:
        case ast.ClassDef(name=name) if name.startswith("Test"):
            for inner in node.body:
                yield from _named(inner)
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            yield name, node
        case ast.Assign(targets=targets):
            names = {
                name.id
                for target in targets
                for name in ast.walk(target)
                if isinstance(name, ast.Name)
            }
            yield from ((name, node) for name in names)
        case ast.AnnAssign(target=ast.Name(id=name)):
            yield name, node


def _mentioned(node: ast.stmt) -> Iterator[str]:
    for inner in ast.walk(node):
        match inner:
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name):
                yield name
            case ast.Constant(value=str(text)) if (
                text.isidentifier()
            ):  # getattr(kata, "NonlinearRegression")
                yield text
