"""Loads a kata's file, and says what is wrong with one that can't be loaded."""

import ast
import difflib
import importlib.util
import re
import sys
import types
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from dojo import ROOT
from dojo.diagnosis import Cause, Diagnosis, clipped
from dojo.suite import syntax

PACKAGES = re.compile(r"^(?:from|import) ((?:matplotlib|numpy|sklearn|torch)[\w.]*)", re.MULTILINE)
A_KATA = re.compile(r"(?:katas\.|reference\.(?:\w+\.)*)?k\d\d(?:_\w*)?(?:\.|$)")
# No file without such a line imports a kata, so that next to none has to be parsed once more.
SUSPECT = re.compile(
    r"\b(?:from|import)\b(?:[^\n]|\\\n)*\b(?:k\d\d|reference\b|katas\b(?!\.given))"
)
MOST_LINES = 24  # of a function or class that are shown
RENAMED = Cause(
    "it was renamed, deleted, or moved into a function or class: the tests use the name in the"
    " stub",
    id="error.missing-name",
)
OFF = Cause(
    "a bracket, colon or quote missing in this line or just before it, or an indentation that is"
    " off",
    id="error.syntax",
)
READ_ALOUD = "Read that line and the one above it aloud, character by character: what is missing?"

# is asked for every public name of a kata, with its value, and returns what the tests get
Wrap = Callable[[str, object], object]


def unchanged(name: str, value: object) -> object:
    """The `Wrap` that gives the tests what the kata has."""
    return value


class Explained(Exception):
    """An error whose message is the feedback, complete with file and line.

    Args:
        lines: the learner's own lines that it is about, to be shown below.
    """

    def __init__(self, diagnosis: Diagnosis, lines: str = "") -> None:
        super().__init__(f"{diagnosis.text()}\n\n{lines}".rstrip())
        self.diagnosis = diagnosis


class KataUnusable(Explained):
    """The kata's file can't be loaded.

    Args:
        is_late: a limit of time has ended its import.
    """

    def __init__(self, diagnosis: Diagnosis, lines: str = "", is_late: bool = False) -> None:
        super().__init__(diagnosis, lines)
        self.is_late = is_late


class MissingName(Explained, AttributeError):
    """The tests use a name that the kata's file does not have."""


class KataUnderTest:
    """A kata's module as the tests see it; it remembers which public names were used."""

    def __init__(self, module: types.ModuleType, path: Path, source: str, wrap: Wrap) -> None:
        self._module, self._path, self._source, self._wrap = module, path, source, wrap
        self._used: list[str] = []

    def __getattr__(self, name: str) -> object:
        try:
            value = getattr(self._module, name)
        except AttributeError:
            raise MissingName(_missing(name, self._path, vars(self._module))) from None
        _under_test[:] = [self]
        self._used.append(name)
        return self._wrap(name, value)


_under_test: list[KataUnderTest] = []  # the one that a test asked for a name last


# functions, so that no attribute of ours can hide a name of the learner's
def source_of(kata: KataUnderTest) -> str:
    """The text of its file."""
    return kata._source


def last_used(kata: KataUnderTest) -> str | None:
    """The public name that a test is about: the function that it asked for last; of a class it
    makes the models that a function gets, if it asks for functions at all.
    """
    functions = [one for one in kata._used if not isinstance(getattr(kata._module, one), type)]
    return next(reversed(functions or kata._used), None)


def is_about(kata: KataUnderTest, function: object) -> None:
    """Note that the test goes on with this function, whatever else it asked for on the way."""
    name = getattr(function, "__name__", "")
    if name in kata._used:
        kata._used.append(name)


def used(kata: KataUnderTest) -> tuple[str, ...]:
    """The public names that the running test has asked for, in order."""
    return tuple(kata._used)


def forget(kata: KataUnderTest) -> None:
    """Another test begins: nothing was used in it."""
    kata._used.clear()


def under_test() -> KataUnderTest | None:
    """The kata that a test asked for a name last."""
    return _under_test[0] if _under_test else None


def _missing(name: str, path: Path, names: Iterable[str]) -> Diagnosis:
    public = [other for other in names if not other.startswith("_")]
    near = difflib.get_close_matches(name, public, n=1)
    nothing = "nothing of that name at the top level of the file"
    return _diagnosis(
        shown(path),
        f" has no name '{name}'.",
        f"a name like it: {near[0]}" if near else nothing,
        f"{name}, as in the stub",
        RENAMED,
        f"Search your file for {name}: does it begin at the left edge, spelled like that?",
    )


def _diagnosis(
    where: str, headline: str, seen: str, expected: str, likely: Cause, pointer: str = ""
) -> Diagnosis:
    """Without a pointer, the cause is certain."""
    causes = (replace(likely, told=not pointer),)
    return Diagnosis(f"{where}{headline}", seen, expected, causes, pointer, where=where)


def shown(path: Path) -> str:
    """A path as people see it: relative to the repository where it lies inside."""
    try:
        return path.resolve().relative_to(ROOT).as_posix()
    except ValueError:
        return str(path)


