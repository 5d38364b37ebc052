"""Threads that judge submissions, each with a judge of its own. A judge that fails harms one record
at most, and no other.
"""

import contextlib
import queue
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from types import TracebackType
from typing import Protocol, Self

from dojo import UserError
from dojo.grade.assignment import Assignment
from dojo.grade.records import Record, Status, Submission, record_of, unjudged
from dojo.grade.text import line

ATTEMPTS_A_SUBMISSION = 2  # each by a judge of its own: the first may have been at fault
SECONDS_TO_STOP = 2  # for all threads together


class CannotGrade(UserError):
    """No submission can be judged; the message says what to do."""


class AnyJudge(Protocol):
    """Judges one submission at a time."""

    def judge(self, submission: Submission) -> Record:
        """The record of a submission. Whatever it raises is our fault, not the submission's."""

    def stop(self) -> None:
        """Called by another thread: make judge() end soon, in any way."""


# entering either may raise CannotGrade, which ends the run
NewJudge = Callable[[], AbstractContextManager[AnyJudge]]
Judging = AbstractContextManager[NewJudge]


class JudgePool:
    """A pool of judging threads (context manager). If the block raises, they are stopped and
    unfinished work is discarded.

    Args:
        judging: gives what makes a judge; not entered before there is something to judge.
        isolated: True if the judges run submissions in a sandbox.
        on_stop: called after Ctrl-C, before anything is waited for.
    """

    def __init__(
        self,
        judging: Judging,
        jobs: int,
        assignment: Assignment,
        isolated: bool = True,
        on_stop: Callable[[], None] = lambda: None,
    ) -> None:
        self._judging, self._assignment, self._isolated = judging, assignment, isolated
        self._on_stop = on_stop
        self._stack = ExitStack()
        self._new_judge: NewJudge | None = None
        self._todo: queue.Queue[Submission | None] = queue.Queue()
        self._done: queue.Queue[tuple[Submission, Record] | CannotGrade] = queue.Queue()
        self._stopped = threading.Event()
        self._at_work: set[AnyJudge] = set()
        # Daemons: a judge that hangs does not keep the process from ending.
        self._threads = [
            threading.Thread(target=self._work, daemon=True, name=f"judge {n}") for n in range(jobs)
        ]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if isinstance(error, KeyboardInterrupt):
            self._on_stop()
        if error is not None:
            self._stopped.set()
            for judge in list(self._at_work):
                with contextlib.suppress(Exception):
                    judge.stop()
        self._stack.__exit__(kind, error, traceback)

    def _end(self) -> None:
        for _ in self._threads:
            self._todo.put(None)
        end = time.monotonic() + SECONDS_TO_STOP
        for thread in self._threads:
            thread.join(max(end - time.monotonic(), 0))

    def put(self, submission: Submission) -> None:
        """Have a submission judged.

        Raises:
            CannotGrade: there are no judges to be had.
        """
        if self._new_judge is None:
            self._new_judge = self._stack.enter_context(self._judging)
            self._stack.callback(self._end)
            for thread in self._threads:
                thread.start()
        self._todo.put(submission)

    def get(self, wait: bool = True) -> tuple[Submission, Record] | None:
        """A submission that has been judged, and its record; None if there is none yet.

        Args:
            wait: wait until there is one.

        Raises:
            CannotGrade: there are no judges to be had.
        """
        while True:
            try:
                done = self._done.get(timeout=1) if wait else self._done.get_nowait()
            except queue.Empty:  # on Windows, Ctrl-C does not interrupt a wait without end
                if not wait:
                    return None
                continue
            if isinstance(done, CannotGrade):
                raise done
            return done

    def _work(self) -> None:
        try:
            while (submission := self._todo.get()) is not None and not self._stopped.is_set():
                self._done.put((submission, self._record(submission)))
        except CannotGrade as problem:
            self._done.put(problem)
        except BaseException as error:  # a thread that ends in silence would be waited for forever
            text = f"The judge could not be started or ended ({_in_a_line(error)})."
            self._done.put(CannotGrade(text))

    def _record(self, submission: Submission) -> Record:
        assert self._new_judge
        failure = ""
        for _ in range(ATTEMPTS_A_SUBMISSION):
            with self._new_judge() as judge:
                self._at_work.add(judge)
                try:
                    if self._stopped.is_set():
                        break
                    return checked(judge.judge(submission), submission, self._assignment)
                except (Exception, SystemExit) as error:
                    failure = _in_a_line(error)
                finally:
                    self._at_work.discard(judge)
        reason = f"Judging failed {ATTEMPTS_A_SUBMISSION} times ({failure})."
        reason += " This is no fault of the submission: grade again."
        return unjudged(submission, self._assignment, Status.ERROR, reason, self._isolated)


def checked(record: Record, submission: Submission, assignment: Assignment) -> Record:
    """The record, as one of this submission.

    Raises:
        ValueError: its tasks are not exactly those of this assignment, each with its points.
    """
    judged = [(kata.name, task.name, task.possible) for kata in record.katas for task in kata.tasks]
    expected = [
        (kata.name, task.name, assignment.points_of(kata.name, task.name))
        for kata in assignment.katas
        for task in kata.tasks
    ]
    if judged != expected:
        raise ValueError("the record has other tasks than the assignment")
    return record_of(submission, record.katas, record.isolation, record.seconds)


def _in_a_line(error: BaseException) -> str:
    return line(f"{type(error).__name__}: {error}", most=300)
