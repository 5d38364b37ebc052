"""Mutation testing: would the tests notice if a solution were slightly different?

mutmut makes the mutants, each one small change within a solution region; the kata's own tests judge
them. One that no test fails is a survivor: either a test is missing, or the change makes no
difference that the lesson asks about. The survivors of the second kind are listed, each with the
reason (mutant_record.py). Results are kept in .mutants/ as they come, so that a run that was broken
off goes on.
"""

import ast
import contextlib
import difflib
import hashlib
import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import indent

from dojo import ROOT, dependencies, files, stubs
from dojo import reference_results as content
from dojo.catalog import Kata
from dojo.results import KataResult, Outcome
from dojo.suite.supervisor import run
from dojo.suite.unit import Unit
from dojo.validate import mutant_record
from dojo.validate.mutant_record import FEWEST_KILLED, Key, MutantsError
from dojo.validate.patches import reference_of

KEPT = ROOT / ".mutants"
AT_ONCE = 16  # judged between two savings of the results

# called after each few with how many are judged, and of how many
OnProgress = Callable[[int, int], None]


@dataclass(frozen=True)
class Mutant:
    """A reference with one small change."""

    text: str  # the whole file
    where: str  # the function that is changed, with its class
    before: str  # the lines that are changed, without the spaces around them
    after: str

    @property
    def key(self) -> Key:
        """What it is known by in the list: says nothing of line numbers, so that it survives when
        lines move.
        """
        return self.where, self.before, self.after

    @property
    def diff(self) -> str:
        return f"in {self.where}:\n{indent(self.before, '- ')}\n{indent(self.after, '+ ')}"


@dataclass(frozen=True)
class Report:
    """What became of the mutants of one kata."""

    kata: str
    mutants: tuple[Mutant, ...]
    survivors: tuple[Mutant, ...]
    listed: dict[Key, str]  # → the reason why it is equivalent

    @property
    def equivalent(self) -> tuple[Mutant, ...]:
        return tuple(mutant for mutant in self.survivors if mutant.key in self.listed)

    @property
    def figures(self) -> dict[str, int]:
        killed = len(self.mutants) - len(self.survivors)
        return {"total": len(self.mutants), "killed": killed, "equivalent": len(self.equivalent)}

    @property
    def problems(self) -> list[str]:
        """A survivor that is not listed, a listed one that does not survive, and too few killed."""
        found = [
            f"survives, {mutant.diff}" for mutant in self.survivors if mutant.key not in self.listed
        ]
        alive, made = (
            {mutant.key for mutant in self.survivors},
            {mutant.key for mutant in self.mutants},
        )
        for key in sorted(self.listed.keys() - alive):
            fate = "is killed now" if key in made else "is not made any more"
            found.append(
                f"{fate}: take it out of reference/validation/mutants.toml, {Mutant('', *key).diff}"
            )
        total, killed = len(self.mutants) - len(self.equivalent), self.figures["killed"]
        if killed < FEWEST_KILLED * total:
            found.append(
                f"{killed} of {total} that are not equivalent are killed: {FEWEST_KILLED:.0%} are"
                " asked for"
            )
        return found


def generate(source: str) -> list[Mutant]:
    """Every mutant of the solution regions that is Python, each text once.

    mutmut's operators change values, operators, arguments and assignments; one of our own leaves a
    statement out.
    """
    import libcst.metadata  # here, because no other part of the validation needs these
    from mutmut.mutation.file_mutation import MutationVisitor
    from mutmut.mutation.mutators import mutation_operators
    from mutmut.mutation.pragma_handling import IgnoredCode

    def left_out(statement: libcst.Expr) -> Iterator[libcst.CSTNode]:
        if not isinstance(statement.value, libcst.BaseString):  # a docstring
            yield libcst.Pass()

    operators = [*mutation_operators, (libcst.Expr, left_out)]
    visitor = MutationVisitor(
        operators, IgnoredCode(set(), set(), set()), covered_lines=stubs.solution_lines(source)
    )
    wrapper = libcst.metadata.MetadataWrapper(libcst.parse_module(source))
    wrapper.visit(visitor)
    texts = (
        wrapper.module.deep_replace(change.original_node, change.mutated_node).code
        for change in visitor.mutations
    )
    return [
        _mutant(source, text)
        for text in dict.fromkeys(texts)
        if text != source and _is_python(text)
    ]


def _is_python(text: str) -> bool:
    with contextlib.suppress(SyntaxError, ValueError):
        return bool(compile(text, "mutant", "exec"))
    return False


