"""What a watch session is to do, and how it is done for the learner's own katas: their state,
hints, comparison, reset.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from dojo.catalog import Catalog, Kata
from dojo.check import compare, hints, screens, store
from dojo.check import state as states
from dojo.check.watch.model import Event, HintOpened, Hints, Noticed, Quit, TextOpened
from dojo.console import Screen
from dojo.results import KataResult, Verdict
from dojo.stubs import MarkerError, open_regions


@dataclass(frozen=True)
class RunTests:
    run: int
    katas: tuple[str, ...]
    in_background: bool = False


@dataclass(frozen=True)
class DropRun:
    run: int


@dataclass(frozen=True)
class OpenHint:
    """Open one more level of a task's hints."""

    kata: str
    task: str

    def do(self, kata: Kata, screen: Screen) -> Event:
        task = hints.task_of(kata, self.task)
        state, _ = store.change(lambda state: states.after_hint(state, kata.name, task))
        texts = hints.open_hints(state, kata, task).texts
        return HintOpened(kata.name, Hints(task.name, texts, len(task.hints)))


@dataclass(frozen=True)
class ShowHints:
    """Show all hints of a passed kata, and the pages of torch's documentation to read."""

    kata: str

    def do(self, kata: Kata, screen: Screen) -> TextOpened:
        with screen.console.capture() as printed:
            for task in kata.tasks:
                shown = hints.OpenHints(kata, task, task.hints, is_green=True)
                pages = hints.pages(kata.reference_text(), task.name)
                screens.hints(screen, shown, pages, names_next_command=False)
        return TextOpened(kata.name, printed.get())


@dataclass(frozen=True)
class Compare:
    """Show the learner's code of every task beside the reference's."""

    kata: str

    def do(self, kata: Kata, screen: Screen) -> TextOpened:
        code = (store.KATAS / f"{kata.name}.py").read_text(encoding="utf-8")
        with screen.console.capture() as printed:
            for task in kata.tasks:
                parts = compare.parts(code, kata.reference_text(), task.name)
                screens.comparison(screen, kata, task, parts)
        return TextOpened(kata.name, printed.get())


@dataclass(frozen=True)
class Reset:
    """Put the kata's file back to its stub."""

    kata: str

    def do(self, kata: Kata, screen: Screen) -> Event:
        path, text = store.KATAS / f"{kata.name}.py", store.stub(kata)
        if store.is_stub(path, text):
            return Noticed(f"katas/{path.name} is the stub already: nothing to do.")
        backup = store.reset(path, text, datetime.now())
        copy = f" What was there: katas/{backup.name}" if backup else ""
        return Noticed(f"katas/{path.name} is the stub again.{copy}", was_reset=kata.name)


Work = OpenHint | ShowHints | Compare | Reset
Effect = RunTests | DropRun | Quit | Work


def tried(work: Callable[[], Event | None]) -> Event | None:
    """The event of this work, or a notice that says why it can't be done."""
    try:
        return work()
    except OSError as error:
        name, why = error.filename or "A file", error.strerror or error
        return Noticed(f"{name} can't be used ({why}): nothing was changed.")
    except (MarkerError, compare.NotComparable, hints.NoSuchTask) as problem:
        return Noticed(f"{problem}")


def record(results: tuple[KataResult, ...], before: dict[str, str], device: str) -> Event | None:
    """Keep results in the learner's state."""
    notice = store.record(Verdict("katas", results), before, device=device)
    return Noticed(notice) if notice else None


def progress(catalog: Catalog) -> tuple[Mapping[str, frozenset[str]], str | None, str]:
    """The learner's state at the start: kata name → its tasks that pass with the file as it is now,
    the kata the learner is at (None if nothing was done yet), and a sentence if the state is
    broken.
    """
    try:
        state, notice = store.read()
    except OSError as error:
        why = f"{error.filename} can't be read ({error.strerror})"
        return {}, None, f"{why}: what passed before is not known."
    content = store.hashes(kata.name for kata in catalog.katas)
    passed = {
        kata.name: frozenset(
            task.name
            for task in kata.tasks
            if state.of(kata.name, task.name).is_green(content[kata.name])
        )
        for kata in catalog.katas
    }
    if not state.katas:
        return passed, None, notice
    place = states.current(state, catalog, store.edited(kata.name for kata in catalog.katas))
    return passed, (place[0] if place else catalog.katas[-1]).name, notice


def worked_on(catalog: Catalog, folder: Path) -> Iterable[Kata]:
    """The katas that are partly written, or whose file can't be read."""
    for kata in catalog.katas:
        try:
            unwritten = set(open_regions((folder / f"{kata.name}.py").read_text(encoding="utf-8")))
        except FileNotFoundError:
            continue
        except (OSError, UnicodeDecodeError):
            unwritten = set()
        if {task.name for task in kata.tasks} - unwritten:
            yield kata