def load(path: Path, wrap: Wrap = unchanged) -> KataUnderTest:
    """Run the file and return its module. Nothing is cached: what is on disk now is what is judged.

    Raises:
        KataUnusable: there is no such file, it is not Python, or it needs another kata's file.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise KataUnusable(_unreadable(path, error)) from None
    try:
        source = importlib.util.decode_source(data)
    except (UnicodeDecodeError, SyntaxError) as error:
        raise KataUnusable(_not_text(path, data, error)) from None
    try:
        code = compile(source, str(path), "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        raise KataUnusable(_not_python(path, source, error)) from None
    if other := other_kata(source):
        raise KataUnusable(_not_alone(path, source, *other))
    module = types.ModuleType(path.stem)
    module.__file__ = str(path)
    sys.modules[path.stem] = module  # dataclasses and pickle look a class's module up there
    exec(code, module.__dict__)
    return KataUnderTest(module, path, source, wrap)


def _unreadable(path: Path, error: OSError) -> Diagnosis:
    reset = f"`python tools/check reset {path.stem.partition('_')[0]}`"
    text = f"it was moved or deleted: {reset} brings the stub back"
    likely = Cause(text, id="error.unreadable")
    expected = "the kata's file, under its own name"
    return _diagnosis(shown(path), " can't be read.", str(error.strerror), expected, likely)


def _not_text(path: Path, data: bytes, error: Exception) -> Diagnosis:
    line = 1  # of an encoding declaration that can't be obeyed
    try:
        data.decode()
    except UnicodeDecodeError as first_bad_byte:
        line, error = data.count(b"\n", 0, first_bad_byte.start) + 1, first_bad_byte
    where, expected = f"{shown(path)}:{line}", "a file saved as UTF-8"
    text = "the editor saves in another encoding: choose UTF-8 when saving"
    likely = Cause(text, id="error.encoding")
    return _diagnosis(where, " is not UTF-8 text.", str(error), expected, likely)


def _not_python(path: Path, source: str, error: SyntaxError | ValueError) -> Diagnosis:
    where = f"{shown(path)}:{getattr(error, 'lineno', None) or 1}"
    headline = " is not valid Python, so nothing in this file can run yet."
    if isinstance(error, SyntaxError) and (text := (error.text or "").rstrip("\r\n")):
        headline += f"\n      {text.lstrip()}"
        if error.offset:
            indentation = len(text) - len(text.lstrip())
            headline += "\n      " + " " * max(error.offset - 1 - indentation, 0) + "^"
    seen = f"{type(error).__name__}: {getattr(error, 'msg', None) or error}"
    expected = "a file that Python can read"
    known = syntax.cause(error, source) if isinstance(error, SyntaxError) else None
    if known is None:
        return _diagnosis(where, clipped(headline), seen, expected, OFF, READ_ALOUD)
    return Diagnosis(f"{where}{clipped(headline)}", seen, expected, (known,), where=where)


def _not_alone(path: Path, source: str, line: int, name: str) -> Diagnosis:
    return _diagnosis(
        f"{shown(path)}:{line}",
        f" imports {name}, but each kata is judged alone: copy what you need into this file.",
        clipped(source.splitlines()[line - 1].strip()),
        "a file that needs no other kata",
        Cause(
            "where katas are graded, the files of the others are not there", id="error.not-alone"
        ),
    )


def other_kata(source: str) -> tuple[int, str] | None:
    """Line and name of the first kata that a kata's text imports, from whatever folder. Code below
    `if __name__ == "__main__":` is skipped: no test runs it.
    """
    return min(_katas(ast.parse(source)), default=None) if SUSPECT.search(source) else None


def _katas(tree: ast.Module) -> Iterator[tuple[int, str]]:
    nodes: list[ast.AST] = [tree]
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from ((node.lineno, name) for name in _imported(node) if A_KATA.match(name))
        if isinstance(node, ast.If) and ast.unparse(node.test) == "__name__ == '__main__'":
            nodes += node.orelse
        else:
            nodes += ast.iter_child_nodes(node)


def _imported(node: ast.Import | ast.ImportFrom) -> list[str]:
    names = [alias.name for alias in node.names]
    if isinstance(node, ast.Import):
        return names
    if node.module is None or node.level:
        return []
    return [node.module] if A_KATA.match(node.module) else [f"{node.module}.{n}" for n in names]


def packages(files: Iterable[Path]) -> list[str]:
    """The modules of packages that these files name."""
    texts = [path.read_text(encoding="utf-8") for path in files]
    return sorted({name for text in texts for name in PACKAGES.findall(text)})


def code_of(source: str, name: str) -> list[tuple[int, str]]:
    """Number and text of a function's or class's code lines: no docstrings, comments, blanks."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return []
    named = [node for node in tree.body if getattr(node, "name", None) == name]
    if not named:
        return []
    hidden: set[int] = set()
    for node in ast.walk(named[-1]):
        if not isinstance(node, ast.FunctionDef | ast.ClassDef):
            continue
        if ast.get_docstring(node, clean=False) is not None:
            hidden.update(_lines(node.body[0]))
        # of a signature over several lines the first is enough
        if isinstance(node, ast.FunctionDef):
            hidden.update(range(node.lineno + 1, node.body[0].lineno))
    lines = source.splitlines()
    numbered = [(n, lines[n - 1]) for n in _lines(named[-1]) if n not in hidden]
    code = [(n, text) for n, text in numbered if text.strip() and not text.lstrip().startswith("#")]
    if len(code) <= MOST_LINES:
        return code
    return [*code[: MOST_LINES - 1], (code[MOST_LINES - 1][0], "    ...")]


def _lines(node: ast.stmt) -> range:
    return range(node.lineno, (node.end_lineno or node.lineno) + 1)
