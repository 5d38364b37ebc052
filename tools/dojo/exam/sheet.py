"""A drawn exam, on the trusted side: what is handed out, the reference's answers, what is hidden.
Also its trial on a solution of our own, in this very process: quick, for many draws.
"""

import hashlib
import tempfile
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dojo import ROOT, limits
from dojo.exam import values
from dojo.exam.answering import ask, load_kata, seed_all
from dojo.exam.draw import Drawing
from dojo.exam.question import Answers, Question, load


@dataclass(frozen=True, eq=False)
class Item:
    """One question with one draw.

    Attributes:
        seed: of the random numbers that the kata itself uses; the submission gets it.
        drawn: what is handed out.
        right: the reference's answers.
        hidden: what only the comparisons get.
    """

    question: str
    task: str
    number: int
    seed: int
    drawn: list[object]
    right: Answers
    hidden: Answers


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
    asked = [(question, time) for question in _questions(kata) for time in range(question.times)]
    items = []
    for number, (question, time) in enumerate(asked):
        digest = hashlib.sha256(secret + f"{kata}/{question.name}/{time}".encode()).digest()
        seed = int.from_bytes(hashlib.sha256(digest).digest()[:4])
        drawing = Drawing(np.random.default_rng(list(digest)))
        module = load_kata(reference / f"{kata}.py")
        seed_all(seed)
        right = plain(question.ask(module, drawing))
        hidden = plain(drawing.hidden_values)
        items.append(Item(question.name, question.task, number, seed, drawing.drawn, right, hidden))
    return Sheet(kata, tuple(items))


def _questions(kata: str) -> tuple[Question, ...]:
    return load(text_of(kata), kata)


def handed_out(item: Item) -> Any:
    """What was drawn, in the form in which a submission gets it."""
    return plain({"drawn": item.drawn})["drawn"]


def plain(answers: Answers) -> dict[str, Any]:
    """Answers in the form in which those of a submission arrive."""
    arrays: list[np.ndarray] = []
    packed = {name: values.pack(value, arrays) for name, value in answers.items()}
    return {name: values.unpack(value, arrays) for name, value in packed.items()}


def reasons(sheet: Sheet, source: str, tasks: Collection[str]) -> dict[str, str]:
    """Task → why a solution's answers are not right, or "", as `examiner.examine` reports it."""
    with tempfile.TemporaryDirectory(prefix="torch-katas-") as folder:
        path = Path(folder) / f"{sheet.kata}.py"
        path.write_text(source, encoding="utf-8")
        try:
            kata = load_kata(path)
        except Exception as error:
            problem = f"importing the file raised {type(error).__name__}"
            return {item.task: problem for item in sheet.items if item.task in tasks}

        def reason(question: Question, item: Item) -> str:
            try:
                if found := question.look_at(source):
                    return found
                with limits.computing(question.seconds):
                    answers = plain(ask(question, kata, item.seed, handed_out(item)))
                    return question.compare(answers, item.right, item.hidden)
            except limits.TimeUp:
                return f"no answer within {question.seconds:g} s of computing"
            except (Exception, SystemExit) as error:
                return f"answering raised {type(error).__name__}: {error}"

        return _per_task(sheet, tasks, reason)


def reasons_for_reference(sheet: Sheet, tasks: Collection[str]) -> dict[str, str]:
    """The same for the answers that the reference gave when the sheet was drawn."""
    return _per_task(
        sheet, tasks, lambda question, item: question.compare(item.right, item.right, item.hidden)
    )


def _per_task(
    sheet: Sheet, tasks: Collection[str], reason: Callable[[Question, Item], str]
) -> dict[str, str]:
    questions = {question.name: question for question in _questions(sheet.kata)}
    reasons: dict[str, str] = {}
    for item in sheet.items:
        if item.task in tasks and not reasons.get(item.task):
            reasons[item.task] = reason(questions[item.question], item)
    return reasons
