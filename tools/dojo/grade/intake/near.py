"""Which kata's file is most likely meant by a name that is not exactly one: a 0 for a slip in a
name has to be seen.
"""

import difflib
import re
from dataclasses import dataclass

from dojo.grade.intake import names

# of 1: how much of two names has to be the same; "k02_device" has 0.95, "k02_devices" and
# "k00_concepts" 0.6
CLOSE = 0.8
LONGEST = 60  # no longer name is compared letter by letter
# of a file, on the systems of today: an archive can say longer ones, and nothing is meant by them
LONGEST_NAME = 255
# What a Python text is handed in as. Any other ending, such as that of a picture, needs more than a
# new name.
_TEXT = re.compile(r"(?P<stem>.+?)\.(?:py(?![a-z0-9]).*|pyw|txt)|(?P<bare>[^.]+)", re.DOTALL)
_NUMBER = re.compile(r"^k(?:ata)?[ _-]*(\d{1,2})(?!\d)|(?<![a-z0-9])k(\d\d)(?!\d)")
_LEFTOVER = re.compile(r"[.#].*|.*(?:~|\.(?:bak|orig|old|tmp|swp|swo)|\.backup.*)", re.DOTALL)


@dataclass(frozen=True)
class Wanted:
    """Which katas' files are looked for.

    Attributes:
        graded: names of the katas that are graded.
        known: names of all there are, those included.
    """

    graded: tuple[str, ...]
    known: tuple[str, ...]

    def meant(self, name: str) -> str:
        """The graded kata whose file a file of this name is most likely meant as; empty if there is
        none.
        """
        kata = _nearest(name, self.known) if len(name) <= LONGEST_NAME else ""
        return kata if kata in self.graded else ""


def is_text(name: str) -> bool:
    """Whether it can be a Python text under a wrong name."""
    return _TEXT.fullmatch(names.folded(name)) is not None


def is_faint(name: str) -> bool:
    """Whether such a name says something only where the kata's own file is missing: a picture, a
    name without a kata's number, or that under which an editor or `check reset` keeps an older
    text.
    """
    has_number = _NUMBER.search(_evened(name)) is not None
    return (
        not is_text(name) or not has_number or _LEFTOVER.fullmatch(names.folded(name)) is not None
    )


def is_spelling_of(name: str, kata: str) -> bool:
    """Whether the kata's whole name stands in it: other case, "Copy of", "(1)", a second ending."""
    return kata in _evened(name) and ".py" in names.folded(name)


def _nearest(name: str, known: tuple[str, ...]) -> str:
    evened = _evened(name)
    if evened.startswith("test_"):  # a kata's tests bear its name
        return ""
    if inside := max((kata for kata in known if kata in evened), key=len, default=""):
        return inside
    found = _TEXT.fullmatch(evened)
    stem = (found["stem"] or found["bare"]) if found else _without_endings(evened)
    if (
        found
        and len(stem) <= LONGEST
        and (close := difflib.get_close_matches(stem, known, n=1, cutoff=CLOSE))
    ):
        return close[0]
    if number := _NUMBER.search(stem):
        short = f"k{int(number[1] or number[2]):02d}"
        return next((kata for kata in known if kata.partition("_")[0] == short), "")
    return ""


def _without_endings(name: str) -> str:
    """Without all that follows a dot, up to the last blank: "k01 v1.2 a.tar.gz" is called "k01 v1.2
    a".
    """
    blanks = [number for number, letter in enumerate(name) if letter.isspace()]
    dot = name.find(".", blanks[-1] if blanks else 0)
    return name if dot < 0 else name[:dot]


def _evened(name: str) -> str:
    return names.folded(name).replace("-", "_").replace(" ", "_")
