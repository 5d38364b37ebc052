"""Each part of the validation."""

import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dojo import ROOT, catalog, files, reference_results, simulated
from dojo.catalog import Catalog, Kata
from dojo.results import NO_TEST, KataResult, Outcome, TestResult
from dojo.stubs import MarkerError, stub_of
from dojo.suite.supervisor import run
from dojo.suite.unit import Unit
from dojo.validate import Finding, bands, exams, marks, mutants, patches
from dojo.validate.patches import Patch, PatchError
from dojo.validate.test_files import placement_tests, run_texts

MOST_WORKERS = 4  # torch is in the memory of each
DOTS = re.compile(r"^[.sxFEX]*\s*\[ *\d+%\]$")  # how far pytest has come
FEWEST_HINTS = 4
FEWEST_MISTAKES = 6
FEWEST_VARIANTS = 3


@dataclass(frozen=True)
class Part:
    """A part of the validation.

    Attributes:
        of_katas: it can be had for some katas alone; otherwise it is of the whole repository.
    """

    title: str
    look: Callable[[Catalog], Finding]
    of_katas: bool = True


def generated_stub(kata: Kata) -> str:
    """The stub that belongs to a reference.

    Raises:
        MarkerError: the reference's markers are malformed.
    """
    tasks = [task.name for task in kata.tasks]
    return stub_of(kata.reference_text(), tasks, f"reference/{kata.name}.py")


def write_stubs(chosen: Catalog) -> Finding:
    """Generate katas/k*.py from the references."""
    for kata in chosen.katas:
        files.write_whole(ROOT / "katas" / f"{kata.name}.py", generated_stub(kata))
    return Finding((), f"{len(chosen.katas)} stubs written")


def catalog_is_complete(chosen: Catalog) -> Finding:
    """Every kata has its files, its hints and its choices."""
    problems = []
    for kata in chosen.katas:
        name = kata.name
        for file in (f"reference/{name}.py", f"tests/test_{name}.py", f"katas/{name}.py"):
            if not (ROOT / file).is_file():
                problems.append(f"{file} is missing, though katas/catalog.toml lists {name}")
        for task in kata.tasks:
            where = f"katas/catalog.toml: {kata.short} {task.name}"
            if len(task.hints) < FEWEST_HINTS:
                problems.append(f"{where} has {len(task.hints)} hints of {FEWEST_HINTS}")
            if not task.chose.strip():
                problems.append(f"{where} has no `chose`: what the reference chose, and why")
    listed = {kata.name for kata in catalog.load().katas}
    for path in sorted((ROOT / "reference").glob("k*.py")):
        if path.stem not in listed:
            problems.append(f"katas/catalog.toml does not list reference/{path.name}")
    return Finding(tuple(problems), f"{len(chosen.katas)} katas")


def stubs_match(chosen: Catalog) -> Finding:
    """Every stub equals what its reference generates."""
    problems = []
    for kata in chosen.katas:
        path = ROOT / "katas" / f"{kata.name}.py"
        try:
            if path.read_bytes().replace(b"\r\n", b"\n").decode() != generated_stub(kata):
                problems.append(
                    f"katas/{path.name} is not what its reference generates: `python tools/validate"
                    " stubs`"
                )
        except (MarkerError, OSError, UnicodeDecodeError) as error:
            problems.append(str(error))
    return Finding(tuple(problems), f"{len(chosen.katas)} stubs")


def stubs_are_not_started(chosen: Catalog) -> Finding:
    """Every test of a stub is not started, or skipped for want of a device."""
    problems, tests = [], 0
    texts = [(Unit("", kata.name), generated_stub(kata)) for kata in chosen.katas]
    for result in run_texts(texts, chosen.katas):
        for task in result.tasks:
            tests += len(task.tests)
            expected = (Outcome.NOT_STARTED, Outcome.SKIPPED)
            wrong = [test for test in task.tests if test.outcome not in expected]
            problems += [
                f"the stub of {result.name}: {test.name} is {test.outcome}: {test.message}"
                for test in wrong
            ]
            if task.outcome != Outcome.NOT_STARTED and not wrong:
                problems.append(
                    f"the stub of {result.name}: the task {task.name} is {task.outcome}"
                )
    return Finding(tuple(problems), f"{tests} tests")


def references_pass(chosen: Catalog, write_record: bool = False) -> Finding:
    """Every task of every reference passes, and the record of that is up to date."""
    results = run([Unit("reference", kata.name) for kata in chosen.katas], chosen.katas)
    problems = [f"reference/{name}" for name in not_passed(results)]
    entries = {result.name: reference_results.entry_of(result) for result in results}
    if write_record and not problems:
        reference_results.write(reference_results.read() | entries)
    recorded = reference_results.read()
    for name, entry in entries.items():
        kept = recorded.get(name)
        if kept is None or (kept.content, kept.passed) != (entry.content, entry.passed):
            problems.append(
                f"reference/validation/reference.json is older than {name}: `python tools/validate"
                " --record`"
            )
    tests = [test for result in results for task in result.tasks for test in task.tests]
    devices = sorted({test.device for test in tests if test.outcome == Outcome.PASSED})
    number = sum(len(result.tasks) for result in results)
    return Finding(tuple(problems), f"{number} tasks on {', '.join(devices)}")


