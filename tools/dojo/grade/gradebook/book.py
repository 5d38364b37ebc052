"""The gradebook: an SQLite file with a transaction for each record, each of them on the disk before
the next one begins.

Records are only ever added. The newest of a student is the one that counts, and all others are
history.
"""

import contextlib
import errno
import os
import secrets
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from dojo import UserError, lock
from dojo.grade.records import Record, decode, encode

NAME = "gradebook.sqlite"
LOCK = ".gradebook.lock"
OURS = 0x6B617461  # "kata", in the file's header: nobody else's database is taken for a gradebook
SCHEMA = 1
SECRET_BYTES = 32
_TABLES = (
    "CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value BLOB NOT NULL)",
    (
        "CREATE TABLE IF NOT EXISTS record (number INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT"
        " NULL, id TEXT NOT NULL, at TEXT NOT NULL, document TEXT NOT NULL)"
    ),
)
_INDEXES = (
    "CREATE INDEX IF NOT EXISTS record_of_key ON record (key, number)",
    "CREATE INDEX IF NOT EXISTS record_of_id ON record (id, number)",
)
_LITTLE = 64 * 1024  # bytes free on a disk that counts as full
_FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))


class GradebookError(UserError):
    """The gradebook can't be used; nothing in it is lost."""


@dataclass(frozen=True)
class StoredRecord:
    """A record with what the gradebook added to it.

    Attributes:
        number: counts up with every record.
        at: when it was added, in local time: "2026-11-20T12:03:59".
    """

    number: int
    key: str
    at: str
    record: Record


