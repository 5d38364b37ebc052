"""What lies in a zip."""

import stat
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import BinaryIO

from dojo.grade.intake import bounds
from dojo.grade.intake.bounds import Metered, Refused, bounded
from dojo.grade.intake.choose import Member, never

LONGEST_DIRECTORY = 4 * bounds.MIB
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
    with zipfile.ZipFile(Metered(file, LONGEST_DIRECTORY)) as archive:
        found = archive.infolist()
        if len(found) > bounds.MEMBERS:
            raise Refused(f"has more than {bounds.MEMBERS:,} members")
        yield [_member(archive, info) for info in found if not _is_folder(info)]


def _is_folder(info: zipfile.ZipInfo) -> bool:
    return info.filename.endswith(("/", "\\")) and info.file_size == 0


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Member:
    # zipfile cuts a name at its first NUL; the whole one says that something is wrong with it
    name = getattr(info, "orig_filename", info.filename)
    if refusal := _refusal(info):
        return Member(name, never, refusal)
    return Member(name, partial(_load, archive, info))


def _refusal(info: zipfile.ZipInfo) -> str:
    kind = stat.S_IFMT(info.external_attr >> 16)  # 0 where the zip comes from a system that has no such kinds
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
