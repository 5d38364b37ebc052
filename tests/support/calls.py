"""Which functions of torch a learner's code calls, for lessons that ask to write one out by
hand.
"""

from collections.abc import Callable, Iterable

from dojo.suite import called
from tests.support import expect


def check_written_out(
    call: Callable[[], object], forbidden: Iterable[str], what: str, likely: str
) -> None:
    """The call gets by without these functions of torch."""
    with called.functions() as seen:
        call()
    used = sorted(seen.intersection(forbidden))
    expect.that(
        not used,
        f"{what} is not written out: torch does the work.",
        seen=f"a call of {', '.join(used)}",
        expected="the formula, written out",
        likely=likely,
    )
