"""Pass marks with a pedigree: what right and wrong trainings reach, over many seeds.

The trainings are those of the tests themselves, run by `pytest --measure`: every test that uses the `mark` fixture runs once
for each seed and records what it reaches. The wrong solutions are the known mistakes that such a test has to catch.

What was measured is kept in .marks/ as it comes, so that an interrupted run goes on where it stopped.
"""

import ast
import hashlib
import json
import platform
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path

from dojo import ROOT
from dojo.catalog import Catalog, Kata
from dojo.suite.run import run
from dojo.suite.unit import Unit
from dojo.validate import patches, reach
from dojo.validate.parts import reference_of

FILE = ROOT / "tests" / "pass_marks.toml"
KEPT = ROOT / ".marks"
HELPERS = [  # what tests of training use besides their own file; texts of messages change no value
    *(ROOT / "tests" / name for name in ("batches.py", "layers.py", "training.py", "two_layers.py")),
    *(ROOT / "katas" / "given" / name for name in ("_values.py", "data.py", "networks.py")),
]
RIGHT_SEEDS, WRONG_SEEDS, CHUNK = 1000, 200, 20
QUANTILES = {"min": 0.0, "q01": 0.01, "q05": 0.05, "median": 0.5, "q95": 0.95, "q99": 0.99, "max": 1.0}

Values = dict[str, list[float]]  # mark → what it was held against, NaN where a training broke


@dataclass(frozen=True)
class Candidate:
    """A solution to measure: the reference (no name) or a known mistake."""

    kata: Kata
    name: str
    source: str
    tests: tuple[str, ...]  # those that hold its training against a mark; of a mistake the one that has to catch it

    @property
    def seeds(self) -> int:
        return WRONG_SEEDS if self.name else RIGHT_SEEDS

    @property
    def key(self) -> str:
        """Of all that the values depend on: what the training tests reach. Another test or lesson text costs nothing."""
        modules = [ROOT / "conftest.py", ROOT / "tests" / f"test_{self.kata.name}.py", *HELPERS]
        known = reach.definitions([self.source, *(path.read_text(encoding="utf-8") for path in modules)])
        text = reach.reached(known, [*self.tests, "seed"]) + version("torch")
        return f"{self.kata.short}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def training_tests(kata: Kata) -> tuple[str, ...]:
    """The tests of a kata that hold a training against a mark: those that take the `mark` fixture."""
    tree = ast.parse((ROOT / "tests" / f"test_{kata.name}.py").read_text(encoding="utf-8"))
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    return tuple(node.name for node in functions if "mark" in [argument.arg for argument in node.args.args])


def candidates(catalog: Catalog) -> list[Candidate]:
    """The references that train, and the known mistakes that one of their marks is meant to catch."""
    found = []
    for kata in catalog.katas:
        if tests := training_tests(kata):
            source = reference_of(kata)
            found.append(Candidate(kata, "", source, tests))
            meant = [mistake for mistake in patches.load("mistake", kata.name) if mistake.caught_by in tests]
            found += [Candidate(kata, mistake.name, mistake.apply(source), (mistake.caught_by,)) for mistake in meant]
    return found


def measure(chosen: Sequence[Candidate], katas: Sequence[Kata], say: Callable[[str], None]) -> dict[tuple[str, str], Values]:
    """(kata, mistake) → values, from .marks/ where they are there, measured where not."""
    measured = {}
    for number, candidate in enumerate(chosen, start=1):
        say(f"{number} of {len(chosen)}: {candidate.kata.short} {candidate.name or 'the reference'}, {candidate.seeds} seeds")
        measured[candidate.kata.name, candidate.name] = _values_of(candidate, katas)
    return measured


def _values_of(candidate: Candidate, katas: Sequence[Kata]) -> Values:
    """All seeds of a candidate, chunk by chunk; a chunk is one process."""
    folder = KEPT / candidate.key
    folder.mkdir(parents=True, exist_ok=True)
    chunks = [(first, min(first + CHUNK, candidate.seeds)) for first in range(0, candidate.seeds, CHUNK)]
    missing = [chunk for chunk in chunks if not (folder / f"{chunk[0]}.json").exists()]
    with tempfile.TemporaryDirectory() as target:
        (Path(target) / f"{candidate.kata.name}.py").write_text(candidate.source, encoding="utf-8")
        batch = 10  # chunks handed over at a time: what an interruption can lose
        for begin in range(0, len(missing), batch):
            part = missing[begin : begin + batch]
            only = candidate.tests[0] if candidate.name else ""
            units = [Unit(target, candidate.kata.name, "cpu", measure=chunk, only=only) for chunk in part]
            for chunk, result in zip(part, run(units, katas), strict=True):
                found: Values = {}
                for test in (test for task in result.tasks for test in task.tests):
                    for number in test.measured:
                        found.setdefault(number.mark, []).append(float("nan") if number.value is None else number.value)
                (folder / f"{chunk[0]}.json").write_text(json.dumps(found))
    return _joined(folder, chunks)


