# class:     memory
# attack:    memory that no process is said to hold: shared segments, memfds, tmpfs
# contained: refused, or limited in size
# added to:  stub
# ends:      by itself
# suite:     model: not started, train: not started, boundary: not started
# verdict:   model: not started, train: not started, boundary: not started

import contextlib
import ctypes
import os

libc = ctypes.CDLL(None)
for number in range(64):
    with contextlib.suppress(OSError):
        os.truncate(os.memfd_create("m"), 1 << 30)
    libc.shmget(0, ctypes.c_size_t(64 << 20), 0o1600)
    for folder in ("/dev/shm", "/sandbox"):
        with contextlib.suppress(OSError):
            with open(f"{folder}/{number}", "wb") as file:
                file.write(b"x" * (8 << 20))
SIZE = sum(
    os.path.getsize(f"{folder}/{name}")
    for folder in ("/dev/shm", "/sandbox")
    for name in os.listdir(folder)
)
if SIZE > 2 * (64 << 20):
    os._exit(0)
