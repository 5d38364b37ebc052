"""Tries the exams out: do they let every right solution pass, whatever they draw, and no known
mistake? And do they notice a corrupted answer (`exam_probes`)?

Verdicts are kept in .exams/ as they come, so that an interrupted run goes on. The figures are kept
in reference/validation/exams.json, each with a hash of what was tried: those of a quick trial,
which is made again after a change, beside those of a trial over all draws, which can take hours.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import as_completed
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path

import msgspec

from dojo import ROOT, files, imports, reference_results
from dojo.catalog import Catalog, Kata
from dojo.exam import sheet
from dojo.exam.question import load
from dojo.exam.sheet import Sheet
from dojo.processes import forking
from dojo.validate import Finding, Say, exam_probes, forging, patches
from dojo.validate.exam_probes import Probed
from dojo.validate.test_files import tasks_of, training_tests

FILE = ROOT / "reference" / "validation" / "exams.json"
KEPT = ROOT / ".exams"
FEWEST_DRAWS = 20  # of each right solution, for figures that count
# Katas whose exams have grown since they were last tried out, and which are still to be tried:
# "not checked" until then, and a problem in any other kata. Shorter, never longer.
TO_TRY = {f"k{number:02}" for number in range(23)}
MOST_OF_A_MISTAKE = 3  # draws
PROBED = 3  # draws whose right answers are corrupted
DRAWS_OF_TRAINING, DRAWS_OF_OTHERS, DRAWS_OF_VARIANTS = 1000, 100, 100  # all draws
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
        """Hash of its name, code and tasks."""
        return _hash([self.name, imports.code(self.source), *self.tasks])

    @property
    def is_right(self) -> bool:
        return not self.name.startswith(MISTAKE)


@dataclass(frozen=True)
class ExamVerdict:
    """What the exam said of a solution under one draw: task → reason, empty where it is right."""

    name: str
    of: str  # the solution's id
    seed: int
    reasons: dict[str, str]
    refused_by: tuple[str, ...] = ()  # of a mistake: the questions that refuse it, each alone
    probed: Probed | None = None  # of the reference, in its first draws

    @property
    def is_wrong(self) -> bool:
        return any(self.reasons.values())


@dataclass(frozen=True)
class ExamFigures:
    """What a kata's exam said when it was tried out."""

    reference: int  # draws that the reference was asked under
    reference_refused: int
    variants: int  # the same of all other right solutions together
    variants_refused: int
    mistakes: int  # known mistakes that were tried
    mistakes_passed: int  # under a draw
    of: str = ""  # hash of what was tried
    torch: str = ""
    # mistake → the questions that refused it under each draw; of an older trial there are none
    refusals: dict[str, tuple[str, ...]] = field(default_factory=dict, hash=False)
    leaves: int = 0  # of the reference's answers, each corrupted and refused
    leaves_excused: int = 0  # that need not be refused
    # mistakes that would earn their task by lying; None where that was not tried
    credited: tuple[str, ...] | None = None

    @property
    def draws(self) -> int:
        return self.reference + self.variants


@dataclass(frozen=True)
class Tried:
    """The record of a kata."""

    quick: ExamFigures | None = None
    all_draws: ExamFigures | None = None

    def latest(self, key: str) -> ExamFigures | None:
        """The figures of what has this hash; those over all draws first."""
        figures = (self.all_draws, self.quick)
        return next((tried for tried in figures if tried and tried.of == key), None)


def solutions(kata: Kata) -> list[Solution]:
    """The reference, the other right solutions and the known mistakes of a kata."""
    source, tasks = kata.reference_text(), tuple(task.name for task in kata.tasks)
    tried = [Solution(REFERENCE, source, tasks)]
    for variant in patches.load("variant", kata.name):
        tried.append(Solution(f"variant: {variant.name}", variant.apply(source), tasks))
    for mistake in patches.load("mistake", kata.name):
        broken = tasks_of(kata, mistake.caught_by)
        tried.append(Solution(MISTAKE + mistake.name, mistake.apply(source), broken))
    return tried


def has_exam(kata: Kata) -> bool:
    return sheet.path_of(kata.name).is_file()


def measure(kata: Kata, draws: int, record: bool, say: Say) -> Finding:
    """Try a kata's exam out, and keep the figures if that is asked for and nothing is wrong.

    Args:
        draws: of each solution, of a mistake at most MOST_OF_A_MISTAKE; 0 for all draws.
    """
    plan = all_draws(kata) if not draws else lambda solution: _at_most(draws, solution)
    verdicts = try_out(kata, plan, say)
    wrong = [f"it asks nothing about {task}, or no such task is there" for task in unasked(kata)]
    wrong += problems(kata, verdicts)
    figures = replace(figures_of(verdicts), credited=earning_by_lies(kata))
    wrong += forging.faults(kata.name, figures.credited or ())
    if record and not wrong:
        write(kata, figures)
    scope = f"{figures.mistakes} mistakes, {figures.reference} + {figures.variants} draws,"
    scope += f" {figures.leaves} leaves"
    return Finding(wrong, scope)


