"""The terminal of a watch session: shows frames, reads single keys, and is left as it was."""

import contextlib
import os
import re
import select
import shutil
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from rich.console import Console
from rich.control import Control
from rich.segment import ControlType

CLEAR_LINE, CLEAR_BELOW = "\x1b[K", "\x1b[J"
NAMES = {
    b" ": "space",
    b"\r": "enter",
    b"\n": "enter",
    b"\x1b": "escape",
    b"\x1b[5~": "page up",
    b"\x1b[6~": "page down",
}
NAMES |= {b"\x1b[A": "up", b"\x1b[B": "down", b"\x1bOA": "up", b"\x1bOB": "down"}
WINDOWS = {"H": "up", "P": "down", "I": "page up", "Q": "page down"}
KEY = re.compile(rb"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|O.)|\x1b|.", re.DOTALL)
UNFINISHED = re.compile(rb"\x1b(?:\[[0-9;?]*[ -/]*|O)?\Z")
# a slow connection may send a key's bytes in parts; what comes later than this is another key
SECONDS_TO_FINISH = 0.05
SECONDS_BETWEEN_LOOKS = 0.5  # whether the keys are still ours
END_OF_INPUT = b"\x04"


class Terminal:
    """While entered, the whole screen is ours, and keys come without Enter and are not shown."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._settings: list[Any] | None = None
        self._shown: list[str] | None = None

    def __enter__(self) -> "Terminal":
        self.enter()
        return self

    def __exit__(self, *error: object) -> None:
        with contextlib.suppress(OSError, ValueError):  # a terminal that is gone can't be put back
            self.leave()

    def enter(self) -> None:
        if sys.platform != "win32":
            import termios
            import tty

            self._settings = termios.tcgetattr(sys.stdin)
            tty.setcbreak(sys.stdin, termios.TCSADRAIN)  # what is typed ahead is not lost
        self._console.set_alt_screen(True)
        self._console.show_cursor(False)
        self.forget()

    def leave(self) -> None:
        if sys.platform != "win32" and self._settings is not None:
            import termios

            with contextlib.suppress(termios.error):
                termios.tcsetattr(sys.stdin, termios.TCSADRAIN, self._settings)
            self._settings = None
        self._console.show_cursor(True)
        self._console.set_alt_screen(False)

    @contextlib.contextmanager
    def left(self) -> Iterator[None]:
        """Give the terminal to another program for so long."""
        self.leave()
        try:
            yield
        finally:
            self.enter()

    @staticmethod
    def size() -> tuple[int, int]:
        """Columns and lines of the terminal now, which the variables COLUMNS and LINES miss."""
        try:
            return os.get_terminal_size(sys.stdout.fileno())
        except OSError:
            return shutil.get_terminal_size()

    def forget(self) -> None:
        """Draw the next frame in any case: what is on the screen is not known."""
        self._shown = None

    def show(self, lines: Sequence[str]) -> None:
        """Put a frame on the screen at once, without a blank moment, unless it is there already."""
        if list(lines) == self._shown:
            return
        self._shown = list(lines)
        self._console.control(Control((ControlType.HOME,)))
        text = "\n".join(line + CLEAR_LINE for line in lines) + CLEAR_BELOW
        self._console.file.write(text)
        self._console.file.flush()


def decode(data: bytes) -> Iterator[str]:
    """The names of the keys with these bytes. Unknown ones are left out, such as F1."""
    for key in KEY.findall(data):
        if key in NAMES:
            yield NAMES[key]
        elif len(key) == 1 and key.isalpha():
            yield key.decode().lower()


class Keys:
    """Calls on_key for each key from `listen` on, and on_end after the last, in a thread of its
    own. While it is held nothing is read: the keys are another program's.
    """

    def __init__(self, on_key: Callable[[str], None], on_end: Callable[[], None]) -> None:
        self._on_key, self._on_end = on_key, on_end
        self._free = threading.Event()
        self._free.set()
        self._waiting = threading.Lock()  # held while a key is waited for

    def listen(self) -> None:
        read = self._read_windows if sys.platform == "win32" else self.read_posix
        threading.Thread(target=read, daemon=True).start()

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Leave the keys to another program for so long."""
        self._free.clear()
        with self._waiting:
            try:
                yield
            finally:
                self._free.set()

    def read_posix(self) -> None:
        """Read keys until the terminal is gone or sends the end of input."""
        stdin = sys.stdin.fileno()
        while True:
            self._free.wait()
            with self._waiting:
                try:
                    if not _has_more(SECONDS_BETWEEN_LOOKS):
                        continue
                    data = os.read(stdin, 256)
                    while UNFINISHED.search(data) and _has_more() and (rest := os.read(stdin, 256)):
                        data += rest
                except OSError:  # the terminal is gone
                    data = b""
            if data in (b"", END_OF_INPUT):
                self._on_end()
                return
            for name in decode(data):
                self._on_key(name)

    def _read_windows(self) -> None:
        import msvcrt

        # typeshed has no getwch on other systems
        getwch: Callable[[], str] = msvcrt.getwch  # type: ignore[attr-defined, unused-ignore]
        while True:
            character = getwch()
            if character in ("\x00", "\xe0"):  # a key without a character: a second says which
                if name := WINDOWS.get(getwch()):
                    self._on_key(name)
            elif character in ("\x03", "\x04", "\x1a"):
                self._on_end()
                return
            else:
                # a smiley comes in two halves
                for name in decode(character.encode(errors="replace")):
                    self._on_key(name)


def _has_more(seconds: float = SECONDS_TO_FINISH) -> bool:
    return bool(select.select([sys.stdin.fileno()], [], [], seconds)[0])
