"""What is said when a setup fails: from what a step printed to what a person can do about it."""

import os
import platform
import re
import sys
import sysconfig
import tempfile
from collections.abc import Sequence

from dojo.bootstrap.packages import AGAIN, Paths

THIS = f"{sys.version_info.major}.{sys.version_info.minor}"
NETWORK = "check the network connection"
# What pip prints when it can't reach an index, the most telling first, whatever the case of the
# letters; why that is; and what to do.
NO_NETWORK = (
    (
        r"proxyerror|cannot connect to proxy|tunnel connection failed|407 proxy",
        "the proxy that your settings name (HTTPS_PROXY, or pip's own) refused or was not there",
        "check that setting",
    ),
    (
        r"certificate_verify_failed|certificate verify failed|sslerror",
        "the index's certificate is not trusted here",
        "behind a proxy that reads along, let PIP_CERT name that proxy's certificate",
    ),
    (
        r"not a trusted or secure host",
        "pip does not trust an index whose address is not https",
        "give an https address, or name the host in PIP_TRUSTED_HOST",
    ),
    (r"timed out|timeouterror", "nothing more came from the index", NETWORK),
    (
        r"name resolution|name or service not known|getaddrinfo|nodename nor servname",
        "the index's name is not known here",
        NETWORK,
    ),
    (
        r"connection refused|network is unreachable|no route to host|newconnectionerror"
        r"|max retries exceeded|connection (aborted|reset|broken)|incompleteread|remotedisconnected"
        r"|incomplete-download|protocolerror|connection error",
        "the index can't be reached",
        NETWORK,
    ),
)
# Python, its ABI and the system that a wheel is for, in its name
WHEEL = re.compile(r"-cp3(\d+)-(\w+)-(\w+?)(?:\.\w+)*\.whl$")
THIS_ABI = f"cp3{sys.version_info.minor}" + "t" * bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
SYSTEMS = (
    (r"manylinux_(\d+)_(\d+)_(\w+)", r"Linux on \3 with glibc \1.\2 or newer"),
    (r"macosx_(\d+)_\d+_arm64", r"macOS \1 or newer on Apple chips"),
    (r"win_(\w+)", r"64-bit Windows (\1)"),
)


def network(printed: str) -> tuple[str, str] | None:
    """Why an index could not be reached, and what to do; None if something else is wrong."""
    fits = (why for seen, *why in NO_NETWORK if re.search(seen, printed, re.IGNORECASE))
    return next(((why, remedy) for why, remedy in fits), None)


def not_downloaded(why: str, remedy: str) -> str:
    """What is said where an index can't be reached."""
    return (
        f"The packages could not be downloaded: {why}. Please {remedy}, then {AGAIN}; what is"
        " already downloaded is kept."
    )


def no_index(printed: str) -> bool:
    """True if pip was told to use no index."""
    return "Ignoring indexes" in printed or bool(os.environ.get("PIP_NO_INDEX"))


def without_index(package: str) -> str:
    """What is said where pip was told to use no index, and lacks a package."""
    return (
        "pip is told to use no index (PIP_NO_INDEX, or no-index in pip.conf), and the folders that"
        f" it is told to use do not have {package}: put it there, or take the setting out, and"
        f" {AGAIN}."
    )


def explain(printed: str, paths: Paths) -> str:
    """What to do about a step that failed, from what it printed."""
    if "ensurepip" in printed:
        return (
            "This Python can't make virtual environments: on Debian or Ubuntu install the package"
            f" python{THIS}-venv (apt install python{THIS}-venv) and {AGAIN}."
        )
    if re.search(r"no space left|errno 28|disk quota|winerror 112", printed, re.I):
        return (
            f"The disk is full: make room at {paths.root} (pip also needs some at"
            f" {tempfile.gettempdir()}) and {AGAIN}."
        )
    if "DO NOT MATCH THE HASHES" in printed:
        name = re.search(r"(?m)^ +([\w.-]+)(?:==\S+)? (?:from|--hash|.*\n\s+Expected)", printed)
        return (
            f"What came for {name[1] if name else 'a package'} is not the file that was pinned (its"
            " SHA-256 differs), so it was not installed: something on the way, such as a proxy or a"
            f" mirror, changes files. Try another network, then {AGAIN}."
        )
    if printed.startswith("Traceback"):
        last = printed.strip().splitlines()[-1]
        redistributable = (
            " On Windows torch needs Microsoft's Visual C++ Redistributable:"
            " https://aka.ms/vs/17/release/vc_redist.x64.exe."
        )
        return (
            f"The packages are installed, but do not start on this machine ({last})."
            f"{redistributable * (os.name == 'nt')} See {paths.log}, then {AGAIN}."
        )
    if "long path" in printed.lower():
        return (
            "Windows refuses paths as long as .venv needs here: move this folder to a short path,"
            f" such as C:\\katas, or enable long paths, and {AGAIN}."
        )
    if "(constraint)" in printed:
        return (
            "A constraint in pip's own settings (PIP_CONSTRAINT, or pip.conf) forbids a version"
            f" that is pinned here: `pip config list` shows it. Take it out and {AGAIN}."
        )
    if re.search(r"permission denied|errno 13", printed, re.I):
        return (
            f"A file in {paths.venv} can't be written: end what still runs from there (such as"
            f" check --watch), or delete that folder, and {AGAIN}."
        )
    lacking = re.search(r"(?i)no matching distribution found for ([^\s;(]+)", printed)
    if lacking and no_index(printed):
        return without_index(lacking[1])
    if reason := network(printed):
        return not_downloaded(*reason)
    if lacking:
        return (
            f"No package {lacking[1]} was found for Python {THIS} on this system: run the same"
            f" command with another Python from 3.11 on (what pip said is in {paths.log})."
        )
    return (
        f"The packages could not be installed, for a reason unknown here: the end of {paths.log}"
        f" has what was printed. Then {AGAIN}."
    )


def no_torch(version: str, wheels: Sequence[str], system: tuple[str, str]) -> str:
    """What is said where an index has no torch for this Python on this system (sys.platform, and
    the processor), from the names of the files that it has.
    """
    if system == ("darwin", "x86_64"):
        return (
            f"There is no torch {version} for Macs with an Intel processor: PyTorch builds nothing"
            " newer than 2.2 for them. If this Mac has an Apple chip, run the command with a Python"
            " made for it (arm64); otherwise use another machine or a Linux container on this one."
        )
    found = [match.groups() for name in wheels if (match := WHEEL.search(name))]
    if not found:
        return (
            f"The index that pip uses here has no torch {version}: if it is a mirror, ask those who"
            " run it, or take it out of pip's settings (`pip config list` shows them)."
        )
    if not any(abi == THIS_ABI for _, abi, _ in found):
        minors = sorted({int(minor) for minor, abi, _ in found if not abi.endswith("t")})
        usable = [f"3.{minor}" for minor in minors if minor >= 11]
        return (
            f"There is no torch {version} for this Python ({THIS_ABI.replace('cp3', '3.')}), but"
            f" for Python {', '.join(usable)}: run the same command with one of these, such as"
            f" python{usable[-1] if usable else '3.13'}."
        )
    tags = sorted({tag for _, abi, tag in found if abi == THIS_ABI})
    for pattern, words in SYSTEMS:
        tags = [re.sub(pattern, words, tag) for tag in tags]
    here = " ".join(filter(None, (sysconfig.get_platform(), *platform.libc_ver())))
    return (
        f"There is no torch {version} for this system ({here}), but for these:"
        f" {'; '.join(tags)}. Use another machine or a container on this one."
    )
