"""Pass marks: what right and wrong trainings reach over many seeds, and how often each mark judges
them wrongly.

The trainings are those of the tests themselves, run by `pytest --measure`: every test that uses the
`mark` fixture runs once for each seed and records what it reaches. The wrong solutions are the
known mistakes that such a test has to catch. Values are kept in .marks/ as they come, so that an
interrupted run goes on where it stopped.
"""

import hashlib
import json
import math
import platform
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from importlib.metadata import version
from typing import Any

from dojo import ROOT, files, imports
from dojo.catalog import Catalog, Kata
from dojo.suite.unit import Unit
from dojo.validate import Finding, Say, mark_checks, patches
from dojo.validate.test_files import definitions, functions, reached, run_texts, training_tests

FILE = ROOT / "tests" / "pass_marks.toml"
KEPT = ROOT / ".marks"
HEADER = """\
# What a training has to reach. Chosen by hand: what, on, must_be and mark, and `loose`: why a mark
# lies far from what the right trainings reach. All else is measured and
# written by `python tools/validate marks`: what the reference reached and how often it missed the
# mark (false_fail); what known mistakes reached, how often they met this mark (false_pass), and all
# marks of their test at once; and the mistakes that no mark has to catch, each with the test that
# does. Where quantiles are missing, no run ended at a number: it went to infinity.
"""
QUANTILES = {"min": 0, "q01": 0.01, "q05": 0.05, "median": 0.5, "q95": 0.95, "q99": 0.99, "max": 1}
RIGHT_SEEDS, WRONG_SEEDS = 1000, 200
CHUNK = 20  # seeds that one process takes
AT_ONCE = 10  # chunks between two savings of the values: what an interruption can lose
SECONDS_A_TRAINING = 300.0  # a busy machine must not look like a training that reaches nothing
MEASURED = re.compile(r"\d{4}-\d\d-\d\d, torch \d\S*, Python \d\S*")
NO_SAY = {  # what the tests import and what has no say in the values of a training
    "dojo": "the tools only ask for them and keep them",
    "tests.support.expect": "of it come only messages",
    "tests.support.marks": "of it come only bounds",
}

Marks = Mapping[str, Mapping[str, Any]]  # mark → its entry in FILE
Values = dict[str, list[float]]  # mark → what it was held against, NaN where a training broke


@dataclass(frozen=True)
class Candidate:
    """A solution to measure: the reference (no name) or a known mistake."""

    kata: Kata
    name: str
    source: str
    tests: tuple[
        str, ...
    ]  # that hold its training against a mark; of a mistake the one to catch it
    first: int = 0  # seed

    @property
    def seeds(self) -> int:
        return WRONG_SEEDS if self.name else RIGHT_SEEDS

    @property
    def key(self) -> str:
        """Hash of all that the values depend on: the code that the training tests reach."""
        start = ROOT / "tests" / f"test_{self.kata.name}.py"
        modules = imports.closure([start], without=NO_SAY)
        sources = [self.source, *(path.read_text(encoding="utf-8") for path in modules)]
        # of conftest.py only the seed: its other fixtures hand things over
        conftest = definitions([(ROOT / "conftest.py").read_text(encoding="utf-8")])
        seed = reached({name: conftest[name] for name in ("seed", "torch_seed")}, ["seed"])
        text = reached(definitions(sources), self.tests) + seed + version("torch")
        return f"{self.kata.short}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"


@dataclass(frozen=True)
class Measurement:
    """What the trainings of one kata reached."""

    of: str  # hash of what was measured
    right: Values  # of the reference
    wrong: dict[str, Values]  # known mistake that a mark has to catch → its values
    beside: tuple[str, ...]  # known mistakes that other tests catch, each with the test


def read() -> dict[str, dict[str, Any]]:
    """The marks with all that was measured."""
    return tomllib.loads(FILE.read_text(encoding="utf-8"))


def of_katas(marks: Marks, catalog: Catalog) -> Marks:
    """Those of the marks that belong to a kata of the catalog."""
    shorts = {kata.short for kata in catalog.katas}
    return {name: entry for name, entry in marks.items() if name.partition(".")[0] in shorts}


def candidates(catalog: Catalog) -> Iterator[Candidate]:
    """The references that train, each followed by the mistakes that its marks have to catch."""
    for kata in (kata for kata in catalog.katas if training_tests(kata)):
        source, tests = kata.reference_text(), training_tests(kata)
        yield Candidate(kata, "", source, tests)
        for mistake in patches.load("mistake", kata.name):
            if mistake.caught_by in tests:
                yield Candidate(kata, mistake.name, mistake.apply(source), (mistake.caught_by,))


