"""What katas and their tests import. Light: nothing is imported."""

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

PACKAGES = re.compile(r"^(?:from|import) ((?:matplotlib|numpy|sklearn|torch)[\w.]*)", re.MULTILINE)
A_KATA = re.compile(r"(?:katas\.|reference\.(?:\w+\.)*)?k\d\d(?:_\w*)?(?:\.|$)")
# No file without such a line imports a kata, so that next to none has to be read as Python once
# more.
SUSPECT = re.compile(
    r"\b(?:from|import)\b(?:[^\n]|\\\n)*\b(?:k\d\d|reference\b|katas\b(?!\.given))"
)


def packages(files: Iterable[Path]) -> list[str]:
    """The modules of packages that these files name."""
    return sorted(
        {name for path in files for name in PACKAGES.findall(path.read_text(encoding="utf-8"))}
    )


def other_kata(source: str) -> tuple[int, str] | None:
    """Line and name of the first kata that a kata's file imports, whatever folder it is in; None if
    there is none.

    What stands below `if __name__ == "__main__":` is not looked at: no test runs it.

    Args:
        source: text that Python can read.
    """
    return min(_katas(ast.parse(source)), default=None) if SUSPECT.search(source) else None


def _katas(tree: ast.Module) -> Iterator[tuple[int, str]]:
    nodes: list[ast.AST] = [tree]
    while nodes:
        node = nodes.pop()
        yield from ((node.lineno, name) for name in _imported(node) if A_KATA.match(name))
        is_main = isinstance(node, ast.If) and ast.unparse(node.test) == "__name__ == '__main__'"
        nodes += node.orelse if is_main else ast.iter_child_nodes(node)


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and not node.level:
        return (
            [node.module]
            if A_KATA.match(node.module)
            else [f"{node.module}.{alias.name}" for alias in node.names]
        )
    return []
