"""For functions that return several things at once: a tuple of them, or a dict with a name for
each.
"""

from collections.abc import Sequence

from tests.support import expect


def several(result: object, number: int, who: str, names: str) -> tuple | list:
    """A tuple (or list) of so many parts."""
    right = isinstance(result, tuple | list) and len(result) == number
    seen = type(result).__name__ + (
        f" of {len(result)}" if isinstance(result, tuple | list) else ""
    )
    likely = expect.told(expect.NO_RETURN if result is None else f"return {names}")
    expect.that(
        right,
        f"{who} does not return {number} parts.",
        seen=seen,
        expected=f"{number} parts: {names}",
        likely=likely,
    )
    return result


def named(result: object, names: Sequence[str], who: str) -> dict:
    """A dict with exactly these names."""
    right = isinstance(result, dict) and set(result) == set(names)
    seen = ", ".join(map(repr, result)) if isinstance(result, dict) else type(result).__name__
    likely = expect.told(
        expect.NO_RETURN
        if result is None
        else 'return a dict, {"name": ..., "other name": ...}, with these names'
    )
    headline = f"{who} does not return a dict with the names asked for."
    expect.that(right, headline, seen=seen, expected=", ".join(map(repr, names)), likely=likely)
    return result
