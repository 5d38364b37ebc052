"""A test that was ended by a limit of time: whose fault is it?"""

import time
from types import SimpleNamespace

import pytest

from dojo import ROOT, limits
from dojo.results import Outcome
from dojo.stubs import stub_of
from dojo.suite import loader, plugin

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
