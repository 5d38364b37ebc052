"""A watch session as a pure state machine: from a model and an event to the next model and what is
to be done.
"""

from collections.abc import Iterable
from dataclasses import replace

from dojo.check.watch.events import (
    Compare,
    Drop,
    Effect,
    Ended,
    Event,
    HintOpened,
    Judge,
    Judged,
    Key,
    Noticed,
    NotJudged,
    OpenHint,
    Quit,
    Reset,
    Restarting,
    Saved,
    ShowHints,
    Started,
    TestJudged,
    ToRead,
    WasReset,
)
from dojo.check.watch.model import ALL, KATA, LIST, READ, RESET, Model, Run, first_wrong, keys
from dojo.results import Outcome

BACK = ("b", "escape")
SCROLLS = {"up": -1, "down": 1, "page up": -10, "page down": 10, "space": 10}

Next = tuple[Model, list[Effect]]


def update(model: Model, event: Event) -> Next:
    match event:
        case Started():
            return _judge(model, (model.current,))
        case Saved(katas):
            return _saved(model, katas)
        case Key(name):
            return _pressed(replace(model, notice=""), name)
        case TestJudged(run):
            return _counted(model, run), []
        case Judged():
            return _judged(model, event)
        case NotJudged(run, why):
            return _not_judged(model, run, why), []
        case Restarting(why):
            return replace(model, is_warm=False, why_cold=why), []
        case Noticed(text):
            return replace(model, notice=text), []
        case WasReset(kata, text):
            return replace(model, notice=text, was_reset=kata), []
        case HintOpened(kata, hints):
            is_asked = kata == model.current and model.task and model.task.name == hints.task
            return (replace(model, hints=hints) if is_asked else model), []
        case ToRead(kata, text):
            is_asked = kata == model.current and model.view == KATA
            return (replace(model, view=READ, text=text, scroll=0) if is_asked else model), []
        case Ended(code):
            return model, [Quit(code)]


def _judge(model: Model, katas: Iterable[str]) -> Next:
    """Judge these for the screen. What was judged for it before is dropped."""
    dropped = [Drop(model.run.number)] if model.run else []
    number = model.number + 1
    run = Run(number, tuple(katas))
    return replace(model, run=run, number=number, scroll=0), [*dropped, Judge(number, run.katas)]


def _saved(model: Model, katas: frozenset[str]) -> Next:
    known = [kata.name for kata in model.catalog.katas if kata.name in katas]
    if not known:
        return model, []
    current = model.current if model.current in known else known[0]
    if model.behind:
        model = replace(model, behind=replace(model.behind, saved=model.behind.saved | set(known)))
    if current != model.current:
        model = replace(model, hints=None)
    notice = model.notice if model.was_reset in known else ""
    return _judge(replace(model, current=current, view=KATA, notice=notice, was_reset=""), known)


def _counted(model: Model, run: int) -> Model:
    if model.run and model.run.number == run:
        return replace(model, run=replace(model.run, tests=model.run.tests + 1))
    return model


def _judged(model: Model, event: Judged) -> Next:
    is_shown = model.run is not None and model.run.number == event.run
    is_behind = model.behind is not None and model.behind.number == event.run
    if not is_shown and not is_behind:
        return model, []  # it was dropped, and the news crossed
    run = model.run if is_shown else model.behind
    results = {result.name: result for result in event.results if result.name not in run.saved}
    passed = {
        name: frozenset(task.name for task in one.tasks if task.outcome == Outcome.PASSED)
        for name, one in results.items()
    }
    done_before = {kata.name for kata in model.catalog.katas if model.is_done(kata)}
    task_before = model.task
    model = replace(
        model,
        results={**model.results, **results},
        passed={**model.passed, **passed},
        is_warm=True,
        why_cold="",
    )
    not_done = {kata.name for kata in model.catalog.katas if not model.is_done(kata)}
    lost = [name for name in (*model.lost, *sorted(done_before & not_done)) if name in not_done]
    model = replace(
        model,
        lost=tuple(dict.fromkeys(lost)),
        unknown=tuple(n for n in model.unknown if n not in results),
    )
    model = (
        replace(model, behind=None)
        if is_behind
        else replace(model, run=None, seconds=event.seconds)
    )
    if model.task != task_before:
        model = replace(model, hints=None)
    if not_done:
        model = replace(model, is_over=False)
    if is_shown and len(run.katas) == len(model.catalog.katas):
        return replace(model, view=ALL, scroll=0, is_over=not not_done), []
    if is_shown and model.unknown and not model.behind:
        number = model.number + 1
        behind = Run(number, model.unknown)
        return replace(model, behind=behind, number=number), [
            Judge(number, behind.katas, in_background=True)
        ]
    if not model.run and model.is_passed and not not_done and not model.is_over:
        return _judge(
            replace(model, notice="That was the last one. All katas are checked once more."),
            _all(model),
        )
    return model, []


def _not_judged(model: Model, run: int, why: str) -> Model:
    """The verdicts of before are of files that may be others now: they are not shown as if they
    were of these.
    """
    if model.run and model.run.number == run:
        results = {
            name: result for name, result in model.results.items() if name not in model.run.katas
        }
        return replace(model, run=None, results=results, seconds=None, is_over=False, notice=why)
    return replace(model, behind=None) if model.behind and model.behind.number == run else model


def _all(model: Model) -> tuple[str, ...]:
    return tuple(kata.name for kata in model.catalog.katas)


def _pressed(model: Model, name: str) -> Next:
    if name in SCROLLS:
        return replace(model, scroll=max(model.scroll + SCROLLS[name], 0)), []
    if name in BACK:
        return replace(model, view=KATA, scroll=0), []
    if name not in keys(model):
        return model, []
    match name:
        case "q":
            return model, [Quit(0)]
        case "n" if model.view == RESET:
            return replace(model, view=KATA), []
        case "n":
            to = first_wrong(model) if model.view == ALL else model.following
            return _judge(replace(model, current=to.name, view=KATA, hints=None), (to.name,))
        case "y":
            return replace(model, view=KATA), [Reset(model.current)]
        case "h":
            return model, [
                OpenHint(model.current, model.task.name) if model.task else ShowHints(model.current)
            ]
        case "d":
            return model, [Compare(model.current)]
        case "l":
            return replace(model, view=LIST, scroll=0), []
        case "r":
            return replace(model, view=RESET, scroll=0), []
        case "a":
            return _judge(replace(model, view=ALL), _all(model))
    return model, []
