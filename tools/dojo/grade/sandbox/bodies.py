"""What a confined child does. The first argument of each is the connection on which it reports."""

import io
import json
import os
import socket
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path

from dojo.grade.sandbox import syscalls
from dojo.grade.sandbox.confine import SCRATCH


class Log(io.TextIOBase):
    """Standard output onto a file of limited size: what is beyond the limit is lost, and nothing
    fails for it.
    """

    encoding = "utf-8"

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._descriptor

    def write(self, text: str) -> int:
        with suppress(OSError):
            os.write(self._descriptor, text.encode(errors="replace"))
        return len(text)


def suite(connection: Connection, request: dict) -> None:
    """The kata's tests."""
    from dojo.suite import pytest_run
    from dojo.suite.unit import Unit

    pytest_run.main(
        [Unit(**request["unit"] | {"target": request["folder"], "at": SCRATCH})], None, connection
    )


def exam(connection: Connection, request: dict) -> None:
    """The kata's answers to questions that come on the connection."""
    from dojo.exam import answering

    os.chdir(SCRATCH)
    answering.main(connection, request["folder"])


def probe(connection: Connection, request: dict) -> None:
    """Tries to get out, and tells what came of it."""
    status = dict(
        line.split(":\t", 1) for line in Path("/proc/self/status").read_text().splitlines()
    )
    report = {
        "reached": [name for name, attempt in ATTEMPTS.items() if attempt(request)],
        "namespaces": namespaces(),
        "of_host": request["namespaces_of_host"],
        "capabilities": (
            int(status["CapEff"], 16) | int(status["CapPrm"], 16) | int(status["CapBnd"], 16)
        ),
        "no_new_privileges": status["NoNewPrivs"].strip() == "1",
        "first": os.getpid() == 1,
        "landlock": (
            0
            if _succeeds(lambda: Path("/proc/self/comm").write_text("x"))
            else syscalls.landlock_version()
        ),
        "seccomp": not _succeeds(lambda: os.close(os.memfd_create("x"))),
    }
    connection.send_bytes(json.dumps(report).encode())


def namespaces() -> dict[str, str]:
    """Those of this process: kind → its name, which no other has as long as it is there."""
    return {path.name: str(path.readlink()) for path in Path("/proc/self/ns").iterdir()}


def _reads(request: dict) -> bool:
    return any(
        _succeeds(lambda path=path: Path(path).read_bytes()) for path in request["files_outside"]
    )


def _lists(request: dict) -> bool:
    return any(
        Path(path).is_dir() and any(Path(path).iterdir()) for path in request["folders_outside"]
    )


def _writes(request: dict) -> bool:
    return any(
        _succeeds(lambda path=path: (Path(path) / "x").write_text("x"))
        for path in request["folders_to_read"]
    )


def _connects(request: dict) -> bool:
    return _succeeds(lambda: socket.create_connection(("127.0.0.1", request["port"]), 1).close())


def _connects_by_name(request: dict) -> bool:
    with socket.socket(socket.AF_UNIX) as own:
        return _succeeds(lambda: own.connect(f"\0{request['name']}"))


def _signals(request: dict) -> bool:
    return _succeeds(lambda: os.kill(request["process"], 0))


def _succeeds(attempt: Callable[[], object]) -> bool:
    try:
        attempt()
    except OSError:
        return False
    return True


ATTEMPTS = {
    "a file outside": _reads,
    "a folder that is hidden": _lists,
    "a folder that is only to be read": _writes,
    "the network": _connects,
    "a socket of another process": _connects_by_name,
    "a process outside": _signals,
}
BODIES = {"suite": suite, "exam": exam, "probe": probe}