def not_passed(results: Sequence[KataResult]) -> list[str]:
    """What did not pass; also what the simulated device can't run, as it has to."""
    problems = []
    for result in results:
        for task in result.tasks:
            for test in task.tests:
                if test.outcome == Outcome.SKIPPED and test.message.startswith(simulated.LIMIT):
                    problems.append(f"{result.name}, {test.name} was skipped: {test.message}")
            if task.outcome != Outcome.PASSED:
                first = task.first_problem
                why = f": {first.name}: {first.message}" if first else ""
                problems.append(f"{result.name}, {task.name} is {task.outcome}{why}")
    return problems


def mistakes_are_caught(chosen: Catalog) -> Finding:
    """Each known mistake fails the test that it names, in its own words alone."""
    mistakes, results, problems = _run_patched(chosen, "mistake", FEWEST_MISTAKES)
    pairs = list(zip(mistakes, results, strict=True))
    unnamed = [check_mistake(mistake, result) for mistake, result in pairs]
    wrong_names = misnamed(mistakes, results)
    problems += [problem for found in (*unnamed, *wrong_names) for problem in found]
    named = sum(not found for found in unnamed)
    scope = f"mistakes named {named}/{len(mistakes)}, misnamed {sum(map(bool, wrong_names))}"
    return Finding(tuple(problems), scope)


def check_mistake(mistake: Patch, result: KataResult) -> list[str]:
    """Why a mistake is not caught by its test and called by its name; nothing if it is."""
    tests = [test for task in result.tasks for test in task.tests]
    named = [
        test for test in tests if mistake.caught_by in (test.name, test.name.partition("[")[0])
    ]
    if not named:
        silent = (test.message for test in tests if test.name == NO_TEST and test.message)
        why = next((f": {message}" for message in silent), "")
        return [f"{mistake.where}: there is no test {mistake.caught_by}{why}"]
    if broken := [test for test in tests if test.outcome == Outcome.ERROR and test.name != NO_TEST]:
        return [f"{mistake.where}: {broken[0].name} is an error: {broken[0].message}"]
    caught = [test for test in named if test.outcome == Outcome.FAILED]
    if not caught:
        failed = ", ".join(test.name for test in tests if test.outcome == Outcome.FAILED)
        return [
            f"{mistake.where}: {mistake.caught_by} is {named[0].outcome}, not failed"
            f" ({failed or 'no test'} failed)"
        ]
    if not any(mistake.saying in _diagnosis(test) for test in caught):
        return [
            f"{mistake.where}: {mistake.caught_by} does not say {mistake.saying!r}"
            f" but:\n{caught[0].message}"
        ]
    return []


def _diagnosis(test: TestResult) -> str:
    """What the diagnosis says, without the learner's own lines, which hold the mistake."""
    if (why := test.diagnosis) is None:
        return ""
    causes = (cause.text for cause in why.likely)
    return "\n".join([why.headline, why.seen, why.expected, *why.layers, *causes])


def misnamed(mistakes: Sequence[Patch], results: Sequence[KataResult]) -> list[list[str]]:
    """For each mistake the wrong names that it is called by; nothing for most.

    The name of a mistake are its words, `saying`: it is called by them where they stand in a likely
    cause. It may carry the name of another of its kata where both truly show the same: its entry
    lists that one in `also`.
    """
    found = []
    for mistake, result in zip(mistakes, results, strict=True):
        others = [
            other
            for other in mistakes
            if other.kata == mistake.kata
            and other.name not in (mistake.name, *mistake.also)
            and other.saying != mistake.saying
        ]
        wrong = [
            f"{mistake.where}: {test.name} calls it '{other.name}': {cause.text}"
            for task in result.tasks
            for test in task.tests
            for cause in (test.diagnosis.likely if test.diagnosis else ())
            for other in others
            if other.saying in cause.text and mistake.saying not in cause.text
        ]
        found.append(list(dict.fromkeys(wrong)))
    return found


def variants_pass(chosen: Catalog) -> Finding:
    """Every other right solution passes, and no test explains what is wrong with it."""
    variants, results, problems = _run_patched(chosen, "variant", FEWEST_VARIANTS)
    for variant, result in zip(variants, results, strict=True):
        problems += [f"{variant.where}: {problem}" for problem in not_passed([result])]
        problems += undiagnosed(variant, result)
    return Finding(tuple(problems), f"{len(variants)} other right solutions")


def undiagnosed(variant: Patch, result: KataResult) -> list[str]:
    """The diagnoses of a right solution, which must have none."""
    return [
        f"{variant.where}: {test.name} explains what is not wrong: {test.diagnosis.headline}"
        for task in result.tasks
        for test in task.tests
        if test.diagnosis
    ]


