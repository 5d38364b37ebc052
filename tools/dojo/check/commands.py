"""The command line of tools/check. Only `run` imports more than the catalog and the screen."""

import json
import os
import signal
import sys
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.markup import escape
from typer.core import TyperGroup

from dojo import ROOT, catalog, console, reference_results
from dojo.stubs import MarkerError, open_regions
from dojo.suite.unit import ACCEPTED, is_device

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
    help=(
        "Shows where you stand in the katas: what is green, what is next, what is wrong with"
        " it.\n\n`python tools/check` runs all katas, `python tools/check k06` one of them: that is"
        " the command `run`, and its name may be left out. Exit code: 0 all passed, 1 not all"
        " passed, 2 the command could not do its work."
    ),
)

KataName = Annotated[
    str,
    typer.Argument(metavar="KATA", help="A number, a name, or a part of a name: 6, k06, logistic."),
]
TaskName = Annotated[
    str, typer.Argument(metavar="[TASK]", help="One of the kata's tasks, such as model.")
]


def main() -> NoReturn:
    """Run the command line; every error that a person can cause is one sentence and exit code 2."""
    _end_politely()
    try:
        app(prog_name="python tools/check")
    except (catalog.CatalogError, catalog.UnknownKata, MarkerError) as problem:
        _unable(problem)
    except OSError as error:
        _unable(
            f"{error.filename or 'A file'}: {error.strerror or error}. Check that it is there and"
            " that you may use it."
        )
    sys.exit(0)


def _end_politely() -> None:
    """A request to end and a closed terminal clear up as every other end does: no process and no
    scratch file is left.
    """
    if os.name != "posix":
        return
    wanted = [
        number
        for number in (signal.SIGTERM, signal.SIGHUP)
        if signal.getsignal(number) is signal.SIG_DFL
    ]

    def end(number: int, frame: object) -> NoReturn:
        for one in wanted:  # a second request must not end the clearing up
            signal.signal(one, signal.SIG_IGN)
        raise SystemExit(128 + number)

    for number in wanted:
        signal.signal(number, end)


def _unable(problem: object) -> NoReturn:
    sys.stderr.write(f"{problem}\n")
    sys.exit(UNABLE)


def _note(keep: Callable[[], str]) -> None:
    """Keep something in the learner's state: what was to be shown does not depend on it, so a
    failure is only told.
    """
    try:
        notice = keep()
    except OSError as error:
        notice = (
            f"{error.filename or '.progress.json'} can't be written ({error.strerror or error}):"
            " this was not remembered."
        )
    if notice:
        sys.stderr.write(f"{notice}\n")


@app.command()
def run(
    kata: Annotated[
        list[str] | None,
        typer.Argument(metavar="[KATA]...", help="Only these katas: 6, k06, logistic."),
    ] = None,
    target: Annotated[str, typer.Option(help="The folder of kata files to check.")] = "katas",
    device: Annotated[str, typer.Option(help=f"Where placement tests run: {ACCEPTED}.")] = "auto",
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON document on standard output, nothing else.")
    ] = False,
    watch: Annotated[
        bool, typer.Option("--watch", "-w", help="Stay, and answer every save of a kata's file.")
    ] = False,
) -> None:
    """Run the tests and show where you stand (the default)."""
    from dojo.check import running, store
    from dojo.check.screens import detail, overview
    from dojo.check.update import aside

    if not is_device(device):
        _unable(f"--device {device}: choose {ACCEPTED}.")
    screen = console.screen()
    known = catalog.load()
    chosen = [known.find(name) for name in kata or []]
    if watch:
        _watch(known, chosen, target, device, as_json, screen)
    before = store.hashes(one.name for one in chosen or known.katas)
    try:
        is_own = running.find_target(target) == store.KATAS
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
        records = reference_results.read()
        for one, result in zip(chosen, verdict.katas, strict=True):
            detail.show(screen, one, result, records.get(one.name))
    else:
        overview.show(screen, known, verdict, reference_results.read())
    if is_own:
        if chosen and verdict.passed and not as_json and device == "auto":
            screen.console.print(
                "[dim]Yours beside the reference's: python tools/check compare"
                f" {chosen[-1].short}[/]"
            )
        _note(lambda: store.record(verdict, before, device=device))
        if aside.left_over(ROOT):
            sys.stderr.write(
                f"An update was interrupted, and work of yours lies in {aside.FOLDER}: "
            )
            sys.stderr.write("`python tools/check update` puts it back.\n")
    raise typer.Exit(0 if verdict.passed else 1)


def _watch(
    known: catalog.Catalog,
    chosen: list[catalog.Kata],
    target: str,
    device: str,
    as_json: bool,
    screen: console.Screen,
) -> NoReturn:
    """Watch mode, until the learner quits."""
    from dojo.check import running, store
    from dojo.check.watch import session

    if as_json or len(chosen) > 1:
        _unable(
            "--watch shows one kata at a time, on a screen: give it one name at most, and no"
            " --json."
        )
    if not (sys.stdin.isatty() and sys.stdout.isatty()) or screen.console.is_dumb_terminal:
        _unable(
            "--watch needs a terminal of its own: leave it out where output goes to a file, a pipe"
            " or a plain console."
        )
    try:
        folder = running.find_target(target)
        code = session.watch(
            known, folder, folder == store.KATAS, chosen[0] if chosen else None, device, screen
        )
    except running.NoTarget as problem:
        _unable(problem)
    raise typer.Exit(code)


