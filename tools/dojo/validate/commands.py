"""The command line of tools/validate."""

import functools
import sys
import time
import tomllib
from textwrap import indent
from typing import Annotated, NoReturn

import typer
from rich.markup import escape

from dojo import ROOT, catalog, console
from dojo.stubs import MarkerError
from dojo.suite.unit import DEVICES
from dojo.validate import mutants as mutation
from dojo.validate import parts
from dojo.verdict import FAILED, PASSED

app = typer.Typer(
    add_completion=False, pretty_exceptions_enable=False, context_settings={"help_option_names": ["-h", "--help"]}
)


def main() -> NoReturn:
    try:
        app(prog_name="python tools/validate")
    except (catalog.CatalogError, catalog.UnknownKata, MarkerError, mutation.MutantsError) as problem:
        sys.stderr.write(f"{problem}\n")
        sys.exit(2)
    sys.exit(0)


@app.command()
def validate(
    kata: Annotated[list[str] | None, typer.Argument(metavar="[KATA]...", help="Only these katas, and not the tools.")] = None,
    write_stubs: Annotated[
        bool, typer.Option("--write-stubs", help="Write katas/k*.py anew from the references, then stop.")
    ] = False,
    marks: Annotated[bool, typer.Option("--marks", help="Measure the pass marks over many seeds (long), then stop.")] = False,
    record: Annotated[bool, typer.Option("--record", help="Also write down what the references reach.")] = False,
    device: Annotated[
        str | None,
        typer.Option(help="Where references and variants are tested for placement: auto, cpu, cuda, mps or simulated."),
    ] = None,
    mutants: Annotated[
        bool, typer.Option("--mutants", help="Only judge small changes of the references: does a test fail for each? (slow)")
    ] = False,
) -> None:
    """Prove that stubs, references, tests and tools are right: one line each, exit code 1 if one is not."""
    if device not in (None, *DEVICES):
        sys.stderr.write(f"--device {device}: choose {', '.join(DEVICES[:-1])} or {DEVICES[-1]}.\n")
        raise typer.Exit(2)
    known = catalog.load()
    chosen = parts.PARTS
    if kata:
        known = known.only([known.find(name) for name in kata])
        chosen = [part for part in parts.PARTS if part.of_katas]
    if write_stubs:
        for kata in known.katas:
            (ROOT / "katas" / f"{kata.name}.py").write_text(parts.generated_stub(kata), encoding="utf-8", newline="\n")
        print(f"{len(known.katas)} stubs written.")
        return
    screen = console.screen()
    if marks:
        raise typer.Exit(_measure_marks(known, screen))

    if mutants:
        raise typer.Exit(1 if _mutants(known, screen, record) else 0)
    failed = 0
    for part in chosen:
        chosen_device = {"device": device} if device and part.look in (parts.references_pass, parts.variants_pass) else {}
        look = functools.partial(part.look, **chosen_device)
        if part.look is parts.references_pass:
            look = functools.partial(look, write_record=record)
        begin = time.monotonic()
        if screen.console.is_terminal:
            screen.console.print(f"[dim]… {part.title}[/]", end="\r")
        finding = look(known)
        failed += bool(finding.problems)
        outcome = FAILED if finding.problems else PASSED
        seconds = f"{time.monotonic() - begin:.1f} s"
        screen.console.print(f"{screen.mark(outcome):<8} {part.title:<42} {escape(finding.scope):<34} {seconds:>8}")
        for problem in finding.problems:
            screen.console.print(f"[red]{escape(indent(problem, '    '))}[/]")
    print(f"{len(chosen) - failed} passed, {failed} failed")
    raise typer.Exit(1 if failed else 0)


def _measure_marks(known: catalog.Catalog, screen: console.Screen) -> int:
    from dojo.validate import marks

    old = tomllib.loads(marks.FILE.read_text(encoding="utf-8"))
    measured = marks.measure(marks.candidates(known), known.katas, say=screen.console.print)
    new = marks.entries(old, measured)
    marks.FILE.write_text(marks.to_toml(new), encoding="utf-8", newline="\n")
    problems = marks.problems(new, measured)
    for problem in problems:
        screen.console.print(f"[red]{escape(problem)}[/]")
    print(f"{len(new)} marks written to tests/pass_marks.toml, {len(problems)} problems")
    return 1 if problems else 0


def _mutants(known: catalog.Catalog, screen: console.Screen, write_record: bool) -> int:
    """Judge the mutants of each kata, a line for each and what became of the survivors; how many katas have problems."""

    def progress(done: int, total: int) -> None:
        if screen.console.is_terminal:
            screen.console.print(f"{screen.bar(done, total)} {done} of {total} mutants of {kata.name}", end="\r")

    failed = 0
    for kata in known.katas:
        begin = time.monotonic()
        report = mutation.look(kata, progress)
        if write_record and not report.problems:
            mutation.record(report)
        failed += bool(report.problems)
        scope = "{killed} of {total} killed, {equivalent} equivalent".format(**report.figures)
        mark, seconds = screen.mark(FAILED if report.problems else PASSED), f"{time.monotonic() - begin:.1f} s"
        screen.console.print(f"{mark:<8} {'mutants of ' + kata.name:<42} {scope:<34} {seconds:>8}")
        for mutant in report.equivalent:
            told = f"equivalent, {mutant.diff}\n  because {report.listed[mutant.key]}"
            screen.console.print(f"[dim]{escape(indent(told, '    '))}[/]")
        for problem in report.problems:
            screen.console.print(f"[red]{escape(indent(problem, '    '))}[/]")
    print(f"{len(known.katas) - failed} passed, {failed} failed")
    return failed
