"""Which files of the repository a file depends on: all that it imports, directly or not.

Imports are found in the text, by a pattern: a syntax tree of every file would take half a second
at each start. More may be found than is imported, such as a line of a docstring; never less. A
module that stands in quotes counts as imported: that is how a child process is told what to load.
"""

import ast
import functools
import re
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from dojo import ROOT

FOLDERS = ("", "tools")  # of the repository, from which modules are imported
IMPORT = re.compile(
    r"""
    (?: ^ | [;:"'] ) [ \t]*
    (?: from [ \t]+ (?P<package> [\w.]+ ) [ \t]+ import [ \t]* (?P<names> \( [^)]* \) | [^\n;"']* )
      | import [ \t]+ (?P<modules> [^\n;"']* )
    )
    | ["'] (?P<quoted> \w+ (?: \.\w+ )+ ) ["']
    """,
    re.MULTILINE | re.VERBOSE,
)


def closure(starts: Iterable[Path], root: Path = ROOT, without: Collection[str] = ()) -> set[Path]:
    """These files, and those of the repository that they import, directly or not.

    Args:
        without: modules and packages that don't count, and neither does what only they import.
    """
    paths: set[Path] = set()
    names: set[str] = set()
    waiting = list(starts)
    while waiting:
        if (path := waiting.pop()) in paths:
            continue
        paths.add(path)
        if path.is_file():
            found = imported(path.read_text(encoding="utf-8", errors="replace"))
            new = {absolute(name, path, root) for name in found} - names
            names |= new
            counting = (name for name in new if not is_in(name, without))
            waiting += [file for name in counting for file in files_of(name, root, without)]
    return paths


def absolute(name: str, path: Path, root: Path = ROOT) -> str:
    """A module's whole name, where a file imports it as `.name` or `..name`."""
    rest = name.lstrip(".")
    if rest == name:
        return name
    folder = path.parents[len(name) - len(rest) - 1]
    return ".".join(filter(None, (module_of(folder / "__init__.py", root), rest)))


@functools.cache
def imported(source: str) -> frozenset[str]:
    """Names of modules that a text imports; and of what it takes from them, as that may be modules
    too.
    """
    imports: set[str] = set()
    for match in IMPORT.finditer(source):
        package, names, modules, quoted = match.group("package", "names", "modules", "quoted")
        if package:
            within = package if package.endswith(".") else f"{package}."
            imports |= {package, *(f"{within}{name}" for name in _names(names))}
        imports.update(_names(modules or ""))
        if quoted:
            imports.add(quoted)
    return frozenset(imports)


def _names(listed: str) -> Iterator[str]:
    """The names in `a, b as c`, which may stand in parentheses, with comments."""
    for part in re.sub("#.*", "", listed).strip("() \t\n").split(","):
        if words := part.split():
            yield words[0]


def files_of(module: str, root: Path = ROOT, without: Collection[str] = ()) -> Iterator[Path]:
    """The file of a module, its data in a TOML file of the same name, and the files of the packages
    it lies in; nothing if it is not ours.
    """
    *packages, _ = names = [module[: end.start()] for end in re.finditer(r"\.|$", module)]
    for folder in FOLDERS:
        paths = {name: root / folder / name.replace(".", "/") for name in names}
        candidates = [paths[module].with_suffix(suffix) for suffix in (".py", ".toml")]
        candidates.append(paths[module] / "__init__.py")
        if files := [path for path in candidates if path.is_file()]:
            inits = [paths[name] / "__init__.py" for name in packages if not is_in(name, without)]
            yield from (path for path in (*files, *inits) if path.is_file())


def module_of(path: Path, root: Path = ROOT) -> str:
    """The name of a file's module, of its package for an __init__.py."""
    parts = path.relative_to(root).with_suffix("").parts
    start = 1 if parts[0] in FOLDERS else 0
    return ".".join(parts[start:]).removesuffix(".__init__")


def is_in(module: str, packages: Collection[str]) -> bool:
    """True if the module is one of these or lies in one of them."""
    return any(module == name or module.startswith(f"{name}.") for name in packages)


@functools.cache
def code(source: str) -> str:
    """A module's code without comments, docstrings and what it does only when it is run as a
    program. A text that is not Python is returned unchanged.
    """
    try:
        tree = without_docstrings(ast.parse(source))
    except SyntaxError:
        return source
    return "\n".join(
        ast.unparse(node)
        for node in tree.body
        if not (isinstance(node, ast.If) and "__main__" in ast.unparse(node))
    )


def without_docstrings(tree: ast.Module) -> ast.Module:
    """The tree, altered."""
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef)
            and ast.get_docstring(node) is not None
        ):
            node.body = node.body[1:] or [ast.Pass()]
    return tree
