"""Mutation testing: would the tests notice if a solution were slightly different?

mutmut makes the mutants, each one small change within a solution region; the kata's own tests judge
them. One that no test fails is a survivor: either a test is missing, or the change makes no
difference that the lesson asks about. The survivors of the second kind are listed by hand in
reference/validation/mutants.toml, each with the reason; the figures are kept beside it, in
mutants.json. Verdicts are kept in .mutants/ as they come, so that an interrupted run goes on.

When tests change, all mutants are judged again: first by the test that killed each before, which
is quick, and only those that it lets live by all tests. So a weakened test is found by what it no
longer notices. The other way round, a test that notices no mutant and no known mistake is idle
(`idle_tests`).
"""

import ast
import contextlib
import difflib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from textwrap import indent

import msgspec

from dojo import ROOT, files, imports, reference_results, stubs
from dojo.catalog import Catalog, Kata
from dojo.results import KataResult, Outcome
from dojo.suite.unit import Unit
from dojo.validate import Finding, idle_tests
from dojo.validate.patched import bare
from dojo.validate.test_files import run_texts

EQUIVALENT = ROOT / "reference" / "validation" / "mutants.toml"
FILE = EQUIVALENT.with_suffix(".json")
KEPT = ROOT / ".mutants"
AT_ONCE = 16  # judged between two savings of the verdicts
IDLE = "fails for no known mistake and for no mutant"
FEWEST_KILLED = 0.95  # of those that are not equivalent
# Katas whose tests have grown since their mutants were last judged, and which are still to be
# judged again: "not checked" until then, and a problem in any other kata. Shorter, never longer.
TO_JUDGE = {f"k{number:02d}" for number in range(23)}

Key = tuple[str, str, str]  # of a mutant in the list: where, before, after
OnProgress = Callable[[int, int], None]  # called with how many are judged, and of how many


class MutantsError(Exception):
    """Mutants can't be made or judged; the message says why."""


@dataclass(frozen=True)
class Mutant:
    """A reference with one small change."""

    text: str  # the whole file
    where: str  # the function that is changed, with its class
    before: str  # the lines that are changed, without the spaces around them
    after: str

    @property
    def key(self) -> Key:
        """What it is known by in the list: no line numbers, so that lines may move."""
        return self.where, self.before, self.after

    @property
    def id(self) -> str:
        """Hash of its code."""
        return files.digest([imports.code(self.text)])[:8]

    @property
    def diff(self) -> str:
        return f"in {self.where}:\n{indent(self.before, '- ')}\n{indent(self.after, '+ ')}"


@dataclass(frozen=True)
class MutantFigures:
    """How many mutants of a kata there are, and what became of them."""

    total: int
    killed: int
    equivalent: int
    date: str = ""
    of: str = ""  # hash of the reference's code
    tests: str = ""  # hash of what judged them
    # test → ids of the mutants that it was the first to notice
    killers: dict[str, tuple[str, ...]] = field(default_factory=dict, hash=False)
    idle: tuple[str, ...] = ()  # tests that notice nothing known and are not listed

    @property
    def killer_of(self) -> dict[str, str]:
        """Id of a mutant → the test that kills it."""
        return {each: test for test, ids in self.killers.items() for each in ids}


@dataclass(frozen=True)
class MutantVerdict:
    """What killed a mutant; nothing if it survived."""

    killer: str
    tests: str  # hash of what judged it


