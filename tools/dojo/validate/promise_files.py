"""reference/promises/kNN_name.toml: each sentence of a stub is a promise, and says what holds a
solution to it, or an explanation, and says why.

    [[promise]]
    says = "each epoch is one step on all examples"  # words of the stub; several entries may share
    of = "train"                                     # a sentence. Only if they stand twice: where
    tests = ["test_every_step_follows_the_gradient"]
    questions = ["gradients"]
    mistakes = ["ten steps in each epoch"]

    [[explanation]]
    says = "Probability of class 1 for each example."
    why = "forward says it with shapes, and is held to it there"

A promise that no test, or no question, can ask has `without_test = "why"`, `without_question`.
"""

import tomllib
from collections.abc import Sequence
from pathlib import Path

import msgspec

from dojo import ROOT
from dojo.catalog import Kata
from dojo.validate.passages import Passage, flat

FOLDER = ROOT / "reference" / "promises"


class PromisesError(Exception):
    """A file of promises can't be read; the message says which and why."""


class Claim(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the entries of both kinds have."""

    says: str
    of: str = ""

    @property
    def quote(self) -> str:
        return flat(self.says)

    def found(self, passages: Sequence[Passage]) -> list[Passage]:
        """The passages that it speaks of: where others are not due, those that are."""
        here = [each for each in passages if self.of in ("", each.place)]
        here = [each for each in here if each.spans(self.quote)]
        return [each for each in here if each.is_due] or here


class Promise(Claim, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a solution is held to."""

    tests: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()
    mistakes: tuple[str, ...] = ()
    without_test: str = ""
    without_question: str = ""


class Explanation(Claim, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What promises nothing, or nothing more than promises elsewhere."""

    why: str = ""


class Promises(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A kata's file."""

    promise: tuple[Promise, ...] = ()
    explanation: tuple[Explanation, ...] = ()

    def of_mistake(self, name: str) -> list[Promise]:
        """The promises that a mistake breaks."""
        return [promise for promise in self.promise if name in promise.mistakes]


def path_of(kata: Kata, folder: Path = FOLDER) -> Path:
    return folder / f"{kata.name}.toml"


def load(kata: Kata, folder: Path = FOLDER) -> Promises | None:
    """A kata's promises; None if it has no such file. Raises PromisesError if it can't be read."""
    path = path_of(kata, folder)
    try:
        return msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), Promises)
    except FileNotFoundError:
        return None
    except (ValueError, msgspec.ValidationError) as error:
        raise PromisesError(f"reference/promises/{path.name} is malformed: {error}") from None