class Gradebook:
    """The records of one folder of grades; open() and view() make it."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self._path = path
        self._connection = connection

    @classmethod
    @contextmanager
    def open(cls, folder: Path) -> Iterator[Self]:
        """The gradebook of a folder, made where it is missing, for this process alone.

        Raises:
            GradebookError: another process works on it, it is of a newer version, it is broken, or
                there is no room.
        """
        path = folder / NAME
        with ExitStack() as stack:
            with _errors_explained(path):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # nobody else's business
                holder = f"process {os.getpid()}, since {datetime.now():%H:%M}"
                try:
                    stack.enter_context(lock.alone(folder / LOCK, holder))
                except lock.Taken as taken:
                    by_whom = f" ({taken})" if str(taken) else ""
                    raise GradebookError(
                        f"{folder} is in use by another `grade`{by_whom}: wait until it has ended,"
                        " or give another --out."
                    ) from None
                with contextlib.suppress(FileExistsError):
                    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
                connection = _connected(path, isolation_level=None)
                stack.enter_context(contextlib.closing(connection))
                _prepare(path, connection)
            yield cls(path, connection)

    @classmethod
    @contextmanager
    def view(cls, folder: Path) -> Iterator[Self]:
        """The gradebook of a folder, only to be read, also while another process works on it.

        Raises:
            GradebookError: there is none, it is empty, of a newer version, or broken.
        """
        path = folder / NAME
        with ExitStack() as stack:
            with _errors_explained(path):
                if not path.is_file():
                    raise GradebookError(
                        f"{folder} has no gradebook: give the folder of the grades with --out."
                    )
                connection = stack.enter_context(contextlib.closing(_reader(path)))
                _check(path, connection)
                # without our mark: made by a `grade` that came no further; the next one fills it
                if _pragma(connection, "application_id") != OURS:
                    raise GradebookError(
                        f"{path} is empty, for nothing has been graded there yet: grade first, or"
                        " give another --out."
                    )
            yield cls(path, connection)

    def secret(self) -> bytes:
        """Random bytes, made once for each gradebook, and anew where they are lost: without them
        nobody can know what an exam asks.
        """
        secret = self._meta("secret")
        if not isinstance(secret, bytes) or len(secret) < SECRET_BYTES:  # it was damaged
            secret = secrets.token_bytes(SECRET_BYTES)
            self._put("secret", secret)
        return secret

    def find(self, key: str, after: int = 0) -> StoredRecord | None:
        """The newest record with this key and a higher number than `after`; None if there is none
        or it can't be read.
        """
        return self._newest("key = ? AND number > ?", key, after)

    def newest(self, student: str) -> StoredRecord | None:
        """The record that counts for a student; None if there is none or it can't be read."""
        return self._newest("id = ?", student)

    def newest_number(self, student: str) -> int:
        """The number of the record that counts for a student; 0 if there is none."""
        ((number,),) = self._rows("SELECT max(number) FROM record WHERE id = ?", student)
        return int(number or 0)

    def add(self, key: str, record: Record) -> None:
        """Keep a record. When this returns, it is on the disk; if it raises GradebookError, all
        others still are.
        """
        row = (key, record.id, datetime.now().isoformat(timespec="seconds"), encode(record))
        insertion = "INSERT INTO record (key, id, at, document) VALUES (?, ?, ?, ?)"
        with _transaction(self._path, self._connection):
            self._connection.execute(insertion, row)

    def history(self, student: str) -> tuple[StoredRecord | None, ...]:
        """All records of a student, the newest last; None in place of one that can't be read."""
        return self._records("id = ? ORDER BY number", student)

    def ids(self) -> tuple[str, ...]:
        """The ids of all students who have a record, in alphabetical order."""
        texts = "WHERE typeof(id) = 'text'"  # others come of damage
        rows = self._rows(f"SELECT DISTINCT id FROM record {texts} ORDER BY id")
        return tuple(student for (student,) in rows)

    def begin_regrading(self) -> int:
        """Remember that everything is to be run again, until end_regrading(). A regrading that was
        broken off goes on. Returns the number after which records belong to this regrading.
        """
        since = self._meta("regrading since")
        if not isinstance(since, int):
            ((since,),) = self._rows("SELECT coalesce(max(number), 0) FROM record")
            self._put("regrading since", since)
        return int(since)

    def end_regrading(self) -> None:
        """Forget the regrading, if there was one."""
        if self._meta("regrading since") is not None:
            with _transaction(self._path, self._connection):
                self._connection.execute("DELETE FROM meta WHERE name = 'regrading since'")

    def _put(self, name: str, value: object) -> None:
        with _transaction(self._path, self._connection):
            self._connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))

    def _meta(self, name: str) -> Any:
        rows = self._rows("SELECT value FROM meta WHERE name = ?", name)
        return rows[0][0] if rows else None

    def _newest(self, where: str, *values: object) -> StoredRecord | None:
        records = self._records(f"{where} ORDER BY number DESC LIMIT 1", *values)
        return records[0] if records else None

    def _records(self, where: str, *values: object) -> tuple[StoredRecord | None, ...]:
        columns = "SELECT number, key, id, at, document FROM record"
        return tuple(_readable(*row) for row in self._rows(f"{columns} WHERE {where}", *values))

    def _rows(self, query: str, *values: object) -> list[Any]:
        """All rows at once: nothing may be left to ask when the file is closed."""
        with _errors_explained(self._path):
            return self._connection.execute(query, values).fetchall()


def _readable(
    number: int, key: str, student: str, at: str, document: object
) -> StoredRecord | None:
    """A row as a record; None if it can't be read, so that the submission is judged again."""
    if not isinstance(document, str) or not document.isascii():  # as encode() makes it
        return None
    try:
        record = decode(document)
    except (ValueError, RecursionError):
        return None
    return StoredRecord(number, key, at, record) if record.id == student else None


@contextmanager
def _transaction(path: Path, connection: sqlite3.Connection) -> Iterator[None]:
    """All of it or nothing. When it has ended well, it is on the disk; if it raises GradebookError,
    what was there before still is.
    """
    with _errors_explained(path), connection:  # which commits, or rolls back
        connection.execute("BEGIN IMMEDIATE")
        yield