@dataclass(frozen=True)
class MutantReport:
    """What became of the mutants of one kata."""

    mutants: tuple[Mutant, ...]
    survivors: tuple[Mutant, ...]
    listed: dict[Key, str]  # → the reason why it is equivalent
    killers: tuple[str, ...] = ()  # of each mutant in turn
    idle: tuple[str, ...] = ()  # tests that notice nothing known
    excused: dict[str, str] = field(default_factory=dict)  # those of them that may → the reason

    @property
    def equivalent(self) -> tuple[Mutant, ...]:
        return tuple(mutant for mutant in self.survivors if mutant.key in self.listed)

    @property
    def figures(self) -> MutantFigures:
        killed = len(self.mutants) - len(self.survivors)
        by_test: dict[str, tuple[str, ...]] = {}
        for mutant, killer in zip(self.mutants, self.killers, strict=False):
            if killer:
                by_test[bare(killer)] = (*by_test.get(bare(killer), ()), mutant.id)
        counts = len(self.mutants), killed, len(self.equivalent)
        idle = tuple(test for test in self.idle if test not in self.excused)
        return MutantFigures(*counts, killers=by_test, idle=idle)

    @property
    def problems(self) -> list[str]:
        """A survivor that is not listed, a listed one that does not survive, and too few killed."""
        unlisted = [mutant for mutant in self.survivors if mutant.key not in self.listed]
        problems = [f"survives, {mutant.diff}" for mutant in unlisted]
        keys = {mutant.key for mutant in self.mutants}
        for key in sorted(self.listed.keys() - {mutant.key for mutant in self.survivors}):
            fate = "is killed now" if key in keys else "is not made any more"
            diff = Mutant("", *key).diff
            problems.append(f"{fate}: take it out of reference/validation/mutants.toml, {diff}")
        total, killed = len(self.mutants) - len(self.equivalent), self.figures.killed
        if killed < FEWEST_KILLED * total:
            needed = f"{FEWEST_KILLED:.0%} are asked for"
            problems.append(f"{killed} of {total} that are not equivalent are killed: {needed}")
        for test in self.idle:
            if test not in self.excused:
                problems.append(f"{test} {IDLE}: make it able to fail, or take it out")
        for test in sorted(self.excused.keys() - set(self.idle)):
            problems.append(f"{test} notices something now: take it out of {EQUIVALENT.name}")
        return problems

    @property
    def finding(self) -> Finding:
        notes = [
            f"equivalent, {mutant.diff}\n  because {self.listed[mutant.key]}"
            for mutant in self.equivalent
        ]
        figures = self.figures
        scope = f"{figures.killed} of {figures.total} killed, {figures.equivalent} equivalent"
        return Finding(self.problems, scope, notes)


def measure(kata: Kata, write_record: bool, on_progress: OnProgress) -> Finding:
    """Try a kata's mutants out; keep the figures if that is asked for and nothing is wrong."""
    report = try_out(kata, on_progress)
    if write_record and not report.problems:
        record(kata, report.figures)
    return report.finding


def try_out(kata: Kata, on_progress: OnProgress) -> MutantReport:
    """Make the mutants of a kata's reference, judge them, and compare with the list."""
    mutants = generate(kata.reference_text())
    killers = judge(kata, mutants, on_progress)
    survivors = [mutant for mutant, by in zip(mutants, killers, strict=True) if not by]
    texts = [mutant.text for mutant in mutants]
    return MutantReport(
        tuple(mutants),
        tuple(survivors),
        listed(kata.name),
        tuple(killers),
        tuple(idle_tests.find(kata, texts, killers)),
        excused(kata.name),
    )


def generate(source: str) -> list[Mutant]:
    """Every mutant of the solution regions that is Python, each text once.

    mutmut's operators change values, operators, arguments and assignments; one of our own leaves a
    statement out.

    Raises:
        MutantsError: mutmut is missing, or another than the one whose operators we know.
    """
    try:  # these names are mutmut's own affair: no other tool has operators on Python's text
        import libcst.metadata
        from mutmut.mutation.file_mutation import MutationVisitor
        from mutmut.mutation.mutators import mutation_operators
        from mutmut.mutation.pragma_handling import IgnoredCode
    except ImportError as error:
        raise MutantsError(
            f"There is no way to make mutants here ({error}): they need the mutmut that"
            " tools/pins/validate.txt names."
        ) from None

    def left_out(statement: libcst.Expr) -> Iterator[libcst.CSTNode]:
        if not isinstance(statement.value, libcst.BaseString):  # a docstring
            yield libcst.Pass()

    operators = [*mutation_operators, (libcst.Expr, left_out)]
    ignored = IgnoredCode(set(), set(), set())
    visitor = MutationVisitor(operators, ignored, covered_lines=stubs.solution_lines(source))
    wrapper = libcst.metadata.MetadataWrapper(libcst.parse_module(source))
    wrapper.visit(visitor)
    module = wrapper.module
    texts = (
        module.code_for_node(module.deep_replace(change.original_node, change.mutated_node))
        for change in visitor.mutations
    )
    new = (text for text in dict.fromkeys(texts) if text != source and _is_python(text))
    return [_mutant(source, text) for text in new]


def _is_python(text: str) -> bool:
    with contextlib.suppress(SyntaxError, ValueError):
        return bool(compile(text, "mutant", "exec"))
    return False


def _mutant(source: str, text: str) -> Mutant:
    old, new = source.splitlines(), text.splitlines()
    matcher = difflib.SequenceMatcher(None, old, new, False)
    changes = [change for change in matcher.get_opcodes() if change[0] != "equal"]
    _, first, _, new_first, _ = changes[0]
    _, _, last, _, new_last = changes[-1]
    before, after = "\n".join(old[first:last]), "\n".join(new[new_first:new_last])
    return Mutant(text, _enclosing(source, first + 1), before.strip(), after.strip())


