"""The bench of the suite: what it adds up, and that it times nothing that fails."""

import sys
import time

import pytest

import bench
from bench import suite_bench as suite
from bench.suite_bench import Clock, Cost

KATA = "k06_logistic_regression"


def burn():
    """CPU time, enough to be seen."""
    end = time.process_time() + 0.02
    while time.process_time() < end:
        pass


def test_a_training_inside_another_counts_once():
    clock = Clock()
    inner = clock.timed(burn)
    begin = time.process_time()
    clock.timed(inner)()
    assert 0.02 <= clock._training <= time.process_time() - begin


def test_of_every_test_the_median_counts():
    runs = [[Cost(KATA, "test_a", seconds, seconds / 2)] for seconds in (3.0, 1.0, 2.0)]
    assert bench.medians(cost for run in runs for cost in run) == [Cost(KATA, "test_a", 2.0, 1.0)]


def test_the_table_has_katas_shares_and_the_slowest_tests():
    told = suite.report(
        [Cost(KATA, "TestTrain::test_a", 0.5, 0.4), Cost(KATA, "TestModel::test_b", 0.5, 0.0)],
        slowest=1,
    )
    assert "40%" in told
    assert "80% training  k06_logistic_regression TestTrain::test_a" in told
    assert "test_b" not in told
    assert "Within the limits" in told


@pytest.mark.parametrize(
    ("costs", "said"),
    [
        ([Cost(KATA, "test_a", 2.5, 2.0)], f"over 2 s: {KATA} test_a, 2.50 s"),
        ([Cost(KATA, f"test_{n}", 1.5, 1.0) for n in range(3)], f"over 3 s: {KATA}, 4.50 s"),
        (
            [Cost(f"k{n}", "test_a", 1.0, 1.0) for n in range(26)],
            "over 25 s: the whole suite, 26.0 s",
        ),
    ],
)
def test_what_is_over_its_limit_is_said(costs, said):
    assert said in suite.over_limit(costs)


def test_a_suite_that_fails_has_no_price(monkeypatch):
    monkeypatch.setattr(suite.pytest, "main", lambda arguments, plugins: print("1 failed") or 1)
    with pytest.raises(SystemExit, match=r"1 failed\n\nThe references do not pass"):
        suite.take(["k06_logistic_regression"], "cpu")


def test_an_unknown_kata_is_named(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["suite", "k77"])
    with pytest.raises(SystemExit, match="There is no kata 'k77'"):
        suite.main()
