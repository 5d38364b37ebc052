"""The gradebook's file: opened by one process at a time, checked, made where it is missing; and
what is said of its errors.
"""

import contextlib
import errno
import os
import secrets
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path

from dojo import lock

NAME, LOCK = "gradebook.sqlite", ".gradebook.lock"
# "kata", in the file's header, so that nobody else's database is taken for a gradebook
OURS = 0x6B617461
SCHEMA = 1
_TABLES = (
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL)",
    (
        "CREATE TABLE record (number INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL, id TEXT"
        " NOT NULL, at TEXT NOT NULL, document TEXT NOT NULL)"
    ),
    "CREATE INDEX record_of_key ON record (key, number)",
    "CREATE INDEX record_of_id ON record (id, number)",
)
_LITTLE = 64 * 1024
_FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))


class GradebookError(Exception):
    """The gradebook can't be used; the message is one sentence for the user, saying what to do.
    Nothing in it is lost.
    """


@contextmanager
def to_write(folder: Path) -> Iterator[sqlite3.Connection]:
    """The file of a folder, made where it is missing, for this process alone.

    Raises:
        GradebookError: another process works on it, it is of a newer version, it is broken, or
            there is no room.
    """
    path = folder / NAME
    with ExitStack() as stack:
        with told(path):
            # grades are nobody else's business
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            try:
                stack.enter_context(
                    lock.alone(
                        folder / LOCK, f"process {os.getpid()}, since {datetime.now():%H:%M}"
                    )
                )
            except lock.Taken as holder:
                told_of = f" ({holder})" if str(holder) else ""
                raise GradebookError(
                    f"{folder} is in use by another `grade`{told_of}: wait until it has ended, or"
                    " give another --out."
                ) from None
            with contextlib.suppress(FileExistsError):
                os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
            connection = stack.enter_context(
                contextlib.closing(sqlite3.connect(path, isolation_level=None))
            )
            _prepare(path, connection)
        yield connection


@contextmanager
def to_read(folder: Path) -> Iterator[sqlite3.Connection]:
    """The file of a folder, only to be read, also while another process works on it.

    Raises:
        GradebookError: there is none, there is nothing in it yet, it is of a newer version, or
            broken.
    """
    path = folder / NAME
    with ExitStack() as stack:
        with told(path):
            if not path.is_file():
                raise GradebookError(
                    f"{folder} has no gradebook: give the folder of the grades with --out."
                )
            connection = stack.enter_context(contextlib.closing(_reader(path)))
            _check(path, connection)
            # One without our mark was made by a `grade` that came no further; the next one fills
            # it.
            if _number(connection, "application_id") != OURS:
                raise GradebookError(
                    f"{path} is empty, for nothing has been graded there yet: grade first, or give"
                    " another --out."
                )
        yield connection


@contextmanager
def transaction(path: Path, connection: sqlite3.Connection) -> Iterator[None]:
    """All of it or nothing. When it has ended well, it is on the disk.

    Raises:
        GradebookError: it could not be; what was there before still is.
    """
    with told(path):
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            connection.execute("COMMIT")
        except BaseException:
            # an error may have ended the transaction itself
            with contextlib.suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
            raise


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Errors of the database and of the disk as a sentence for the user."""
    try:
        yield
    except sqlite3.OperationalError as error:
        # where not even a helper file can grow, SQLite only says "disk I/O error"
        if "full" in str(error) or _is_full(path):
            raise GradebookError(no_room(path)) from None
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
            raise GradebookError(no_room(path)) from None
        raise GradebookError(
            f"{error.filename or path} can't be used ({error.strerror or error}): give another"
            " --out."
        ) from None


def _is_full(path: Path) -> bool:
    try:
        return shutil.disk_usage(path.parent).free < _LITTLE
    except OSError:
        return False


def no_room(path: Path) -> str:
    return (
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
    if _number(connection, "application_id") == 0:
        with transaction(path, connection):
            for table in _TABLES:
                connection.execute(table)
            connection.execute("INSERT INTO meta VALUES ('secret', ?)", (secrets.token_bytes(32),))
            connection.execute(f"PRAGMA application_id = {OURS}")
            connection.execute(f"PRAGMA user_version = {SCHEMA}")


def _check(path: Path, connection: sqlite3.Connection) -> None:
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    ours, schema = _number(connection, "application_id"), _number(connection, "user_version")
    if ours != OURS and (tables or ours):
        raise GradebookError(f"{path} is a database of another program: give another --out.")
    if ours == OURS and schema > SCHEMA:
        raise GradebookError(
            f"{path} was written by a newer version of torch-katas (schema {schema}, here"
            f" {SCHEMA}): update, then run the same command again."
        )


def _number(connection: sqlite3.Connection, pragma: str) -> int:
    return connection.execute(f"PRAGMA {pragma}").fetchone()[0]


def _reader(path: Path) -> sqlite3.Connection:
    """A connection that changes nothing. In a folder where SQLite can't make its helper files,
    nobody is writing either.
    """
    address = path.absolute().as_uri()
    connection = sqlite3.connect(f"{address}?mode=ro", uri=True)
    try:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.OperationalError:
        connection.close()
        log = path.with_name(f"{NAME}-wal")
        if log.exists() and log.stat().st_size:  # a record may be there and nowhere else yet
            raise
        return sqlite3.connect(f"{address}?immutable=1", uri=True)
    return connection
