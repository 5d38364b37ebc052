# class:     memory
# attack:    memory in many programs started anew, each below the limit of a single process
# contained: ended when all together are beyond the limit
# added to:  stub
# ends:      by itself
# suite:     model: failed, train: failed, boundary: failed
# verdict:   model: failed, train: failed, boundary: failed

import os
import sys
import time

HOLD = "import os, time; held = bytearray(b'x' * (200 << 20)); os.write(1, b'.'); time.sleep(60)"
READ, WRITE = os.pipe()
for _ in range(8):
    if os.fork() == 0:
        os.dup2(WRITE, 1)
        os.execv(sys.executable, [sys.executable, "-S", "-c", HOLD])
os.close(WRITE)
for _ in range(8):
    os.read(READ, 1)
time.sleep(2)
