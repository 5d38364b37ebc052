"""The part "promises" of the validation: each defect of a kata's list, made on purpose, is told in
a sentence, and what was not looked at is not called right.
"""

import pytest
from typer.testing import CliRunner

from dojo.results import KataResult, Outcome, TaskResult, TestResult
from dojo.validate import commands, exams, promise_files, promises
from dojo.validate.passages import passages
from dojo.validate.promise_files import PromisesError

STUB = '''"""A sum.

Adding is old.

What to do: add two numbers. To see it:
    python -m katas.k98_sum
"""


class Sum:
    """Adds up.

    Args:
        first: a number, such as 2.5 or 3. Never None.
        second: another
            one.

    Returns:
        first plus second; as a float.
    """

    def add(self, first: int, second: int = 1) -> int:
        """The sum."""
        # TODO add: no loop
        #     is needed
        raise NotImplementedError("add")


def twice(number: int) -> int:
    """The sum."""
    # TODO twice: use add
    raise NotImplementedError("twice")
'''
GOOD = """
[[promise]]
says = "For each x1"
tests = ["test_the_model_is_undecided_there"]
questions = ["boundary"]
mistakes = ["points of its own instead of x1"]
[[explanation]]
says = "Probability of class 1 for each example."
why = "forward says it"
"""
MISTAKE = "points of its own instead of x1"
TEST = "test_the_model_is_undecided_there"


def test_a_stub_is_taken_apart_into_sentences():
    due = [(part.place, part.sentences) for part in passages(STUB) if part.is_due]
    assert due == [
        ("the lesson", ("What to do: add two numbers.", "To see it: python -m katas.k98_sum")),
        (
            "Sum",
            (
                "Adds up.",
                "first: a number, such as 2.5 or 3.",
                "Never None.",
                "second: another one.",
                "first plus second; as a float.",
            ),
        ),
        ("Sum.add", ("The sum.",)),
        ("twice", ("The sum.",)),
        ("Sum.add", ("no loop is needed",)),
        ("twice", ("use add",)),
    ]
    tasks = {part.place: part.tasks for part in passages(STUB)}
    assert tasks == {"the lesson": (), "Sum": ("add",), "Sum.add": ("add",), "twice": ("twice",)}


@pytest.mark.parametrize(
    ("quotes", "left"),
    [
        ([], ["Adds up.", "first: a number, such as 2.5 or 3."]),
        (["Adds up", "first: a number, such as 2.5 or 3"], []),
        (["Adds up.", "first:", "such as"], ["a number,", "2.5 or 3."]),
        (["Adds up.", "first: a num", "such as 2.5 or 3"], ["first: a number,"]),
        (["Adds up. first: a number, such as 2.5 or 3."], []),
    ],
)
def test_what_no_quote_covers_is_left(quotes, left):
    part = next(part for part in passages(STUB) if "Adds up." in part.sentences)
    assert part.left(
        [*quotes, "Never None. second: another one. first plus second; as a float"]
    ) == (left)


@pytest.fixture
def kata(catalog):
    return catalog.find("k06")


@pytest.fixture
def faults(kata, tmp_path):
    """A list → what is wrong with it as such, apart from what it leaves out."""

    def look(text: str) -> list[str]:
        promise_files.path_of(kata, tmp_path).write_text(text)
        found = promise_files.load(kata, tmp_path)
        parts = promises.passages_of(kata)
        told = promises.faults_of_list(kata, found, parts)
        return [fault for fault in told if "neither a promise" not in fault]

    return look