def probe(kata: Kata) -> Finding:
    """Draw an exam some times and corrupt its right answers: quick, and nothing is recorded."""
    drawn = (sheet.draw(kata.name, SECRET + str(seed).encode()) for seed in range(PROBED))
    probed = [exam_probes.probe(each) for each in drawn]
    faults = exam_probes.faults(probed, exam_probes.excuses(kata.name))
    return Finding(faults, f"{probed[0].leaves} leaves")


def earning_by_lies(kata: Kata) -> tuple[str, ...]:
    """The known mistakes that would earn their task if their process lied about itself."""
    tried = read().get(kata.name, Tried())
    refused = tried.quick.refusals if tried.quick else {}
    wrong = [each for each in solutions(kata) if not each.is_right]
    mistakes = {each.name.removeprefix(MISTAKE): (each.source, each.tasks) for each in wrong}
    with forking.pool(1) as pool:
        return pool.submit(forging.earning, kata.name, mistakes, refused).result()


def lies(kata: Kata) -> Finding:
    """The same alone: quick, and nothing is recorded."""
    credited = earning_by_lies(kata)
    scope = f"{len(credited)} mistakes credited"
    return Finding(forging.faults(kata.name, credited), scope)


def recorded(catalog: Catalog) -> Finding:
    """Each kata's exam of today let right solutions pass and no known mistake."""
    records = read()
    tried = {kata: records.get(kata.name, Tried()) for kata in catalog.katas}
    found = {kata: problem(kata, record) for kata, record in tried.items()}
    faults = [fault for kata, fault in found.items() if fault and kata.short not in TO_TRY]
    notes = [fault for kata, fault in found.items() if fault and kata.short in TO_TRY]
    complete = sum(is_complete(kata, record) for kata, record in tried.items())
    good = f"{len(tried) - len(faults) - len(notes)}/{len(tried)} on {FEWEST_DRAWS} draws"
    return Finding(faults, f"{good}, {complete}/{len(tried)} on all", notes, bool(notes))


def _at_most(draws: int, solution: Solution) -> int:
    return draws if solution.is_right else min(draws, MOST_OF_A_MISTAKE)


def all_draws(kata: Kata) -> Callable[[Solution], int]:
    """How many draws of each solution a complete trial has."""
    of_reference = DRAWS_OF_TRAINING if training_tests(kata) else DRAWS_OF_OTHERS

    def draws(solution: Solution) -> int:
        if not solution.is_right:
            return 1
        return of_reference if solution.name == REFERENCE else DRAWS_OF_VARIANTS

    return draws


def unasked(kata: Kata) -> list[str]:
    """The tasks that an exam asks nothing about, and those that it asks about and are none."""
    asked = {question.task for question in load(sheet.text_of(kata.name), kata.name)}
    tasks = [task.name for task in kata.tasks]
    return [task for task in tasks if task not in asked] + sorted(asked - set(tasks))


def try_out(kata: Kata, draws: Callable[[Solution], int], say: Say) -> list[ExamVerdict]:
    """Every solution under as many draws as `draws` says; verdicts in .exams/ are reused."""
    asked = [(solution, seed) for solution in solutions(kata) for seed in range(draws(solution))]
    path = KEPT / f"{kata.short}-{_hash(asking(kata))}-{version('torch')}.jsonl"
    verdicts = {(verdict.of, verdict.seed): verdict for verdict in _kept(path)}
    missing: dict[int, list[Solution]] = {}
    for solution, seed in asked:
        if (solution.id, seed) not in verdicts:
            missing.setdefault(seed, []).append(solution)
    path.parent.mkdir(exist_ok=True)
    with forking.pool() as pool, path.open("ab") as file:
        jobs = [pool.submit(_under_one_draw, kata.name, seed, missing[seed]) for seed in missing]
        for number, job in enumerate(as_completed(jobs), start=1):
            for verdict in job.result():
                verdicts[verdict.of, verdict.seed] = verdict
                file.write(msgspec.json.encode(verdict) + b"\n")
            file.flush()
            say(f"{kata.short}: {number} of {len(jobs)} draws")
    return [verdicts[solution.id, seed] for solution, seed in asked]


