"""The isolation of submitted code from this machine, measured by a trial run that attempts to reach
what it must not; and advice for a machine that gives too little.
"""

import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from dojo import ROOT
from dojo.grade.sandbox.confine import SUBMISSION
from dojo.grade.sandbox.trial import TrialJob, TrialReport
from dojo.processes.worker import Lost, Worker

# the kernel's name → ours
NAMESPACES = {name: name for name in ("user", "pid", "mnt", "ipc", "net", "uts")} | {"mnt": "mount"}
SECONDS = 30
NO_PROCESS = 2**22  # more than there can be
WAY_OUT = "or give --no-sandbox, if you trust every submission as you trust your own code"


class NoSandbox(Exception):
    """No sandbox can be had here; the message is one sentence for the user, saying what to do."""


@dataclass(frozen=True)
class Isolation:
    """The walls that the machine gives.

    Attributes:
        bubblewrap: its version.
        namespaces: those that a run has for itself.
        landlock: the version of its interface; 0 where there is none.
        seccomp: True if system calls are filtered.
        cgroup: the version of the control group that limits what all processes of a run take
            together; 0 where there is none.
        own_user: True if a run has a user that no other has at the time.
    """

    bubblewrap: str
    namespaces: tuple[str, ...]
    landlock: int
    seccomp: bool
    cgroup: int
    own_user: bool = False

    @property
    def text(self) -> str:
        """One line for people."""
        parts = [
            f"bubblewrap {self.bubblewrap}",
            f"namespaces ({', '.join(self.namespaces)})",
            f"Landlock {self.landlock}" if self.landlock else "no Landlock in this kernel",
            "seccomp" if self.seccomp else "no seccomp in this kernel",
            (
                f"memory by cgroup {self.cgroup}"
                if self.cgroup
                else "memory by looks at it (no cgroup: processes may take more together)"
            ),
            "a user for each run" if self.own_user else "one user for all runs",
        ]
        return "isolated: " + ", ".join(parts)


def isolation_of(worker: Worker, hidden: Iterable[Path] = ()) -> Isolation:
    """Find out what holds in a sandbox.

    Args:
        worker: the sandbox.
        hidden: folders that no run in it may see.

    Raises:
        NoSandbox: a run in it is not contained.
    """
    with _bait(hidden) as job, tempfile.NamedTemporaryFile() as log:
        run = worker.start(job, Path(log.name))
        try:
            report = msgspec.json.decode(run.channel.receive(SECONDS), type=TrialReport)
        except (OSError, EOFError):
            with suppress(Lost):
                run.exit_code(patience=1)
            raise NoSandbox(
                explain(Path(log.name).read_text(encoding="utf-8", errors="replace").strip())
            ) from None
        finally:
            run.close()
    outside = {name: str(Path("/proc/self/ns", name).readlink()) for name in NAMESPACES}
    return judge(report, outside, bubblewrap_version())


def judge(report: TrialReport, outside: Mapping[str, str], bubblewrap_version: str) -> Isolation:
    """The isolation that a trial run's report shows.

    Args:
        outside: namespace → its name, of a process outside.

    Raises:
        NoSandbox: it reached something, or a wall is missing.
    """
    # what a run does not have from the host is new, and no other's
    inside, of_host = report.namespaces, report.of_host
    others = {kind: (None, outside[kind], of_host[kind]) for kind in NAMESPACES}
    apart = [name for kind, name in NAMESPACES.items() if inside.get(kind) not in others[kind]]
    missing = [f"no {name} namespace" for name in NAMESPACES.values() if name not in apart]
    missing += [f"{what} was reached" for what in report.reached]
    missing += ["capabilities were left"] if report.capabilities else []
    missing += [] if report.no_new_privileges and report.first else ["it was not confined"]
    if missing:
        raise NoSandbox(
            f"A trial run in the sandbox was not contained ({', '.join(missing)}): grade elsewhere,"
            f" {WAY_OUT}."
        )
    walls = bubblewrap_version, tuple(apart), report.landlock, report.seccomp
    return Isolation(*walls, cgroup=0, own_user=report.user > 0)


@contextmanager
def _bait(hidden: Iterable[Path]) -> Iterator[TrialJob]:
    """Things that every process of this machine can reach, and none in the sandbox may."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder.chmod(0o755)
        canary = folder / "canary"
        canary.write_text("seen", "utf-8")
        canary.chmod(0o644)
        network = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        named = stack.enter_context(socket.socket(socket.AF_UNIX))
        name = f"torch-katas-{secrets.token_hex(8)}"
        named.bind(f"\0{name}")
        named.listen()
        references = map(str, (ROOT / "reference").glob("*.py"))
        folders = [folder, ROOT / "reference", ROOT / ".git", *hidden]
        parts = (str(ROOT / part) for part in ("", "tests", "tools/dojo"))
        yield TrialJob(
            files_outside=[str(canary), "/etc/passwd", *references],
            folders_outside=[*map(str, folders)],
            folders_to_read=["/", "/usr", "/tmp", SUBMISSION, *parts],
            port=network.getsockname()[1],
            name=name,
            process=os.getpid() if os.getpid() > 1 else os.getppid() or NO_PROCESS,
        )


def need_linux() -> None:
    """Raises NoSandbox elsewhere."""
    if not sys.platform.startswith("linux"):
        raise NoSandbox(
            "Grading runs submissions in ways that only Linux has: use a Linux machine, a virtual"
            f" one, or WSL, {WAY_OUT}."
        )


def bubblewrap() -> str:
    """Path of bubblewrap; raises NoSandbox if it is not installed."""
    if path := shutil.which("bwrap"):
        return path
    raise NoSandbox(
        "Submissions are run in a sandbox, and the program that makes it was not found: install"
        f" bubblewrap (on Debian and Ubuntu `sudo apt install bubblewrap`), {WAY_OUT}."
    )


def bubblewrap_version() -> str:
    command = [bubblewrap(), "--version"]
    printed = subprocess.run(
        command, capture_output=True, encoding="utf-8", check=False
    ).stdout.split()
    return printed[-1] if printed else "of unknown version"


def explain(printed: str) -> str:
    """Advice about a sandbox that did not start, from what it printed."""
    last = printed.splitlines()[-1] if printed else "it said nothing"
    if any(words in printed for words in ("user namespace", "uid map", "new namespace")):
        return (
            f"bubblewrap may not make a user namespace here ({last}): as root, allow that (on"
            " Ubuntu 24.04 and later `sysctl kernel.apparmor_restrict_unprivileged_userns=0`,"
            " elsewhere `sysctl kernel.unprivileged_userns_clone=1` and `sysctl"
            " user.max_user_namespaces=10000`; in a container, start it with --privileged),"
            f" {WAY_OUT}."
        )
    return f"The sandbox could not be started ({last}): see to that, {WAY_OUT}."


def explain_unhidden(folder: Path, needed: str) -> str:
    """Advice about a folder of submissions or grades that holds something each run needs."""
    return (
        f"No submission may look into {folder}, yet each needs {needed}, which lies in there: keep"
        " submissions and grades in folders of their own, with neither this project nor Python in"
        " them, and give those."
    )
