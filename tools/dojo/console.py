"""Where text meets the terminal: colours and symbols where it can show them, plain text where it
can't.
"""

import sys
from dataclasses import dataclass

from rich.console import Console

from dojo import plain
from dojo.verdict import BLOCKED, ERROR, FAILED, NOT_STARTED, PASSED, SKIPPED

STYLES = {
    PASSED: "green",
    FAILED: "red",
    NOT_STARTED: "dim",
    BLOCKED: "yellow",
    SKIPPED: "yellow",
    ERROR: "magenta",
}


@dataclass(frozen=True)
class Screen:
    """A console and the marks it can show."""

    console: Console
    marks: dict[str, str]
    full: str  # of a progress bar
    empty: str

    def mark(self, outcome: str) -> str:
        """The outcome's mark in its colour, as rich markup."""
        return f"[{STYLES[outcome]}]{self.marks[outcome]}[/]"

    def bar(self, done: int, total: int, width: int = 30) -> str:
        filled = round(width * done / total) if total else 0
        return f"[green]{self.full * filled}[/][dim]{self.empty * (width - filled)}[/]"


def screen() -> Screen:
    """The screen on standard output. Never fails on a character that the console lacks: a plain one
    stands in.
    """
    plain.register()
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="plain")
    console = Console(highlight=False, soft_wrap=True)
    if (
        console.is_terminal
        and not console.is_dumb_terminal
        and "utf" in (sys.stdout.encoding or "").lower()
    ):
        marks = {PASSED: "✓", FAILED: "✗", NOT_STARTED: "○", BLOCKED: "◌", SKIPPED: "–", ERROR: "!"}
        return Screen(console, marks, "█", "░")
    marks = {
        PASSED: "ok",
        FAILED: "FAILED",
        NOT_STARTED: "-",
        BLOCKED: "blocked",
        SKIPPED: "skipped",
        ERROR: "ERROR",
    }
    return Screen(console, marks, "#", ".")