@app.command("list")
def list_katas() -> None:
    """List all stages and katas, and how much of each is still to write."""
    screen = console.screen()
    out = screen.console.print
    for stage in catalog.load().stages:
        out(f"\n[bold]Stage {stage.number}[/]  {escape(stage.title)}")
        for kata in stage.katas:
            try:
                still_open = open_regions(
                    (ROOT / "katas" / f"{kata.name}.py").read_text(encoding="utf-8")
                )
                left = [task.name for task in kata.tasks if task.name in still_open]
                state = f"to write: {', '.join(left)}" if left else "written"
            except (OSError, UnicodeDecodeError):
                state = "no readable file"
            out(f"  {kata.short}  {escape(kata.title):<24} {kata.minutes:>3} min   [dim]{state}[/]")
    out("\n[dim]python tools/check k01 runs one kata, python tools/check runs all of them.[/]")


@app.command()
def hint(
    kata: Annotated[
        str, typer.Argument(metavar="[KATA]", help="Without it: the kata you are at.")
    ] = "",
    task: TaskName = "",
) -> None:
    """Open one more hint for the task you are at, and show those that are open: from a nudge to
    nearly the code.
    """
    from dojo.check import docs, hints, store
    from dojo.check import state as states
    from dojo.check.screens import help

    screen, known = console.screen(), catalog.load()
    chosen = known.find(kata) if kata else None
    state, notice = store.read()
    _note(lambda: notice)
    try:
        meant = hints.meant(
            state, known, chosen, task, store.edited(one.name for one in known.katas)
        )
    except hints.NoSuchTask as problem:
        _unable(problem)
    if not meant:
        print(
            "Everything passed when it was last checked. With its name a kata shows its hints, and"
            " what to read on."
        )
    for asked in meant:
        place, one = asked.kata, asked.task
        pages = docs.pages(_reference(place), one.name) if asked.is_green else []
        if not asked.is_green:
            state = states.after_hint(state, place.name, one)
            _note(
                lambda place=place, one=one: store.change(
                    lambda now: states.after_hint(now, place.name, one)
                )[1]
            )
        help.ladder(screen, hints.ladder(state, place, one), pages)


@app.command()
def compare(kata: KataName, task: TaskName = "") -> None:
    """Show your code of a task beside the reference's, once it is green."""
    from dojo.check import compare as comparing
    from dojo.check import hints, store
    from dojo.check.screens import help

    screen, found = console.screen(), catalog.load().find(kata)
    state, notice = store.read()
    _note(lambda: notice)
    try:
        asked = [hints.task_of(found, task)] if task else list(found.tasks)
        content = store.content_hash(found.name)
        green = [one for one in asked if state.of(found.name, one.name).is_green(content)]
        if not green:
            _unable(comparing.refusal(found, asked, state))
        yours = (store.KATAS / f"{found.name}.py").read_text(encoding="utf-8")
        for one in green:
            help.comparison(screen, found, one, comparing.parts(yours, _reference(found), one.name))
    except (hints.NoSuchTask, comparing.NotComparable) as problem:
        _unable(problem)
    if later := [one.name for one in asked if one not in green]:
        screen.console.print(f"\n[dim]Once green: {', '.join(later)}[/]")


def _reference(kata: catalog.Kata) -> str:
    return (ROOT / "reference" / f"{kata.name}.py").read_text(encoding="utf-8")


@app.command()
def update() -> None:
    """Bring a newer version of the katas, and keep your work."""
    from dojo.check.screens import help
    from dojo.check.update import update as updating

    screen = console.screen()
    try:
        for name, place in updating.repair(ROOT):
            where = (
                "is in its place again"
                if name == place
                else f"has changed since: what you had before is in {place}"
            )
            print(f"The last update was interrupted: {name} {where}.")
        help.updated(
            screen, updating.update(ROOT, say=lambda text: screen.console.print(f"[dim]{text}[/]"))
        )
    except updating.CannotUpdate as problem:
        _unable(problem)
    except KeyboardInterrupt:
        sys.stderr.write("\nStopped. Your katas are as they were.\n")
        raise typer.Exit(130) from None


@app.command()
def reset(
    kata: KataName, yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False
) -> None:
    """Put a kata's file back to its stub; what you wrote is kept in a copy beside it."""
    from dojo.check import reset as resetting

    found = catalog.load().find(kata)
    path = ROOT / "katas" / f"{found.name}.py"
    text = resetting.stub(found)
    shown = f"katas/{path.name}"
    if resetting.is_stub(path, text):
        print(f"{shown} is the stub already: nothing to do.")
        return
    if (
        path.exists()
        and not yes
        and not typer.confirm(f"Put {shown} back to its stub? What is there is kept in a copy.")
    ):
        print("Nothing was changed.")
        raise typer.Exit(1)
    backup = resetting.reset(path, text, datetime.now())
    print(
        f"{shown} is the stub again." + (f" What was there: katas/{backup.name}" if backup else "")
    )