def _mutant(source: str, text: str) -> Mutant:
    old, new = source.splitlines(), text.splitlines()
    changes = [
        change
        for change in difflib.SequenceMatcher(None, old, new, False).get_opcodes()
        if change[0] != "equal"
    ]
    (_, first, _, new_first, _), (_, _, last, _, new_last) = changes[0], changes[-1]
    before, after = "\n".join(old[first:last]).strip(), "\n".join(new[new_first:new_last]).strip()
    return Mutant(text, _enclosing(source, first + 1), before, after)


def _enclosing(source: str, line: int) -> str:
    """The names of the class and function around a line, such as MLP.forward."""
    kinds = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    named = sorted(
        (node.lineno, node.end_lineno, node.name)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, kinds)
    )
    return ".".join(name for first, last, name in named if first <= line <= last) or "the module"


def judge(kata: Kata, mutants: Sequence[Mutant], on_progress: OnProgress) -> list[str]:
    """For each mutant the test that kills it, empty if none does. What is known from an earlier run
    is not run again.

    Raises:
        MutantsError: the reference does not pass its tests, so a failure would say nothing.
    """
    tests = tests_hash(kata.name)
    keys = [
        hashlib.sha256(f"{tests}\0{dependencies.code(mutant.text)}".encode()).hexdigest()[:16]
        for mutant in mutants
    ]
    path = KEPT / f"{kata.short}.json"
    known = {key: killer for key, killer in _read(path).items() if key in keys}
    left = [(key, mutant) for key, mutant in zip(keys, mutants, strict=True) if key not in known]
    on_progress(len(known), len(mutants))
    if left and (failing := _run(kata, [reference_of(kata)])[0]):
        raise MutantsError(
            f"reference/{kata.name}.py itself fails {failing}: its mutants can't be judged"
        )
    for start in range(0, len(left), AT_ONCE):
        some = left[start : start + AT_ONCE]
        killers = _run(kata, [mutant.text for _, mutant in some])
        known |= {key: killer for (key, _), killer in zip(some, killers, strict=True)}
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(known, indent=1), encoding="utf-8")
        on_progress(len(known), len(mutants))
    return [known[key] for key in keys]


def tests_hash(kata: str) -> str:
    """Hash of what judges a kata's mutants: the code of its tests and of what they use, and its
    marks.
    """
    texts = [path.read_text(encoding="utf-8") for path in content.tests_of(kata)]
    return files.digest([*map(dependencies.code, texts), content.bounds_of(kata)])


def _read(path: Path) -> dict[str, str]:
    with contextlib.suppress(OSError, ValueError):
        return json.loads(path.read_text(encoding="utf-8"))
    return {}  # not there yet, or a run was ended while it wrote: judged anew


def _run(kata: Kata, texts: Sequence[str]) -> list[str]:
    """What kills each mutant: on the CPU, and of those that nothing kills there on the other
    devices present.
    """
    killers = _run_on("cpu", kata, texts)
    left = [number for number, killer in enumerate(killers) if not killer]
    for number, killer in zip(
        left, _run_on("auto", kata, [texts[number] for number in left]), strict=True
    ):
        killers[number] = killer
    return killers


def _run_on(device: str, kata: Kata, texts: Sequence[str]) -> list[str]:
    with tempfile.TemporaryDirectory() as scratch:
        units = []
        for number, text in enumerate(texts):
            folder = Path(scratch) / str(number)
            folder.mkdir()
            (folder / f"{kata.name}.py").write_text(text, encoding="utf-8")
            units.append(Unit(str(folder), kata.name, device, stop=True))
        return [killed_by(result) for result in run(units, [kata])]


def killed_by(result: KataResult) -> str:
    """The first test that did not pass, empty if all did. One that needs a device that is absent
    does not count.
    """
    tests = (test for task in result.tasks for test in task.tests)
    return next(
        (test.name for test in tests if test.outcome not in (Outcome.PASSED, Outcome.SKIPPED)), ""
    )


def look(kata: Kata, on_progress: OnProgress) -> Report:
    """Make the mutants of one kata's reference, judge them by its tests, and compare with the
    list.
    """
    mutants = generate(reference_of(kata))
    survivors = [
        mutant
        for mutant, killer in zip(mutants, judge(kata, mutants, on_progress), strict=True)
        if not killer
    ]
    return Report(kata.name, tuple(mutants), tuple(survivors), mutant_record.listed(kata.name))


def code_hash(kata: Kata) -> str:
    """Of the reference's code, from which the mutants are made."""
    return hashlib.sha256(dependencies.code(reference_of(kata)).encode()).hexdigest()[:16]
