"""The pytest plugin: outcomes, messages and limits, the same under plain `pytest` and under the
tools.

Every test of a kata ends as one TestResult, which travels on its report as `report.kata_result`.
The plugin only acts on items of tests/test_kNN_*.py; other tests in a session are left alone.
"""

import contextlib
import functools
import importlib
import os
import sys
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch

from dojo import ROOT, catalog, limits, simulated
from dojo.diagnosis import Diagnosis
from dojo.plain import plain
from dojo.results import Outcome, TestResult, decoded
from dojo.stubs import is_begun, open_regions, todo
from dojo.suite import feedback, leftovers, pretended, untouched
from dojo.suite.feedback import LOOK_AT_VALUES
from dojo.suite.leftovers import Leftovers
from dojo.suite.loader import (
    Explained,
    KataUnderTest,
    KataUnusable,
    Wrap,
    forget,
    load,
    shown,
    source_of,
    unchanged,
)
from dojo.suite.printed import excerpt
from dojo.suite.report import Event, Loaded, Loading

MOST_OUTPUT = 200_000  # characters a test may print
SHOWN_OUTPUT = 2_000  # of them, how many a report keeps
NOTED = ("measured", "drift")  # what tests keep in user_properties
CAPTURED = "Captured std"  # pytest's titles of what was printed
CHANGED = "Changed for the whole process"
LETTERS = dict(zip(Outcome, ".F-bsE", strict=True))


class Blocked(Exception):
    """The test can't be judged before another task passes, or after an endless loop."""


class NotStarted(Exception):
    """The task's own region is still open, or a test found nothing to judge there."""


class TooMuchOutput(Exception):
    """A test printed without end."""


@dataclass
class RunState:
    """The plugin's state while the tests run.

    Attributes:
        target: the folder with the katas under test.
        outcomes: (kata, task) → outcomes of its tests so far.
        endless: (kata, task) → its test that ran into the time limit.
        listener: gets an event before and after a kata's file is loaded.
        wrap: gives the tests something in place of a kata's public names.
        adds_needed: the tests of a task run if one that needs it does, whichever were chosen.
        is_last: the running test is the last of its kata in a row.
        changed: what the import of a file has changed for the whole process, in words.
    """

    target: Path
    loaded: dict[str, KataUnderTest | KataUnusable] = field(default_factory=dict)
    outcomes: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    endless: dict[tuple[str, str], str] = field(default_factory=dict)
    listener: Callable[[Event], None] = lambda event: None
    wrap: Wrap = unchanged
    leftovers: Leftovers = field(default_factory=Leftovers)
    adds_needed: bool = True
    is_last: bool = True
    changed: list[str] = field(default_factory=list)

    def kata(self, name: str, limit: float | None) -> KataUnderTest:
        """The loaded kata. A file that can't be loaded raises the same each time."""
        if name not in self.loaded:
            self.listener(Loading())
            self.loaded[name] = self._load(self.target / f"{name}.py", limit)
            self.listener(Loaded())
        kata = self.loaded[name]
        if isinstance(kata, KataUnusable):
            raise kata
        return kata

    def _load(self, path: Path, limit: float | None) -> KataUnderTest | KataUnusable:
        try:
            with self.leftovers.importing(path, self.changed), limited_output():
                pretended.a_gpu(path)
                with limits.computing(limit):
                    return load(path, self.wrap)
        except KataUnusable as problem:
            return problem
        except KeyboardInterrupt:
            raise
        # sys.exit() too, and the time limit: whatever a learner's file may do
        except BaseException as error:
            expected, pointer = "the file can be imported, and only defines things", LOOK_AT_VALUES
            why, lines = feedback.explain(error, path, None, expected, limit, pointer)
            headline = f"{shown(path)} can't be imported. {why.headline}"
            return KataUnusable(replace(why, headline=headline), lines, feedback.is_late(error))


SESSION = pytest.StashKey[RunState]()


def kata_name(item: pytest.Item) -> str:
    """'k06_logistic_regression' for a test of that kata, "" for any other test."""
    return _kata_of(item.path)


