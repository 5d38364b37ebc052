# class:     traces left by earlier submissions in /tmp, shared memory
# attack:    looks for what an earlier one has left
# contained: the next one starts from nothing
# added to:  stub
# ends:      by itself
# suite:     model: not started, train: not started, boundary: not started
# verdict:   model: not started, train: not started, boundary: not started

import contextlib
import os
import socket
from multiprocessing import shared_memory

FOUND = []
for folder in (
    "/tmp",
    "/var/tmp",
    "/dev/shm",
    "/sandbox",
    "/submission",
    "/dev/mqueue",
    "/run",
    os.getcwd(),
    "/",
):
    with contextlib.suppress(OSError):
        FOUND.append(open(os.path.join(folder, "left-for-the-next")).read())
with contextlib.suppress(OSError):
    FOUND.append(shared_memory.SharedMemory("left-for-the-next"))
with contextlib.suppress(OSError):
    named = socket.socket(socket.AF_UNIX)
    named.connect("\0left-for-the-next")
    FOUND.append("a socket")
if FOUND:
    raise SystemExit("found " + repr(FOUND))
