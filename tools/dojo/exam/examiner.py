"""Puts a sheet to a submission in another process, and says of each task why its answers are not right, or that they are.

Crash, silence, half a message, another message than was asked for: the task is not answered. The tasks after it get a new
process.
"""

import time
from collections.abc import Callable, Collection
from typing import Protocol

from dojo.channel import Channel, TooLarge
from dojo.exam import wire
from dojo.exam.question import Question, load
from dojo.exam.sheet import Item, Sheet, text_of

SECONDS_TO_LOAD = 60.0
SECONDS_TO_CLOSE = 5.0
SLACK = 2.0  # seconds beside a question's own, for the way there and back


class Candidate(Protocol):
    """A process that runs `answering.main` on a submission."""

    channel: Channel

    @property
    def lost(self) -> bool:
        """Whether what it ran in is gone, through no fault of the submission."""

    def close(self) -> None:
        """Stop it, with all that it has started, and give back what it had."""


class Fault(Exception):
    """An examination that says nothing about the submission: what it ran in broke down."""


class _Lost(Exception):
    """The candidate can't be asked anything more; the message says why."""


def examine(start: Callable[[], Candidate], sheet: Sheet, tasks: Collection[str]) -> dict[str, str]:
    """Ask the questions of these tasks.

    Args:
        start: starts a process for the submission.

    Raises:
        Fault: the process was lost through no fault of the submission.

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
            if candidate.lost:
                raise Fault(str(lost)) from None
            if item is None:  # nothing can be asked of this file
                return {task: reason or str(lost) for task, reason in reasons.items()}
            reasons[item.task] = reasons[item.task] or str(lost)
        finally:
            candidate.close()
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
    end = time.monotonic() + seconds
    try:
        for part in wire.encode(document, **values):
            candidate.channel.send(part, _left(end))
        text = candidate.channel.receive(_left(end), wire.LARGEST_DOCUMENT)
        return wire.decode(text, candidate.channel.receive(_left(end), wire.LARGEST_BLOCK))
    except TimeoutError:
        raise _Lost(f"no answer within {seconds:g} s") from None
    except TooLarge:
        raise _Lost("the reply was too large") from None
    except (EOFError, OSError):
        raise _Lost("the process ended instead of answering") from None
    except wire.Broken as broken:
        raise _Lost(str(broken)) from None


def _left(end: float) -> float:
    return max(end - time.monotonic(), 0)
