"""Where the reference's losses lie while it trains, measured over some seeds:
tests/loss_bands.toml.

A training that misses its mark is drawn beside its band. The trainings are those that pass marks
are measured by; each entry carries the hash of what was measured, so that one older than its
training is noticed.
"""

import json
import platform
import tomllib
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from importlib.metadata import version

import msgspec

from dojo import ROOT
from dojo.catalog import Catalog
from dojo.curve import BAND_POINTS, Band, Curve, thinned
from dojo.results import KataResult
from dojo.suite.supervisor import run
from dojo.suite.unit import Unit
from dojo.validate import marks

FILE = ROOT / "tests" / "loss_bands.toml"
SEEDS = 20
CHUNK = 5  # seeds that one process takes
LOWEST, HIGHEST = 0.05, 0.95  # quantiles


def measure(catalog: Catalog, say: Callable[[str], None]) -> dict[str, dict]:
    """Training → its entry, for the references of these katas."""
    found = {}
    for candidate in (one for one in marks.candidates(catalog) if not one.name):
        say(f"{candidate.kata.short}, {SEEDS} seeds")
        chunks = [(first, first + CHUNK) for first in range(0, SEEDS, CHUNK)]
        units = [
            Unit(
                "reference",
                candidate.kata.name,
                "cpu",
                timeout=marks.SECONDS_A_TRAINING,
                measure=chunk,
            )
            for chunk in chunks
        ]
        when = f"{date.today()}, torch {version('torch')}, Python {platform.python_version()}"
        for training, curves in histories(run(units, catalog.katas)).items():
            if made := band(curves):
                found[training] = {"of": candidate.key, "measured": when} | vars(made)
    return found


def histories(results: Iterable[KataResult]) -> dict[str, list[Curve]]:
    """The loss histories of each training, one a seed; several marks of a training share them."""
    found: dict[str, dict[str, list[Curve]]] = {}
    for number in (number for result in results for number in result.measured):
        training, _, mark = number.mark.rpartition(".")
        if number.curve:
            found.setdefault(training, {}).setdefault(mark, []).append(number.curve)
    return {training: next(iter(by_mark.values())) for training, by_mark in found.items()}


def band(curves: Sequence[Curve]) -> Band | None:
    """The range of most of these histories; None where some broke or have other lengths, so that
    there is no common range.
    """
    rows = [thinned(curve.losses, BAND_POINTS) for curve in curves if None not in curve.losses]
    if len(rows) < len(curves) or len({curve.epochs for curve in curves}) != 1 or len(rows[0]) < 2:
        return None
    points = [sorted(point) for point in zip(*rows, strict=True)]
    low, high = (
        tuple(_rounded(point[round(q * (len(point) - 1))]) for point in points)
        for q in (LOWEST, HIGHEST)
    )
    return Band(curves[0].epochs, low, high, len(rows))


def _rounded(loss: float) -> float:
    return float(f"{loss:.4g}")


def read() -> dict[str, dict]:
    """Training → its entry; nothing where there is no readable file."""
    try:
        return tomllib.loads(FILE.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def to_toml(entries: dict[str, dict]) -> str:
    """loss_bands.toml, in the order of the names."""
    lines = [
        (
            "# Where the references' losses lie while they train: written by `python tools/validate"
            " --bands`."
        ),
        "",
    ]
    for training, entry in sorted(entries.items()):
        lines += [
            f'["{training}"]',
            *(f"{key} = {json.dumps(value)}" for key, value in entry.items()),
            "",
        ]
    return "\n".join(lines).rstrip() + "\n"


def problems(entries: dict[str, dict], catalog: Catalog, wanted: Iterable[str]) -> list[str]:
    """Bands that are malformed, older than their training, or not there.

    Args:
        wanted: the trainings that need one.
    """
    again, found = "`python tools/validate --bands`", []
    now = {one.kata.short: one.key for one in marks.candidates(catalog) if not one.name}
    for training in wanted:
        if (entry := entries.get(training)) is None:
            found.append(f"{training} has no band of the reference's losses: {again}")
            continue
        try:
            seeds = msgspec.convert(entry, Band).seeds
        except (ValueError, msgspec.MsgspecError) as error:
            found.append(f"tests/loss_bands.toml: {training} is malformed ({error}): {again}")
            continue
        if seeds < SEEDS:
            found.append(
                f"{training}: its losses were measured from {seeds} seeds of {SEEDS}: {again}"
            )
        if marks.comparable(entry) and entry.get("of") != now[training.partition(".")[0]]:
            found.append(
                f"{training}: its training has changed since its losses were measured: {again}"
            )
    return found