def _run_patched(
    chosen: Catalog, kind: str, fewest: int
) -> tuple[list[Patch], list[KataResult], list[str]]:
    """Run the suite on every patched reference that can be made, and name those that can't."""
    ready, problems, texts = [], [], []
    for kata in chosen.katas:
        try:
            loaded, placed = patches.load(kind, kata.name), placement_tests(kata)
            if len(loaded) < fewest:
                problems.append(
                    f"reference/{kind}s/{kata.name}.toml has {len(loaded)} {kind}s of {fewest}"
                )
            for patch in loaded:
                text = patch.apply(kata.reference_text())
                everywhere = kind == "variant" or patch.caught_by.partition("[")[0] in placed
                device = "auto" if everywhere else "cpu"
                texts.append((Unit("", kata.name, device, until=patch.caught_by), text))
                ready.append(patch)
        except PatchError as error:
            problems.append(str(error))
    return ready, run_texts(texts, chosen.katas), problems


def marks_were_measured(chosen: Catalog) -> Finding:
    """Every mark was measured, what was measured holds, and it is of the training as it is now."""
    wanted = marks.of_katas(marks.read(), chosen)
    problems = marks.problems(wanted)
    problems += [
        f"{name}: its training has changed since it was measured: `python tools/validate marks`"
        for name in marks.out_of_date(wanted, chosen)
    ]
    return Finding(tuple(problems), f"{len(wanted)} marks")


def bands_were_measured(chosen: Catalog) -> Finding:
    """Each training with a mark has a band of the reference's losses of today."""
    trainings = bands.trainings(chosen)
    problems = bands.problems(bands.read(), chosen, trainings)
    return Finding(tuple(problems), f"{len(trainings)} trainings")


def mutants_were_judged(chosen: Catalog) -> Finding:
    """A test noticed every mutant of each reference, when these were last judged."""
    kept = mutants.figures()
    problems = [mutants.problem(kata, kept.get(kata.name)) for kata in chosen.katas]
    figures = {kata.name: kept[kata.name] for kata in chosen.katas if kata.name in kept}
    killed = sum(counted.killed for counted in figures.values())
    total = sum(counted.total - counted.equivalent for counted in figures.values())
    now = sum(counted.tests == mutants.tests_hash(name) for name, counted in figures.items())
    scope = f"killed {killed}/{total}, {now} katas by today's tests"
    return Finding(tuple(filter(None, problems)), scope)


def exams_were_tried(chosen: Catalog) -> Finding:
    """Each kata's exam of today let right solutions pass and no known mistake."""
    kept = exams.read()
    tried = {kata: kept.get(kata.name, exams.Tried()) for kata in chosen.katas}
    problems = {kata.name: exams.problem(kata, record) for kata, record in tried.items()}
    good, number = sum(not problem for problem in problems.values()), len(chosen.katas)
    complete = sum(exams.is_complete(kata, record) for kata, record in tried.items())
    scope = f"{good}/{number} on {exams.FEWEST_DRAWS} draws, {complete}/{number} on all"
    return Finding(tuple(filter(None, problems.values())), scope)


def program(module: str, *arguments: str) -> Callable[[Catalog], Finding]:
    """Runs a program: its output is the problem if it fails, else its last line the scope."""

    def look(chosen: Catalog) -> Finding:
        command = [sys.executable, "-m", module, *arguments]
        result = subprocess.run(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
        )
        lines = result.stdout.decode(errors="replace").strip().splitlines()
        output = [line for line in lines if not DOTS.match(line)]
        if result.returncode:
            return Finding(("\n".join(output) or f"exit code {result.returncode}",), "")
        return Finding((), output[-1].strip("= ") if output else "")

    return look


# The tests of a file stay in one process, so that what they share is made once.
TESTS = ["tools/tests", "-q", "--no-header", "-p", "no:cacheprovider", "--dist", "loadfile"]
TESTS += ["-n", "auto", "--maxprocesses", str(MOST_WORKERS)]
LINT, FORMAT = ("check", "--quiet", "--no-cache", "."), ("format", "--check", "--no-cache", ".")

PARTS = (
    Part("the catalog names what is there", catalog_is_complete),
    Part("stubs equal what the references generate", stubs_match),
    Part("every task of a stub is not started", stubs_are_not_started),
    Part("references pass", references_pass),
    Part("known mistakes are caught and named", mistakes_are_caught),
    Part("other right solutions pass", variants_pass),
    Part("pass marks were measured", marks_were_measured),
    Part("loss bands were measured", bands_were_measured),
    Part("mutants were judged", mutants_were_judged),
    Part("exams were tried out", exams_were_tried),
    Part("the tools pass their own tests", program("pytest", *TESTS), of_katas=False),
    Part("ruff check", program("ruff", *LINT), of_katas=False),
    Part("ruff format", program("ruff", *FORMAT), of_katas=False),
)
TYPES = Part("mypy --strict", program("mypy"), of_katas=False)  # a part once it finds nothing
