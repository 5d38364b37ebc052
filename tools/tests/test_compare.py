"""`check compare`: what is shown of both solutions, and that it comes after green only."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dojo import ROOT
from dojo.check import compare
from dojo.check.compare import CodePair, NotComparable, parts
from dojo.stubs import stub_of
from dojo.validate import patches

KATA = "k06_logistic_regression"
REFERENCE = '''
class Net:
    """A net."""

    def __init__(self):
        """Of one layer."""
        super().__init__()
        # BEGIN SOLUTION model: make a layer
        #     of any size
        self.layer = Linear(1)
        # END SOLUTION

    def forward(self, x):
        # BEGIN SOLUTION model: use it
        return self.layer(x)
        # END SOLUTION


def train(net):
    # BEGIN SOLUTION train: learn
    return loss(net)
    # END SOLUTION


ANSWERS = {
    # BEGIN SOLUTION first: the letters
    "first": {"A"},
    # END SOLUTION
    # BEGIN SOLUTION second: the letters
    "second": {"B"},
    # END SOLUTION
}
'''
TASKS = ["model", "train", "first", "second"]


def test_a_task_is_every_function_with_a_solution_of_it():
    init, forward = parts(REFERENCE, REFERENCE, "model")
    assert init == CodePair(
        "Net.__init__",
        ("def __init__(self):", "    super().__init__()", "    self.layer = Linear(1)"),
        ("def __init__(self):", "    super().__init__()", "    self.layer = Linear(1)"),
        same=True,
    )
    assert forward.name == "Net.forward"


def test_the_stubs_words_are_left_out_and_the_learners_stay():
    yours = stub_of(REFERENCE, TASKS).replace(
        'raise NotImplementedError("model")', "self.layer = mine()  # why", 1
    )
    init, _ = parts(yours, REFERENCE, "model")
    assert init.yours == (
        "def __init__(self):",
        "    super().__init__()",
        "    self.layer = mine()  # why",
    )
    assert not init.same


def test_layout_comments_and_docstrings_make_no_other_code():
    yours = REFERENCE.replace(
        "    return loss(net)", '    """Mine."""\n    # and mine\n    return loss( net )'
    )
    (train,) = parts(yours, REFERENCE, "train")
    assert train.same
    assert not parts(yours.replace("loss( net )", "loss(net, 1)"), REFERENCE, "train")[0].same


def test_an_entry_of_a_dict_is_compared_alone():
    (entry,) = parts(REFERENCE.replace('"second": {"B"}', '"second": {"A"}'), REFERENCE, "second")
    assert (entry.yours, entry.reference) == (('"second": {"A"},',), ('"second": {"B"},',))


def test_helpers_of_ones_own_are_shown_where_they_are_used():
    yours = (
        REFERENCE.replace("return loss(net)", "return my_loss(net)")
        + "\n\ndef my_loss(net):\n    return 0\n\n\ndef unused():\n    return 1\n"
    )
    train, helper = parts(yours, REFERENCE, "train")
    assert train.yours == ("def train(net):", "    return my_loss(net)")
    assert helper == CodePair("my_loss", ("def my_loss(net):", "    return 0"), ())


def test_a_method_of_ones_own_is_shown_too():
    yours = REFERENCE.replace(
        "return self.layer(x)", "return self.both(x)\n\n    def both(self, x):\n        return x"
    )
    assert [part.name for part in parts(yours, REFERENCE, "model")] == [
        "Net.__init__",
        "Net.forward",
        "Net.both",
    ]


def test_what_is_defined_otherwise_is_told_and_not_an_error():
    (train,) = parts(REFERENCE.replace("def train(net):", "def learn(net):"), REFERENCE, "train")
    assert (train.yours, train.same) == ((), False)
    (assigned,) = parts("train = lambda net: loss(net)\n", REFERENCE, "train")
    assert assigned.yours == ("train = lambda net: loss(net)",)


def test_a_file_that_is_no_python_is_refused():
    with pytest.raises(NotComparable, match="not valid Python"):
        parts("def f(:", REFERENCE, "train")


def test_every_task_of_every_reference_can_be_compared(catalog):
    for kata in catalog.katas:
        reference = kata.reference_text()
        for task in kata.tasks:
            found = parts(reference, reference, task.name)
            assert found, f"{kata.short} {task.name}"
            for part in found:
                assert part.same
                assert part.yours == part.reference != ()
                assert "SOLUTION" not in "".join(part.reference)


def test_every_other_right_solution_can_be_compared(catalog):
    for kata in catalog.katas:
        reference = kata.reference_text()
        for variant in patches.load("variant", kata.name):
            yours = variant.apply(reference)
            assert all(parts(yours, reference, task.name) for task in kata.tasks)


def test_what_the_reference_chose_is_told_in_two_or_three_sentences(catalog):
    told = {
        f"{kata.short} {task.name}": task.chose.split(". ")
        for kata in catalog.katas
        for task in kata.tasks
    }
    assert [name for name, sentences in told.items() if len(sentences) not in (2, 3)] == []


def test_lines_of_both_texts_with_their_signs():
    assert compare.differences(["a", "b", "c"], ["a", "x", "c"]) == [
        (" ", "a"),
        ("-", "b"),
        ("+", "x"),
        (" ", "c"),
    ]


def test_far_common_lines_are_left_out():
    old, new = [f"{n}" for n in range(9)], ["x", *(f"{n}" for n in range(1, 8)), "y"]
    assert compare.differences(old, new, context=1) == [
        ("-", "0"),
        ("+", "x"),
        (" ", "1"),
        ("…", ""),
        (" ", "7"),
        ("-", "8"),
        ("+", "y"),
    ]
    assert compare.differences(old, old, context=1) == []


@pytest.fixture(scope="module")
def learner(tmp_path_factory) -> Path:
    """A folder of its own with all that a learner has, in which k06's last task is still open."""
    root = tmp_path_factory.mktemp("learner") / "torch-katas"
    ignore = shutil.ignore_patterns("__pycache__", "*.pyc", ".*.json*")
    for name in ("katas", "reference", "tests", "tools"):
        shutil.copytree(ROOT / name, root / name, ignore=ignore)
    for name in ("conftest.py", "pyproject.toml"):
        shutil.copy(ROOT / name, root / name)
    text = (ROOT / "reference" / f"{KATA}.py").read_text(encoding="utf-8")
    boundary = text.index("    with torch.no_grad():\n        (w1, w2)")
    text = (
        text[:boundary]
        + '    raise NotImplementedError("boundary")\n'
        + text[text.index("\n\nif __name__") :]
    )
    (root / "katas" / f"{KATA}.py").write_text(text.replace("lr=0.05", "lr=0.04"), encoding="utf-8")
    return root


