"""The state of a watch session, the events that change it, and the keys that do something."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from dojo.catalog import Catalog, Kata, Task
from dojo.results import KataResult, Outcome, TaskResult

# what the screen shows; the last two ask
KATA, LIST, ALL, READ, RESET, SKIP = "kata", "list", "all", "read", "reset", "skip"
WRONG = (Outcome.FAILED, Outcome.ERROR)
EVERY, OPEN, RED = "all", "open", "red"  # katas of the list
FILTERS = {EVERY: OPEN, OPEN: RED, RED: EVERY}  # each with the one that comes after it


@dataclass(frozen=True)
class Hints:
    """The open hints of a task, and how many it has in total."""

    task: str
    texts: tuple[str, ...]
    total: int


@dataclass(frozen=True)
class RunUnderWay:
    """Katas that are being tested."""

    number: int
    katas: tuple[str, ...]
    tests: int = 0  # that have ended
    saved: frozenset[str] = frozenset()  # katas saved since its start: their results don't count


@dataclass(frozen=True)
class Model:
    """All that a session knows."""

    catalog: Catalog
    is_learners: bool  # the learner's own katas; only they have hints, comparison and reset
    current: str  # the kata on the screen
    passed: Mapping[str, frozenset[str]] = field(default_factory=dict)  # kata → its passing tasks
    results: Mapping[str, KataResult] = field(default_factory=dict)  # kata → its last result
    unknown: tuple[str, ...] = ()  # katas with work in them that have no result yet
    view: str = KATA
    only: str = EVERY  # katas of the list that are shown
    chosen: str = ""  # the kata of the list that Enter opens
    run: RunUnderWay | None = None  # the one whose results the screen waits for
    background: RunUnderWay | None = None
    number: int = 0  # of the last run
    seconds: float | None = None  # that the last run for the screen took
    is_warm: bool = False  # the server has answered; the first answer takes longer
    why_cold: str = ""  # why the server had to be started again
    hints: Hints | None = None
    lost: tuple[str, ...] = ()  # katas that passed before and do not now
    is_over: bool = False  # everything passes, and was checked again
    text: str = ""  # what there is to read: a comparison, hints, output, or the closing page
    tries: str = ""  # of the kata on the screen until it was green, in a sentence
    notice: str = ""  # a sentence that stays until the next save or key
    was_reset: str = ""  # the kata that a reset has just written: its save keeps the notice
    scroll: int = 0  # lines of the screen's upper part that are above its edge

    @property
    def kata(self) -> Kata:
        return next(kata for kata in self.catalog.katas if kata.name == self.current)

    @property
    def result(self) -> KataResult | None:
        return self.results.get(self.current)

    @property
    def is_passed(self) -> bool:
        return self.result is not None and self.result.outcome == Outcome.PASSED

    @property
    def problem(self) -> TaskResult | None:
        """The task to show: the first that is wrong, else the first that is open."""
        tasks = self.result.tasks if self.result else ()
        todo = [task for task in tasks if task.outcome not in (Outcome.PASSED, Outcome.SKIPPED)]
        return min(todo, key=lambda task: task.outcome not in WRONG, default=None)

    @property
    def task(self) -> Task | None:
        """The catalog's entry of that task."""
        name = self.problem.name if self.problem else ""
        return next((task for task in self.kata.tasks if task.name == name), None)

    @property
    def following(self) -> Kata | None:
        """The next unfinished kata in the catalog's order, after the last one from the start."""
        katas = self.catalog.katas
        position = katas.index(self.kata)
        others = katas[position + 1 :] + katas[:position]
        return next((kata for kata in others if not self.is_done(kata)), None)

    @property
    def first_wrong(self) -> Kata | None:
        """Where to go on after all katas were checked: to a lost one, else the first unfinished."""
        return min(self.unfinished, key=lambda kata: kata.name not in self.lost, default=None)

    @property
    def unfinished(self) -> list[Kata]:
        return [kata for kata in self.catalog.katas if not self.is_done(kata)]

    def is_done(self, kata: Kata) -> bool:
        return self.passed.get(kata.name, frozenset()) >= {task.name for task in kata.tasks}

    def is_red(self, kata: Kata) -> bool:
        """True if something of it failed at its last check, or passed before and does not now."""
        result = self.results.get(kata.name)
        return kata.name in self.lost or (
            result is not None and any(task.outcome in WRONG for task in result.tasks)
        )

    @property
    def listed(self) -> list[Kata]:
        """The katas of the list, as it is filtered."""
        if self.only == OPEN:
            return self.unfinished
        return [kata for kata in self.catalog.katas if self.only == EVERY or self.is_red(kata)]

    @property
    def count(self) -> tuple[int, int]:
        """How many tasks pass, and how many there are."""
        katas = self.catalog.katas
        passed = sum(len(self.passed.get(kata.name, ())) for kata in katas)
        return passed, sum(len(kata.tasks) for kata in katas)


