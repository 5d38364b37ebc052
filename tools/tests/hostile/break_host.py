# class:     inherited descriptors
# attack:    orders to the process that forks the runs, on whatever socket was inherited
# contained: no such socket is inherited
# added to:  stub
# ends:      by itself
# suite:     model: failed, train: failed, boundary: failed
# verdict:   model: failed, train: failed, boundary: failed

import os
import socket

for descriptor in range(3, 256):
    try:
        inherited = socket.socket(fileno=os.dup(descriptor))
        for run in range(100):
            inherited.send(b'{"type": "Kill", "run": %d}' % run)
            inherited.send(b'{"type": "Exited", "run": %d, "code": 0}' % run)
    except OSError:
        pass
