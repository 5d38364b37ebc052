"""What a stub tells its learner, sentence by sentence, and which of its words a text covers.

A passage is a docstring, a TODO comment, or the "What to do" of the lesson: each of its sentences
is accounted for in reference/promises. The rest of the lesson, and what stands between `def` and
the docstring, may be quoted there, too.
"""

import ast
import inspect
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import takewhile

from dojo.stubs import MORE_TEXT

LESSON = "the lesson"  # its place
TODO = re.compile(r"\s*# TODO (\w+): (.*)")
GAP = re.compile(r'NotImplementedError\("(\w+)"\)')
SECTION = re.compile(r"(Args|Attributes|Returns|Raises|Yields):$")
NAMED = ("Args", "Attributes", "Raises")  # sections whose entries begin with a name
END = re.compile(r"(?<=[.;!?])\s+(?=[^a-z\s])")  # of a sentence
WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Passage:
    """A text of a stub.

    Attributes:
        place: the function, method or class; the lesson; of a TODO elsewhere, its task.
        tasks: those that are to be solved there.
        is_due: each of its sentences has to be accounted for.
    """

    place: str
    tasks: tuple[str, ...]
    sentences: tuple[str, ...]
    is_due: bool = True

    @property
    def text(self) -> str:
        return " ".join(self.sentences)

    def spans(self, quote: str) -> list[tuple[int, int]]:
        """Where in its text a quote stands, as whole words."""
        begin, end = (r"(?<!\w)", r"(?!\w)")
        pattern = f"{begin if quote[:1].isalnum() else ''}{re.escape(quote)}"
        pattern += end if quote[-1:].isalnum() else ""
        return [match.span() for match in re.finditer(pattern, self.text)] if quote else []

    def left(self, quotes: Iterable[str]) -> list[str]:
        """The sentences, and pieces of them, of which no quote covers a word."""
        covered = {
            index for quote in quotes for span in self.spans(quote) for index in range(*span)
        }
        found, start = list[str](), 0
        for sentence in self.sentences:
            found += _left(sentence, {index - start for index in covered})
            start += len(sentence) + 1
        return found


def _left(sentence: str, covered: set[int]) -> Iterator[str]:
    words = [match.span() for match in WORD.finditer(sentence)]
    bare = [(a, b) for a, b in words if not covered.issuperset(range(a, b))]
    if bare == words and words:
        yield sentence
        return
    pieces: list[tuple[int, int]] = []
    for begin, end in bare:
        if pieces and not covered.intersection(range(pieces[-1][1], begin)):
            begin = pieces.pop()[0]
        pieces.append((begin, end))
    for begin, end in pieces:  # with the brackets and points around it
        while begin and begin - 1 not in covered and not sentence[begin - 1].isspace():
            begin -= 1
        while end < len(sentence) and end not in covered and not sentence[end].isspace():
            end += 1
        yield sentence[begin:end]


def flat(text: str) -> str:
    """The text in one line."""
    return " ".join(text.split())


def passages(stub: str) -> list[Passage]:
    """The passages of a stub, in their order there."""
    tree = ast.parse(stub)
    lesson = inspect.cleandoc(ast.get_docstring(tree) or "").split("\n\n")
    found = []
    for paragraph in lesson:
        is_due = paragraph.startswith("What to do:")
        found.append(Passage(LESSON, (), tuple(END.split(flat(paragraph))), is_due))
    defined = list(_defined(tree, ""))
    lines = stub.splitlines()
    for name, node in defined:
        source = lines[node.lineno - 1 : node.end_lineno]
        tasks = tuple(dict.fromkeys(GAP.findall("\n".join(source))))
        head = flat(" ".join(source[: node.body[0].lineno - node.lineno]))
        found.append(Passage(name, tasks, (head,), is_due=False))
        if text := ast.get_docstring(node):
            found.append(Passage(name, tasks, tuple(_sentences(text))))
    for number, line in enumerate(lines, start=1):
        if todo := TODO.match(line):
            more = takewhile(MORE_TEXT.match, lines[number:])
            text = flat(" ".join([todo[2], *(each.strip("# \t") for each in more)]))
            around = [name for name, node in defined if number in range(*_lines(node))]
            place = around[-1] if around else todo[1]
            found.append(Passage(place, (todo[1],), tuple(END.split(text))))
    return found


Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def _defined(node: ast.Module | Definition, within: str) -> Iterator[tuple[str, Definition]]:
    for inner in node.body:
        if isinstance(inner, Definition):
            yield f"{within}{inner.name}", inner
            yield from _defined(inner, f"{within}{inner.name}.")


def _lines(node: Definition) -> tuple[int, int]:
    return node.lineno, (node.end_lineno or node.lineno) + 1


def _sentences(docstring: str) -> Iterator[str]:
    """Its sentences; an entry of Args or Raises begins a new one."""
    section, lines = "", list[str]()

    def end() -> list[str]:
        text = flat(" ".join(lines))
        lines.clear()
        return END.split(text) if text else []

    for line in docstring.splitlines():
        header = SECTION.match(line)
        if header or not line.strip():
            yield from end()
            section = header[1] if header else section
            continue
        if section in NAMED and re.match(r" {4}\S", line):
            yield from end()
        lines.append(line)
    yield from end()
