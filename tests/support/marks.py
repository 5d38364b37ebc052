"""The pass marks: what a training has to reach, read from pass_marks.toml alone."""

import math
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from dojo.curve import Curve
from dojo.results import Measured

FILE = Path(__file__).parents[1] / "pass_marks.toml"


@dataclass(frozen=True)
class Mark:
    """A bound for a number that a training reached."""

    name: str
    what: str
    bound: float
    at_most: bool
    usual: float  # the median of what right solutions reach
    lenient: bool = False  # met by anything: for measuring
    record: Callable[[Measured], None] = field(default=lambda number: None, compare=False)

    def met_by(self, value: float, curve: Curve | None = None) -> bool:
        """True if the value is within the bound; NaN never is. The value is recorded, and the
        losses in outline; while measuring, all of them.
        """
        finite = value if math.isfinite(value) else None
        kept = curve if curve is None or self.lenient else curve.sketched()
        self.record(Measured(self.name, self.what, finite, self.bound, self.at_most, kept))
        if self.lenient:
            return True
        return value <= self.bound if self.at_most else value >= self.bound

    def __str__(self) -> str:
        return f"{'at most' if self.at_most else 'at least'} {self.bound:g}"


@cache
def entries() -> dict[str, dict]:
    return tomllib.loads(FILE.read_text(encoding="utf-8"))


def find(
    name: str, lenient: bool = False, record: Callable[[Measured], None] = lambda number: None
) -> Mark:
    """The mark of that name.

    Raises:
        KeyError: pass_marks.toml has no such mark.
    """
    entry = entries()[name]
    return Mark(
        name,
        entry["what"],
        entry["mark"],
        entry["must_be"] == "at most",
        entry["right"]["median"],
        lenient,
        record,
    )
