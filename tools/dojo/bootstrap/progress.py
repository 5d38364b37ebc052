"""What a setup shows while it goes on."""

import queue
import re
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

LINE_WIDTH = 76
_PACKAGE = re.compile(
    r"\s*(?:Downloading|Processing|Using cached)\s+(?:\S*/)?([^/\s]+)\.whl\S*"
    r"(?:\s+\(([\d.]+ [kMG]?B)\))?"
)


def step_of(line: str) -> str | None:
    """The step that a line of pip's output begins, in words; None for a line that begins none."""
    if match := _PACKAGE.match(line):
        name, version = match[1].replace("%2B", "+").split("-")[:2]
        return f"getting {name} {version}" + (f", {match[2]}" if match[2] else "")
    if line.startswith("Installing collected packages"):
        number = line.count(",") + 1
        return f"unpacking {number} package{'s' if number > 1 else ''}"
    return None


class SetupProgress:
    """Shows the setup's steps and its time: on a terminal one line that moves, elsewhere many."""

    def __init__(self, pins: Sequence[Path], why: str) -> None:
        self._most = 1  # torch
        self.expect(*pins)
        self._got = 0
        self._begin = time.monotonic()
        self._live = sys.stderr.isatty()
        self._text = ""
        print(why, file=sys.stderr, flush=True)

    def expect(self, *pins: Path) -> None:
        """These pins may be installed, too: pip reports only at the end how many it takes."""
        lines = [line for path in pins for line in path.read_text("utf-8").splitlines()]
        self._most += sum("==" in line for line in lines)

    def say(self, text: str) -> None:
        """Show a line that stays."""
        self.break_off()
        print(f"  {text}", file=sys.stderr, flush=True)

    def show(self, text: str) -> None:
        """Show a new step."""
        self._text = text
        if self._live:
            self._redraw()
        else:
            print(f"  {text}", file=sys.stderr, flush=True)

    def while_reading(self, stream: Iterable[str]) -> Iterator[str]:
        """Yield the lines of pip's output while the clock on the screen goes on."""
        lines: queue.Queue[str | None] = queue.Queue()

        def read() -> None:
            for line in stream:
                lines.put(line)
            lines.put(None)

        threading.Thread(target=read, daemon=True).start()
        while True:
            try:
                line = lines.get(timeout=0.5)
            except queue.Empty:
                if self._live:
                    self._redraw()
                continue
            if line is None:
                return
            if step := step_of(line):
                if step.startswith("getting"):
                    self._got += 1
                    step += f" ({self._got} of at most {self._most})"
                self.show(step)
            yield line

    def break_off(self) -> None:
        """Leave the line that moves."""
        if self._live and self._text:
            sys.stderr.write("\n")
            self._text = ""

    def finish(self) -> None:
        """Show how long it took."""
        self.show(f"done in {time.monotonic() - self._begin:.0f} s")
        self.break_off()

    def _redraw(self) -> None:
        line = f"  {time.monotonic() - self._begin:4.0f} s  {self._text}"
        sys.stderr.write("\r" + line[:LINE_WIDTH].ljust(LINE_WIDTH))
        sys.stderr.flush()
