"""Where text meets the terminal: colours and symbols where it can show them, else plain text."""

import contextlib
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from rich.console import Console

from dojo import plain
from dojo.curve import in_words
from dojo.outcome import Outcome

IN_WORDS = "TORCH_KATAS_IN_WORDS"
_SHOWN = {  # outcome → its style, its mark, its mark on a plain console
    Outcome.PASSED: ("green", "✓", "ok"),
    Outcome.FAILED: ("red", "✗", "FAILED"),
    Outcome.NOT_STARTED: ("dim", "○", "-"),
    Outcome.BLOCKED: ("yellow", "◌", "blocked"),
    Outcome.SKIPPED: ("yellow", "–", "skipped"),
    Outcome.ERROR: ("magenta", "!", "ERROR"),
}
STYLES = {outcome: style for outcome, (style, _, _) in _SHOWN.items()}
_MARKS = {outcome: mark for outcome, (_, mark, _) in _SHOWN.items()}
_PLAIN_MARKS = {outcome: mark for outcome, (_, _, mark) in _SHOWN.items()}
_WORDS = {outcome: str(outcome) for outcome in Outcome}


@dataclass(frozen=True)
class Screen:
    """A console and the marks it can show."""

    console: Console
    marks: Mapping[Outcome, str]
    full: str  # of a progress bar
    empty: str
    in_words: bool = False  # for people who hear it: no drawings, no moving sign

    def mark(self, outcome: Outcome) -> str:
        """The outcome's mark in its colour, as rich markup."""
        return f"[{STYLES[outcome]}]{self.marks[outcome]}[/]"

    def marked(self, outcome: Outcome, name: str) -> str:
        """A name with its outcome's mark, as rich markup, to stand in a row with others: a word
        comes after it, and a comma after that.
        """
        mark = self.mark(outcome)
        return f"{name} {mark}," if self.marks[outcome].isascii() else f"{mark} {name} "

    def text(self, message: str) -> str:
        """A text that may have losses drawn in it, as this screen shows it."""
        return in_words(message) if self.in_words else message

    def bar(self, done: int, total: int, width: int = 30) -> str:
        """A progress bar, as rich markup; empty on a screen of words."""
        if self.in_words:
            return ""
        filled = round(width * done / total) if total else 0
        return f"[green]{self.full * filled}[/][dim]{self.empty * (width - filled)}[/]"


def screen(in_words: bool = False) -> Screen:
    """The screen on standard output. A plain character stands in for one that the console lacks.
    It is one of words if that is asked for, here or by the variable IN_WORDS.
    """
    plain.register()
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="plain")
    if sys.platform == "win32":  # older windows show control codes as text unless told otherwise
        with contextlib.suppress(ImportError, AttributeError):  # pytest brings it there
            import colorama

            colorama.just_fix_windows_console()
    console = Console(highlight=False, soft_wrap=True)
    if in_words or os.environ.get(IN_WORDS, "0") not in ("", "0"):
        return Screen(console, _WORDS, "", "", in_words=True)
    is_utf = "utf" in (sys.stdout.encoding or "").lower()
    if console.is_terminal and not console.is_dumb_terminal and is_utf:
        return Screen(console, _MARKS, "█", "░")
    return Screen(console, _PLAIN_MARKS, "#", ".")