def caught_beside(kata: Kata) -> list[str]:
    """The known mistakes in a training that no mark has to catch, each with the test that does.

    Such as softmax before the loss: the accuracy reaches the mark all the same, and the gradients
    give it away.
    """
    tests = functions(kata)
    groups = tuple({test.group for test in tests if test.trains} - {""})
    beside = {test.name for test in tests if test.group.startswith(groups) and not test.trains}
    return [
        f"{mistake.name}: {mistake.caught_by}"
        for mistake in patches.load("mistake", kata.name)
        if mistake.caught_by in beside
    ]


def measure(catalog: Catalog, say: Say) -> Finding:
    """Measure these katas' marks and write them to FILE."""
    measured = measurements(list(candidates(catalog)), catalog.katas, say)
    marks = entries(read(), measured)
    files.write_whole(FILE, toml_of(HEADER, marks))
    wrong = problems({name: marks[name] for measurement in measured for name in measurement.right})
    return Finding(wrong, f"{len(marks)} marks written to tests/pass_marks.toml")


def recorded(catalog: Catalog) -> Finding:
    """Every mark was measured, what was measured holds, and the training is still the same."""
    marks = of_katas(read(), catalog)
    again = "its training has changed since it was measured: `python tools/validate marks`"
    changed = [f"{name}: {again}" for name in out_of_date(marks, catalog)]
    notes = elsewhere(marks, catalog)
    return Finding(problems(marks) + changed, f"{len(marks)} marks", notes)


def measurements(chosen: Sequence[Candidate], katas: Sequence[Kata], say: Say) -> list[Measurement]:
    """What each kata's trainings reach, read from .marks/ or else measured."""
    measured: dict[str, Measurement] = {}
    for number, candidate in enumerate(chosen, start=1):
        name = candidate.name or "the reference"
        say(f"{number} of {len(chosen)}: {candidate.kata.short} {name}, {candidate.seeds} seeds")
        values = values_of(candidate, katas)
        if not candidate.name:
            beside = tuple(caught_beside(candidate.kata))
            measured[candidate.kata.name] = Measurement(candidate.key, values, {}, beside)
        elif values:  # one that raises before it reaches anything is caught without a mark
            measured[candidate.kata.name].wrong[candidate.name] = values
    return list(measured.values())


def values_of(candidate: Candidate, katas: Sequence[Kata], most: int | None = None) -> Values:
    """What a candidate reaches from its seeds, or from the first of them; kept chunk by chunk, each
    from one process.
    """
    first, name = candidate.first, candidate.kata.name
    last = first + (most or candidate.seeds)
    chunks = [(begin, min(begin + CHUNK, last)) for begin in range(first, last, CHUNK)]
    paths = {chunk: KEPT / candidate.key / f"{chunk[0]}.json" for chunk in chunks}
    missing = [chunk for chunk in chunks if not paths[chunk].exists()]
    only = candidate.tests[0] if candidate.name else ""
    unit = Unit("", name, "cpu", timeout=SECONDS_A_TRAINING, only=only)
    for begin in range(0, len(missing), AT_ONCE):
        some = missing[begin : begin + AT_ONCE]
        texts = [(replace(unit, measure=chunk), candidate.source) for chunk in some]
        for chunk, result in zip(some, run_texts(texts, katas), strict=True):
            values: Values = {}
            for number in result.measured:
                value = math.nan if number.value is None else number.value
                values.setdefault(number.mark, []).append(value)
            files.write_whole(paths[chunk], json.dumps(values))
    parts: dict[tuple[int, int], Values] = {
        chunk: json.loads(path.read_text("utf-8")) for chunk, path in paths.items()
    }
    joined: Values = {mark: [] for mark in sorted(set().union(*parts.values()))}
    for mark, values_of_mark in joined.items():
        for (first, end), part in parts.items():
            numbers = part.get(mark, [])
            broken = [math.nan] * (end - first - len(numbers))
            values_of_mark += numbers + broken
    return joined


def measured_with() -> str:
    """The day and the versions that a measurement is made with."""
    return f"{date.today()}, torch {version('torch')}, Python {platform.python_version()}"


def is_comparable(entry: Mapping[str, Any]) -> bool:
    """True if an entry was measured with the versions in use, so that hashes compare."""
    minor = ".".join(platform.python_version_tuple()[:2])
    return f"torch {version('torch')}, Python {minor}." in entry.get("measured", "")


def spread(values: Sequence[float]) -> dict[str, float | int]:
    """Seeds and quantiles; NaN counts as a seed and stands in no quantile."""
    numbers = sorted(value for value in values if not math.isnan(value))
    last = len(numbers) - 1
    shares = QUANTILES if numbers else {}
    quantiles = {name: numbers[round(share * last)] for name, share in shares.items()}
    return {"seeds": len(values), **quantiles}


