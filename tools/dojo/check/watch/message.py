"""A failure's message as lines that fit the screen: indentation kept, places in files clickable,
drawings whole.
"""

import os
import re
from pathlib import Path

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from dojo import ROOT

PLACE = re.compile(r"(?P<folder>(?:[\w.~-]*[\\/])+)?(?P<file>k\d\d_\w+\.py:\d+)")
LABEL = re.compile(r"\s*(?:seen|expected|layers|loss|likely|or|next): +")
# lines, blocks and braille: a folded drawing is none
DRAWN = re.compile("[\u2500-\u259f\u2800-\u28ff]")
INDENT = 2


def show(console: Console, line: str) -> None:
    """Print a line of a message. It goes on below its own beginning where it is too long; a drawn
    one is cut off.
    """
    if not line.strip():
        console.print()
        return
    label = LABEL.match(line)
    start = label.end() if label else len(line) - len(line.lstrip())
    room = max(console.width - start - INDENT, 10)
    head, text = Text(line[:start] if label else ""), _with_places(line[start:])
    if DRAWN.search(line):
        text.truncate(room, overflow="crop")
        parts = [text]
    else:
        parts = list(text.wrap(console, room, overflow="fold"))
    for number, part in enumerate(parts):
        hangs = number == 0 and label  # the label stands to the left of what it labels
        padding = INDENT if hangs else start + INDENT
        console.print(
            Padding(head + part if hangs else part, (0, 0, 0, padding), expand=False),
            no_wrap=True,
            crop=True,
        )


def _with_places(line: str) -> Text:
    """The line, with the places in files standing out."""
    text, end = Text(), 0
    for place in PLACE.finditer(line):
        text.append(line[end : place.start()])
        text.append(from_here(place["folder"] or "") + place["file"], style="underline cyan")
        end = place.end()
    return text.append(line[end:])


def from_here(folder: str) -> str:
    """A folder as messages name it, relative to where the user is: a terminal can then open what it
    sees.
    """
    if (
        not folder
        or Path(folder).is_absolute()
        or Path.cwd() == ROOT
        or not (ROOT / folder).is_dir()
    ):
        return folder
    try:
        # a path object drops the end's separator
        return os.path.join(os.path.relpath(ROOT / folder), "")  # noqa: PTH118
    except ValueError:  # another drive
        return str(ROOT / folder) + os.sep
