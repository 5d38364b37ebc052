"""The command line of tools/validate."""

import functools
import sys
import time
import tomllib
from collections.abc import Sequence
from textwrap import indent
from typing import Annotated, NoReturn

import typer
from rich.markup import escape

from dojo import ROOT, catalog, console
from dojo.results import Outcome
from dojo.stubs import MarkerError
from dojo.validate import mutant_record, parts
from dojo.validate import mutants as mutation
from dojo.validate.patches import PatchError

RECORDS = ("--mutants", "--exams")  # jobs that write their record only if asked to

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main() -> NoReturn:
    try:
        app(prog_name="python tools/validate")
    except (
        catalog.CatalogError,
        catalog.UnknownKata,
        MarkerError,
        mutant_record.MutantsError,
        PatchError,
    ) as problem:
        sys.stderr.write(f"{problem}\n")
        sys.exit(2)
    sys.exit(0)


@app.command()
def validate(
    kata: Annotated[
        list[str] | None,
        typer.Argument(metavar="[KATA]...", help="Only these katas, and not the tools."),
    ] = None,
    write_stubs: Annotated[
        bool,
        typer.Option(
            "--write-stubs", help="Write katas/k*.py anew from the references, then stop."
        ),
    ] = False,
    marks: Annotated[
        bool,
        typer.Option("--marks", help="Measure the pass marks over many seeds (long), then stop."),
    ] = False,
    bands: Annotated[
        bool,
        typer.Option(
            "--bands", help="Measure where the references' losses lie while they train, then stop."
        ),
    ] = False,
    record: Annotated[
        bool, typer.Option("--record", help="Also write down what the references reach.")
    ] = False,
    mutants: Annotated[
        bool,
        typer.Option(
            "--mutants",
            help="Only judge small changes of the references: does a test fail for each? (slow)",
        ),
    ] = False,
    device: Annotated[
        str,
        typer.Option(
            "--device",
            metavar="NAME",
            help="Only validate there: cuda, mps, cpu, simulated, or all present.",
        ),
    ] = "",
    exams: Annotated[
        int | None,
        typer.Option(
            "--exams",
            metavar="N",
            min=0,
            help="Only try the exams out, N draws each; 0 for as many as figures need.",
        ),
    ] = None,
    devices: Annotated[
        bool, typer.Option("--devices", help="Only show what the records say of each device.")
    ] = False,
) -> None:
    """Prove that stubs, references, tests and tools are right: one line each, exit code 1 if one is
    not.
    """
    known = catalog.load()
    chosen = parts.PARTS
    only = {
        "--write-stubs": write_stubs,
        "--marks": marks,
        "--bands": bands,
        "--mutants": mutants,
        "--exams": exams is not None,
        "--device": bool(device),
        "--devices": devices,
    }
    _refuse_what_does_not_go_together([name for name, given in only.items() if given], record)
    if kata:
        known = known.only([known.find(name) for name in kata])
        chosen = [part for part in parts.PARTS if part.of_katas]
    if write_stubs:
        for kata in known.katas:
            (ROOT / "katas" / f"{kata.name}.py").write_text(
                parts.generated_stub(kata), encoding="utf-8", newline="\n"
            )
        print(f"{len(known.katas)} stubs written.")
        return
    screen = console.screen()
    if marks:
        raise typer.Exit(_measure_marks(known, screen))
    if bands:
        raise typer.Exit(_measure_bands(known, screen))
    if mutants:
        raise typer.Exit(1 if _mutants(known, screen, record) else 0)
    if exams is not None:
        raise typer.Exit(1 if _exams(known, screen, exams, record) else 0)
    if devices:
        raise typer.Exit(_show_card(known, screen))
    if device:
        raise typer.Exit(_validate_on(device, known, screen))
    raise typer.Exit(1 if _parts(chosen, known, screen, record) else 0)


def _refuse_what_does_not_go_together(jobs: Sequence[str], record: bool) -> None:
    """Raises typer.BadParameter: nothing that was asked for is left out without a word."""
    if len(jobs) > 1:
        raise typer.BadParameter(f"{' and '.join(jobs)} are jobs of their own: give one of them.")
    if record and jobs and jobs[0] not in RECORDS:
        raise typer.BadParameter(
            f"--record goes with {', '.join(RECORDS)} or a plain validation: leave it out with"
            f" {jobs[0]}."
        )


def _parts(
    chosen: Sequence[parts.Part], known: catalog.Catalog, screen: console.Screen, record: bool
) -> int:
    """Look at each part, a line each; how many have problems."""
    failed = 0
    for part in chosen:
        look = (
            functools.partial(part.look, write_record=record)
            if part.look is parts.references_pass
            else part.look
        )
        begin = time.monotonic()
        if screen.console.is_terminal:
            screen.console.print(f"[dim]… {part.title}[/]", end="\r")
        finding = look(known)
        failed += bool(finding.problems)
        outcome = Outcome.FAILED if finding.problems else Outcome.PASSED
        seconds = f"{time.monotonic() - begin:.1f} s"
        screen.console.print(
            f"{screen.mark(outcome):<8} {part.title:<42} {escape(finding.scope):<34} {seconds:>8}"
        )
        for problem in finding.problems:
            screen.console.print(f"[red]{escape(indent(problem, '    '))}[/]")
    print(f"{len(chosen) - failed} passed, {failed} failed")
    return failed