def _under_one_draw(kata: str, seed: int, group: Sequence[Solution]) -> list[ExamVerdict]:
    drawn = sheet.draw(kata, SECRET + str(seed).encode())
    verdicts = []
    for solution in group:
        refused_by = tuple[str, ...]()
        if solution.name == REFERENCE and seed >= ASKED_AGAIN:
            reasons = sheet.reasons_for_reference(drawn, solution.tasks)
        elif solution.is_right:
            reasons = sheet.reasons(drawn, solution.source, solution.tasks)
        else:
            reasons, refused_by = _each_alone(drawn, solution)
        is_probed = solution.name == REFERENCE and seed < PROBED
        probed = exam_probes.probe(drawn) if is_probed else None
        verdicts.append(ExamVerdict(solution.name, solution.id, seed, reasons, refused_by, probed))
    return verdicts


def _each_alone(drawn: Sheet, mistake: Solution) -> tuple[dict[str, str], tuple[str, ...]]:
    """What the exam says of a mistake, and the questions that refuse it: each is asked as if there
    were no other.
    """
    reasons, refused_by = dict[str, str](), []
    asked = dict.fromkeys(item.question for item in drawn.items if item.task in mistake.tasks)
    for question in asked:
        items = tuple(item for item in drawn.items if item.question == question)
        alone = sheet.reasons(replace(drawn, items=items), mistake.source, mistake.tasks)
        for task, reason in alone.items():
            reasons[task] = reasons.get(task) or reason
            refused_by += [question] if reason else []
    return reasons, tuple(refused_by)


def try_refusals(kata: Kata, words: str = "") -> dict[str, tuple[str, ...]]:
    """Mistake → the questions that refuse it under one draw; these words are in its name."""
    mistakes = [each for each in solutions(kata) if not each.is_right and words in each.name]
    with forking.pool() as pool:
        verdicts = pool.submit(_under_one_draw, kata.name, 0, mistakes).result()
    return refusals_of(verdicts)


def refusals_of(verdicts: Iterable[ExamVerdict]) -> dict[str, tuple[str, ...]]:
    """Mistake → the questions that refused it under each draw."""
    refusals: dict[str, tuple[str, ...]] = {}
    for verdict in verdicts:
        name = verdict.name.removeprefix(MISTAKE)
        before = refusals.get(name, verdict.refused_by)
        refusals[name] = tuple(each for each in before if each in verdict.refused_by)
    return refusals


def recorded_refusals(kata: Kata, path: Path = FILE) -> dict[str, tuple[str, ...]] | None:
    """The same from the record; None if it knows nothing about the exam of today."""
    tried, now = read(path).get(kata.name, Tried()), key(kata)
    figures = [each for each in (tried.all_draws, tried.quick) if each and each.of == now]
    return next((each.refusals for each in figures if each.refusals), None)


def _kept(path: Path) -> Iterator[ExamVerdict]:
    for line in path.read_bytes().splitlines() if path.exists() else ():
        try:
            verdict = msgspec.json.decode(line, type=ExamVerdict)
        except msgspec.MsgspecError:
            continue  # the last line of an interrupted run
        if verdict.name == REFERENCE and verdict.seed < PROBED and not verdict.probed:
            continue  # an older one
        is_mistake = verdict.name.startswith(MISTAKE)
        if verdict.refused_by or not (is_mistake and verdict.is_wrong):
            yield verdict  # an older one does not say which questions refused a mistake


def problems(kata: Kata, verdicts: Sequence[ExamVerdict]) -> Iterator[str]:
    """Right solutions that an exam refused, known mistakes that it let pass, and what else it does
    not notice.
    """
    probed = [verdict.probed for verdict in verdicts if verdict.probed]
    for fault in exam_probes.faults(probed, exam_probes.excuses(kata.name)):
        yield f"reference/exams/{kata.name}.py: {fault}"
    for verdict in verdicts:
        where = f"reference/exams/{kata.name}.py, draw {verdict.seed}"
        if verdict.name.startswith(MISTAKE):
            if not verdict.is_wrong:
                yield f"{where}: it lets '{verdict.name.removeprefix(MISTAKE)}' pass"
        else:
            reasons = filter(None, verdict.reasons.values())
            yield from (f"{where}: {verdict.name} is refused: {reason}" for reason in reasons)


