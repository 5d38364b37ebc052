# class:     descriptors
# attack:    open files without end
# contained: an OSError at the limit
# added to:  stub
# ends:      by itself
# suite:     model: failed, train: failed, boundary: failed
# verdict:   model: failed, train: failed, boundary: failed

import os

HELD = []
while True:
    HELD.append(os.open("/dev/null", os.O_RDONLY))