def keys(model: Model) -> dict[str, str]:
    """The keys that do something now → what they do."""
    if model.view == RESET:
        return {"y": "yes, reset", "n": "no", "q": "quit"}
    if model.view == SKIP:
        return {"y": "yes, go on", "n": "no", "q": "quit"}
    if model.view == LIST:
        chosen = {"up, down": "choose", "enter": "open"} if model.listed else {}
        return chosen | {"f": f"{FILTERS[model.only]} katas", "b": "back", "q": "quit"}
    valid = {}
    if model.view != KATA:
        valid["b"] = "back"
        if model.view == ALL and model.run is None and model.first_wrong:
            valid["n"] = f"to {model.first_wrong.short}"
        return valid | {"q": "quit"}
    if model.is_passed and model.following:
        valid["n"] = f"next: {model.following.short}"
    if model.is_passed and model.is_learners:
        valid |= {"d": "compare", "h": "all hints"}
    is_more = model.hints is None or len(model.hints.texts) < model.hints.total
    if model.task and model.is_learners and is_more:
        valid["h"] = "another hint" if model.hints else "hint"
    if model.result and any(test.printed for test in model.result.tests):
        valid["o"] = "output"
    if model.is_learners and not model.is_passed:
        valid["e"] = "edit"
    if model.result and not model.is_passed and model.following:
        valid["n"] = "skip"
    valid |= {"l": "list", "a": "all"} | ({"r": "reset"} if model.is_learners else {})
    return valid | {"q": "quit"}


def line_of(model: Model) -> int:
    """The line of the kata's file that the message on the screen is about; 0 if there is none."""
    test = model.problem.first_problem if model.problem else None
    place = re.search(rf"{model.current}\.py:(\d+)", test.message) if test else None
    return int(place[1]) if place else 0


def useless(model: Model, key: str) -> str:
    """What to say of a key that does nothing now."""
    match key:
        case "d" if model.view == KATA:
            return "d compares your code with the reference's, once the kata is green."
        case "h" if model.view == KATA:
            return "All hints of this task are open: the test that failed says the rest."
        case "n" if model.view == KATA:
            return "n goes to the next kata that is not finished: there is no other."
        case "o" if model.view == KATA:
            return "o shows what your code printed: it printed nothing."
        case "l" | "a" | "r" | "e" | "n" | "d" | "h" | "o" if model.view != KATA:
            return f"{key} works beside a kata: b goes back to it."
    return f"{key} does nothing here."


class SessionStarted(msgspec.Struct, frozen=True):
    """The session begins."""


class Saved(msgspec.Struct, frozen=True):
    """These katas' files were written, replaced, deleted or restored."""

    katas: frozenset[str]


class Key(msgspec.Struct, frozen=True):
    name: str  # of a key that was pressed


class Progress(msgspec.Struct, frozen=True):
    run: int  # one more test of it has ended


class RunEnded(msgspec.Struct, frozen=True):
    run: int
    results: tuple[KataResult, ...]
    seconds: float


class RunFailed(msgspec.Struct, frozen=True):
    """The run has no results, through no fault of the learner's."""

    run: int
    why: str


class Restarting(msgspec.Struct, frozen=True):
    why: str  # the server has to be started again


class Recorded(msgspec.Struct, frozen=True):
    """The results of a run are in the learner's state."""


class Noticed(msgspec.Struct, frozen=True):
    text: str  # a sentence for the learner


class Quit(msgspec.Struct, frozen=True):
    """The session is to end with this exit code: an event and an effect."""

    code: int


Event = (
    SessionStarted
    | Saved
    | Key
    | Progress
    | RunEnded
    | RunFailed
    | Restarting
    | Recorded
    | Noticed
    | Quit
)
