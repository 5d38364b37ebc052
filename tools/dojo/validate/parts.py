"""Each part of the validation. A part returns what it found wrong, and a few words on how much it
looked at.
"""

import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from dojo import ROOT, reference_results, simulated
from dojo.catalog import Catalog, Kata, load
from dojo.results import NO_TEST, KataResult, Outcome, TestResult
from dojo.stubs import MarkerError, stub_of
from dojo.suite.supervisor import run
from dojo.suite.unit import Unit
from dojo.validate import bands as banding
from dojo.validate import exam_record, exams, mutant_record, mutants, naming, patches, pedigree
from dojo.validate import marks as measuring
from dojo.validate.patches import placement_tests, reference_of

MOST_WORKERS = 4  # torch is in the memory of each
DOTS = re.compile(r"^[.sxFEX]*\s*\[ *\d+%\]$")  # how far pytest has come
FEWEST_HINTS = 4
FEWEST_MISTAKES = 6
FEWEST_VARIANTS = 3


@dataclass(frozen=True)
class Finding:
    """The result of a part: nothing in `problems` means that all is right."""

    problems: tuple[str, ...]
    scope: str


@dataclass(frozen=True)
class Part:
    title: str
    look: Callable[[Catalog], Finding]
    of_katas: bool = True  # or of the whole repository


def generated_stub(kata: Kata) -> str:
    """Raises MarkerError where the reference's markers are malformed."""
    return stub_of(
        reference_of(kata), [task.name for task in kata.tasks], f"reference/{kata.name}.py"
    )


def catalog_is_complete(catalog: Catalog) -> Finding:
    problems = []
    for kata in catalog.katas:
        for path in (
            f"reference/{kata.name}.py",
            f"tests/test_{kata.name}.py",
            f"katas/{kata.name}.py",
        ):
            if not (ROOT / path).is_file():
                problems.append(f"{path} is missing, though katas/catalog.toml lists {kata.name}")
        for task in kata.tasks:
            if len(task.hints) < FEWEST_HINTS:
                problems.append(
                    f"katas/catalog.toml: {kata.short} {task.name} has {len(task.hints)} hints of"
                    f" {FEWEST_HINTS}"
                )
            if not task.chose.strip():
                problems.append(
                    f"katas/catalog.toml: {kata.short} {task.name} has no `chose`: what the"
                    " reference chose, and why"
                )
    known = {kata.name for kata in load().katas}
    for path in sorted((ROOT / "reference").glob("k*.py")):
        if path.stem not in known:
            problems.append(f"katas/catalog.toml does not list reference/{path.name}")
    return Finding(tuple(problems), f"{len(catalog.katas)} katas")


def stubs_match(catalog: Catalog) -> Finding:
    problems = []
    for kata in catalog.katas:
        path = ROOT / "katas" / f"{kata.name}.py"
        try:
            if path.read_bytes().replace(b"\r\n", b"\n").decode() != generated_stub(kata):
                problems.append(
                    f"katas/{path.name} is not what its reference generates: `python tools/validate"
                    " --write-stubs`"
                )
        except (MarkerError, OSError, UnicodeDecodeError) as error:
            problems.append(str(error))
    return Finding(tuple(problems), f"{len(catalog.katas)} stubs")


def stubs_are_not_started(catalog: Catalog) -> Finding:
    """Every test of a stub is not started (or skipped for want of a device): none passes, fails or
    is an error.
    """
    problems, tests = [], 0
    with tempfile.TemporaryDirectory() as folder:
        for kata in catalog.katas:
            (Path(folder) / f"{kata.name}.py").write_text(generated_stub(kata), encoding="utf-8")
        for result in run([Unit(folder, kata.name) for kata in catalog.katas], catalog.katas):
            for task in result.tasks:
                tests += len(task.tests)
                wrong = [
                    test
                    for test in task.tests
                    if test.outcome not in (Outcome.NOT_STARTED, Outcome.SKIPPED)
                ]
                problems += [
                    f"the stub of {result.name}: {test.name} is {test.outcome}: {test.message}"
                    for test in wrong
                ]
                if task.outcome != Outcome.NOT_STARTED and not wrong:
                    problems.append(
                        f"the stub of {result.name}: the task {task.name} is {task.outcome}"
                    )
    return Finding(tuple(problems), f"{tests} tests")


