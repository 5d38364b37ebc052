# class:     huge, sparse or many files; deep folders
# attack:    huge, sparse and many files, and a deep folder
# contained: a small file system in memory, gone afterwards
# added to:  stub
# ends:      by itself
# suite:     model: not started, train: not started, boundary: not started
# verdict:   model: not started, train: not started, boundary: not started

import contextlib
import os

for folder in ("/sandbox", "/dev/shm"):
    with contextlib.suppress(OSError):
        with open(f"{folder}/sparse", "wb") as file:
            file.truncate(1 << 50)
    with contextlib.suppress(OSError):
        with open(f"{folder}/huge", "wb") as file:
            while True:
                file.write(b"x" * (1 << 20))
    with contextlib.suppress(OSError):
        for number in range(100_000):
            open(f"{folder}/{number}", "w").close()
with contextlib.suppress(OSError):
    os.chdir("/sandbox")
    for _ in range(100_000):
        os.mkdir("d")
        os.chdir("d")
