"""What a watch session does besides judging, for the learner's own katas: their state, hints,
comparison, reset.

Each deed gives an event; one that can't be done gives a sentence.
"""

import io
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import wraps
from pathlib import Path

from rich.console import Console

from dojo import ROOT
from dojo.catalog import Catalog, Kata
from dojo.check import compare as comparing
from dojo.check import docs, hints, store
from dojo.check import reset as resetting
from dojo.check import state as states
from dojo.check.screens import help
from dojo.check.watch.events import Event, HintOpened, Hints, Noticed, ToRead, WasReset
from dojo.console import Screen
from dojo.results import KataResult, Verdict
from dojo.stubs import MarkerError, open_regions

Deed = Callable[..., Event | None]


def told(deed: Deed) -> Deed:
    """What can't be done is said in a sentence."""

    @wraps(deed)
    def tried(*arguments: object) -> Event | None:
        try:
            return deed(*arguments)
        except OSError as error:
            return Noticed(
                f"{error.filename or 'A file'} can't be used ({error.strerror or error}): nothing"
                " was changed."
            )
        except (MarkerError, comparing.NotComparable, hints.NoSuchTask) as problem:
            return Noticed(f"{problem}")

    return tried


def known(catalog: Catalog) -> tuple[Mapping[str, frozenset[str]], str | None, str]:
    """What the state tells at the start: each kata's tasks that pass with its file as it is, the
    kata the learner is at if the state knows one, and a sentence where the state was broken.
    """
    try:
        state, notice = store.read()
    except OSError as error:
        return (
            {},
            None,
            f"{error.filename} can't be read ({error.strerror}): what passed before is not known.",
        )
    content = store.hashes(kata.name for kata in catalog.katas)
    passed = {
        kata.name: frozenset(
            t.name for t in kata.tasks if state.of(kata.name, t.name).is_green(content[kata.name])
        )
        for kata in catalog.katas
    }
    if not state.katas:
        return passed, None, notice
    at = states.current(state, catalog, store.edited(kata.name for kata in catalog.katas))
    return passed, (at[0].name if at else catalog.katas[-1].name), notice


def worked_on(catalog: Catalog, folder: Path) -> Iterable[Kata]:
    """The katas of which a part is written already, or whose file can't tell."""
    for kata in catalog.katas:
        try:
            still_open = open_regions((folder / f"{kata.name}.py").read_text(encoding="utf-8"))
        except FileNotFoundError:
            continue
        except (OSError, UnicodeDecodeError):
            still_open = {}
        if {task.name for task in kata.tasks} - set(still_open):
            yield kata


@told
def record(results: Iterable[KataResult], before: dict[str, str], device: str) -> Event | None:
    """Keep a verdict in the learner's state."""
    notice = store.record(Verdict("katas", tuple(results)), before, device=device)
    return Noticed(notice) if notice else None


@told
def open_hint(kata: Kata, task: str) -> Event:
    """One more level of a task's hints."""
    one = hints.task_of(kata, task)
    state, _ = store.change(lambda now: states.after_hint(now, kata.name, one))
    return HintOpened(kata.name, Hints(task, hints.ladder(state, kata, one).open, len(one.hints)))


@told
def compare(kata: Kata, look: Screen, width: int) -> Event:
    """The learner's code of every task beside the reference's."""
    yours = (store.KATAS / f"{kata.name}.py").read_text(encoding="utf-8")
    screen = _page(look, width)
    for task in kata.tasks:
        help.comparison(screen, kata, task, comparing.parts(yours, _reference(kata), task.name))
    return ToRead(kata.name, screen.console.file.getvalue())


@told
def all_hints(kata: Kata, look: Screen, width: int) -> Event:
    """Every level of the hints of every task, and what to read in torch's documentation: for a kata
    that passes.
    """
    screen = _page(look, width)
    for task in kata.tasks:
        ladder = hints.Ladder(kata, task, task.hints, is_green=True)
        help.ladder(screen, ladder, docs.pages(_reference(kata), task.name), leads_on=False)
    return ToRead(kata.name, screen.console.file.getvalue())


def _page(look: Screen, width: int) -> Screen:
    """A screen that is kept as text."""
    console = Console(
        file=io.StringIO(), width=width, force_terminal=True, legacy_windows=False, highlight=False
    )
    return Screen(console, look.marks, look.full, look.empty)


def _reference(kata: Kata) -> str:
    return (ROOT / "reference" / f"{kata.name}.py").read_text(encoding="utf-8")


@told
def reset(kata: Kata) -> Event:
    """The kata's file is the stub again."""
    path, text = store.KATAS / f"{kata.name}.py", resetting.stub(kata)
    if resetting.is_stub(path, text):
        return Noticed(f"katas/{path.name} is the stub already: nothing to do.")
    backup = resetting.reset(path, text, datetime.now())
    kept = f" What was there: katas/{backup.name}" if backup else ""
    return WasReset(kata.name, f"katas/{path.name} is the stub again.{kept}")
