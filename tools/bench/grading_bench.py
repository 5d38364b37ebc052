"""What grading a class costs, and whether everybody gets what they have earned.

The class is made up: other right solutions, known mistakes, stubs, attacks, torn archives
(classroom.py). With --kills it is graded again and again, killed at random moments, and the
gradebooks are compared with that of the undisturbed run.
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
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bench.classroom import Student, hand_in, students
from dojo import ROOT, catalog, files
from dojo.catalog import Kata
from dojo.grade.gradebook import Gradebook
from dojo.grade.records import Record, Status

KATAS = "k01,k06,k07"
FILE = ROOT / "reference" / "validation" / "grading.json"
# seconds, about, of a start, of a submission, and until a kill
START, SUBMISSION, LONGEST = 15.0, 3.0, 60.0
SILENT: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}

Histories = Mapping[str, Sequence[Record]]  # student → all records of theirs, the oldest first
Command = Callable[[Path], Sequence[str]]  # the command line that grades into a folder


@dataclass(frozen=True)
class Kills:
    """What kills did."""

    kills: int
    gradings: int  # gradebooks that were begun, killed again and again, and finished
    lost: int  # records that a kill took away, or that the finished gradebook lacks
    repeated: int  # students who were judged more than once
    equal: int  # gradebooks that equal the undisturbed one


@dataclass(frozen=True)
class Kind:
    """The students of a kind."""

    students: int
    as_earned: int  # students who have what they have earned
    median: float  # seconds that one of them takes
    slowest: float


@dataclass(frozen=True)
class Trial:
    """A run of the grader on made-up students."""

    date: str
    versions: Mapping[str, str]
    isolation: tuple[str, ...]
    katas: tuple[str, ...]
    students: int
    jobs: int
    seconds: float  # of the undisturbed run
    kinds: Mapping[str, Kind]
    tasks: Mapping[str, int]  # status → tasks that have it
    flags: Mapping[str, int]  # flag → students who have it
    kills: Kills | None
    problems: tuple[str, ...]  # in a sentence each


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
        group = {f"s{place:04d}": each for place, each in enumerate(students(katas, number))}
        for student in group:
            hand_in(group[student], submissions, student)
        with Gradebook.open(out):  # all gradebooks have one secret, from which exams are drawn
            pass
        shutil.copytree(out, fresh)
        begin = time.monotonic()
        subprocess.run(command(submissions, out, katas, jobs), check=False)
        seconds, undisturbed = time.monotonic() - begin, histories(out)
        if undisturbed.keys() != group.keys():
            raise SystemExit(
                f"{len(undisturbed)} of {len(group)} submissions were graded, the reason is above:"
                " this counts for nothing."
            )
        records = {student: history[-1] for student, history in undisturbed.items()}
        result = trial(group, records, katas, jobs, seconds)
        print(f"\n{table(result)}\n")
        if times:

            def grade(folder: Path) -> Sequence[str]:
                return command(submissions, folder, katas, jobs)

            done, problems = disturbed(grade, fresh, undisturbed, times, random.Random(seed))
            result = replace(result, kills=done, problems=(*result.problems, *problems))
            lost = f"{done.lost} records lost, {done.repeated} repeated"
            equal = f"{done.equal} of {done.gradings} gradebooks equal the undisturbed one"
            print(f"\n{done.kills} kills in {done.gradings} gradings: {lost}; {equal}.")
    print("\n".join(result.problems) or "Everybody has what they have earned.")
    return result


def trial(
    group: Mapping[str, Student],
    records: Mapping[str, Record],
    katas: Sequence[Kata],
    jobs: int,
    seconds: float,
) -> Trial:
    """What an undisturbed run came to; of each student what was handed in and the record."""
    kinds, problems = {}, []
    for kind in dict.fromkeys(student.kind for student in group.values()):
        names = [name for name, student in group.items() if student.kind == kind]
        wrong = [
            f"{name}, {kind}, {group[name].what}: {problem}"
            for name in names
            if (problem := group[name].problem(records[name]))
        ]
        times = [records[name].seconds for name in names]
        median, slowest = round(statistics.median(times), 1), round(max(times), 1)
        kinds[kind] = Kind(len(names), len(names) - len(wrong), median, slowest)
        problems += wrong
    judged = list(records.values())
    tasks = (task for record in judged for kata in record.katas for task in kata.tasks)
    statuses = Counter(task.status for task in tasks)
    return Trial(
        date=date.today().isoformat(),
        versions={"python": platform.python_version(), "torch": version("torch").partition("+")[0]},
        isolation=tuple(sorted({record.isolation for record in judged if not record.problem})),
        katas=tuple(kata.short for kata in katas),
        students=len(group),
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


def histories(out: Path) -> dict[str, list[Record]]:
    """The records in a gradebook that can be read."""
    with Gradebook.view(out) as book:
        return {
            student: [entry.record for entry in book.history(student) if entry]
            for student in book.ids()
        }


def disturbed(
    command: Command, fresh: Path, undisturbed: Histories, kills: int, dice: random.Random
) -> tuple[Kills, list[str]]:
    """Kill so many times in all: what that did, and every difference in a sentence.

    Args:
        command: the command line that grades into a folder.
        fresh: a folder with an empty gradebook, of which each disturbed one is a copy.
    """
    gradings = equal = lost = repeated = 0
    problems: list[str] = []
    for book, gone in _killed(command, fresh, kills, dice):
        gone += [
            f"{student}: no record in a gradebook that was disturbed"
            for student in sorted(undisturbed.keys() - book.keys())
        ]
        counts = {student: len(history) for student, history in sorted(book.items())}
        twice = [f"{student}: {count} records" for student, count in counts.items() if count != 1]
        different = _different(undisturbed, book)
        gradings += 1
        equal += not (gone or twice or different)
        lost += len(gone)
        repeated += len(twice)
        problems += gone + twice + different
    return Kills(kills, gradings, lost, repeated, equal), problems


def _killed(
    command: Command, fresh: Path, kills: int, dice: random.Random
) -> Iterator[tuple[Histories, list[str]]]:
    """Each gradebook, finished, and what was gone after a kill."""
    number = count = 0
    while number < kills:
        out, is_done = fresh.with_name(f"disturbed-{count}"), False
        problems: list[str] = []
        before: Histories = {}
        shutil.copytree(fresh, out)
        while number < kills and not is_done:
            is_done = _ends_before_its_kill(command(out), out, len(before), dice)
            now = histories(out)
            gone = sorted(before.keys() - now.keys())
            problems += [f"kill {number}: the record of {student} is gone" for student in gone]
            before = now
            number += not is_done
            print(f"\rkill {number} of {kills}, {len(now)} records", end="", flush=True)
        count += 1
        subprocess.run(command(out), **SILENT, check=False)
        yield histories(out), problems


def _ends_before_its_kill(
    grading: Sequence[str], out: Path, records: int, dice: random.Random
) -> bool:
    """Start, and kill: one time in four while it starts, else within its next submissions."""
    process, begin = subprocess.Popen(grading, **SILENT), time.monotonic()
    is_early, more, moment = dice.random() < 0.25, dice.randint(1, 4), dice.uniform(0, 1)
    while process.poll() is None:
        if is_early or len(histories(out)) >= records + more or time.monotonic() > begin + LONGEST:
            time.sleep(moment * (START if is_early else SUBMISSION))
            break
        time.sleep(0.1)
    process.kill()
    return process.wait() >= 0  # 1 is an end as well: there were errors


def _different(undisturbed: Histories, book: Histories) -> list[str]:
    problems = [
        f"{student}: a record that the undisturbed gradebook has not"
        for student in sorted(book.keys() - undisturbed.keys())
    ]
    for student in sorted(undisturbed.keys() & book.keys()):
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


def write(result: Trial, path: Path = FILE) -> None:
    """Keep it in place of the last one of its sort. Raises OSError where that can't be written."""
    trials = files.read_json(path, dict[str, Any]) or {}
    trials["with kills" if result.kills else "undisturbed"] = result
    files.write_record(path, trials)


def write_hostile_table() -> None:
    """Show the attacks, and write them to reference/validation/hostile.md."""
    sys.path.insert(0, str(ROOT / "tools" / "tests"))
    import hostile_table

    files.write_whole(hostile_table.FILE, hostile_table.table())
    print(hostile_table.table())


def main() -> None:
    """Run the command line."""
    description = (__doc__ or "").partition("\n")[0]
    parser = argparse.ArgumentParser(prog="python tools/bench/grading", description=description)
    for option, default, text in (
        ("--students", 200, "how many there are (200)"),
        ("--jobs", 2, "submissions judged at a time (2)"),
        ("--kills", 0, "grade once more, killed N times at random moments"),
        ("--seed", 6, "of those moments (6)"),
    ):
        parser.add_argument(option, type=int, default=default, metavar="N", help=text)
    parser.add_argument("--katas", default=KATAS, help=f"what is graded ({KATAS})")
    text = f"keep the figures at the end ({FILE.relative_to(ROOT)})"
    parser.add_argument("--record", nargs="?", type=Path, const=FILE, metavar="FILE", help=text)
    text = "grade nothing: show the attacks, and write reference/validation/hostile.md"
    parser.add_argument("--hostile", action="store_true", help=text)
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
