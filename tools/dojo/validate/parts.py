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
from dojo.validate import (
    Finding,
    bands,
    claims,
    exams,
    marks,
    mutants,
    pins,
    placement,
    promises,
    records,
    test_rules,
    texts,
    ways,
    workflows,
)
from dojo.validate.patched import Tried, run_patched
from dojo.validate.patches import Patch
from dojo.validate.test_files import run_texts

MOST_WORKERS = 4  # torch is in the memory of each
DOTS = re.compile(r"^[.sxFEX]*\s*\[ *\d+%\]$")  # how far pytest has come
SYSTEMS = ("linux", "darwin", "win32")  # as Python calls them
OF_LINUX = "tools/dojo/grade/sandbox/"  # isolation.need_linux() keeps others out
FEWEST_HINTS = 4
FEWEST_MISTAKES = 6
FEWEST_VARIANTS = 3


@dataclass(frozen=True)
class Part:
    """A part of the validation."""

    title: str
    look: Callable[[Catalog], Finding]
    of_katas: bool = True  # it can be had for some katas alone; else it is of the whole repository


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
    for stage in chosen.stages:
        if not stage.able.strip():
            where = f"katas/catalog.toml: stage {stage.number}"
            problems.append(f"{where} has no `able`: what a learner can do after it")
    listed = {kata.name for kata in catalog.load().katas}
    for path in sorted((ROOT / "reference").glob("k*.py")):
        if path.stem not in listed:
            problems.append(f"katas/catalog.toml does not list reference/{path.name}")
    return Finding(problems, f"{len(chosen.katas)} katas")


def stubs_match(chosen: Catalog) -> Finding:
    """Every stub equals what its reference generates."""
    problems = []
    for kata in chosen.katas:
        path = ROOT / "katas" / f"{kata.name}.py"
        try:
            if path.read_bytes().replace(b"\r\n", b"\n").decode() != generated_stub(kata):
                fault = "is not what its reference generates: `python tools/validate stubs`"
                problems.append(f"katas/{path.name} {fault}")
        except (MarkerError, OSError, UnicodeDecodeError) as error:
            problems.append(str(error))
    return Finding(problems, f"{len(chosen.katas)} stubs")


def stubs_are_not_started(chosen: Catalog) -> Finding:
    """Every test of a stub is not started, or skipped for want of a device."""
    texts = [(Unit("", kata.name), generated_stub(kata)) for kata in chosen.katas]
    results = run_texts(texts, chosen.katas)
    expected = (Outcome.NOT_STARTED, Outcome.SKIPPED)
    problems = []
    for result in results:
        stub = f"the stub of {result.name}"
        for task in result.tasks:
            wrong = [test for test in task.tests if test.outcome not in expected]
            problems += [f"{stub}: {test.name} is {test.outcome}: {test.message}" for test in wrong]
            if task.outcome != Outcome.NOT_STARTED and not wrong:
                problems.append(f"{stub}: the task {task.name} is {task.outcome}")
    return Finding(problems, f"{sum(len(result.tests) for result in results)} tests")


def references_pass(chosen: Catalog, write_record: bool = False) -> Finding:
    """Every task of every reference passes, and the record of that is up to date."""
    results = run([Unit("reference", kata.name) for kata in chosen.katas], chosen.katas)
    problems = [f"reference/{name}" for name in not_passed(results)]
    for kata, result in zip(chosen.katas, results, strict=True):
        problems += test_rules.not_run(kata, result)
    entries = {result.name: reference_results.entry_of(result) for result in results}
    if write_record and not problems:
        reference_results.write(reference_results.read() | entries)
    recorded = reference_results.read()
    for name, entry in entries.items():
        old = recorded.get(name)
        if old is None or (old.content, old.passed) != (entry.content, entry.passed):
            fault = f"is older than {name}: `python tools/validate --record`"
            problems.append(f"reference/validation/reference.json {fault}")
    tests = [test for result in results for test in result.tests]
    devices = sorted({test.device for test in tests if test.outcome == Outcome.PASSED})
    number = sum(len(result.tasks) for result in results)
    return Finding(problems, f"{number} tasks on {', '.join(devices)}")


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
    tried, problems = run_patched(chosen, "mistake", FEWEST_MISTAKES)
    unnamed = [check_mistake(mistake, result) for mistake, result in tried]
    wrong_names = misnamed(tried)
    problems += [problem for lines in (*unnamed, *wrong_names) for problem in lines]
    named = sum(not lines for lines in unnamed)
    scope = f"mistakes named {named}/{len(tried)}, misnamed {sum(map(bool, wrong_names))}"
    return Finding(problems, scope)


def check_mistake(mistake: Patch, result: KataResult) -> list[str]:
    """Why a mistake is not caught by its test and called by its name; nothing if it is."""
    tests, name = result.tests, mistake.caught_by
    named = [test for test in tests if name in (test.name, test.name.partition("[")[0])]
    broken = [test for test in tests if test.outcome == Outcome.ERROR and test.name != NO_TEST]
    caught = [test for test in named if test.outcome == Outcome.FAILED]
    if not named:
        silent = (test.message for test in tests if test.name == NO_TEST and test.message)
        problem = f"there is no test {name}" + next((f": {message}" for message in silent), "")
    elif broken:
        problem = f"{broken[0].name} is an error: {broken[0].message}"
    elif not caught:
        failed = ", ".join(test.name for test in tests if test.outcome == Outcome.FAILED)
        problem = f"{name} is {named[0].outcome}, not failed ({failed or 'no test'} failed)"
    elif not any(mistake.saying in _diagnosis(test) for test in caught):
        problem = f"{name} does not say {mistake.saying!r} but:\n{caught[0].message}"
    else:
        return []
    return [f"{mistake.where}: {problem}"]


