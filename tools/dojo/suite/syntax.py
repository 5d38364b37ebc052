"""What is wrong with a file that is not Python, where its line shows it."""

import re

from dojo.diagnosis import Cause

# a pattern for "Type: message", one for the line, the id and the cause; the first that fits counts
KNOWN = (
    (
        "invalid character",
        "[\u201c\u201d\u2018\u2019\u201e\u00ab\u00bb]",
        "curly-quotes",
        "the quotes in this line are curly ones, as word processors and chats make them: type"
        " straight ones, \" or '",
    ),
    (
        "invalid (?:character|non-printable)",
        "",
        "character",
        "a character in this line is none of Python's, though it may look like one, or like a"
        " space: delete it and type it anew",
    ),
    (
        "TabError|IndentationError",
        r"^ *\t",
        "tab",
        "this line begins with a tab, and others with spaces: replace the tab by spaces, and set"
        " your editor to 4 spaces for the Tab key",
    ),
    (
        "TabError|IndentationError: (?:unindent|unexpected)",
        "",
        "indentation",
        "this line begins further left or right than the lines that it belongs to: each level is 4"
        " spaces",
    ),
    (
        "expected an indented block",
        "",
        "no-block",
        "the line before ends with a colon: what belongs to it begins 4 spaces further right",
    ),
    ("was never closed", "", "bracket", "the bracket marked above is opened and never closed"),
    ("unmatched|does not match", "", "bracket-too-many", "the bracket marked above has no partner"),
    ("invalid syntax|expected", r"\belse\s+if\b", "elif", "`else if` is one word in Python: elif"),
    ("expected ':'", "", "colon", "a colon is missing in this line"),
    (
        "unterminated",
        "",
        "quote",
        "a text begins in this line and does not end: its closing quote is missing",
    ),
    ("Maybe you meant '=='", "", "equals", "= gives a value to a name; == compares"),
    ("'(?:return|yield)' outside", "", "outside", "this line is too far left for its function"),
    ("forgot a comma", "", "comma", "a comma, or an operator such as *, is missing in this line"),
    ("invalid syntax", r"\+\+|--\s*$", "increment", "Python has no ++ and no --: write i += 1"),
    ("invalid syntax", r"&&|\|\||!\w", "words", "Python says `and`, `or`, `not` for &&, || and !"),
    (
        "invalid syntax",
        r"import .*\w-\w",
        "hyphen",
        "no module has a - in its name: scikit-learn is imported as sklearn",
    ),
)


def cause(error: SyntaxError, source: str) -> Cause | None:
    """The cause that the error and its line leave no doubt of; None where there is none."""
    line = (source.splitlines()[(error.lineno or 1) - 1 :] or [""])[0]
    text = f"{type(error).__name__}: {error.msg}"
    for message, pattern, name, words in KNOWN:
        if re.search(message, text) and re.search(pattern, line):
            return Cause(words, told=True, id=f"error.syntax-{name}")
    return None
