"""A training that misses its mark is drawn beside the reference's band, and told in words."""

import json
import math
import tomllib
from dataclasses import asdict

import pytest

from dojo import curve as curves
from dojo.curve import MOST_POINTS, WIDTH, Band, Curve
from dojo.results import KataResult, Measured, Outcome, TaskResult, TestResult, decoded
from dojo.validate import bands as banding
from tests.support import bands, expect, marks, story

BAND = Band(100, tuple(0.9**n for n in range(25)), tuple(1.1 * 0.92**n for n in range(25)), 20)
FLAT, TINY = [0.7] * 50, [0.7 - 1e-6 * n for n in range(50)]
AWAY, BROKEN = [0.7 * 1.05**n for n in range(50)], [0.7, 5.0, float("inf"), float("nan")]
SLOW, SLOWER = [0.7 - 0.005 * n for n in range(50)], [0.5 + 0.2 * 0.93**n for n in range(50)]
STUCK = [0.5 + 0.2 * 0.5**n for n in range(50)]


@pytest.fixture
def mark():
    return marks.Mark("k06.train.distance", "a distance", 0.01, at_most=True, usual=0.0)


@pytest.mark.parametrize(
    ("history", "kind", "says"),
    [
        (FLAT, "flat", "optimizer.step() is missing"),
        (TINY, "flat", "the learning rate is tiny"),
        (AWAY, "diverging", "the steps are too large"),
        (BROKEN, "diverging", "grew without bound"),
        (SLOW, "too slow", "was still falling"),
        (SLOWER, "too slow", "was still falling, slowly"),
        (STUCK, "stuck", "stays there"),
        ([0.7], "short", "less than two epochs"),
    ],
)
def test_a_history_is_told_by_its_shape(history, kind, says):
    told = story.of(history)
    assert told.kind == kind
    assert says in told.causes[0].text
    assert told.pointer or told.causes[0].told


@pytest.mark.parametrize("history", [SLOWER, STUCK])
def test_an_unlucky_start_is_one_of_the_causes_where_it_may_be_one(history):
    assert "unlucky" in story.of(history).causes[1].text


def test_beside_a_band_the_model_could_do_better_and_the_steps_may_be_too_large():
    calm, thrown = (story.of(history, BAND) for history in (STUCK, [0.7, 0.9, *STUCK]))
    for tale in (calm, thrown):
        assert tale.kind == "stuck"
        assert "can't do better" not in str(tale.causes)
    assert "unlucky" in calm.causes[0].text
    assert "the steps are too large" in thrown.causes[0].text


def test_losses_that_go_up_and_down_without_new_lows_are_not_still_falling():
    noisy = [0.7, *(0.68 + 0.01 * (-1) ** n for n in range(100))]
    assert story.of(noisy).kind == "stuck"


def test_beside_a_band_it_is_told_how_much_too_slow_a_training_is():
    assert "the reference is there after about" in story.of(SLOW, BAND).causes[0].text
    assert story.of([0.9**n for n in range(100)], BAND).kind == "like the reference's"


def test_a_training_above_the_reference_all_the_way_is_too_slow_where_it_gets_there_at_the_end():
    late = [1 - 0.0087 * n for n in range(100)]
    assert BAND.low[-1] < late[-1] < BAND.high[-1]
    assert story.of(late, BAND).kind == "too slow"


def test_the_drawing_shows_both_curves_their_ends_and_the_epochs():
    lines = curves.draw(Curve.of([1.0 - 0.005 * n for n in range(100)], BAND))
    text = "\n".join(lines)
    assert max(map(len, lines)) <= 10 + WIDTH
    assert lines[0].startswith("     1.1 │")
    assert "░" in text
    assert lines[-3].endswith("100 epochs")
    assert lines[-2].endswith("▄ yours: 1 to 0.505")
    assert lines[-1].endswith("░ reference, 20 starts: ends at 0.0798 to 0.149")


def test_a_reference_that_always_ends_alike_has_one_number():
    band = Band(100, BAND.low, BAND.low, 20)
    assert curves.draw(Curve.of([1.0, 0.5], band))[-1].endswith("20 starts: ends at 0.0798")


def test_a_curve_that_falls_is_drawn_falling_and_ends_where_it_ends():
    rows = [line[10:] for line in curves.draw(Curve.of([2.0, 1.5, 1.0], None))[: curves.HEIGHT]]
    assert rows[0].startswith("▀")
    assert rows[-1].endswith("▄")
    stopped = [line[10:] for line in curves.draw(Curve.of([1.0] * 50, BAND))[: curves.HEIGHT]]
    inked = max(len(row.replace("░", " ").rstrip()) for row in stopped)
    assert inked == pytest.approx(WIDTH / 2, abs=1)


@pytest.mark.parametrize(
    "history",
    [
        [],
        [0.0] * 5,
        [-1.0, -2.0],
        [float("nan")] * 3,
        [1.0, float("inf")],
        [1e300, 1e-300],
        [5.0],
        [1e308, -1e308, 0.0],
        AWAY,
    ],
)
@pytest.mark.parametrize("band", [None, BAND], ids=["alone", "beside a band"])
def test_every_history_can_be_drawn(history, band):
    lines = curves.draw(Curve.of(history, band))
    assert len(lines) >= curves.HEIGHT + 3
    assert max(map(len, lines)) <= 10 + WIDTH + 20