def references_pass(catalog: Catalog, write_record: bool = False) -> Finding:
    """Every task of every reference passes on the devices present, and the record of that is up to
    date.
    """
    results = run([Unit("reference", kata.name) for kata in catalog.katas], catalog.katas)
    problems = [f"reference/{name}" for name in not_passed(results)]
    entries = {result.name: reference_results.entry_of(result) for result in results}
    if write_record and not problems:
        reference_results.write(reference_results.read() | entries)
    known = reference_results.read()
    for name, entry in entries.items():
        if name not in known or (known[name].content, known[name].passed) != (
            entry.content,
            entry.passed,
        ):
            problems.append(
                f"reference/validation/reference.json is older than {name}: `python tools/validate"
                " --record`"
            )
    tests = [test for result in results for task in result.tasks for test in task.tests]
    devices = sorted({test.device for test in tests if test.outcome == Outcome.PASSED})
    return Finding(
        tuple(problems),
        f"{sum(len(result.tasks) for result in results)} tasks on {', '.join(devices)}",
    )


def not_passed(results: Sequence[KataResult]) -> list[str]:
    """What did not pass. The simulated device has to cover what right solutions use: a test that it
    can't run is a problem.
    """
    problems = []
    for result in results:
        for task in result.tasks:
            for test in task.tests:
                if test.outcome == Outcome.SKIPPED and test.message.startswith(simulated.LIMIT):
                    problems.append(f"{result.name}, {test.name} was skipped: {test.message}")
            if task.outcome != Outcome.PASSED:
                test = task.first_problem
                problems.append(
                    f"{result.name}, {task.name} is {task.outcome}"
                    + (f": {test.name}: {test.message}" if test else "")
                )
    return problems


def mistakes_are_caught(catalog: Catalog) -> Finding:
    """Each known mistake fails the test it names, with the words it names, and no likely cause has
    the words of another.
    """
    mistakes, results, problems = _run_patched(catalog, "mistake", FEWEST_MISTAKES)
    unnamed = [
        check_mistake(mistake, result) for mistake, result in zip(mistakes, results, strict=True)
    ]
    misnamed = naming.misnamed(mistakes, results)
    problems += [problem for found in (*unnamed, *misnamed) for problem in found]
    named = sum(not found for found in unnamed)
    scope = f"mistakes named {named}/{len(mistakes)}, misnamed {sum(map(bool, misnamed))}"
    return Finding(tuple(problems), scope)


def check_mistake(mistake: patches.Patch, result: KataResult) -> list[str]:
    where = f"reference/mistakes/{mistake.kata}.toml, '{mistake.name}'"
    tests = [test for task in result.tasks for test in task.tests]
    named = [test for test in tests if _is_named(test, mistake.caught_by)]
    if not named:
        told = next(
            (f": {test.message}" for test in tests if test.name == NO_TEST and test.message), ""
        )
        return [f"{where}: there is no test {mistake.caught_by}{told}"]
    if broken := [test for test in tests if test.outcome == Outcome.ERROR and test.name != NO_TEST]:
        return [f"{where}: {broken[0].name} is an error: {broken[0].message}"]
    caught = [test for test in named if test.outcome == Outcome.FAILED]
    if not caught:
        others = (
            ", ".join(test.name for test in tests if test.outcome == Outcome.FAILED) or "no test"
        )
        return [f"{where}: {mistake.caught_by} is {named[0].outcome}, not failed ({others} failed)"]
    if not any(mistake.saying in _told(test) for test in caught):
        return [
            f"{where}: {mistake.caught_by} does not say {mistake.saying!r}"
            f" but:\n{caught[0].message}"
        ]
    return []


def _told(test: TestResult) -> str:
    """What the diagnosis says. The learner's own lines, in which the mistake itself stands, are no
    part of it.
    """
    why = test.diagnosis
    return (
        "\n".join(
            [
                why.headline,
                why.seen,
                why.expected,
                *why.layers,
                *(cause.text for cause in why.likely),
            ]
        )
        if why
        else ""
    )


def _is_named(test: TestResult, name: str) -> bool:
    return test.name == name or test.name.partition("[")[0] == name


def variants_pass(catalog: Catalog) -> Finding:
    variants, results, problems = _run_patched(catalog, "variant", FEWEST_VARIANTS)
    for variant, result in zip(variants, results, strict=True):
        problems += [
            f"reference/variants/{variant.kata}.toml, '{variant.name}': {problem}"
            for problem in not_passed([result])
        ]
        problems += naming.undiagnosed(variant, result)
    return Finding(tuple(problems), f"{len(variants)} other right solutions")


def _run_patched(
    catalog: Catalog, kind: str, fewest: int
) -> tuple[list[patches.Patch], list[KataResult], list[str]]:
    """Run the suite on every patched reference that can be made, and say which can't."""
    ready, problems, units = [], [], []
    with tempfile.TemporaryDirectory() as scratch:
        for kata in catalog.katas:
            try:
                loaded, placed = patches.load(kind, kata.name), placement_tests(kata)
                if len(loaded) < fewest:
                    problems.append(
                        f"reference/{kind}s/{kata.name}.toml has {len(loaded)} {kind}s of {fewest}"
                    )
                for patch in loaded:
                    folder = Path(scratch) / f"{kata.name}-{len(ready)}"
                    text = patch.apply(reference_of(kata))
                    folder.mkdir()
                    (folder / f"{kata.name}.py").write_text(text, encoding="utf-8")
                    ready.append(patch)
                    device = (
                        "auto"
                        if kind == "variant" or patch.caught_by.partition("[")[0] in placed
                        else "cpu"
                    )
                    units.append(Unit(str(folder), kata.name, device, until=patch.caught_by))
            except patches.PatchError as error:
                problems.append(str(error))
        return ready, run(units, catalog.katas), problems


