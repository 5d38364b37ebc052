"""The terminal as a screen: frames on it, and at the end everything as it was."""

import contextlib
import os
import shutil
import sys
from collections.abc import Sequence
from types import TracebackType

from rich.console import Console
from rich.control import Control
from rich.segment import ControlType

CLEAR_LINE, CLEAR_BELOW = "\x1b[K", "\x1b[J"


class Terminal:
    """Between enter() and leave() the whole screen is ours, and keys come without Enter and are not
    shown.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._before: list | None = None
        self._shown: list[str] | None = None

    def __enter__(self) -> "Terminal":
        self.enter()
        return self

    def __exit__(
        self, kind: type | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError, ValueError):  # a terminal that is gone can't be put back
            self.leave()

    def enter(self) -> None:
        if sys.platform != "win32":
            import termios
            import tty

            self._before = termios.tcgetattr(sys.stdin)
            tty.setcbreak(sys.stdin)
        self._console.set_alt_screen(True)
        self._console.show_cursor(False)
        self._shown = None

    def leave(self) -> None:
        before, self._before = self._before, None
        if before is not None:
            import termios

            with contextlib.suppress(termios.error):
                termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)
        self._console.show_cursor(True)
        self._console.set_alt_screen(False)

    @staticmethod
    def size() -> tuple[int, int]:
        """Columns and lines. Asked of the terminal itself: COLUMNS and LINES stay as they were when
        it is made larger.
        """
        try:
            return os.get_terminal_size(sys.stdout.fileno())
        except OSError:
            return shutil.get_terminal_size()

    def forget(self) -> None:
        """What is on the screen is not known any more: the next frame is drawn whatever was
        there.
        """
        self._shown = None

    def show(self, lines: Sequence[str]) -> None:
        """Put a frame on the screen, in one go and without a blank moment; nothing where it is
        there already.
        """
        if list(lines) == self._shown:
            return
        self._shown = list(lines)
        self._console.control(Control((ControlType.HOME,)))
        text = "\n".join(line + CLEAR_LINE for line in lines) + CLEAR_BELOW
        self._console.file.write(text)
        self._console.file.flush()
