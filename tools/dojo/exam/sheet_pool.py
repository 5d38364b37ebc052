"""The drawn exams of a grading run: a few sheets per kata, made when they are first needed, in
trusted processes.

A submission's sheet is chosen by its content and the run's secret, so that nobody can choose it,
and a run that is taken up again asks the same.
"""

import hmac
import threading
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from typing import Self

from dojo.exam import sheet
from dojo.exam.sheet import Sheet
from dojo.processes import forking

PATIENCE = 600.0  # seconds; the slowest reference needs some five
# of each kata: more cost the reference's time, fewer make it worth handing answers on
SHEETS = 8


class Sheets:
    """Context manager: the trusted processes run while it is open.

    Args:
        secret: of the gradebook; all draws follow from it.
        jobs: how many references answer at a time.
        patience: seconds that a sheet may take; by then, the reference hangs.
    """

    def __init__(self, secret: bytes, jobs: int, patience: float = PATIENCE) -> None:
        self._secret, self._patience, self._lock = secret, patience, threading.Lock()
        self._jobs, self._is_over = jobs, False
        self._pool = forking.pool(jobs)
        self._sheets: dict[tuple[str, int], Future[Sheet]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _: object, error: BaseException | None, trace: object) -> None:
        self._is_over = True
        if error is None:
            self._pool.shutdown()
        else:
            forking.end(self._pool)

    def of(self, kata: str, content: str) -> Sheet:
        """The sheet for a submission of this content.

        Raises:
            Exception: the exam or the reference is broken, or hangs: our fault.
        """
        number = self._digest(f"which/{kata}/{content}")[0] % SHEETS
        with self._lock:
            if (kata, number) not in self._sheets:
                self._sheets[kata, number] = self._draw(kata, self._digest(f"sheet/{number}"))
            drawn = self._sheets[kata, number]
        try:
            return drawn.result(self._patience)
        except BaseException as fault:  # it may be a passing one: the next to ask tries again
            hangs = isinstance(fault, TimeoutError) and not drawn.done()
            with self._lock:
                if self._sheets.get((kata, number)) is drawn:
                    del self._sheets[kata, number]
                    if hangs:
                        forking.end_workers(self._pool)
                        self._pool = forking.pool(self._jobs)
            if hangs:
                reason = f"the reference of {kata} did not answer within {self._patience:g} s"
                raise TimeoutError(reason) from None
            raise

    def _draw(self, kata: str, seed: bytes) -> Future[Sheet]:
        try:
            return self._pool.submit(sheet.draw, kata, seed)
        except BrokenProcessPool:  # a process was killed, such as by a system without memory
            if self._is_over:
                raise
            self._pool.shutdown(wait=False)
            self._pool = forking.pool(self._jobs)
            return self._pool.submit(sheet.draw, kata, seed)

    def _digest(self, text: str) -> bytes:
        return hmac.digest(self._secret, text.encode(), "sha256")
