"""The range of the reference's losses while it trains, read from loss_bands.toml."""

import tomllib
from functools import cache
from pathlib import Path

import msgspec

from dojo.curve import Band

FILE = Path(__file__).parents[1] / "loss_bands.toml"


def training_of(mark: str) -> str:
    """The training that a mark is held against: "k06.train" of "k06.train.distance"."""
    return mark.rpartition(".")[0]


@cache
def entries() -> dict[str, dict]:
    return tomllib.loads(FILE.read_text(encoding="utf-8")) if FILE.is_file() else {}


def find(mark: str) -> Band | None:
    """The band of the training that the mark is held against, or None where none was measured."""
    entry = entries().get(training_of(mark))
    return msgspec.convert(entry, Band) if entry else None
