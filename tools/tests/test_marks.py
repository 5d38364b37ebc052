"""Measuring the pass marks: which trainings, what is kept, what the rates say."""

import tomllib

import pytest

from dojo.validate import marks
from dojo.verdict import PASSED, KataResult, Measured, TaskResult, TestResult

MARKS = {
    "k06.train.distance": {"what": "the distance", "must_be": "at most", "mark": 0.5, "right": {"median": 1.0}},
    "k08.train.accuracy": {"what": "the share", "must_be": "at least", "mark": 0.9, "right": {"median": 1.0}},
}
NAN = float("nan")


def test_references_that_train_are_measured_and_mistakes_their_marks_must_catch(catalog):
    found = {(one.kata.short, one.name) for one in marks.candidates(catalog)}
    assert {("k06", ""), ("k06", "steps that are too small"), ("k08", "")} <= found
    assert ("k01", "") not in found
    assert ("k06", "the sigmoid is missing") not in found


def test_a_measurement_goes_on_where_it_stopped(catalog, monkeypatch, tmp_path):
    asked = []

    def run(units, katas):
        asked.extend(unit.measure for unit in units)
        number = Measured("k06.train.distance", "the distance", 0.1, 0.5, True)
        return [KataResult("k06", 2, (TaskResult("train", (TestResult("test", PASSED, measured=(number,)),)),)) for _ in units]

    monkeypatch.setattr(marks, "run", run)
    monkeypatch.setattr(marks, "KEPT", tmp_path)
    monkeypatch.setattr(marks, "RIGHT_SEEDS", 50)
    (reference,) = [one for one in marks.candidates(catalog) if (one.kata.short, one.name) == ("k06", "")]
    first = marks.measure([reference], catalog.katas, say=lambda text: None)
    assert asked == [(0, 20), (20, 40), (40, 50)]
    next(tmp_path.glob("*/20.json")).unlink()
    assert marks.measure([reference], catalog.katas, say=lambda text: None).keys() == first.keys()
    assert asked[3:] == [(20, 40)]


def test_a_training_that_broke_counts_as_a_seed_and_meets_no_mark():
    assert marks.spread([0.3, NAN, 0.1])["seeds"] == 3
    assert marks.spread([0.3, NAN, 0.1])["max"] == 0.3
    assert marks.share_meeting([0.3, NAN], 1.0, at_most=True) == 0.5
    assert marks.share_meeting([0.3, NAN], 0.0, at_most=False) == 0.5
    assert marks.spread([NAN]) == {"seeds": 1}


def test_rates_and_spreads_are_written_and_read_back():
    measured = {
        ("k06_logistic_regression", ""): {"k06.train.distance": [0.1, 0.2, 0.6, 0.1]},
        ("k06_logistic_regression", "too slow"): {"k06.train.distance": [0.7, 0.4]},
    }
    new = tomllib.loads(marks.to_toml(marks.entries(MARKS, measured)))
    entry = new["k06.train.distance"]
    assert entry["false_fail"] == 0.25
    assert (entry["right"]["seeds"], entry["right"]["max"]) == (4, 0.6)
    assert [(wrong["name"], wrong["false_pass"]) for wrong in entry["wrong"]] == [("too slow", 0.5)]
    assert new["k08.train.accuracy"] == MARKS["k08.train.accuracy"]
    told = marks.problems(marks.entries(MARKS, measured), measured)
    assert "25.0% of 4 right trainings miss it" in told[0]
    assert "'too slow': 1 of 200 runs meet every mark" in told[1]


@pytest.mark.parametrize("values", [{"a": [0.1, 0.9], "b": [0.9, 0.9]}])
def test_a_run_passes_only_if_it_meets_all_its_marks(values):
    bounds = {"a": {"mark": 0.5, "must_be": "at most"}, "b": {"mark": 0.5, "must_be": "at least"}}
    assert marks._runs_that_pass(values, bounds) == 1
