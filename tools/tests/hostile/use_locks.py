# class:     locks
# attack:    locks on every file that can be opened, and on Python's imports, held for ever
# contained: nobody waits for a lock on what it can see, and its locks end with it
# added to:  stub
# ends:      from outside
# suite:     model: failed, train: failed, boundary: failed
# verdict:   model: failed, train: failed, boundary: failed

import _imp
import contextlib
import fcntl
import os
import time

import dojo

HELD = []
for top in (
    "/submission",
    "/sandbox",
    "/dev/shm",
    "/dev",
    str(dojo.ROOT),
    os.path.dirname(torch.__file__),
):
    for folder, _, names in os.walk(top):
        for path in (folder, *(os.path.join(folder, name) for name in names)):
            with contextlib.suppress(OSError):
                HELD.append(os.open(path, os.O_RDONLY | os.O_NONBLOCK))
                fcntl.flock(HELD[-1], fcntl.LOCK_EX | fcntl.LOCK_NB)
for path in ("/sandbox/lock", "/dev/shm/lock", "/dev/null", "/dev/zero", "/dev/full"):
    with contextlib.suppress(OSError):
        HELD.append(open(path, "w"))
        fcntl.lockf(HELD[-1], fcntl.LOCK_EX | fcntl.LOCK_NB)
_imp.acquire_lock()
while True:
    time.sleep(3600)
