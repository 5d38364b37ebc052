"""What grading a class costs, and whether everybody gets what they have earned.

The class is made up: other right solutions, known mistakes, stubs, attacks, torn archives
(classroom.py). With --kills it is graded again and again, and killed at random moments (kills.py).
"""

import argparse
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from bench import grading_record, kills
from bench.classroom import hand_in, students
from bench.grading_record import Trial
from dojo import ROOT, catalog
from dojo.catalog import Kata
from dojo.grade.gradebook import Gradebook

KATAS = ("k01", "k06", "k07")


def command(submissions: Path, out: Path, katas: Sequence[Kata], jobs: int) -> list[str]:
    names = ",".join(kata.short for kata in katas)
    return [
        *(sys.executable, str(ROOT / "tools" / "grade"), str(submissions)),
        *("--out", str(out), "--katas", names, "--jobs", str(jobs)),
    ]


def tried(number: int, katas: Sequence[Kata], jobs: int, times: int, seed: int) -> Trial:
    """Grade so many students, and so many times more with a kill; says how it goes.

    Raises:
        SystemExit: not all of them were graded.
    """
    with tempfile.TemporaryDirectory(prefix="torch-katas-") as name:
        submissions, out, fresh = (
            Path(name) / "submissions",
            Path(name) / "grades",
            Path(name) / "fresh",
        )
        submissions.mkdir()
        made = {f"s{number:04d}": one for number, one in enumerate(students(katas, number))}
        for student, one in made.items():
            hand_in(one, submissions, student)
        with Gradebook.open(out):  # all gradebooks have one secret, from which exams are drawn
            pass
        shutil.copytree(out, fresh)
        begin = time.monotonic()
        subprocess.run(command(submissions, out, katas, jobs), check=False)
        seconds, found = time.monotonic() - begin, kills.histories(out)
        if set(found) != set(made):
            raise SystemExit(
                f"{len(found)} of {len(made)} submissions were graded, the reason is above: this"
                " counts for nothing."
            )
        result = grading_record.trial(
            made, {student: history[-1] for student, history in found.items()}, katas, jobs, seconds
        )
        print(f"\n{grading_record.table(result)}\n")
        if times:
            dice = random.Random(seed)
            done, problems = kills.tried(
                lambda place: command(submissions, place, katas, jobs), fresh, found, times, dice
            )
            result = replace(result, kills=done, problems=(*result.problems, *problems))
            lost = f"{done.lost} records lost, {done.repeated} repeated"
            equal = f"{done.equal} of {done.gradings} gradebooks equal the undisturbed one"
            print(f"\n{done.kills} kills in {done.gradings} gradings: {lost}; {equal}.")
    print("\n".join(result.problems) or "Everybody has what they have earned.")
    return result


def write_hostile_table() -> None:
    sys.path.insert(0, str(ROOT / "tools" / "tests"))
    import hostile_table

    hostile_table.FILE.write_text(hostile_table.table(), encoding="utf-8")
    print(hostile_table.table())


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python tools/bench/grading", description=__doc__.partition("\n")[0]
    )
    parser.add_argument(
        "--students", type=int, default=200, metavar="N", help="how many there are (200)"
    )
    parser.add_argument(
        "--katas", default=",".join(KATAS), help=f"what is graded ({','.join(KATAS)})"
    )
    parser.add_argument(
        "--jobs", type=int, default=2, metavar="N", help="submissions judged at a time (2)"
    )
    parser.add_argument(
        "--kills",
        type=int,
        default=0,
        metavar="N",
        help="grade once more, killed N times at random moments",
    )
    parser.add_argument("--seed", type=int, default=6, help="of those moments (6)")
    kept = grading_record.FILE.relative_to(ROOT)
    to = {"nargs": "?", "type": Path, "const": grading_record.FILE, "metavar": "FILE"}
    parser.add_argument("--record", **to, help=f"keep the figures at the end ({kept})")
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
        grading_record.write(result, options.record)
        print(f"The figures are in {options.record}.")
    raise SystemExit(1 if result.problems else 0)
