"""The catalog's names and errors; how outcomes of tests make those of tasks and katas."""

import json
from dataclasses import replace

import pytest

from dojo import catalog as catalogs
from dojo.results import KataResult, Measured, Outcome, TaskResult, TestResult, Verdict, decoded
from dojo.validate.parts import catalog_is_complete


@pytest.mark.parametrize(
    "wanted",
    [
        "6",
        "06",
        "k06",
        "k6",
        "K06",
        "k06_logistic_regression",
        "logistic",
        "katas/k06_logistic_regression.py",
        "test_k06_logistic_regression",
    ],
)
def test_a_kata_is_found_by_number_name_or_part(catalog, wanted):
    assert catalog.find(wanted).name == "k06_logistic_regression"


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        ("logisitc", "nearest is k06_logistic_regression"),
        ("99", "no kata '99'"),
        ("", "no kata ''"),
        ("hidden", "fits several katas: k07"),
    ],
)
def test_an_unknown_kata_gets_the_nearest(catalog, wanted, says):
    with pytest.raises(catalogs.UnknownKata, match=says):
        catalog.find(wanted)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "lists no katas"),
        (b"[[stage]]\nnumber = 1\ntitle = 'x'\n", "lists no katas"),
        (b"[[stage]", "can't be read"),
        (b"\xff\xfe", "can't be read"),
        (b"[[stage]]\nnumber = 1\ntitle = 'x'\n[[stage.kata]]\nname = 'k01_x'\n", "not complete"),
        (b"stage = 3\n", "not complete"),
    ],
    ids=["empty", "no katas", "not TOML", "not UTF-8", "half an entry", "not a list"],
)
def test_a_catalog_that_is_broken_says_how_to_get_it_back(tmp_path, content, says):
    path = tmp_path / "catalog.toml"
    path.write_bytes(content)
    with pytest.raises(catalogs.CatalogError, match=says) as caught:
        catalogs.load(path)
    assert "git checkout" in str(caught.value)


def test_a_catalog_that_is_missing_says_how_to_get_it_back(tmp_path):
    with pytest.raises(catalogs.CatalogError, match="is missing: bring it back"):
        catalogs.load(tmp_path / "none.toml")


def test_a_difficulty_that_is_none_of_the_three_words_is_named(tmp_path):
    text = catalogs.CATALOG.read_text(encoding="utf-8")
    path = tmp_path / "catalog.toml"
    path.write_text(text.replace('difficulty = "hard"', 'difficulty = "hrad"', 1), encoding="utf-8")
    with pytest.raises(catalogs.CatalogError, match="k15_numpy_mlp the difficulty 'hrad': write"):
        catalogs.load(path)


def test_the_catalog_is_complete(catalog):
    assert catalog_is_complete(catalog).problems == []


@pytest.mark.parametrize(
    ("lacks", "says"),
    [
        ({"chose": ""}, "k06 model has no `chose`"),
        ({"chose": " \n"}, "no `chose`"),
        ({"hints": ("one",)}, "k06 model has 1 hints of 4"),
        ({"hints": ("one", "two", "three")}, "k06 model has 3 hints of 4"),
    ],
)
def test_a_task_without_hints_or_without_what_the_reference_chose_is_named(catalog, lacks, says):
    kata = catalog.find("k06")
    short = replace(kata, tasks=(replace(kata.tasks[0], **lacks), *kata.tasks[1:]))
    (problem,) = catalog_is_complete(
        catalogs.Catalog((catalogs.Stage(2, "Linear models", (short,), "fit a line."),))
    ).problems
    assert says in problem


def test_a_stage_that_does_not_say_what_one_can_do_after_it_is_named(catalog):
    stages = (replace(catalog.stages[0], able=" "), *catalog.stages[1:])
    (problem,) = catalog_is_complete(catalogs.Catalog(stages)).problems
    assert "stage 0 has no `able`" in problem


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        ((), Outcome.ERROR),
        ((Outcome.PASSED,), Outcome.PASSED),
        ((Outcome.PASSED, Outcome.SKIPPED), Outcome.PASSED),
        ((Outcome.SKIPPED,), Outcome.SKIPPED),
        ((Outcome.PASSED, Outcome.NOT_STARTED), Outcome.NOT_STARTED),
        ((Outcome.BLOCKED, Outcome.NOT_STARTED), Outcome.BLOCKED),
        ((Outcome.PASSED, Outcome.FAILED, Outcome.BLOCKED), Outcome.FAILED),
        ((Outcome.FAILED, Outcome.ERROR), Outcome.ERROR),
    ],
)
def test_outcome_of_a_task(outcomes, expected):
    assert task(*outcomes).outcome == expected


@pytest.mark.parametrize(
    ("tasks", "expected"),
    [
        ((), Outcome.ERROR),
        (((Outcome.PASSED,), (Outcome.PASSED,)), Outcome.PASSED),
        (((Outcome.PASSED,), (Outcome.SKIPPED,)), Outcome.SKIPPED),
        (((Outcome.PASSED,), ()), Outcome.ERROR),
        (((Outcome.PASSED,), (Outcome.NOT_STARTED,)), Outcome.NOT_STARTED),
        (((Outcome.FAILED,), (Outcome.BLOCKED,)), Outcome.FAILED),
    ],
)
def test_outcome_of_a_kata(tasks, expected):
    assert KataResult("k01", 1, tuple(task(*outcomes) for outcomes in tasks)).outcome == expected


def test_a_verdict_without_katas_is_no_pass():
    assert not Verdict("katas", ()).passed


def test_the_json_document_has_the_promised_shape():
    number = Measured("k01.x", "loss", None, 0.1, True)
    result = TestResult("test_x", Outcome.FAILED, "why", 0.5, "cuda", (number,))
    document = Verdict("katas", (KataResult("k01_x", 1, (TaskResult("a", (result,)),)),)).to_json()
    json.dumps(document, allow_nan=False)
    assert document["target"] == "katas"
    (kata,) = document["katas"]
    assert (kata["name"], kata["stage"], kata["outcome"]) == ("k01_x", 1, Outcome.FAILED)
    (one,) = kata["tasks"]
    assert (one["name"], one["outcome"]) == ("a", Outcome.FAILED)
    (test,) = one["tests"]
    assert {key: test[key] for key in ("name", "outcome", "message", "seconds", "device")} == {
        "name": "test_x",
        "outcome": Outcome.FAILED,
        "message": "why",
        "seconds": 0.5,
        "device": "cuda",
    }
    assert decoded(json.loads(json.dumps(test)), TestResult) == result


@pytest.mark.parametrize(
    "change", [{"outcome": "perfect"}, {"extra": 1}, {"measured": [{"mark": 1}]}]
)
def test_a_report_with_other_fields_is_not_believed(change):
    with pytest.raises((ValueError, TypeError)):
        decoded({"name": "x", "outcome": Outcome.PASSED} | change, TestResult)


def task(*outcomes: str) -> TaskResult:
    return TaskResult(
        "a", tuple(TestResult(f"test_{number}", outcome) for number, outcome in enumerate(outcomes))
    )