def _enclosing(source: str, line: int) -> str:
    """The names of the class and function around a line, such as MLP.forward."""
    named = sorted(
        (node.lineno, node.name)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.lineno <= line <= (node.end_lineno or node.lineno)
    )
    return ".".join(name for _, name in named) or "the module"


def judge(kata: Kata, mutants: Sequence[Mutant], on_progress: OnProgress) -> list[str]:
    """For each mutant the test that kills it, empty if none does. Verdicts of an earlier run are
    reused.

    Raises:
        MutantsError: the reference does not pass its tests, so a failure would say nothing.
    """
    tests, path = tests_hash(kata.name), KEPT / f"{kata.short}.json"
    kept = files.read_json(path, dict[str, MutantVerdict]) or {}
    verdicts = {id: verdict for id, verdict in kept.items() if verdict.tests == tests}
    waiting = [mutant for mutant in mutants if mutant.id not in verdicts]
    counted = figures().get(kata.name)
    former = counted.killer_of if counted else {}
    former |= {id: verdict.killer for id, verdict in kept.items()}
    on_progress(len(mutants) - len(waiting), len(mutants))
    if waiting and (failing := _run(kata, [kata.reference_text()])[0]):
        fault = f"itself fails {failing}: its mutants can't be judged"
        raise MutantsError(f"reference/{kata.name}.py {fault}")
    for start in range(0, len(waiting), AT_ONCE):
        some = waiting[start : start + AT_ONCE]
        new = _killers(kata, some, [former.get(mutant.id, "") for mutant in some])
        verdicts |= {
            mutant.id: MutantVerdict(killer, tests)
            for mutant, killer in zip(some, new, strict=True)
        }
        files.write_json(path, kept | verdicts)
        on_progress(len(mutants) - len(waiting) + start + len(some), len(mutants))
    return [verdicts[mutant.id].killer for mutant in mutants]


def _killers(kata: Kata, mutants: Sequence[Mutant], former: Sequence[str]) -> list[str]:
    """What kills each mutant: the test that did before, if it still does, or else any other."""
    asked = [(Unit("", kata.name, only=bare(test)), test) for test in former]
    texts = [mutant.text for mutant in mutants]
    again = [(unit, text) for (unit, test), text in zip(asked, texts, strict=True) if test]
    results = iter(run_texts(again, [kata]))
    killers = [killed_by(next(results), bare(test)) if test else "" for test in former]
    alive = [text for text, killer in zip(texts, killers, strict=True) if not killer]
    others = iter(_run(kata, alive))
    return [killer or next(others) for killer in killers]


def _run(kata: Kata, texts: Sequence[str]) -> list[str]:
    """What kills each mutant: on the CPU, or else on the other devices present."""
    killers = _run_on("cpu", kata, texts)
    alive = [text for text, killer in zip(texts, killers, strict=True) if not killer]
    elsewhere = iter(_run_on("auto", kata, alive))
    return [killer or next(elsewhere) for killer in killers]


def _run_on(device: str, kata: Kata, texts: Sequence[str]) -> list[str]:
    unit = Unit("", kata.name, device, stop=True)
    return [killed_by(result) for result in run_texts([(unit, text) for text in texts], [kata])]


def killed_by(result: KataResult, only: str = "") -> str:
    """The first test that did not pass, skipped ones aside; empty if all did.

    Args:
        only: look at the test of this name alone.
    """
    passing = (Outcome.PASSED, Outcome.SKIPPED)
    tests = [test for test in result.tests if not only or bare(test.name) == only]
    return next((test.name for test in tests if test.outcome not in passing), "")


def code_hash(kata: Kata) -> str:
    """Hash of the reference's code, from which the mutants are made."""
    return files.digest([imports.code(kata.reference_text())])[:16]


def tests_hash(kata: str) -> str:
    """Hash of what judges a kata's mutants: the code of its tests, and its marks."""
    texts = [path.read_text(encoding="utf-8") for path in reference_results.tests_of(kata)]
    parts = [*map(imports.code, texts), reference_results.bounds_of(kata)]
    return files.digest(parts)[:16]


@dataclass(frozen=True)
class _Equivalent:
    """An entry of the list."""

    kata: str
    where: str  # the function, or Class.method
    before: str  # the lines that the mutant changes
    after: str | list[str]  # what it makes of them: a text, or several that share the reason
    reason: str


@dataclass(frozen=True)
class _Idle:
    """A test that fails for nothing known and stays all the same."""

    kata: str
    test: str
    reason: str


class _Lists(msgspec.Struct, forbid_unknown_fields=True):
    equivalent: list[_Equivalent] = []
    idle: list[_Idle] = []


