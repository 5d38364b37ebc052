# class:     traces left by earlier submissions in /tmp, shared memory
# attack:    leaves something for the next one in every place that could outlast it
# contained: the next one starts from nothing
# added to:  stub
# ends:      by itself
# suite:     model: not started, train: not started, boundary: not started
# verdict:   model: not started, train: not started, boundary: not started

import contextlib
import os
import socket
from multiprocessing import shared_memory

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
        open(os.path.join(folder, "left-for-the-next"), "w").write("the answer")
with contextlib.suppress(OSError):
    shared_memory.SharedMemory("left-for-the-next", create=True, size=10)
with contextlib.suppress(OSError):
    named = socket.socket(socket.AF_UNIX)
    named.bind("\0left-for-the-next")
    named.listen()