def figures_of(verdicts: Sequence[ExamVerdict]) -> ExamFigures:
    """Draws and refusals of right solutions, and mistakes tried and passed."""
    wrong = [verdict for verdict in verdicts if verdict.name.startswith(MISTAKE)]
    right = [verdict for verdict in verdicts if not verdict.name.startswith(MISTAKE)]
    reference = [verdict for verdict in right if verdict.name == REFERENCE]
    variants = [verdict for verdict in right if verdict.name != REFERENCE]
    probed = [verdict.probed for verdict in reference if verdict.probed]
    excused = set(probed[0].accepted).intersection(*(o.accepted for o in probed)) if probed else ()
    return ExamFigures(
        reference=len(reference),
        reference_refused=sum(verdict.is_wrong for verdict in reference),
        variants=len(variants),
        variants_refused=sum(verdict.is_wrong for verdict in variants),
        mistakes=len({verdict.name for verdict in wrong}),
        mistakes_passed=len({verdict.name for verdict in wrong if not verdict.is_wrong}),
        refusals=refusals_of(wrong),
        leaves=max((each.leaves for each in probed), default=0) - len(excused),
        leaves_excused=len(excused),
    )


def has_draws(kata: Kata, figures: ExamFigures, draws: Callable[[Solution], int]) -> bool:
    """True if the figures are of at least so many draws of each solution."""
    reference, *others = solutions(kata)
    variants = [solution for solution in others if solution.is_right]
    return (
        figures.reference >= draws(reference)
        and figures.variants >= sum(map(draws, variants))
        and figures.mistakes >= len(others) - len(variants)
    )


def adds_up(kata: Kata, figures: ExamFigures) -> bool:
    """True if the figures can be of these solutions."""
    tried = solutions(kata)
    mistakes = {each.name.removeprefix(MISTAKE) for each in tried if not each.is_right}
    variants = len(tried) - len(mistakes) - 1
    return (
        figures.mistakes <= len(mistakes)
        and figures.refusals.keys() <= mistakes
        and figures.variants <= figures.reference * variants
    )


def key(kata: Kata) -> str:
    """Hash of the exam, of the solutions it is tried on, and of the code that asks and judges."""
    return _hash([*asking(kata), *(solution.id for solution in solutions(kata))])


def asking(kata: Kata, root: Path = ROOT) -> list[str]:
    """What decides how answers of this kata's solutions are judged: the code of the reference, of
    the exam, and of all that they and `sheet` import; and the pass marks.
    """
    reference = root / "reference" / f"{kata.name}.py"
    exam = root / "reference" / "exams" / f"{kata.name}.py"
    starts = [reference, exam, *imports.files_of(sheet.__name__, root)]
    paths = sorted(imports.closure(starts, root, NO_SAY))
    codes = [imports.code(path.read_text(encoding="utf-8")) for path in paths]
    return [*codes, reference_results.bounds_of(kata.name)]


def _hash(texts: Iterable[str]) -> str:
    return files.digest(texts)[:16]


def read(path: Path = FILE) -> dict[str, Tried]:
    """Kata name → its record; empty where there is none that can be read."""
    return files.read_json(path, dict[str, Tried]) or {}


def write(kata: Kata, figures: ExamFigures, path: Path = FILE) -> None:
    """Keep a kata's figures, in place of those with as many draws or fewer, or of an older exam."""
    tried = read(path)
    old, now = tried.get(kata.name, Tried()), key(kata)
    new = replace(figures, of=now, torch=version("torch").partition("+")[0])
    if has_draws(kata, new, all_draws(kata)):
        tried[kata.name] = replace(old, all_draws=new)
    elif not (old.quick and old.quick.of == now and old.quick.draws > new.draws):
        tried[kata.name] = replace(old, quick=new)
    files.write_record(path, dict(sorted(tried.items())))


def problem(kata: Kata, tried: Tried) -> str:
    """Why a record doesn't prove the kata's exam of today; empty where it does."""
    figures = tried.latest(key(kata))
    if figures is None:
        fault = "has changed since it was tried out"
    elif refused := figures.reference_refused + figures.variants_refused:
        fault = f"refused a right solution under {refused} draws"
    elif figures.mistakes_passed:
        fault = f"let {figures.mistakes_passed} known mistakes pass"
    elif figures.credited is None:
        fault = "was not tried on mistakes that lie"
    elif lied := forging.faults(kata.name, figures.credited):
        return lied[0]
    elif not figures.leaves:
        fault = "was not tried on corrupted answers"
    elif not has_draws(kata, figures, lambda solution: _at_most(FEWEST_DRAWS, solution)):
        fault = "was not tried on everything"
    elif not adds_up(kata, figures):
        fault = "has a record of other mistakes, or of more variants, than there are"
    else:
        return ""
    again = f"`python tools/validate exams {FEWEST_DRAWS} --record {kata.short}`"
    return f"{kata.name}: its exam {fault}: {again}"


def is_complete(kata: Kata, tried: Tried) -> bool:
    """True if the exam of today was tried on all draws."""
    figures = tried.all_draws
    return bool(figures and figures.of == key(kata) and has_draws(kata, figures, all_draws(kata)))
