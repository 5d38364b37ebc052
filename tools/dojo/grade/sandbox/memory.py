"""How much memory a run takes, all its processes together."""

import os
from contextlib import suppress
from pathlib import Path


def processes() -> dict[int, tuple[int, int]]:
    """Process → its parent, and the bytes it has in memory. Of those that can be seen from here."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError, ValueError, IndexError):  # it may end meanwhile
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                found[int(entry.name)] = int(fields[1]), int(fields[21]) * os.sysconf("SC_PAGE_SIZE")
    return found


def beyond(there: dict[int, tuple[int, int]], first: int, host: int) -> int:
    """Bytes that a process and all below it take, each beyond what it shares with the host that it was forked from.

    A process whose parent has ended belongs to the first of its PID namespace, so that none gets away.
    """
    shared = there.get(host, (0, 0))[1]
    members, before = {first}, 0
    while len(members) > before:
        before = len(members)
        members |= {process for process, (parent, _) in there.items() if parent in members}
    return sum(max(there[process][1] - shared, 0) for process in members if process in there)