def _joined(folder: Path, chunks: Sequence[tuple[int, int]]) -> Values:
    """A training that broke reached no number: it stands as NaN."""
    parts = [(json.loads((folder / f"{first}.json").read_text()), last - first) for first, last in chunks]
    marks = sorted({mark for part, _ in parts for mark in part})
    return {mark: [value for part, count in parts for value in _padded(part.get(mark, []), count)] for mark in marks}


def _padded(values: list[float], count: int) -> list[float]:
    return values + [float("nan")] * (count - len(values))


def spread(values: Sequence[float]) -> dict[str, float | int]:
    """Seeds and quantiles; NaN counts as a seed and stands in no quantile."""
    numbers = sorted(value for value in values if value == value)
    if not numbers:
        return {"seeds": len(values)}
    return {"seeds": len(values)} | {name: numbers[round(q * (len(numbers) - 1))] for name, q in QUANTILES.items()}


def share_meeting(values: Sequence[float], bound: float, at_most: bool) -> float:
    """The share of values that meet a mark; NaN meets none."""
    met = sum(value <= bound if at_most else value >= bound for value in values)
    return met / len(values)


def entries(old: dict[str, dict], measured: dict[tuple[str, str], Values]) -> dict[str, dict]:
    """The marks with their measured spreads and rates; what was not measured now stays as it was."""
    new = {mark: dict(entry) for mark, entry in old.items()}
    for (_, mistake), values in measured.items():
        for mark, reached in values.items():
            entry = new[mark]
            rate = share_meeting(reached, entry["mark"], entry["must_be"] == "at most")
            if not mistake:
                entry["right"] = spread(reached)
                entry["false_fail"] = 1 - rate
                entry["measured"] = f"{date.today()}, torch {version('torch')}, Python {platform.python_version()}"
                entry["wrong"] = []
            else:
                entry["wrong"] = [*entry.get("wrong", []), {"name": mistake, "false_pass": rate} | spread(reached)]
    return new


def to_toml(marks: dict[str, dict]) -> str:
    """pass_marks.toml, in the order of the names."""
    lines = [
        "# What a training has to reach. `what`, `must_be` and `mark` are chosen by hand; all else is measured and written by",
        "# `python tools/validate --marks`.",
        "",
    ]
    for name, entry in sorted(marks.items(), key=lambda pair: pair[0].partition(".")[0]):
        lines.append(f'["{name}"]')
        for key, value in entry.items():
            if key != "wrong":
                lines.append(f"{key} = {_toml(value)}")
        if entry.get("wrong"):
            lines += ["wrong = [", *(f"    {_toml(wrong)}," for wrong in entry["wrong"]), "]"]
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def _toml(value: object) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(part)}" for key, part in value.items()) + " }"
    if isinstance(value, float):
        return repr(float(f"{value:.6g}"))
    return json.dumps(value, ensure_ascii=False)


def problems(marks: dict[str, dict], measured: dict[tuple[str, str], Values]) -> list[str]:
    """Marks that a right training misses, and mistakes that no mark of their kata catches in every run."""
    found = [
        f"{name}: {entry['false_fail']:.1%} of {entry['right']['seeds']} right trainings miss it"
        for name, entry in marks.items()
        if entry.get("false_fail")
    ]
    for (kata, mistake), values in measured.items():
        if mistake and values and (passing := _runs_that_pass(values, marks)):
            found.append(f"{kata}, '{mistake}': {passing} of {WRONG_SEEDS} runs meet every mark")
    return found


def _runs_that_pass(values: Values, marks: dict[str, dict]) -> int:
    """How many runs meet every mark that they were held against."""
    runs = zip(*values.values(), strict=True)
    bounds = [(marks[mark]["mark"], marks[mark]["must_be"] == "at most") for mark in values]
    return sum(all(share_meeting([value], *bound) == 1 for value, bound in zip(one, bounds, strict=True)) for one in runs)
