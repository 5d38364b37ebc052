"""What grading came to when it was last tried on a class of made-up students:
reference/validation/grading.json.

Written by `python tools/bench/grading --record` at the end of a whole run, whatever it found: what
went wrong is in `problems`. It holds the last run, and the last one with kills.
"""

import json
import platform
import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path

from bench.classroom import Student
from dojo import ROOT
from dojo.catalog import Kata
from dojo.grade.records import Record, Status

FILE = ROOT / "reference" / "validation" / "grading.json"


@dataclass(frozen=True)
class Kind:
    """The students of a kind: how many there are, how many have what they have earned, and the
    seconds of one of them.
    """

    students: int
    as_earned: int
    median: float
    slowest: float


@dataclass(frozen=True)
class Kills:
    """What kills did.

    Attributes:
        kills: how many there were.
        gradings: gradebooks that were begun anew, killed again and again, and finished.
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


@dataclass(frozen=True)
class Trial:
    """A run of the grader on made-up students.

    Attributes:
        seconds: of the undisturbed run.
        tasks: status → tasks that have it.
        flags: flag → students who have it.
        problems: what was wrong, in a sentence each.
    """

    date: str
    versions: Mapping[str, str]
    isolation: tuple[str, ...]
    katas: tuple[str, ...]
    students: int
    jobs: int
    seconds: float
    kinds: Mapping[str, Kind]
    tasks: Mapping[str, int]
    flags: Mapping[str, int]
    kills: Kills | None
    problems: tuple[str, ...]


def trial(
    made: Mapping[str, Student],
    found: Mapping[str, Record],
    katas: Sequence[Kata],
    jobs: int,
    seconds: float,
) -> Trial:
    """What an undisturbed run came to.

    Args:
        made: student → what was handed in.
        found: student → the record.
    """
    kinds, problems = {}, []
    for kind in dict.fromkeys(student.kind for student in made.values()):
        own = {name: student for name, student in made.items() if student.kind == kind}
        wrong = {
            name: problem
            for name, student in own.items()
            if (problem := student.problem(found[name]))
        }
        problems += [
            f"{name}, {kind}, {made[name].what}: {problem}" for name, problem in wrong.items()
        ]
        times = [found[name].seconds for name in own]
        kinds[kind] = Kind(
            len(own),
            len(own) - len(wrong),
            round(statistics.median(times), 1),
            round(max(times), 1),
        )
    statuses = Counter(
        task.status for one in found.values() for kata in one.katas for task in kata.tasks
    )
    return Trial(
        date=date.today().isoformat(),
        versions={"python": platform.python_version(), "torch": version("torch").partition("+")[0]},
        isolation=tuple(sorted({one.isolation for one in found.values() if not one.problem})),
        katas=tuple(kata.short for kata in katas),
        students=len(made),
        jobs=jobs,
        seconds=round(seconds, 1),
        kinds=kinds,
        tasks={status: statuses[status] for status in Status},
        flags=dict(Counter(flag for one in found.values() for flag in one.flags)),
        kills=None,
        problems=tuple(problems),
    )


def table(one: Trial) -> str:
    """The kinds of students, for the screen."""
    lines = [f"{'kind':<16} {'students':>8} {'as earned':>10} {'median':>8} {'slowest':>8}"]
    for name, kind in one.kinds.items():
        lines.append(
            f"{name:<16} {kind.students:>8} {kind.as_earned:>10} {kind.median:>6.1f} s"
            f" {kind.slowest:>6.1f} s"
        )
    earned = sum(kind.as_earned for kind in one.kinds.values())
    lines.append(f"{'all':<16} {one.students:>8} {earned:>10} {'':>8} {one.seconds:>6.0f} s in all")
    tasks = ", ".join(f"{number} {status}" for status, number in one.tasks.items() if number)
    flags = ", ".join(f"{number} {flag}" for flag, number in one.flags.items())
    return "\n".join([*lines, "", f"tasks:     {tasks}", f"students:  {flags or 'no flags'}"])


def write(one: Trial, path: Path = FILE) -> None:
    """Keep it in place of the last one of its sort. Raises OSError where that can't be written."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        document = {}
    document["with kills" if one.kills else "undisturbed"] = asdict(one)
    path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