def test_a_good_list_has_no_faults(faults):
    assert faults(GOOD) == []


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("For each x1", "For every x1", "'For every x1' does not stand in the stub"),
        ("For each x1", "on the same device", "'on the same device' stands in several places"),
        ("[[promise]]", '[[promise]]\nof = "train"', "does not stand in the stub of train"),
        (f'tests = ["{TEST}"]', "", "is promised, and no test is named"),
        ('questions = ["boundary"]', "", "is promised, and no question is named"),
        (f'mistakes = ["{MISTAKE}"]', "", "is promised, and no mistake is named"),
        (f'["{TEST}"]', '["test_it"]', "there is no test 'test_it'"),
        ('["boundary"]', '["border"]', "there is no question 'border'"),
        (f'["{MISTAKE}"]', '["a slip"]', "there is no mistake 'a slip'"),
        ('"forward says it"', '" "', "is explained without a reason"),
        ('["boundary"]', '["boundary"]\nwithout_question = "x"', "and says why it has none"),
    ],
)
def test_each_defect_of_a_list_is_told(faults, old, new, says):
    assert old in GOOD
    (fault,) = faults(GOOD.replace(old, new, 1))
    assert says in fault and "reference/promises/k06_logistic_regression.toml: " in fault


def test_an_excuse_with_a_reason_stands_for_a_question_and_is_told(kata, faults, tmp_path):
    text = GOOD.replace('questions = ["boundary"]', 'without_question = "nothing can ask it"')
    assert faults(text) == []
    (note,) = promises.excuses(kata, promise_files.load(kata, tmp_path))
    assert "1 promises that no test, or no question, can ask" in note
    assert "nothing can ask it" in note


def test_a_sentence_that_is_left_out_is_told(kata, tmp_path):
    text = promise_files.path_of(kata).read_text()
    here = text.index('[[promise]]\nsays = ", without gradient."')
    promise_files.path_of(kata, tmp_path).write_text(text[:here])
    found = promise_files.load(kata, tmp_path)
    (fault,) = promises.faults_of_list(kata, found, promises.passages_of(kata))
    assert fault.endswith(
        "decision_boundary: 'without gradient.' is neither a promise nor an explanation"
    )


@pytest.mark.parametrize(
    "text",
    ["[[promise]", "[[promise]]\nsays = 3", '[[promise]]\nsays = "a"\ntest = ["b"]', "[promise]\n"],
)
def test_a_malformed_list_is_told(kata, tmp_path, text):
    promise_files.path_of(kata, tmp_path).write_text(text)
    with pytest.raises(PromisesError, match=r"k06_logistic_regression\.toml is malformed: "):
        promise_files.load(kata, tmp_path)


def result(kata, outcomes: dict[tuple[str, str], Outcome]) -> KataResult:
    """A result where these tests, (task, name), came out so."""
    tasks = dict.fromkeys(task for task, _ in outcomes)
    return KataResult(
        kata.name,
        kata.stage,
        tuple(
            TaskResult(task, tuple(TestResult(n, o) for (t, n), o in outcomes.items() if t == task))
            for task in tasks
        ),
    )


@pytest.mark.parametrize(
    ("outcomes", "caught"),
    [
        ({("boundary", TEST): Outcome.FAILED}, True),
        ({("boundary", f"{TEST}[11]"): Outcome.PASSED, ("boundary", f"{TEST}[1]"): "failed"}, True),
        ({("boundary", "test_gives_no_gradient"): Outcome.FAILED}, False),
        ({("boundary", TEST): Outcome.BLOCKED}, False),
        ({("boundary", TEST): Outcome.ERROR}, False),
        ({("boundary", TEST): Outcome.PASSED}, False),
    ],
)
def test_a_mistake_has_to_be_caught_by_the_named_test(kata, tmp_path, outcomes, caught):
    promise_files.path_of(kata, tmp_path).write_text(GOOD)
    parts, found = promises.passages_of(kata), promise_files.load(kata, tmp_path)
    outcomes = {place: Outcome(outcome) for place, outcome in outcomes.items()}
    told = promises.faults_of_tests(kata, found, parts, {MISTAKE: result(kata, outcomes)})
    assert (not told) == caught
    if not caught:
        assert f"the mistake '{MISTAKE}' is not caught by {TEST}" in told[0]


