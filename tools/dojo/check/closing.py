"""The closing page, after the last kata: what was learned, what took longest, where to go next.

Pure: from the catalog and the learner's state.
"""

from dataclasses import dataclass

from dojo.catalog import Catalog, Kata
from dojo.check.state import State
from dojo.diagnosis import counted

MOST_EFFORTS = 3


@dataclass(frozen=True)
class Effort:
    """What a task took until it was green for the first time."""

    kata: str  # "k07"
    task: str
    tries: int
    hints: int
    saw_solution: bool = False

    def __str__(self) -> str:
        helped = [counted(self.hints, "hint")] if self.hints else []
        helped += ["a look at a solution"] if self.saw_solution else []
        hints = f", with {' and '.join(helped)}" if helped else ""
        return f"{self.kata} {self.task}: green at the {_ordinal(self.tries)} try{hints}"


@dataclass(frozen=True)
class Closing:
    """The closing page. What is not known is left empty."""

    able: tuple[str, ...]
    longest: tuple[Effort, ...]  # one for each kata at most, the most tries first; none of one try
    days: str
    ways_on: tuple[str, ...]


def page(catalog: Catalog, state: State) -> Closing:
    """The closing page for a learner with this state."""
    efforts, days = [], set()
    for kata in catalog.katas:
        known = {task.name: state.of(kata.name, task.name) for task in kata.tasks}
        days |= {each.first_green for each in known.values() if each.first_green}
        efforts.append(max(efforts_of(kata, state), key=_size))
    longest = [effort for effort in sorted(efforts, key=_size, reverse=True) if effort.tries > 1]
    able = tuple(stage.able for stage in catalog.stages if stage.able)
    return Closing(able, tuple(longest[:MOST_EFFORTS]), _span(days), catalog.ways_on)


def tries(kata: Kata, state: State) -> str:
    """How often the tasks of a kata were tried until they were green, in a sentence."""
    efforts = efforts_of(kata, state)
    if any(effort.tries == 0 for effort in efforts):  # not known of every task
        return ""
    if all((effort.tries, effort.hints) == (1, 0) for effort in efforts):
        return "Green at the first try."
    each = (
        f"{effort.task} {effort.tries}"
        + (f" ({counted(effort.hints, 'hint')})" if effort.hints else "")
        for effort in efforts
    )
    return f"Tries until green: {', '.join(each)}."


def efforts_of(kata: Kata, state: State) -> list[Effort]:
    """What each task of a kata took."""
    known = ((task.name, state.of(kata.name, task.name)) for task in kata.tasks)
    return [
        Effort(kata.short, name, of.attempts, of.hints, of.solution_shown != "")
        for name, of in known
    ]


def _size(effort: Effort) -> tuple[int, int]:
    return effort.tries, effort.hints


def _span(days: set[str]) -> str:
    """When tasks became green for the first time; empty if that is not known or all one day."""
    first, last = min(days, default=""), max(days, default="")
    if first == last:
        return ""
    return f"Tasks turned green on {len(days)} days, from {first} to {last}."


def _ordinal(number: int) -> str:
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10)
    return f"{number}{ending or 'th'}"
