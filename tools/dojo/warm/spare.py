"""Where no child can be forked: processes that have imported everything and wait for something to judge."""

import threading
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess

from dojo.suite.unit import Unit


@dataclass(frozen=True)
class Spare:
    """A process that waits: the units to judge go to it through the connection on which it then reports."""

    process: BaseProcess
    connection: Connection

    def give(self, units: list[Unit], log: str) -> None:
        self.connection.send((units, log))


class Spares:
    """As many waiting processes as asked for; with none asked for, one starts when it is needed."""

    def __init__(self) -> None:
        self.wanted = 0
        self._waiting: list[Spare] = []
        self._lock = threading.Lock()

    def fill(self, context: BaseContext) -> None:
        with self._lock:
            self._waiting += [_start(context, many=True) for _ in range(self.wanted - len(self._waiting))]

    def take(self, context: BaseContext, many: bool) -> Spare:
        """One that still lives, or a new one."""
        with self._lock:
            while self._waiting:
                spare = self._waiting.pop(0)
                if spare.process.is_alive():
                    return spare
                spare.connection.close()
        return _start(context, many)


SPARES = Spares()


def _start(context: BaseContext, many: bool) -> Spare:
    ours, theirs = context.Pipe()
    process = context.Process(target=wait_for_work, args=(theirs, many), daemon=True)
    process.start()
    theirs.close()
    return Spare(process, ours)


def wait_for_work(connection: Connection, many: bool) -> None:
    """The life of a spare process."""
    from dojo.suite import uninterrupted  # noqa: F401

    if many:
        from dojo.suite import preload_katas  # noqa: F401
    from dojo.suite import preload, session  # noqa: F401

    try:
        units, log = connection.recv()
    except (EOFError, OSError):  # whoever kept it ready is gone
        return
    session.main(units, log, connection)
