"""Lets suite.run judge in the sandbox: the same supervisor, other children."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path

from dojo.grade.sandbox.launch import Sandbox
from dojo.processes.spare import Child
from dojo.suite.launcher import Lost
from dojo.suite.unit import Unit

PATIENCE = 5  # seconds, for a run that has hung up to end


class Confined:
    """A launcher of suite.run.run.

    Args:
        sandbox: where the children run; entered already.
        files: kata name → what was handed in. A unit's target is not looked at.
    """

    def __init__(self, sandbox: Sandbox, files: Mapping[str, bytes]) -> None:
        self._sandbox, self._files = sandbox, files

    def share(self, units: int, jobs: int) -> int:
        return 1

    def start(self, units: list[Unit], log: Path) -> Child:
        """Raises Unavailable where the sandbox is gone and can't be had again."""
        (unit,) = units
        files = {f"{unit.kata}.py": self._files[unit.kata]} if unit.kata in self._files else {}
        started = self._sandbox.start("suite", files, log, unit=asdict(replace(unit, number=0)))
        return Child(started, started.channel, log)

    def exit_code(self, child: Child) -> int | None:
        child.process.join(PATIENCE)
        if child.process.lost:
            raise Lost
        return child.process.exitcode
