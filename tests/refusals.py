"""For functions that take only certain names: they refuse any other with a ValueError that says
which.
"""

from collections.abc import Callable, Sequence

from tests import expect


def check(call: Callable[[], object], who: str, name: str, known: Sequence[str] = ()) -> None:
    """The call raises a ValueError whose message has the name it got and the known ones."""
    likely = "nothing is raised for a name that none of the branches knows"
    try:
        seen = expect.describe(call())
    except ValueError as error:
        if all(word in str(error) for word in (name, *known)):
            return
        seen, likely = (
            f"ValueError: {error}",
            "the message leaves out the name that came, or the known ones",
        )
    except KeyError as error:
        seen, likely = (
            f"KeyError: {error}",
            "a dict raises KeyError for what it does not hold: look first, `if name not in ...`",
        )
    except UnboundLocalError as error:
        seen, likely = (
            f"UnboundLocalError: {error}",
            "no branch fits: an `else` at the end has to raise the ValueError",
        )
    expected = f"ValueError with a message that has {', '.join([repr(name), *known])}"
    expect.unmet(
        f"{who} does not refuse {name!r} clearly.", seen=seen, expected=expected, likely=likely
    )
