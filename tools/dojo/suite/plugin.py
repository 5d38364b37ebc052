"""The pytest plugin: outcomes, messages and limits, the same under plain `pytest` and under the
tools.

Every test of a kata ends as one TestResult, which travels on its report as `report.kata_result`.
The plugin only acts on items of tests/test_kNN_*.py; other tests in a session are left alone.
"""

import contextlib
import functools
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from dojo import ROOT, catalog, simulated
from dojo.diagnosis import Diagnosis
from dojo.plain import plain
from dojo.results import Outcome, TestResult
from dojo.stubs import open_regions, todo
from dojo.suite import feedback
from dojo.suite.loader import KataUnderTest, KataUnusable, Wrap, load, shown, source_of

MOST_OUTPUT = 200_000  # characters a test may print
SHOWN_OUTPUT = 2_000  # of them, how many a report keeps
LETTERS = {
    Outcome.PASSED: ".",
    Outcome.FAILED: "F",
    Outcome.NOT_STARTED: "-",
    Outcome.BLOCKED: "b",
    Outcome.SKIPPED: "s",
    Outcome.ERROR: "E",
}


class Blocked(Exception):
    """The test can't be judged: another task has to pass first, or the task has an endless loop.
    The text says which.
    """


class NotStarted(Exception):
    """The task's own region is still open: what it needs has not passed, or a test found nothing to
    judge there.
    """


class TooMuchOutput(Exception):
    """A test printed without end."""


class Session:
    """What the plugin knows while the tests run."""

    def __init__(self, target: Path) -> None:
        self.target = target
        self.loaded: dict[str, KataUnderTest | KataUnusable] = {}
        # (kata, task) → outcomes of its tests so far
        self.outcomes: dict[tuple[str, str], list[str]] = {}
        # (kata, task) → its test that ran into the time limit
        self.endless: dict[tuple[str, str], str] = {}
        self.listener: Callable[[dict], None] = lambda event: None
        # what the tests get in place of a kata's public names
        self.wrap: Wrap = lambda name, value: value

    def kata(self, name: str, time_limit: float | None) -> KataUnderTest:
        """The loaded kata; a file that can't be loaded is tried once and then raises the same each
        time.
        """
        if name not in self.loaded:
            path = self.target / f"{name}.py"
            self.listener({"event": "loading"})
            try:
                with limited_output():
                    self.loaded[name] = load(path, self.wrap)
            except KataUnusable as problem:
                self.loaded[name] = problem
            except KeyboardInterrupt:
                raise
            except (
                BaseException
            ) as error:  # sys.exit() too, and the time limit: whatever a learner's file may do
                wanted = "the file can be imported, and only defines things"
                why, lines = feedback.explain(
                    error, path, None, wanted, time_limit, feedback.LOOK_AT_VALUES
                )
                why = replace(why, headline=f"{shown(path)} can't be imported. {why.headline}")
                self.loaded[name] = KataUnusable(why, lines)
            self.listener({"event": "loaded"})
        if isinstance(found := self.loaded[name], KataUnusable):
            raise found
        return found


SESSION = pytest.StashKey[Session]()


def kata_name(item: pytest.Item) -> str | None:
    """'k06_logistic_regression' for a test of that kata, None for any other test."""
    return _kata_of(item.path)


@functools.cache  # every hook asks for it, several times a test
def _kata_of(path: Path) -> str | None:
    return (
        path.stem.removeprefix("test_")
        if path.stem.startswith("test_k") and path.parent == ROOT / "tests"
        else None
    )


def task_of(item: pytest.Item) -> tuple[str, str | None]:
    """The task of a test and the task it needs, from its mark."""
    mark = item.get_closest_marker("task")
    return (mark.args[0], mark.kwargs.get("needs")) if mark else ("", None)


