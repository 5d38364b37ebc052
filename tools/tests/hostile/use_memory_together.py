# class:     memory
# attack:    memory in many processes, each below the limit of one
# contained: ended when all together are beyond the limit
# added to:  stub
# ends:      by itself
# suite:     model: failed, train: failed, boundary: failed
# verdict:   model: failed, train: failed, boundary: failed

import os
import time

for _ in range(12):
    if os.fork() == 0:
        HELD = bytearray(b"x" * (200 << 20))
        time.sleep(60)
        os._exit(0)
time.sleep(60)
