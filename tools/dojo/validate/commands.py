"""The command line of tools/validate."""

import functools
import sys
import time
from collections.abc import Callable, Collection, Sequence
from textwrap import indent
from typing import Annotated, NoReturn

import typer
from rich.markup import escape

from dojo import catalog, cli, console
from dojo.catalog import Catalog, Kata
from dojo.results import Outcome
from dojo.stubs import MarkerError
from dojo.suite import devices as present_devices
from dojo.validate import Finding, bands, device_record, exams, hardware, marks, mutants, parts
from dojo.validate.patches import PatchError

PROBLEMS = (
    catalog.CatalogError,
    catalog.UnknownKata,
    MarkerError,
    mutants.MutantsError,
    PatchError,
    present_devices.DeviceError,
)
# What was a flag and is a command.
OLD_FLAGS = {
    "--write-stubs": "stubs",
    "--marks": "marks",
    "--bands": "bands",
    "--mutants": "mutants",
    "--device": "device NAME",
    "--devices": "devices",
    "--exams": "exams N",
}

app = cli.app(
    "parts",
    "Proves that stubs, references, tests and tools are right: one line each, exit code 1 if one is"
    " not. `python tools/validate [KATA]...` is the command `parts`; the others measure one thing.",
)

Katas = Annotated[list[str] | None, typer.Argument(metavar="[KATA]...", help="Only these katas.")]
Record = Annotated[bool, typer.Option("--record", help="Also write the figures down.")]
Job = tuple[str, Callable[[], Finding]]  # a title, and what finds out


def main() -> NoReturn:
    """Run the command line."""
    flags = (word.partition("=")[0] for word in sys.argv[1:])
    for flag in (flag for flag in flags if flag in OLD_FLAGS):
        cli.unable(f"{flag} is a command now: `python tools/validate {OLD_FLAGS[flag]}`.")
    cli.main("python tools/validate", app, *PROBLEMS)


@app.command("parts")
def run_parts(kata: Katas = None, record: Record = False) -> None:
    """Prove that stubs, references, tests and tools are right (the default); where katas are named,
    not the tools.
    """
    chosen, jobs = _catalog(kata), []
    for part in (part for part in parts.PARTS if part.of_katas or not kata):
        look = part.look
        if look is parts.references_pass:
            look = functools.partial(parts.references_pass, write_record=record)
        jobs.append((part.title, functools.partial(look, chosen)))
    _report(console.screen(), jobs)


@app.command()
def stubs(kata: Katas = None) -> None:
    """Generate katas/k*.py from the references."""
    chosen = _catalog(kata)
    _report(console.screen(), [("stubs", lambda: parts.write_stubs(chosen))])


@app.command()
def device(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="cuda, mps, cpu, simulated, or all present.")
    ],
    kata: Katas = None,
) -> None:
    """Validate the references on a device that is present, and write its record."""
    chosen, screen = _catalog(kata), console.screen()
    say = functools.partial(_say_lastingly, screen)
    jobs = {
        f"references on {present}": functools.partial(hardware.validate, present, chosen.katas, say)
        for present in present_devices.present(name)
    }
    _report(screen, jobs.items())


@app.command()
def devices(kata: Katas = None) -> None:
    """Show what the records say of each device."""
    chosen, screen = _catalog(kata), console.screen()
    records, broken = device_record.load()
    screen.console.print(device_record.table(chosen.katas, records))
    for record in records:
        screen.console.print(escape(device_record.summary(record)))
    for name in broken:
        screen.console.print(
            f"[red]reference/validation/{name} can't be read: delete it and validate on that device"
            " again[/]"
        )
    raise typer.Exit(1 if broken else 0)


@app.command("marks")
def measure_marks(kata: Katas = None) -> None:
    """Measure the pass marks over 1,000 seeds; hours, goes on after an interruption."""
    _measure("pass marks", marks.measure, _catalog(kata))


@app.command("bands")
def measure_bands(kata: Katas = None) -> None:
    """Measure where the references' losses lie while they train; minutes."""
    _measure("loss bands", bands.measure, _catalog(kata))


@app.command("mutants")
def judge_mutants(kata: Katas = None, record: Record = False) -> None:
    """Judge small changes of the references: does a test fail for each? Slow."""
    chosen, screen = _catalog(kata), console.screen()

    def judged(kata: Kata) -> Finding:
        def progress(done: int, total: int) -> None:
            _say(screen, f"{screen.bar(done, total)} {done} of {total} mutants of {kata.name}")

        report = mutants.try_out(kata, progress)
        if record and not report.problems:
            mutants.record(kata, report.figures)
        return report.finding

    jobs = {f"mutants of {kata.name}": functools.partial(judged, kata) for kata in chosen.katas}
    _report(screen, jobs.items())


@app.command("exams")
def try_exams(
    draws: Annotated[
        int,
        typer.Argument(
            metavar="N",
            min=0,
            help=f"Draws of each solution, of a mistake {exams.MOST_OF_A_MISTAKE} at most; 0 for"
            " all draws, hours.",
        ),
    ],
    kata: Katas = None,
    record: Record = False,
) -> None:
    """Try the exams out: do they let right solutions pass, and no known mistake?"""
    chosen, screen = _catalog(kata), console.screen()

    def say(text: str) -> None:
        _say(screen, f"[dim]{text}[/]")

    jobs = {
        f"exam of {kata.name}": functools.partial(exams.examine, kata, draws, record, say)
        for kata in chosen.katas
        if exams.has_exam(kata)
    }
    _report(screen, jobs.items())


def _catalog(names: Sequence[str] | None) -> Catalog:
    """The catalog, with these katas alone if any are named."""
    whole = catalog.load()
    return whole.only([whole.find(name) for name in names]) if names else whole


def _measure(
    title: str, measure: Callable[[Catalog, Callable[[str], None]], Finding], chosen: Catalog
) -> None:
    screen = console.screen()
    say = functools.partial(_say_lastingly, screen)
    _report(screen, [(title, lambda: measure(chosen, say))])


def _report(screen: console.Screen, jobs: Collection[Job]) -> NoReturn:
    """Do each job, and show a line of it: its title, its scope and the seconds it took; and its
    problems. Ends with exit code 1 if there are any.
    """
    failed = 0
    for title, find in jobs:
        begin = time.monotonic()
        _say(screen, f"[dim]… {title}[/]")
        finding = find()
        failed += bool(finding.problems)
        mark = screen.mark(Outcome.FAILED if finding.problems else Outcome.PASSED)
        seconds = f"{time.monotonic() - begin:.1f} s"
        screen.console.print(f"{mark:<8} {title:<42} {escape(finding.scope):<34} {seconds:>8}")
        for style, texts in (("dim", finding.notes), ("red", finding.problems)):
            for text in texts:
                screen.console.print(f"[{style}]{escape(indent(text, '    '))}[/]")
    print(f"{len(jobs) - failed} passed, {failed} failed")
    raise typer.Exit(1 if failed else 0)


def _say(screen: console.Screen, text: str) -> None:
    """Show a line, in rich markup, until the next one is shown; nothing where output is kept."""
    if screen.console.is_terminal:
        screen.console.print(text, end="\r")


def _say_lastingly(screen: console.Screen, text: str) -> None:
    screen.console.print(f"[dim]{escape(text)}[/]")
