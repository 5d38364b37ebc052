# class:     silence
# attack:    stops itself and all around it, without ending
# contained: ended from outside
# added to:  stub
# ends:      from outside
# suite:     model: failed, train: failed, boundary: failed
# verdict:   model: failed, train: failed, boundary: failed

import os
import signal

for target in (0, -1, os.getpid(), os.getppid()):
    try:
        os.kill(target, signal.SIGSTOP)
    except OSError:
        pass
signal.pause()
