# class:     endless output
# attack:    valid events without end, so that it never seems silent
# contained: the time for a kata, and for all it says, is limited
# added to:  stub
# ends:      from outside
# suite:     model: failed, train: failed, boundary: failed
# verdict:   model: failed, train: failed, boundary: failed

import json
import os
import struct


def tell(text):
    """Send a message of one's own on everything that is open."""
    for descriptor in range(3, 64):
        try:
            os.write(descriptor, struct.pack("!i", len(text)) + text)
        except OSError:
            pass


while True:
    tell(json.dumps([{"event": "loading"}, {"event": "loaded"}]).encode())
