"""What the reference suite costs: CPU seconds of every kata and test, and how much of it is
training.

The suite runs as often as asked, in this one process, on one thread. Of every test the median
counts.
"""

import contextlib
import io
import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, wraps
from typing import Any

import pytest
import torch

import bench
from dojo import ROOT
from dojo.suite.devices import TRAINERS
from dojo.suite.plugin import SESSION, kata_name

MOST_SECONDS_OF_SUITE, MOST_SECONDS_OF_KATA, MOST_SECONDS_OF_TEST = 25.0, 3.0, 2.0


@dataclass(frozen=True)
class Cost(bench.Times):
    """CPU seconds of one test, with its setup and teardown; and the part in which it trained."""

    kata: str
    test: str
    seconds: float
    training: float


class Clock:
    """The pytest plugin that takes the times."""

    def __init__(self) -> None:
        self.costs: list[Cost] = []
        self._training = 0.0
        self._inside = False

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        # a function stays the same object, however often a test asks for it
        timed = cache(self.timed)
        session.config.stash[SESSION].wrap = lambda name, value: (
            timed(value) if name in TRAINERS else value
        )

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self._training, begin = 0.0, time.process_time()
        result = yield
        seconds = time.process_time() - begin
        if name := kata_name(item):
            self.costs.append(Cost(name, item.nodeid.partition("::")[2], seconds, self._training))
        return result

    def timed(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, timed as training; one training inside another counts once."""

        @wraps(function)
        def timed(*args: object, **kwargs: object) -> object:
            if self._inside:
                return function(*args, **kwargs)
            self._inside, begin = True, time.process_time()
            try:
                return function(*args, **kwargs)
            finally:
                self._training += time.process_time() - begin
                self._inside = False

        return timed


def take(katas: Sequence[str], device: str) -> list[Cost]:
    """Run the references' tests once. Raises SystemExit if they fail: a failure has no price."""
    clock, printed = Clock(), io.StringIO()
    tests = [f"tests/test_{name}.py" for name in katas]
    options = ["--target", "reference", "--device", device, "-q", "--capture=sys"]
    with contextlib.redirect_stdout(printed):
        code = pytest.main([*tests, *options], plugins=[clock])
    if code != 0:
        fault = "The references do not pass, so there is nothing to time."
        raise SystemExit(f"{printed.getvalue()}\n{fault}")
    return clock.costs


def report(costs: Sequence[Cost], slowest: int) -> str:
    """The table of katas, the slowest tests, and what is over its limit."""
    lines = [f"{'kata':<28} {'tests':>5} {'CPU s':>7} {'training':>9}   slowest test"]
    for kata in dict.fromkeys(cost.kata for cost in costs):
        tests = [cost for cost in costs if cost.kata == kata]
        longest = max(tests, key=lambda cost: cost.seconds)
        name = longest.test.partition("::")[2] or longest.test
        lines.append(f"{kata:<28} {_sums(tests)}   {longest.seconds:.2f} s  {name}")
    lines += [f"{'all':<28} {_sums(costs)}", "", "The slowest tests:"]
    for cost in sorted(costs, key=lambda cost: -cost.seconds)[:slowest]:
        share = _share(cost.training, cost.seconds)
        lines.append(f"  {cost.seconds:6.2f} s  {share:>5} training  {cost.kata} {cost.test}")
    return "\n".join([*lines, "", *over_limit(costs)])


def over_limit(costs: Sequence[Cost]) -> list[str]:
    """What takes longer than it may, a line each; or that all is within."""
    katas: defaultdict[str, float] = defaultdict(float)
    for cost in costs:
        katas[cost.kata] += cost.seconds
    timed = [(MOST_SECONDS_OF_KATA, kata, seconds) for kata, seconds in katas.items()]
    timed += [(MOST_SECONDS_OF_TEST, f"{cost.kata} {cost.test}", cost.seconds) for cost in costs]
    over = [
        f"over {most:g} s: {name}, {seconds:.2f} s"
        for most, name, seconds in timed
        if seconds > most
    ]
    if (total := sum(katas.values())) > MOST_SECONDS_OF_SUITE:
        over.append(f"over {MOST_SECONDS_OF_SUITE:g} s: the whole suite, {total:.1f} s")
    within = (
        f"Within the limits: {MOST_SECONDS_OF_SUITE:g} s in all, {MOST_SECONDS_OF_KATA:g} s a"
        f" kata, {MOST_SECONDS_OF_TEST:g} s a test."
    )
    return over or [within]


def _sums(costs: Sequence[Cost]) -> str:
    seconds, training = sum(cost.seconds for cost in costs), sum(cost.training for cost in costs)
    return f"{len(costs):>5} {seconds:>7.2f} {_share(training, seconds):>9}"


def _share(part: float, whole: float) -> str:
    return f"{part / whole:.0%}" if whole else "-"


def main() -> None:
    """Run the command line."""
    parser = bench.parser("suite", __doc__, 3, "how often to run; medians are shown")
    parser.add_argument("--device", default="cpu", help="where the placement tests run (cpu)")
    text = "how many of the slowest tests to list (10)"
    parser.add_argument("--slowest", type=int, default=10, metavar="N", help=text)
    options = parser.parse_args()
    _, katas = bench.find(options.kata)
    os.chdir(ROOT)
    torch.set_num_threads(1)
    names = [kata.name for kata in katas]
    runs = [take(names, options.device) for _ in range(max(options.repeat, 1))]
    costs = bench.medians(cost for run in runs for cost in run)
    print(bench.as_json(costs) if options.json else report(costs, options.slowest))
