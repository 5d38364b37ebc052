"""The trusted side's draw of an exam: what is handed out, what the reference answers, and what
stays hidden.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dojo import ROOT
from dojo.exam import values
from dojo.exam.answering import load_kata, seed_all
from dojo.exam.draw import Drawing
from dojo.exam.question import Question, load


@dataclass(frozen=True, eq=False)
class Item:
    """One question with one draw.

    Attributes:
        seed: of the random numbers that the kata itself uses; the submission gets it.
        drawn: what is handed out.
        right: the reference's answers.
        hidden: what only the judges get.
    """

    question: str
    task: str
    number: int
    seed: int
    drawn: list
    right: dict[str, object]
    hidden: dict[str, object]


@dataclass(frozen=True, eq=False)
class Sheet:
    """A kata's exam, drawn."""

    kata: str
    items: tuple[Item, ...]


def path_of(kata: str) -> Path:
    """The exam's file."""
    return ROOT / "reference" / "exams" / f"{kata}.py"


def text_of(kata: str) -> str:
    return path_of(kata).read_text(encoding="utf-8")


def draw(kata: str, secret: bytes, reference: Path = ROOT / "reference") -> Sheet:
    """Draw a kata's exam and let the reference answer it. The same secret gives the same sheet."""
    return Sheet(kata, tuple(_items(kata, secret, reference)))


def _items(kata: str, secret: bytes, reference: Path) -> Iterator[Item]:
    asked = [
        (question, time) for question in load(text_of(kata), kata) for time in range(question.times)
    ]
    for number, (question, time) in enumerate(asked):
        digest = hashlib.sha256(secret + f"{kata}/{question.name}/{time}".encode()).digest()
        drawing = Drawing(np.random.default_rng(list(digest)))
        seed = int.from_bytes(hashlib.sha256(digest).digest()[:4])
        yield _item(question, number, seed, drawing, load_kata(reference / f"{kata}.py"))


def _item(question: Question, number: int, seed: int, drawing: Drawing, kata: object) -> Item:
    seed_all(seed)
    right = plain(question.ask(kata, drawing))
    return Item(
        question.name, question.task, number, seed, drawing.drawn, right, plain(drawing.kept)
    )


def handed_out(item: Item) -> list:
    """What was drawn, in the form in which a submission gets it."""
    return plain({"drawn": item.drawn})["drawn"]


def plain(answers: dict[str, object]) -> dict[str, object]:
    """Answers in the form in which those of a submission arrive."""
    arrays: list[np.ndarray] = []
    packed = {name: values.pack(value, arrays) for name, value in answers.items()}
    return {name: values.unpack(value, arrays) for name, value in packed.items()}