def check(learner: Path, *arguments: str) -> subprocess.CompletedProcess:
    known = {name: value for name, value in os.environ.items() if name != "TORCH_KATAS_PROGRESS"}
    command = [sys.executable, str(learner / "tools" / "check"), *arguments]
    return subprocess.run(
        command,
        capture_output=True,
        encoding="utf-8",
        env=known | {"PYTHONIOENCODING": "utf-8"},
        cwd=learner,
        check=False,
    )


def test_from_the_first_refusal_to_the_comparison(learner):
    """The way of a learner: not checked, checked and green, edited since, checked again."""
    refused = check(learner, "compare", "k06")
    assert refused.returncode == 2
    assert "`python tools/check k06` shows whether it is." in refused.stderr

    assert check(learner, "k06", "--target", "reference").returncode == 0
    assert check(learner, "compare", "k06").returncode == 2, (
        "another folder's check is not the learner's"
    )

    checked = check(learner, "k06")
    assert checked.returncode == 1
    shown = check(learner, "compare", "k06")
    assert shown.returncode == 0
    assert "Net" not in shown.stdout
    assert "LogisticRegression.forward  the same code" in shown.stdout
    assert "  -     optimizer = torch.optim.Adam(model.parameters(), lr=0.04)\n" in shown.stdout
    assert "  +     optimizer = torch.optim.Adam(model.parameters(), lr=0.05)\n" in shown.stdout
    assert "Adam gives each parameter a step size of its own" in shown.stdout
    assert "decision_boundary" not in shown.stdout
    assert "Once green: boundary" in shown.stdout

    one = check(learner, "compare", "k06", "model").stdout
    assert "lr=0.05" not in one
    assert "Once green" not in one
    open_one = check(learner, "compare", "k06", "boundary")
    assert open_one.returncode == 2
    assert open_one.stderr.count("\n") == 1
    assert "once 'boundary' is green" in open_one.stderr
    assert "(w1, w2)" not in open_one.stdout + open_one.stderr

    path = learner / "katas" / f"{KATA}.py"
    path.write_text(path.read_text(encoding="utf-8") + "# a thought\n", encoding="utf-8")
    edited = check(learner, "compare", "k06", "train")
    assert edited.returncode == 2
    assert (
        "Your file or its tests have changed since the last check: run `python tools/check k06`"
        in edited.stderr
    )


def test_a_refusal_names_what_to_do(catalog):
    from dojo.check.state import State, TaskState
    from dojo.results import Outcome

    kata = catalog.find("k06")
    failed = State({KATA: {"train": TaskState(outcome=Outcome.FAILED, judged="a")}})
    assert "hint k06` helps to get there" in compare.refusal(kata, kata.tasks, failed, "a")
    assert "changed since the last check" in compare.refusal(kata, kata.tasks, failed, "b")
