"""What lies in a zip."""

import stat
import struct
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import BinaryIO

from dojo.grade.intake import bounds
from dojo.grade.intake.bounds import Metered, Refused, bounded
from dojo.grade.intake.crowd import Crowd
from dojo.grade.intake.selection import Member, never

LONGEST_DIRECTORY = 40 * bounds.MIB
# a name, or what is added to it: zipfile's time for that grows with the square of its length
LONGEST_FIELD = 4096
# how an entry of the directory begins, and what it has before its fields
_ENTRY, _ENTRY_BYTES = b"PK\x01\x02", 46
_ENCRYPTED = 0x1
# What zip programs write by default. Others can ask for gigabytes of memory to unpack one byte.
_KNOWN = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


@contextmanager
def members(file: BinaryIO) -> Iterator[list[Member]]:
    """The zip's members, folders left out. They can be loaded as long as the context lasts.

    Raises:
        Refused: it has more than the bounds allow.
        zipfile.BadZipFile and others: it is damaged.
    """
    with zipfile.ZipFile(_Looked(file, LONGEST_DIRECTORY)) as archive:
        crowd = Crowd()
        yield [
            _member(archive, one)
            for one in archive.infolist()
            if crowd.has_to_be_seen(_name(one), _is_folder(one))
        ]


class _Looked(Metered):
    """Looks through a directory before zipfile makes an object of each of its entries."""

    def read(self, size: int | None = -1) -> bytes:
        data, at, entries = super().read(size), 0, 0
        while data.startswith(_ENTRY, at) and len(data) >= at + _ENTRY_BYTES:
            name, extra, comment = struct.unpack_from("<HHH", data, at + 28)
            entries += 1
            if max(name, extra) > LONGEST_FIELD:
                raise Refused("has a header that is far too long")
            if entries > bounds.ALL_MEMBERS:
                raise Refused(f"has more than {bounds.ALL_MEMBERS:,} members")
            at += _ENTRY_BYTES + name + extra + comment
        return data


def _name(info: zipfile.ZipInfo) -> str:
    # zipfile cuts a name at its first NUL; the whole one says that something is wrong with it
    return getattr(info, "orig_filename", info.filename)


def _is_folder(info: zipfile.ZipInfo) -> bool:
    return info.filename.endswith(("/", "\\")) and info.file_size == 0


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Member:
    name = _name(info)
    if refusal := _refusal(info):
        return Member(name, never, refusal)
    return Member(name, partial(_load, archive, info))


def _refusal(info: zipfile.ZipInfo) -> str:
    # 0 where the zip comes from a system that has no such kinds
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind == stat.S_IFLNK:
        return "is a link: links are not followed"
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "is a device or something else that is no file"
    if info.filename.endswith(("/", "\\")):
        return "is a folder with content of its own"
    if info.flag_bits & _ENCRYPTED:
        return "is encrypted"
    if info.compress_type not in _KNOWN:
        return "is packed by a rare method"
    if info.file_size > bounds.TOTAL_BYTES:
        return f"claims to unpack to {info.file_size / bounds.MIB:,.0f} MiB"
    return ""


def _load(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    try:
        with archive.open(info) as file:
            return bounded(file, packed=info.compress_size)
    except Refused:
        raise
    except EOFError:
        raise Refused("breaks off in the middle") from None
    except Exception:  # whatever a damaged archive leads a decoder to: this member can't be had
        raise Refused("is damaged in the zip") from None
