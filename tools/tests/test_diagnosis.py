"""Why a test failed: as a record, as the message of it, and told by evidence where there is
some.
"""

import json
from dataclasses import asdict, replace

import pytest
import torch
from helpers import by_name
from torch import nn

from dojo.curve import Band, Curve
from dojo.diagnosis import MOST_CHARACTERS, Cause, Diagnosis
from dojo.results import KataResult, Outcome, TaskResult, TestResult, Verdict, decoded
from dojo.suite import feedback
from dojo.suite.loader import KataUnusable, MissingName, load
from tests.support import expect

FORWARD = "return self.sigmoid(self.linear(x))"
WHY = Diagnosis(
    "Not right.",
    "1\n2",
    "3",
    (Cause("one", told=True, id="k06.train.one"), Cause("two")),
    "Why?",
    ("layer 1: (8, 2) -> (8, 4)",),
    Curve(3, (1.0, None, 0.5), Band(3, (1.0, 0.1), (1.1, 0.2), 20), "flat"),
    "katas/k06.py:3",
)
PRETENDER = """class Unmet(AssertionError):
    diagnosis = {"headline": 7}


"""


def failed(check, *arguments, **named) -> Diagnosis:
    with pytest.raises(expect.Unmet) as caught:
        check(*arguments, **named)
    assert str(caught.value) == caught.value.diagnosis.text()
    return caught.value.diagnosis


def test_the_message_says_all_causes_the_likeliest_first_and_what_to_do_next():
    lines = replace(WHY, curve=None).text().splitlines()
    assert lines == [
        "Not right.",
        "  seen:      1",
        "             2",
        "  expected:  3",
        "  layers:    layer 1: (8, 2) -> (8, 4)",
        "  likely:    one",
        "  or:        two",
        "  next:      Why?",
    ]
    assert Diagnosis("Not right.").text() == "Not right."


def test_it_travels_as_json_and_comes_back_the_same():
    result = TestResult("test_x", Outcome.FAILED, WHY.text(), diagnosis=WHY)
    document = Verdict("katas", (KataResult("k01_x", 1, (TaskResult("a", (result,)),)),)).to_json()
    fields = json.loads(json.dumps(document, allow_nan=False))["katas"][0]["tasks"][0]["tests"][0]
    assert fields["diagnosis"]["likely"] == [
        {"text": "one", "told": True, "id": "k06.train.one"},
        {"text": "two", "told": False, "id": ""},
    ]
    assert fields["diagnosis"]["where"] == "katas/k06.py:3"
    assert decoded(fields, TestResult) == result
    assert decoded({"name": "x", "outcome": Outcome.PASSED}, TestResult).diagnosis is None


def test_a_record_that_is_older_than_the_ids_of_causes_can_be_read():
    cause = {"text": "one", "told": True}
    fields = {
        "name": "x",
        "outcome": Outcome.FAILED,
        "diagnosis": asdict(WHY) | {"likely": [cause]},
    }
    assert decoded(fields, TestResult).diagnosis.likely == (Cause("one", told=True),)


@pytest.mark.parametrize(
    "change",
    [
        {"headline": 7},
        {"seen": None},
        {"extra": ""},
        {"likely": [{"text": "x", "told": 1}]},
        {"likely": ["x"]},
        {"likely": [{"told": True}]},
        {"likely": [{"text": "x", "more": 1}]},
        {"layers": [1]},
        {"curve": {"epochs": 3, "losses": [1.0] * 201, "band": None, "kind": ""}},
        {"curve": {"epochs": 3, "losses": [float("nan")], "band": None, "kind": ""}},
        {"curve": {"epochs": 3, "losses": ["1"], "band": None, "kind": ""}},
        {
            "curve": {
                "epochs": 3,
                "losses": [1.0],
                "band": {"epochs": 3, "low": [1.0, 2.0], "high": [], "seeds": 1},
                "kind": "",
            }
        },
    ],
)
def test_a_diagnosis_with_other_fields_is_not_believed(change):
    with pytest.raises((ValueError, TypeError, KeyError)):
        decoded(
            {"name": "x", "outcome": Outcome.FAILED, "diagnosis": asdict(WHY) | change}, TestResult
        )


def test_a_diagnosis_without_its_headline_is_not_believed():
    fields = {name: value for name, value in asdict(WHY).items() if name != "headline"}
    with pytest.raises(ValueError, match="headline"):
        decoded({"name": "x", "outcome": Outcome.FAILED, "diagnosis": fields}, TestResult)


def test_what_passed_has_no_diagnosis():
    with pytest.raises(ValueError, match="a diagnosis of a test that is passed"):
        decoded({"name": "x", "outcome": Outcome.PASSED, "diagnosis": asdict(WHY)}, TestResult)


def test_of_several_causes_that_fit_the_evidence_none_is_told():
    causes = {
        "halved": torch.tensor([0.5, 1.0]),
        "doubled": torch.tensor([2.0, 4.0]),
        "added": torch.tensor([2.0, 4.0]),
    }
    why = failed(
        expect.close, torch.tensor([2.0, 4.0]), torch.tensor([1.0, 2.0]), what="It", causes=causes
    )
    assert why.likely == (Cause("doubled"), Cause("added"))
    assert not why.is_told
    assert why.pointer
    del causes["added"]
    why = failed(
        expect.close, torch.tensor([2.0, 4.0]), torch.tensor([1.0, 2.0]), what="It", causes=causes
    )
    assert (why.likely, why.pointer) == ((Cause("doubled", told=True),), "")


