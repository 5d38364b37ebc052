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
from pathlib import Path
from typing import Any

import numpy as np
import torch

from dojo import limits
from dojo.exam import wire
from dojo.exam.draw import Repeated
from dojo.exam.question import Question, load
from dojo.processes.channel import Connection
from dojo.suite import leftovers, pretended

LONGEST_PROBLEM = 2000


class LeftChanged(Exception):
    """The kata's code left something of torch changed, for all code after it."""

    def __init__(self, what: str, answers: dict[str, object]) -> None:
        super().__init__(what)
        self.answers = answers


def main(connection: Connection, folder: str) -> None:
    """Answer what comes, until the end is asked for.

    Args:
        folder: where the kata's file lies.
    """
    begin = wire.receive(connection)
    assert isinstance(begin, wire.Begin)
    try:
        kata = load_kata(Path(folder) / f"{begin.kata}.py")
    except BaseException as error:  # sys.exit() while it is imported, too
        wire.send(connection, wire.Problem(_problem(error, "importing the file")))
        return
    questions = {question.name: question for question in load(begin.exam, begin.kata)}
    wire.send(connection, wire.Ready())
    while isinstance(asked := wire.receive(connection), wire.Ask):
        try:
            question, drawn = questions[asked.question], asked.values["drawn"]
            with limits.computing(question.seconds):
                answers = ask(question, kata, asked.seed, drawn)
            wire.send(connection, wire.Answer(asked.number, answers))
        except limits.TimeUp:
            late = f"it computed for {question.seconds:g} s and gave no answer"
            wire.send(connection, wire.Problem(late, asked.number))
        except BaseException as error:
            wire.send(connection, wire.Problem(_problem(error, "answering"), asked.number))
    wire.send(connection, wire.Closed())


def load_kata(path: Path) -> types.ModuleType:
    """Run a kata's file, as a module of its own that finds itself among the imported ones, as
    dataclasses have to.
    """
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec and spec.loader
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    pretended.a_gpu(path)
    spec.loader.exec_module(module)
    return module


def ask(
    question: Question, kata: types.ModuleType, seed: int, drawn: list[Any]
) -> dict[str, object]:
    """The answers to one question, from a known state of all random numbers."""
    seed_all(seed)
    before = leftovers.deciding()
    try:
        with contextlib.chdir(Path.cwd()):
            answers = question.ask(kata, Repeated(drawn))
    finally:
        changed = leftovers.left_changed(before)
        leftovers.put_back(before)
    if changed:
        raise LeftChanged(f"{changed.headline} {changed.seen}", answers)
    return answers


def seed_all(seed: int) -> None:
    """The same beginning for every question, whatever an earlier one has left behind."""
    torch.set_grad_enabled(True)
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def _problem(error: BaseException, doing: str) -> str:
    last = traceback.extract_tb(error.__traceback__)[-1:]
    where = f" (line {last[0].lineno} of {Path(last[0].filename).name})" if last else ""
    text = f"{doing} raised {type(error).__name__}: {error}{where}"[:LONGEST_PROBLEM]
    return text.encode(errors="replace").decode()  # without halves of surrogate pairs
