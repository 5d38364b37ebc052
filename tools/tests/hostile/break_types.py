# class:     malformed JSON
# attack:    events with fields of the wrong types, in place of a report
# contained: a broken report is no pass, and breaks nothing else
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


for text in (
    *(
        json.dumps([event]).encode()
        for event in (
            {"event": "collected", "tests": [{"id": []}]},
            {"event": "start", "id": {"a": 1}},
            {"event": "start", "id": "no such test"},
            {"event": "result", "id": ["x"], "result": {"name": "x", "outcome": "error"}},
            {
                "event": "result",
                "id": "x",
                "result": {"name": ["x"], "outcome": "error", "message": 5},
            },
            {"event": ["loading"]},
            5,
            {},
        )
    ),
):
    tell(text)
os._exit(0)