@functools.cache  # every hook asks for it, several times a test
def _kata_of(path: Path) -> str:
    is_of_kata = path.stem.startswith("test_k") and path.parent == ROOT / "tests"
    return path.stem.removeprefix("test_") if is_of_kata else ""


def task_of(item: pytest.Item) -> tuple[str, tuple[str, ...]]:
    """The task of a test and the tasks it needs, from its mark."""
    mark = item.get_closest_marker("task")
    needs = mark.kwargs.get("needs") if mark else None
    return mark.args[0] if mark else "", (needs,) if isinstance(needs, str) else tuple(needs or ())


def function_name(item: pytest.Item) -> str:
    """The test's name without parameters."""
    return getattr(item, "originalname", item.name)


def _parameters(item: pytest.Item) -> dict[str, Any]:
    callspec = getattr(item, "callspec", None)
    return callspec.params if callspec else {}


def test_name(item: pytest.Item) -> str:
    """The test's name with its parameters, the device left out: that is a field of its own."""
    parameters = _parameters(item)
    if "device" not in parameters:
        return item.name
    others = [str(value) for name, value in parameters.items() if name != "device"]
    return function_name(item) + (f"[{'-'.join(others)}]" if others else "")


def device_of(item: pytest.Item) -> str:
    return str(_parameters(item).get("device", "cpu"))


def computing_limit(config: pytest.Config) -> float | None:
    """Seconds that a test may compute, None without a limit."""
    seconds = config.getoption("computing_time") or config.getini("computing_time")
    return float(seconds) if seconds else None


