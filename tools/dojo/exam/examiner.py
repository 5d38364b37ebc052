"""Puts a sheet to a submission in another process, and says of each task why its answers are not
right, or that they are.

Crash, silence, half a message, another message than was asked for: the task is not answered. The
tasks after it get a new process.
"""

import math
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from typing import Protocol

import numpy as np

from dojo.exam import wire
from dojo.exam.question import Question, load
from dojo.exam.sheet import Item, Sheet, text_of
from dojo.exam.values import Numbers
from dojo.processes.channel import Channel, TooLarge

SECONDS_TO_LOAD = 60.0
SECONDS_TO_CLOSE = 30.0
NO_ANSWER = "no answer within"
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
    """The candidate can't be asked anything more; the message says why, and is never empty."""


def examine(
    start: Callable[[], Candidate], sheet: Sheet, tasks: Collection[str], end: float = math.inf
) -> dict[str, str]:
    """Ask the questions of these tasks.

    Args:
        start: starts a process for the submission.
        end: the moment, by time.monotonic(), after which no answer is waited for.

    Raises:
        Fault: the process was lost through no fault of the submission.

    Returns:
        Task → why its answers are not right; an empty text where every question was answered, and
        rightly. A task without questions has no entry.
    """
    questions = {question.name: question for question in load(text_of(sheet.kata), sheet.kata)}
    waiting = [item for item in sheet.items if item.task in tasks]
    reasons = dict.fromkeys((item.task for item in waiting), "")
    unanswered = Counter(item.task for item in waiting)
    while waiting:
        candidate, item = start(), None
        conversation = _Conversation(candidate, sheet.kata, end)
        try:
            conversation.hand_over()
            while waiting:
                item = waiting.pop(0)
                if not reasons[item.task]:
                    reasons[item.task] = conversation.answer(item, questions[item.question])
                    unanswered[item.task] -= 1
            conversation.close()
        except _Lost as lost:
            if candidate.lost:
                raise Fault(str(lost)) from None
            if item is None:  # nothing can be asked of this file
                return {
                    task: reason or (str(lost) if unanswered[task] else "")
                    for task, reason in reasons.items()
                }
            reasons[item.task] = reasons[item.task] or str(lost)
        finally:
            candidate.close()
    return {
        task: reason or ("not every question was answered" if unanswered[task] else "")
        for task, reason in reasons.items()
    }


class _Conversation:
    """What is said to a candidate, and what it says. Every method raises _Lost where nothing, or
    nothing of use, came.
    """

    def __init__(self, candidate: Candidate, kata: str, end: float) -> None:
        self._candidate, self._kata, self._end = candidate, kata, end

    def hand_over(self) -> None:
        document, _ = self._exchange(
            SECONDS_TO_LOAD, {"kata": self._kata, "exam": text_of(self._kata)}
        )
        if document.get("ready") is not True:
            raise _Lost(
                f"the file could not be loaded: {document.get('problem') or 'no reason was given'}"
            )

    def answer(self, item: Item, question: Question) -> str:
        """Why this answer is not right; empty if it is."""
        asked = {"number": item.number, "question": item.question, "seed": item.seed}
        document, answers = self._exchange(question.seconds + SLACK, asked, drawn=item.drawn)
        if document.get("number") != item.number:
            raise _Lost(f"{item.question}: another message came than the answer that was asked for")
        if "problem" in document:
            return f"{item.question}: {document['problem']}"
        if _is_finite(item.right) and not _is_finite(answers):
            return (
                f"{item.question}: the answer holds a number that is not finite (NaN or infinity)"
            )
        return question.compare(answers, item.right, item.hidden)

    def close(self) -> None:
        document, _ = self._exchange(SECONDS_TO_CLOSE, {"end": True})
        if document.get("closed") is not True:
            raise _Lost("more was sent than was asked for")

    def _exchange(
        self, seconds: float, document: dict, **values: object
    ) -> tuple[dict, dict[str, object]]:
        """Send a message and receive one, both within the time."""
        begin, channel = time.monotonic(), self._candidate.channel
        end = min(begin + seconds, self._end)
        try:
            for part in wire.encode(document, **values):
                channel.send(part, _left(end))
            text = channel.receive(_left(end), wire.LARGEST_DOCUMENT)
            return wire.decode(text, channel.receive(_left(end), wire.LARGEST_BLOCK))
        except TimeoutError:
            if end < begin + seconds:
                raise _Lost(
                    "the time that a submission may take was used up before the exam was over"
                ) from None
            raise _Lost(f"{NO_ANSWER} {seconds:g} s") from None
        except TooLarge:
            raise _Lost("the reply was too large") from None
        except (EOFError, OSError):
            raise _Lost("the process ended instead of answering") from None
        except wire.Broken as broken:
            raise _Lost(str(broken)) from None


def _is_finite(value: object) -> bool:
    """Whether all numbers in an answer are finite, however deep they lie."""
    # an answer can name one large array ten thousand times
    found = {id(numbers): numbers for numbers in _floats(value)}
    return all(bool(np.isfinite(numbers).all()) for numbers in found.values())


def _floats(value: object) -> Iterator[np.ndarray | float]:
    match value:
        case Numbers():
            yield from [value.data] if value.data.dtype.kind in "fc" else []
        case float():
            yield value
        case dict():
            for one in value.values():
                yield from _floats(one)
        case list() | tuple():
            for one in value:
                yield from _floats(one)


def _left(end: float) -> float:
    return max(end - time.monotonic(), 0)
