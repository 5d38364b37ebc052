"""Measures what right and wrong trainings reach, over many seeds: the ground under the pass marks.

The trainings are those of the tests themselves, run by `pytest --measure`: every test that uses the
`mark` fixture runs once for each seed and records what it reaches. The wrong solutions are the
known mistakes that such a test has to catch.

What was measured is kept in .marks/ as it comes, so that an interrupted run goes on where it
stopped.
"""

import ast
import hashlib
import json
import platform
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from dojo import ROOT
from dojo.catalog import Catalog, Kata
from dojo.suite.supervisor import run
from dojo.suite.unit import Unit
from dojo.validate import patches, reach
from dojo.validate.patches import reference_of
from dojo.validate.pedigree import RIGHT_SEEDS, WRONG_SEEDS, Measurement, Values

FILE = ROOT / "tests" / "pass_marks.toml"
KEPT = ROOT / ".marks"
GIVEN = [ROOT / "katas" / "given" / name for name in ("_values.py", "data.py", "networks.py")]
WITHOUT_VALUES = ("expect", "marks")  # of tests/support/: only messages and bounds
CHUNK = 20  # seeds that one process takes
SECONDS_A_TRAINING = 300.0  # a busy machine must not look like a training that reaches nothing


@dataclass(frozen=True)
class Candidate:
    """A solution to measure: the reference (no name) or a known mistake."""

    kata: Kata
    name: str
    source: str
    # those that hold its training against a mark; of a mistake the one that has to catch it
    tests: tuple[str, ...]

    @property
    def seeds(self) -> int:
        return WRONG_SEEDS if self.name else RIGHT_SEEDS

    @property
    def key(self) -> str:
        """Of all that the values depend on: what the training tests reach. Another test or lesson
        text costs nothing.
        """
        modules = [
            ROOT / "conftest.py",
            *reach.test_modules(self.kata.name, WITHOUT_VALUES),
            *GIVEN,
        ]
        known = reach.definitions(
            [self.source, *(path.read_text(encoding="utf-8") for path in modules)]
        )
        text = reach.reached(known, [*self.tests, "seed"]) + version("torch")
        return f"{self.kata.short}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def comparable(entry: dict) -> bool:
    """Whether a mark was measured with the versions at hand: only then does its hash tell of the
    training alone.
    """
    minor = ".".join(platform.python_version_tuple()[:2])
    return f"torch {version('torch')}, Python {minor}." in entry.get("measured", "")


def training_tests(kata: Kata) -> tuple[str, ...]:
    """The tests of a kata that hold a training against a mark: those that take the `mark`
    fixture.
    """
    tree = ast.parse((ROOT / "tests" / f"test_{kata.name}.py").read_text(encoding="utf-8"))
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    return tuple(
        node.name for node in functions if "mark" in [argument.arg for argument in node.args.args]
    )


def caught_beside(kata: Kata) -> list[str]:
    """The known mistakes in a training that no mark has to part from right ones, each with the test
    that does.

    Such as softmax before the loss: the accuracy reaches the mark all the same, and the gradients
    give it away.
    """
    tree = ast.parse((ROOT / "tests" / f"test_{kata.name}.py").read_text(encoding="utf-8"))
    groups, trains = (
        {node.name: _methods(node) for node in tree.body if isinstance(node, ast.ClassDef)},
        training_tests(kata),
    )
    of_training = [group for group, names in groups.items() if set(names) & set(trains)]
    near = {
        name
        for group, names in groups.items()
        for name in names
        if any(one.startswith(group) for one in of_training)
    }
    mistakes = patches.load("mistake", kata.name)
    return [
        f"{mistake.name}: {mistake.caught_by}"
        for mistake in mistakes
        if mistake.caught_by in near - set(trains)
    ]


def _methods(node: ast.ClassDef) -> list[str]:
    return [inner.name for inner in node.body if isinstance(inner, ast.FunctionDef)]


def candidates(catalog: Catalog) -> list[Candidate]:
    """The references that train, and the known mistakes that one of their marks is meant to
    catch.
    """
    found = []
    for kata in catalog.katas:
        if tests := training_tests(kata):
            source = reference_of(kata)
            found.append(Candidate(kata, "", source, tests))
            meant = [
                mistake
                for mistake in patches.load("mistake", kata.name)
                if mistake.caught_by in tests
            ]
            found += [
                Candidate(kata, mistake.name, mistake.apply(source), (mistake.caught_by,))
                for mistake in meant
            ]
    return found


def measure(
    chosen: Sequence[Candidate], katas: Sequence[Kata], say: Callable[[str], None]
) -> list[Measurement]:
    """What each kata's trainings reach, from .marks/ where it is there, measured where not."""
    found: dict[str, Measurement] = {}
    for number, candidate in enumerate(chosen, start=1):
        say(
            f"{number} of {len(chosen)}: {candidate.kata.short}"
            f" {candidate.name or 'the reference'}, {candidate.seeds} seeds"
        )
        values = _values_of(candidate, katas)
        if not candidate.name:
            found[candidate.kata.name] = Measurement(
                candidate.key, values, {}, tuple(caught_beside(candidate.kata))
            )
        elif values:  # one that raises before it reaches anything is caught without a mark
            found[candidate.kata.name].wrong[candidate.name] = values
    return list(found.values())


def _values_of(candidate: Candidate, katas: Sequence[Kata]) -> Values:
    """All seeds of a candidate, chunk by chunk; a chunk is one process."""
    folder = KEPT / candidate.key
    folder.mkdir(parents=True, exist_ok=True)
    chunks = [
        (first, min(first + CHUNK, candidate.seeds)) for first in range(0, candidate.seeds, CHUNK)
    ]
    missing = [chunk for chunk in chunks if not (folder / f"{chunk[0]}.json").exists()]
    with tempfile.TemporaryDirectory() as target:
        (Path(target) / f"{candidate.kata.name}.py").write_text(candidate.source, encoding="utf-8")
        batch = 10  # chunks handed over at a time: what an interruption can lose
        for begin in range(0, len(missing), batch):
            part = missing[begin : begin + batch]
            only = candidate.tests[0] if candidate.name else ""
            units = [
                Unit(
                    target,
                    candidate.kata.name,
                    "cpu",
                    timeout=SECONDS_A_TRAINING,
                    measure=chunk,
                    only=only,
                )
                for chunk in part
            ]
            for chunk, result in zip(part, run(units, katas), strict=True):
                found: Values = {}
                for test in (test for task in result.tasks for test in task.tests):
                    for number in test.measured:
                        found.setdefault(number.mark, []).append(
                            float("nan") if number.value is None else number.value
                        )
                unfinished = folder / f"{chunk[0]}.unfinished"
                unfinished.write_text(json.dumps(found))
                unfinished.replace(folder / f"{chunk[0]}.json")
    return _joined(folder, chunks)


def _joined(folder: Path, chunks: Sequence[tuple[int, int]]) -> Values:
    """A training that broke reached no number: it stands as NaN."""
    parts = [
        (json.loads((folder / f"{first}.json").read_text()), last - first) for first, last in chunks
    ]
    marks = sorted({mark for part, _ in parts for mark in part})
    return {
        mark: [value for part, count in parts for value in _padded(part.get(mark, []), count)]
        for mark in marks
    }


def _padded(values: list[float], count: int) -> list[float]:
    return values + [float("nan")] * (count - len(values))
