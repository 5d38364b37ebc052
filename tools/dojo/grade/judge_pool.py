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

from dojo.grade import unjudged
from dojo.grade.assignment import Assignment
from dojo.grade.records import Record, Status, Submission, record_of
from dojo.grade.text import line

ATTEMPTS = 2
SECONDS_TO_STOP = 2  # for all threads together


class CannotGrade(Exception):
    """No submission can be judged; the message is one sentence for the user, saying what to do."""


class Judge(Protocol):
    """Judges one submission at a time."""

    def judge(self, submission: Submission) -> Record:
        """The record of a submission. Whatever it raises is a fault of ours, not of the
        submission.
        """

    def stop(self) -> None:
        """Called by another thread: what is being judged is not wanted any more, and judge() is to
        end soon, in any way.
        """


Judges = Callable[[], AbstractContextManager[Judge]]
# entering it, or a judge, may raise CannotGrade, which ends the run
Court = AbstractContextManager[Judges]


class Workers:
    """The threads, as a context. Left by an error they are stopped, and what they were at is lost.

    Args:
        court: gives the judges; entered when there is something to judge, and not before.
        isolated: whether the judges run submissions in a sandbox.
        on_stop: called when Ctrl-C is heard, before anything is waited for.
    """

    def __init__(
        self,
        court: Court,
        jobs: int,
        assignment: Assignment,
        isolated: bool = True,
        on_stop: Callable[[], None] = lambda: None,
    ) -> None:
        self._court, self._assignment, self._isolated, self._on_stop = (
            court,
            assignment,
            isolated,
            on_stop,
        )
        self._stack, self._judges = ExitStack(), None
        self._todo: queue.Queue[Submission | None] = queue.Queue()
        self._done: queue.Queue[tuple[Submission, Record] | CannotGrade] = queue.Queue()
        self._stopped = threading.Event()
        self._at_work: set[Judge] = set()
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
        self._stack.__exit__(kind, error, traceback)

    def _end(
        self, kind: type | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is not None:
            self._stopped.set()
            for judge in list(self._at_work):
                with contextlib.suppress(Exception):
                    judge.stop()
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
        if self._judges is None:
            self._judges = self._stack.enter_context(self._court)
            self._stack.push(self._end)
            for thread in self._threads:
                thread.start()
        self._todo.put(submission)

    def get(self, wait: bool = True) -> tuple[Submission, Record] | None:
        """A submission that has been judged, and its record; None if there is none yet and nobody
        waits.

        Raises:
            CannotGrade: there are no judges to be had.
        """
        while True:
            try:
                found = self._done.get(timeout=1) if wait else self._done.get_nowait()
            except queue.Empty:  # on Windows a wait without end does not hear Ctrl-C
                if not wait:
                    return None
                continue
            if isinstance(found, CannotGrade):
                raise found
            return found

    def _work(self) -> None:
        try:
            with _Bench(self._judges, self._at_work) as bench:
                while (submission := self._todo.get()) is not None and not self._stopped.is_set():
                    self._done.put((submission, self._record(bench, submission)))
        except CannotGrade as problem:
            self._done.put(problem)
        except (
            BaseException
        ) as error:  # a thread that ends in silence would be waited for without end
            self._done.put(
                CannotGrade(f"The judge could not be started or ended ({_told(error)}).")
            )

    def _record(self, bench: "_Bench", submission: Submission) -> Record:
        failure = ""
        for _ in range(ATTEMPTS):
            judge = bench.judge()
            if self._stopped.is_set():
                break
            try:
                return checked(judge.judge(submission), submission, self._assignment)
            except (Exception, SystemExit) as error:
                failure = _told(error)
                bench.leave()  # whatever state it is in
        reason = (
            f"Judging failed {ATTEMPTS} times ({failure}). This is no fault of the submission:"
            " grade again."
        )
        return unjudged.record(submission, self._assignment, Status.ERROR, reason, self._isolated)


class _Bench:
    """Holds one judge, as a context: a new one after every failure."""

    def __init__(self, judges: Judges, at_work: set[Judge]) -> None:
        self._judges, self._at_work = judges, at_work
        self._stack, self._judge = ExitStack(), None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.leave()

    def judge(self) -> Judge:
        if self._judge is None:
            self._judge = self._stack.enter_context(self._judges())
            self._at_work.add(self._judge)
        return self._judge

    def leave(self) -> None:
        self._at_work.discard(self._judge)
        self._judge = None
        self._stack.close()


def checked(record: Record, submission: Submission, assignment: Assignment) -> Record:
    """The record, as one of this submission.

    Raises:
        ValueError: it does not speak of exactly the tasks of this assignment, each with its points.
    """
    judged = [(kata.name, task.name, task.possible) for kata in record.katas for task in kata.tasks]
    wanted = [
        (kata.name, task.name, assignment.points_of(kata.name, task.name))
        for kata in assignment.katas
        for task in kata.tasks
    ]
    if judged != wanted:
        raise ValueError("the record has other tasks than the assignment")
    return record_of(submission, record.katas, record.isolation, record.seconds)


def _told(error: BaseException) -> str:
    return line(f"{type(error).__name__}: {error}", most=300)