def pytest_configure(config: pytest.Config) -> None:
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    config.addinivalue_line(
        "markers", "task(name, needs=None): the task a test belongs to, and those it builds on"
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


@pytest.hookimpl(tryfirst=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    """Bring the tests into an order in which they can be judged. Make a first optimizer here: its
    imports are slow, and tests have a time limit.
    """
    if session.config.stash[SESSION].adds_needed and not session.config.option.collectonly:
        session.items[:] = with_needed(session.items)
    first = next(filter(None, map(kata_name, session.items)), "")
    if first and not session.config.option.collectonly:
        torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
        session.config.stash[SESSION].leftovers.enter(first)


def with_needed(items: Sequence[pytest.Item]) -> list[pytest.Item]:
    """The tests, each with those of the task it needs before it, whichever were chosen."""
    of_file: dict[pytest.Module, list[pytest.Item]] = {}
    ordered: dict[str, pytest.Item] = {}
    chosen = {item.nodeid: item for item in items}

    def add(item: pytest.Item) -> None:
        file, (_, needs) = item.getparent(pytest.Module), task_of(item)
        if item.nodeid in ordered:
            return
        if needs and file and kata_name(item):
            if file not in of_file:
                of_file[file] = [chosen.get(each.nodeid, each) for each in _items_of(file)]
            for other in of_file[file]:
                if task_of(other)[0] in needs:
                    add(other)
        ordered[item.nodeid] = item

    for item in items:
        add(item)
    return list(ordered.values())


def _items_of(node: pytest.Collector) -> Iterator[pytest.Item]:
    for child in node.collect():
        if isinstance(child, pytest.Item):
            yield child
        elif isinstance(child, pytest.Collector):
            yield from _items_of(child)


@pytest.hookimpl(wrapper=True, tryfirst=True)  # outside of what pytest changes for a test
def pytest_runtest_protocol(
    item: pytest.Item, nextitem: pytest.Item | None
) -> Generator[None, Any, Any]:
    if name := kata_name(item):
        run = item.config.stash[SESSION]
        run.leftovers.enter(name)
        run.is_last = nextitem is None or kata_name(nextitem) != name
        if isinstance(kata := run.loaded.get(name), KataUnderTest):
            forget(kata)
    return (yield)


def pytest_runtest_setup(item: pytest.Item) -> None:
    name, (task, needs) = kata_name(item), task_of(item)
    run = item.config.stash[SESSION]
    if endless := run.endless.get((name, task)):
        raise Blocked(f"'{task}' was not tried further: {endless} did not come to an end.")
    for need in needs if name else ():
        outcomes = run.outcomes.get((name, need), [])
        if all(outcome in (Outcome.PASSED, Outcome.SKIPPED) for outcome in outcomes):
            continue
        if task in open_regions(source_of(run.kata(name, computing_limit(item.config)))):
            raise NotStarted
        raise Blocked(f"'{task}' can't be judged before '{need}' passes.")


# inside pytest's own capturing, which sets sys.stdout too
@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    if not kata_name(item):
        return (yield)
    before = leftovers.deciding()
    with limited_output(), limits.computing(computing_limit(item.config)):
        result = yield
    if changed := leftovers.left_changed(before):
        raise Explained(changed)
    return result


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
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, Any, Any]:
    report = yield
    name, task = kata_name(item), task_of(item)[0]
    if not name:
        return report
    report.user_properties = [pair for pair in report.user_properties if pair[0] not in NOTED]
    printed = excerpt("".join(t for title, t in report.sections if title.startswith(CAPTURED)))
    report.sections = [(title, text[-SHOWN_OUTPUT:]) for title, text in report.sections]
    if call.excinfo is None and call.when != "call":
        return report
    outcome, text, why = outcome_of(item, call) if call.excinfo else (Outcome.PASSED, "", None)
    measured, drift = (_noted(item, kind) for kind in NOTED)
    if changed := _put_back(item):
        report.sections.append((CHANGED, changed))
        text = f"{text}\n\n{changed}".lstrip() if outcome == Outcome.FAILED else text
    seconds, device = round(call.duration, 4), device_of(item)
    report.kata_result = TestResult(
        test_name(item), outcome, text, seconds, device, measured, drift, why, printed
    )
    item.config.stash[SESSION].outcomes.setdefault((name, task), []).append(outcome)
    if outcome == Outcome.SKIPPED:
        report.outcome, report.longrepr = "skipped", (*item.location[:2], f"Skipped: {text}")
    elif outcome != Outcome.PASSED:
        report.outcome = "failed"
        is_short = outcome in (Outcome.NOT_STARTED, Outcome.BLOCKED)
        if is_short or not _wants_traceback(item.config):
            report.longrepr = plain(text, getattr(sys.__stdout__, "encoding", None) or "utf-8")
    return report


def _put_back(item: pytest.Item) -> str:
    """Undo what the test has changed for the whole process; a sentence if that is something."""
    run = item.config.stash[SESSION]
    texts = dict.fromkeys([*run.changed, *run.leftovers.leave(run.is_last)])
    run.changed.clear()
    if not texts:
        return ""
    what, path = ", ".join(texts), shown(run.target / f"{kata_name(item)}.py")
    return f"{path} changed {what}; {'it was' if len(texts) == 1 else 'they were'} put back."


def _noted(item: pytest.Item, kind: str) -> tuple[Any, ...]:
    return tuple(value for key, value in item.user_properties if key == kind)


def outcome_of(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> tuple[Outcome, str, Diagnosis | None]:
    """Outcome and message of a test that raised something, and the diagnosis of one that failed."""
    assert call.excinfo is not None
    error, run = call.excinfo.value, item.config.stash[SESSION]
    name, (task, _) = kata_name(item), task_of(item)
    path, kata = run.target / f"{name}.py", run.loaded.get(name)
    is_late = feedback.is_late(error) or (isinstance(error, KataUnusable) and error.is_late)
    if is_late and (waits := untouched.lines(catalog.load().find(name), run.target).get(task)):
        return Outcome.NOT_STARTED, waits, None
    if isinstance(error, KataUnusable):
        return Outcome.FAILED, str(error), feedback.bounded(error.diagnosis)
    if isinstance(error, Blocked):
        return Outcome.BLOCKED, str(error), None
    if device_of(item).partition(":")[0] == simulated.NAME and (limit := simulated.limit(error)):
        return Outcome.SKIPPED, limit, None
    loaded = kata if isinstance(kata, KataUnderTest) else None
    source = source_of(loaded) if loaded else ""
    if isinstance(error, NotStarted):
        line = open_regions(source).get(task, 1)
        return Outcome.NOT_STARTED, _waiting(task, path, line, source), None
    if isinstance(error, NotImplementedError) and feedback.is_raised_in(
        error.__traceback__, path, source
    ):
        return _open_region(error, task, path, source)
    from_learner = any(feedback.learner_frames(error.__traceback__, path))
    if isinstance(error, pytest.skip.Exception) and not from_learner:
        return Outcome.SKIPPED, str(error), None
    line = open_regions(source).get(task, 0)
    if feedback.is_late(error) and not from_learner and line and not is_begun(source, line):
        # a machine that is busy, or was paused: nothing of the learner's was there to take the time
        return Outcome.NOT_STARTED, _waiting(task, path, line, source), None
    if feedback.is_late(error):
        run.endless[name, task] = test_name(item)
    elif call.when != "call" and not from_learner:
        reason = f"{type(error).__name__}: {error}"
        return Outcome.ERROR, f"The suite itself failed, which is not your fault: {reason}", None
    test = function_name(item)
    expected = test.removeprefix("test_").replace("_", " ")
    pointer = (
        f"Read {test} in {shown(item.path)}: what does it give your code, and what does it ask for?"
    )
    asked_by = f"{name.partition('_')[0]}.{task}"
    seconds = computing_limit(item.config)
    why, lines = feedback.explain(error, path, loaded, expected, seconds, pointer, asked_by)
    return Outcome.FAILED, f"{why.text()}\n\n{lines}".rstrip(), why


def _open_region(
    error: NotImplementedError, task: str, path: Path, source: str
) -> tuple[Outcome, str, Diagnosis | None]:
    """A test ended at an open region: its own task's, or that of a task it builds on."""
    still_open = open_regions(source)
    raised = str(error.args[0]) if error.args else task
    if raised == task or task in still_open or raised not in still_open:
        *_, (raised_at, _) = feedback.learner_frames(error.__traceback__, path)
        if is_begun(source, raised_at):
            why = feedback.raise_left(path, raised_at)
            return Outcome.FAILED, why.text(), why
        line = still_open.get(task, raised_at)
        return Outcome.NOT_STARTED, _waiting(task, path, line, source), None
    where = f"{shown(path)}:{still_open[raised]}"
    return Outcome.BLOCKED, f"'{task}' needs '{raised}', which is not started: {where}", None


def _waiting(task: str, path: Path, line: int, source: str) -> str:
    text = todo(source, task)
    return f"{shown(path)}:{line} waits for you" + (f":\n  {text}" if text else ".")


def _wants_traceback(config: pytest.Config) -> bool:
    style = config.getoption("tbstyle", "auto")
    return bool(config.getoption("fulltrace", False)) or style in ("long", "short", "native")


def pytest_report_teststatus(report: pytest.TestReport) -> tuple[str, str, str] | None:
    result = getattr(report, "kata_result", None)
    if result is None or result.outcome in (Outcome.PASSED, Outcome.SKIPPED):
        return None
    return result.outcome, LETTERS[result.outcome], result.outcome.upper()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say which katas changed something for the whole process."""
    reports = [report for reports in terminalreporter.stats.values() for report in reports]
    sections = [pair for report in reports for pair in getattr(report, "sections", ())]
    if texts := dict.fromkeys(text for title, text in sections if title == CHANGED):
        terminalreporter.section(CHANGED)
        for text in texts:
            terminalreporter.line(text)


# A run in several processes (pytest-xdist) sends its reports as plain values.
@pytest.hookimpl(wrapper=True)
def pytest_report_to_serializable(report: pytest.TestReport) -> Generator[None, Any, Any]:
    fields = yield
    if result := getattr(report, "kata_result", None):
        fields["kata_result"] = msgspec.to_builtins(result)
    return fields


@pytest.hookimpl(wrapper=True)
def pytest_report_from_serializable(data: dict[str, Any]) -> Generator[None, Any, Any]:
    result = data.pop("kata_result", None)
    report = yield
    if result is not None:
        report.kata_result = decoded(result, TestResult)
    return report


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """The tests of a file run in one process, in order, unless every process runs all of them."""
    if config.getoption("dist") == "each":
        return None
    return importlib.import_module("xdist.scheduler").LoadFileScheduling(config, log)
