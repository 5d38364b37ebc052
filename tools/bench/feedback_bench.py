"""How soon a learner has the answer: from a saved file to the verdict in watch mode, beside a cold
pytest of the same kata.

The two take turns, so that whatever else the machine does is in both. Medians count.
"""

import contextlib
import os
import queue
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import bench
from dojo import ROOT, console
from dojo.catalog import Catalog, Kata
from dojo.check.watch.model import Model, Quit
from dojo.check.watch.session import Session
from dojo.check.watch.terminal import Terminal
from dojo.results import Outcome

MOST_OVERHEAD, LEAST_RATIO = 0.1, 8.0
SECONDS_TO_ANSWER = 300


@dataclass(frozen=True)
class Pair(bench.Times):
    """Seconds of one kata: a cold pytest, a save to the verdict, of these the tests' own; and the
    first save after others.
    """

    kata: str
    cold: float
    warm: float
    tests: float
    first: float

    @property
    def overhead(self) -> float:
        return self.warm - self.tests

    @property
    def ratio(self) -> float:
        return self.cold / self.warm


class Watched(Terminal):
    """A watch session on a folder, with frames drawn and shown to nobody."""

    def __init__(self, known: Catalog, folder: Path) -> None:
        self._folder = folder
        self._frames: queue.Queue[tuple[float, Model]] = queue.Queue()
        # As if all were over: otherwise the session checks all katas once more when the last one
        # passes.
        passed = {kata.name: frozenset(task.name for task in kata.tasks) for kata in known.katas}
        model = Model(known, False, known.katas[0].name, passed, is_over=True)
        self._session = Session(model, folder, "auto", console.screen(), self)

    @staticmethod
    def size() -> tuple[int, int]:
        return 100, 40

    def show(self, lines: Sequence[str]) -> None:
        self._frames.put((time.monotonic(), self._session.model))

    def run(self) -> None:
        self._session.run()

    def end(self) -> None:
        self._session.put(Quit(0))

    def verdict(self, number: int) -> tuple[float, Model]:
        """When the verdict of this run or a later one was on the screen, and the model then."""
        while True:
            when, model = self._frames.get(timeout=SECONDS_TO_ANSWER)
            if model.run is None and model.number >= number:
                return when, model

    def save(self, kata: Kata) -> tuple[float, float]:
        """Save a kata's file unchanged: seconds until its verdict was shown, and the tests' own."""
        path = self._folder / f"{kata.name}.py"
        text, number = path.read_bytes(), self._session.model.number + 1
        begin = time.monotonic()
        path.write_bytes(text)
        when, model = self.verdict(number)
        result = model.result
        if model.current != kata.name or result is None or result.outcome != Outcome.PASSED:
            raise SystemExit(f"{kata.name} does not pass, so there is nothing to time: {result}")
        return when - begin, sum(test.seconds for task in result.tasks for test in task.tests)


@contextlib.contextmanager
def watched(known: Catalog) -> Iterator[tuple[Watched, Path]]:
    """A session on a copy of the references, warm."""
    with tempfile.TemporaryDirectory(prefix="torch-katas-") as name:
        folder = Path(name).resolve()
        for kata in known.katas:
            shutil.copy(ROOT / "reference" / f"{kata.name}.py", folder)
        session = Watched(known, folder)
        thread = threading.Thread(target=session.run)
        thread.start()
        try:
            session.verdict(1)
            yield session, folder
        finally:
            session.end()
            thread.join()


def cold(kata: Kata, folder: Path) -> float:
    """Seconds of a pytest of its own."""
    begin = time.monotonic()
    pytest = [sys.executable, "-m", "pytest", "-q", "--target", str(folder)]
    command = [*pytest, f"tests/test_{kata.name}.py"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", check=False)
    seconds = time.monotonic() - begin
    if done.returncode != 0:
        raise SystemExit(f"{done.stdout}\n{kata.name} does not pass, so there is nothing to time.")
    return seconds


def take(known: Catalog, katas: Sequence[Kata], repeat: int) -> Iterator[Pair]:
    with watched(known) as (session, folder):
        for kata in katas:
            # from here on a child stands ready, as for a learner who stays with a kata
            first, _ = session.save(kata)
            for _ in range(repeat):
                alone = cold(kata, folder)
                yield Pair(kata.name, alone, *session.save(kata), first)


def report(pairs: Sequence[Pair]) -> str:
    """A line for each kata, and what was promised beside what was reached."""
    title = f"{'kata':<28} {'cold':>8} {'warm':>8} {'tests':>8} {'overhead':>9} {'ratio':>6}"
    lines = [f"{title} {'first save':>11}"]
    for pair in bench.medians(pairs):
        times = " ".join(f"{seconds:6.2f} s" for seconds in (pair.cold, pair.warm, pair.tests))
        share = f"{1000 * pair.overhead:6.0f} ms {pair.ratio:6.1f}"
        lines.append(f"{pair.kata:<28} {times} {share} {pair.first:9.2f} s")
    overhead = statistics.median(pair.overhead for pair in pairs)
    ratio = statistics.median(pair.ratio for pair in pairs)
    most = f"promised {1000 * MOST_OVERHEAD:.0f} ms at most"
    promises = {
        f"median overhead {1000 * overhead:.0f} ms, {most}": overhead <= MOST_OVERHEAD,
        f"median ratio {ratio:.1f}, promised {LEAST_RATIO:g} at least": ratio >= LEAST_RATIO,
    }
    for text, is_kept in promises.items():
        lines.append(f"{'kept:    ' if is_kept else 'NOT KEPT:'} {text} ({len(pairs)} pairs)")
    return "\n".join(lines)


def main() -> None:
    """Run the command line."""
    options = bench.parser("feedback", __doc__, 5, "how many pairs a kata").parse_args()
    known, katas = bench.find(options.kata)
    os.chdir(ROOT)
    pairs = list(take(known, katas, max(options.repeat, 1)))
    print(bench.as_json(pairs) if options.json else report(pairs))
