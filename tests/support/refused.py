"""Refusals: a ValueError whose message says what was wrong, and what is known instead."""

from collections.abc import Iterable, Sequence
from types import ModuleType
from typing import Any

from tests.support import expect

RETURNED = "`return` hands the error back as a result: `raise` it"
NO_RESULT = "__init__() should return None"  # what Python says of a model that hands an error back


def handed_back(result: object) -> bool:
    """True if this is an error, or a class of errors, that was returned in place of raised."""
    one = result if isinstance(result, type) else type(result)
    return issubclass(one, Exception)


def check(
    kata: ModuleType, who: str, arguments: Sequence[Any], name: str, names: Iterable[str] = ()
) -> None:
    """The function raises a ValueError whose message has the name it got and the known ones."""
    likely = "nothing is raised for an unknown name"
    try:
        result = getattr(kata, who)(*arguments)
        seen, likely = expect.describe(result), RETURNED if handed_back(result) else likely
    except ValueError as error:
        if all(word in str(error) for word in (name, *names)):
            return
        seen = f"ValueError: {error}"
        likely = "the message leaves out the name that came, or the known ones"
    except TypeError as error:
        if not (str(error).startswith(NO_RESULT) and "Error" in str(error)):
            raise
        seen, likely = f"TypeError: {error}", RETURNED
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