def test_a_loss_that_explodes_leaves_the_band_to_be_seen():
    rows = [
        line[10:]
        for line in curves.draw(Curve.of([10.0**n for n in range(100)], BAND))[: curves.HEIGHT]
    ]
    assert sum("░" in row for row in rows) > 1


def test_a_plain_console_gets_plain_characters():
    from dojo.plain import plain

    text = plain("\n".join(curves.draw(Curve.of(SLOW, BAND))), "ascii")
    text.encode("ascii")
    assert "?" not in text
    assert [len(line) for line in text.splitlines()] == [
        len(line) for line in curves.draw(Curve.of(SLOW, BAND))
    ]


def test_a_missed_mark_carries_its_curve_in_the_message_and_the_record(mark, monkeypatch):
    monkeypatch.setattr(bands, "entries", lambda: {"k06.train": asdict(BAND)})
    with pytest.raises(expect.Unmet) as caught:
        expect.reaches(mark, 0.5, history=[0.7 - 1e-4 * n for n in range(1000)])
    why = caught.value.diagnosis
    assert (why.curve.epochs, len(why.curve.losses), why.curve.kind) == (
        1000,
        MOST_POINTS,
        "too slow",
    )
    assert why.curve.band == BAND
    assert "  loss:" in str(caught.value)
    assert "░ reference, 20 starts" in str(caught.value)
    result = TestResult("test_x", Outcome.FAILED, str(caught.value), diagnosis=why)
    assert decoded(json.loads(json.dumps(asdict(result), allow_nan=False)), TestResult) == result


def test_a_history_with_broken_numbers_is_valid_json(mark):
    with pytest.raises(expect.Unmet) as caught:
        expect.reaches(mark, math.nan, history=[1.0, math.inf, math.nan])
    assert caught.value.diagnosis.curve.losses == (1.0, None, None)
    json.dumps(asdict(caught.value.diagnosis), allow_nan=False)


def test_evidence_of_a_test_comes_before_the_shape_of_the_curve(mark):
    with pytest.raises(expect.Unmet) as caught:
        expect.reaches(mark, 0.5, history=STUCK, causes=["the labels are swapped"])
    assert [cause.text for cause in caught.value.diagnosis.likely] == ["the labels are swapped"]
    assert caught.value.diagnosis.curve.kind == ""  # a word for the shape could contradict it


def test_a_mark_records_the_curve_in_outline_and_a_measuring_one_the_whole(mark):
    for lenient in (False, True):
        recorded: list[Measured] = []
        chosen = marks.Mark(
            mark.name,
            mark.what,
            1.0,
            at_most=True,
            usual=0.0,
            lenient=lenient,
            record=recorded.append,
        )
        expect.reaches(chosen, 0.5, history=[0.7] * 150)
        (number,) = recorded
        assert (number.curve.epochs, len(number.curve.losses)) == (150, 150 if lenient else 48)


def measured(*histories: list[float], name: str = "k06.train.loss") -> list[KataResult]:
    numbers = tuple(
        Measured(name, "", 0.0, 1.0, True, Curve.of(history, None)) for history in histories
    )
    return [
        KataResult(
            "k06", 2, (TaskResult("train", (TestResult("test_x", "passed", measured=numbers),)),)
        )
    ]


def test_a_band_is_the_range_of_most_histories():
    histories = banding.histories(
        measured(*([float(seed + epoch) for epoch in range(50)] for seed in range(20)))
    )
    made = banding.band(histories["k06.train"])
    assert (made.epochs, made.seeds, len(made.low)) == (50, 20, curves.BAND_POINTS)
    assert (made.low[0], made.high[0], made.high[-1]) == (1.0, 18.0, 18.0 + 49)


@pytest.mark.parametrize(
    "histories", [([1.0, 2.0], [1.0, math.nan]), ([1.0, 2.0], [1.0, 2.0, 3.0]), ([1.0], [1.0])]
)
def test_histories_without_a_common_range_make_no_band(histories):
    assert banding.band(banding.histories(measured(*histories))["k06.train"]) is None


def test_marks_of_one_training_share_one_history():
    found = banding.histories(
        [*measured([1.0, 2.0]), *measured([1.0, 2.0], name="k06.train.accuracy")]
    )
    assert {training: len(found) for training, found in found.items()} == {"k06.train": 1}


def test_a_band_that_is_missing_malformed_or_older_than_its_training_is_a_problem(catalog):
    one = catalog.only([catalog.find("k06")])
    entry = banding.read()["k06.train"]
    assert banding.problems({"k06.train": entry}, one, ["k06.train"]) == []
    assert "no band" in banding.problems({}, one, ["k06.train"])[0]
    assert (
        "malformed" in banding.problems({"k06.train": entry | {"low": "x"}}, one, ["k06.train"])[0]
    )
    assert (
        "malformed"
        in banding.problems({"k06.train": entry | {"high": [1.0]}}, one, ["k06.train"])[0]
    )
    assert (
        "from 3 seeds of 20"
        in banding.problems({"k06.train": entry | {"seeds": 3}}, one, ["k06.train"])[0]
    )
    if banding.marks.is_comparable(entry):
        assert (
            "has changed"
            in banding.problems({"k06.train": entry | {"of": "k06-0"}}, one, ["k06.train"])[0]
        )


def test_the_file_of_bands_is_what_is_written():
    entries = banding.read()
    assert tomllib.loads(banding.to_toml(entries)) == entries
    assert banding.FILE.read_text(encoding="utf-8") == banding.to_toml(entries)