def test_name(item: pytest.Item) -> str:
    """The test's name with its parameters, the device left out: that is a field of its own."""
    if "device" not in item.fixturenames:
        return item.name
    parameters = [str(value) for name, value in item.callspec.params.items() if name != "device"]
    return item.originalname + (f"[{'-'.join(parameters)}]" if parameters else "")


def device_of(item: pytest.Item) -> str:
    return item.callspec.params["device"] if "device" in item.fixturenames else "cpu"


def time_limit(config: pytest.Config) -> float | None:
    seconds = config.getoption("timeout", None) or config.getini("timeout")
    return float(seconds) if seconds else None


def pytest_configure(config: pytest.Config) -> None:
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    config.addinivalue_line(
        "markers", "task(name, needs=None): the task a test belongs to, and the task it builds on"
    )
    config.addinivalue_line("markers", "placement: the test is about which device things are on")
    try:
        stages = catalog.load().stages
    except catalog.CatalogError as problem:
        raise pytest.UsageError(str(problem)) from None
    for stage in stages:
        config.addinivalue_line("markers", f"stage{stage.number}: {stage.title}")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    stages = {kata.name: kata.stage for kata in catalog.load().katas}
    for item in items:
        if (stage := stages.get(kata_name(item))) is not None:
            item.add_marker(f"stage{stage}")


def pytest_collection_finish(session: pytest.Session) -> None:
    """The first optimizer of a process imports much of torch: better here than within the time
    limit of a test.
    """
    if not session.config.option.collectonly and any(kata_name(item) for item in session.items):
        torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)


def pytest_runtest_setup(item: pytest.Item) -> None:
    name, (task, needs) = kata_name(item), task_of(item)
    session = item.config.stash[SESSION]
    if endless := session.endless.get((name, task)):
        raise Blocked(f"'{task}' was not tried further: {endless} did not come to an end.")
    if name is None or needs is None:
        return
    outcomes = session.outcomes.get((name, needs), [])
    if all(outcome in (Outcome.PASSED, Outcome.SKIPPED) for outcome in outcomes):
        return
    if task in open_regions(source_of(session.kata(name, time_limit(item.config)))):
        raise NotStarted
    raise Blocked(f"'{task}' can't be judged before '{needs}' passes.")


# inside pytest's own capturing, which sets sys.stdout too
@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    if kata_name(item) is None:
        return (yield)
    with limited_output():
        return (yield)


@contextlib.contextmanager
def limited_output() -> Iterator[None]:
    """Stop code that prints without end, before it fills the memory or the disk."""
    stream, printed = sys.stdout, 0

    class Limited:
        def write(self, text: str) -> int:
            nonlocal printed
            printed += len(text)
            if printed > MOST_OUTPUT:
                raise TooMuchOutput(f"more than {MOST_OUTPUT:,} characters were printed")
            return stream.write(text)

        def __getattr__(self, name: str) -> object:
            return getattr(stream, name)

    sys.stdout = Limited()
    try:
        yield
    finally:
        sys.stdout = stream


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo
) -> Iterator[pytest.TestReport]:
    report = yield
    name = kata_name(item)
    if name is None:
        return report
    report.sections = [(title, text[-SHOWN_OUTPUT:]) for title, text in report.sections]
    if call.excinfo is None and call.when != "call":
        return report
    outcome, text, why = judge(item, call) if call.excinfo else (Outcome.PASSED, "", None)
    measured, drift = (
        tuple(value for key, value in item.user_properties if key == kind)
        for kind in ("measured", "drift")
    )
    seconds = round(call.duration, 4)
    report.kata_result = TestResult(
        test_name(item), outcome, text, seconds, device_of(item), measured, drift, why
    )
    item.config.stash[SESSION].outcomes.setdefault((name, task_of(item)[0]), []).append(outcome)
    if outcome == Outcome.SKIPPED:
        report.outcome, report.longrepr = "skipped", (*item.location[:2], f"Skipped: {text}")
    elif outcome != Outcome.PASSED:
        report.outcome = "failed"
        if not wants_whole_traceback(item.config) or outcome in (
            Outcome.NOT_STARTED,
            Outcome.BLOCKED,
        ):
            report.longrepr = plain(text, getattr(sys.__stdout__, "encoding", None) or "utf-8")
    return report


