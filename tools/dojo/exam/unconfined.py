"""Runs a submission's side of an exam in a plain process: for code that is trusted, and for grading without a sandbox."""

import tempfile
from multiprocessing.connection import Connection
from pathlib import Path

from dojo.exam import answering
from dojo.suite.child import end_with_the_fork_server
from dojo.warm import forking


class Unconfined:
    """One process that answers for a kata's text."""

    def __init__(self, kata: str, source: bytes) -> None:
        context = forking.context()
        self._folder = tempfile.TemporaryDirectory(prefix="torch-katas-")
        (Path(self._folder.name) / f"{kata}.py").write_bytes(source)
        self.connection, theirs = context.Pipe()
        self._process = context.Process(target=_main, args=(theirs, self._folder.name), daemon=True)
        self._process.start()
        theirs.close()

    def kill(self) -> None:
        self._process.kill()

    def end(self) -> None:
        self.kill()
        self._process.join()
        self.connection.close()
        self._folder.cleanup()


def _main(connection: Connection, folder: str) -> None:
    end_with_the_fork_server()
    answering.main(connection, folder)
