"""The lines in which two texts differ, and the screen that shows them."""

import difflib
from collections.abc import Sequence

from rich.text import Text

from dojo.console import Screen

SAME, OLD, NEW, GAP = " ", "-", "+", "…"
_STYLES = {SAME: "dim", OLD: "red", NEW: "green", GAP: "dim"}

Line = tuple[str, str]  # its sign, its text


def lines(old: Sequence[str], new: Sequence[str], context: int | None = None) -> list[Line]:
    """All lines of both texts, each with its sign.

    Args:
        context: how many common lines to show around each difference, with a gap for the others; by
            default all.
    """
    signed: list[Line] = []
    for kind, i, j, k, m in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            signed += [(SAME, text) for text in old[i:j]]
        else:
            signed += [(OLD, text) for text in old[i:j]] + [(NEW, text) for text in new[k:m]]
    return signed if context is None else _near(signed, context)


def _near(signed: list[Line], context: int) -> list[Line]:
    changed = [number for number, (sign, _) in enumerate(signed) if sign != SAME]
    near = sorted(
        {n for c in changed for n in range(c - context, c + context + 1) if 0 <= n < len(signed)}
    )
    shown: list[Line] = []
    for before, number in zip([None, *near], near, strict=False):
        if before is not None and number > before + 1:
            shown.append((GAP, ""))
        shown.append(signed[number])
    return shown


def show(screen: Screen, signed: Sequence[Line], indent: str = "  ") -> None:
    """The lines in colour. The signs tell the same to who sees no colours."""
    for sign, text in signed:
        screen.console.print(Text(f"{indent}{sign} {text}".rstrip(), style=_STYLES[sign]))
