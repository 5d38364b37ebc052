"""The command line of tools/validate."""

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from textwrap import indent
from typing import Annotated, NoReturn

import typer
from rich.markup import escape

from dojo import catalog, cli, console
from dojo.catalog import Catalog
from dojo.results import Outcome
from dojo.stubs import MarkerError
from dojo.suite import devices as present_devices
from dojo.validate import (
    Finding,
    bands,
    device_record,
    exam_probes,
    exams,
    forging,
    hardware,
    marks,
    mutants,
    parts,
    pins,
    promises,
    ways,
)
from dojo.validate.patches import PatchError
from dojo.validate.promise_files import PromisesError

PROBLEMS = (
    catalog.CatalogError,
    catalog.UnknownKata,
    exam_probes.ExcuseError,
    forging.ForgingError,
    MarkerError,
    mutants.MutantsError,
    PatchError,
    PromisesError,
    pins.PinsError,
    present_devices.DeviceError,
)
EXIT_NOT_RUN = 3  # there is such a device, and it gives nothing to validate on
# What was a flag and is a command.
OLD_FLAGS = {f"--{command}": command for command in ("marks", "bands", "mutants", "devices")}
OLD_FLAGS |= {"--write-stubs": "stubs", "--device": "device NAME", "--exams": "exams N"}

app = cli.app(
    "parts",
    "Proves that stubs, references, tests and tools are right: one line each, exit code 1 if one is"
    " not. `python tools/validate [KATA]...` is the command `parts`; the others measure one thing.",
)

Katas = Annotated[list[str] | None, typer.Argument(metavar="[KATA]...", help="Only these katas.")]
Record = Annotated[bool, typer.Option("--record", help="Also write the figures down.")]
Device = Annotated[
    str, typer.Argument(metavar="NAME", help="cuda, mps, cpu, simulated, or all present.")
]
Draws = Annotated[
    int,
    typer.Argument(
        metavar="N",
        min=0,
        help=f"Draws of each solution, of a mistake {exams.MOST_OF_A_MISTAKE} at most; 0 for"
        " all draws, hours.",
    ),
]
Job = tuple[str, Callable[[], Finding]]  # a title, and what finds out


def main() -> NoReturn:
    """Run the command line."""
    for flag in (word.partition("=")[0] for word in sys.argv[1:]):
        if flag in OLD_FLAGS:
            cli.unable(f"{flag} is a command now: `python tools/validate {OLD_FLAGS[flag]}`.")
    cli.main("python tools/validate", app, *PROBLEMS)


@app.command("parts")
def run_parts(kata: Katas = None, record: Record = False) -> None:
    """Prove that stubs, references, tests and tools are right (the default); where katas are named,
    not the tools.
    """
    chosen = _catalog(kata)
    looks = {part.title: part.look for part in parts.PARTS if part.of_katas or not kata}
    for title, look in looks.items():
        if look is parts.references_pass:
            looks[title] = partial(parts.references_pass, write_record=record)
    _Reporter().run((title, partial(look, chosen)) for title, look in looks.items())


@app.command()
def stubs(kata: Katas = None) -> None:
    """Generate katas/k*.py from the references."""
    _Reporter().run([("stubs", partial(parts.write_stubs, _catalog(kata)))])


@app.command("pins")
def write_pins(
    write: Annotated[bool, typer.Option("--write", help="Write tools/pins anew.")] = False,
    upgrade: Annotated[
        bool, typer.Option("--upgrade", help="Write them with the newest versions that fit.")
    ] = False,
) -> None:
    """Hold the pinned versions against pyproject.toml and the index, or write them anew."""
    job = partial(pins.write, upgrade) if write or upgrade else pins.recorded
    _Reporter().run([("pinned versions", job)])


@app.command()
def device(name: Device, kata: Katas = None) -> None:
    """Validate the references on a device that is present, and write its record."""
    chosen, report = _catalog(kata), _Reporter()
    try:
        names = present_devices.present(name)
    except present_devices.NoMemory as reason:
        sys.stderr.write(f"{reason}\n")
        raise typer.Exit(EXIT_NOT_RUN) from None
    report.run(
        (f"references on {each}", partial(hardware.measure, each, chosen.katas, report.say))
        for each in names
    )


@app.command()
def devices(kata: Katas = None) -> None:
    """Show what the records say of each device."""
    chosen, shown = _catalog(kata), console.screen().console
    records, broken = device_record.load()
    shown.print(device_record.table(chosen.katas, records))
    for record in records:
        shown.print(escape(device_record.summary(record)))
    for name in broken:
        remedy = "delete it and validate on that device again"
        shown.print(f"[red]reference/validation/{name} can't be read: {remedy}[/]")
    raise typer.Exit(1 if broken else 0)


@app.command("marks")
def measure_marks(kata: Katas = None) -> None:
    """Measure the pass marks over 1,000 seeds; hours, goes on after an interruption."""
    report = _Reporter()
    report.run([("pass marks", partial(marks.measure, _catalog(kata), report.say))])


