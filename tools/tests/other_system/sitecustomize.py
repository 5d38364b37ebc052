"""Makes this project believe that it runs on another system: to its own modules, Python has the
names that it has there. Python's library and the packages still see the system that there is.

A folder on PYTHONPATH with this file changes every Python that is started, children included. The
system and what it lacks are read from the file that OTHER_SYSTEM names.
"""

import builtins
import json
import multiprocessing.connection as connections
import os
import subprocess
import sys
from types import ModuleType

OURS = ("dojo", "bench", "katas", "reference", "tests", "conftest", "__main__", "__mp_main__")
with open(os.environ["OTHER_SYSTEM"], encoding="utf-8") as _file:  # noqa: PTH123
    _told = json.load(_file)
PLATFORM, MISSING = _told["platform"], {k: set(names) for k, names in _told["missing"].items()}
WINDOWS = PLATFORM == "win32"
SAID = {"sys": {"platform": PLATFORM}, "os": {"name": "nt"} if WINDOWS else {}}
_get, _frame, _modules = ModuleType.__getattribute__, sys._getframe, sys.modules
Listener, Client = connections.Listener, connections.Client


def is_ours(name: object) -> bool:
    """True for our modules; not for those of the setup, as .venv is laid out for this system."""
    if not isinstance(name, str) or name.startswith("dojo.bootstrap"):
        return False
    return name.partition(".")[0] in OURS


class Seen(ModuleType):
    """A module as our code sees it there."""

    def __getattribute__(self, name: str) -> object:
        if is_ours(_frame(1).f_globals.get("__name__")):
            module = _get(self, "__name__")
            if name in SAID.get(module, {}):
                return SAID[module][name]
            if name in MISSING.get(module, ()):
                raise AttributeError(f"module {module!r} has no attribute {name!r}")
        return _get(self, name)


def _import(name, globals=None, locals=None, fromlist=(), level=0, known=builtins.__import__):
    if "*" in MISSING.get(name, ()) and is_ours((globals or {}).get("__name__")):
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)
    module = known(name, globals, locals, fromlist, level)
    for watched in {*MISSING, *SAID} & _modules.keys():
        if type(_modules[watched]) is ModuleType:
            _modules[watched].__class__ = Seen
    return module


def _stand_in_for_windows() -> None:
    """What only Windows has, as far as our code uses it."""
    import fcntl

    msvcrt = _modules["msvcrt"] = ModuleType("msvcrt")
    msvcrt.LK_UNLCK, msvcrt.LK_NBLCK = 0, 2

    def locking(descriptor: int, mode: int, size: int) -> None:
        how = fcntl.LOCK_EX | fcntl.LOCK_NB if mode == msvcrt.LK_NBLCK else fcntl.LOCK_UN
        try:
            fcntl.flock(descriptor, how)
        except BlockingIOError:
            raise PermissionError(13, "Permission denied") from None

    def getwch() -> str:
        return os.read(0, 1).decode() or "\x1a"

    def socket_of(address: object) -> object:  # of a pipe with a name
        is_pipe = isinstance(address, str) and address.startswith("\\\\.\\pipe")
        return f"/tmp/{address[9:]}" if is_pipe else address

    msvcrt.locking, msvcrt.getwch = locking, getwch
    subprocess.CREATE_NEW_PROCESS_GROUP = 0
    connections.PipeConnection = connections.Connection
    connections.Listener = lambda at=None, *more, **named: Listener(socket_of(at), *more, **named)
    connections.Client = lambda at, *more, **named: Client(socket_of(at), *more, **named)


if WINDOWS:
    _stand_in_for_windows()
builtins.__import__ = _import
