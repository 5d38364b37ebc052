"""Whose functions a piece of code calls, for lessons that ask to write them out by hand."""

import contextlib
import sys
from collections.abc import Iterator
from types import FrameType
from typing import Any


@contextlib.contextmanager
def modules(package: str) -> Iterator[set[str]]:
    """Collects the modules of a package whose functions the block calls, directly or not."""
    called, before = set[str](), sys.getprofile()

    def look(frame: FrameType, event: Any, argument: Any) -> None:
        name = str(frame.f_globals.get("__name__"))
        if event == "call" and name.startswith(f"{package}."):
            called.add(name)
        if before:
            before(frame, event, argument)

    sys.setprofile(look)
    try:
        yield called
    finally:
        sys.setprofile(before)
