"""The submission's side of an exam: loads the kata, asks, and sends what came out. It judges
nothing.

Whatever runs here can be altered by the code under test; the trusted side believes none of it but
the answers' values.
"""

import contextlib
import importlib.util
import random
import sys
import traceback
import types
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import torch

from dojo.exam import wire
from dojo.exam.draw import Repeated
from dojo.exam.question import Question, load

LONGEST_PROBLEM = 2000


def main(connection: Connection, folder: str) -> None:
    """Answer what comes, until the end is asked for.

    First comes {"kata", "exam"}: the kata's name and the text of its exam. Then questions,
    {"number", "question", "seed"} with what was drawn for them, each answered by its number and the
    answers, or by its number and a "problem". {"end"} is answered by {"closed"}.
    """
    document, _ = wire.receive(connection)
    try:
        kata = load_kata(Path(folder) / f"{document['kata']}.py")
    except BaseException as error:  # sys.exit() while it is imported, too
        wire.send(connection, {"problem": _problem(error, "importing the file")})
        return
    questions = {question.name: question for question in load(document["exam"], document["kata"])}
    wire.send(connection, {"ready": True})
    while True:
        document, values = wire.receive(connection)
        if document.get("end"):
            wire.send(connection, {"closed": True})
            return
        number = document["number"]
        try:
            answers = ask(questions[document["question"]], kata, document["seed"], values["drawn"])
            wire.send(connection, {"number": number}, **answers)
        except BaseException as error:
            wire.send(connection, {"number": number, "problem": _problem(error, "answering")})


def load_kata(path: Path) -> types.ModuleType:
    """Run a kata's file, as a module of its own that finds itself among the imported ones, as
    dataclasses have to.
    """
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def ask(question: Question, kata: types.ModuleType, seed: int, drawn: list) -> dict[str, object]:
    """The answers to one question, from a known state of all random numbers."""
    seed_all(seed)
    with contextlib.chdir(Path.cwd()):
        return question.ask(kata, Repeated(drawn))


def seed_all(seed: int) -> None:
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def _problem(error: BaseException, doing: str) -> str:
    last = traceback.extract_tb(error.__traceback__)[-1:]
    where = f" (line {last[0].lineno} of {Path(last[0].filename).name})" if last else ""
    return f"{doing} raised {type(error).__name__}: {error}{where}"[:LONGEST_PROBLEM]
