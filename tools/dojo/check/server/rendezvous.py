"""The folder in which the servers of one clone are found; no other account can look into it.

Each server has a folder in it, named by its process's number: its address, its socket, scratch.
"""

import contextlib
import hashlib
import os
import secrets
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from dojo import ROOT, files
from dojo.processes import forking

ADDRESS = "address.json"
OWN = len("/torch-katas-1234567890-123456789012/1234567")  # what new_folder() adds
LONGEST_BASE = forking.LONGEST_ADDRESS - OWN - forking.SERVERS


class NotPrivate(Exception):
    """The folder belongs to somebody else, or others may look into it."""


@dataclass(frozen=True)
class Address:
    """How to reach a server."""

    socket: str  # its name; on Windows that of a pipe
    key: str  # client and server show each other that they know it


def new_address(folder: Path) -> Address:
    """An address for the server with this folder."""
    if sys.platform == "win32":
        socket = rf"\\.\pipe\torch-katas-{secrets.token_hex(16)}"
    else:
        socket = str(folder / "s")
    return Address(socket, secrets.token_hex(32))


def clone_folder(root: Path = ROOT) -> Path:
    """The folder of this clone, made where it is missing. Raises NotPrivate or OSError."""
    clone = hashlib.sha256(os.fsencode(root)).hexdigest()[:12]
    if sys.platform == "win32":  # there the folder for temporary files is the user's own
        path = _base() / f"torch-katas--{clone}"
        path.mkdir(exist_ok=True)
        return path
    path = _base() / f"torch-katas-{os.getuid()}-{clone}"
    path.mkdir(mode=0o700, exist_ok=True)
    status = path.lstat()
    is_open = stat.S_IMODE(status.st_mode) & 0o077
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or is_open:
        raise NotPrivate(f"{path} is not private")
    return path


def _base() -> Path:
    """A folder for runtime files whose name leaves room for those of the sockets in it."""
    for path in (os.environ.get("XDG_RUNTIME_DIR", ""), tempfile.gettempdir()):
        if path and len(os.fsencode(path)) <= LONGEST_BASE and os.access(path, os.W_OK):
            return Path(path)
    return Path(tempfile.gettempdir() if sys.platform == "win32" else "/tmp")


def new_folder(root: Path = ROOT) -> Path:
    """A fresh folder for this process: in the clone's, or if need be where nobody looks for it."""
    try:
        sweep(clone_folder(root))
        folder = clone_folder(root) / str(os.getpid())
        shutil.rmtree(folder, ignore_errors=True)  # of a process long gone that had the same number
        folder.mkdir(mode=0o700)
    except (NotPrivate, OSError):
        return Path(tempfile.mkdtemp(prefix="torch-katas-", dir=_base()))
    return folder


def publish(address: Address, folder: Path) -> None:
    """Let clients find the server with this folder; they never see a part of the address."""
    new = folder / f"{ADDRESS}.new"
    new.touch(mode=0o600, exist_ok=False)
    new.write_bytes(msgspec.json.encode(address))
    files.put_in_place(new, folder / ADDRESS)


def remove(folder: Path) -> None:
    """Remove a server's folder, and the clone's with the last of them."""
    shutil.rmtree(folder, ignore_errors=True)
    if folder.parent.name.startswith("torch-katas-"):
        with contextlib.suppress(OSError):
            folder.parent.rmdir()


def addresses(root: Path = ROOT) -> Iterator[Address]:
    """The addresses of this clone's servers; some of them may be gone."""
    try:
        paths = sorted(clone_folder(root).glob(f"*/{ADDRESS}"))
    except (NotPrivate, OSError):
        return
    for path in paths:
        if address := files.read_json(path, Address):
            yield address


def sweep(clone: Path) -> None:
    """Remove what killed servers have left in the clone's folder."""
    if sys.platform == "win32":  # there os.kill(pid, 0) is no question: it ends the process
        return
    for folder in clone.iterdir():
        try:
            os.kill(int(folder.name), 0)
        except ProcessLookupError:
            shutil.rmtree(folder, ignore_errors=True)
        except (ValueError, OSError):
            continue
