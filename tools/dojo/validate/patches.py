"""Known mistakes and other right solutions, kept as small replacements in a reference's text.

reference/mistakes/kNN_name.toml                    reference/variants/kNN_name.toml
    [[mistake]]                                         [[variant]]
    name = "the sigmoid is missing"                     name = "plain gradient descent"
    replace = "return self.sigmoid(self.linear(x))"   replace = "Adam(model.parameters(), lr=0.05)"
    by = "return self.linear(x)"                        by = "SGD(model.parameters(), lr=0.1)"
    caught_by = "test_output_is_the_sigmoid..."
    saying = "raw scores"
    also = ["the sigmoid is applied twice"]  # if need be: mistakes that show the same, so that both
    may be told

A patch that changes more than one place has lists in `replace` and `by`.
"""

import ast
import tomllib
from dataclasses import dataclass
from pathlib import Path

from dojo import ROOT
from dojo.catalog import Kata


def reference_of(kata: Kata) -> str:
    """The text of a kata's reference."""
    return (ROOT / "reference" / f"{kata.name}.py").read_text(encoding="utf-8")


def placement_tests(kata: Kata) -> set[str]:
    """The tests of a kata that are marked `placement`."""
    tree = ast.parse((ROOT / "tests" / f"test_{kata.name}.py").read_text(encoding="utf-8"))
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    return {
        node.name
        for node in functions
        if "placement" in " ".join(map(ast.unparse, node.decorator_list))
    }


class PatchError(Exception):
    """A patch does not fit its reference; the message says which and why."""


@dataclass(frozen=True)
class Patch:
    kata: str
    name: str
    replace: tuple[str, ...]
    by: tuple[str, ...]
    caught_by: str = ""  # of a mistake: the test that must fail
    saying: str = ""  # of a mistake: words that its message must contain
    # of a mistake: others of the kata that it may be called, because they show the same
    also: tuple[str, ...] = ()

    def apply(self, source: str) -> str:
        """The reference's text with the replacement made.

        Raises:
            PatchError: a text to be replaced does not stand there exactly once.
        """
        for old, new in zip(self.replace, self.by, strict=True):
            if (count := source.count(old)) != 1:
                raise PatchError(
                    f"{self.kata}, '{self.name}': the text to replace stands {count} times in the"
                    f" reference: {old!r}"
                )
            source = source.replace(old, new)
        return source


def load(kind: str, kata: str) -> list[Patch]:
    """The patches of a kata. kind: "mistake" or "variant".

    Raises:
        PatchError: the file is missing or malformed.
    """
    path = ROOT / "reference" / f"{kind}s" / f"{kata}.toml"
    try:
        entries = tomllib.loads(path.read_text(encoding="utf-8"))[kind]
        patches = [_patch(kata, entry, kind) for entry in entries]
        if unknown := {name for patch in patches for name in patch.also} - {
            patch.name for patch in patches
        }:
            raise PatchError(
                f"{_shown(path)}: `also` speaks of {sorted(unknown)}, and there is no such {kind}"
            )
        return patches
    except FileNotFoundError:
        raise PatchError(f"{_shown(path)} is missing") from None
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        raise PatchError(f"{_shown(path)} is malformed: {error!r}") from None


def _patch(kata: str, entry: dict, kind: str) -> Patch:
    replace, by = (
        [text] if isinstance(text, str) else text for text in (entry["replace"], entry["by"])
    )
    if len(replace) != len(by):
        raise ValueError(f"'{entry['name']}' replaces {len(replace)} texts by {len(by)}")
    told = (
        (entry["caught_by"], entry["saying"], tuple(entry.get("also", ())))
        if kind == "mistake"
        else ()
    )
    return Patch(kata, entry["name"], tuple(replace), tuple(by), *told)


def _shown(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()
