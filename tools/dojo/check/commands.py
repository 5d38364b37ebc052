"""The command line of tools/check. Only `run` imports more than the catalog and the screen."""

import json
import sys
from datetime import datetime
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.markup import escape
from typer.core import TyperGroup

from dojo import ROOT, catalog, console, record
from dojo.stubs import MarkerError, open_regions
from dojo.suite.unit import DEVICES

UNABLE = 2


class RunByDefault(TyperGroup):
    """`check k06` and `check --json` mean `check run k06` and `check run --json`."""

    def parse_args(self, ctx, args):
        if not args or (args[0] not in self.commands and args[0] not in ("--help", "-h")):
            args = ["run", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=RunByDefault,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Shows where you stand in the katas: what is green, what is next, what is wrong with it.\n\n"
    "`python tools/check` runs all katas, `python tools/check k06` one of them: that is the command `run`, and its name may "
    "be left out. Exit code: 0 all passed, 1 not all passed, 2 the command could not do its work.",
)

KataName = Annotated[str, typer.Argument(metavar="KATA", help="A number, a name, or a part of a name: 6, k06, logistic.")]


def main() -> NoReturn:
    """Run the command line; every error that a person can cause is one sentence and exit code 2."""
    try:
        app(prog_name="python tools/check")
    except (catalog.CatalogError, catalog.UnknownKata, MarkerError) as problem:
        _unable(problem)
    except OSError as error:
        _unable(f"{error.filename or 'A file'}: {error.strerror or error}. Check that it is there and that you may use it.")
    sys.exit(0)


def _unable(problem: object) -> NoReturn:
    sys.stderr.write(f"{problem}\n")
    sys.exit(UNABLE)


@app.command()
def run(
    kata: Annotated[list[str] | None, typer.Argument(metavar="[KATA]...", help="Only these katas: 6, k06, logistic.")] = None,
    target: Annotated[str, typer.Option(help="The folder of kata files to check.")] = "katas",
    device: Annotated[str, typer.Option(help="Where placement tests run: auto, cpu, cuda, mps or simulated.")] = "auto",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on standard output, nothing else.")] = False,
) -> None:
    """Run the tests and show where you stand (the default)."""
    from dojo.check import detail, overview, running

    if device not in DEVICES:
        _unable(f"--device {device}: choose {', '.join(DEVICES[:-1])} or {DEVICES[-1]}.")
    screen = console.screen()
    known = catalog.load()
    chosen = [known.find(name) for name in kata or []]
    try:
        progress_on = Console(stderr=True, quiet=True) if as_json else screen.console
        verdict = running.judge(target, chosen or list(known.katas), device, progress_on)
    except (running.NoTarget, running.NoDevice) as problem:
        _unable(problem)
    except KeyboardInterrupt:
        sys.stderr.write("\nStopped.\n")
        raise typer.Exit(130) from None
    if as_json:
        print(json.dumps(verdict.to_json(), indent=2, allow_nan=False))
    elif chosen:
        records = record.read()
        for one, result in zip(chosen, verdict.katas, strict=True):
            detail.show(screen, one, result, records.get(one.name))
    else:
        overview.show(screen, known, verdict, record.read())
    raise typer.Exit(0 if verdict.passed else 1)


@app.command("list")
def list_katas() -> None:
    """List all stages and katas, and how much of each is still to write."""
    screen = console.screen()
    out = screen.console.print
    for stage in catalog.load().stages:
        out(f"\n[bold]Stage {stage.number}[/]  {escape(stage.title)}")
        for kata in stage.katas:
            try:
                still_open = open_regions((ROOT / "katas" / f"{kata.name}.py").read_text(encoding="utf-8"))
                left = [task.name for task in kata.tasks if task.name in still_open]
                state = f"to write: {', '.join(left)}" if left else "written"
            except (OSError, UnicodeDecodeError):
                state = "no readable file"
            out(f"  {kata.short}  {escape(kata.title):<24} {kata.minutes:>3} min   [dim]{state}[/]")
    out("\n[dim]python tools/check k01 runs one kata, python tools/check runs all of them.[/]")


@app.command()
def hint(
    kata: KataName,
    number: Annotated[int, typer.Argument(metavar="[N]", help="From 1, a nudge, upwards.")] = 1,
    task: Annotated[str | None, typer.Option(help="Of this task alone.")] = None,
) -> None:
    """Give a hint for each task of a kata; higher numbers give more away."""
    from dojo.check import hints

    screen = console.screen()
    found = catalog.load().find(kata)
    try:
        chosen = hints.hints(found, number, task)
    except hints.NoSuchHint as problem:
        _unable(problem)
    screen.console.print(f"[bold]{found.short}  {escape(found.title)}[/]  hint {number}")
    for one, text in chosen:
        screen.console.print(f"\n  [bold]{one.name}[/]  [dim]({number} of {len(one.hints)})[/]")
        screen.console.print(f"  {escape(text)}")
    if any(number < len(one.hints) for one, _ in chosen):
        screen.console.print(f"\n[dim]More: python tools/check hint {found.short} {number + 1}[/]")


@app.command()
def reset(kata: KataName, yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False) -> None:
    """Put a kata's file back to its stub; what you wrote is kept in a copy beside it."""
    from dojo.check import reset as resetting

    found = catalog.load().find(kata)
    path = ROOT / "katas" / f"{found.name}.py"
    text = resetting.stub(found)
    shown = f"katas/{path.name}"
    if resetting.is_stub(path, text):
        print(f"{shown} is the stub already: nothing to do.")
        return
    if path.exists() and not yes and not typer.confirm(f"Put {shown} back to its stub? What is there is kept in a copy."):
        print("Nothing was changed.")
        raise typer.Exit(1)
    backup = resetting.reset(path, text, datetime.now())
    print(f"{shown} is the stub again." + (f" What was there: katas/{backup.name}" if backup else ""))
