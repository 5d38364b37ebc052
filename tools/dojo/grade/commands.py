"""The command line of tools/grade. Only judging imports torch, when there is something to judge."""

import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console

from dojo import UserError, catalog, cli, console
from dojo.grade import assignment as assignments
from dojo.grade import exports, show, summary, workplace
from dojo.grade.gradebook import Gradebook, GradebookError, versions
from dojo.grade.intake import DEFAULT_PATTERN, Intake, scan
from dojo.grade.judge_pool import NewJudge
from dojo.grade.records import NOT_ISOLATED, Record, Status
from dojo.grade.run import Standing, grade
from dojo.processes import forking

EXIT_STOPPED = 130
MOST_JOBS = 256

app = cli.app("run")
RUN_HELP = (
    "Grades a folder of submissions, and keeps every verdict.\n\n`python tools/grade SUBMISSIONS"
    " --out GRADES`: SUBMISSIONS has a folder, zip or tar for each student; the word `run` may be"
    " left out. Stopped at any moment and started again, it goes on; unchanged work is not run"
    " again. Exit code: 0 every submission is graded, 1 some are not, by an error of ours, 2 the"
    " command could not do its work."
)
SHOW_HINT = (
    "One record in full: `python tools/grade show ID --out GRADES`; `python tools/grade show"
    " --help` has its options."
)

Out = Annotated[Path, typer.Option(metavar="GRADES", help="The folder where the grades are kept.")]


def main() -> NoReturn:
    """Run the command line."""
    cli.main("python tools/grade", app, UserError)


@app.command(help=RUN_HELP, epilog=SHOW_HINT)
def run(
    submissions: Annotated[
        Path, typer.Argument(metavar="SUBMISSIONS", help="Its entries are folders, zips or tars.")
    ],
    out: Out = Path("grades"),
    katas: Annotated[
        list[str] | None, typer.Option(metavar="NAMES", help="Only these katas: k06,k07.")
    ] = None,
    assignment: Annotated[
        Path | None, typer.Option(metavar="FILE", help="What is graded: katas, points, limits.")
    ] = None,
    id_pattern: Annotated[
        str,
        typer.Option(
            metavar="REGEX",
            help="Finds a student's id in an entry's name, as the group `id`.",
            show_default=False,
        ),
    ] = DEFAULT_PATTERN,
    jobs: Annotated[
        int | None,
        typer.Option(
            min=1, max=MOST_JOBS, help="Submissions judged at a time; one a core if left out."
        ),
    ] = None,
    regrade: Annotated[
        bool, typer.Option("--regrade", help="Run unchanged work again, too.")
    ] = False,
    no_sandbox: Annotated[
        bool,
        typer.Option(
            "--no-sandbox",
            help="Run submitted code unconfined, and say so on every record. Dangerous.",
        ),
    ] = False,
) -> None:
    """Grade a folder of submissions (the default)."""
    screen = console.screen()
    graded = assignments.read(assignment, katas or [], catalog.load())
    intake = scan(submissions, graded.katas, id_pattern, skip=out)
    exports.check(out / exports.NAME)
    begin = time.monotonic()
    jobs = jobs or forking.cores()
    isolated = not no_sandbox
    aside = Console(stderr=True, highlight=False)
    progress = summary.ProgressView(aside, Standing(len(intake.entries)))

    @contextmanager
    def judges() -> Iterator[NewJudge]:  # entered only where there is something to judge
        from dojo.grade.judge import judging

        with judging(graded, book.secret(), isolated, jobs, [submissions, out]) as shared:
            progress.judging(_where(shared.isolation))
            yield shared.judge

    try:
        with Gradebook.open(out) as book, workplace.clean(out):
            with progress:
                current = versions(graded, isolated)
                step = progress.show
                stop = progress.stopping
                grade(intake, graded, book, current, judges(), jobs, regrade, step, stop, isolated)
            result = summary.Summary(graded.katas)
            exports.write(out / exports.NAME, intake.katas, result.over(_records(book, intake)))
            gone = sorted(set(book.ids()) - {entry.id for entry in intake.entries})
    except KeyboardInterrupt:
        standing = progress.standing
        sys.stderr.write(
            f"\nStopped. {standing.done:,} of {standing.total:,} submissions are graded and kept:"
            " to go on, run the same command again.\n"
        )
        raise typer.Exit(EXIT_STOPPED) from None
    seconds = time.monotonic() - begin
    summary.show(screen, result, progress.standing, seconds, intake.strays, gone, graded.title)
    example = f"python tools/grade show {intake.entries[0].id} --out {out}"
    screen.console.print(f"\n{out / exports.NAME} is written.", markup=False)
    screen.console.print(f"One of them in full: {example}", markup=False)
    raise typer.Exit(1 if result.tasks[Status.ERROR] else 0)


@app.command("show")
def show_record(
    student: Annotated[str, typer.Argument(metavar="ID", help="A student's id, as in grades.csv.")],
    out: Out = Path("grades"),
    as_json: Annotated[
        bool, typer.Option("--json", help="The whole verdict, one JSON document and nothing else.")
    ] = False,
) -> None:
    """Show the newest record of a student, as the learner would see it."""
    screen = console.screen()
    with Gradebook.view(out) as book:
        typed = student.strip()
        student = show.find_student(typed, book, out)
        history = book.history(student)
    if student != typed:
        sys.stderr.write(
            f"No id is '{typed}'. It is part of this record's id or entry, and of no other's.\n"
        )
    if (newest := history[-1]) is None:
        cli.unable(f"The record of {student} can't be read: grade that submission again.")
    if as_json:
        print(show.document(newest.record))
    else:
        show.show(screen, newest.record, catalog.load(), newest.at, len(history))


def _records(book: Gradebook, intake: Intake) -> Iterator[Record]:
    """The newest record of each student in this folder; GradebookError if one can't be read, which
    can't be after a run.
    """
    for entry in intake.entries:
        if (stored := book.newest(entry.id)) is None:
            problem = f"The record of {entry.id} can't be read"
            raise GradebookError(f"{problem}: run the same command again.")
        yield stored.record


def _where(isolation: str) -> str:
    if isolation == NOT_ISOLATED:
        return (
            "NOT ISOLATED: submitted code runs without a sandbox, and may do whatever you may do on"
            " this machine."
        )
    walls = re.split(r", (?![^(]*\))", isolation.removeprefix("isolated: "))
    return "\n  ".join(["Sandbox:", *walls])
