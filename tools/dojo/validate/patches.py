"""Known mistakes and other right solutions, kept as small replacements in a reference's text.

reference/mistakes/kNN_name.toml                    reference/variants/kNN_name.toml
    [[mistake]]                                         [[variant]]
    name = "the sigmoid is missing"                     name = "plain gradient descent"
    replace = "return self.sigmoid(self.linear(x))"   replace = "Adam(model.parameters(), lr=0.05)"
    by = "return self.linear(x)"                        by = "SGD(model.parameters(), lr=0.1)"
    caught_by = "test_output_is_the_sigmoid..."
    saying = "raw scores"
    also = ["the sigmoid is applied twice"]  # if need be: mistakes that show the same

A patch that changes more than one place has lists in `replace` and `by`.
"""

import tomllib
from dataclasses import dataclass
from typing import Any

from dojo import ROOT


class PatchError(Exception):
    """A patch does not fit its reference; the message says which and why."""


@dataclass(frozen=True)
class Patch:
    """A replacement in the text of a kata's reference; the last three are of a mistake."""

    kata: str
    name: str
    replace: tuple[str, ...]
    by: tuple[str, ...]
    caught_by: str = ""  # the test that must fail
    saying: str = ""  # words that its message must contain
    also: tuple[str, ...] = ()  # others of the kata that it may be called: they show the same

    @property
    def where(self) -> str:
        """Where it is written, for messages."""
        kind = "mistakes" if self.caught_by else "variants"
        return f"reference/{kind}/{self.kata}.toml, '{self.name}'"

    def apply(self, source: str) -> str:
        """The reference's text with the replacement made.

        Raises:
            PatchError: a text to be replaced does not stand there exactly once.
        """
        for old, new in zip(self.replace, self.by, strict=True):
            if (count := source.count(old)) != 1:
                fault = f"the text to replace stands {count} times in the reference: {old!r}"
                raise PatchError(f"{self.kata}, '{self.name}': {fault}")
            source = source.replace(old, new)
        return source


def load(kind: str, kata: str) -> list[Patch]:
    """The patches of a kata. kind: "mistake" or "variant".

    Raises:
        PatchError: the file is missing or malformed.
    """
    path = ROOT / "reference" / f"{kind}s" / f"{kata}.toml"
    shown = path.relative_to(ROOT).as_posix()
    try:
        entries = tomllib.loads(path.read_text(encoding="utf-8"))[kind]
        patches = [_patch(kata, entry, kind) for entry in entries]
    except FileNotFoundError:
        raise PatchError(f"{shown} is missing") from None
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        raise PatchError(f"{shown} is malformed: {error!r}") from None
    names = {patch.name for patch in patches}
    if unknown := sorted({name for patch in patches for name in patch.also} - names):
        raise PatchError(f"{shown}: `also` speaks of {unknown}, and there is no such {kind}")
    return patches


def _patch(kata: str, entry: dict[str, Any], kind: str) -> Patch:
    replace, by = _listed(entry["replace"]), _listed(entry["by"])
    if len(replace) != len(by):
        raise ValueError(f"'{entry['name']}' replaces {len(replace)} texts by {len(by)}")
    if kind == "variant":
        return Patch(kata, entry["name"], replace, by)
    also = tuple(entry.get("also", ()))
    return Patch(kata, entry["name"], replace, by, entry["caught_by"], entry["saying"], also)


def _listed(texts: str | list[str]) -> tuple[str, ...]:
    return (texts,) if isinstance(texts, str) else tuple(texts)
