"""Where the reference's losses lie while it trains, measured over some seeds:
tests/loss_bands.toml.

A training that misses its mark is drawn beside its band. The trainings are those that pass marks
are measured by; each entry carries the hash of what was measured, so that one older than its
training is noticed.
"""

import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import msgspec

from dojo import ROOT, files
from dojo.catalog import Catalog
from dojo.curve import BAND_POINTS, Band, Curve, thinned
from dojo.results import KataResult
from dojo.suite.supervisor import run
from dojo.suite.unit import Unit
from dojo.validate import Finding, Say, marks
from dojo.validate.marks import Marks

FILE = ROOT / "tests" / "loss_bands.toml"
HEADER = """\
# Where the references' losses lie while they train: written by `python tools/validate bands`.
"""
SEEDS = 20
CHUNK = 5  # seeds that one process takes
LOWEST, HIGHEST = 0.05, 0.95  # quantiles


def measure(catalog: Catalog, say: Say) -> Finding:
    """Measure the bands of these katas' references and write them to FILE."""
    measured = measurements(catalog, say)
    old = read()
    others = {name: old[name] for name in old.keys() - marks.of_katas(old, catalog).keys()}
    files.write_whole(FILE, to_toml(others | measured))
    wrong = problems(read(), catalog, trainings(catalog))
    return Finding(wrong, f"{len(measured)} bands written to tests/loss_bands.toml")


def recorded(catalog: Catalog) -> Finding:
    """Each training with a mark has a band of the reference's losses of today."""
    names = trainings(catalog)
    return Finding(problems(read(), catalog, names), f"{len(names)} trainings")


def measurements(catalog: Catalog, say: Say) -> dict[str, dict[str, Any]]:
    """Training → its entry, for the references of these katas."""
    entries: dict[str, dict[str, Any]] = {}
    for reference in (each for each in marks.candidates(catalog) if not each.name):
        name, about = reference.kata.name, {"of": reference.key, "measured": marks.measured_with()}
        say(f"{reference.kata.short}, {SEEDS} seeds")
        unit = Unit("reference", name, "cpu", timeout=marks.SECONDS_A_TRAINING)
        chunks = [(first, first + CHUNK) for first in range(0, SEEDS, CHUNK)]
        results = run([replace(unit, measure=chunk) for chunk in chunks], catalog.katas)
        bands = {training: band(curves) for training, curves in histories(results).items()}
        entries |= {training: about | vars(each) for training, each in bands.items() if each}
    return entries


def trainings(catalog: Catalog) -> list[str]:
    """The trainings of these katas that a mark is held against."""
    return sorted({name.rpartition(".")[0] for name in marks.of_katas(marks.read(), catalog)})


def histories(results: Iterable[KataResult]) -> dict[str, list[Curve]]:
    """The loss histories of each training, one a seed; several marks of a training share them."""
    curves: dict[str, dict[str, list[Curve]]] = {}
    for number in (number for result in results for number in result.measured):
        training, _, mark = number.mark.rpartition(".")
        if number.curve:
            curves.setdefault(training, {}).setdefault(mark, []).append(number.curve)
    return {training: next(iter(by_mark.values())) for training, by_mark in curves.items()}


def band(curves: Sequence[Curve]) -> Band | None:
    """The range of most of these histories; None where some broke or have other lengths."""
    rows = [thinned(curve.losses, BAND_POINTS) for curve in curves if None not in curve.losses]
    if len(rows) < len(curves) or len({curve.epochs for curve in curves}) != 1 or len(rows[0]) < 2:
        return None
    points = [sorted(point) for point in zip(*rows, strict=True)]
    low, high = (
        tuple(float(f"{point[round(share * (len(point) - 1))]:.4g}") for point in points)
        for share in (LOWEST, HIGHEST)
    )
    return Band(curves[0].epochs, low, high, len(rows))


def read() -> dict[str, dict[str, Any]]:
    """Training → its entry; nothing where there is no readable file."""
    try:
        return tomllib.loads(FILE.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def to_toml(bands: Marks) -> str:
    """loss_bands.toml, in the order of the names."""
    ends = ("low", "high")
    tables = {
        name: {key: tuple(value) if key in ends else value for key, value in entry.items()}
        for name, entry in sorted(bands.items())
    }
    return marks.toml_of(HEADER, tables)


def problems(bands: Marks, catalog: Catalog, needed: Iterable[str]) -> list[str]:
    """Bands that are malformed, older than their training, or missing.

    Args:
        needed: the trainings that need one.
    """
    changed = marks.out_of_date(bands, catalog)
    return [
        f"{fault}: `python tools/validate bands`"
        for training in needed
        for fault in _faults(training, bands.get(training), training in changed)
    ]


def _faults(training: str, entry: Mapping[str, Any] | None, is_old: bool) -> Iterator[str]:
    if entry is None:
        yield f"{training} has no band of the reference's losses"
        return
    try:
        seeds = msgspec.convert(entry, Band).seeds
    except (ValueError, msgspec.MsgspecError) as error:
        yield f"tests/loss_bands.toml: {training} is malformed ({error})"
        return
    if seeds < SEEDS:
        yield f"{training}: its losses were measured from {seeds} seeds of {SEEDS}"
    if is_old:
        yield f"{training}: its training has changed since its losses were measured"
