"""Finds out what the machine can give, by trying: a run attempts to reach what it must not, and tells how far it came."""

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from dojo import ROOT
from dojo.grade.sandbox.confine import SUBMISSION
from dojo.grade.sandbox.isolation import Isolation, Unavailable

if TYPE_CHECKING:
    from dojo.grade.sandbox.launch import Sandbox

NAMESPACES = {"user": "user", "pid": "pid", "mnt": "mount", "ipc": "ipc", "net": "net", "uts": "uts"}
SECONDS = 30
NO_PROCESS = 2**22  # more than there can be
WAY_OUT = "or give --no-sandbox, if you trust every submission as you trust your own code"


def probe() -> Isolation:
    """What a sandbox would hold here; takes a fraction of a second.

    Raises:
        Unavailable: none can be had.
    """
    from dojo.grade.sandbox.launch import BARE, Sandbox

    with Sandbox(content=BARE) as sandbox:
        return sandbox.isolation


def need_linux() -> None:
    """Raises Unavailable elsewhere."""
    if not sys.platform.startswith("linux"):
        raise Unavailable(
            f"Grading runs submissions in ways that only Linux has: use a Linux machine, a virtual one, or WSL, {WAY_OUT}."
        )


def bubblewrap() -> str:
    """Its path.

    Raises:
        Unavailable: it is not there.
    """
    if found := shutil.which("bwrap"):
        return found
    raise Unavailable(
        "Submissions are run in a sandbox, and the program that makes it was not found: install bubblewrap (on Debian and "
        f"Ubuntu `sudo apt install bubblewrap`), {WAY_OUT}."
    )


def explain(words: str) -> str:
    """What to do about a sandbox that did not start, from what was printed then."""
    last = words.splitlines()[-1] if words else "it said nothing"
    if "user namespace" in words or "uid map" in words or "new namespace" in words:
        return (
            f"bubblewrap may not make a user namespace here ({last}): as root, allow that (on Ubuntu 24.04 and later `sysctl "
            "kernel.apparmor_restrict_unprivileged_userns=0`, elsewhere `sysctl kernel.unprivileged_userns_clone=1` and "
            f"`sysctl user.max_user_namespaces=10000`; in a container, start it with --privileged), {WAY_OUT}."
        )
    return f"The sandbox could not be started ({last}): see to that, {WAY_OUT}."


def unhidden(folder: Path, needed: str) -> str:
    """What to do about a folder of submissions or grades in which something lies that every run needs."""
    return (
        f"No submission may look into {folder}, yet each needs {needed}, which lies in there: keep submissions and grades in "
        "folders of their own, with neither this project nor Python in them, and give those."
    )


def isolation_of(sandbox: "Sandbox") -> Isolation:
    """What holds in this sandbox.

    Raises:
        Unavailable: a run in it is not contained.
    """
    with _bait() as bait, tempfile.NamedTemporaryFile() as log:
        bait["folders_outside"] += [str(folder) for folder in sandbox.hidden]
        run = sandbox.start("probe", {"submission": b""}, Path(log.name), **bait)
        try:
            report = json.loads(run.channel.receive(SECONDS))
        except (OSError, EOFError):
            run.join(1)
            words = Path(log.name).read_text(errors="replace").strip()
            raise Unavailable(explain(words)) from None
        finally:
            run.close()
    return judge(report, {name: str(Path("/proc/self/ns", name).readlink()) for name in NAMESPACES}, version())


def judge(report: dict, own: dict[str, str], bubblewrap_version: str) -> Isolation:
    """The isolation that a report speaks of.

    Args:
        own: namespace → its name, of a process outside.

    Raises:
        Unavailable: it reached something, or a wall is missing.
    """
    its, of_host = report["namespaces"], report["of_host"]  # what a run does not have from the host is new, and no other's
    apart = tuple(name for kind, name in NAMESPACES.items() if its.get(kind) not in (None, own[kind], of_host[kind]))
    missing = [f"no {name} namespace" for name in NAMESPACES.values() if name not in apart]
    missing += [f"{what} was reached" for what in report["reached"]]
    missing += ["capabilities were left"] if report["capabilities"] else []
    missing += [] if report["no_new_privileges"] and report["first"] else ["it was not confined"]
    if missing:
        raise Unavailable(f"A trial run in the sandbox was not contained ({', '.join(missing)}): grade elsewhere, {WAY_OUT}.")
    return Isolation(bubblewrap_version, apart, report["landlock"], report["seccomp"], report.get("cgroup", False))


def version() -> str:
    said = subprocess.run([bubblewrap(), "--version"], capture_output=True, text=True, check=False).stdout.split()
    return said[-1] if said else "of unknown version"


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
            "files_outside": [str(canary), "/etc/passwd", *map(str, (ROOT / "reference").glob("*.py"))],
            "folders_outside": [str(folder), str(ROOT / "reference"), str(ROOT / ".git")],
            "folders_to_read": ["/", "/usr", "/tmp", SUBMISSION, *(str(ROOT / part) for part in ("", "tests", "tools/dojo"))],
            "port": network.getsockname()[1],
            "name": name,
            "process": os.getpid() if os.getpid() > 1 else os.getppid() or NO_PROCESS,
        }
