"""Shows that grading goes on: a bar on a terminal, a line now and then elsewhere."""

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from dojo.grade.run import Standing

SECONDS_BETWEEN_LINES = 10


class Shown:
    """The progress of a run, as a context.

    Args:
        console: where it is shown; nothing but the progress should be written there meanwhile.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        columns = BarColumn(bar_width=24), TextColumn("{task.description}")
        self._bar = Progress(
            *columns, console=console, transient=True, disable=not console.is_terminal
        )
        self._begin = self._last = time.monotonic()

    def __enter__(self) -> Self:
        self._bar.start()
        self._task = self._bar.add_task("beginning", total=None)
        return self

    def __exit__(
        self, kind: type | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._bar.stop()

    def judging(self, where: str) -> None:
        """Judging begins now, in a place of which a line is said: what was before does not count
        for the time left.
        """
        self._begin = self._last = time.monotonic()
        self._console.print(where, markup=False, soft_wrap=True)

    def stopping(self) -> None:
        """Ctrl-C was heard."""
        self._bar.stop()
        self._console.print("Stopping...")

    def show(self, standing: Standing) -> None:
        """Take note of a step."""
        now = time.monotonic()
        text = told(standing, now - self._begin)
        self._bar.update(
            self._task, description=text, completed=standing.done, total=standing.total
        )
        if not self._console.is_terminal and now - self._last >= SECONDS_BETWEEN_LINES:
            self._last = now
            self._console.print(text, markup=False)


def told(standing: Standing, seconds: float) -> str:
    """How far a run has come, how quick it is, and how long the rest will take if none of it is
    known already.
    """
    text = f"graded {standing.done:,} of {standing.total:,}"
    if standing.unchanged:
        text += f" ({standing.unchanged:,} unchanged)"
    if not standing.judged or seconds <= 0:
        return text
    text += f", {rate(standing.judged, seconds)}"
    left = (standing.total - standing.done) * seconds / standing.judged
    return f"{text}, about {duration(left)} left" if left else text


def rate(number: int, seconds: float) -> str:
    """How many a second, or a minute where a second is too short."""
    a_second = number / seconds
    return f"{a_second:.1f} a second" if a_second >= 1 else f"{60 * a_second:.1f} a minute"


def duration(seconds: float) -> str:
    """A time in the units a person would say it in."""
    if seconds < 1:
        return f"{seconds:.1f} s"
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 90 * 60 else f"{seconds / 3600:.1f} h"