def _validate_on(wanted: str, known: catalog.Catalog, screen: console.Screen) -> int:
    """Examine the devices and write their records. One that is absent is never passed: exit code 2,
    and no record.
    """
    from dojo.suite import devices
    from dojo.validate import device_record, hardware

    try:
        present = devices.present(wanted)
    except devices.DeviceError as problem:
        sys.stderr.write(f"{problem}\n")
        return 2
    failed = False
    for device in present:
        say = functools.partial(screen.console.print, f"[dim]{device}:[/]")
        made, problems = hardware.examine(device, known.katas, say)
        path = device_record.write(made)
        for problem in problems:
            screen.console.print(f"[red]{escape(indent(problem, '    '))}[/]")
        outcome = screen.mark(Outcome.FAILED if problems else Outcome.PASSED)
        print(f"{len(problems)} problems on {device} ({made.model})")
        screen.console.print(f"{outcome} {path.relative_to(ROOT).as_posix()} written")
        failed |= bool(problems)
    return 1 if failed else 0


def _show_card(known: catalog.Catalog, screen: console.Screen) -> int:
    from dojo.validate import card

    records, broken = card.load()
    screen.console.print(card.table(known.katas, records))
    for line in card.summary(records):
        screen.console.print(escape(line))
    for name in broken:
        screen.console.print(
            f"[red]reference/validation/{name} can't be read: delete it and validate on that device"
            " again[/]"
        )
    return 1 if broken else 0


def _measure_marks(known: catalog.Catalog, screen: console.Screen) -> int:
    from dojo.validate import marks, pedigree

    old = tomllib.loads(marks.FILE.read_text(encoding="utf-8"))
    measured = marks.measure(marks.candidates(known), known.katas, say=screen.console.print)
    new = pedigree.entries(old, measured)
    marks.FILE.write_text(pedigree.to_toml(new), encoding="utf-8", newline="\n")
    problems = pedigree.problems({name: new[name] for one in measured for name in one.right})
    for problem in problems:
        screen.console.print(f"[red]{escape(problem)}[/]")
    print(f"{len(new)} marks written to tests/pass_marks.toml, {len(problems)} problems")
    return 1 if problems else 0


def _measure_bands(known: catalog.Catalog, screen: console.Screen) -> int:
    from dojo.validate import bands

    katas = {kata.short for kata in known.katas}
    kept = {
        name: entry for name, entry in bands.read().items() if name.partition(".")[0] not in katas
    }
    measured = bands.measure(known, say=screen.console.print)
    bands.FILE.write_text(bands.to_toml(kept | measured), encoding="utf-8", newline="\n")
    problems = parts.bands_were_measured(known).problems
    for problem in problems:
        screen.console.print(f"[red]{escape(problem)}[/]")
    print(f"{len(measured)} bands written to tests/loss_bands.toml, {len(problems)} problems")
    return 1 if problems else 0


def _mutants(known: catalog.Catalog, screen: console.Screen, write_record: bool) -> int:
    """Judge the mutants of each kata, a line for each and what became of the survivors; how many
    katas have problems.
    """

    def progress(done: int, total: int) -> None:
        if screen.console.is_terminal:
            screen.console.print(
                f"{screen.bar(done, total)} {done} of {total} mutants of {kata.name}", end="\r"
            )

    failed = 0
    for kata in known.katas:
        begin = time.monotonic()
        report = mutation.look(kata, progress)
        if write_record and not report.problems:
            mutant_record.record(
                kata.name,
                report.figures,
                mutation.code_hash(kata),
                mutation.tests_hash(kata.name)[:16],
            )
        failed += bool(report.problems)
        scope = "{killed} of {total} killed, {equivalent} equivalent".format(**report.figures)
        mark, seconds = (
            screen.mark(Outcome.FAILED if report.problems else Outcome.PASSED),
            f"{time.monotonic() - begin:.1f} s",
        )
        screen.console.print(f"{mark:<8} {'mutants of ' + kata.name:<42} {scope:<34} {seconds:>8}")
        for mutant in report.equivalent:
            told = f"equivalent, {mutant.diff}\n  because {report.listed[mutant.key]}"
            screen.console.print(f"[dim]{escape(indent(told, '    '))}[/]")
        for problem in report.problems:
            screen.console.print(f"[red]{escape(indent(problem, '    '))}[/]")
    print(f"{len(known.katas) - failed} passed, {failed} failed")
    return failed


def _exams(known: catalog.Catalog, screen: console.Screen, draws: int, write_record: bool) -> int:
    """Try out each exam, a line each; how many have problems."""
    from dojo.validate import exam_record, exams

    def progress(text: str) -> None:
        if screen.console.is_terminal:
            screen.console.print(f"[dim]{text}[/]", end="\r")

    failed = 0
    for kata in filter(exams.has_exam, known.katas):
        begin = time.monotonic()
        outcomes = exams.try_out(
            kata, (lambda solution: draws) if draws else exams.long_run(kata), progress
        )
        problems = [
            f"it asks nothing about {task}, or no such task is there"
            for task in exams.unasked(kata)
        ]
        problems += exams.problems(kata, outcomes)
        counted = exams.figures(outcomes)
        if write_record and not problems:
            exam_record.write(kata.name, exams.key(kata), counted)
        failed += bool(problems)
        scope = "{mistakes} mistakes, {reference} + {variants} draws".format(**vars(counted))
        mark, seconds = (
            screen.mark(Outcome.FAILED if problems else Outcome.PASSED),
            f"{time.monotonic() - begin:.1f} s",
        )
        screen.console.print(f"{mark:<8} {'exam of ' + kata.name:<42} {scope:<34} {seconds:>8}")
        for problem in problems:
            screen.console.print(f"[red]{escape(indent(problem, '    '))}[/]")
    print(f"{failed} exams have problems")
    return failed
