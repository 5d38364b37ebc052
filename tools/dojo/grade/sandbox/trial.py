"""A trial run of the sandbox: it attempts to get out, and reports what came of it."""

import os
import socket
from collections.abc import Callable
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Self

import msgspec

from dojo.grade.sandbox import syscalls
from dojo.processes.worker import Job


class TrialReport(msgspec.Struct, frozen=True):
    """The findings of a trial run.

    Attributes:
        reached: names of the attempts that succeeded.
        namespaces: its own, kind → unique name.
        of_host: those of the process that forked it.
        capabilities: a bit for each that it could have.
        first: True if it is the first process of its PID namespace.
        landlock: version of its interface; 0 where it restricts nothing.
        seccomp: True if system calls are filtered.
        user: whose it is, by the number in the host's namespace: 0 where all runs share a user.
    """

    reached: list[str]
    namespaces: dict[str, str]
    of_host: dict[str, str]
    capabilities: int
    no_new_privileges: bool
    first: bool
    landlock: int
    seccomp: bool
    user: int = 0


class TrialJob(Job, frozen=True, tag="trial"):
    """Attempt to reach these."""

    files_outside: list[str]
    folders_outside: list[str]
    folders_to_read: list[str]
    port: int
    name: str  # of a socket
    process: int
    of_host: dict[str, str] = {}

    def run(self, connection: Connection, is_early: bool = False) -> None:
        lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
        status = dict(line.split(":\t", 1) for line in lines)
        effective, permitted, bounding = (
            int(status[name], 16) for name in ("CapEff", "CapPrm", "CapBnd")
        )
        is_writable = _succeeds(lambda: Path("/proc/self/comm").write_text("x", encoding="utf-8"))
        report = TrialReport(
            reached=[name for name, attempt in ATTEMPTS.items() if attempt(self)],
            namespaces=namespaces(),
            of_host=self.of_host,
            capabilities=effective | permitted | bounding,
            no_new_privileges=status["NoNewPrivs"].strip() == "1",
            first=os.getpid() == 1,
            landlock=0 if is_writable else syscalls.landlock_version(),
            seccomp=not _succeeds(lambda: os.close(os.memfd_create("x"))),
            user=int(Path("/proc/self/uid_map").read_text(encoding="utf-8").split()[1]),
        )
        connection.send_bytes(msgspec.json.encode(report))

    def files(self) -> dict[str, bytes]:
        return {"submission": b""}

    def below(self, of_host: dict[str, str]) -> Self:
        """The same job for a child of a process with these namespaces."""
        return msgspec.structs.replace(self, of_host=of_host)


def namespaces() -> dict[str, str]:
    """This process's namespaces: kind → unique name."""
    return {path.name: str(path.readlink()) for path in Path("/proc/self/ns").iterdir()}


def _reads(job: TrialJob) -> bool:
    return any(_succeeds(Path(path).read_bytes) for path in job.files_outside)


def _lists(job: TrialJob) -> bool:
    return any(Path(path).is_dir() and any(Path(path).iterdir()) for path in job.folders_outside)


def _writes(job: TrialJob) -> bool:
    files = (Path(folder) / "x" for folder in job.folders_to_read)
    return any(_succeeds(partial(file.write_text, "x")) for file in files)


def _connects(job: TrialJob) -> bool:
    return _succeeds(lambda: socket.create_connection(("127.0.0.1", job.port), 1).close())


def _connects_by_name(job: TrialJob) -> bool:
    with socket.socket(socket.AF_UNIX) as ours:
        return _succeeds(lambda: ours.connect(f"\0{job.name}"))


def _signals(job: TrialJob) -> bool:
    return _succeeds(lambda: os.kill(job.process, 0))


def _succeeds(attempt: Callable[[], object]) -> bool:
    try:
        attempt()
    except OSError:
        return False
    return True


ATTEMPTS: dict[str, Callable[[TrialJob], bool]] = {
    "a file outside": _reads,
    "a folder that is hidden": _lists,
    "a folder that is only to be read": _writes,
    "the network": _connects,
    "a socket of another process": _connects_by_name,
    "a process outside": _signals,
}
