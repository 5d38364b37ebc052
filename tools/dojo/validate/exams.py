"""Tries the exams out: do they let every right solution pass, whatever they draw, and no known
mistake?

What was tried is kept in .exams/ as it comes, so that an interrupted run goes on where it stopped.
"""

import ast
import functools
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import as_completed
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from dojo import ROOT, dependencies, reference_results
from dojo.catalog import Kata
from dojo.exam import sheet
from dojo.exam.question import load
from dojo.processes import forking
from dojo.validate import patches
from dojo.validate.exam_record import Figures
from dojo.validate.marks import training_tests

KEPT = ROOT / ".exams"
SEEDS_OF_TRAINING, SEEDS_OF_OTHERS, SEEDS_OF_VARIANTS = 1000, 100, 100
QUICK = 1  # seeds, of a look at every exam
REFERENCE, MISTAKE = "the reference", "mistake: "
# From this draw on the reference's answers to the sheet are judged as they are: asked again with
# the same draws and seeds, it would train as long once more, to the same numbers.
ASKED_AGAIN = 25
# What the exam's own code imports and what decides nothing about an answer.
NO_SAY = {"dojo.exam.wire": "where an exam is tried, questions and answers stay in one process"}
SECRET = b"validation"  # draws that can be drawn again


@dataclass(frozen=True)
class Solution:
    """A text that the exam is tried on, and the tasks whose answers are looked at."""

    name: str
    source: str
    tasks: tuple[str, ...]

    @property
    def id(self) -> str:
        """Another one for every name, code and choice of tasks."""
        return _hash([self.name, dependencies.code(self.source), *self.tasks])

    @property
    def is_right(self) -> bool:
        return not self.name.startswith(MISTAKE)


@dataclass(frozen=True)
class Outcome:
    """One solution under one draw: what the exam said of it, per task."""

    name: str
    of: str  # the solution's id
    seed: int
    reasons: dict[str, str]


def solutions(kata: Kata) -> list[Solution]:
    """The reference, the other right solutions and the known mistakes of a kata."""
    source, tasks = patches.reference_of(kata), tuple(task.name for task in kata.tasks)
    found = [Solution(REFERENCE, source, tasks)]
    found += [
        Solution(f"variant: {one.name}", one.apply(source), tasks)
        for one in patches.load("variant", kata.name)
    ]
    for one in patches.load("mistake", kata.name):
        found.append(Solution(MISTAKE + one.name, one.apply(source), tasks_of(kata, one.caught_by)))
    return found


def tasks_of(kata: Kata, test: str) -> tuple[str, ...]:
    """The tasks that have a test of this name; all of the kata's where a test belongs to several,
    case by case.

    Raises:
        patches.PatchError: there is no such test.
    """
    tree, found = _parsed((ROOT / "tests" / f"test_{kata.name}.py").read_text(encoding="utf-8")), []
    for group in (node for node in tree.body if isinstance(node, ast.ClassDef)):
        if any(
            isinstance(inner, ast.FunctionDef) and inner.name == test.partition("[")[0]
            for inner in group.body
        ):
            marks = [
                one
                for one in group.decorator_list
                if isinstance(one, ast.Call) and ast.unparse(one.func).endswith("task")
            ]
            found += [ast.literal_eval(mark.args[0]) for mark in marks] or [
                task.name for task in kata.tasks
            ]
    if not found:
        raise patches.PatchError(f"{kata.name}: no task has a test {test}")
    return tuple(found)


@functools.cache  # a kata's mistakes ask one after the other
def _parsed(text: str) -> ast.Module:
    return ast.parse(text)


def has_exam(kata: Kata) -> bool:
    return (ROOT / "reference" / "exams" / f"{kata.name}.py").is_file()


def unasked(kata: Kata) -> list[str]:
    """The tasks that an exam asks nothing about."""
    asked = {question.task for question in load(sheet.text_of(kata.name), kata.name)}
    return [task.name for task in kata.tasks if task.name not in asked] + sorted(
        asked - {task.name for task in kata.tasks}
    )


