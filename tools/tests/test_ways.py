"""Whole ways: which solutions walk, what is kept of them, and what their figures say."""

from dataclasses import replace

import pytest

from dojo.validate import marks, ways
from dojo.validate.ways import FIRST, REFERENCE, WAYS, Share, Walk

ENTRIES = {
    "k06.train.distance": {"must_be": "at most", "mark": 0.5},
    "k06.train.accuracy": {"must_be": "at least", "mark": 0.9},
}
NAN = float("nan")
NOW = "2026-11-21, torch 2.13.0+cpu, Python 3.11.7"
RIGHT = Walk("k06", REFERENCE, "k06-0", "b0", {}, (), NOW)


@pytest.mark.parametrize(
    ("missed", "bound"),
    # tables of the exact interval, two-sided, of 95 %
    [(0, 0.00368), (1, 0.00556), (4, 0.01021), (10, 0.01831)],
)
def test_the_bound_is_that_of_clopper_and_pearson(missed, bound):
    assert Share("w", missed, 1000).bound == pytest.approx(bound, abs=5e-5)


def test_a_seed_misses_if_any_mark_of_the_kata_is_missed_or_the_run_broke():
    reached = {
        "k06.train.distance": [0.1, 0.6, 0.5, NAN],
        "k06.train.accuracy": [0.8, 0.95, 0.9, 1.0],
    }
    assert ways.missed(reached, ENTRIES) == (FIRST, FIRST + 1, FIRST + 3)
    whole = {"k06.train.distance": [0.1] * WAYS}  # the other mark is reached by no run
    assert len(ways.missed(whole, ENTRIES)) == len(ways.missed({}, ENTRIES)) == WAYS


def test_a_way_misses_where_any_of_its_katas_does():
    walks = [
        replace(RIGHT, missed=(FIRST, FIRST + 1)),
        replace(RIGHT, name="another optimizer", missed=(FIRST + 2,)),
        replace(RIGHT, kata="k08", missed=(FIRST + 1, FIRST + 5)),
    ]
    counted = {share.name: share.missed for share in ways.shares(walks)}
    assert counted == {REFERENCE: 3, "k06 'another optimizer'": 3}


@pytest.fixture
def walked(catalog, monkeypatch, tmp_path):
    """k06 alone, with trainings that are made up: `reaches` says what a text reaches."""
    k06 = catalog.only([catalog.find("k06")])
    asked, reaches = [], {"values": [0.0] * WAYS}

    def values_of(candidate, katas, most=None):
        asked.append(most or WAYS)
        own = reaches.get(candidate.source, reaches["values"])
        return {"k06.train.distance": own[: most or WAYS]}

    monkeypatch.setattr(marks, "values_of", values_of)
    monkeypatch.setattr(ways, "FILE", tmp_path / "ways.json")
    return k06, asked, reaches


def test_a_solution_that_reaches_the_same_shares_the_figures_and_another_walks_itself(walked):
    k06, asked, reaches = walked
    _, *others = (candidate for name, candidate in ways.solutions(k06.katas[0]) if name)
    reaches[others[0].source] = [1e-9] * (WAYS - 1) + [99.0]
    finding = ways.measure(k06, say=lambda text: None)
    assert not finding.problems and not finding.unchecked
    assert asked.count(WAYS) == 2 and asked.count(marks.CHUNK) == 1 + len(others)
    (share,) = (share for share in ways.shares(list(ways.read().values())) if share.missed)
    assert share.missed == 1
    assert "at most 1 miss a mark, up to 0.56%" in finding.scope

    ways.measure(k06, say=lambda text: None)
    assert asked.count(WAYS) == 2  # nothing has changed


def test_tests_that_changed_cost_a_look_and_what_reaches_something_else_walks_again(
    walked,
):
    k06, asked, reaches = walked
    ways.measure(k06, say=lambda text: None)
    whole = asked.count(WAYS)
    known = [replace(walk, of="k06-before") for walk in ways.read().values()]
    ways.files.write_record(ways.FILE, known)
    finding = ways.recorded(k06)
    assert all("has changed since it was walked" in problem for problem in finding.problems)
    assert len(finding.problems) == len(known)
    assert not ways.measure(k06, say=lambda text: None).problems
    assert asked.count(WAYS) == whole

    ways.files.write_record(ways.FILE, known)
    reaches["values"] = [9.0] * WAYS
    finding = ways.measure(k06, say=lambda text: None)
    assert asked.count(WAYS) > whole
    assert "the reference: 1000 of 1000 ways miss a mark" in finding.problems[0]


def test_a_solution_that_was_never_walked_is_no_pass(walked):
    k06, _, _ = walked
    assert ways.recorded(k06).unchecked
    ways.measure(k06, say=lambda text: None)
    walks = list(ways.read().values())
    ways.files.write_record(ways.FILE, walks[:-1])
    finding = ways.recorded(k06)
    assert finding.unchecked and "miss a mark" not in finding.scope


def test_more_than_one_miss_in_a_hundred_is_a_problem(walked):
    k06, _, reaches = walked
    reaches["values"] = [9.0] * 4 + [0.0] * (WAYS - 4)
    (problem, *_) = ways.measure(k06, say=lambda text: None).problems
    assert "4 of 1000 ways miss a mark, so that up to 1.0% may" in problem
