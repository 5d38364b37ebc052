"""The most that is read of a submission: generous, as a kata's file has a few kilobytes."""

import time
from typing import IO

MIB = 1024 * 1024
FILE_BYTES = MIB  # of a kata's file
# of an archive or a folder, folders included; not those below folders that are not looked into
MEMBERS = 10_000
ALL_MEMBERS = 200_000  # those included: a virtual environment with torch has some ten thousands
TOTAL_BYTES = 64 * MIB  # read or unpacked from one submission
RATIO = 200  # of unpacked to packed bytes; text reaches about 20
# from which on the ratio counts: a short file of blank lines packs as well as a bomb
FREE_BYTES = MIB // 4
DEPTH = 12  # folders in each other
PATH_CHARACTERS = 500
SECONDS = 60  # for one submission: some archives are made to be slow
CHUNK = 16 * 1024


class Refused(Exception):
    """A file or an archive is not read; the message is the reason, in words to follow "it"."""


class Metered:
    """A file open for reading that refuses to give more than the bounds allow.

    Args:
        at_once: the most that one read() may return: archives' headers are read in one piece,
            however long they claim to be, and searched in time with the square of that.
    """

    def __init__(self, file: IO[bytes], at_once: int) -> None:
        self._file, self._at_once = file, at_once
        self._left = TOTAL_BYTES
        self._end = time.monotonic() + SECONDS
        self.seek, self.tell, self.seekable = file.seek, file.tell, file.seekable

    def read(self, size: int | None = -1) -> bytes:
        most = self._at_once + 1
        data = self._file.read(most if size is None or size < 0 else min(size, most))
        self._left -= len(data)
        if len(data) > self._at_once:
            raise Refused("has a header that is far too long")
        if self._left < 0:
            raise Refused(f"makes one read more than {TOTAL_BYTES // MIB} MiB")
        if time.monotonic() > self._end:
            raise Refused(f"takes more than {SECONDS} s to read")
        return data

    def close(self) -> None:
        """Leave the file open: it belongs to the caller."""


def bounded(file: IO[bytes], packed: int | None = None) -> bytes:
    """All that a file holds; `packed` is how many bytes it takes in its archive, if it is packed.
    Raises Refused if it is too much for a kata's file, or for so few packed bytes.
    """
    data = b""
    while chunk := file.read(CHUNK):
        data += chunk
        if len(data) > FILE_BYTES:
            raise Refused(f"is larger than {FILE_BYTES // MIB} MiB")
        if packed is not None and len(data) > max(FREE_BYTES, RATIO * packed):
            raise Refused(f"unpacks to more than {RATIO} times its size")
    return data
