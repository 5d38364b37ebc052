"""Where the texts lie that people read, each with its file and line."""

import ast
import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

from dojo import ROOT
from dojo.catalog import Kata

DOCS = ("README.md", ".github/CONTRIBUTING.md", "reference/README.md", "reference/COVERAGE.md")
ROOMS = tuple(f"tools/dojo/{room}" for room in ("check", "grade", "suite", "validate"))
FOLDERS = ("katas/given", "tests/support", *ROOMS)
MARKER = re.compile(r"(?m)^ *# ?(?:BEGIN SOLUTION \w+: |END SOLUTION)?")


@dataclass(frozen=True)
class Text:
    """A text that people read, and where it begins."""

    file: str
    line: int
    words: str


def of_reference(name: str) -> Iterator[Text]:
    """The lesson first; then docstrings and comments, among these what is to do."""
    file = f"reference/{name}.py"
    source = read(file)
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Module() | ast.ClassDef() | ast.FunctionDef():
                if text := ast.get_docstring(node):
                    yield Text(file, node.body[0].lineno, text)
    for block in re.finditer(r"(?m)(?:^ *#.*\n)+", source):
        line = source.count("\n", 0, block.start()) + 1
        yield Text(file, line, MARKER.sub("", block[0]))


def of_catalog(kata: Kata) -> Iterator[Text]:
    """Title, what was learned, hints and choices."""
    ofs = (chain(task.hints, [task.chose]) for task in kata.tasks)
    said = [kata.name, kata.title, kata.learned, *chain.from_iterable(ofs)]
    return _in_toml("katas/catalog.toml", said)


def of_tests(name: str) -> Iterator[Text]:
    """Messages and names of a kata's tests; what is said of known mistakes and of marks."""
    yield from _in_python(f"tests/test_{name}.py")
    file = f"reference/mistakes/{name}.toml"
    yield from _in_toml(file, [entry["saying"] for entry in tomllib.loads(read(file))["mistake"]])
    file, short = "tests/pass_marks.toml", name.partition("_")[0]
    marks = [mark for key, mark in tomllib.loads(read(file)).items() if key.startswith(f"{short}.")]
    yield from _in_toml(file, [mark[key] for mark in marks for key in ("what", "on")])


def of_all_katas() -> Iterator[Text]:
    """What belongs to no kata: the docs, and what tools and the given modules say."""
    yield from (Text(name, 1, read(name)) for name in DOCS)
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield from _in_python(path.relative_to(ROOT).as_posix())
    file = "tools/dojo/suite/causes.toml"
    entries = tomllib.loads(read(file))["known"]
    yield from _in_toml(
        file, [c for e in entries for c in (e.get("cause", ""), *e.get("causes", ()))]
    )


def _in_python(file: str) -> Iterator[Text]:
    """The strings of a program that are texts, its docstrings among them, and the names of its
    tests, which are read as sentences; but for trainings, since a name seeds its training.
    """
    for node in ast.walk(ast.parse(read(file))):
        match node:
            case ast.Constant(value=str(text)) if " " in text:
                yield Text(file, node.lineno, text)
            case ast.FunctionDef(name=name, args=args) if name.startswith("test_"):
                if all(one.arg != "mark" for one in args.args):
                    yield Text(file, node.lineno, name.replace("_", " "))


def _in_toml(file: str, texts: Iterable[str]) -> Iterator[Text]:
    """These texts of a file, which come there in this order, with the lines where they begin."""
    raw, start = read(file), 0
    for text in filter(None, texts):
        first = r"[\s\\]+".join(re.escape(word) for word in text.split()[:6])
        place = re.compile(first.replace('"', r'\\?"')).search(raw, start)
        start = place.start() if place else start
        yield Text(file, raw.count("\n", 0, start) + 1, text.strip())


def read(file: str) -> str:
    """The text of a file of the repository."""
    return (ROOT / file).read_text(encoding="utf-8")
