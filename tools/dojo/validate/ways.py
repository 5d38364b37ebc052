"""Whole ways through the marks: how often does a right learner miss any of them?

A way takes one seed through the trainings of all katas, with seeds that set none of the marks; the
reference goes it, and each other right solution, in whose kata its own training takes the place of
the reference's. What comes out is kept in reference/validation/ways.json: for each solution the
seeds that miss a mark of its kata. A solution that reaches the reference's values to the last bit
from the first seeds shares its figures, and one whose tests have changed keeps its own as long as
it still reaches what it did.
"""

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from dojo import ROOT, files
from dojo.catalog import Catalog, Kata
from dojo.validate import Finding, Say, marks, patches
from dojo.validate.marks import Candidate, Marks, Values
from dojo.validate.test_files import training_tests

FILE = ROOT / "reference" / "validation" / "ways.json"
FIRST = 10_000  # seed; the marks were set with those from 0 on
WAYS = marks.RIGHT_SEEDS
CONFIDENCE, MOST = 0.95, 0.01
REFERENCE = "the reference"


@dataclass(frozen=True)
class Walk:
    """What a right solution of a kata that trains came to.

    Attributes:
        of: hash of what was measured.
        begins: hash of what the first marks.CHUNK seeds reach.
        bounds: the marks of its kata, as they were.
        missed: the seeds from which a mark is missed.
    """

    kata: str
    name: str
    of: str
    begins: str
    bounds: dict[str, float]
    missed: tuple[int, ...]
    measured: str


@dataclass(frozen=True)
class Share:
    """Of how many ways how many missed a mark."""

    name: str
    missed: int
    ways: int

    @property
    def bound(self) -> float:
        """The upper end of the 95 % interval of Clopper and Pearson for the share that misses."""
        from scipy.stats import binomtest  # takes a second, and scikit-learn brings it along

        interval = binomtest(self.missed, self.ways).proportion_ci(CONFIDENCE, method="exact")
        return float(interval.high)


def solutions(kata: Kata) -> Iterator[tuple[str, Candidate]]:
    """The reference of a kata that trains, and its other right solutions, each with its name."""
    if tests := training_tests(kata):
        source = kata.reference_text()
        yield REFERENCE, Candidate(kata, "", source, tests, FIRST)
        for variant in patches.load("variant", kata.name):
            yield variant.name, Candidate(kata, "", variant.apply(source), tests, FIRST)


def measure(catalog: Catalog, say: Say) -> Finding:
    """Walk what has changed since it was walked, or never was, and write it down as it comes."""
    walks = read()
    for kata in catalog.katas:
        entries = own(kata, marks.read())
        for name, candidate in solutions(kata):
            old, like = walks.get((kata.short, name)), walks.get((kata.short, REFERENCE))
            if old is None or (old.of, old.bounds) != (candidate.key, bounds_of(entries)):
                say(f"{kata.short} {name}")
                known = [one for one in (old, like) if one]
                walks[kata.short, name] = _walk(name, candidate, catalog, entries, known)
                files.write_record(FILE, [walks[key] for key in sorted(walks)])
    return recorded(catalog)


def _walk(
    name: str, candidate: Candidate, catalog: Catalog, entries: Marks, known: Sequence[Walk]
) -> Walk:
    """A solution's walk: that of a known one which begins the same, or one of its own."""
    begins = digest(marks.values_of(candidate, catalog.katas, marks.CHUNK))
    short, bounds, now = candidate.kata.short, bounds_of(entries), marks.measured_with()
    new = Walk(short, name, candidate.key, begins, bounds, (), now)
    for other in known:
        if (other.begins, other.bounds) == (begins, bounds):
            return replace(new, missed=other.missed)
    return replace(new, missed=missed(marks.values_of(candidate, catalog.katas), entries))


def digest(values: Values) -> str:
    """Hash of what a training reached, to the last bit."""
    return files.digest([json.dumps(values, sort_keys=True)])[:16]


def missed(values: Values, entries: Marks) -> tuple[int, ...]:
    """The seeds from which a mark of these is missed; one that a run did not reach is missed."""
    nothing = [math.nan] * WAYS
    seeds = set[int]()
    for mark, entry in entries.items():
        reached = enumerate(values.get(mark, nothing), start=FIRST)
        seeds.update(seed for seed, value in reached if not marks.meets(value, entry))
    return tuple(sorted(seeds))


def own(kata: Kata, entries: Marks) -> Marks:
    """The marks of a kata."""
    return {name: entry for name, entry in entries.items() if name.startswith(f"{kata.short}.")}


def bounds_of(entries: Marks) -> dict[str, float]:
    return {name: entry["mark"] for name, entry in entries.items()}


def read() -> dict[tuple[str, str], Walk]:
    """What was walked, by kata and solution."""
    walks = files.read_json(FILE, list[Walk]) or []
    return {(walk.kata, walk.name): walk for walk in walks}


def shares(walks: Sequence[Walk]) -> list[Share]:
    """Of the reference and of each other solution: how many of the whole ways miss a mark."""
    misses = {walk.kata: set(walk.missed) for walk in walks if walk.name == REFERENCE}
    found = [Share(REFERENCE, len(set().union(*misses.values())), WAYS)]
    for walk in walks:
        if walk.name != REFERENCE:
            elsewhere = (seeds for kata, seeds in misses.items() if kata != walk.kata)
            ways = set(walk.missed).union(*elsewhere)
            found.append(Share(f"{walk.kata} '{walk.name}'", len(ways), WAYS))
    return found


def recorded(catalog: Catalog) -> Finding:
    """No right solution misses a mark on more than one way in a hundred, with confidence. As long
    as one was never walked, nothing is said of whole ways.
    """
    walks, again = read(), "`python tools/validate ways`"
    problems, missing = list[str](), list[str]()
    entries = marks.read()
    for kata in catalog.katas:
        for name, candidate in solutions(kata):
            walk, who = walks.get((kata.short, name)), f"{kata.short} '{name}'"
            if walk is None:
                missing.append(who)
                continue
            now = candidate.key, bounds_of(own(kata, entries))
            if marks.is_comparable({"measured": walk.measured}) and (walk.of, walk.bounds) != now:
                problems.append(f"{who} has changed since it was walked: {again}")
    if missing:
        note = f"{len(missing)} solutions were never walked: {again}"
        return Finding(problems, f"{len(walks)} solutions walked", [note], unchecked=True)
    found = shares(list(walks.values()))
    problems += [
        f"{share.name}: {share.missed} of {share.ways} ways miss a mark, so that up to"
        f" {share.bound:.1%} may: more than {MOST:.0%}"
        for share in found
        if share.bound > MOST
    ]
    worst = max(found, key=lambda share: share.missed)
    scope = f"{len(found)} solutions, {WAYS} ways each: at most {worst.missed} miss a mark"
    return Finding(problems, f"{scope}, up to {worst.bound:.2%}")
