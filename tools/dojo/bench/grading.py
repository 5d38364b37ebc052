"""What grading a class costs, and whether everybody gets what they have earned.

The class is made up: other right solutions, known mistakes, stubs, attacks, torn archives (classroom.py). With --kills it is
graded again and again, and killed at random moments.
"""

import argparse
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from dojo import ROOT, catalog
from dojo.bench.classroom import Student, hand_in, students
from dojo.catalog import Kata
from dojo.grade.gradebook import Gradebook
from dojo.grade.records import Record

KATAS = ("k01", "k06", "k07")
START, SUBMISSION, LONGEST = 15.0, 3.0, 60.0  # seconds, about, of a start, of a submission, and until a kill
SILENT: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


def command(submissions: Path, out: Path, katas: Sequence[Kata], jobs: int) -> list[str]:
    names = ",".join(kata.short for kata in katas)
    return [
        *(sys.executable, str(ROOT / "tools" / "grade"), str(submissions)),
        *("--out", str(out), "--katas", names, "--jobs", str(jobs)),
    ]


def records(out: Path) -> dict[str, list[Record]]:
    """Student → all records of theirs, the oldest first."""
    with Gradebook.view(out) as book:
        return {student: [kept.record for kept in book.history(student)] for student in book.ids()}


def essence(record: Record) -> object:
    """A record without what no two runs have in common: how long things took."""

    def timeless(value: object) -> object:
        if isinstance(value, dict):
            return {key: timeless(item) for key, item in value.items() if key != "seconds"}
        return [timeless(item) for item in value] if isinstance(value, list | tuple) else value

    return timeless(record.to_json())


def report(made: Mapping[str, Student], found: Mapping[str, Record], seconds: float) -> tuple[str, list[str]]:
    """The table of kinds, and what is wrong."""
    lines, problems = [f"{'kind':<16} {'students':>8} {'as earned':>10} {'median':>8} {'slowest':>8}"], []
    for kind in dict.fromkeys(student.kind for student in made.values()):
        own = {name: student for name, student in made.items() if student.kind == kind}
        wrong = {name: problem for name, student in own.items() if (problem := student.problem(found[name]))}
        problems += [f"{name}, {kind}, {made[name].what}: {problem}" for name, problem in wrong.items()]
        times = [found[name].seconds for name in own]
        lines.append(
            f"{kind:<16} {len(own):>8} {len(own) - len(wrong):>10} {statistics.median(times):>6.1f} s {max(times):>6.1f} s"
        )
    lines.append(f"{'all':<16} {len(made):>8} {len(made) - len(problems):>10} {'':>8} {seconds:>6.0f} s in all")
    return "\n".join(lines), problems


def killed(
    submissions: Path, fresh: Path, katas: Sequence[Kata], jobs: int, kills: int, dice: random.Random
) -> Iterator[tuple[Path, list[str]]]:
    """Grade again and again, killed so many times at random moments in all; each gradebook, finished, and what a kill lost.

    Args:
        fresh: an empty gradebook, of which each of them is a copy.
    """
    number = 0
    while number < kills:
        out, problems, kept, is_done = fresh.with_name(f"disturbed-{number}"), [], 0, False
        shutil.copytree(fresh, out)
        while number < kills and not is_done:
            is_done = _ends_before_its_kill(command(submissions, out, katas, jobs), out, kept, dice)
            now = len(records(out))
            if now < kept:
                problems.append(f"kill {number}: {kept} records before, {now} after")
            kept, number = now, number + (not is_done)
            print(f"\rkill {number} of {kills}, {kept} records", end="", flush=True)
        subprocess.run(command(submissions, out, katas, jobs), **SILENT, check=False)
        yield out, problems


def _ends_before_its_kill(grading: Sequence[str], out: Path, kept: int, dice: random.Random) -> bool:
    """Start, and kill: one time in four while it starts, else in the middle of its next few submissions."""
    process, begin = subprocess.Popen(grading, **SILENT), time.monotonic()
    is_early, more, moment = dice.random() < 0.25, dice.randint(0, 4), dice.uniform(0, 1)
    while process.poll() is None:
        if is_early or len(records(out)) >= kept + more > kept or time.monotonic() > begin + LONGEST:
            time.sleep(moment * (START if is_early else SUBMISSION))
            break
        time.sleep(0.1)
    process.kill()
    return process.wait() == 0


def differences(one: Mapping[str, Sequence[Record]], other: Mapping[str, Sequence[Record]]) -> list[str]:
    """What the disturbed gradebook has that is not in the undisturbed one, or twice, or otherwise."""
    problems = [f"{student}: {len(history)} records" for student, history in other.items() if len(history) != 1]
    problems += [f"{student}: in one of the gradebooks alone" for student in sorted(set(one) ^ set(other))]
    for student in sorted(set(one) & set(other)):
        if essence(one[student][-1]) != essence(other[student][-1]):
            problems.append(f"{student}: another record")
    return problems


def main() -> None:
    parser = argparse.ArgumentParser(prog="python tools/bench/grading", description=__doc__.partition("\n")[0])
    parser.add_argument("--students", type=int, default=200, metavar="N", help="how many there are (200)")
    parser.add_argument("--katas", default=",".join(KATAS), help=f"what is graded ({','.join(KATAS)})")
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="submissions judged at a time (2)")
    parser.add_argument("--kills", type=int, default=0, metavar="N", help="grade once more, killed N times at random moments")
    parser.add_argument("--seed", type=int, default=6, help="of those moments (6)")
    options = parser.parse_args()
    try:
        katas = [catalog.load().find(name) for name in options.katas.split(",")]
    except (catalog.CatalogError, catalog.UnknownKata) as problem:
        raise SystemExit(str(problem)) from None
    with tempfile.TemporaryDirectory(prefix="torch-katas-") as name:
        submissions, out, fresh = Path(name) / "submissions", Path(name) / "grades", Path(name) / "fresh"
        submissions.mkdir()
        made = {f"s{number:04d}": one for number, one in enumerate(students(katas, options.students))}
        for student, one in made.items():
            hand_in(one, submissions, student)
        with Gradebook.open(out):  # all gradebooks have one secret, from which exams are drawn
            pass
        shutil.copytree(out, fresh)
        begin = time.monotonic()
        subprocess.run(command(submissions, out, katas, options.jobs), check=False)
        seconds, found = time.monotonic() - begin, records(out)
        table, problems = report(made, {student: history[-1] for student, history in found.items()}, seconds)
        print(f"\n{table}\n")
        if options.kills:
            dice, rounds = random.Random(options.seed), 0
            for book, lost in killed(submissions, fresh, katas, options.jobs, options.kills, dice):
                rounds, problems = rounds + 1, [*problems, *lost, *differences(found, records(book))]
            print(f"\n{options.kills} kills in {rounds} gradings; the gradebooks are {'not ' if problems else ''}equal.")
    print("\n".join(problems) or "Everybody has what they have earned.")
    raise SystemExit(1 if problems else 0)
