"""The first thing a child process runs: light to import, so that the parent stays free of pytest and torch."""

import ctypes
import signal
import sys
from multiprocessing.connection import Connection

from dojo.suite.unit import Unit

PR_SET_PDEATHSIG = 1


def main(units: list[Unit], log: str, connection: Connection) -> None:
    end_with_the_fork_server()
    from dojo.suite import session

    session.main(units, log, connection)


def end_with_the_fork_server() -> None:
    """Let the system end this process when the one that forked it is gone: an endless loop would go on for ever."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
