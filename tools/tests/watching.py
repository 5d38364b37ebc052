"""A watch session in a terminal of its own, for tests: a person edits and presses keys, and looks
at the screen. POSIX only.
"""

import contextlib
import fcntl
import os
import pty
import re
import shutil
import signal
import struct
import subprocess
import sys
import termios
import threading
import tty
from collections.abc import Callable, Iterator
from pathlib import Path

from helpers import descendants, lives, until

from dojo import ROOT

ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
PATIENCE = 240  # seconds; on a busy machine torch alone takes a minute to import
K01, K06 = "k01_tensors", "k06_logistic_regression"
RIGHT, WRONG = "return self.sigmoid(self.linear(x))", "return self.linear(x)"


def cloned(to: Path) -> Path:
    """A clone of its own, with all katas as stubs."""
    for name in ("katas", "reference", "tests", "tools"):
        shutil.copytree(
            ROOT / name, to / name, ignore=shutil.ignore_patterns("__pycache__", "*.backup*")
        )
    for name in ("conftest.py", "pyproject.toml"):
        shutil.copy(ROOT / name, to)
    from dojo.catalog import load
    from dojo.check.store import stub

    for kata in load().katas:
        (to / "katas" / f"{kata.name}.py").write_text(stub(kata), encoding="utf-8")
    return to


class Watching:
    """`tools/check --watch` in a terminal; one that gives `keys_at_once` is set up as programs of
    Windows find theirs.
    """

    def __init__(
        self,
        clone: Path,
        *arguments: str,
        lines: int = 40,
        columns: int = 100,
        keys_at_once: bool = False,
        editor: str = "true",
    ) -> None:
        self.clone = clone
        command = [sys.executable, str(clone / "tools" / "check"), "--watch", *arguments]
        self.pid, self._terminal = pty.fork()
        if self.pid == 0:
            os.chdir(clone)
            os.environ |= {"TERM": "xterm", "VISUAL": editor}
            if keys_at_once:
                tty.setraw(0)
            os.execv(command[0], command)
        self.resize(lines, columns)
        self.output = ""
        self.code: int | None = None
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        try:
            while data := os.read(self._terminal, 65536):
                self.output += data.decode(errors="replace")
        except OSError:  # the other side is closed
            return

    def resize(self, lines: int, columns: int = 100) -> None:
        fcntl.ioctl(self._terminal, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    @property
    def frames(self) -> list[str]:
        """Every screen so far that was drawn in full."""
        return [
            ESCAPE.sub("", frame)
            for frame in self.output.split("\x1b[H")
            if frame.endswith("\x1b[J")
        ]

    @property
    def screen(self) -> str:
        return next(reversed(self.frames), "")

    def sees(self, *texts: str) -> str:
        """Wait until all of these are on the screen at once."""
        shown = ""

        def is_there() -> bool:
            nonlocal shown
            shown = self.screen
            return all(text in shown for text in texts) or not self._reader.is_alive()

        try:
            until(is_there, PATIENCE)
            assert all(text in shown for text in texts)
        except AssertionError:
            raise AssertionError(f"never seen together: {texts}\n{shown or self.output}") from None
        return shown

    def press(self, keys: str) -> None:
        os.write(self._terminal, keys.encode())

    def path(self, kata: str) -> Path:
        return self.clone / "katas" / f"{kata}.py"

    def save(self, kata: str, change: Callable[[str], str] = lambda text: text) -> None:
        """Save the reference, with a change, the way most editors do: a new file in the place of
        the old.
        """
        text = (self.clone / "reference" / f"{kata}.py").read_text(encoding="utf-8")
        fresh = self.path(kata).with_suffix(".swp")
        fresh.write_text(change(text), encoding="utf-8")
        fresh.replace(self.path(kata))

    @contextlib.contextmanager
    def begins(self) -> Iterator[None]:
        """Wait until the run that is brought about here has begun: until then the screen shows the
        verdict of before.
        """
        before = len(self.frames)
        yield
        until(
            lambda: any(
                text in frame for frame in self.frames[before:] for text in ("testing", "starting")
            ),
            PATIENCE,
        )

    def fails(self) -> str:
        """Save k06 without its sigmoid, and wait for the verdict."""
        with self.begins():
            self.save(K06, lambda text: text.replace(RIGHT, WRONG))
        return self.sees("k06  Logistic regression  failed", "these are the raw scores")

    def passes(self, kata: str = K01) -> str:
        """Save the reference of this kata, and wait for the verdict."""
        with self.begins():
            self.save(kata)
        return self.sees(f"{kata[:3]}  ", "passed  in", "Learned:")

    def breaks(self, text: str = "1 +") -> str:
        """Append this to k01's reference by writing to the file itself, and wait for the
        verdict.
        """
        with self.begins():
            self.path(K01).write_text(
                (self.clone / "reference" / f"{K01}.py").read_text(encoding="utf-8") + f"\n{text}\n"
            )
        return self.sees("k01  Tensors  failed", "is not valid Python")

    @property
    def server(self) -> int:
        """The process of the server."""
        return until(
            lambda: [
                pid for pid in descendants(self.pid) if "dojo.check.server.server" in _command(pid)
            ]
        )[0]

    def end(self, how: Callable[[], None]) -> int:
        """End it in this way, wait for it, and see that nothing of it is left. Its exit code, or
        minus the signal.
        """
        below = descendants(self.pid)
        how()
        until(self._has_ended)
        until(lambda: not any(map(lives, below)))
        return self.code

    def _has_ended(self) -> bool:
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        if pid:
            self.code = os.waitstatus_to_exitcode(status)
        return self.code is not None

    def hang_up(self) -> None:
        os.close(self._terminal)

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)


def _command(pid: int) -> str:
    whole = ["ps", "-ww", "-o", "args=", "-p", str(pid)]  # however wide the terminal is
    return subprocess.run(whole, capture_output=True, text=True, check=False).stdout