@pytest.mark.parametrize(
    ("check", "seen", "expected"),
    [
        (expect.close, torch.tensor([2.0, 5.0]), torch.tensor([1.0, 2.0])),
        (expect.shape, torch.zeros(2, 3), (3, 2)),
        (expect.dtype, torch.zeros(2), torch.int64),
        (expect.equal, "a", "b"),
        (expect.on_device, torch.zeros(2), torch.device("meta")),
    ],
)
def test_without_evidence_no_cause_is_told_and_a_question_leads_on(check, seen, expected):
    why = failed(check, seen, expected, what="It")
    assert not why.is_told
    assert why.leads_on


@pytest.mark.parametrize(
    ("seen", "says"),
    [
        ([3.0, 6.0, 9.0], "3 times the expected one"),
        ([-1.0, -2.0, -3.0], "the sign is off"),
        ([1.0, 2.0, 4.0], "1 of 3 numbers is off: it is at position [2], 4 and not 3"),
        ([float("nan"), 2.0, 3.0], "first at position [0]: NaN comes from 0 / 0"),
        ([1.0, float("inf"), 3.0], "first at position [1]: a number divided by 0"),
        ([0.0, 0.0, 0.0], "all zeros"),
        ([2.0, 3.0, 4.0], "no number is right"),
    ],
)
def test_numbers_by_themselves_suggest_a_cause(seen, says):
    assert (
        says
        in failed(expect.close, torch.tensor(seen), torch.tensor([1.0, 2.0, 3.0]), what="It")
        .likely[0]
        .text
    )


def test_a_factor_is_only_told_where_the_numbers_differ_from_each_other():
    why = failed(expect.close, torch.tensor([3.0, 3.0]), torch.tensor([0.5, 0.5]), what="It")
    assert "times" not in why.likely[0].text


def test_layers_in_a_plain_list_are_found_and_named():
    model = nn.Module()
    model.parts, model.sizes = [nn.Linear(2, 1)], [2, 1]
    why = failed(expect.gradients_reach, model)
    assert why.likely == (
        Cause(
            "a plain list hides its layers from torch: self.parts has to be an nn.ModuleList",
            told=True,
        ),
    )


def test_a_layer_without_gradient_is_unused_sooner_than_cut_off():
    model = nn.Sequential(nn.Linear(2, 1), nn.Linear(2, 1))
    model[0](torch.ones(1, 2)).sum().backward()
    assert "not used in forward" in failed(expect.gradients_reach, model).likely[0].text
    assert "cut by detach()" in failed(expect.gradients_reach, nn.Linear(2, 1)).likely[0].text


def test_each_failure_of_a_file_has_a_diagnosis_that_leads_on(judge, reference):
    tests = by_name(judge(reference.replace(FORWARD, "return self.linear(x)")))
    assert {test.outcome for test in tests.values()} > {Outcome.FAILED, Outcome.PASSED}
    for test in tests.values():
        assert (test.diagnosis is not None) == (test.outcome == Outcome.FAILED)
        assert test.diagnosis is None or test.diagnosis.leads_on
    test = tests["test_output_is_the_sigmoid_of_the_scores[1]"]
    (cause,) = test.diagnosis.likely
    assert cause.text == "these are the raw scores: self.sigmoid is not applied to them"
    assert cause.told
    assert cause.id.startswith("k06.model.these-are-the-raw-")
    assert test.message.startswith(test.diagnosis.text())
    assert test.diagnosis.where in test.message


def explained(tmp_path, line: str) -> Diagnosis:
    """The diagnosis of an error that a line of a learner's function raises."""
    path = tmp_path / "k06_logistic_regression.py"
    path.write_text(f"{PRETENDER}def f(x):\n    {line}\n", encoding="utf-8")
    kata = load(path)
    try:
        kata.f(torch.ones(2))
    except Exception as error:
        return feedback.explain(error, path, kata, "it works", 10, "Read the test.")[0]
    raise AssertionError("the line raised nothing")


@pytest.mark.parametrize(
    ("line", "says", "is_told"),
    [
        ("x.nothing()", "has nothing called 'nothing'", True),
        ("x @ torch", "nothing is called 'torch' here", True),
        ("raise OSError('no')", "the error's own words say", False),
        ("raise OSError('x' * 100_000)", "the error's own words say", False),
        ("raise Unmet('tricked')", "the error's own words say", False),
        ("assert len(x) == 3", "the error's own words say", False),
    ],
)
def test_an_error_is_explained_with_its_line(tmp_path, line, says, is_told):
    why = explained(tmp_path, line)
    assert says in why.likely[0].text
    assert (why.is_told, bool(why.pointer)) == (is_told, not is_told)
    assert why.where.endswith("k06_logistic_regression.py:6")
    assert len(why.text()) < 2 * MOST_CHARACTERS


@pytest.mark.parametrize(
    ("source", "says"),
    [
        (b"def f(:\n", ".py:1 is not valid Python"),
        (b"caf\xe9\n", ".py:1 is not UTF-8 text"),
        (None, "can't be read"),
    ],
)
def test_a_file_that_cannot_be_used_is_explained(tmp_path, source, says):
    path = tmp_path / "k06_logistic_regression.py"
    if source is not None:
        path.write_bytes(source)
    with pytest.raises(KataUnusable) as caught:
        load(path)
    why = caught.value.diagnosis
    assert says in why.headline
    assert why.seen
    assert why.expected
    assert why.leads_on


def test_a_missing_name_names_the_nearest(tmp_path):
    path = tmp_path / "k06_logistic_regression.py"
    path.write_text("def decision_boundry(): ...\n", encoding="utf-8")
    with pytest.raises(MissingName) as caught:
        _ = load(path).decision_boundary
    why = caught.value.diagnosis
    assert (why.seen, why.expected) == (
        "a name like it: decision_boundry",
        "decision_boundary, as in the stub",
    )
    assert why.leads_on
