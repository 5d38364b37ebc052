"""What grading a class costs, and whether everybody gets what they have earned.

The class is made up: other right solutions, known mistakes, stubs, attacks, torn archives
(classroom.py). With --kills it is graded again and again, and killed at random moments (kills.py).
With --record the figures of a whole run are kept in reference/validation/grading.json, whatever it
found: what went wrong is in `problems`. It holds the last run, and the last one with kills.
"""

import argparse
import platform
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bench import kills
from bench.classroom import Student, hand_in, students
from bench.kills import Kills
from dojo import ROOT, catalog, files
from dojo.catalog import Kata
from dojo.grade.gradebook import Gradebook
from dojo.grade.records import Record, Status

KATAS = "k01,k06,k07"
FILE = ROOT / "reference" / "validation" / "grading.json"


@dataclass(frozen=True)
class Kind:
    """The students of a kind: how many there are, how many have what they have earned, and the
    seconds that one of them takes.
    """

    students: int
    as_earned: int
    median: float
    slowest: float


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


def command(submissions: Path, out: Path, katas: Sequence[Kata], jobs: int) -> list[str]:
    """The command line that grades these submissions."""
    names = ",".join(kata.short for kata in katas)
    options = ["--out", str(out), "--katas", names, "--jobs", str(jobs)]
    return [sys.executable, str(ROOT / "tools" / "grade"), str(submissions), *options]


def tried(number: int, katas: Sequence[Kata], jobs: int, times: int, seed: int) -> Trial:
    """Grade so many students, and so many times more with a kill; prints how it goes.

    Raises:
        SystemExit: not all of them were graded.
    """
    with tempfile.TemporaryDirectory(prefix="torch-katas-") as name:
        submissions, out, fresh = (Path(name) / part for part in ("submissions", "grades", "fresh"))
        submissions.mkdir()
        made = {f"s{number:04d}": one for number, one in enumerate(students(katas, number))}
        for student, one in made.items():
            hand_in(one, submissions, student)
        with Gradebook.open(out):  # all gradebooks have one secret, from which exams are drawn
            pass
        shutil.copytree(out, fresh)
        begin = time.monotonic()
        subprocess.run(command(submissions, out, katas, jobs), check=False)
        seconds, histories = time.monotonic() - begin, kills.histories(out)
        if set(histories) != set(made):
            raise SystemExit(
                f"{len(histories)} of {len(made)} submissions were graded, the reason is above:"
                " this counts for nothing."
            )
        records = {student: history[-1] for student, history in histories.items()}
        result = trial(made, records, katas, jobs, seconds)
        print(f"\n{table(result)}\n")
        if times:
            dice = random.Random(seed)
            done, problems = kills.tried(
                lambda folder: command(submissions, folder, katas, jobs),
                fresh,
                histories,
                times,
                dice,
            )
            result = replace(result, kills=done, problems=(*result.problems, *problems))
            lost = f"{done.lost} records lost, {done.repeated} repeated"
            equal = f"{done.equal} of {done.gradings} gradebooks equal the undisturbed one"
            print(f"\n{done.kills} kills in {done.gradings} gradings: {lost}; {equal}.")
    print("\n".join(result.problems) or "Everybody has what they have earned.")
    return result


