"""Asks a submission in another process the questions of a sheet: for each task, are its answers
right, and if not, why?

Crash, silence, half a message, another message than was asked for: the task is not answered. The
tasks after it get a new process.
"""

import math
import tempfile
import time
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from dojo.exam import wire
from dojo.exam.job import ExamJob
from dojo.exam.question import Question, load
from dojo.exam.sheet import Item, Sheet, text_of
from dojo.exam.values import Numbers, nodes
from dojo.exam.wire import Message, Reply
from dojo.processes.channel import Channel, TooLarge
from dojo.processes.worker import Lost, Process, Worker

SECONDS_TO_LOAD = 60.0
SECONDS_TO_CLOSE = 30.0
SECONDS_TO_DIE = 5.0
# times a question's seconds, by the clock: they are many times what an answer has to compute, and
# the child keeps them itself, unless the code under test has undone that
PATIENCE = 2
USED_UP = "the time that a submission may take was used up before the exam was over"
SLACK = 2.0  # seconds beside a question's own, for the way there and back


class Fault(Exception):
    """An examination that says nothing about the submission: what it ran in broke down."""


class Late(str):
    """A reason of ours alone: no answer came in time. The machine may have been busy."""


class _Ended(Exception):
    """The process can't be asked anything more; `reason` says why, and is never empty."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def examine(
    worker: Worker, source: bytes, sheet: Sheet, tasks: Collection[str], end: float = math.inf
) -> dict[str, str]:
    """Ask the questions of these tasks.

    Args:
        worker: starts the processes that answer.
        source: the submission's file.
        end: the moment, by time.monotonic(), after which no answer is waited for.

    Raises:
        Fault: a process was lost through no fault of the submission.

    Returns:
        Task → why its answers are not right; an empty text where every question was answered, and
        rightly. A task without questions has no entry.
    """
    questions = {question.name: question for question in load(text_of(sheet.kata), sheet.kata)}
    waiting = [item for item in sheet.items if item.task in tasks]
    reasons = dict.fromkeys((item.task for item in waiting), "")
    for each in waiting:
        reasons[each.task] = reasons[each.task] or questions[each.question].look_at(source)
    unanswered = Counter(item.task for item in waiting)
    while waiting:
        with _started(worker, sheet.kata, source) as process:
            conversation, item = _Conversation(process.channel, sheet.kata, end), None
            try:
                conversation.begin()
                while waiting:
                    item = waiting.pop(0)
                    if not reasons[item.task]:
                        reasons[item.task] = conversation.answer(item, questions[item.question])
                        unanswered[item.task] -= 1
                conversation.close()
            except _Ended as ended:
                _raise_if_lost(process, ended.reason)
                # without an item, nothing can be asked of this file
                for task in [item.task] if item else [task for task in reasons if unanswered[task]]:
                    reasons[task] = reasons[task] or ended.reason
                waiting = waiting if item else []
    return {
        task: reason or ("not every question was answered" if unanswered[task] else "")
        for task, reason in reasons.items()
    }


@contextmanager
def _started(worker: Worker, kata: str, source: bytes) -> Iterator[Process]:
    """A process that answers for this file."""
    with tempfile.TemporaryDirectory(prefix="torch-katas-", ignore_cleanup_errors=True) as scratch:
        folder, log = Path(scratch) / "submission", Path(scratch) / "log"
        folder.mkdir()
        (folder / f"{kata}.py").write_bytes(source)
        process = worker.start(ExamJob(kata, str(folder)), log)
        try:
            yield process
        finally:
            process.close()


def _raise_if_lost(process: Process, reason: str) -> None:
    process.kill()
    try:
        process.exit_code(SECONDS_TO_DIE)
    except Lost:
        raise Fault(reason) from None


class _Conversation:
    """Messages to a process and its replies. Methods raise _Ended where nothing of use came."""

    def __init__(self, channel: Channel, kata: str, end: float) -> None:
        self._channel, self._kata, self._end = channel, kata, end

    def begin(self) -> None:
        reply = self._exchange(SECONDS_TO_LOAD, wire.Begin(self._kata, text_of(self._kata)))
        if not isinstance(reply, wire.Ready):
            why = reply.text if isinstance(reply, wire.Problem) else ""
            raise _Ended(f"the file could not be loaded: {why or 'no reason was given'}")

    def answer(self, item: Item, question: Question) -> str:
        """Why this answer is not right; empty if it is."""
        name = item.question
        ask = wire.Ask(item.number, name, item.seed, {"drawn": item.drawn})
        reply = self._exchange(PATIENCE * question.seconds + SLACK, ask)
        if not isinstance(reply, wire.Answer | wire.Problem) or reply.number != item.number:
            raise _Ended(f"{name}: another message came than the answer that was asked for")
        if isinstance(reply, wire.Problem):
            return f"{name}: {reply.text}"
        if _is_finite(item.right) and not _is_finite(reply.values):
            return f"{name}: the answer holds a number that is not finite (NaN or infinity)"
        return question.compare(reply.values, item.right, item.hidden)

    def close(self) -> None:
        if not isinstance(self._exchange(SECONDS_TO_CLOSE, wire.End()), wire.Closed):
            raise _Ended("more was sent than was asked for")

    def _exchange(self, seconds: float, message: Message) -> Reply:
        """Send a message and receive the reply, both within the time."""
        begin = time.monotonic()
        end = min(begin + seconds, self._end)
        try:
            for part in wire.encode(message):
                self._channel.send(part, _until(end))
            text = self._channel.receive(_until(end), wire.LARGEST_DOCUMENT)
            return wire.decode(text, self._channel.receive(_until(end), wire.LARGEST_BLOCK))
        except TimeoutError:
            late = Late(f"no answer within {seconds:g} s")
            raise _Ended(USED_UP if end < begin + seconds else late) from None
        except TooLarge:
            raise _Ended("the reply was too large") from None
        except (EOFError, OSError):
            raise _Ended("the process ended instead of answering") from None
        except wire.Broken as broken:
            raise _Ended(str(broken)) from None


def _is_finite(value: object) -> bool:
    """True if all numbers in an answer are finite, however deep they lie."""
    # an answer can name one large array ten thousand times
    distinct = {id(node): node for node in nodes(value)}.values()
    arrays = [node.data for node in distinct if isinstance(node, Numbers)]
    floats = [node for node in distinct if isinstance(node, float)]
    return all(map(math.isfinite, floats)) and all(
        bool(np.isfinite(array).all()) for array in arrays if array.dtype.kind in "fc"
    )


def _until(end: float) -> float:
    return max(end - time.monotonic(), 0)
