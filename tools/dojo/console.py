"""Where text meets the terminal: colours and symbols where it can show them, plain text where it
can't.
"""

import sys
from dataclasses import dataclass

from rich.console import Console

from dojo import plain
from dojo.results import Outcome

STYLES = {
    Outcome.PASSED: "green",
    Outcome.FAILED: "red",
    Outcome.NOT_STARTED: "dim",
    Outcome.BLOCKED: "yellow",
    Outcome.SKIPPED: "yellow",
    Outcome.ERROR: "magenta",
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
        marks = {
            Outcome.PASSED: "✓",
            Outcome.FAILED: "✗",
            Outcome.NOT_STARTED: "○",
            Outcome.BLOCKED: "◌",
            Outcome.SKIPPED: "–",
            Outcome.ERROR: "!",
        }
        return Screen(console, marks, "█", "░")
    marks = {
        Outcome.PASSED: "ok",
        Outcome.FAILED: "FAILED",
        Outcome.NOT_STARTED: "-",
        Outcome.BLOCKED: "blocked",
        Outcome.SKIPPED: "skipped",
        Outcome.ERROR: "ERROR",
    }
    return Screen(console, marks, "#", ".")
