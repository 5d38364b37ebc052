"""Puts a sheet to a submission in another process, and says of each task why its answers are not right, or that they are.

Crash, silence, half a message, another message than was asked for: the task is not answered. The tasks after it get a new
process.
"""

import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Protocol

from dojo.exam import wire
from dojo.exam.question import Question, load
from dojo.exam.sheet import Item, Sheet, text_of

SECONDS_TO_LOAD = 60.0
SECONDS_TO_CLOSE = 5.0
SLACK = 2.0  # seconds beside a question's own, for the way there and back


class Candidate(Protocol):
    """A process that runs `answering.main` on a submission."""

    connection: Connection

    def kill(self) -> None:
        """Stop it now, with all that it has started. May be called from another thread, and more than once."""

    def end(self) -> None:
        """Stop it, and give back what it had."""


class _Lost(Exception):
    """The candidate can't be asked anything more; the message says why."""


def examine(start: Callable[[], Candidate], sheet: Sheet, tasks: Collection[str]) -> dict[str, str]:
    """Ask the questions of these tasks.

    Args:
        start: starts a process for the submission.

    Returns:
        Task → why its answers are not right; an empty text where all are. A task without questions has no entry.
    """
    questions = {question.name: question for question in load(text_of(sheet.kata), sheet.kata)}
    waiting = [item for item in sheet.items if item.task in tasks]
    reasons = {item.task: "" for item in waiting}
    while waiting:
        candidate, item = start(), None
        try:
            _hand_over(candidate, sheet.kata)
            while waiting:
                item = waiting.pop(0)
                if not reasons[item.task]:
                    reasons[item.task] = _answer(candidate, item, questions[item.question])
            _close(candidate)
        except _Lost as lost:
            if item is None:  # nothing can be asked of this file
                return {task: reason or str(lost) for task, reason in reasons.items()}
            reasons[item.task] = reasons[item.task] or str(lost)
        finally:
            candidate.end()
    return reasons


def _hand_over(candidate: Candidate, kata: str) -> None:
    document, _ = _exchange(candidate, SECONDS_TO_LOAD, {"kata": kata, "exam": text_of(kata)})
    if document.get("ready") is not True:
        raise _Lost(str(document.get("problem", "the file could not be loaded")))


def _answer(candidate: Candidate, item: Item, question: Question) -> str:
    """Why this answer is not right; empty if it is.

    Raises:
        _Lost: there is none.
    """
    asked = {"number": item.number, "question": item.question, "seed": item.seed}
    document, answers = _exchange(candidate, question.seconds + SLACK, asked, drawn=item.drawn)
    if document.get("number") != item.number:
        raise _Lost(f"{item.question}: another message came than the answer that was asked for")
    if "problem" in document:
        return f"{item.question}: {document['problem']}"
    return question.judge(answers, item.right, item.hidden)


def _close(candidate: Candidate) -> None:
    document, _ = _exchange(candidate, SECONDS_TO_CLOSE, {"end": True})
    if document.get("closed") is not True:
        raise _Lost("more was sent than was asked for")


def _exchange(candidate: Candidate, seconds: float, document: dict, **values: object) -> tuple[dict, dict[str, object]]:
    """Send a message and receive one, both within the time.

    Raises:
        _Lost: there was no answer in time, or none of the agreed form.
    """
    with _clock(candidate, seconds) as is_late:
        try:
            wire.send(candidate.connection, document, **values)
            return wire.receive(candidate.connection)
        except (EOFError, OSError):
            if is_late():
                raise _Lost(f"no answer within {seconds:g} s") from None
            raise _Lost("the process ended instead of answering") from None
        except wire.Broken as broken:
            raise _Lost(str(broken)) from None


@contextmanager
def _clock(candidate: Candidate, seconds: float) -> Iterator[Callable[[], bool]]:
    """Kill the candidate when the time is up: half a message, or one that nobody takes, would block for ever."""
    late = threading.Event()

    def stop() -> None:
        late.set()
        candidate.kill()

    timer = threading.Timer(seconds, stop)
    timer.start()
    try:
        yield late.is_set
    finally:
        timer.cancel()
