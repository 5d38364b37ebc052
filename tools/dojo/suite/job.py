"""The job of a child process that runs tests. Light to import."""

from dataclasses import replace
from pathlib import Path
from typing import Self

from dojo import ROOT, files
from dojo.processes.channel import Connection
from dojo.processes.worker import Job
from dojo.suite.unit import Unit


class SuiteJob(Job, frozen=True, tag="suite"):
    """Judge these units, one after the other."""

    units: tuple[Unit, ...]

    def run(self, connection: Connection, is_early: bool = False) -> None:
        from dojo.suite import pytest_run

        pytest_run.main(self.units, connection, is_early)

    def version(self) -> str:
        """Hash of the tests of these katas."""
        tests = (ROOT / "tests" / f"test_{unit.kata}.py" for unit in self.units)
        return files.digest(files.content(path) for path in tests)

    def files(self) -> dict[str, bytes]:
        paths = (Path(unit.target) / f"{unit.kata}.py" for unit in self.units)
        return {path.name: path.read_bytes() for path in paths if path.is_file()}

    def moved(self, folder: str, scratch: str) -> Self:
        return type(self)(tuple(replace(unit, target=folder, at=scratch) for unit in self.units))
