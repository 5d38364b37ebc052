"""One child process: runs pytest on katas, and sends what happens as events (see report.py)."""

import gc
import os
import sys
from collections.abc import Sequence

import msgspec
import pytest

from dojo import ROOT
from dojo.limits import PATIENCE
from dojo.processes.channel import Connection
from dojo.results import Outcome, TestResult
from dojo.suite import plugin, report
from dojo.suite.report import Event
from dojo.suite.unit import Unit

# Parts of pytest that put nothing into a verdict, and each take their share of the time between a
# save and its answer.
UNUSED = ["cacheprovider", "doctest", "faulthandler", "junitxml", "legacypath", "logging"]
UNUSED += ["pastebin", "setuponly", "setupplan", "stepwise", "subtests", "unittest"]


class Reporter:
    """The pytest plugin that sends the events of one unit."""

    def __init__(self, unit: Unit, connection: Connection, is_early: bool = False) -> None:
        self._unit, self._connection, self._is_early = unit, connection, is_early
        self._unsent: list[Event] = []

    def send(self, event: Event) -> None:
        """Send an event, or let it go with the next: a message may cost this process its turn."""
        self._unsent.append(event)
        if not isinstance(event, report.Result):
            self._connection.send_bytes(report.encode(self._unsent))
            self._unsent.clear()

    def pytest_collection_modifyitems(
        self, session: pytest.Session, config: pytest.Config, items: list[pytest.Function]
    ) -> None:
        state = config.stash[plugin.SESSION]
        state.listener, state.adds_needed = self.send, False
        for task, outcome in self._unit.done.values():
            state.outcomes.setdefault((self._unit.kata, task), []).append(outcome)
        named = [
            number
            for number, item in enumerate(items)
            if self._unit.until in (plugin.test_name(item), plugin.function_name(item))
        ]
        if named:
            items[:] = items[: named[-1] + 1]
        if self._unit.stop:
            items.sort(key=lambda item: "mark" in item.fixturenames)
        self.send(report.Collected(tuple(map(_test, items))))
        items[:] = [item for item in items if item.nodeid not in self._unit.done]

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """All is read but the learner's file: an early child goes on when that is saved."""
        if self._is_early:
            for item in session.items:
                item.location  # noqa: B018  (pytest works it out when first asked for)
            # or garbage collection during the tests looks through all that was made before them
            gc.freeze()
            try:
                self._connection.recv_bytes()
            except (EOFError, OSError):  # nobody needs it any more
                os._exit(0)

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self.send(report.TestStarted(nodeid))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if result := getattr(report, "kata_result", None):
            self._send_result(report.nodeid, result)
        elif report.when == "teardown" and report.failed:
            message = f"The suite itself failed after the test: {report.longrepr}"
            self._send_result(report.nodeid, TestResult(report.nodeid, Outcome.ERROR, message))

    def _send_result(self, test_id: str, result: TestResult) -> None:
        self.send(report.Result(test_id, msgspec.to_builtins(result)))


def _test(item: pytest.Item) -> report.Test:
    task, _ = plugin.task_of(item)
    return report.Test(item.nodeid, task, plugin.test_name(item), plugin.device_of(item))


def main(units: Sequence[Unit], connection: Connection, is_early: bool = False) -> None:
    """Judge these units.

    Args:
        is_early: wait for a word on the connection before the first test.
    """
    # only the plugins named here: faster, and the same everywhere
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    for unit in units:
        os.chdir(unit.at or ROOT)
        reporter = Reporter(unit, connection, is_early)
        code = pytest.main(arguments(unit), plugins=[reporter])
        sys.stdout.flush()
        reporter.send(report.UnitEnded(int(code)))


def arguments(unit: Unit) -> list[str]:
    """The pytest command line for a unit."""
    # "=" and no space: pytest takes a value that stands alone for a folder of tests, and runs the
    # conftest.py in or above it.
    tests = ROOT / "tests" / f"test_{unit.kata}.py"
    chosen = [str(tests), f"--target={unit.target}", "--device", unit.device]
    if unit.timeout:
        chosen += ["--computing-time", str(unit.timeout)]
        chosen += ["--timeout", str(PATIENCE * unit.timeout)]
    if unit.only:
        chosen += ["-k", unit.only]
    if unit.stop:
        chosen.append("-x")
    if unit.drift:
        chosen.append("--drift")
    if unit.spoiled:
        chosen.append("--spoiled")
    if unit.measure:
        chosen += ["--measure", f"{unit.measure[0]}:{unit.measure[1]}"]
    without = [part for name in UNUSED for part in ("-p", f"no:{name}")]
    settings = ["--rootdir", str(ROOT), "-c", str(ROOT / "pyproject.toml")]
    return ["-p", "pytest_timeout", *without, "-q", "--capture=sys", *settings, *chosen]
