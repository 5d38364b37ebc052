"""What a confined child does. The first argument of each is the connection on which it reports."""

import io
import json
import os
import socket
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path


class Log(io.TextIOBase):
    """Standard output onto a file of limited size: what is beyond the limit is lost, and nothing fails for it."""

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
    from dojo.suite import session
    from dojo.suite.unit import Unit

    session.main([Unit(**request["unit"] | {"target": request["folder"]})], None, connection)


def exam(connection: Connection, request: dict) -> None:
    """The kata's answers to questions that come on the connection."""
    from dojo.grade.exam import answering

    answering.main(connection, Path(request["folder"]))


def probe(connection: Connection, request: dict) -> None:
    """Tries to get out, and tells what came of it."""
    status = dict(line.split(":\t", 1) for line in Path("/proc/self/status").read_text().splitlines())
    report = {
        "reached": [name for name, attempt in _ATTEMPTS.items() if attempt(request)],
        "namespaces": {path.name: str(path.readlink()) for path in Path("/proc/self/ns").iterdir()},
        "capabilities": int(status["CapEff"], 16) | int(status["CapPrm"], 16) | int(status["CapBnd"], 16),
        "no_new_privileges": status["NoNewPrivs"].strip() == "1",
        "seccomp": status.get("Seccomp", "0").strip() == "2",
        "first": os.getpid() == 1,
        "files": sorted(path.name for path in Path(request["folder"]).iterdir()),
    }
    connection.send_bytes(json.dumps(report).encode())


def _reads(request: dict) -> bool:
    return _succeeds(lambda: Path(request["canary"]).read_bytes())


def _writes(request: dict) -> bool:
    return any(_succeeds(lambda path=path: Path(path).write_text("x")) for path in request["unwritable"])


def _connects(request: dict) -> bool:
    return _succeeds(lambda: socket.create_connection(("127.0.0.1", request["port"]), 1).close())


def _connects_abstract(request: dict) -> bool:
    return _succeeds(lambda: socket.socket(socket.AF_UNIX).connect(f"\0{request['abstract']}"))


def _signals(request: dict) -> bool:
    return _succeeds(lambda: os.kill(request["parent"], 0))


def _succeeds(attempt) -> bool:
    try:
        attempt()
    except OSError:
        return False
    return True


_ATTEMPTS = {
    "a file outside": _reads,
    "a file that is only to be read": _writes,
    "the network": _connects,
    "a socket of another process": _connects_abstract,
    "a process outside": _signals,
}
BODIES = {"suite": suite, "exam": exam, "probe": probe}
