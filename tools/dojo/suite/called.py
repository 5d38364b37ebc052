"""Whose functions a piece of code calls, for lessons that ask to write them out by hand."""

import contextlib
import sys
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

from torch.overrides import TorchFunctionMode


class _Functions(TorchFunctionMode):
    def __init__(self) -> None:
        super().__init__()
        self.names = set[str]()

    def __torch_function__(
        self, function: Callable[..., Any], types: object, args: Any = (), kwargs: Any = None
    ) -> Any:
        self.names.add(getattr(function, "__name__", ""))
        return function(*args, **(kwargs or {}))


@contextlib.contextmanager
def functions() -> Iterator[set[str]]:
    """Collects the names of torch's functions that the block calls."""
    with _Functions() as mode:
        yield mode.names


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
