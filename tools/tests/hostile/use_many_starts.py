# class:     endless output
# attack:    as many tests as it may claim, and as many starts of them as fit into its messages
# contained: tests are found by their id, the events of a child are counted, and its time ends also
# within a message
# added to:  stub
# ends:      from outside
# suite:     model: failed, train: failed, boundary: failed
# verdict:   model: failed, train: failed, boundary: failed

import json
import os
import struct


def tell(events):
    """Send a message of one's own on everything that is open."""
    text = json.dumps(events, separators=(",", ":")).encode()
    for descriptor in range(3, 64):
        try:
            rest = struct.pack("!i", len(text)) + text
            while rest:
                rest = rest[os.write(descriptor, rest) :]
        except OSError:
            pass


TASKS = ("model", "train", "boundary")
TESTS = [
    {"id": str(number), "task": TASKS[number % 3], "name": "", "device": ""}
    for number in range(10_000)
]
tell([{"event": "loaded"}, {"event": "collected", "tests": TESTS}])
while True:
    tell([{"event": "start", "id": "9999"}] * 100_000)
