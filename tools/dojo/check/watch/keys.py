"""Single keys from the terminal, without Enter."""

import os
import re
import select
import sys
import threading
from collections.abc import Callable, Iterator

SEQUENCES = {
    b"\x1b[A": "up",
    b"\x1b[B": "down",
    b"\x1bOA": "up",
    b"\x1bOB": "down",
    b"\x1b[5~": "page up",
    b"\x1b[6~": "page down",
}
ONE = re.compile(rb"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|O.)|\x1b|.", re.DOTALL)
UNFINISHED = re.compile(rb"\x1b(?:\[[0-9;?]*[ -/]*|O)?\Z")
# a slow connection may send a key's bytes in parts; what comes later than this is another key
SECONDS_TO_FINISH = 0.05
WINDOWS = {"H": "up", "P": "down", "I": "page up", "Q": "page down"}
END_OF_INPUT = b"\x04"


def decode(data: bytes) -> Iterator[str]:
    """The names of the keys whose bytes were read. Those that have none here, such as F1 or a
    paste's frame, are left out.
    """
    for found in ONE.findall(data):
        if found in SEQUENCES:
            yield SEQUENCES[found]
        elif found == b"\x1b":
            yield "escape"
        elif found == b" ":
            yield "space"
        elif len(found) == 1 and found.isalpha():
            yield found.decode().lower()


def listen(on_key: Callable[[str], None], on_end: Callable[[], None]) -> None:
    """Call on_key for each key from now on, and on_end when there will be none any more; in a
    thread of its own.
    """
    read = _read_windows if sys.platform == "win32" else _read_posix
    threading.Thread(target=read, args=(on_key, on_end), daemon=True).start()


def _read_posix(on_key: Callable[[str], None], on_end: Callable[[], None]) -> None:
    while True:
        try:
            data = os.read(sys.stdin.fileno(), 256)
            while (
                UNFINISHED.search(data)
                and select.select([sys.stdin.fileno()], [], [], SECONDS_TO_FINISH)[0]
            ):
                if not (rest := os.read(sys.stdin.fileno(), 256)):
                    break
                data += rest
        except OSError:  # the terminal is gone
            data = b""
        if not data or data == END_OF_INPUT:
            on_end()
            return
        for name in decode(data):
            on_key(name)


def _read_windows(on_key: Callable[[str], None], on_end: Callable[[], None]) -> None:
    import msvcrt

    while True:
        character = msvcrt.getwch()
        if character in ("\x00", "\xe0"):  # a key without a character: a second one tells which
            if name := WINDOWS.get(msvcrt.getwch()):
                on_key(name)
        elif character in ("\x03", "\x04", "\x1a"):
            on_end()
            return
        else:
            for name in decode(character.encode()):
                on_key(name)
