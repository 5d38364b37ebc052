"""What a person sees while the packages are installed: one line that moves on a terminal, one line
a package elsewhere.
"""

import queue
import re
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

WIDTH = 76


PACKAGE = re.compile(
    r"\s*(?:Downloading|Processing|Using cached)\s+(?:\S*/)?([^/\s]+)\.whl\S*(?:\s+\(([\d.]+"
    r" [kMG]?B)\))?"
)


def step_of(line: str) -> str | None:
    """The step that a line of pip's output begins, in words; None for a line that begins none."""
    if match := PACKAGE.match(line):
        name, version = match[1].split("-")[:2]
        return f"getting {name} {version}" + (f", {match[2]}" if match[2] else "")
    if line.startswith("Installing collected packages"):
        return f"unpacking {line.count(',') + 1} packages"
    return None


class SetupProgress:
    """Says what the setup is doing and for how long."""

    def __init__(self, constraints: Path, why: str) -> None:
        pins = constraints.read_text(encoding="utf-8").splitlines()
        # pip tells only at the end how many of them it takes
        self._most = sum("==" in line for line in pins)
        self._got = 0
        self._begin = time.monotonic()
        self._live = sys.stderr.isatty()
        self._text = ""
        print(why, file=sys.stderr)

    def say(self, text: str) -> None:
        self._text = text
        if self._live:
            self._redraw()
        else:
            print(f"  {text}", file=sys.stderr, flush=True)

    def while_reading(self, stream: TextIO) -> Iterator[str]:
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
                self._got += step.startswith("getting")
                count = (
                    f" ({self._got} of at most {self._most})" if step.startswith("getting") else ""
                )
                self.say(step + count)
            yield line

    def break_off(self) -> None:
        if self._live:
            sys.stderr.write("\n")

    def finish(self) -> None:
        self.say(f"done in {time.monotonic() - self._begin:.0f} s")
        self.break_off()

    def _redraw(self) -> None:
        line = f"  {time.monotonic() - self._begin:4.0f} s  {self._text}"
        sys.stderr.write("\r" + line[:WIDTH].ljust(WIDTH))
        sys.stderr.flush()