def meets(value: float, entry: Mapping[str, Any]) -> bool:
    """True if a value meets a mark; NaN meets none."""
    mark: float = entry["mark"]
    return value <= mark if entry["must_be"] == "at most" else value >= mark


def share_meeting(values: Sequence[float], entry: Mapping[str, Any]) -> float:
    """The share of values that meet a mark."""
    return sum(meets(value, entry) for value in values) / len(values)


def share_meeting_all(values: Values, marks: Marks) -> float:
    """The share of runs that meet every mark they were held against."""
    held = [marks[mark] for mark in values]
    met = [all(map(meets, run, held)) for run in zip(*values.values(), strict=True)]
    return sum(met) / len(met)


def entries(old: Marks, measured: Sequence[Measurement]) -> dict[str, dict[str, Any]]:
    """The marks with what was measured for them; the other marks unchanged."""
    new = {mark: dict(entry) for mark, entry in old.items()}
    for measurement in measured:
        for mark, values in measurement.right.items():
            held = old[mark]
            new[mark] |= {
                "right": spread(values),
                "false_fail": 1 - share_meeting(values, held),
                "measured": measured_with(),
                "of": measurement.of,
                "wrong": [
                    {
                        "name": name,
                        "false_pass": share_meeting(reached[mark], held),
                        "meets_all_marks": share_meeting_all(reached, old),
                        **spread(reached[mark]),
                    }
                    for name, reached in measurement.wrong.items()
                    if mark in reached
                ],
                "caught_beside": list(measurement.beside),
            }
    return new


def toml_of(header: str, tables: Mapping[str, Mapping[str, Any]]) -> str:
    """A TOML file of these tables, in the order of the katas that their names begin with. A list
    has a line for each of its parts, a tuple stands on one line.
    """
    lines = [header]
    for name, entry in sorted(tables.items(), key=lambda pair: pair[0].partition(".")[0]):
        lines.append(f'["{name}"]')
        for key, value in entry.items():
            if not isinstance(value, list):
                lines.append(f"{key} = {_toml(value)}")
            elif value:
                lines += [f"{key} = [", *(f"    {_toml(part)}," for part in value), "]"]
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def _toml(value: object) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(part)}" for key, part in value.items()) + " }"
    if isinstance(value, tuple):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, float):
        return repr(float(f"{value:.6g}"))
    return json.dumps(value, ensure_ascii=False)


def problems(marks: Marks) -> list[str]:
    """Marks measured too little, missed by a right training, or met by a wrong one."""
    return [f"{name}{fault}" for name, entry in marks.items() for fault in _faults(entry)]


def _faults(entry: Mapping[str, Any]) -> Iterator[str]:
    if (seeds := entry["right"].get("seeds", 0)) < RIGHT_SEEDS:
        yield f": measured over {seeds} seeds of {RIGHT_SEEDS}: `python tools/validate marks`"
        return
    if rate := entry.get("false_fail", 1.0):
        remedy = "choose another mark or another setting"
        yield f": {rate:.1%} of the right trainings miss it: {remedy}"
    for wrong in entry.get("wrong", []):
        name, seeds = wrong["name"], wrong["seeds"]
        if seeds < WRONG_SEEDS:
            yield f", '{name}': measured over {seeds} seeds of {WRONG_SEEDS}"
        if rate := wrong["meets_all_marks"]:
            yield f", '{name}': {rate:.1%} of these wrong trainings meet every mark"
    yield from mark_checks.faults(entry)


def out_of_date(marks: Marks, catalog: Catalog) -> list[str]:
    """The marks whose training has changed since they were measured, or nobody knows when and with
    which versions that was.
    """
    changed = _changed(marks, catalog)
    return [
        name
        for name, entry in marks.items()
        if (name in changed and is_comparable(entry))
        or not entry.get("of")
        or not MEASURED.fullmatch(entry.get("measured", ""))
    ]


def elsewhere(marks: Marks, catalog: Catalog) -> list[str]:
    """Of marks measured with other versions nobody can say here whether their training changed."""
    unknown = {
        marks[name].get("measured", "").partition(", ")[2]
        for name in _changed(marks, catalog)
        if not is_comparable(marks[name])
    } - {""}
    return [f"whether marks are older is not known: {versions}" for versions in sorted(unknown)]


def _changed(marks: Marks, catalog: Catalog) -> list[str]:
    now = {each.kata.short: each.key for each in candidates(catalog) if not each.name}
    return [n for n, entry in marks.items() if entry.get("of") != now.get(n.partition(".")[0])]
