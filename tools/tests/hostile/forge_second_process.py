# class:     daemonised children; inherited descriptors
# attack:    a process that was left behind goes on reporting for a kata that has crashed
# contained: it ends with the first process
# added to:  stub
# ends:      by itself
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


import time

if os.fork() == 0:
    time.sleep(0.2)
    tell(json.dumps([{"event": "end", "code": 0}]).encode())
    time.sleep(60)
os._exit(0)
