"""The private folder in which the warm processes of one clone can be found. Nobody else's account
may look into it.

Each warm process has a folder of its own in it, named by the process's number, with its card, its
socket and its scratch files.
"""

import contextlib
import hashlib
import json
import os
import secrets
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from dojo import ROOT

CARD = "card.json"
LONGEST_ADDRESS = 107 if sys.platform.startswith("linux") else 103  # bytes, of a socket
OWN = len("/torch-katas-1234567890-123456789012/1234567")  # what own_folder() adds
# what multiprocessing adds to that for a fork server
SERVERS = len("/pymp-12345678/listener-12345678")
LONGEST_BASE = LONGEST_ADDRESS - OWN - SERVERS


class NotPrivate(Exception):
    """The folder belongs to somebody else, or others may look into it."""


@dataclass(frozen=True)
class Card:
    """How to reach a warm process.

    Attributes:
        address: of its socket, or on Windows of its pipe.
        key: whoever asks shows that it knows this.
        pid: its process.
    """

    address: str
    key: str
    pid: int


def new_card(own: Path) -> Card:
    """A card for this process, whose folder this is."""
    address = (
        rf"\\.\pipe\torch-katas-{secrets.token_hex(16)}"
        if sys.platform == "win32"
        else str(own / "s")
    )
    return Card(address, secrets.token_hex(32), os.getpid())


def folder(root: Path = ROOT) -> Path:
    """The folder of this clone, made where it is missing.

    Raises:
        NotPrivate, OSError: there can't be one.
    """
    owner = os.getuid() if hasattr(os, "getuid") else ""
    path = _base() / f"torch-katas-{owner}-{hashlib.sha256(os.fsencode(root)).hexdigest()[:12]}"
    path.mkdir(mode=0o700, exist_ok=True)
    if sys.platform != "win32":  # there the folder for temporary files is the user's own
        found = path.lstat()
        if (
            not stat.S_ISDIR(found.st_mode)
            or found.st_uid != owner
            or stat.S_IMODE(found.st_mode) & 0o077
        ):
            raise NotPrivate(f"{path} is not private")
    return path


def _base() -> Path:
    """A folder for what runs, whose name leaves room for those of the sockets in it."""
    usual = os.environ.get("XDG_RUNTIME_DIR", ""), tempfile.gettempdir()
    fitting = (
        path
        for path in usual
        if path and len(os.fsencode(path)) <= LONGEST_BASE and os.access(path, os.W_OK)
    )
    return Path(next(fitting, "/tmp" if sys.platform != "win32" else usual[1]))


def own_folder(root: Path = ROOT) -> Path:
    """A fresh folder for this process: where others find it, or one that nobody looks for where
    that can't be.
    """
    try:
        where = folder(root)
        sweep(where)
        own = where / str(os.getpid())
        shutil.rmtree(own, ignore_errors=True)  # of a process long gone that had the same number
        own.mkdir(mode=0o700)
    except (NotPrivate, OSError):
        return Path(tempfile.mkdtemp(prefix="torch-katas-", dir=_base()))
    return own


def put_up(card: Card, own: Path) -> None:
    """Let others find this process, the card complete from the first moment on."""
    fresh = own / f"{CARD}.new"
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(asdict(card), file)
    fresh.replace(own / CARD)


def take_down(own: Path) -> None:
    """Remove the process's folder, and the clone's with the last of them."""
    shutil.rmtree(own, ignore_errors=True)
    if own.parent.name.startswith("torch-katas-"):
        with contextlib.suppress(OSError):
            own.parent.rmdir()


def cards(root: Path = ROOT) -> Iterator[Card]:
    """The warm processes of this clone; some of them may be gone."""
    try:
        paths = sorted(folder(root).glob(f"*/{CARD}"))
    except (NotPrivate, OSError):
        return
    for path in paths:
        with contextlib.suppress(OSError, ValueError, TypeError):
            yield Card(**json.loads(path.read_text(encoding="utf-8")))


def sweep(where: Path) -> None:
    """Remove what killed processes left behind."""
    if sys.platform == "win32":  # there os.kill(pid, 0) is no question: it ends the process
        return
    for own in where.iterdir():
        try:
            os.kill(int(own.name), 0)
        except ProcessLookupError:
            shutil.rmtree(own, ignore_errors=True)
        except (ValueError, OSError):
            continue
