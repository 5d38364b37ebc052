"""The files in an archive: a zip, or a tar, packed with gzip or not."""

import gzip
import io
import stat
import struct
import tarfile
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO

from dojo.grade.intake import bounds, folders, names
from dojo.grade.intake.bounds import Metered, Refused, bounded
from dojo.grade.intake.selection import Member

_HEAD = 512  # bytes of a file that show what it is
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_GZIP = b"\x1f\x8b"
_OTHERS = {
    b"Rar!": "RAR",
    b"7z\xbc\xaf": "7z",
    b"\xfd7zXZ": "xz",
    b"BZh": "bzip2",
    b"\x28\xb5\x2f\xfd": "zstd",
}
LONGEST_DIRECTORY = 40 * bounds.MIB  # of a zip
LONGEST_HEADER = 16 * 1024  # of a tar
LONGEST_FIELD = 4096  # of a zip's directory: zipfile's time for one grows with its square
# how an entry of a zip's directory begins, and what it has before its fields
_ENTRY, _ENTRY_BYTES = b"PK\x01\x02", 46
_ENCRYPTED = 0x1
# What zip programs write by default. Others can ask for gigabytes of memory to unpack one byte.
_KNOWN_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def is_archive(path: Path) -> bool:
    """True if a file is packed in any way, read here or not."""
    try:
        with folders.open_file(path) as file:
            head = file.read(_HEAD)
    except (OSError, Refused):
        return False
    return _is_tar(head) or head.startswith((*_ZIP, _GZIP, *_OTHERS))


@contextmanager
def members(file: IO[bytes]) -> Iterator[list[Member]]:
    """The archive's files, which can be loaded as long as the context lasts.

    Raises:
        Refused: it is none that is read, has more than the bounds allow, or is damaged.
        tarfile.TarError, zipfile.BadZipFile and others: it is damaged.
    """
    head = file.read(_HEAD)
    file.seek(0)
    if head.startswith(_ZIP):
        with zipfile.ZipFile(_ZipFile(file, LONGEST_DIRECTORY)) as archive:
            yield _files(_in_zip(archive))
    elif head.startswith(_GZIP):
        yield _files(_in_tar(io.BytesIO(_unpacked(file))))
    elif _is_tar(head):
        yield _files(_in_tar(file))
    elif kinds := [kind for magic, kind in _OTHERS.items() if head.startswith(magic)]:
        raise Refused(f"is packed with {kinds[0]}, which is not read: a zip or a tar.gz is")
    else:
        raise Refused("is neither a folder nor a zip nor a tar" if head else "is an empty file")


def _files(members: Iterable[tuple[Member, bool]]) -> list[Member]:
    """The files among these members, each given with True if it is a folder. In a folder that is
    not looked into, the first file stands for all.
    """
    files = []
    unseen = set()  # folders
    seen = 0
    for number, (member, is_folder) in enumerate(members, start=1):
        _refuse_more(number, bounds.ALL_MEMBERS)
        if folder := names.unseen_folder(member.path):
            if is_folder or folder in unseen:
                continue
            unseen.add(folder)
        seen += 1
        _refuse_more(seen, bounds.MEMBERS)
        if not is_folder:
            files.append(member)
    return files


def _refuse_more(count: int, most: int) -> None:
    if count > most:
        raise Refused(f"has more than {most:,} members")


class _ZipFile(Metered):
    """Looks through a directory before zipfile makes an object of each of its entries."""

    def read(self, size: int | None = -1) -> bytes:
        data = super().read(size)
        at = entries = 0
        while data.startswith(_ENTRY, at) and len(data) >= at + _ENTRY_BYTES:
            name, extra, comment = struct.unpack_from("<HHH", data, at + 28)
            entries += 1
            if max(name, extra) > LONGEST_FIELD:
                raise Refused("has a header that is far too long")
            _refuse_more(entries, bounds.ALL_MEMBERS)
            at += _ENTRY_BYTES + name + extra + comment
        return data


def _in_zip(archive: zipfile.ZipFile) -> Iterator[tuple[Member, bool]]:
    for info in archive.infolist():
        # zipfile cuts a name at its first NUL; the whole one shows that something is wrong with it
        name = getattr(info, "orig_filename", info.filename)
        is_folder = info.filename.endswith(("/", "\\")) and info.file_size == 0
        load = partial(_load_from_zip, archive, info)
        yield Member(name, load, _zip_refusal(info)), is_folder


def _zip_refusal(info: zipfile.ZipInfo) -> str:
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
    if info.compress_type not in _KNOWN_METHODS:
        return "is packed by a rare method"
    if info.file_size > bounds.TOTAL_BYTES:
        return f"claims to unpack to {info.file_size / bounds.MIB:,.0f} MiB"
    return ""


def _load_from_zip(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    try:
        with archive.open(info) as file:
            return bounded(file, packed=info.compress_size)
    except Refused:
        raise
    except EOFError:
        raise Refused("breaks off in the middle") from None
    except Exception:  # whatever a damaged archive leads a decoder to
        raise Refused("is damaged in the zip") from None


def _is_tar(head: bytes | bytearray) -> bool:
    return head[257:262] == b"ustar"


def _unpacked(file: IO[bytes]) -> bytes:
    """The tar that is packed with gzip."""
    stream = Metered(file, bounds.MIB)
    data = bytearray()
    with gzip.GzipFile(fileobj=stream) as unpacking:
        while chunk := unpacking.read(4 * bounds.CHUNK):
            data += chunk
            if len(data) > bounds.TOTAL_BYTES:
                raise Refused(f"unpacks to more than {bounds.TOTAL_BYTES // bounds.MIB} MiB")
            if len(data) > max(bounds.MIB, bounds.RATIO * stream.tell()):
                raise Refused(f"unpacks to more than {bounds.RATIO} times its size")
    if not _is_tar(data):
        raise Refused("holds no tar")
    return bytes(data)


def _in_tar(file: IO[bytes]) -> Iterator[tuple[Member, bool]]:
    stream = Metered(file, LONGEST_HEADER)
    # it only reads and seeks
    with tarfile.open(fileobj=stream, mode="r:") as archive:  # type: ignore[call-overload]
        for info in archive:
            load = partial(_load_from_tar, stream, info.offset_data, info.size)
            yield Member(info.name, load, _tar_refusal(info)), info.isdir()
            archive.members.clear()  # else it keeps all their headers
        stream.seek(archive.offset)
    # tarfile takes a header that it can't read for the end
    if stream.read(tarfile.BLOCKSIZE).strip(b"\0"):
        raise Refused("is damaged in the middle")


def _tar_refusal(info: tarfile.TarInfo) -> str:
    if info.issym() or info.islnk():
        return "is a link: links are not followed"
    if not info.isreg():
        return "is a device or something else that is no file"
    return "is a sparse file" if info.issparse() else ""


def _load_from_tar(stream: Metered, begin: int, size: int) -> bytes:
    if size > bounds.FILE_BYTES:
        raise Refused(f"is larger than {bounds.FILE_BYTES // bounds.MIB} MiB")
    stream.seek(begin)
    data = b""
    while chunk := stream.read(min(size - len(data), bounds.CHUNK)):
        data += chunk
    if len(data) != size:
        raise Refused("breaks off in the middle")
    return data
