"""The reader of the learner's source: nothing in right code, and what comes first of what test and
source say.
"""

import ast
from pathlib import Path

import pytest

from dojo import ROOT
from dojo.catalog import load
from dojo.diagnosis import Cause, Diagnosis, identified
from dojo.stubs import is_begun, open_regions, stub_of
from dojo.suite import syntax
from dojo.suite.source import evidence
from dojo.suite.source.classics import CLASSICS, DETECTORS, Slip, findings
from dojo.suite.source.code import Code
from dojo.validate import patches

STEP = Slip("backward-missing", 7, 7, ("optimizer.step",), CLASSICS["backward-missing"])
SUM = Slip("summed-loss", 3, 3, (), CLASSICS["summed-loss"])
RAISE = 'raise NotImplementedError("model")'
GUESS, TOLD = Cause("a guess"), Cause("the wrong sign", told=True)


def test_every_classic_has_a_detector_and_every_detector_a_text():
    assert DETECTORS.keys() == CLASSICS.keys()


def test_nothing_is_found_in_right_code():
    """References, variants, stubs and what is given."""
    texts = [path.read_text(encoding="utf-8") for path in ROOT.glob("katas/**/*.py")]
    for kata in load().katas:
        text = kata.reference_text()
        texts += [text, *(patch.apply(text) for patch in patches.load("variant", kata.name))]
    assert len(texts) > 180
    for text in texts:
        found = [one for one in findings(text, Code(text).top) if one.classic.sure]
        assert not found, (found, text)


@pytest.mark.parametrize("folder", [Path(ast.__file__).parent / "json", ROOT / "tools/dojo/suite"])
def test_a_detector_takes_whatever_code_there_is(folder):
    for path in folder.rglob("*.py"):
        findings(path.read_text(encoding="utf-8"), ["main"])


def merged(*likely: Cause, headline: str = "The loss is off.", error: str = "", found=(STEP,)):
    return evidence.merged(Diagnosis(headline, likely=likely), error, {1}, found).likely


def test_a_unique_told_cause_stays_first_and_alone_told():
    first, second = merged(TOLD)
    assert first == TOLD
    assert (second.id, second.told) == ("source.backward-missing", False)


def test_the_source_replaces_guesses_and_several_told_causes():
    for likely in [(GUESS,), (TOLD, Cause("another", told=True))]:
        (cause,) = merged(*likely)
        assert (cause.id, cause.told) == ("source.backward-missing", True)
        assert cause.text.startswith("line 7: loss.backward() is missing")


def test_where_values_tell_the_same_mistake_the_source_says_its_line():
    (cause,) = merged(Cause("no step changed it", told=True))
    assert cause.id == "source.backward-missing"


def test_what_cannot_have_led_to_this_failure_is_not_spoken_of():
    assert merged(GUESS, headline="Not the right dtype.") == (GUESS,)
    assert merged(GUESS, error="IndexError: list index out of range") == (GUESS,)


def test_what_right_code_may_hold_is_offered_last_and_never_told():
    first, second = merged(GUESS, found=(SUM,))
    assert first == GUESS
    assert (second.id, second.told) == ("source.summed-loss", False)


def test_only_what_the_test_used_is_read():
    text = "def f():\n    g()\n\ndef g():\n    loss.backward\n\ndef h():\n    loss.backward\n"
    assert [one.line for one in findings(text, ["f"])] == [5]
    assert findings("def f(:\n", ["f"]) == []


def test_a_cause_of_a_test_has_one_id_whatever_the_numbers_and_names():
    ids = {
        identified(Cause(text), "k06.train").id
        for text in ("3 of 10 are off: self.a", "4 of 9 are off: self.b")
    }
    assert len(ids) == 1
    assert ids.pop().startswith("k06.train.of-are-off-")
    assert identified(Cause("x", id="error.name"), "k06.train").id == "error.name"


def test_no_stub_is_begun():
    for kata in load().katas:
        stub = stub_of(kata.reference_text(), [task.name for task in kata.tasks])
        for line in (n for n, text in enumerate(stub.splitlines(), 1) if "raise NotImpl" in text):
            assert not is_begun(stub, line), (kata.name, line)


@pytest.mark.parametrize(
    "body",
    [
        ["# TODO model: it", "self.x = 1", RAISE],
        ["# TODO model: it", RAISE, "self.x = 1"],
        ["self.x = nn.Linear(1, 2)", RAISE],
    ],
)
def test_code_beside_a_stubs_raise_is_begun(body):
    lines = ["super().__init__()", *body]
    source = "class A(nn.Module):\n    def __init__(self):\n        " + "\n        ".join(lines)
    assert is_begun(source, open_regions(source)["model"])


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("x = \u201cred\u201d\n", "curly"),
        ("x = 1 \u2013 2\n", "none of Python's"),
        ("def f():\n    a = 1\n\tb = 2\n", "begins with a tab"),
        ("def f():\n    a = 1\n  b = 2\n", "each level is 4 spaces"),
        ("def f():\nreturn 1\n", "4 spaces further right"),
        ("x = (1\n", "never closed"),
        ("x = 1)\n", "no partner"),
        ("for x in y\n    pass\n", "colon is missing"),
        ("x = 'a\n", "closing quote"),
        ("if x = 1:\n    pass\n", "== compares"),
        ("return 1\n", "too far left"),
        ("i++\n", "i += 1"),
        ("x = a && b\n", "`and`"),
        ("if a:\n    pass\nelse if b:\n    pass\n", "elif"),
        ("import scikit-learn\n", "sklearn"),
        ("x = [1 2]\n", "a comma, or an operator"),
        ("x = 1 2\n", None),
    ],
)
def test_a_syntax_error_is_named_where_its_line_shows_it(source, says):
    with pytest.raises(SyntaxError) as caught:
        compile(source, "k06.py", "exec")
    cause = syntax.cause(caught.value, source)
    assert says in cause.text if says else cause is None


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("import pandas", "not among the packages that a kata can use: torch, numpy"),
        ("import pytorch", "is torch meant?"),
        ("import sklearn.dataset", "is sklearn.datasets meant?"),
        ("from torch import nn, Tensors", "is Tensor meant?"),
        ("from katas import gven", "is given meant?"),
        ("input()", "nobody sits before a test"),
    ],
)
def test_an_import_that_fails_and_input_say_what_to_do(judge, line, says):
    test = judge(f"import torch\n{line}\n").tasks[0].first_problem
    assert says in test.diagnosis.likely[0].text
    assert test.diagnosis.is_told
    assert "captured" not in test.message


def test_a_variable_does_not_lead_to_the_function_of_its_name():
    """The rows `train` of a split are not the training."""
    slip = (
        "def train(model, x):\n    for _ in range(9):\n        loss = model(x).mean()\n"
        "        loss.backward()\n        optimizer.step()\n        loss.append(loss.item)\n"
    )
    split = "def split(x):\n    train, rest = cut(x)\n    return train, rest\n"
    assert findings(slip + split, ["split"]) == []
    calls = "def split(x):\n    return train(x, x)\n"
    assert findings(slip + calls, ["split"])
