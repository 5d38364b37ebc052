"""Runs a submission's side of an exam in a plain process: for code that is trusted, and for grading
without a sandbox.
"""

import os
import tempfile
from multiprocessing.connection import Connection
from pathlib import Path

from dojo.exam import answering
from dojo.exam.wire import MOST_IN_ALL
from dojo.processes import forking
from dojo.processes.channel import Channel
from dojo.suite.child import end_with_the_fork_server


class Unconfined:
    """One process that answers for a kata's text."""

    lost = False  # nothing is around it that could break down

    def __init__(self, kata: str, source: bytes) -> None:
        context = forking.context()
        self._folder = tempfile.TemporaryDirectory(prefix="torch-katas-")
        (Path(self._folder.name) / f"{kata}.py").write_bytes(source)
        ours, theirs = context.Pipe()
        self._process = context.Process(target=_main, args=(theirs, self._folder.name), daemon=True)
        self._process.start()
        theirs.close()
        self.channel = Channel(os.dup(ours.fileno()), MOST_IN_ALL)
        ours.close()

    def close(self) -> None:
        self._process.kill()
        self._process.join()
        self.channel.close()
        self._folder.cleanup()


def _main(connection: Connection, folder: str) -> None:
    end_with_the_fork_server()
    os.chdir(folder)  # what the code under test writes goes with it
    answering.main(connection, folder)
