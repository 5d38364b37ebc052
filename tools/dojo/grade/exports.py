"""grades.csv: a row for each student, for a spreadsheet or the system that the submissions came
from.
"""

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

from dojo import UserError
from dojo.files import write_whole
from dojo.grade.records import KataGrade, Record, Status

NAME = "grades.csv"
COLUMNS = ("id", "points", "points possible", "flags")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


class ExportError(UserError):
    """The table can't be written; the gradebook has everything."""


def write(path: Path, katas: Sequence[str], records: Iterable[Record]) -> None:
    """Write the table, whole or not at all. It is plain ASCII, as ids, flags and names of katas
    are, so that no program needs to be given its encoding.

    Raises:
        ExportError: it can't be; the file that was there before is unchanged.
    """
    check(path)
    try:
        write_whole(path, table(katas, records).encode("ascii", "replace").decode())
    except OSError as error:
        raise ExportError(
            f"{path} can't be written ({error.strerror or error}): if another program has it open,"
            " close it there. Then run the same command again; the grades are kept."
        ) from None


def check(path: Path) -> None:
    """Before any work is done for the table, raise ExportError if it can't be written there."""
    if path.is_dir():
        how = "rename that folder, or give another --out"
        raise ExportError(f"{path} is a folder, and the table of grades goes there: {how}.")


def table(katas: Sequence[str], records: Iterable[Record]) -> str:
    """The text of grades.csv; lines end with CR LF."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([*COLUMNS, *katas])
    writer.writerows(row(record, katas) for record in records)
    return text.getvalue()


def row(record: Record, katas: Sequence[str]) -> list[str]:
    """A student's row. Points that are not known because of an error of ours stay empty: a 0 would
    be taken for a grade.
    """
    by_name = {kata.name: kata for kata in record.katas}
    points = "" if Status.ERROR in record.statuses else number(record.points)
    flags = safe("; ".join(record.flags))
    cells = (_points(by_name.get(kata)) for kata in katas)
    return [safe(record.id), points, number(record.possible), flags, *cells]


def safe(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def number(value: float) -> str:
    """2.0 → "2", 0.1 + 0.2 → "0.3"."""
    return f"{value:.10g}"


def _points(kata: KataGrade | None) -> str:
    if kata is None or any(task.status == Status.ERROR for task in kata.tasks):
        return ""
    return number(kata.points)
