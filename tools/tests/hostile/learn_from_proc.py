# class:     /proc and ptrace on siblings
# attack:    /proc of other processes: roots, descriptors, environment, memory; ptrace
# contained: its own processes are all that it sees
# added to:  stub
# ends:      by itself
# suite:     model: not started, train: not started, boundary: not started
# verdict:   model: not started, train: not started, boundary: not started

import ctypes
import os

FOUND = []
for process in [
    entry for entry in os.listdir("/proc") if entry.isdigit() and int(entry) != os.getpid()
]:
    FOUND.append(process)
for name in (
    "/proc/1/root/etc/passwd",
    "/proc/1/cwd/README.md",
    "{canary}",
    "/proc/kcore",
    "/proc/self/root{canary}",
):
    try:
        FOUND.append(open(name, "rb").read(100))
    except OSError:
        pass
libc = ctypes.CDLL(None)
for process in range(1, 200):
    if process != os.getpid() and libc.ptrace(16, process, 0, 0) == 0:
        FOUND.append(process)
if FOUND:
    open("/sandbox/found", "w").write(repr(FOUND))
    raise SystemExit("found " + repr(FOUND))
