"""Text that a submission had a hand in, made fit to be shown and kept: it can't move the cursor,
hide a word, turn a line around or grow without end.
"""

import dataclasses
import json
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from dojo.results import KataResult, TestResult
from dojo.suite.report import LONGEST_NAME

# Controls, and the formats that are not seen: bidirectional overrides, joiners, tags; halves of
# surrogate pairs; private use.
_UNSEEN = ("Cc", "Cf", "Cs", "Co")
MOST_CHARACTERS = 20_000
MOST_LISTED = 8
MOST_DETAILS = 4  # characters of a result besides its messages, for each character of these

_Value = TypeVar("_Value")


def plain(text: str, most: int = MOST_CHARACTERS) -> str:
    """The same text without what can't be seen, cut where it is longer than `most` characters."""
    shown = text[:most]
    for line_end in ("\r\n", "\u2028", "\u2029", "\x85", "\v", "\f"):
        shown = shown.replace(line_end, "\n")
    shown = "".join(
        character
        for character in shown.replace("\t", "    ")
        if character == "\n" or unicodedata.category(character) not in _UNSEEN
    )
    left_out = len(text) - most
    return shown if left_out <= 0 else f"{shown} ... ({left_out:,} more characters left out)"


def line(text: str, most: int = 120) -> str:
    """The same text in one line, for a name; bytes that are no UTF-8 become question marks."""
    halves = {character for character in text if "\ud800" <= character <= "\udfff"}
    if halves and all("\udc80" <= half <= "\udcff" for half in halves):
        text = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    shown = " ".join(plain(text, most=1_000_000).split("\n")).strip()
    return shown if len(shown) <= most else f"{shown[: most - 3]}..."


def listed(names: Sequence[str], comma: str = ", ") -> str:
    """The first MOST_LISTED of these names, and how many more there are."""
    more = len(names) - MOST_LISTED
    return comma.join(names[:MOST_LISTED]) + (f" and {more:,} more" if more > 0 else "")


def without(value: _Value, folders: Iterable[str]) -> _Value:
    """A record in which files are called by their names, without the folders that they lay in."""

    def changed(value: Any) -> Any:
        if isinstance(value, str):
            for folder in folders:
                value = value.replace(f"{folder}/", "")
            return value
        if isinstance(value, tuple):
            return tuple(map(changed, value))
        if not dataclasses.is_dataclass(value) or isinstance(value, type):
            return value
        names = [field.name for field in dataclasses.fields(value)]
        return replace(value, **{name: changed(getattr(value, name)) for name in names})

    result: _Value = changed(value)
    return result


def bounded(result: KataResult, characters: int) -> KataResult:
    """The result with this many characters of its tests' messages in all, from the first on. What
    else a test reported, such as a diagnosis, goes with a message that is cut, or once it is far
    more than the messages may be.
    """
    left_of_messages = characters
    left_of_details = MOST_DETAILS * characters

    def cut(test: TestResult) -> TestResult:
        nonlocal left_of_messages, left_of_details
        message = test.message[:left_of_messages]
        left_of_messages -= len(message)
        left_of_details -= len(json.dumps(dataclasses.asdict(replace(test, message=""))))
        if message == test.message and left_of_details >= 0:
            return test
        message += "" if message == test.message else " ... (cut: `output_kb`)"
        name = test.name[:LONGEST_NAME]
        return TestResult(name, test.outcome, message, test.seconds, test.device)

    tasks = (replace(task, tests=tuple(map(cut, task.tests))) for task in result.tasks)
    return replace(result, tasks=tuple(tasks))