def marks_were_measured(catalog: Catalog) -> Finding:
    """Every mark was measured, what was measured holds, and it is of the training as it is now."""
    shorts = {kata.short for kata in catalog.katas}
    marks = tomllib.loads(measuring.FILE.read_text(encoding="utf-8"))
    chosen = {name: entry for name, entry in marks.items() if name.partition(".")[0] in shorts}
    problems = pedigree.problems(chosen)
    now = {one.kata.short: one.key for one in measuring.candidates(catalog) if not one.name}
    for name, entry in chosen.items():
        if measuring.comparable(entry) and entry.get("of") != now.get(name.partition(".")[0]):
            problems.append(
                f"{name}: its training has changed since it was measured: `python tools/validate"
                " --marks`"
            )
    return Finding(tuple(problems), f"{len(chosen)} marks")


def bands_were_measured(catalog: Catalog) -> Finding:
    """Each training that a mark is held against has a band of the reference's losses, of the
    training as it is now.
    """
    shorts = {kata.short for kata in catalog.katas}
    marks = tomllib.loads(measuring.FILE.read_text(encoding="utf-8"))
    trainings = sorted(
        {name.rpartition(".")[0] for name in marks if name.partition(".")[0] in shorts}
    )
    found = banding.problems(banding.read(), catalog, trainings)
    return Finding(tuple(found), f"{len(trainings)} trainings")


def mutants_were_judged(catalog: Catalog) -> Finding:
    """A test noticed nearly every small change of each reference as it is now, when that was last
    looked at.
    """
    entries = mutant_record.figures()
    found = [
        mutant_record.problem(
            kata.name,
            entries.get(kata.name),
            mutants.code_hash(kata),
            len(mutant_record.listed(kata.name)),
        )
        for kata in catalog.katas
    ]
    own = [entries[kata.name] for kata in catalog.katas if kata.name in entries]
    killed, total = (
        sum(one["killed"] for one in own),
        sum(one["total"] - one["equivalent"] for one in own),
    )
    now = sum(
        entries.get(kata.name, {}).get("tests") == mutants.tests_hash(kata.name)[:16]
        for kata in catalog.katas
    )
    return Finding(
        tuple(filter(None, found)), f"killed {killed}/{total}, {now} katas by today's tests"
    )


def exams_were_tried(catalog: Catalog) -> Finding:
    """Each kata's exam, as it is now, let right solutions pass and no known mistake, when that was
    last tried out.
    """
    entries = exam_record.read()
    found = [
        exam_record.problem(kata.name, exams.key(kata), entries.get(kata.name))
        for kata in catalog.katas
    ]
    whole = sum(
        kata.name in entries and exams.has_all_draws(kata, entries[kata.name].figures)
        for kata in catalog.katas
    )
    return Finding(tuple(filter(None, found)), f"{whole}/{len(catalog.katas)} on all their draws")


def tools_pass_their_tests(catalog: Catalog) -> Finding:
    """A file's tests stay in one process, so that what they share is made once."""
    together = ["-n", "auto", "--maxprocesses", str(MOST_WORKERS), "--dist", "loadfile"]
    return _command(
        [
            sys.executable,
            "-m",
            "pytest",
            "tools/tests",
            "-q",
            "--no-header",
            "-p",
            "no:cacheprovider",
            *together,
        ]
    )


def code_is_linted(catalog: Catalog) -> Finding:
    return _command([sys.executable, "-m", "ruff", "check", "--quiet", "--no-cache", "."])


def code_is_formatted(catalog: Catalog) -> Finding:
    return _command([sys.executable, "-m", "ruff", "format", "--check", "--no-cache", "."])


def _command(command: list[str]) -> Finding:
    """Run a program: its output is the problem if it fails, its last line the scope if it does
    not.
    """
    result = subprocess.run(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    lines = result.stdout.decode(errors="replace").strip().splitlines()
    output = "\n".join(line for line in lines if not DOTS.match(line))
    last = output.splitlines()[-1].strip("= ") if output else ""
    return (
        Finding((), last)
        if result.returncode == 0
        else Finding((output or f"exit code {result.returncode}",), "")
    )


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
    Part("the tools pass their own tests", tools_pass_their_tests, of_katas=False),
    Part("ruff check", code_is_linted, of_katas=False),
    Part("ruff format", code_is_formatted, of_katas=False),
)
