"""The drawn exams of a grading run: a few sheets per kata, made when they are first needed, in trusted processes.

A submission's sheet is chosen by its content and the run's secret, so that nobody can choose it, and a run that is taken up
again asks the same.
"""

import hmac
import threading
from concurrent.futures import Future, ProcessPoolExecutor
from types import TracebackType

from dojo.exam import sheet
from dojo.exam.sheet import Sheet
from dojo.warm import forking

SHEETS = 8  # of each kata: more cost the reference's time, fewer make answers worth telling one another


class Sheets:
    """Context manager: the trusted processes run while it is open.

    Args:
        secret: of the gradebook; who knows it can work out all draws.
        jobs: how many references answer at a time.
    """

    def __init__(self, secret: bytes, jobs: int) -> None:
        self._secret, self._lock = secret, threading.Lock()
        self._pool = ProcessPoolExecutor(jobs, mp_context=forking.context(many=True))
        self._made: dict[tuple[str, int], Future[Sheet]] = {}

    def __enter__(self) -> "Sheets":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._pool.shutdown(cancel_futures=True)

    def of(self, kata: str, content: str) -> Sheet:
        """The sheet for a submission of this content.

        Raises:
            Exception: the exam or the reference is broken: our fault.
        """
        number = self._digest(f"which/{kata}/{content}")[0] % SHEETS
        with self._lock:
            if (kata, number) not in self._made:
                self._made[kata, number] = self._pool.submit(sheet.draw, kata, self._digest(f"sheet/{number}"))
            made = self._made[kata, number]
        return made.result()

    def _digest(self, text: str) -> bytes:
        return hmac.digest(self._secret, text.encode(), "sha256")