@contextmanager
def _errors_explained(path: Path) -> Iterator[None]:
    """Turn errors of the database and of the disk into a GradebookError."""
    try:
        yield
    except sqlite3.OperationalError as error:
        # where not even a helper file can grow, SQLite only says "disk I/O error"
        if "full" in str(error) or _is_full(path):
            raise _no_room(path) from None
        raise GradebookError(
            f"{path} can't be used ({error}): check the disk and that you may write there."
        ) from None
    except sqlite3.DatabaseError as error:
        raise GradebookError(
            f"{path} is broken ({error}); nothing in it was changed. Bring it back from a copy, or"
            " move it away to begin anew."
        ) from None
    except OSError as error:
        if error.errno in _FULL:
            raise _no_room(path) from None
        problem = f"{error.filename or path} can't be used ({error.strerror or error})"
        raise GradebookError(f"{problem}: give another --out.") from None


def _is_full(path: Path) -> bool:
    try:
        return shutil.disk_usage(path.parent).free < _LITTLE
    except OSError:
        return False


def _no_room(path: Path) -> GradebookError:
    return GradebookError(
        f"There is no room left on the disk for {path}: make some and run the same command again."
        " It goes on where it stopped, and nothing that was graded is lost."
    )


def _prepare(path: Path, connection: sqlite3.Connection) -> None:
    """Check the file, and make the tables where it is new."""
    connection.execute("PRAGMA busy_timeout = 10000")  # `grade show` may be reading
    _check(path, connection)
    # some network drives can't: SQLite then stays with its journal
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    is_new = _pragma(connection, "application_id") == 0
    with _transaction(path, connection):
        for table in (*_TABLES, *_INDEXES):  # what else a damaged file lacks is made anew
            connection.execute(table)
        if is_new:
            connection.execute(f"PRAGMA application_id = {OURS}")
            connection.execute(f"PRAGMA user_version = {SCHEMA}")
    if not is_new:
        _mend_indexes(path, connection)


def _mend_indexes(path: Path, connection: sqlite3.Connection) -> None:
    """Make the indexes anew, which follow from the records: damaged ones would hide some."""
    try:
        with _transaction(path, connection):
            connection.execute("REINDEX record")
    except GradebookError:  # damaged so much that they can't even be emptied: forget them
        with _errors_explained(path):
            connection.execute("PRAGMA writable_schema = ON")
            try:
                connection.execute(
                    "DELETE FROM sqlite_schema WHERE type = 'index' AND name LIKE 'record_of_%'"
                )
            finally:
                connection.execute("PRAGMA writable_schema = RESET")
        with _transaction(path, connection):
            for index in _INDEXES:
                connection.execute(index)


def _check(path: Path, connection: sqlite3.Connection) -> None:
    """Refuse another program's database, and a gradebook of a newer version."""
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    mark = _pragma(connection, "application_id")
    schema = _pragma(connection, "user_version")
    if mark != OURS and (tables or mark):
        raise GradebookError(f"{path} is a database of another program: give another --out.")
    if mark == OURS and schema > SCHEMA:
        raise GradebookError(
            f"{path} was written by a newer version of torch-katas (schema {schema}, here"
            f" {SCHEMA}): update, then run the same command again."
        )
    if mark == OURS and "record" not in tables:
        raise sqlite3.DatabaseError("its records are gone")


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])


def _reader(path: Path) -> sqlite3.Connection:
    """A connection that changes nothing. In a folder where SQLite can't make its helper files,
    nobody is writing either.
    """
    address = path.absolute().as_uri()
    connection = _connected(f"{address}?mode=ro", uri=True)
    try:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.OperationalError:
        connection.close()
        log = path.with_name(f"{NAME}-wal")
        if log.exists() and log.stat().st_size:  # a record may be there and nowhere else yet
            raise
        return _connected(f"{address}?immutable=1", uri=True)
    return connection


def _connected(path: Path | str, **options: Any) -> sqlite3.Connection:
    """A connection that reads text even where it is damaged: all of ours is ASCII."""
    connection: sqlite3.Connection = sqlite3.connect(path, **options)
    connection.text_factory = lambda data: data.decode("ascii", "replace")
    return connection
