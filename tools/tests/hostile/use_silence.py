# class:     silence
# attack:    half a message, then silence, to keep the reader waiting
# contained: nobody waits for the rest
# added to:  stub
# ends:      from outside
# suite:     model: failed, train: failed, boundary: failed
# verdict:   model: failed, train: failed, boundary: failed

import os
import struct
import time

for descriptor in range(3, 64):
    try:
        os.write(descriptor, struct.pack("!i", 1_000_000) + b"[{")
    except OSError:
        pass
time.sleep(3600)
