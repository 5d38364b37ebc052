"""Refusals: a ValueError whose message says what was wrong, and what is known instead."""

from collections.abc import Iterable, Sequence
from types import ModuleType
from typing import Any

from tests.support import expect


def check(
    kata: ModuleType, who: str, arguments: Sequence[Any], name: str, names: Iterable[str] = ()
) -> None:
    """The function raises a ValueError whose message has the name it got and the known ones."""
    likely = "nothing is raised for an unknown name"
    try:
        seen = expect.describe(getattr(kata, who)(*arguments))
    except ValueError as error:
        if all(word in str(error) for word in (name, *names)):
            return
        seen = f"ValueError: {error}"
        likely = "the message leaves out the name that came, or the known ones"
    except KeyError as error:
        seen = f"KeyError: {error}"
        likely = (
            "a dict raises KeyError for what it does not hold: look first, `if name not in ...`"
        )
    except UnboundLocalError as error:
        seen = f"UnboundLocalError: {error}"
        likely = "no branch fits: an `else` at the end has to raise the ValueError"
    headline = f"{who} does not refuse {name!r} clearly."
    expected = f"ValueError with a message that has {', '.join([repr(name), *names])}"
    expect.unmet(headline, seen=seen, expected=expected, likely=expect.told(likely))
