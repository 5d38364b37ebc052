# class:     ways out of the sandbox
# attack:    namespaces, mounts, chroot, setns, devices, handles
# contained: none of it is permitted
# added to:  stub
# ends:      by itself
# suite:     model: not started, train: not started, boundary: not started
# verdict:   model: not started, train: not started, boundary: not started

import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
DONE = []
for flags in (0x10000000, 0x20000, 0x20000000, 0x40000000, 0x10020000):
    DONE += ["unshare"] if libc.unshare(flags) == 0 else []
for kind in (b"tmpfs", b"proc", b"sysfs", b"devtmpfs", b"cgroup2"):
    DONE += ["mount"] if libc.mount(kind, b"/sandbox", kind, 0, None) == 0 else []
DONE += ["remount"] if libc.mount(None, b"/submission", None, 32, None) == 0 else []
DONE += ["umount"] if libc.umount2(b"/submission", 2) == 0 else []
for attempt in (
    lambda: os.chroot("/sandbox"),
    lambda: os.mknod("/sandbox/disk", 0o60666, os.makedev(254, 0)),
    lambda: os.setuid(0),
    lambda: os.nice(-5),
    lambda: open("/proc/sys/kernel/core_pattern", "w").write("|/submission/evil"),
    lambda: open("/proc/self/mem", "wb").write(b"x"),
    lambda: open("/proc/self/oom_score_adj", "w").write("-1000"),
    lambda: os.open("/dev/vda", os.O_RDONLY),
    lambda: os.open("/dev/mem", os.O_RDONLY),
):
    try:
        attempt()
        DONE.append(attempt.__code__.co_names)
    except OSError:
        pass
if DONE:
    raise SystemExit(f"done {DONE}")
