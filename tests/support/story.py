"""The course of a training in words, from the losses of its epochs: flat, diverging, too slow,
stuck.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from dojo.curve import Band
from dojo.diagnosis import Cause

WATCH_A_WEIGHT = (
    "Print one of the model's weights before and after optimizer.step(): does it change?"
)
SMALLER_STEPS = "Take a tenth of the learning rate: does the loss still move away?"
LOWER_WITH_SMALLER_STEPS = "Take a tenth of the learning rate: does it end lower?"
LARGER_STEPS = (
    "Take ten times the learning rate: how far does the loss get in the same number of epochs?"
)
ANOTHER_SEED = "Begin from another torch.manual_seed(...): does it end at the same loss?"
WHAT_IS_MEASURED = (
    "Look at what the test measures after the training: what could make that worse, and the losses"
    " not?"
)


@dataclass(frozen=True)
class Story:
    """What a loss history looks like, the causes of such a look with the likeliest first, and a
    pointer that leads on.
    """

    kind: str
    causes: tuple[Cause, ...]
    pointer: str = ""


def of(history: Sequence[float], band: Band | None = None) -> Story:
    """The story of a training that ended short of its mark.

    Args:
        history: the loss of each epoch.
        band: where the reference's losses lie, if that is known.
    """
    numbers = [float(loss) for loss in history]
    if len(numbers) < 2:
        return Story("short", (Cause("the training lasted less than two epochs", told=True),))
    first, last, best = numbers[0], numbers[-1], min(numbers)
    went = f"the loss went from {first:.4g} to {last:.4g} in {len(numbers)} epochs"
    if not all(math.isfinite(loss) for loss in numbers):
        return _story("diverging", f"{went}: it grew without bound", TOO_LARGE, SMALLER_STEPS)
    if len(set(numbers)) == 1:
        likely = (
            f"{went}: no step changed it, as when optimizer.step() is missing",
            UNKNOWN_PARAMETERS,
        )
        return Story("flat", tuple(Cause(text, told=True) for text in likely))
    if max(numbers) - min(numbers) < 1e-3 * max(abs(first), 1e-9):
        likely = (
            "the learning rate is tiny",
            UNKNOWN_PARAMETERS,
            "gradients hardly arrive: activations at their limits",
        )
        return _story("flat", f"{went}: it stands still", likely, WATCH_A_WEIGHT)
    if last > first or last > 2 * best + 1e-3:
        best_words = f"{went}, after {best:.4g} at its best: it moves away again"
        return _story("diverging", best_words, TOO_LARGE, SMALLER_STEPS)
    tail = max(len(numbers) // 10, 2)
    before = numbers[-tail]
    if min(numbers[-tail:]) >= min(numbers[:-tail], default=math.inf):
        before = last  # no new lows: it goes up and down, and falls no further
    is_slow = before - last > 1e-3 * last and _lies_above(numbers, band)
    if band and last <= band.high[-1] and not is_slow:
        likely = (
            (
                "the losses are as good as the reference's: what is measured after the training is"
                " not what they speak of"
            ),
        )
        return _story("like the reference's", went, likely, WHAT_IS_MEASURED)
    if before - last > 0.02 * (first - last):
        likely = ("a larger learning rate, or a better optimizer, would reach it in time",)
        return _story(
            "too slow", f"{went} and was still falling{_behind(last, band)}", likely, LARGER_STEPS
        )
    if before - last > 1e-3 * last:
        words = f"{went} and was still falling, slowly{_behind(last, band)}"
        return _story("too slow", words, ("the steps are too small", UNLUCKY), LARGER_STEPS)
    stays = f"{went} and stays there"
    if not band:
        return _story("stuck", stays, ("the model can't do better", UNLUCKY), ANOTHER_SEED)
    # the reference's model gets further
    if max(numbers) > 1.02 * first:
        return _story("stuck", stays, (THROWN_OUT, UNLUCKY), LOWER_WITH_SMALLER_STEPS)
    return _story("stuck", stays, (UNLUCKY, THROWN_OUT), ANOTHER_SEED)


UNTOLD = Story("", (Cause("see the tests before this one"),))
TOO_LARGE = (
    "the steps are too large (learning rate)",
    "they follow something else than the loss's gradient",
)
UNKNOWN_PARAMETERS = "the optimizer has other parameters than those of the model"
THROWN_OUT = "the steps are too large (learning rate), and led to where the slope is almost 0"
UNLUCKY = "this start was an unlucky one"


def _story(kind: str, went: str, likely: Sequence[str], pointer: str) -> Story:
    """The first cause says how it went, too; a shape alone leaves several open, so none is told by
    evidence.
    """
    first, *others = likely
    return Story(kind, (Cause(f"{went}: {first}"), *map(Cause, others)), pointer)


def _lies_above(losses: Sequence[float], band: Band | None) -> bool:
    """Whether the losses are larger than the reference's in most epochs."""
    if not band:
        return False
    step = (band.epochs - 1) / (len(band.high) - 1)
    places = [(round(number * step), high) for number, high in enumerate(band.high)]
    above = [losses[place] > high for place, high in places if place < len(losses)]
    return 2 * sum(above) > len(above)


def _behind(last: float, band: Band | None) -> str:
    """A note that says after how many epochs the reference has such a loss."""
    there = (
        next((number for number, loss in enumerate(band.high) if loss <= last), None)
        if band
        else None
    )
    if not there:
        return ""
    return (
        f" (the reference is there after about {round(there / (len(band.high) - 1) * band.epochs)}"
        f" of its {band.epochs} epochs)"
    )
