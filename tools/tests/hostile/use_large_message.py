# class:     endless output
# attack:    messages that claim to be, or are, gigantic
# contained: read no further than the limit
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


for descriptor in range(3, 64):
    try:
        os.write(descriptor, struct.pack("!i", -1) + struct.pack("!Q", 1 << 60) + b"x" * 1000)
    except OSError:
        pass
tell(b"[" * (64 << 20))
