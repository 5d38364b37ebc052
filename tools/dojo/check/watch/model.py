"""What is known in a watch session, and which keys do something. steps.py tells how it changes."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from dojo.catalog import Catalog, Kata, Task
from dojo.check.watch.events import Hints
from dojo.results import KataResult, Outcome, TaskResult

KATA, LIST, ALL, READ, RESET = "kata", "list", "all", "read", "reset"  # what the screen shows


@dataclass(frozen=True)
class Run:
    """Katas that are being judged. What is saved meanwhile makes its results worthless."""

    number: int
    katas: tuple[str, ...]
    tests: int = 0
    saved: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Model:
    """All that a session knows.

    Attributes:
        own: whether these are the learner's own katas: only of those there are hints, comparison
            and reset.
        current: the kata on the screen.
        passed: kata name → its tasks that pass, as far as known.
        results: kata name → its last verdict in this session.
        unknown: katas with work in them of which nothing is known yet.
        run, behind: what is judged for the screen, and in the background.
        number: of the last run.
        is_warm: whether a verdict has come yet; the first one takes longer.
        why_cold: why it is started anew.
        lost: katas that passed before and do not now.
        is_over: everything passes, and was checked again.
        text: what there is to read: a comparison, or all hints.
        notice: a sentence that stays until the next event of a person.
        was_reset: the kata whose next save is our own doing, and leaves the notice standing.
        scroll: lines of the screen's upper part that are above its edge.
    """

    catalog: Catalog
    own: bool
    current: str
    passed: Mapping[str, frozenset[str]] = field(default_factory=dict)
    results: Mapping[str, KataResult] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()
    view: str = KATA
    run: Run | None = None
    behind: Run | None = None
    number: int = 0
    seconds: float | None = None
    is_warm: bool = False
    why_cold: str = ""
    hints: Hints | None = None
    lost: tuple[str, ...] = ()
    is_over: bool = False
    text: str = ""
    notice: str = ""
    was_reset: str = ""
    scroll: int = 0

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
        """The task to speak of: the first that is wrong, else the first that is open."""
        tasks = self.result.tasks if self.result else ()
        wrong = [task for task in tasks if task.outcome in (Outcome.FAILED, Outcome.ERROR)]
        return next(
            iter(
                [
                    *wrong,
                    *(
                        task
                        for task in tasks
                        if task.outcome not in (Outcome.PASSED, Outcome.SKIPPED)
                    ),
                ]
            ),
            None,
        )

    @property
    def task(self) -> Task | None:
        """The same as the catalog has it."""
        name = self.problem.name if self.problem else ""
        return next((task for task in self.kata.tasks if task.name == name), None)

    @property
    def following(self) -> Kata | None:
        """The next kata with something to do, in the catalog's order, from the current one on and
        around.
        """
        katas = self.catalog.katas
        here = katas.index(self.kata)
        around = [*katas[here + 1 :], *katas[:here]]
        return next((kata for kata in around if not self.is_done(kata)), None)

    def is_done(self, kata: Kata) -> bool:
        return self.passed.get(kata.name, frozenset()) >= {task.name for task in kata.tasks}

    @property
    def count(self) -> tuple[int, int]:
        """Tasks that pass, and all."""
        passed = (len(self.passed.get(kata.name, ())) for kata in self.catalog.katas)
        return sum(passed), sum(len(kata.tasks) for kata in self.catalog.katas)


def keys(model: Model) -> dict[str, str]:
    """The keys that do something now, and what."""
    if model.view == RESET:
        return {"y": "yes, reset", "n": "no", "q": "quit"}
    if model.view == KATA:
        valid = {}
        if model.is_passed and model.following:
            valid["n"] = f"next: {model.following.short}"
        if model.is_passed and model.own:
            valid |= {"d": "compare", "h": "all hints"}
        if (
            model.task
            and model.own
            and not (model.hints and len(model.hints.texts) >= model.hints.total)
        ):
            valid["h"] = "another hint" if model.hints else "hint"
        valid |= {"l": "list", "a": "all"} | ({"r": "reset"} if model.own else {})
    else:
        valid = {"b": "back"}
        if model.view == ALL and model.run is None and (wrong := first_wrong(model)):
            valid["n"] = f"to {wrong.short}"
    return valid | {"q": "quit"}


def first_wrong(model: Model) -> Kata | None:
    """Where to go on after all was checked: what passed before, else what is next."""
    lost = [kata for kata in model.catalog.katas if kata.name in model.lost]
    return next(
        iter([*lost, *(kata for kata in model.catalog.katas if not model.is_done(kata))]), None
    )
