"""A watch session as a pure state machine: the next model and the effects that an event has."""

from collections.abc import Iterable
from dataclasses import replace

from dojo.catalog import Kata
from dojo.check.watch import effects
from dojo.check.watch import model as m
from dojo.check.watch.model import ALL, KATA, Model, RunUnderWay
from dojo.results import KataResult, Outcome

LINES_ABOVE = 8  # the chosen kata of the list, which may be longer than the screen
SCROLLS = {"up": -1, "down": 1, "page up": -10, "page down": 10, "space": 10}

Next = tuple[Model, list[effects.Effect]]


def update(model: Model, event: m.Event) -> Next:
    """The model after an event, and what is to be done."""
    match event:
        case m.SessionStarted():
            return _test(model, [model.current])
        case m.Saved(katas):
            return _saved(model, katas)
        case m.Key(name):
            return _pressed(replace(model, notice=""), name)
        case m.Progress(run) if model.run and model.run.number == run:
            return replace(model, run=replace(model.run, tests=model.run.tests + 1)), []
        case m.Progress():
            return model, []
        case m.RunEnded():
            return _ended(model, event)
        case m.RunFailed():
            return _failed(model, event), []
        case m.Restarting(why):
            return replace(model, is_warm=False, why_cold=why), []
        case m.Recorded():
            return model, [effects.read_tries] if model.is_passed else []
        case m.Noticed(text):
            return replace(model, notice=text), []
        case m.Quit():
            return model, [event]


def _test(model: Model, katas: Iterable[str]) -> Next:
    """Test these katas for the screen. A run for it that is not over yet is dropped."""
    dropped = [effects.DropRun(model.run.number)] if model.run else []
    run = RunUnderWay(model.number + 1, tuple(katas))
    after = replace(model, run=run, number=run.number, scroll=0)
    return after, [*dropped, effects.RunTests(run.number, run.katas)]


def _test_all(model: Model) -> Next:
    return _test(model, (kata.name for kata in model.catalog.katas))


def _saved(model: Model, names: frozenset[str]) -> Next:
    katas = [kata.name for kata in model.catalog.katas if kata.name in names]
    if not katas:
        return model, []
    if model.background:
        saved = model.background.saved.union(katas)
        model = replace(model, background=replace(model.background, saved=saved))
    is_same = model.current in katas
    model = replace(
        model,
        current=model.current if is_same else katas[0],
        hints=model.hints if is_same else None,
        tries=model.tries if is_same else "",
        view=KATA,
        notice=model.notice if model.was_reset in katas else "",
        was_reset="",
    )
    return _test(model, katas)


def _ended(model: Model, event: m.RunEnded) -> Next:
    """Take the results of a run, unless it was dropped just before it ended."""
    run, background = model.run, model.background
    if run and run.number == event.run:
        model = replace(_with_results(model, run, event.results), run=None, seconds=event.seconds)
        if len(run.katas) == len(model.catalog.katas):
            model = replace(model, view=ALL, scroll=0, text="", is_over=not model.unfinished)
            has_page = model.is_over and model.is_learners
            return model, [effects.show_closing] if has_page else []
        if model.unknown and not background:
            background = RunUnderWay(model.number + 1, model.unknown)
            effect = effects.RunTests(background.number, background.katas, in_background=True)
            return replace(model, background=background, number=background.number), [effect]
    elif background and background.number == event.run:
        model = replace(_with_results(model, background, event.results), background=None)
    else:
        return model, []
    if model.is_passed and not (model.run or model.unfinished or model.is_over):
        notice = "That was the last one. All katas are checked once more."
        return _test_all(replace(model, notice=notice))
    return model, []


def _with_results(model: Model, run: RunUnderWay, results: Iterable[KataResult]) -> Model:
    """The model with what a run found out, apart from katas that were saved meanwhile."""
    new = {result.name: result for result in results if result.name not in run.saved}
    passed = {
        name: frozenset(task.name for task in result.tasks if task.outcome == Outcome.PASSED)
        for name, result in new.items()
    }
    after = replace(
        model,
        results={**model.results, **new},
        passed={**model.passed, **passed},
        unknown=tuple(name for name in model.unknown if name not in new),
        is_warm=True,
        why_cold="",
    )
    unfinished = [kata.name for kata in after.unfinished]
    newly = [kata.name for kata in after.unfinished if model.is_done(kata)]
    return replace(
        after,
        lost=tuple(name for name in (*model.lost, *newly) if name in unfinished),
        is_over=model.is_over and not unfinished,
        hints=model.hints if after.task == model.task else None,
    )


def _failed(model: Model, event: m.RunFailed) -> Model:
    """Discard earlier results of the run's katas: their files may have changed since."""
    run, background = model.run, model.background
    if run and run.number == event.run:
        results = {name: old for name, old in model.results.items() if name not in run.katas}
        model = replace(model, run=None, results=results, seconds=None)
        return replace(model, is_over=False, notice=event.why)
    is_background = background and background.number == event.run
    return replace(model, background=None) if is_background else model


def _pressed(model: Model, key: str) -> Next:
    if model.view == m.LIST and key in ("up", "down", "enter", "f"):
        return _listed(model, key)
    if key in SCROLLS:
        return replace(model, scroll=max(model.scroll + SCROLLS[key], 0)), []
    if key in ("b", "escape"):
        return replace(model, view=KATA, scroll=0), []
    if key == "enter":
        return model, []
    if key not in m.keys(model):
        return replace(model, notice=m.useless(model, key)), []
    match key:
        case "q":
            return model, [m.Quit(0)]
        case "n" if model.view in (m.RESET, m.SKIP):
            return replace(model, view=KATA), []
        case "n" if model.view == KATA and not model.is_passed:
            return replace(model, view=m.SKIP), []
        case "n" if kata := model.first_wrong if model.view == ALL else model.following:
            return _opened(model, kata)
        case "y" if model.view == m.SKIP and model.following:
            return _opened(model, model.following)
        case "y":
            return replace(model, view=KATA), [effects.reset]
        case "h":
            return model, [effects.open_hint if model.task else effects.show_hints]
        case "d":
            return model, [effects.show_comparison]
        case "o":
            return model, [effects.show_output]
        case "e":
            return model, [effects.OpenEditor(model.current, m.line_of(model))]
        case "l":
            return replace(model, view=m.LIST, only=m.EVERY, chosen=model.current, scroll=0), []
        case "r":
            return replace(model, view=m.RESET, scroll=0), []
        case "a":
            return _test_all(replace(model, view=ALL))
    return model, []


def _opened(model: Model, kata: Kata) -> Next:
    """The model with another kata on the screen, which is tested."""
    return _test(replace(model, current=kata.name, view=KATA, hints=None, tries=""), [kata.name])


def _listed(model: Model, key: str) -> Next:
    """What a key does in the list."""
    if key == "f":
        model = replace(model, only=m.FILTERS[model.only])
    names = [kata.name for kata in model.listed]
    if not names:
        return replace(model, chosen=""), []
    at = names.index(model.chosen) if model.chosen in names else 0
    at = min(max(at + {"up": -1, "down": 1}.get(key, 0), 0), len(names) - 1)
    model = replace(model, chosen=names[at], scroll=max(at - LINES_ABOVE, 0))
    if key != "enter":
        return model, []
    return _opened(model, next(kata for kata in model.listed if kata.name == names[at]))
