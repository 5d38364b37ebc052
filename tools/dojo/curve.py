"""The losses of a training beside the range of the reference's: as a record, and drawn in
characters.
"""

import math
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, TypeVar

from msgspec import Meta

MOST_POINTS = 200  # of a loss history that travels in a report
BAND_POINTS = 25  # of a band
WIDTH, HEIGHT = 48, 7  # of a drawing, in characters; each has an upper and a lower half
LOGARITHMIC_FROM = 20  # the largest loss divided by the smallest
LARGEST = 1e100  # whose differences are still numbers
MOST_GROWTH = 1e3  # what lies above so many times the usual losses is drawn at the upper edge
_IN_WORDS = {  # what stands for the lines of a drawing: its rows, its axis, its legend
    r"^.* [│└].*\n": "",
    r"^ +1 .* \d+ epochs$\n": "",
    r"▄ yours:": "your losses:",
    r"░ reference, (\d+) starts: ends at": r"the reference's, from \1 starts, end at",
}
HALVES = {(True, True): "█", (True, False): "▀", (False, True): "▄"}  # (upper, lower)

# what msgspec decodes, bounded: a report may come from code that may do anything
Finite = Annotated[float, Meta(ge=-sys.float_info.max, le=sys.float_info.max)]
Count = Annotated[int, Meta(ge=0, le=10**9)]
_Item = TypeVar("_Item")
_Ends = Annotated[tuple[Finite, ...], Meta(min_length=2, max_length=MOST_POINTS)]


@dataclass(frozen=True)
class Band:
    """The range that the reference's losses lie in, over its seeds.

    Attributes:
        epochs: of the reference's training; the points of low and high lie evenly between its first
            and its last epoch.
        low: the lower end at each point.
        high: the upper end at each point, as many.
        seeds: how many trainings were measured.
    """

    epochs: Count
    low: _Ends
    high: _Ends
    seeds: Count

    def __post_init__(self) -> None:
        if len(self.low) != len(self.high):
            raise ValueError(f"{len(self.low)} lower and {len(self.high)} upper ends")


@dataclass(frozen=True)
class Curve:
    """The losses of a training.

    Attributes:
        epochs: how many the training had.
        losses: at most MOST_POINTS of them, evenly spread from the first to the last; None where a
            loss was not finite.
        band: where the reference's lie, where that was measured.
        kind: what it looks like, in a word or two: "flat", "diverging", "too slow", "stuck" ...
    """

    epochs: Count
    losses: Annotated[tuple[Finite | None, ...], Meta(max_length=MOST_POINTS)]
    band: Band | None = None
    kind: str = ""

    @classmethod
    def of(cls, losses: Sequence[float], band: Band | None) -> "Curve":
        """The curve of a whole history, short enough for a report."""
        return cls(
            len(losses),
            tuple(loss if math.isfinite(loss) else None for loss in thinned(losses)),
            band,
        )

    def sketched(self) -> "Curve":
        """The same with no more points than a drawing has columns."""
        return replace(self, losses=tuple(thinned(self.losses, WIDTH)))


def thinned(values: Sequence[_Item], most: int = MOST_POINTS) -> Sequence[_Item]:
    """At most so many of the values, evenly spread, the first and the last among them."""
    if len(values) <= most:
        return values
    return [values[round(number * (len(values) - 1) / (most - 1))] for number in range(most)]


def draw(curve: Curve) -> list[str]:
    """The losses as a line, the reference's range as a shaded band, over the epochs; a logarithmic
    scale where that helps.
    """
    scale, band = _Scale.of(curve), curve.band
    epochs = max(curve.epochs, band.epochs if band else 1)
    rows = [[" "] * WIDTH for _ in range(HEIGHT)]
    for column in range(WIDTH):
        epoch = column / (WIDTH - 1) * (epochs - 1)
        low = _at(band.low, epoch, band.epochs) if band else None
        high = _at(band.high, epoch, band.epochs) if band else None
        if low is not None and high is not None:
            for row in range(scale.level(low) // 2, scale.level(high) // 2 + 1):
                rows[row][column] = "░"
        if (loss := _at(curve.losses, epoch, curve.epochs)) is not None:
            row, is_upper = divmod(scale.level(loss), 2)
            rows[row][column] = HALVES[bool(is_upper), not is_upper]
    ends = {HEIGHT - 1: f"{scale.top:.3g}", 0: f"{scale.bottom:.3g}"}
    lines = [
        f"{ends.get(row, ''):>8} │{''.join(rows[row])}".rstrip() for row in reversed(range(HEIGHT))
    ]
    last, middle = f"{epochs} epochs", "(logarithmic)" if scale.is_logarithmic else ""
    lines += [f"{'':>8} └{'─' * WIDTH}", f"{'':>10}1{middle:^{WIDTH - 2 - len(last)}} {last}"]
    numbers = [loss for loss in curve.losses if loss is not None]
    went = (
        f"{numbers[0]:.3g} to {numbers[-1]:.3g}"
        if numbers
        else "not a number from the first epoch on"
    )
    went += ", then not a number" if numbers and curve.losses[-1] is None else ""
    lines.append(f"{'':>10}▄ yours: {went}" + (f" ({curve.kind})" if curve.kind else ""))
    if band:
        lowest, highest = f"{band.low[-1]:.3g}", f"{band.high[-1]:.3g}"
        reached = lowest if lowest == highest else f"{lowest} to {highest}"
        lines.append(f"{'':>10}░ reference, {band.seeds} starts: ends at {reached}")
    return lines


def in_words(text: str) -> str:
    """A text in which losses are drawn, with what stands below the drawing alone."""
    for pattern, words in _IN_WORDS.items():
        text = re.sub(pattern, words, text, flags=re.MULTILINE)
    return text


@dataclass(frozen=True)
class _Scale:
    bottom: float
    top: float
    is_logarithmic: bool

    @classmethod
    def of(cls, curve: Curve) -> "_Scale":
        losses = [
            min(max(loss, -LARGEST), LARGEST) for loss in curve.losses if loss is not None
        ] or [1.0]
        usual = [*curve.band.low, *curve.band.high] if curve.band else losses[:1]
        bottom, top = min([*losses, *usual]), max([*losses, *usual])
        if max(usual) > 0:
            top = min(top, MOST_GROWTH * max(usual))
        if top <= bottom:
            bottom, top = bottom - 0.5 * (abs(bottom) or 1), bottom + 0.5 * (abs(bottom) or 1)
        return cls(bottom, top, bottom > 0 and bottom * LOGARITHMIC_FROM < top)

    def level(self, loss: float) -> int:
        """Which of the 2 * HEIGHT half characters, from the bottom, a loss is drawn in."""
        loss = min(max(loss, self.bottom), self.top)
        low, high, here = (
            math.log(each) if self.is_logarithmic else each
            for each in (self.bottom, self.top, loss)
        )
        return round((here - low) / (high - low) * (2 * HEIGHT - 1))


def _at(points: Sequence[float | None], epoch: float, epochs: int) -> float | None:
    """The nearest of points that lie evenly between the first and the last of so many epochs; None
    outside.
    """
    if not points or epoch > epochs - 0.5:
        return None
    return points[min(round(epoch / max(epochs - 1, 1) * (len(points) - 1)), len(points) - 1)]
