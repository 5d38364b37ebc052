"""What lies in a tar, packed with gzip or not."""

import gzip
import io
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import BinaryIO

from dojo.grade.intake import bounds
from dojo.grade.intake.bounds import Metered, Refused
from dojo.grade.intake.crowd import Crowd
from dojo.grade.intake.selection import Member, never

BLOCK = tarfile.BLOCKSIZE
LONGEST_HEADER = 16 * 1024


@contextmanager
def members(file: BinaryIO) -> Iterator[list[Member]]:
    """The tar's members, folders left out. They can be loaded as long as the context lasts.

    Raises:
        Refused: it has more than the bounds allow, or is damaged in the middle.
        tarfile.TarError and others: it is damaged.
    """
    stream = Metered(file, LONGEST_HEADER)
    with tarfile.open(fileobj=stream, mode="r:") as archive:
        found, crowd = [], Crowd()
        for info in archive:
            if crowd.has_to_be_seen(info.name, info.isdir()):
                found.append(_member(stream, info))
            archive.members.clear()  # else it keeps all their headers
        stream.seek(archive.offset)
        if stream.read(BLOCK).strip(b"\0"):  # tarfile takes a header that it can't read for the end
            raise Refused("is damaged in the middle")
        yield found


@contextmanager
def packed_members(file: BinaryIO) -> Iterator[list[Member]]:
    """As members(), of a tar packed with gzip."""
    with members(io.BytesIO(_unpacked(file))) as found:
        yield found


def _unpacked(file: BinaryIO) -> bytes:
    stream, data = Metered(file, bounds.MIB), bytearray()
    with gzip.GzipFile(fileobj=stream) as unpacking:
        while chunk := unpacking.read(4 * bounds.CHUNK):
            data += chunk
            if len(data) > bounds.TOTAL_BYTES:
                raise Refused(f"unpacks to more than {bounds.TOTAL_BYTES // bounds.MIB} MiB")
            if len(data) > max(bounds.MIB, bounds.RATIO * stream.tell()):
                raise Refused(f"unpacks to more than {bounds.RATIO} times its size")
    if not is_tar(data):
        raise Refused("holds no tar")
    return bytes(data)


def is_tar(head: bytes | bytearray) -> bool:
    """Whether this is how a tar begins."""
    return head[257:262] == b"ustar"


def _member(stream: Metered, info: tarfile.TarInfo) -> Member:
    if refusal := _refusal(info):
        return Member(info.name, never, refusal)
    return Member(info.name, partial(_load, stream, info.offset_data, info.size))


def _refusal(info: tarfile.TarInfo) -> str:
    if info.issym() or info.islnk():
        return "is a link: links are not followed"
    if not info.isreg():
        return "is a device or something else that is no file"
    if info.issparse():
        return "is a sparse file"
    return ""


def _load(stream: Metered, begin: int, size: int) -> bytes:
    if size > bounds.FILE_BYTES:
        raise Refused(f"is larger than {bounds.FILE_BYTES // bounds.MIB} MiB")
    stream.seek(begin)
    data = b""
    while chunk := stream.read(min(size - len(data), bounds.CHUNK)):
        data += chunk
    if len(data) != size:
        raise Refused("breaks off in the middle")
    return data
