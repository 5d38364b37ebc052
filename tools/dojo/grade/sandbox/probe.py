"""Finds out what the machine can give, by trying: a run attempts to reach what it must not, and
tells how far it came.
"""

import json
import os
import secrets
import socket
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from dojo import ROOT
from dojo.grade.sandbox.confine import SUBMISSION
from dojo.grade.sandbox.isolation import Isolation, Unavailable
from dojo.grade.sandbox.link import Run
from dojo.grade.sandbox.machine import WAY_OUT, explain, version

NAMESPACES = {
    "user": "user",
    "pid": "pid",
    "mnt": "mount",
    "ipc": "ipc",
    "net": "net",
    "uts": "uts",
}
SECONDS = 30
NO_PROCESS = 2**22  # more than there can be


def isolation_of(start: Callable[..., Run], hidden: Iterable[Path] = ()) -> Isolation:
    """What holds in a sandbox.

    Args:
        start: starts a run in it, as Sandbox.start does.
        hidden: folders that no run in it may see.

    Raises:
        Unavailable: a run in it is not contained.
    """
    with _bait() as bait, tempfile.NamedTemporaryFile() as log:
        bait["folders_outside"] += [str(folder) for folder in hidden]
        run = start("probe", {"submission": b""}, Path(log.name), **bait)
        try:
            report = json.loads(run.channel.receive(SECONDS))
        except (OSError, EOFError):
            run.join(1)
            words = Path(log.name).read_text(errors="replace").strip()
            raise Unavailable(explain(words)) from None
        finally:
            run.close()
    return judge(
        report,
        {name: str(Path("/proc/self/ns", name).readlink()) for name in NAMESPACES},
        version(),
    )


def judge(report: dict, own: dict[str, str], bubblewrap_version: str) -> Isolation:
    """The isolation that a report speaks of.

    Args:
        own: namespace → its name, of a process outside.

    Raises:
        Unavailable: it reached something, or a wall is missing.
    """
    # what a run does not have from the host is new, and no other's
    its, of_host = report["namespaces"], report["of_host"]
    apart = tuple(
        name
        for kind, name in NAMESPACES.items()
        if its.get(kind) not in (None, own[kind], of_host[kind])
    )
    missing = [f"no {name} namespace" for name in NAMESPACES.values() if name not in apart]
    missing += [f"{what} was reached" for what in report["reached"]]
    missing += ["capabilities were left"] if report["capabilities"] else []
    missing += [] if report["no_new_privileges"] and report["first"] else ["it was not confined"]
    if missing:
        raise Unavailable(
            f"A trial run in the sandbox was not contained ({', '.join(missing)}): grade elsewhere,"
            f" {WAY_OUT}."
        )
    return Isolation(
        bubblewrap_version,
        apart,
        report["landlock"],
        report["seccomp"],
        report.get("cgroup", False),
    )


@contextmanager
def _bait() -> Iterator[dict]:
    """Things that every process of this machine can reach, and none in the sandbox may."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder.chmod(0o755)
        canary = folder / "canary"
        canary.write_text("seen")
        canary.chmod(0o644)
        network = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        named = stack.enter_context(socket.socket(socket.AF_UNIX))
        name = f"torch-katas-{secrets.token_hex(8)}"
        named.bind(f"\0{name}")
        named.listen()
        yield {
            "files_outside": [
                str(canary),
                "/etc/passwd",
                *map(str, (ROOT / "reference").glob("*.py")),
            ],
            "folders_outside": [str(folder), str(ROOT / "reference"), str(ROOT / ".git")],
            "folders_to_read": [
                "/",
                "/usr",
                "/tmp",
                SUBMISSION,
                *(str(ROOT / part) for part in ("", "tests", "tools/dojo")),
            ],
            "port": network.getsockname()[1],
            "name": name,
            "process": os.getpid() if os.getpid() > 1 else os.getppid() or NO_PROCESS,
        }
