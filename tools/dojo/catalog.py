"""The stages, katas and tasks, read from katas/catalog.toml."""

import difflib
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from dojo import ROOT, UserError

CATALOG = ROOT / "katas" / "catalog.toml"
DIFFICULTIES = ("easy", "medium", "hard")


class CatalogError(UserError):
    """The catalog can't be used; the message says what to do."""


class UnknownKata(UserError):
    """No kata has that name; the message names the nearest."""


@dataclass(frozen=True)
class Task:
    """One thing to implement inside a kata."""

    name: str
    points: int
    hints: tuple[str, ...]
    chose: str = ""  # what the reference chose here, and why


@dataclass(frozen=True)
class Kata:
    """One module of the curriculum."""

    name: str  # "k06_logistic_regression"
    title: str
    stage: int
    difficulty: str  # one of DIFFICULTIES
    minutes: int
    learned: str
    tasks: tuple[Task, ...]
    why: str = ""  # it comes where it does

    @property
    def short(self) -> str:
        return self.name.partition("_")[0]

    @property
    def effort(self) -> str:
        return f"{self.difficulty}, {self.minutes} min"

    def reference_text(self) -> str:
        """The text of its reference. Raises OSError if it can't be read."""
        return (ROOT / "reference" / f"{self.name}.py").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Stage:
    number: int
    title: str
    katas: tuple[Kata, ...]
    able: str = ""  # what one who has done its katas can do; goes on after "You can"


@dataclass(frozen=True)
class Catalog:
    stages: tuple[Stage, ...]
    ways_on: tuple[str, ...] = ()  # where to go after the last kata

    @property
    def katas(self) -> tuple[Kata, ...]:
        return tuple(kata for stage in self.stages for kata in stage.katas)

    def only(self, katas: Sequence[Kata]) -> "Catalog":
        """The same catalog with no other katas than these."""
        return replace(
            self,
            stages=tuple(
                replace(stage, katas=tuple(kata for kata in stage.katas if kata in katas))
                for stage in self.stages
            ),
        )

    def find(self, name: str) -> Kata:
        """The kata meant by a number ("6", "k06"), a name or a part of a name, its tests' included.

        Raises UnknownKata if none or several fit; the message names those that are near.
        """
        text = name.strip().lower().removesuffix(".py").rpartition("/")[2].replace("-", "_")
        text = text.removeprefix("test_") or text
        number = text.removeprefix("k")
        if number.isdigit():
            text = f"k{int(number):02d}"
        exact = [kata for kata in self.katas if text in (kata.name, kata.short, kata.title.lower())]
        fitting = exact or [kata for kata in self.katas if text and text in kata.name]
        if len(fitting) == 1:
            return fitting[0]
        if fitting:
            names = ", ".join(kata.name for kata in fitting)
            example = fitting[0].short
            raise UnknownKata(
                f"'{name}' fits several katas: {names}. Say which, for example {example}."
            )
        words = {word: kata for kata in reversed(self.katas) for word in _words(kata)}
        near = difflib.get_close_matches(text, words, n=1, cutoff=0.55)
        nearest = f" The nearest is {words[near[0]].name}." if near else ""
        raise UnknownKata(
            f"There is no kata '{name}'.{nearest} `python tools/check list` shows them all."
        )


def _words(kata: Kata) -> tuple[str, ...]:
    """Everything that a learner may call the kata."""
    bare = kata.name[4:]
    return kata.name, kata.short, bare, kata.title.lower(), *bare.split("_")


def load(path: Path = CATALOG) -> Catalog:
    """Read the catalog. Raises CatalogError if it is missing, unreadable or lists no katas."""
    remedy = "bring it back with `git checkout katas/catalog.toml`"
    try:
        document = _parsed(path.read_text(encoding="utf-8"))
        stages = tuple(_stage(stage) for stage in document.get("stage", []))
        catalog = Catalog(stages, tuple(document.get("ways_on", ())))
    except FileNotFoundError:
        raise CatalogError(f"{path} is missing: {remedy}.") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise CatalogError(f"{path} can't be read ({error}): {remedy}.") from None
    except (KeyError, TypeError, AttributeError) as error:
        problem = f"has an entry that is not complete ({error!r})"
        raise CatalogError(f"{path} {problem}: {remedy}.") from None
    if not catalog.katas:
        raise CatalogError(f"{path} lists no katas: {remedy}.")
    return catalog


# a run of tests asks for it several times, and it is long
_parsed = lru_cache(maxsize=2)(tomllib.loads)


def _stage(entry: dict[str, Any]) -> Stage:
    katas = tuple(_kata(kata, entry["number"]) for kata in entry.get("kata", []))
    return Stage(entry["number"], entry["title"], katas, entry.get("able", ""))


def _kata(entry: dict[str, Any], stage: int) -> Kata:
    tasks = tuple(
        Task(name, task["points"], tuple(task["hints"]), task.get("chose", ""))
        for name, task in entry["task"].items()
    )
    name, difficulty = entry["name"], entry["difficulty"]
    if difficulty not in DIFFICULTIES:
        choices = " or ".join(map(repr, DIFFICULTIES))
        problem = f"katas/catalog.toml gives {name} the difficulty {difficulty!r}"
        raise CatalogError(f"{problem}: write {choices}.")
    minutes, learned = entry["minutes"], entry["learned"]
    why = entry.get("why", "")
    return Kata(name, entry["title"], stage, difficulty, minutes, learned, tasks, why)
