"""The gradebook: a transaction for each record, each of them on the disk before the next one
begins.

Records are only ever added. The newest of a student is the one that counts, and all others are
history.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Self

from dojo.grade.gradebook import documents, file
from dojo.grade.records import Record

_COLUMNS = "SELECT number, key, id, at, document FROM record"
_Row = tuple[int, str, str, str, str]


@dataclass(frozen=True)
class Kept:
    """A record as it is kept.

    Attributes:
        number: counts up with every record.
        at: when it was added, in local time: "2026-11-20T12:03:59".
    """

    number: int
    key: str
    at: str
    record: Record


class Gradebook:
    """The records of one folder of grades."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        """Not to be called: open() and view() make it."""
        self._path, self._connection = path, connection

    @classmethod
    @contextmanager
    def open(cls, folder: Path) -> Iterator[Self]:
        """The gradebook of a folder, made where it is missing, for this process alone. Errors as
        for file.to_write().
        """
        with file.to_write(folder) as connection:
            yield cls(folder / file.NAME, connection)

    @classmethod
    @contextmanager
    def view(cls, folder: Path) -> Iterator[Self]:
        """The gradebook of a folder, only to be read. Errors as for file.to_read()."""
        with file.to_read(folder) as connection:
            yield cls(folder / file.NAME, connection)

    def secret(self) -> bytes:
        """32 random bytes, made once for each gradebook: what an exam asks can't be known without
        them.
        """
        return self._meta("secret")

    def find(self, key: str, after: int = 0) -> Kept | None:
        """The newest record with this key, of those with a higher number than `after`. One that
        can't be read is none.
        """
        return _first(
            self._rows("WHERE key = ? AND number > ? ORDER BY number DESC LIMIT 1", key, after)
        )

    def newest(self, student: str) -> Kept | None:
        """The record that counts for a student. One that can't be read is none."""
        return _first(self._rows("WHERE id = ? ORDER BY number DESC LIMIT 1", student))

    def newest_number(self, student: str) -> int:
        """The number of the record that counts for a student; 0 if there is none."""
        with file.told(self._path):
            return self._connection.execute(
                "SELECT coalesce(max(number), 0) FROM record WHERE id = ?", (student,)
            ).fetchone()[0]

    def add(self, key: str, record: Record) -> None:
        """Keep a record. When this returns, it is on the disk.

        Raises:
            GradebookError: it could not be kept; all others still are.
        """
        row = (
            key,
            record.id,
            datetime.now().isoformat(timespec="seconds"),
            documents.written(record),
        )
        with file.transaction(self._path, self._connection):
            self._connection.execute(
                "INSERT INTO record (key, id, at, document) VALUES (?, ?, ?, ?)", row
            )

    def history(self, student: str) -> tuple[Kept | None, ...]:
        """All records of a student, the newest last. One that can't be read is none."""
        return tuple(map(_readable, self._rows("WHERE id = ? ORDER BY number", student)))

    def ids(self) -> tuple[str, ...]:
        """Of all students who have a record, by name."""
        with file.told(self._path):
            return tuple(
                name
                for (name,) in self._connection.execute(
                    "SELECT DISTINCT id FROM record ORDER BY id"
                )
            )

    def begin_regrading(self) -> int:
        """Remember that everything is to be run again, until end_regrading(). A regrading that was
        broken off goes on.

        Returns:
            the number after which records belong to this regrading.
        """
        if (since := self._meta("regrading since")) is not None:
            return since
        with file.transaction(self._path, self._connection):
            (last,) = self._connection.execute(
                "SELECT coalesce(max(number), 0) FROM record"
            ).fetchone()
            self._connection.execute("INSERT INTO meta VALUES ('regrading since', ?)", (last,))
        return last

    def end_regrading(self) -> None:
        """Whatever regrading there was has come to its end."""
        if self._meta("regrading since") is not None:
            with file.transaction(self._path, self._connection):
                self._connection.execute("DELETE FROM meta WHERE name = 'regrading since'")

    def _meta(self, name: str) -> bytes | int | None:
        with file.told(self._path):
            row = self._connection.execute(
                "SELECT value FROM meta WHERE name = ?", (name,)
            ).fetchone()
        return row[0] if row else None

    def _rows(self, where: str, *values: object) -> list[_Row]:
        """All of them at once: nothing may be left to ask when the file is closed."""
        with file.told(self._path):
            return self._connection.execute(f"{_COLUMNS} {where}", values).fetchall()


def _first(rows: list[_Row]) -> Kept | None:
    return _readable(rows[0]) if rows else None


def _readable(row: _Row) -> Kept | None:
    """A row as a record; None if it can't be read, so that it is made anew."""
    number, key, student, at, text = row
    try:
        record = documents.read(text)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
    return Kept(number, key, at, record) if record.id == student else None
