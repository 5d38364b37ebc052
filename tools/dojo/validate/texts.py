"""Texts for a reader: lessons that read easily, short sentences, the words of the field.

Prose is what is left of a text without these, so that no formula makes a lesson hard to read:

    the title of a lesson, and its last paragraph: tasks, what it builds on, sources
    lines of a lesson that begin with four blanks: formulas, tables, sketches, commands
    lines with more signs than words
    code within a line: what stands in backquotes, or has other signs than letters within it, such
    as model.eval() or (n, 1)

A sentence ends with . ? ! or : and with its paragraph. How easily prose reads is measured by
Flesch's formula, in which 60 is plain English; pyphen counts the syllables. words.toml has the
words.
"""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from statistics import fmean

from dojo import catalog
from dojo.catalog import Catalog
from dojo.validate import Finding, text_sources
from dojo.validate.text_sources import Text

MOST_LINES, MOST_COLUMNS = 30, 79  # of a lesson
LEAST_EASE = 60
MOST_WORDS = 30  # of a sentence
WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
END = re.compile(r"(?<=[.?!:])[\"')]*\s+")
ITEM = re.compile(r'^ *["\w, ]+:( |$)|^ *- ')  # an argument, a key, an entry of a list
SHOWN = 70  # characters of a quote


@dataclass(frozen=True)
class BadWord:
    """An entry of words.toml, where the fields are explained."""

    pattern: re.Pattern[str]
    better: str
    why: str
    catches: str
    allows: str


@cache
def bad_words() -> tuple[BadWord, ...]:
    """The word list."""
    entries = tomllib.loads(Path(__file__).with_name("words.toml").read_text("utf-8"))["word"]
    patterns = [entry.pop("pattern").replace(" ", r"[\s\\]+") for entry in entries]
    return tuple(
        BadWord(re.compile(pattern, re.IGNORECASE), **{"why": "", "allows": "", **entry})
        for pattern, entry in zip(patterns, entries, strict=True)
    )


def read_well(chosen: Catalog) -> Finding:
    """Lessons are short and easy to read, sentences short, and words those of the field; where
    only some katas are chosen, in their texts alone.
    """
    problems: list[str] = []
    number, eases, can_measure = 0, [], find_spec("pyphen") is not None
    for kata in chosen.katas:
        lesson, *others = [*text_sources.of_reference(kata.name), *text_sources.of_catalog(kata)]
        said = [lesson, *others, *text_sources.of_tests(kata.name)]
        number += len(said)
        problems += too_long(lesson)
        problems += [long for text in (prose(lesson), *others) for long in long_sentences(text)]
        problems += [wrong for text in said for wrong in wrong_words(text)]
        if can_measure:
            eases.append(reading_ease(prose(lesson).words))
            if eases[-1] < LEAST_EASE:
                fault = f"reading ease {eases[-1]:.0f}, under {LEAST_EASE}"
                problems.append(_finding(lesson, 0, f"{fault}: take shorter sentences and words"))
    if len(chosen.katas) == len(catalog.load().katas):
        shared = [*text_sources.of_all_katas()]
        number += len(shared)
        problems += [wrong for text in shared for wrong in wrong_words(text)]
    if not can_measure:
        note = "not checked how easily lessons read: pyphen is not installed beside this Python"
        return Finding(problems, f"{number} texts", [note], unchecked=True)
    return Finding(problems, f"{number} texts, reading ease from {min(eases):.0f}")


def too_long(lesson: Text) -> Iterator[str]:
    """Lines of a lesson that are too many, or too long."""
    lines = lesson.words.splitlines()
    if len(lines) > MOST_LINES:
        yield _finding(lesson, 0, f"the lesson has {len(lines)} lines: cut it to {MOST_LINES}")
    for number, line in enumerate(lines):
        if len(line) > MOST_COLUMNS:
            at = replace(lesson, line=lesson.line + number, words=line)
            yield _finding(at, 0, f"{len(line)} columns: break the line at {MOST_COLUMNS}")


def long_sentences(text: Text) -> Iterator[str]:
    """Sentences with too many words."""
    for start, sentence in sentences(text.words):
        if (number := len(words(sentence))) > MOST_WORDS:
            fault = f"a sentence of {number} words: cut it to {MOST_WORDS}, or make two of it"
            yield _finding(text, start, fault)


def wrong_words(text: Text) -> Iterator[str]:
    """Words of the list, and what to write instead."""
    for word in bad_words():
        for match in word.pattern.finditer(text.words):
            why = f" ({word.why})" if word.why else ""
            yield _finding(text, match.start(), f"for {match[0]!r} write {word.better}{why}")


def _finding(text: Text, start: int, fault: str) -> str:
    """A place in a text, a quote of what begins there, and what is wrong with it."""
    line = text.line + text.words.count("\n", 0, start)
    begin = max(text.words.rfind("\n", 0, start) + 1, start - SHOWN // 3)
    quote = " ".join(text.words[begin : begin + 2 * SHOWN].split())[:SHOWN]
    return f'{text.file}:{line}: "{quote}": {fault}'


def prose(lesson: Text) -> Text:
    """A lesson without its title, formulas and list of tasks: blanks stand for them, so that
    places stay what they are.
    """
    kept = re.sub(r"\A.*?\n\n|(?ms:^Tasks: .*)|(?m:^    .*)", _blank, lesson.words)
    return replace(lesson, words=kept)


def sentences(text: str) -> list[tuple[int, str]]:
    """The sentences of a text, and where each begins. An empty line and one of signs end a
    sentence, and an item begins one.
    """
    text = re.sub(r"`[^`]*`", lambda code: "`" * len(code[0]), text)
    found, start, place = [], 0, 0
    for line in text.splitlines(keepends=True):
        is_signs = 2 * len(words(line)) < len(line.split()) or not line.strip()
        if is_signs or ITEM.match(line):
            found.append((start, text[start:place]))
            start = place + len(line) * is_signs
        place += len(line)
    found.append((start, text[start:]))
    return [part for start, block in found for part in _ended(start, block)]


def _ended(start: int, block: str) -> Iterator[tuple[int, str]]:
    """The sentences of a block that begins at this place."""
    ends = [0, *(match.end() for match in END.finditer(block)), len(block)]
    for begin, end in zip(ends, ends[1:], strict=False):
        if words(block[begin:end]):
            yield start + begin, block[begin:end]


def words(text: str) -> list[str]:
    """The words of a text. What has other signs within it is code and no word."""
    bare = (part.strip(".,;:?!()[]{}\"'“”…*") for part in text.split())
    return [part for part in bare if WORD.fullmatch(part)]


def reading_ease(text: str) -> float:
    """Flesch's reading ease of prose: 100 is very easy, 60 plain, 0 very hard."""
    parts = [words(sentence) for _, sentence in sentences(text)]
    syllables = [_syllables(word) for part in parts for word in part]
    return 206.835 - 1.015 * fmean(map(len, parts)) - 84.6 * fmean(syllables)


def _syllables(word: str) -> int:
    from pyphen import Pyphen  # of the extra `linters`, which validate can do without

    return len(Pyphen(lang="en_US").positions(word.lower())) + 1


def _blank(match: re.Match[str]) -> str:
    return re.sub(r".", " ", match[0])