def trial(
    made: Mapping[str, Student],
    records: Mapping[str, Record],
    katas: Sequence[Kata],
    jobs: int,
    seconds: float,
) -> Trial:
    """What an undisturbed run came to; of each student what was handed in and the record."""
    kinds, problems = {}, []
    for kind in dict.fromkeys(student.kind for student in made.values()):
        own = {name: student for name, student in made.items() if student.kind == kind}
        wrong = [
            f"{name}, {kind}, {student.what}: {problem}"
            for name, student in own.items()
            if (problem := student.problem(records[name]))
        ]
        times = [records[name].seconds for name in own]
        median, slowest = round(statistics.median(times), 1), round(max(times), 1)
        kinds[kind] = Kind(len(own), len(own) - len(wrong), median, slowest)
        problems += wrong
    judged = list(records.values())
    tasks = (task for record in judged for kata in record.katas for task in kata.tasks)
    statuses = Counter(task.status for task in tasks)
    return Trial(
        date=date.today().isoformat(),
        versions={"python": platform.python_version(), "torch": version("torch").partition("+")[0]},
        isolation=tuple(sorted({record.isolation for record in judged if not record.problem})),
        katas=tuple(kata.short for kata in katas),
        students=len(made),
        jobs=jobs,
        seconds=round(seconds, 1),
        kinds=kinds,
        tasks={status: statuses[status] for status in Status},
        flags=Counter(flag for record in judged for flag in record.flags),
        kills=None,
        problems=tuple(problems),
    )


def table(result: Trial) -> str:
    """The kinds of students, for the screen."""
    lines = [f"{'kind':<16} {'students':>8} {'as earned':>10} {'median':>8} {'slowest':>8}"]
    for name, kind in result.kinds.items():
        times = f"{kind.median:>6.1f} s {kind.slowest:>6.1f} s"
        lines.append(f"{name:<16} {kind.students:>8} {kind.as_earned:>10} {times}")
    earned = sum(kind.as_earned for kind in result.kinds.values())
    seconds = f"{result.seconds:>6.0f} s in all"
    lines.append(f"{'all':<16} {result.students:>8} {earned:>10} {'':>8} {seconds}")
    tasks = ", ".join(f"{number} {status}" for status, number in result.tasks.items() if number)
    flags = ", ".join(f"{number} {flag}" for flag, number in result.flags.items())
    return "\n".join([*lines, "", f"tasks:     {tasks}", f"students:  {flags or 'no flags'}"])


def write(result: Trial, path: Path = FILE) -> None:
    """Keep it in place of the last one of its sort. Raises OSError where that can't be written."""
    kept = files.read_json(path, dict[str, Any]) or {}
    kept["with kills" if result.kills else "undisturbed"] = result
    files.write_json(path, kept)


def write_hostile_table() -> None:
    """Show the attacks, and write them to reference/validation/hostile.md."""
    sys.path.insert(0, str(ROOT / "tools" / "tests"))
    import hostile_table

    files.write_whole(hostile_table.FILE, hostile_table.table())
    print(hostile_table.table())


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        prog="python tools/bench/grading", description=(__doc__ or "").partition("\n")[0]
    )
    for option, default, text in (
        ("--students", 200, "how many there are (200)"),
        ("--jobs", 2, "submissions judged at a time (2)"),
        ("--kills", 0, "grade once more, killed N times at random moments"),
        ("--seed", 6, "of those moments (6)"),
    ):
        parser.add_argument(option, type=int, default=default, metavar="N", help=text)
    parser.add_argument("--katas", default=KATAS, help=f"what is graded ({KATAS})")
    parser.add_argument(
        "--record",
        nargs="?",
        type=Path,
        const=FILE,
        metavar="FILE",
        help=f"keep the figures at the end ({FILE.relative_to(ROOT)})",
    )
    parser.add_argument(
        "--hostile",
        action="store_true",
        help="grade nothing: show the attacks, and write reference/validation/hostile.md",
    )
    options = parser.parse_args()
    if options.hostile:
        write_hostile_table()
        return
    try:
        katas = [catalog.load().find(name) for name in options.katas.split(",")]
    except (catalog.CatalogError, catalog.UnknownKata) as problem:
        parser.error(str(problem))
    if options.record and not options.record.parent.is_dir():  # said now, not after an hour
        parser.error(f"--record {options.record}: there is no folder {options.record.parent}")
    result = tried(options.students, katas, options.jobs, options.kills, options.seed)
    if options.record:
        write(result, options.record)
        print(f"The figures are in {options.record}.")
    raise SystemExit(1 if result.problems else 0)
