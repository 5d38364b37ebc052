"""Watch mode when a run comes to nothing: no verdict of before is shown as if it were of the file
that is there now.
"""

import pytest
from test_watch_transitions import CATALOG, KATAS, after, judged, result, saved

from dojo.check.watch.effects import RunTests
from dojo.check.watch.model import Key, Model, RunFailed, SessionStarted, keys
from dojo.check.watch.transitions import update
from dojo.results import Outcome


@pytest.fixture
def passed() -> Model:
    return after(
        Model(CATALOG, is_learners=True, current="k00_a"),
        SessionStarted(),
        judged(1, result("k00_a")),
    )


def test_it_says_why_and_what_was_known_is_not_of_the_new_file(passed):
    model = after(passed, saved("k00_a"), RunFailed(2, "The warm process can't start."))
    assert (model.run, model.notice) == (None, "The warm process can't start.")
    assert (model.result, model.seconds) == (None, None)
    assert not {"n", "d", "h"} & set(keys(model))
    assert after(model, saved("k00_a"), judged(3, result("k00_a"))).is_passed


def test_the_verdicts_of_other_katas_stay(passed):
    model = after(passed, saved("k01_b"), RunFailed(2, "gone"))
    assert set(model.results) == {"k00_a"}


def test_a_regression_is_still_noticed_by_the_next_run(passed):
    model = after(
        passed,
        saved("k00_a"),
        RunFailed(2, "gone"),
        saved("k00_a"),
        judged(3, result("k00_a", Outcome.FAILED)),
    )
    assert model.lost == ("k00_a",)


def test_a_last_check_that_came_to_nothing_is_not_well_done(passed):
    everything = judged(2, *(result(kata.name) for kata in KATAS))
    model = after(passed, Key("a"), everything)
    assert model.is_over
    model = after(model, Key("b"), Key("a"), RunFailed(3, "gone"))
    assert not model.is_over
    assert update(after(model, saved("k00_a")), judged(4, result("k00_a")))[1] == [
        RunTests(5, tuple(k.name for k in KATAS))
    ]
