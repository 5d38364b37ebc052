"""A test that was ended by a limit of time, or with its process: whose fault is it?"""

import multiprocessing
import os
import sys
import time
from types import SimpleNamespace

import pytest

from dojo import ROOT, limits
from dojo.diagnosis import Diagnosis
from dojo.processes.channel import Channel
from dojo.results import Outcome
from dojo.stubs import stub_of
from dojo.suite import loader, plugin, report, supervisor
from dojo.suite.unit import Unit

NAME = "k06_logistic_regression"


def late() -> None:
    """Compute until the time is used up."""
    with limits.computing(0.05):
        while time.thread_time():
            pass


@pytest.mark.parametrize(
    ("written", "outcome"),
    [
        ("", Outcome.NOT_STARTED),
        ("    points = x1 + 1\n", Outcome.FAILED),
    ],
    ids=["nothing", "a line"],
)
def test_a_task_that_waits_has_not_failed_where_the_suite_is_late(
    tmp_path, catalog, reference, written, outcome
):
    """Whatever held the machine up, nothing of the learner's was there to do it."""
    raises = '    raise NotImplementedError("boundary")'
    stub = stub_of(reference, [task.name for task in catalog.find("k06").tasks])
    path = tmp_path / f"{NAME}.py"
    path.write_text(stub.replace(raises, written + raises), encoding="utf-8")
    run = SimpleNamespace(target=tmp_path, loaded={NAME: loader.load(path)}, endless={})
    options = SimpleNamespace(getoption=lambda name: 15, stash={plugin.SESSION: run})
    item = SimpleNamespace(path=ROOT / "tests" / f"test_{NAME}.py", name="test", config=options)
    item.get_closest_marker = lambda name: SimpleNamespace(args=("boundary",), kwargs={})
    found = plugin.outcome_of(item, pytest.CallInfo.from_call(late, "call"))
    assert found[0] == outcome


@pytest.mark.parametrize(
    ("added", "outcome"),
    [("", Outcome.NOT_STARTED), ("# a line\n", Outcome.FAILED)],
    ids=["the stub", "another file"],
)
def test_a_stub_whose_import_is_late_waits(tmp_path, catalog, reference, added, outcome):
    stub = stub_of(reference, [task.name for task in catalog.find("k06").tasks])
    (tmp_path / f"{NAME}.py").write_text(stub + added, encoding="utf-8")
    error = loader.KataUnusable(Diagnosis("It was late."), is_late=True)
    run = SimpleNamespace(target=tmp_path, loaded={NAME: error}, endless={})
    item = SimpleNamespace(path=ROOT / "tests" / f"test_{NAME}.py", name="test")
    item.config = SimpleNamespace(stash={plugin.SESSION: run})
    item.get_closest_marker = lambda name: SimpleNamespace(args=("boundary",), kwargs={})
    call = SimpleNamespace(excinfo=SimpleNamespace(value=error), when="call")
    assert plugin.outcome_of(item, call)[0] == outcome


class Killed:
    """A worker whose processes are killed in a test, or while they import the file."""

    is_quick = True

    def __init__(self, tests, event):
        self.tests, self.event = tests, event

    def start(self, job, log):
        ours, theirs = multiprocessing.Pipe()
        (unit,) = job.units
        rest = [test for test in self.tests if test.id not in unit.done]
        begun = report.TestStarted(rest[0].id)
        theirs.send_bytes(report.encode([report.Collected(tuple(self.tests)), begun, *self.event]))
        theirs.close()
        channel = Channel(os.dup(ours.fileno()), 1_000_000)
        ours.close()
        return SimpleNamespace(
            channel=channel, log=log, exit_code=lambda patience: -9, close=channel.close
        )


@pytest.mark.skipif(sys.platform == "win32", reason="a channel of Windows is another one")
@pytest.mark.parametrize("event", [(), (report.Loading(),)], ids=["in a test", "in the import"])
@pytest.mark.parametrize("added", ["", "# a line\n"], ids=["the stub", "another file"])
def test_a_stub_has_not_failed_where_its_process_is_killed(
    tmp_path, catalog, reference, event, added
):
    """Memory runs short on a busy machine, and the system ends what it likes."""
    kata = catalog.find("k06")
    names = [task.name for task in kata.tasks]
    (tmp_path / f"{NAME}.py").write_text(stub_of(reference, names) + added, encoding="utf-8")
    tests = [report.Test(name, name, f"test_{name}", "cpu") for name in names]
    (result,) = supervisor.run(
        [Unit(str(tmp_path), NAME)], [kata], jobs=1, worker=Killed(tests, event)
    )
    found = {task.outcome for task in result.tasks}
    assert found == {Outcome.FAILED if added else Outcome.NOT_STARTED}
