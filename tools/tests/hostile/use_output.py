# class:     endless output
# attack:    endless output by print, and on the descriptors themselves
# contained: cut, and the other tasks are graded as ever
# added to:  reference
# ends:      by itself
# suite:     model: passed, train: passed, boundary: failed
# verdict:   model: verified, train: verified, boundary: failed

import os


def decision_boundary(model, x1):
    for _ in range(2000):
        try:
            os.write(1, b"x" * 65536)
            os.write(2, b"x" * 65536)
        except OSError:
            pass
    while True:
        print("x" * 100_000)
