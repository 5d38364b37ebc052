"""The first thing a child process runs: light to import, so that the parent stays free of pytest
and torch.
"""

import ctypes
import signal
import sys
from multiprocessing.connection import Connection

from dojo.suite.unit import Unit

GO = b"go"  # what a child that stands ready waits for
PR_SET_PDEATHSIG = 1


def main(units: list[Unit], log: str, connection: Connection, stand_ready: bool = False) -> None:
    end_with_the_fork_server()
    from dojo.suite import pytest_run

    pytest_run.main(units, log, connection, stand_ready)


def end_with_the_fork_server() -> None:
    """Let the system end this process when the one that forked it is gone: an endless loop would go
    on for ever.
    """
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def wait_for_units(connection: Connection, many: bool) -> None:
    """The life of a process that was not forked: import everything, then hear what to judge."""
    from dojo.suite import uninterrupted  # noqa: F401

    if many:
        from dojo.suite import preload_katas  # noqa: F401
    from dojo.suite import (
        preload,  # noqa: F401
        pytest_run,
    )

    try:
        units, log = connection.recv()
    except (EOFError, OSError):  # whoever kept it waiting is gone
        return
    pytest_run.main(units, log, connection)
