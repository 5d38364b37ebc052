"""The command line of tools/check. `list` and `hint` never import torch; only `run` does."""

import json
import sys
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.markup import escape

from dojo import ROOT, UserError, catalog, cli, console
from dojo.check.hints import OpenHints
from dojo.stubs import open_regions
from dojo.suite.unit import ACCEPTED, is_device

EXIT_STOPPED = 130
BEFORE_STATE = 47  # columns of a line of `list`

app = cli.app(
    "run",
    "Shows where you stand in the katas: what is green, what is next, what is wrong with"
    " it.\n\n`python tools/check` runs all katas, `python tools/check k06` one of them: that is"
    " the command `run`, and its name may be left out. Exit code: 0 all passed, 1 not all"
    " passed, 2 the command could not do its work.",
)

KataName = Annotated[
    str,
    typer.Argument(metavar="KATA", help="A number, a name, or a part of a name: 6, k06, logistic."),
]
TaskName = Annotated[
    str, typer.Argument(metavar="[TASK]", help="One of the kata's tasks, such as model.")
]


def main() -> NoReturn:
    """Run the command line."""
    cli.end_cleanly()
    cli.main("python tools/check", app, UserError)


def _remember(keep: Callable[..., str], *arguments: object) -> None:
    """Keep something in the learner's state. The command goes on if it fails, and reports that."""
    try:
        notice = keep(*arguments)
    except OSError as error:
        why = f"{error.filename or '.progress.json'} can't be written ({error.strerror or error})"
        notice = f"{why}: this was not remembered."
    if notice:
        sys.stderr.write(f"{notice}\n")


@app.command()
def run(
    kata: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[KATA [TASK]...]...",
            help="Only these katas: 6, k06, logistic; or only these tasks of one: k06 train.",
        ),
    ] = None,
    target: Annotated[str, typer.Option(help="The folder of kata files to check.")] = "katas",
    device: Annotated[str, typer.Option(help=f"Where placement tests run: {ACCEPTED}.")] = "auto",
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON document on standard output, nothing else.")
    ] = False,
    printed: Annotated[
        bool, typer.Option("--printed", help="Also show what your code printed in green tests.")
    ] = False,
    words: Annotated[
        bool, typer.Option("--words", help="In words alone, for a screen reader: no drawings.")
    ] = False,
    watch: Annotated[
        bool, typer.Option("--watch", "-w", help="Stay, and answer every save of a kata's file.")
    ] = False,
) -> None:
    """Run the tests and show where you stand (the default)."""
    from dojo import reference_results
    from dojo.check import aside, closing, naming, running, screens, store
    from dojo.check.state import State

    if not is_device(device):
        cli.unable(f"--device {device}: choose {ACCEPTED}.")
    if printed and not kata:
        cli.unable("--printed shows one kata's output: name it, as in `check k06 --printed`.")
    screen = console.screen(words)
    everything = catalog.load()
    asked_for = naming.asked_for(everything, kata or [])
    chosen = list(asked_for)
    if watch:
        _watch(everything, chosen, target, device, as_json, screen)
    before = store.hashes(each.name for each in chosen or everything.katas)
    try:
        is_own = running.find_target(target) == store.KATAS
        progress_on = Console(stderr=True, quiet=True) if as_json else screen.console
        verdict = running.judge(target, chosen or list(everything.katas), device, progress_on)
    except KeyboardInterrupt:
        sys.stderr.write("\nStopped.\n")
        raise typer.Exit(EXIT_STOPPED) from None
    if is_own:
        _remember(lambda: store.record(verdict, before, device=device))
    records = reference_results.read()
    verdict = naming.only(verdict, asked_for)
    if as_json:
        print(json.dumps(verdict.to_json(), indent=2, allow_nan=False))
    elif chosen:
        state = store.read()[0] if is_own else State()
        for each, result in zip(chosen, verdict.katas, strict=True):
            after = screens.after_green(everything, each, state) if is_own else ()
            screens.kata(screen, each, result, records.get(each.name), printed, after)
    else:
        screens.overview(screen, everything, verdict, records)
        if verdict.passed:
            state = store.read()[0] if is_own else State()
            screens.closing(screen, closing.page(everything, state))
    if is_own:
        if chosen and verdict.passed and not as_json and device == "auto":
            command = f"python tools/check compare {chosen[-1].short}"
            screen.console.print(f"[dim]Yours beside the reference's: {command}[/]")
        if aside.left_over(ROOT):
            sys.stderr.write(
                f"An update was interrupted, and work of yours lies in {aside.FOLDER}:"
                " `python tools/check update` puts it back.\n"
            )
    raise typer.Exit(0 if verdict.passed else 1)


def _watch(
    everything: catalog.Catalog,
    chosen: list[catalog.Kata],
    target: str,
    device: str,
    as_json: bool,
    screen: console.Screen,
) -> NoReturn:
    """Watch mode, until the learner quits."""
    from dojo.check import running
    from dojo.check.watch import session

    if as_json or len(chosen) > 1:
        remedy = "give it one name at most, and no --json."
        cli.unable(f"--watch shows one kata at a time, on a screen: {remedy}")
    if not (sys.stdin.isatty() and sys.stdout.isatty()) or screen.console.is_dumb_terminal:
        remedy = "leave it out where output goes to a file, a pipe or a plain console."
        cli.unable(f"--watch needs a terminal of its own: {remedy}")
    folder = running.find_target(target)
    kata = chosen[0] if chosen else None
    raise typer.Exit(session.watch(everything, folder, kata, device, screen))