def _diagnosis(test: TestResult) -> str:
    """What the diagnosis says, without the learner's own lines, which hold the mistake."""
    if (why := test.diagnosis) is None:
        return ""
    causes = (cause.text for cause in why.likely)
    return "\n".join([why.headline, why.seen, why.expected, *why.layers, *causes])


def misnamed(tried: Sequence[Tried]) -> list[list[str]]:
    """For each mistake the wrong names that it is called by; nothing for most.

    The name of a mistake are its words, `saying`: it is called by them where they stand in a likely
    cause. It may carry the name of another of its kata where both truly show the same: its entry
    lists that one in `also`.
    """
    wrong_names = []
    for mistake, result in tried:
        others = [
            other
            for other, _ in tried
            if other.kata == mistake.kata
            and other.name not in (mistake.name, *mistake.also)
            and other.saying != mistake.saying
        ]
        wrong = [
            f"{mistake.where}: {test.name} calls it '{other.name}': {cause.text}"
            for test in result.tests
            for cause in (test.diagnosis.likely if test.diagnosis else ())
            for other in others
            if other.saying in cause.text and mistake.saying not in cause.text
        ]
        wrong_names.append(list(dict.fromkeys(wrong)))
    return wrong_names


def variants_pass(chosen: Catalog) -> Finding:
    """Every other right solution passes, and no test explains what is wrong with it."""
    tried, problems = run_patched(chosen, "variant", FEWEST_VARIANTS)
    for variant, result in tried:
        problems += [f"{variant.where}: {problem}" for problem in not_passed([result])]
        problems += undiagnosed(variant, result)
    return Finding(problems, f"{len(tried)} other right solutions")


def undiagnosed(variant: Patch, result: KataResult) -> list[str]:
    """The diagnoses of a right solution, which must have none."""
    return [
        f"{variant.where}: {test.name} explains what is not wrong: {test.diagnosis.headline}"
        for test in result.tests
        if test.diagnosis
    ]


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


def types_fit(chosen: Catalog) -> Finding:
    """mypy finds nothing wrong, as on each system: a name that one of them lacks is none there."""
    command = [sys.executable, "-m", "mypy", "--no-error-summary", "--platform"]
    runs = {
        system: subprocess.Popen(
            [*command, system, "--cache-dir", f".mypy_cache/{system}"],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        for system in SYSTEMS
    }
    outputs = {system: run.communicate()[0] for system, run in runs.items()}
    problems = [
        problem
        for system, output in outputs.items()
        for problem in type_problems(system, runs[system].returncode, output.decode())
    ]
    return Finding(problems, f"as on {', '.join(SYSTEMS)}")


def type_problems(system: str, code: int, output: str) -> list[str]:
    """What is wrong in the output of mypy as on a system; on others than Linux the sandbox, which
    runs there alone, is left out.
    """
    lines = output.strip().splitlines()
    left = [line for line in lines if not line.replace("\\", "/").startswith(OF_LINUX)]
    ours = lines if system == "linux" else left
    if code == 0 or (code == 1 and lines and not ours):
        return []
    return [f"as on {system}:\n" + ("\n".join(ours) or f"exit code {code}")]


# The tests of a file stay in one process, so that what they share is made once.
TESTS = ["tools/tests", "-q", "--no-header", "-p", "no:cacheprovider", "--dist", "loadfile"]
TESTS += ["-n", "auto", "--maxprocesses", str(MOST_WORKERS)]
LINT = ("check", "--quiet", "--no-cache", ".")
FORMAT = ("format", "--check", "--no-cache", ".")
PARTS = (
    Part("the catalog names what is there", catalog_is_complete),
    Part("stubs equal what the references generate", stubs_match),
    Part("texts are plain English", texts.read_well),
    Part("texts are true", claims.are_true),
    Part("tests judge", test_rules.hold),
    Part("every task of a stub is not started", stubs_are_not_started),
    Part("references pass", references_pass),
    Part("known mistakes are caught and named", mistakes_are_caught),
    Part("other right solutions pass", variants_pass),
    Part("placement tests compare values", placement.values_are_compared),
    Part("records are as commands wrote them", records.as_written),
    Part("pass marks were measured", marks.recorded),
    Part("right solutions meet every mark", ways.recorded),
    Part("loss bands were measured", bands.recorded),
    Part("mutants were judged", mutants.recorded),
    Part("exams were tried out", exams.recorded),
    Part("promises", promises.recorded),
    Part("the tools pass their own tests", program("pytest", *TESTS), of_katas=False),
    Part("pins, floors and packages fit together", pins.recorded, of_katas=False),
    Part("ruff check", program("ruff", *LINT), of_katas=False),
    Part("ruff format", program("ruff", *FORMAT), of_katas=False),
    Part("mypy --strict", types_fit, of_katas=False),
    Part("the workflows", workflows.lint, of_katas=False),
)
