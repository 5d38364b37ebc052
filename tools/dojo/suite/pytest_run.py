"""One child process: runs pytest on katas and sends what happens as JSON events, one or more to a
message.

Events, in order for each kata: {"event": "collected", "tests": [...]}, then for each test "start"
and "result", with "loading" and "loaded" around the import of the learner's file, and at the end
{"event": "end", "code": pytest's exit code}. A kata without its "end" did not run to its end.
"""

import dataclasses
import gc
import json
import os
import sys
from multiprocessing.connection import Connection

import pytest

from dojo import ROOT
from dojo.results import Outcome, TestResult
from dojo.suite import plugin
from dojo.suite.unit import Unit

# Parts of pytest that put nothing into a verdict, and each take their share of the time between a
# save and its answer.
UNUSED = (
    "doctest",
    "faulthandler",
    "junitxml",
    "legacypath",
    "logging",
    "pastebin",
    "setuponly",
    "setupplan",
    "stepwise",
)
UNUSED += ("subtests", "unittest")


SOON_FOLLOWED = ("result", "loaded")


class Reporter:
    """The pytest plugin that sends the events of one unit."""

    def __init__(self, unit: Unit, connection: Connection, stand_ready: bool = False) -> None:
        self._unit, self._connection, self._stand_ready = unit, connection, stand_ready
        self._unsent: list[dict] = []

    def send(self, event: dict) -> None:
        """Send an event. One that is soon followed by another goes with that: each message may cost
        this process its turn.
        """
        self._unsent.append(event)
        if event["event"] not in SOON_FOLLOWED:
            # a learner's text may hold half a surrogate pair, which no file can
            text = json.dumps(self._unsent, ensure_ascii=False).encode(errors="replace")
            self._connection.send_bytes(text)
            self._unsent.clear()

    def pytest_collection_modifyitems(
        self, session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
    ) -> None:
        state = config.stash[plugin.SESSION]
        state.listener = self.send
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
        tests = []
        for item in items:
            fields = {"id": item.nodeid, "task": plugin.task_of(item)[0]}
            tests.append(
                fields | {"name": plugin.test_name(item), "device": plugin.device_of(item)}
            )
        self.send({"event": "collected", "tests": tests})
        items[:] = [item for item in items if item.nodeid not in self._unit.done]

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """All is read but the learner's file: a child that stands ready goes on when that is
        saved.
        """
        if self._stand_ready:
            for item in session.items:
                # pytest works it out when it is first asked for: better now than then
                item.location  # noqa: B018
            # or every collection during the tests looks through all that was made while they were
            # collected
            gc.freeze()
            try:
                self._connection.recv_bytes()
            except (EOFError, OSError):  # nobody needs it any more
                os._exit(0)

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self.send({"event": "start", "id": nodeid})

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if result := getattr(report, "kata_result", None):
            self.send(
                {"event": "result", "id": report.nodeid, "result": dataclasses.asdict(result)}
            )
        elif report.when == "teardown" and report.failed:
            broken = TestResult(
                report.nodeid,
                Outcome.ERROR,
                f"The suite itself failed after the test: {report.longrepr}",
            )
            self.send(
                {"event": "result", "id": report.nodeid, "result": dataclasses.asdict(broken)}
            )


def main(
    units: list[Unit], log: str | None, connection: Connection, stand_ready: bool = False
) -> None:
    """The child's whole life. What is printed goes to the log file.

    Args:
        log: where it lies; None where what is printed goes to the right place already.
        stand_ready: wait for a word on the connection before the first test.
    """
    if log is not None:
        _print_to(log)
    # only the plugins named here: faster, and the same everywhere
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    for unit in units:
        os.chdir(unit.at or ROOT)
        reporter = Reporter(unit, connection, stand_ready)
        code = pytest.main(arguments(unit), plugins=[reporter])
        sys.stdout.flush()
        reporter.send({"event": "end", "code": int(code)})
    connection.close()
    os._exit(0)  # nothing that a learner's file registered for the exit gets to run


def _print_to(log: str) -> None:
    try:
        descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    except (
        FileNotFoundError
    ):  # the parent was stopped while this child started, and has taken its folder away
        os._exit(1)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    sys.stdout = open(1, "w", encoding="utf-8", errors="replace", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", errors="replace", closefd=False)  # noqa: SIM115


def arguments(unit: Unit) -> list[str]:
    """The pytest command line for a unit."""
    # "=" and no space: pytest takes a value that stands alone for a folder of tests, and runs the
    # conftest.py in or above it.
    chosen = [
        str(ROOT / "tests" / f"test_{unit.kata}.py"),
        f"--target={unit.target}",
        "--device",
        unit.device,
    ]
    if unit.timeout:
        chosen += ["--timeout", str(unit.timeout)]
    if unit.only:
        chosen += ["-k", unit.only]
    if unit.stop:
        chosen.append("-x")
    if unit.drift:
        chosen.append("--drift")
    if unit.measure:
        chosen += ["--measure", f"{unit.measure[0]}:{unit.measure[1]}"]
    without = [part for name in UNUSED for part in ("-p", f"no:{name}")]
    return [
        "-p",
        "pytest_timeout",
        *without,
        "-q",
        "--capture=sys",
        "--rootdir",
        str(ROOT),
        "-c",
        str(ROOT / "pyproject.toml"),
        *chosen,
    ]
