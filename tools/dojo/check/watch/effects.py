"""What a watch session is to do, and the work for the learner's hints, comparison, reset, state."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import msgspec

from dojo.catalog import Catalog, Kata
from dojo.check import closing, compare, hints, screens, store
from dojo.check import state as states
from dojo.check.watch.model import READ, Hints, Model, Quit
from dojo.console import Screen
from dojo.results import KataResult, Verdict
from dojo.stubs import MarkerError, open_regions


class RunTests(msgspec.Struct, frozen=True):
    run: int
    katas: tuple[str, ...]
    in_background: bool = False


class DropRun(msgspec.Struct, frozen=True):
    run: int


class OpenEditor(msgspec.Struct, frozen=True):
    kata: str
    line: int  # 0 if none is known


# Work for the kata in view: returns the model with its result; its text goes to a separate screen.
Work = Callable[[Model, Screen], Model]
Effect = RunTests | DropRun | OpenEditor | Quit | Work


def open_hint(model: Model, screen: Screen) -> Model:
    """Open one more level of the hints of the task that is shown."""
    task = hints.task_of(model.kata, model.task.name if model.task else "")
    state, _ = store.change(
        lambda state: states.after_hint(state, model.current, task, datetime.now())
    )
    texts = hints.open_hints(state, model.kata, task).texts
    return replace(model, hints=Hints(task.name, texts, len(task.hints)))


def show_hints(model: Model, screen: Screen) -> Model:
    """Show all hints of a passed kata, and the pages of torch's documentation to read."""
    kata = model.kata
    with screen.console.capture() as printed:
        for task in kata.tasks:
            shown = hints.OpenHints(kata, task, task.hints, is_green=True)
            pages = hints.pages(kata.reference_text(), task.name)
            screens.hints(screen, shown, pages, names_next_command=False)
    return replace(model, view=READ, text=printed.get(), scroll=0)


def show_comparison(model: Model, screen: Screen) -> Model:
    """Show the learner's code of every task beside the reference's."""
    kata = model.kata
    code = (store.KATAS / f"{kata.name}.py").read_text(encoding="utf-8")
    with screen.console.capture() as printed:
        for task in kata.tasks:
            parts = compare.parts(code, kata.reference_text(), task.name)
            screens.comparison(screen, kata, task, parts)
    return replace(model, view=READ, text=printed.get(), scroll=0)


def show_output(model: Model, screen: Screen) -> Model:
    """Show what the learner's code printed in each test."""
    if model.result is None:
        return model
    with screen.console.capture() as printed:
        screens.output(screen, model.kata, model.result)
    return replace(model, view=READ, text=printed.get(), scroll=0)


def read_tries(model: Model, screen: Screen) -> Model:
    """Find how often the kata was tried until it was green."""
    return replace(model, tries=closing.tries(model.kata, store.read()[0]))


def show_closing(model: Model, screen: Screen) -> Model:
    """Put the closing page below the results of all katas."""
    with screen.console.capture() as printed:
        screens.closing(screen, closing.page(model.catalog, store.read()[0]))
    return replace(model, text=printed.get())


def reset(model: Model, screen: Screen) -> Model:
    """Put the kata's file back to its stub."""
    path, text = store.KATAS / f"{model.current}.py", store.stub(model.kata)
    if store.is_stub(path, text):
        return replace(model, notice=f"katas/{path.name} is the stub already: nothing to do.")
    notice = store.reset(path, text, datetime.now())
    return replace(model, notice=notice, was_reset=model.current)


def after(work: Work, model: Model, screen: Screen) -> Model:
    """The model after this work, or with a notice that says why it can't be done."""
    try:
        return work(model, screen)
    except OSError as error:
        return replace(model, notice=_sentence(error))
    except (MarkerError, compare.NotComparable, hints.NoSuchTask) as problem:
        return replace(model, notice=str(problem))


def record(results: list[KataResult], before: dict[str, str], device: str) -> str:
    """Keep results in the learner's state. Returns a sentence if something is wrong with it."""
    try:
        return store.record(Verdict("katas", tuple(results)), before, device=device)
    except OSError as error:
        return _sentence(error)


def _sentence(error: OSError) -> str:
    name, why = error.filename or "A file", error.strerror or error
    return f"{name} can't be used ({why}): nothing was changed."


def begin(catalog: Catalog, folder: Path, named: Kata | None) -> Model:
    """The model to start with: at the kata that was named, or where the learner is."""
    model = Model(catalog, folder == store.KATAS, catalog.katas[0].name)
    written = [kata.name for kata in _partly_written(catalog, folder)]
    model = replace(model, current=written[-1] if written else model.current)
    if model.is_learners:
        try:
            model = _with_state(model)
        except OSError as error:
            why = f"{error.filename} can't be read ({error.strerror})"
            model = replace(model, notice=f"{why}: what passed before is not known.")
    unknown = tuple(name for name in written if not model.passed.get(name))
    return replace(model, unknown=unknown, current=named.name if named else model.current)


def _with_state(model: Model) -> Model:
    """The model with what the state says: the tasks that pass now, and where the learner is."""
    katas = model.catalog.katas
    state, notice = store.read()
    passed = {}
    for kata in katas:
        content = store.content_hash(kata.name)
        passed[kata.name] = frozenset(
            task.name for task in kata.tasks if state.of(kata.name, task.name).is_green(content)
        )
    model = replace(model, passed=passed, notice=notice)
    if not state.katas:
        return model
    place = states.current(state, model.catalog, store.edited(kata.name for kata in katas))
    return replace(model, current=(place[0] if place else katas[-1]).name)


def _partly_written(catalog: Catalog, folder: Path) -> Iterator[Kata]:
    """The katas of which a part is written, or whose file can't be read."""
    for kata in catalog.katas:
        try:
            unwritten = set(open_regions((folder / f"{kata.name}.py").read_text(encoding="utf-8")))
        except FileNotFoundError:
            continue
        except (OSError, UnicodeDecodeError):
            unwritten = set()
        if {task.name for task in kata.tasks} - unwritten:
            yield kata
