"""Who starts the children of a run, and tells what became of them."""

from pathlib import Path
from typing import Protocol

from dojo.processes import forking, spare
from dojo.suite.unit import Unit

# units from which on the fork server imports what only some katas need: it then costs less than it
# saves
MANY = 3


class Launcher(Protocol):
    """Starts the children."""

    def share(self, units: int, jobs: int) -> int:
        """How many units, of so many in all, a child should take where there are that many children
        at a time.
        """

    def start(self, units: list[Unit], log: Path) -> spare.Child:
        """A child at work on these units. Its connection may raise BlockingIOError for a message
        that is not complete yet.
        """

    def exit_code(self, child: spare.Child) -> int | None:
        """Of a child that has hung up; None if it is still there.

        Raises:
            Lost: it was ended by something that is no fault of the code under test.
        """


class Lost(Exception):
    """A child is gone, and the code under test is not to blame."""


class OwnProcesses:
    """Children that are processes like this one, with all its rights.

    Args:
        units: how many there will be in all.
    """

    def __init__(self, units: int) -> None:
        self._many = units >= MANY
        self._context = forking.context(self._many)

    def share(self, units: int, jobs: int) -> int:
        """A forked child costs next to nothing; one that starts anew imports torch, so it takes a
        share of all units.
        """
        return 1 if forking.can_fork() else -(-units // max(jobs, 1))

    def start(self, units: list[Unit], log: Path) -> spare.Child:
        return spare.start(self._context, units, log, self._many)

    def exit_code(self, child: spare.Child) -> int | None:
        return forking.exit_code(child.process, patience=5)
