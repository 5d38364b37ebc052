# class:     channels between submissions
# attack:    watches, cache states, locks and leases of files that all submissions see
# contained: no call that shows or sets them is there
# added to:  stub
# ends:      by itself
# suite:     model: not started, train: not started, boundary: not started
# verdict:   model: not started, train: not started, boundary: not started

import ctypes
import fcntl
import mmap
import os
import platform
import struct

libc = ctypes.CDLL(None, use_errno=True)
SHARED = os.open(os.__file__, os.O_RDONLY)
FOLDER = os.open(os.path.dirname(os.__file__), os.O_RDONLY)
MAPPED = mmap.mmap(SHARED, 8192, prot=mmap.PROT_READ)
ADDRESS = ctypes.c_void_p(ctypes.addressof(ctypes.py_object(MAPPED)) & ~4095)
WHOLE = struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 0, 0)
MINCORE, READAHEAD = {"x86_64": (27, 187), "aarch64": (232, 213)}[platform.machine()]


def call(number, *arguments):
    return libc.syscall(ctypes.c_long(number), *arguments) >= 0


DONE = []
for name, attempt in {
    "preadv2": lambda: os.preadv(SHARED, [bytearray(1)], 0, os.RWF_NOWAIT) == 1,
    "inotify": lambda: libc.inotify_init1(0) >= 0,
    "fadvise64": lambda: os.posix_fadvise(SHARED, 0, 0, os.POSIX_FADV_DONTNEED) is None,
    "readahead": lambda: call(READAHEAD, SHARED, ctypes.c_long(0), ctypes.c_size_t(4096)),
    "cachestat": lambda: call(451, SHARED, bytes(16), ctypes.create_string_buffer(40), 0),
    "mincore": lambda: call(
        MINCORE, ADDRESS, ctypes.c_size_t(4096), ctypes.create_string_buffer(9)
    ),
    "madvise": lambda: MAPPED.madvise(mmap.MADV_WILLNEED) is None,
    "flock": lambda: fcntl.flock(SHARED, fcntl.LOCK_EX | fcntl.LOCK_NB) is None,
    "others' locks": lambda: bool(fcntl.fcntl(SHARED, fcntl.F_GETLK, WHOLE)),
    "a lease": lambda: fcntl.fcntl(SHARED, fcntl.F_SETLEASE, fcntl.F_RDLCK) == 0,
    "notices": lambda: fcntl.fcntl(FOLDER, fcntl.F_NOTIFY, fcntl.DN_ACCESS) == 0,
}.items():
    try:
        DONE += [name] if attempt() else []
    except OSError:
        pass
if DONE:
    raise SystemExit(f"done {DONE}")