@app.command("list")
def list_katas() -> None:
    """List all stages and katas: how hard they are, how long they take, what is still to write."""
    shown = console.screen().console
    out = shown.print
    for stage in catalog.load().stages:
        out(f"\n[bold]Stage {stage.number}[/]  {escape(stage.title)}")
        for kata in stage.katas:
            try:
                text = (ROOT / "katas" / f"{kata.name}.py").read_text(encoding="utf-8")
                still_open = open_regions(text)
                names = [task.name for task in kata.tasks if task.name in still_open]
                state = f"{len(names)} to write" if names else "written"
                longer = f"{state}: {', '.join(names)}"
                if names and len(longer) <= shown.width - BEFORE_STATE:
                    state = longer
            except (OSError, UnicodeDecodeError):
                state = "no readable file"
            effort = f"{kata.difficulty:<6} {kata.minutes:>3} min"
            out(f"  {kata.short}  {escape(kata.title):<22} {effort}   [dim]{state}[/]")
    out("\n[dim]python tools/check k01 runs one kata, python tools/check runs all of them.[/]")


@app.command()
def hint(
    kata: Annotated[
        str, typer.Argument(metavar="[KATA]", help="Without it: the kata you are at.")
    ] = "",
    task: TaskName = "",
    solution: Annotated[
        bool, typer.Option("--solution", help="After the last hint: one way to write it.")
    ] = False,
) -> None:
    """Open one more hint for the task you are at, and show those that are open: from a nudge to
    nearly the code.
    """
    from dojo.check import hints, screens, store
    from dojo.check import state as states

    screen, everything = console.screen(), catalog.load()
    chosen = everything.find(kata) if kata else None
    state, notice = store.read()
    _remember(lambda: notice)
    edited = store.edited(each.name for each in everything.katas)
    asked_for = hints.asked_for(state, everything, chosen, task, edited, store.content_hash)
    if not asked_for:
        also = "`hint KATA` shows that kata's hints and further reading."
        print(f"Everything passed at the last check. {also}")
    if solution:
        _solution(screen, asked_for)
    for shown in asked_for if not solution else ():
        if shown.was_green:
            screens.hints(screen, shown, hints.pages(shown.kata.reference_text(), shown.task.name))
        else:
            opened = states.after_hint(state, shown.kata.name, shown.task, datetime.now())
            _remember(store.open_hint, shown.kata.name, shown.task)
            screens.hints(screen, hints.open_hints(opened, shown.kata, shown.task))


def _solution(screen: console.Screen, asked_for: list[OpenHints]) -> None:
    """Show the reference's code of these tasks, if it is time, and remember that it was shown."""
    from dojo.check import hints, screens, store

    for shown in asked_for:
        if why := hints.too_early(shown, datetime.now()):
            cli.unable(why)
        _remember(store.solution_shown, shown.kata.name, shown.task)
        lines = hints.solution(shown.kata.reference_text(), shown.task.name)
        screens.solution(screen, shown.kata, shown.task, lines)


@app.command()
def compare(kata: KataName, task: TaskName = "") -> None:
    """Show your code of a task beside the reference's, once it is green."""
    from dojo.check import compare as comparing
    from dojo.check import hints, screens, store

    screen, chosen = console.screen(), catalog.load().find(kata)
    state, notice = store.read()
    _remember(lambda: notice)
    asked_for = [hints.task_of(chosen, task)] if task else list(chosen.tasks)
    content = store.content_hash(chosen.name)
    green = [each for each in asked_for if state.of(chosen.name, each.name).is_green(content)]
    if not green:
        cli.unable(comparing.refusal(chosen, asked_for, state, content))
    yours = (store.KATAS / f"{chosen.name}.py").read_text(encoding="utf-8")
    for each in green:
        parts = comparing.parts(yours, chosen.reference_text(), each.name)
        screens.comparison(screen, chosen, each, parts)
    if later := [each.name for each in asked_for if each not in green]:
        screen.console.print(f"\n[dim]Once green: {', '.join(later)}[/]")


@app.command()
def update() -> None:
    """Bring a newer version of the katas, and keep your work."""
    from dojo.check import screens
    from dojo.check import update as updating

    screen = console.screen()
    try:
        for name, path in updating.repair(ROOT):
            back = "is in its place again"
            beside = f"has changed since: what you had before is in {path}"
            print(f"The last update was interrupted: {name} {back if name == path else beside}.")
        done = updating.update(ROOT, lambda text: screen.console.print(f"[dim]{text}[/]"))
        screens.updated(screen, done)
    except KeyboardInterrupt:
        sys.stderr.write("\nStopped. Your katas are as they were.\n")
        raise typer.Exit(EXIT_STOPPED) from None


@app.command()
def reset(
    kata: KataName, yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False
) -> None:
    """Put a kata's file back to its stub; what you wrote is kept in a copy beside it."""
    from dojo.check import store

    chosen = catalog.load().find(kata)
    path, text = store.KATAS / f"{chosen.name}.py", store.stub(chosen)
    name = f"katas/{path.name}"
    if store.is_stub(path, text):
        print(f"{name} is the stub already: nothing to do.")
        return
    question = f"Put {name} back to its stub? What is there is kept in a copy."
    if path.exists() and not yes and not typer.confirm(question):
        print("Nothing was changed.")
        raise typer.Exit(1)
    print(store.reset(path, text, datetime.now()))
