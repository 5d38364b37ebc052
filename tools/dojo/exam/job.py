"""The job of a child process in an exam. Light to import."""

import os
from pathlib import Path
from typing import ClassVar, Self

from dojo.processes.channel import Connection
from dojo.processes.worker import Job


class ExamJob(Job, frozen=True, tag="exam"):
    """Answer an exam's questions for the kata's file in `folder`, working there or in `scratch`."""

    most_in_all: ClassVar[int] = 256 * 1024 * 1024  # of all answers of a kata

    kata: str
    folder: str
    scratch: str = ""

    def run(self, connection: Connection, is_early: bool = False) -> None:
        from dojo.exam import answering

        os.chdir(self.scratch or self.folder)  # what the code under test writes goes with it
        answering.main(connection, self.folder)

    def files(self) -> dict[str, bytes]:
        name = f"{self.kata}.py"
        return {name: (Path(self.folder) / name).read_bytes()}

    def moved(self, folder: str, scratch: str) -> Self:
        return type(self)(self.kata, folder, scratch)