def listed(kata: str, path: Path = EQUIVALENT) -> dict[Key, str]:
    """The kata's survivors judged equivalent → the reason.

    Raises:
        MutantsError: the list is malformed, or a reason is missing.
    """
    reasons: dict[Key, str] = {}
    for entry in _lists(path).equivalent:
        if entry.kata == kata:
            texts = [entry.after] if isinstance(entry.after, str) else entry.after
            reasons |= {(entry.where, entry.before, text): entry.reason for text in texts}
    return reasons


def excused(kata: str, path: Path = EQUIVALENT) -> dict[str, str]:
    """The kata's tests that may notice nothing known → the reason. Raises MutantsError, too."""
    return {entry.test: entry.reason for entry in _lists(path).idle if entry.kata == kata}


def _lists(path: Path) -> _Lists:
    try:
        lists = msgspec.toml.decode(path.read_bytes() if path.exists() else b"", type=_Lists)
    except (ValueError, msgspec.MsgspecError) as error:
        raise MutantsError(f"{path.name} is malformed: {error}") from None
    reasons = [(entry.before, entry.reason) for entry in lists.equivalent]
    reasons += [(entry.test, entry.reason) for entry in lists.idle]
    for what, reason in reasons:
        if not reason.strip():
            raise MutantsError(f"{path.name} is malformed: no reason for {what!r}")
    return lists


def figures(path: Path = FILE) -> dict[str, MutantFigures]:
    """Kata → its figures; empty where there is no readable record."""
    return files.read_json(path, dict[str, MutantFigures]) or {}


def record(kata: Kata, counted: MutantFigures, path: Path = FILE) -> None:
    """Keep a kata's figures."""
    today = str(date.today())
    new = replace(counted, date=today, of=code_hash(kata), tests=tests_hash(kata.name))
    files.write_record(path, dict(sorted((figures(path) | {kata.name: new}).items())))


def recorded(catalog: Catalog) -> Finding:
    """A test noticed every mutant of each reference, when these were last judged."""
    records = figures()
    problems, notes = [], list[str]()
    for kata in catalog.katas:
        kept = records.get(kata.name)
        if kata.short in TO_JUDGE and kept and _is_of_other_tests(kata, kept):
            notes.append(f"{kata.short}: the tests of {kept.date} were the last to judge them")
            continue
        try:
            problems.append(problem(kata, kept) or (miscounted(kata, kept) if kept else ""))
        except MutantsError as reason:
            notes.append(f"{kata.short}: its mutants were not counted again: {reason}")
    counted = {kata.name: records[kata.name] for kata in catalog.katas if kata.name in records}
    killed = sum(each.killed for each in counted.values())
    total = sum(each.total - each.equivalent for each in counted.values())
    scope = f"killed {killed}/{total}"
    return Finding(list(filter(None, problems)), scope, notes, unchecked=bool(notes))


def _is_of_other_tests(kata: Kata, counted: MutantFigures) -> bool:
    """True if the mutants are those of today's reference, and other tests have judged them."""
    return counted.of == code_hash(kata) and counted.tests != tests_hash(kata.name)


def miscounted(kata: Kata, counted: MutantFigures) -> str:
    """Why the figures can't be of the mutants that the reference makes; empty if they can. Raises
    MutantsError if none can be made here.
    """
    made = {mutant.id for mutant in generate(kata.reference_text())}
    survivors = len(made - counted.killer_of.keys())
    if counted.killer_of.keys() <= made and counted.total - counted.killed == survivors:
        return ""
    fault = f"its record counts {counted.killed} of {counted.total} mutants killed, and names the"
    again = f"`python tools/validate mutants --record {kata.short}`"
    return f"{kata.name}: {fault} tests for {len(made) - survivors} of {len(made)}: {again}"


def problem(kata: Kata, counted: MutantFigures | None) -> str:
    """Why a kata's figures don't prove its tests of today; empty where they do."""
    number = len(listed(kata.name))
    if counted is None or counted.of != code_hash(kata):
        fault = "its reference has changed since its mutants were judged"
    elif counted.tests != tests_hash(kata.name):
        fault = "its mutants were judged by other tests"
    elif counted.idle:
        fault = f"{', '.join(counted.idle)} {IDLE}"
    elif counted.killed < (total := counted.total - counted.equivalent):
        fault = f"only {counted.killed} of {total} mutants that are not equivalent were killed"
    elif counted.equivalent != number:
        fault = f"{number} mutants are listed as equivalent, and {counted.equivalent} were found"
    else:
        return ""
    return f"{kata.name}: {fault}: `python tools/validate mutants --record {kata.short}`"
