"""Which functions of torch a learner's code calls, for lessons that ask to write one out by
hand.
"""

from collections.abc import Callable, Iterable

from torch.overrides import TorchFunctionMode

from tests.support import expect


class _Watch(TorchFunctionMode):
    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def __torch_function__(self, function, types, args=(), kwargs=None):
        self.names.add(getattr(function, "__name__", ""))
        return function(*args, **(kwargs or {}))


def check_written_out(
    call: Callable[[], object], forbidden: Iterable[str], what: str, likely: str
) -> None:
    """The call gets by without these functions of torch."""
    with _Watch() as watch:
        call()
    used = sorted(set(forbidden) & watch.names)
    expect.that(
        not used,
        f"{what} is not written out: torch does the work.",
        seen=f"a call of {', '.join(used)}",
        expected="the formula, written out",
        likely=likely,
    )
