"""What a machine must have for a sandbox, and what to do where it has not."""

import shutil
import subprocess
import sys
from pathlib import Path

from dojo.grade.sandbox.isolation import Unavailable

WAY_OUT = "or give --no-sandbox, if you trust every submission as you trust your own code"


def need_linux() -> None:
    """Raises Unavailable elsewhere."""
    if not sys.platform.startswith("linux"):
        raise Unavailable(
            "Grading runs submissions in ways that only Linux has: use a Linux machine, a virtual"
            f" one, or WSL, {WAY_OUT}."
        )


def bubblewrap() -> str:
    """Its path.

    Raises:
        Unavailable: it is not there.
    """
    if found := shutil.which("bwrap"):
        return found
    raise Unavailable(
        "Submissions are run in a sandbox, and the program that makes it was not found: install"
        f" bubblewrap (on Debian and Ubuntu `sudo apt install bubblewrap`), {WAY_OUT}."
    )


def explain(words: str) -> str:
    """What to do about a sandbox that did not start, from what was printed then."""
    last = words.splitlines()[-1] if words else "it said nothing"
    if "user namespace" in words or "uid map" in words or "new namespace" in words:
        return (
            f"bubblewrap may not make a user namespace here ({last}): as root, allow that (on"
            " Ubuntu 24.04 and later `sysctl kernel.apparmor_restrict_unprivileged_userns=0`,"
            " elsewhere `sysctl kernel.unprivileged_userns_clone=1` and `sysctl"
            " user.max_user_namespaces=10000`; in a container, start it with --privileged),"
            f" {WAY_OUT}."
        )
    return f"The sandbox could not be started ({last}): see to that, {WAY_OUT}."


def unhidden(folder: Path, needed: str) -> str:
    """What to do about a folder of submissions or grades in which something lies that every run
    needs.
    """
    return (
        f"No submission may look into {folder}, yet each needs {needed}, which lies in there: keep"
        " submissions and grades in folders of their own, with neither this project nor Python in"
        " them, and give those."
    )


def version() -> str:
    said = subprocess.run(
        [bubblewrap(), "--version"], capture_output=True, text=True, check=False
    ).stdout.split()
    return said[-1] if said else "of unknown version"