@app.command("ways")
def walk_ways(kata: Katas = None) -> None:
    """Try right solutions on 1,000 fresh seeds: how many ever miss a mark? Hours; goes on after an
    interruption.
    """
    report = _Reporter()
    report.run([("whole ways", partial(ways.measure, _catalog(kata), report.say))])


@app.command("bands")
def measure_bands(kata: Katas = None) -> None:
    """Measure where the references' losses lie while they train; minutes."""
    report = _Reporter()
    report.run([("loss bands", partial(bands.measure, _catalog(kata), report.say))])


@app.command("mutants")
def judge_mutants(kata: Katas = None, record: Record = False) -> None:
    """Judge small changes of the references: does a test fail for each? Slow."""
    report = _Reporter()

    def progress(name: str, done: int, total: int) -> None:
        bar = report.screen.bar(done, total)
        report.show(f"{bar} {done} of {total} mutants of {name}")

    report.run(
        (
            f"mutants of {each.name}",
            partial(mutants.measure, each, record, partial(progress, each.name)),
        )
        for each in _catalog(kata).katas
    )


@app.command("exams")
def try_exams(draws: Draws, kata: Katas = None, record: Record = False) -> None:
    """Try the exams out: do they let right solutions pass, and no known mistake?"""
    report = _Reporter()

    def say(text: str) -> None:
        report.show(f"[dim]{text}[/]")

    report.run(
        (f"exam of {each.name}", partial(exams.measure, each, draws, record, say))
        for each in _catalog(kata).katas
        if exams.has_exam(each)
    )


@app.command("probe")
def probe_exams(kata: Katas = None) -> None:
    """Corrupt the right answers of the exams: is each refused? And does each draw differ?"""
    _Reporter().run(
        (f"answers of {each.name}", partial(exams.probe, each))
        for each in _catalog(kata).katas
        if exams.has_exam(each)
    )


@app.command("forge")
def forge_answers(kata: Katas = None) -> None:
    """Let known mistakes lie about themselves in their exams: which earn their task? Minutes."""
    _Reporter().run(
        (f"lies of {each.name}", partial(exams.lies, each))
        for each in _catalog(kata).katas
        if exams.has_exam(each)
    )


@app.command("promises")
def list_promises(
    kata: Annotated[str, typer.Argument(metavar="KATA", help="One kata.")],
    measure: Annotated[
        bool,
        typer.Option("--try", help="Also show what notices each known mistake; minutes."),
    ] = False,
    only: Annotated[
        str, typer.Option("--only", metavar="WORDS", help="Try mistakes with this in their name.")
    ] = "",
) -> None:
    """Print entries for the sentences of a stub that reference/promises does not account for."""
    chosen = catalog.load()
    meant = chosen.find(kata)
    print(promises.template(meant) or f"# Every sentence of {meant.name} is accounted for.")
    if measure or only:
        lines, finding = promises.measure(meant, chosen, only)
        print("\n".join(lines))
        _Reporter().run([(f"promises of {meant.short}", lambda: finding)])


def _catalog(names: Sequence[str] | None) -> Catalog:
    """The catalog, with these katas alone if any are named."""
    whole = catalog.load()
    return whole.only([whole.find(name) for name in names]) if names else whole


class _Reporter:
    """What a command shows: a line for each job, and how far it has come."""

    def __init__(self) -> None:
        self.screen = console.screen()

    def run(self, jobs: Iterable[Job]) -> NoReturn:
        """Do each job, and show a line of it: its title, its scope and the seconds it took; and its
        problems. Ends with exit code 1 if there are any.
        """
        ends: Counter[Outcome] = Counter()
        for title, find in jobs:
            begin = time.monotonic()
            self.show(f"[dim]… {title}[/]")
            finding = find()
            done = Outcome.SKIPPED if finding.unchecked else Outcome.PASSED
            end = Outcome.FAILED if finding.problems else done
            ends[end] += 1
            mark = self.screen.mark(end)
            seconds = f"{time.monotonic() - begin:.1f} s"
            line = f"{mark:<8} {title:<42} {escape(finding.scope):<34} {seconds:>8}"
            self.screen.console.print(line)
            for style, texts in (("dim", finding.notes), ("red", finding.problems)):
                for text in texts:
                    self.say(indent(text, "    "), style)
        skipped = f", {ends[Outcome.SKIPPED]} not checked" if ends[Outcome.SKIPPED] else ""
        print(f"{ends[Outcome.PASSED]} passed, {ends[Outcome.FAILED]} failed{skipped}")
        raise typer.Exit(1 if ends[Outcome.FAILED] else 0)

    def show(self, markup: str) -> None:
        """Show a line until the next one is shown; nothing where output is kept."""
        if self.screen.console.is_terminal:
            self.screen.console.print(markup, end="\r")

    def say(self, text: str, style: str = "dim") -> None:
        """Show a line that stays."""
        self.screen.console.print(f"[{style}]{escape(text)}[/]")
