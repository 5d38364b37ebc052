"""Known mistakes are called by their own names, and by no others."""

import pytest

from dojo.diagnosis import Cause, Diagnosis
from dojo.results import KataResult, Outcome, TaskResult, TestResult
from dojo.validate import parts, patches
from dojo.validate.parts import check_mistake
from dojo.validate.patches import Patch, PatchError

KATA = "k06_logistic_regression"
ENTRY = """[[mistake]]
name = "{}"
replace = "a"
by = "b"
caught_by = "test_x"
saying = "{}"
"""


def mistake(name: str, saying: str, also: tuple[str, ...] = (), kata: str = KATA) -> Patch:
    return Patch(kata, name, ("a",), ("b",), "test_x", saying, also)


def told(*causes: str) -> KataResult:
    """A failed test with these likely causes."""
    why = Diagnosis("Not right.", likely=tuple(map(Cause, causes)))
    return KataResult(
        KATA,
        2,
        (TaskResult("model", (TestResult("test_x", Outcome.FAILED, why.text(), diagnosis=why),)),),
    )


def misnamed(mistakes: list[Patch], results: list[KataResult]) -> list[list[str]]:
    return parts.misnamed(list(zip(mistakes, results, strict=True)))


def test_another_mistakes_words_in_a_likely_cause_are_a_wrong_name():
    mistakes = [mistake("no sigmoid", "raw scores"), mistake("two sigmoids", "applied twice")]
    right = misnamed(mistakes, [told("these are raw scores"), told("it is applied twice")])
    assert right == [[], []]
    both = misnamed(
        mistakes, [told("these are raw scores", "it is applied twice"), told("it is applied twice")]
    )
    assert [len(found) for found in both] == [1, 0]
    assert "'no sigmoid': test_x calls it 'two sigmoids': it is applied twice" in both[0][0]


def test_what_a_mistake_may_also_be_called_is_no_wrong_name():
    mistakes = [
        mistake("no sigmoid", "raw scores", also=("two sigmoids",)),
        mistake("two sigmoids", "applied twice"),
    ]
    assert misnamed(
        mistakes, [told("raw scores, or applied twice", "applied twice"), told("applied twice")]
    ) == [[], []]


def test_mistakes_with_one_name_or_of_another_kata_are_no_strangers():
    mistakes = [
        mistake("no sigmoid", "raw scores"),
        mistake("no sigmoid either", "raw scores"),
        mistake("a stranger", "scores", kata="k07_hidden_layer"),
    ]
    results = [told("raw scores"), told("raw scores"), told("the scores are raw")]
    assert misnamed(mistakes, results) == [[], [], []]


def test_words_that_stand_elsewhere_in_the_message_are_no_name():
    mistakes = [mistake("no sigmoid", "raw scores"), mistake("anything", "Not right")]
    assert misnamed(mistakes, [told("raw scores"), told("something else")]) == [[], []]


@pytest.mark.parametrize(
    ("why", "is_named"),
    [
        (Diagnosis("It is tanh.", likely=(Cause("something else"),)), True),
        (Diagnosis("Not right.", likely=(Cause("this is tanh"), Cause("something else"))), True),
        (Diagnosis("Not right.", layers=("layer 1: tanh",)), True),
        (Diagnosis("Not right.", seen="tanh"), True),
        (Diagnosis("Not right.", likely=(Cause("something else"),)), False),
        (None, False),
    ],
)
def test_a_mistake_is_named_by_the_diagnosis_and_not_by_the_learners_own_lines(why, is_named):
    message = (
        f"{why.text() if why else 'No.'}\n\nkatas/k06.py:25, your forward:\n  25 | return tanh(x)"
    )
    result = KataResult(
        KATA,
        2,
        (TaskResult("model", (TestResult("test_x", Outcome.FAILED, message, diagnosis=why),)),),
    )
    assert (check_mistake(mistake("tanh instead of the sigmoid", "tanh"), result) == []) == is_named


def test_a_variant_with_a_diagnosis_is_a_problem():
    passed = KataResult(KATA, 2, (TaskResult("model", (TestResult("test_x", Outcome.PASSED),)),))
    assert parts.undiagnosed(mistake("Adam", ""), passed) == []
    assert (
        "explains what is not wrong: Not right."
        in parts.undiagnosed(mistake("Adam", ""), told("x"))[0]
    )


def test_also_names_a_mistake_of_the_same_kata(tmp_path, monkeypatch):
    monkeypatch.setattr(patches, "ROOT", tmp_path)
    path = tmp_path / "reference" / "mistakes" / f"{KATA}.toml"
    path.parent.mkdir(parents=True)
    two = ENTRY.format("one", "x") + 'also = ["two"]\n' + ENTRY.format("two", "y")
    path.write_text(two, encoding="utf-8")
    assert [patch.also for patch in patches.load("mistake", KATA)] == [("two",), ()]
    path.write_text(two.replace('["two"]', '["three"]'), encoding="utf-8")
    with pytest.raises(
        PatchError, match=r"`also` speaks of \['three'\], and there is no such mistake"
    ):
        patches.load("mistake", KATA)
    path.write_text(two.replace('["two"]', "3"), encoding="utf-8")
    with pytest.raises(PatchError, match="malformed"):
        patches.load("mistake", KATA)
