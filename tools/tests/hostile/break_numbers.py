# class:     NaN, giant numbers
# attack:    NaN, infinity and giant numbers, in place of a report
# contained: a broken report is no pass, and breaks nothing else
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


RESULT = b'{"name": "x", "outcome": "error", "seconds": NaN}'
for text in (
    b'[{"event": "result", "id": "x", "result": ' + RESULT + b"}]",
    b"[" + b"9" * 100_000 + b"]",
):
    tell(text)
os._exit(0)
