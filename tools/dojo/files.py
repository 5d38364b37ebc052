"""Whole files: written so that no reader finds a part of one, read as typed records, hashed."""

import hashlib
import os
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

import msgspec

Record = TypeVar("Record")
SECONDS_TO_PUT = 2.0
SUMS = "SHA256SUMS"


def write_whole(path: Path, text: str) -> None:
    """Write a text file, and its folder where missing. Readers, and a crash, find the old text or
    the new one and never a part. Raises OSError if it can't be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f"{path.name}.new")
    try:
        with new.open("w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())  # else a crash of the machine could leave an empty file
        put_in_place(new, path)
    except OSError:
        new.unlink(missing_ok=True)
        raise


def put_in_place(new: Path, path: Path) -> None:
    """Rename a file, to a name that another one may have. Windows refuses that while any process
    has one of them open, and virus scanners look into new files: there it is tried for a while.
    """
    end = time.monotonic() + SECONDS_TO_PUT
    while True:
        try:
            new.replace(path)
            return
        except PermissionError:
            if sys.platform != "win32" or time.monotonic() > end:
                raise
            time.sleep(0.02)


def write_json(path: Path, record: object, indent: int = 1) -> None:
    """Write a record as JSON, whole. Raises OSError if it can't be written."""
    document = msgspec.json.format(msgspec.json.encode(record), indent=indent)
    write_whole(path, document.decode() + "\n")


def write_record(path: Path, record: object, indent: int = 1) -> None:
    """Write a record as JSON, and its hash into SUMS beside it: so an edit by hand is seen."""
    write_json(path, record, indent)
    sums = read_sums(path.parent) | {path.name: hash_of(path)}
    lines = (f"{value}  {name}\n" for name, value in sorted(sums.items()))
    write_whole(path.with_name(SUMS), "".join(lines))


def read_sums(folder: Path) -> dict[str, str]:
    """Name of a record → the hash that it was written with, as `sha256sum` writes them."""
    lines = (line.split() for line in content(folder / SUMS).decode().splitlines())
    return {words[1]: words[0] for words in lines if len(words) == 2}


def hash_of(path: Path) -> str:
    """SHA-256 of a text file, whatever its line endings."""
    return hashlib.sha256(content(path)).hexdigest()


def read_json(path: Path, kind: type[Record]) -> Record | None:
    """The record in a JSON file; None where the file is missing or holds something else."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (OSError, ValueError, msgspec.MsgspecError):
        return None


def content(path: Path) -> bytes:
    """The content of a text file, ignoring line-ending style; empty where it is missing."""
    try:
        return path.read_bytes().replace(b"\r\n", b"\n")
    except OSError:
        return b""


def digest(parts: Iterable[bytes | str]) -> str:
    """Hash of these parts in their order, as 64 hexadecimal digits; other parts, another hash."""
    whole = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        whole.update(len(data).to_bytes(8) + data)
    return whole.hexdigest()
