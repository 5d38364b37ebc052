"""Measuring the pass marks: which trainings, what is kept, what the rates say."""

import tomllib

import pytest

from dojo.results import KataResult, Measured, Outcome, TaskResult, TestResult
from dojo.validate import marks, test_files
from dojo.validate.marks import Measurement

MARKS = {
    "k06.train.distance": {
        "what": "the distance",
        "must_be": "at most",
        "mark": 0.5,
        "right": {"median": 1.0},
    },
    "k08.train.accuracy": {
        "what": "the share",
        "must_be": "at least",
        "mark": 0.9,
        "right": {"median": 1.0},
    },
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
        return [
            KataResult(
                "k06",
                2,
                (TaskResult("train", (TestResult("test", Outcome.PASSED, measured=(number,)),)),),
            )
            for _ in units
        ]

    monkeypatch.setattr(test_files, "run", run)
    monkeypatch.setattr(marks, "KEPT", tmp_path)
    monkeypatch.setattr(marks, "RIGHT_SEEDS", 50)
    (reference,) = [
        one for one in marks.candidates(catalog) if (one.kata.short, one.name) == ("k06", "")
    ]
    first = marks.measurements([reference], catalog.katas, say=lambda text: None)
    assert asked == [(0, 20), (20, 40), (40, 50)]
    next(tmp_path.glob("*/20.json")).unlink()
    # it holds NaN
    assert str(marks.measurements([reference], catalog.katas, say=lambda text: None)) == str(first)
    assert asked[3:] == [(20, 40)]


def test_mistakes_that_another_test_catches_are_named_beside(catalog):
    beside = marks.caught_beside(catalog.find("k06"))
    assert "gradients are never cleared: test_every_step_follows_the_gradient" in beside
    assert not any("steps that are too small" in told for told in beside)


def test_a_training_that_broke_counts_as_a_seed_and_meets_no_mark():
    assert marks.spread([0.3, NAN, 0.1])["seeds"] == 3
    assert marks.spread([0.3, NAN, 0.1])["max"] == 0.3
    assert marks.share_meeting([0.3, NAN], {"mark": 1.0, "must_be": "at most"}) == 0.5
    assert marks.share_meeting([0.3, NAN], {"mark": 0.0, "must_be": "at least"}) == 0.5
    assert marks.spread([NAN]) == {"seeds": 1}


def test_rates_and_spreads_are_written_and_read_back():
    right = {"k06.train.distance": [0.1, 0.2, 0.6, 0.1]}
    measured = Measurement(
        "k06-1",
        right,
        {"too slow": {"k06.train.distance": [0.7, 0.4]}},
        ("softmax: test_gradient",),
    )
    new = tomllib.loads(marks.toml_of("", marks.entries(MARKS, [measured])))
    entry = new["k06.train.distance"]
    assert entry["false_fail"] == 0.25
    assert (entry["right"]["seeds"], entry["right"]["max"]) == (4, 0.6)
    assert [(wrong["name"], wrong["false_pass"], wrong["max"]) for wrong in entry["wrong"]] == [
        ("too slow", 0.5, 0.7)
    ]
    assert (entry["caught_beside"], entry["of"]) == (["softmax: test_gradient"], "k06-1")
    assert new["k08.train.accuracy"] == MARKS["k08.train.accuracy"]


def test_a_wrong_run_passes_when_it_meets_every_mark_at_once():
    values = {"k06.train.distance": [0.1, 0.9, 0.1], "k08.train.accuracy": [0.95, 0.95, 0.1]}
    assert marks.share_meeting_all(values, MARKS) == pytest.approx(1 / 3)


def entry(seeds=1000, wrong_seeds=200, **changes):
    wrong = {"name": "too slow", "false_pass": 0.5, "meets_all_marks": 0.0, "seeds": wrong_seeds}
    return {
        "mark": 1.0,
        "must_be": "at most",
        "right": {"seeds": seeds},
        "false_fail": 0.0,
        "wrong": [wrong | changes.pop("wrong", {})],
    } | changes


def test_a_mark_ships_when_all_right_runs_meet_it_and_no_wrong_run_meets_them_all():
    assert marks.problems({"mark": entry()}) == []


@pytest.mark.parametrize(
    ("faulty", "said"),
    [
        (entry(seeds=999), "999 seeds of 1000"),
        (entry(false_fail=0.001), "0.1% of the right trainings miss it"),
        (entry(wrong={"meets_all_marks": 0.005}), "0.5% of these wrong trainings"),
        (entry(wrong_seeds=20), "20 seeds of 200"),
        ({"right": {"median": 1.0}}, "0 seeds of 1000"),
    ],
)
def test_a_mark_without_enough_behind_it_is_a_problem(faulty, said):
    assert any(said in problem for problem in marks.problems({"mark": faulty}))
