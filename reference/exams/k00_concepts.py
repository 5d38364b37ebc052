"""Questions on k00: which letters were chosen. The right ones are on the trusted side alone."""

import types

from dojo.exam import Draw, question


def chosen(kata: types.ModuleType, name: str) -> dict[str, object]:
    """The letters in whatever form the tests accept them: a set, a list, a tuple or a word; small
    or with blanks.
    """
    answer = kata.ANSWERS[name]
    if not isinstance(answer, set | frozenset | list | tuple | str):
        return {"letters": type(answer).__name__}
    return {"letters": sorted({letter.strip().upper() for letter in answer} - {""})}


@question("network")
def network(kata, draw: Draw):
    return chosen(kata, "network")


@question("sizes")
def sizes(kata, draw: Draw):
    return chosen(kata, "sizes")


@question("descent")
def descent(kata, draw: Draw):
    return chosen(kata, "descent")


@question("kinds")
def kinds(kata, draw: Draw):
    return chosen(kata, "kinds")


@question("accuracy")
def accuracy(kata, draw: Draw):
    return chosen(kata, "accuracy")
