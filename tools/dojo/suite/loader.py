"""Loads a kata's file, and says what is wrong with one that can't be loaded."""

import ast
import difflib
import importlib.util
import sys
import types
from collections.abc import Callable
from pathlib import Path

from dojo import ROOT
from dojo.diagnosis import Cause, Diagnosis, clipped
from dojo.suite.imports import other_kata

ALOUD = "Read that line and the one above it aloud, sign by sign: what would come next?"


class Explained(Exception):
    """An error whose message is the feedback, complete with file and line.

    Args:
        lines: the learner's own lines that it is about, to be shown below.
    """

    def __init__(self, diagnosis: Diagnosis, lines: str = "") -> None:
        super().__init__(f"{diagnosis.text()}\n\n{lines}".rstrip())
        self.diagnosis = diagnosis


class KataUnusable(Explained):
    """The kata's file can't be loaded."""


Wrap = Callable[[str, object], object]


class KataUnderTest:
    """A kata's module as the tests see it: remembers which public name was used last, so that
    feedback can point there.

    Args:
        wrap: is asked for every public name, with its value, and gives what the tests get: for
            those that watch the learner's functions at work.
    """

    def __init__(
        self,
        module: types.ModuleType,
        path: Path,
        source: str,
        wrap: Wrap = lambda name, value: value,
    ) -> None:
        self._module, self._path, self._source, self._wrap = module, path, source, wrap
        self._last_used: str | None = None

    def __getattr__(self, name: str) -> object:
        try:
            value = getattr(self._module, name)
        except AttributeError:
            raise MissingName(self._missing(name)) from None
        self._last_used = name
        return self._wrap(name, value)

    def _missing(self, name: str) -> Diagnosis:
        public = [known for known in vars(self._module) if not known.startswith("_")]
        near = difflib.get_close_matches(name, public, n=1)
        return Diagnosis(
            f"{shown(self._path)} has no name '{name}'.",
            seen=(
                f"a name like it: {near[0]}"
                if near
                else "nothing of that name at the top level of the file"
            ),
            expected=f"{name}, as in the stub",
            likely=(
                Cause(
                    "it was renamed, deleted, or moved into a function or class: the tests use the"
                    " name in the stub"
                ),
            ),
            pointer=(
                f"Search your file for {name}: does it begin at the left edge, spelled like that?"
            ),
            where=shown(self._path),
        )


def source_of(kata: KataUnderTest) -> str:
    """The text of its file. A function, so that no attribute of ours can hide a name of the
    learner's.
    """
    return kata._source


def last_used(kata: KataUnderTest) -> str | None:
    """The public name that a test asked for last."""
    return kata._last_used


class MissingName(Explained, AttributeError):
    """The tests use a name that the kata's file does not have."""


def shown(path: Path) -> str:
    """A path as people see it: relative to the repository where it lies inside."""
    try:
        return path.resolve().relative_to(ROOT).as_posix()
    except ValueError:
        return str(path)


def load(path: Path, wrap: Wrap = lambda name, value: value) -> KataUnderTest:
    """Run the file and return its module. Nothing is cached: what is on disk now is what is judged.

    Raises:
        KataUnusable: there is no such file, it is not Python, or it needs another kata's file.
    """
    name = path.stem
    try:
        data = path.read_bytes()
    except OSError as error:
        short = name.partition("_")[0]
        told = Cause(
            f"it was moved or deleted: `python tools/check reset {short}` brings the stub back",
            told=True,
        )
        headline, seen = f"{shown(path)} can't be read.", str(error.strerror)
        raise KataUnusable(
            Diagnosis(headline, seen, "the file that the stub began as", (told,), where=shown(path))
        ) from None
    try:
        source = importlib.util.decode_source(data)
    except (UnicodeDecodeError, SyntaxError) as error:
        raise KataUnusable(_not_text(path, data, error)) from None
    try:
        code = compile(source, str(path), "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        raise KataUnusable(_not_python(path, error)) from None
    if found := other_kata(source):
        raise KataUnusable(_not_alone(path, source, *found))
    module = types.ModuleType(name)
    module.__file__ = str(path)
    sys.modules[name] = module  # dataclasses and pickle look a class's module up there
    exec(code, module.__dict__)
    return KataUnderTest(module, path, source, wrap)


def _not_text(path: Path, data: bytes, error: Exception) -> Diagnosis:
    line = 1  # of an encoding declaration that can't be obeyed
    try:
        data.decode()
    except UnicodeDecodeError as first_bad_byte:
        line, error = data.count(b"\n", 0, first_bad_byte.start) + 1, first_bad_byte
    return Diagnosis(
        f"{shown(path)}:{line} is not UTF-8 text.",
        seen=str(error),
        expected="a file saved as UTF-8",
        likely=(
            Cause("the editor saves in another encoding: choose UTF-8 when saving", told=True),
        ),
        where=f"{shown(path)}:{line}",
    )


def _not_python(path: Path, error: SyntaxError | ValueError) -> Diagnosis:
    line = getattr(error, "lineno", None) or 1
    text = (getattr(error, "text", None) or "").rstrip("\r\n")
    caret = ""
    if text and error.offset:
        stripped = text.lstrip()
        caret = "\n      " + " " * max(error.offset - 1 - (len(text) - len(stripped)), 0) + "^"
        text = f"\n      {stripped}"
    reason = getattr(error, "msg", None) or str(error)
    likely = (
        "a bracket, colon or quote missing in this line or just before it, or an indentation that"
        " is off"
    )
    return Diagnosis(
        clipped(
            f"{shown(path)}:{line} is not valid Python, so nothing in this file can run"
            f" yet.{text}{caret}"
        ),
        seen=f"{type(error).__name__}: {reason}",
        expected="a file that Python can read",
        likely=(Cause(likely),),
        pointer=ALOUD,
        where=f"{shown(path)}:{line}",
    )


def _not_alone(path: Path, source: str, line: int, name: str) -> Diagnosis:
    return Diagnosis(
        f"{shown(path)}:{line} imports {name}, but each kata is judged alone: copy what you need"
        " into this file.",
        seen=clipped(source.splitlines()[line - 1].strip()),
        expected="a file that needs no other kata",
        likely=(Cause("where katas are graded, the files of the others are not there", told=True),),
        where=f"{shown(path)}:{line}",
    )


def code_of(source: str, name: str, limit: int = 24) -> list[tuple[int, str]]:
    """Number and text of the code lines of a function or class, docstrings, comments and blank
    lines left out.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return []
    named = [node for node in tree.body if getattr(node, "name", None) == name]
    if not named:
        return []
    hidden: set[int] = set()
    for node in ast.walk(named[-1]):
        if (
            isinstance(node, ast.FunctionDef | ast.ClassDef)
            and ast.get_docstring(node, clean=False) is not None
        ):
            hidden.update(range(node.body[0].lineno, node.body[0].end_lineno + 1))
        # of a signature over several lines the first is enough
        if isinstance(node, ast.FunctionDef):
            hidden.update(range(node.lineno + 1, node.body[0].lineno))
    lines = source.splitlines()
    numbered = [
        (n, lines[n - 1])
        for n in range(named[-1].lineno, named[-1].end_lineno + 1)
        if n not in hidden
    ]
    code = [(n, text) for n, text in numbered if text.strip() and not text.lstrip().startswith("#")]
    return code if len(code) <= limit else [*code[: limit - 1], (code[limit - 1][0], "    ...")]
