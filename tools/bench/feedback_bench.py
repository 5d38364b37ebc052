"""How soon a learner has the answer: from a saved file to the verdict in watch mode, beside a cold
pytest of the same kata.

The two take turns, so that whatever else the machine does is in both. Medians count.
"""

import argparse
import contextlib
import json
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
from dataclasses import asdict, dataclass
from pathlib import Path

from dojo import ROOT, catalog, console
from dojo.catalog import Catalog, Kata
from dojo.check.watch.model import Model, Quit
from dojo.check.watch.session import Session
from dojo.check.watch.terminal import Terminal
from dojo.results import Outcome

MOST_OVERHEAD, LEAST_RATIO = 0.1, 8.0
SECONDS_TO_ANSWER = 300


@dataclass(frozen=True)
class Pair:
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
        """Save a kata's file as it is: seconds until its verdict was on the screen, and the tests'
        own.
        """
        path = self._folder / f"{kata.name}.py"
        text, number = path.read_bytes(), self._session.model.number + 1
        begin = time.monotonic()
        path.write_bytes(text)
        when, model = self.verdict(number)
        if model.current != kata.name or model.result.outcome != Outcome.PASSED:
            raise SystemExit(
                f"{kata.name} does not pass, so there is nothing to time: {model.result}"
            )
        return when - begin, sum(test.seconds for task in model.result.tasks for test in task.tests)


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
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "--target",
        str(folder),
        f"tests/test_{kata.name}.py",
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
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


def medians(pairs: Sequence[Pair]) -> list[Pair]:
    """Of each kata the pair with the median of each of its times."""
    by_kata: dict[str, list[Pair]] = {}
    for pair in pairs:
        by_kata.setdefault(pair.kata, []).append(pair)
    times = ("cold", "warm", "tests", "first")
    return [
        Pair(k, *(statistics.median(getattr(pair, t) for pair in own) for t in times))
        for k, own in by_kata.items()
    ]


def report(pairs: Sequence[Pair]) -> str:
    """A line for each kata, and what was promised beside what was reached."""
    lines = [
        f"{'kata':<28} {'cold':>8} {'warm':>8} {'tests':>8} {'overhead':>9} {'ratio':>6}"
        f" {'first save':>11}"
    ]
    for pair in medians(pairs):
        times = " ".join(f"{seconds:6.2f} s" for seconds in (pair.cold, pair.warm, pair.tests))
        lines.append(
            f"{pair.kata:<28} {times} {1000 * pair.overhead:6.0f} ms {pair.ratio:6.1f}"
            f" {pair.first:9.2f} s"
        )
    overhead, ratio = (
        statistics.median(getattr(pair, name) for pair in pairs) for name in ("overhead", "ratio")
    )
    for met, text in (
        (
            overhead <= MOST_OVERHEAD,
            (
                f"median overhead {1000 * overhead:.0f} ms, promised {1000 * MOST_OVERHEAD:.0f} ms"
                " at most"
            ),
        ),
        (ratio >= LEAST_RATIO, f"median ratio {ratio:.1f}, promised {LEAST_RATIO:g} at least"),
    ):
        lines.append(f"{'kept:    ' if met else 'NOT KEPT:'} {text} ({len(pairs)} pairs)")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python tools/bench/feedback", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("kata", nargs="*", help="only these katas, such as k06")
    parser.add_argument(
        "--repeat", type=int, default=5, metavar="N", help="how many pairs a kata (5)"
    )
    parser.add_argument("--json", action="store_true", help="every pair as JSON")
    options = parser.parse_args()
    try:
        known = catalog.load()
        katas = [known.find(wanted) for wanted in options.kata] or known.katas
    except (catalog.CatalogError, catalog.UnknownKata) as problem:
        raise SystemExit(str(problem)) from None
    os.chdir(ROOT)
    pairs = list(take(known, katas, max(options.repeat, 1)))
    print(json.dumps([asdict(pair) for pair in pairs], indent=1) if options.json else report(pairs))