def judge(item: pytest.Item, call: pytest.CallInfo) -> tuple[str, str, Diagnosis | None]:
    """Outcome and message of a test that raised something, and the diagnosis of one that failed."""
    error, session = call.excinfo.value, item.config.stash[SESSION]
    name, (task, _) = kata_name(item), task_of(item)
    path, kata = session.target / f"{name}.py", session.loaded.get(name)
    if isinstance(error, KataUnusable):
        return Outcome.FAILED, str(error), feedback.bounded(error.diagnosis)
    if isinstance(error, Blocked):
        return Outcome.BLOCKED, str(error), None
    if device_of(item).partition(":")[0] == simulated.NAME and (limit := simulated.limit(error)):
        return Outcome.SKIPPED, limit, None
    source = source_of(kata) if isinstance(kata, KataUnderTest) else ""
    if isinstance(error, NotStarted):
        return (
            Outcome.NOT_STARTED,
            _waiting(task, path, open_regions(source).get(task, 1), source),
            None,
        )
    if isinstance(error, NotImplementedError) and feedback.ends_in(error.__traceback__, path):
        return *_open_region(error, task, path, source), None
    from_learner = any(feedback.learner_frames(error.__traceback__, path))
    if isinstance(error, pytest.skip.Exception) and not from_learner:
        return Outcome.SKIPPED, str(error), None
    if call.when != "call" and not from_learner and not _is_time_limit(error):
        return (
            Outcome.ERROR,
            f"The suite itself failed, which is not your fault: {type(error).__name__}: {error}",
            None,
        )
    if _is_time_limit(error):
        session.endless[name, task] = test_name(item)
    plain_name = item.originalname
    wording = plain_name.removeprefix("test_").replace("_", " ")
    known = kata if isinstance(kata, KataUnderTest) else None
    pointer = (
        f"Read {plain_name} in {shown(item.path)}: what does it give your code, and what does it"
        " ask for?"
    )
    why, lines = feedback.explain(error, path, known, wording, time_limit(item.config), pointer)
    return Outcome.FAILED, f"{why.text()}\n\n{lines}".rstrip(), why


def _open_region(error: NotImplementedError, task: str, path: Path, source: str) -> tuple[str, str]:
    """A test ended at a region nobody has filled: its own task's, or that of another task it builds
    on.
    """
    still_open = open_regions(source)
    raised = str(error.args[0]) if error.args else task
    if raised == task or task in still_open or raised not in still_open:
        line = (
            still_open.get(task) or list(feedback.learner_frames(error.__traceback__, path))[-1][0]
        )
        return Outcome.NOT_STARTED, _waiting(task, path, line, source)
    return (
        Outcome.BLOCKED,
        f"'{task}' needs '{raised}', which is not started: {shown(path)}:{still_open[raised]}",
    )


def _waiting(task: str, path: Path, line: int, source: str) -> str:
    wanted = todo(source, task)
    return f"{shown(path)}:{line} waits for you" + (f":\n  {wanted}" if wanted else ".")


def _is_time_limit(error: BaseException) -> bool:
    return isinstance(error, pytest.fail.Exception) and "Timeout" in str(error)


def wants_whole_traceback(config: pytest.Config) -> bool:
    return config.getoption("fulltrace", False) or config.getoption("tbstyle", "auto") in (
        "long",
        "short",
        "native",
    )


def pytest_report_teststatus(report: pytest.TestReport) -> tuple[str, str, str] | None:
    result = getattr(report, "kata_result", None)
    if result is None or result.outcome in (Outcome.PASSED, Outcome.SKIPPED):
        return None
    return result.outcome, LETTERS[result.outcome], result.outcome.upper()
