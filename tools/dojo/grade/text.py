"""Text that a submission had a hand in, made fit to be shown: it can't move the cursor, hide a word
or turn a line around.
"""

import dataclasses
import unicodedata
from collections.abc import Iterable

# Controls, and the formats that are not seen: bidirectional overrides, joiners, tags; halves of
# surrogate pairs; private use.
_UNSEEN = ("Cc", "Cf", "Cs", "Co")
MOST_CHARACTERS = 20_000


def plain(text: str, most: int = MOST_CHARACTERS) -> str:
    """The same text of one or several lines without what can't be seen, cut where it is longer than
    `most` characters.
    """
    cut = text[:most]
    for line_end in ("\r\n", "\u2028", "\u2029", "\x85", "\v", "\f"):
        cut = cut.replace(line_end, "\n")
    shown = "".join(
        one
        for one in cut.replace("\t", "    ")
        if one == "\n" or unicodedata.category(one) not in _UNSEEN
    )
    return (
        shown
        if len(text) <= most
        else f"{shown} ... ({len(text) - most:,} more characters left out)"
    )


def line(text: str, most: int = 120) -> str:
    """The same text in one line, for a name. Bytes of a file's name that are no UTF-8 become
    question marks.
    """
    decoded = (
        text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        if _has_bytes(text)
        else text
    )
    shown = " ".join(plain(decoded, most=1_000_000).split("\n")).strip()
    return shown if len(shown) <= most else f"{shown[: most - 3]}..."


def _has_bytes(text: str) -> bool:
    halves = {one for one in text if "\ud800" <= one <= "\udfff"}
    return bool(halves) and all("\udc80" <= one <= "\udcff" for one in halves)


def without(value: object, folders: Iterable[str]) -> object:
    """A record in which files are called by their names, without the folders that they lay in while
    it was made.
    """
    if isinstance(value, str):
        for folder in folders:
            value = value.replace(f"{folder}/", "")
        return value
    if isinstance(value, tuple):
        return tuple(without(item, folders) for item in value)
    if dataclasses.is_dataclass(value):
        names = [field.name for field in dataclasses.fields(value)]
        return dataclasses.replace(
            value, **{name: without(getattr(value, name), folders) for name in names}
        )
    return value