@pytest.mark.parametrize(("task", "caught"), [("boundary", True), ("train", False)])
def test_a_test_of_the_same_name_in_another_task_does_not_count(kata, tmp_path, task, caught):
    text = GOOD.replace(TEST, "test_follows_its_device")
    promise_files.path_of(kata, tmp_path).write_text(text)
    parts, found = promises.passages_of(kata), promise_files.load(kata, tmp_path)
    seen = {MISTAKE: result(kata, {(task, "test_follows_its_device"): Outcome.FAILED})}
    assert (promises.faults_of_tests(kata, found, parts, seen) == []) == caught


def test_a_test_that_is_named_in_vain_is_told(kata, tmp_path):
    text = GOOD.replace(f'["{TEST}"]', f'["{TEST}", "test_gives_no_gradient"]')
    promise_files.path_of(kata, tmp_path).write_text(text)
    parts, found = promises.passages_of(kata), promise_files.load(kata, tmp_path)
    seen = {MISTAKE: result(kata, {("boundary", TEST): Outcome.FAILED})}
    (told,) = promises.faults_of_tests(kata, found, parts, seen)
    assert "the test test_gives_no_gradient catches none of its mistakes" in told


@pytest.mark.parametrize(
    ("refusals", "refused"),
    [
        ({MISTAKE: ("boundary",)}, True),
        ({MISTAKE: ("boundary_on_another_device",)}, False),
        ({MISTAKE: ()}, False),
        ({}, False),
    ],
)
def test_a_mistake_has_to_be_refused_by_the_named_question(kata, tmp_path, refusals, refused):
    promise_files.path_of(kata, tmp_path).write_text(GOOD)
    found = promise_files.load(kata, tmp_path)
    told = promises.faults_of_questions(kata, found, refusals)
    assert (not told) == refused
    if not refused:
        assert f"the mistake '{MISTAKE}' is not refused by boundary" in told[0]


@pytest.fixture
def nothing_runs(monkeypatch):
    """No mistake is tried, and no record says what questions refuse."""
    monkeypatch.setattr(promises, "run_patched", lambda chosen, kind: ([], []))
    monkeypatch.setattr(exams, "recorded_refusals", lambda kata: None)


@pytest.mark.usefixtures("nothing_runs")
def test_questions_without_a_record_are_not_checked(catalog, kata):
    finding = promises.recorded(catalog.only([kata]))
    assert finding.unchecked and finding.problems == []
    assert finding.scope.endswith("by questions 0") and "not recorded" in finding.notes[0]


@pytest.mark.usefixtures("nothing_runs")
def test_a_kata_without_a_list_is_a_problem_unless_it_is_not_yet_its_turn(
    catalog, kata, monkeypatch
):
    monkeypatch.setattr(promises, "load", lambda kata: None)
    (problem,) = promises.recorded(catalog.only([kata])).problems
    assert "reference/promises/k06_logistic_regression.toml is missing" in problem
    monkeypatch.setattr(promises, "NOT_YET", frozenset({"k06"}))
    finding = promises.recorded(catalog.only([kata]))
    assert finding.unchecked and finding.problems == []
    assert "1 katas are not listed yet: k06" in finding.notes[0]


def test_the_katas_whose_turn_has_not_come_have_no_list(catalog):
    listed = {kata.short for kata in catalog.katas if promise_files.path_of(kata).exists()}
    assert {kata.short for kata in catalog.katas} - listed == promises.NOT_YET


def test_what_is_left_out_is_printed_ready_to_fill_in(kata, monkeypatch):
    monkeypatch.setattr(promises, "load", lambda kata: None)
    printed = CliRunner().invoke(commands.app, ["promises", "k06"]).output
    assert '[[promise]]\nsays = "x -> linear -> sigmoid -> y_hat"\ntests = []\n' in printed
    assert "# LogisticRegression.forward; or [[explanation]]" in printed
    monkeypatch.undo()
    done = CliRunner().invoke(commands.app, ["promises", "k06"]).output
    assert done == "# Every sentence of k06_logistic_regression is accounted for.\n"
