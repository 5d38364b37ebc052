"""Grades a class again and again, killed at random moments, and compares the gradebooks with that
of a run nobody disturbed.
"""

import itertools
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from dojo.grade.gradebook import Gradebook
from dojo.grade.records import Record

# seconds, about, of a start, of a submission, and until a kill
START, SUBMISSION, LONGEST = 15.0, 3.0, 60.0
SILENT: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
Histories = Mapping[str, Sequence[Record]]  # student → all records of theirs, the oldest first


@dataclass(frozen=True)
class Kills:
    """What kills did.

    Attributes:
        kills: how many there were.
        gradings: gradebooks that were begun, killed again and again, and finished.
        lost: records that were there before a kill and not after it, or not in the finished
            gradebook.
        repeated: students who were judged more than once.
        equal: gradebooks that equal the undisturbed one.
    """

    kills: int
    gradings: int
    lost: int
    repeated: int
    equal: int


def histories(out: Path) -> dict[str, list[Record]]:
    """The records in a gradebook that can be read."""
    with Gradebook.view(out) as book:
        kept = {student: filter(None, book.history(student)) for student in book.ids()}
        return {student: [entry.record for entry in history] for student, history in kept.items()}


def tried(
    command: Callable[[Path], Sequence[str]],
    fresh: Path,
    undisturbed: Histories,
    kills: int,
    dice: random.Random,
) -> tuple[Kills, list[str]]:
    """Kill so many times in all; what that did, and every difference in a sentence.

    Args:
        command: the command line that grades into a folder.
        fresh: a folder with an empty gradebook, of which each disturbed one is a copy.
    """
    gradings = equal = lost = repeated = 0
    problems: list[str] = []
    for book, gone_before in _killed(command, fresh, kills, dice):
        gone = gone_before + _lost(undisturbed, book)
        twice, different = _repeated(book), _different(undisturbed, book)
        gradings += 1
        equal += not (gone or twice or different)
        lost += len(gone)
        repeated += len(twice)
        problems += gone + twice + different
    return Kills(kills, gradings, lost, repeated, equal), problems


def _killed(
    command: Callable[[Path], Sequence[str]], fresh: Path, kills: int, dice: random.Random
) -> Iterator[tuple[Histories, list[str]]]:
    """Each gradebook, finished, and what was gone after a kill."""
    number = 0
    for count in itertools.count():
        if number >= kills:
            return
        out, is_done = fresh.with_name(f"disturbed-{count}"), False
        problems: list[str] = []
        kept: Histories = {}
        shutil.copytree(fresh, out)
        while number < kills and not is_done:
            is_done = _ends_before_its_kill(command(out), out, len(kept), dice)
            now = histories(out)
            gone = sorted(set(kept) - set(now))
            problems += [f"kill {number}: the record of {student} is gone" for student in gone]
            kept = now
            number += not is_done
            print(f"\rkill {number} of {kills}, {len(kept)} records", end="", flush=True)
        subprocess.run(command(out), **SILENT, check=False)
        yield histories(out), problems


def _ends_before_its_kill(
    grading: Sequence[str], out: Path, kept: int, dice: random.Random
) -> bool:
    """Start, and kill: one time in four while it starts, else within its next submissions."""
    process, begin = subprocess.Popen(grading, **SILENT), time.monotonic()
    is_early, more, moment = dice.random() < 0.25, dice.randint(1, 4), dice.uniform(0, 1)
    while process.poll() is None:
        if is_early or len(histories(out)) >= kept + more or time.monotonic() > begin + LONGEST:
            time.sleep(moment * (START if is_early else SUBMISSION))
            break
        time.sleep(0.1)
    process.kill()
    return process.wait() != -signal.SIGKILL  # 1 is an end as well: there were errors


def _lost(undisturbed: Histories, book: Histories) -> list[str]:
    return [
        f"{student}: no record in a gradebook that was disturbed"
        for student in sorted(set(undisturbed) - set(book))
    ]


def _repeated(book: Histories) -> list[str]:
    return [
        f"{student}: {len(history)} records"
        for student, history in sorted(book.items())
        if len(history) != 1
    ]


def _different(undisturbed: Histories, book: Histories) -> list[str]:
    problems = [
        f"{student}: a record that the undisturbed gradebook has not"
        for student in sorted(set(book) - set(undisturbed))
    ]
    for student in sorted(set(undisturbed) & set(book)):
        if essence(undisturbed[student][-1]) != essence(book[student][-1]):
            problems.append(f"{student}: another record than in the undisturbed gradebook")
    return problems


def essence(record: Record) -> object:
    """A record without what no two runs have in common: how long things took."""

    def timeless(value: object) -> object:
        if isinstance(value, dict):
            return {key: timeless(item) for key, item in value.items() if key != "seconds"}
        return [timeless(item) for item in value] if isinstance(value, list | tuple) else value

    return timeless(asdict(record))
