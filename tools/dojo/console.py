"""Where text meets the terminal: colours and symbols where it can show them, else plain text."""

import contextlib
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from rich.console import Console

from dojo import plain
from dojo.outcome import Outcome

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


@dataclass(frozen=True)
class Screen:
    """A console and the marks it can show."""

    console: Console
    marks: Mapping[Outcome, str]
    full: str  # of a progress bar
    empty: str

    def mark(self, outcome: Outcome) -> str:
        """The outcome's mark in its colour, as rich markup."""
        return f"[{STYLES[outcome]}]{self.marks[outcome]}[/]"

    def bar(self, done: int, total: int, width: int = 30) -> str:
        """A progress bar, as rich markup."""
        filled = round(width * done / total) if total else 0
        return f"[green]{self.full * filled}[/][dim]{self.empty * (width - filled)}[/]"


def screen() -> Screen:
    """The screen on standard output. A plain character stands in for one that the console lacks."""
    plain.register()
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="plain")
    if sys.platform == "win32":  # older windows show control codes as text unless told otherwise
        with contextlib.suppress(ImportError, AttributeError):  # pytest brings it there
            import colorama

            colorama.just_fix_windows_console()
    console = Console(highlight=False, soft_wrap=True)
    is_utf = "utf" in (sys.stdout.encoding or "").lower()
    if console.is_terminal and not console.is_dumb_terminal and is_utf:
        return Screen(console, _MARKS, "█", "░")
    return Screen(console, _PLAIN_MARKS, "#", ".")