def try_out(
    kata: Kata,
    seeds: Callable[[Solution], int],
    say: Callable[[str], None],
    jobs: int | None = None,
) -> list[Outcome]:
    """Every solution under as many draws as `seeds` says, from .exams/ where that is there."""
    known = solutions(kata)
    wanted = [(one, seed) for one in known for seed in range(seeds(one))]
    path = KEPT / f"{kata.short}-{_hash(asking(kata))}-{version('torch')}.jsonl"
    outcomes = {(one.of, one.seed): one for one in _kept(path)}
    todo: dict[int, list[Solution]] = {}
    for one, seed in wanted:
        if (one.id, seed) not in outcomes:
            todo.setdefault(seed, []).append(one)
    path.parent.mkdir(exist_ok=True)
    with forking.pool(jobs) as pool, path.open("a") as kept:
        running = [
            pool.submit(_under_one_draw, kata.name, seed, group) for seed, group in todo.items()
        ]
        for number, done in enumerate(as_completed(running), start=1):
            for outcome in done.result():
                outcomes[outcome.of, outcome.seed] = outcome
                kept.write(json.dumps(vars(outcome)) + "\n")
            kept.flush()
            say(f"{kata.short}: {number} of {len(running)} draws")
    return [outcomes[one.id, seed] for one, seed in wanted]


def _under_one_draw(kata: str, seed: int, group: Sequence[Solution]) -> list[Outcome]:
    drawn = sheet.draw(kata, SECRET + str(seed).encode())
    found = []
    for one in group:
        is_known = one.name == REFERENCE and seed >= ASKED_AGAIN
        reasons = (
            sheet.reasons_for_reference(drawn, one.tasks)
            if is_known
            else sheet.reasons(drawn, one.source, one.tasks)
        )
        found.append(Outcome(one.name, one.id, seed, reasons))
    return found


def problems(kata: Kata, outcomes: Iterable[Outcome]) -> Iterator[str]:
    """Right solutions that an exam refused, and known mistakes that it let pass."""
    where = f"reference/exams/{kata.name}.py"
    for outcome in outcomes:
        wrong = {task: reason for task, reason in outcome.reasons.items() if reason}
        if not outcome.name.startswith(MISTAKE):
            yield from (
                f"{where}, draw {outcome.seed}: {outcome.name} is refused: {reason}"
                for reason in wrong.values()
            )
        elif not wrong:
            yield (
                f"{where}, draw {outcome.seed}: it lets '{outcome.name.removeprefix(MISTAKE)}' pass"
            )


def long_run(kata: Kata) -> Callable[[Solution], int]:
    """Draws of each solution for figures to stand on."""
    trains = bool(training_tests(kata))

    def seeds(solution: Solution) -> int:
        if not solution.is_right:
            return QUICK
        return (
            SEEDS_OF_VARIANTS
            if solution.name != REFERENCE
            else SEEDS_OF_TRAINING
            if trains
            else SEEDS_OF_OTHERS
        )

    return seeds


def figures(outcomes: Sequence[Outcome]) -> Figures:
    """Draws and refusals of right solutions, and mistakes tried and caught."""
    right = [one for one in outcomes if not one.name.startswith(MISTAKE)]
    reference = [one for one in right if one.name == REFERENCE]
    wrong = [one for one in outcomes if one.name.startswith(MISTAKE)]
    return Figures(
        reference=len(reference),
        reference_refused=sum(any(one.reasons.values()) for one in reference),
        variants=len(right) - len(reference),
        variants_refused=sum(any(one.reasons.values()) for one in right if one not in reference),
        mistakes=len({one.name for one in wrong}),
        mistakes_passed=len({one.name for one in wrong if not any(one.reasons.values())}),
    )


def has_all_draws(kata: Kata, found: Figures) -> bool:
    """Whether the figures come from a long run."""
    seeds = long_run(kata)
    right = {one.name: seeds(one) for one in solutions(kata) if one.is_right}
    return found.reference >= right.pop(REFERENCE) and found.variants >= sum(right.values())


def key(kata: Kata) -> str:
    """Hash of the exam, of the solutions it is tried on, and of the code that asks and judges."""
    return _hash([*asking(kata), *(solution.id for solution in solutions(kata))])


def asking(kata: Kata, root: Path = ROOT) -> list[str]:
    """What decides how answers of this kata's solutions are judged: the code of the reference, of
    the exam, and of all that they and `sheet` import; and the pass marks.
    """
    reference = root / "reference" / f"{kata.name}.py"
    exam = root / "reference" / "exams" / f"{kata.name}.py"
    starts = [reference, exam, *dependencies.files_of(sheet.__name__, root)]
    paths = sorted(dependencies.closure(starts, root, NO_SAY))
    codes = [dependencies.code(path.read_text(encoding="utf-8")) for path in paths]
    return [*codes, reference_results.bounds_of(kata.name)]


def _hash(texts: Iterable[str]) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:16]


def _kept(path: Path) -> Iterator[Outcome]:
    if path.exists():
        for line in path.read_text().splitlines():
            try:
                yield Outcome(**json.loads(line))
            except (ValueError, TypeError):
                continue  # the last line of a run that was broken off
