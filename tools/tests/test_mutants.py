"""Mutants: which are made, how they are judged and kept, and what is said of the survivors."""

import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dojo.results import KataResult, Outcome, TaskResult, TestResult
from dojo.validate import commands, mutants, test_files
from dojo.validate.mutants import Mutant, MutantFigures, MutantReport, MutantsError

SOURCE = '''"""Adds 1."""

START = 1


class Box:
    """Holds 1."""

    def add(self, numbers: list[int], more: int = 2) -> int:
        """Adds 2."""
        # BEGIN SOLUTION add: from 3 on
        #     and on
        total: "list[4]" = 3  # not 5
        self.note(total)
        return total + more
        # END SOLUTION

    def note(self, total):
        return total + 7
'''


@pytest.fixture
def made():
    return mutants.generate(SOURCE)


@pytest.fixture
def kata(catalog, monkeypatch, tmp_path):
    """A kata whose results are kept in a folder of the test's own."""
    monkeypatch.setattr(mutants, "KEPT", tmp_path / "kept")
    return catalog.find("k06")


def test_only_code_in_solution_regions_is_mutated(made):
    assert {mutant.diff for mutant in made} == {
        'in Box.add:\n- total: "list[4]" = 3  # not 5\n+ total: "list[4]" = None  # not 5',
        'in Box.add:\n- total: "list[4]" = 3  # not 5\n+ total: "list[4]" = 4  # not 5',
        "in Box.add:\n- self.note(total)\n+ self.note(None)",
        "in Box.add:\n- self.note(total)\n+ pass",
        "in Box.add:\n- return total + more\n+ return total - more",
    }


def test_a_mutant_is_the_whole_file_with_one_change(made):
    for mutant in made:
        assert SOURCE.replace(mutant.before, mutant.after) == mutant.text


def test_its_key_does_not_change_when_lines_move(made):
    moved = mutants.generate("import math\n\n" + SOURCE)
    assert [mutant.key for mutant in moved] == [mutant.key for mutant in made]


def test_a_mutant_that_is_no_python_is_left_out():
    source = (
        "def f():\n    # BEGIN SOLUTION f: one\n    g(*a, *b)\n    g(lambda: 1, b=2)\n    # END"
        " SOLUTION\n"
    )
    for mutant in mutants.generate(source):
        compile(mutant.text, "mutant", "exec")
    assert not mutants._is_python("def f(:")


def test_what_is_known_is_not_judged_again(kata, made, monkeypatch):
    judged = pretend(monkeypatch, lambda text: "" if "pass" in text else "test_total")
    first = mutants.judge(kata, made, nothing)
    assert [bool(killer) for killer in first] == ["pass" not in mutant.text for mutant in made]
    count = len(judged)
    assert mutants.judge(kata, made, nothing) == first
    assert len(judged) == count


def test_a_run_that_was_broken_off_goes_on(kata, made, monkeypatch):
    monkeypatch.setattr(mutants, "AT_ONCE", 2)
    judged = pretend(monkeypatch, lambda text: "test_total")

    def stop(done: int, total: int) -> None:
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        mutants.judge(kata, made, stop)
    assert judged == [mutant.text for mutant in made[:2]]
    assert mutants.judge(kata, made, nothing) == ["test_total"] * len(made)
    assert judged == [mutant.text for mutant in made]


def test_other_tests_make_what_is_known_old(kata, made, monkeypatch):
    judged = pretend(monkeypatch, lambda text: "test_total")
    for tests in ("old", "new"):
        monkeypatch.setattr(mutants, "tests_hash", lambda kata, tests=tests: tests)
        mutants.judge(kata, made, nothing)
    assert len(judged) == 2 * len(made)


def test_a_reference_that_fails_judges_nothing(kata, made, monkeypatch):
    failed = KataResult(
        kata.name, 1, (TaskResult("model", (TestResult("test_total", Outcome.FAILED),)),)
    )
    monkeypatch.setattr(test_files, "run", lambda units, katas: [failed] * len(units))
    with pytest.raises(MutantsError, match="itself fails test_total"):
        mutants.judge(kata, made, nothing)


@pytest.mark.parametrize(
    ("outcome", "killer"),
    [
        (Outcome.PASSED, ""),
        (Outcome.SKIPPED, ""),
        (Outcome.FAILED, "test_a"),
        (Outcome.ERROR, "test_a"),
    ],
)
def test_a_test_that_fails_or_errs_kills(outcome, killer):
    tests = (TestResult("test_before", Outcome.PASSED), TestResult("test_a", outcome))
    assert mutants.killed_by(KataResult("k06", 1, (TaskResult("model", tests),))) == killer


def test_every_survivor_is_killed_or_listed():
    one, other = Mutant("1", "f", "a = 1", "a = 2"), Mutant("2", "f", "a = 1", "a = None")
    assert MutantReport((one, other), (), {}).problems == []
    assert MutantReport((one, other), (one,), {one.key: "never read"}).problems == []
    survives, too_few = MutantReport((one, other), (one,), {}).problems
    assert survives == "survives, in f:\n- a = 1\n+ a = 2"
    assert too_few == "1 of 2 that are not equivalent are killed: 95% are asked for"


def test_the_list_names_only_survivors():
    one = Mutant("1", "f", "a = 1", "a = 2")
    killed, gone = MutantReport(
        (one,), (), {one.key: "never read", ("g", "b", "c"): "no more"}
    ).problems
    assert killed.startswith("is killed now: take it out") and killed.endswith(
        "in f:\n- a = 1\n+ a = 2"
    )
    assert gone.startswith("is not made any more") and gone.endswith("in g:\n- b\n+ c")


def test_the_list_is_read(tmp_path):
    path = tmp_path / "mutants.toml"
    path.write_text(
        '[[equivalent]]\nkata = "k06"\nwhere = "f"\nbefore = "a"\nafter = ["b", "c"]\nreason ='
        ' "r"\n'
    )
    assert mutants.listed("k06", path) == {("f", "a", "b"): "r", ("f", "a", "c"): "r"}
    assert mutants.listed("k05", path) == {}


def test_the_figures_are_kept_kata_by_kata(catalog, tmp_path):
    path, kata = tmp_path / "mutants.json", catalog.find("k06")
    assert mutants.figures(path) == {}
    counted = MutantReport((Mutant("", "f", "a", "d"),), (), {}).figures
    for one in (kata, catalog.find("k05"), kata):
        mutants.record(one, counted, path)
    kept = mutants.figures(path)
    assert list(kept) == [catalog.find("k05").name, kata.name]
    figures = kept[kata.name]
    assert (figures.total, figures.killed, figures.equivalent) == (1, 1, 0) and figures.date
    assert (figures.of, figures.tests) == (mutants.code_hash(kata), mutants.tests_hash(kata.name))


def test_a_kata_that_is_still_to_be_judged_again_is_not_checked_and_any_other_is_a_problem(
    catalog, monkeypatch
):
    kata = catalog.find("k06")
    figures = MutantFigures(30, 28, 2, "2026-11-01", mutants.code_hash(kata), "of other tests")
    monkeypatch.setattr(mutants, "figures", lambda: {kata.name: figures})
    for to_judge, number in (({"k06"}, 0), (set(), 1)):
        monkeypatch.setattr(mutants, "TO_JUDGE", to_judge)
        found = mutants.recorded(catalog.only([kata]))
        assert (len(found.problems), found.unchecked) == (number, not number)
    monkeypatch.setattr(mutants, "TO_JUDGE", {"k06"})
    monkeypatch.setattr(mutants, "code_hash", lambda kata: "another reference")
    assert "has changed" in mutants.recorded(catalog.only([kata])).problems[0]


GOOD = {"total": 30, "killed": 28, "equivalent": 2, "of": "0a", "tests": "0a"}


@pytest.mark.parametrize(
    ("now", "says"),
    [
        ({}, ""),
        ({"of": "0b"}, "its reference has changed"),
        ({"tests": "0b"}, "its mutants were judged by other tests"),
        ({"idle": ("test_a", "test_b")}, "test_a, test_b fails for no known mistake"),
        ({"killed": 27}, "only 27 of 28"),
        ({"total": 100, "killed": 90, "equivalent": 10}, "10 were found"),
        ({"total": 20, "killed": 18, "equivalent": 2}, ""),
    ],
)
def test_figures_hold_for_the_code_they_are_of_and_for_as_many_as_are_listed(
    catalog, monkeypatch, now, says
):
    kata = catalog.find("k06")
    monkeypatch.setattr(mutants, "code_hash", lambda kata: "0a")
    monkeypatch.setattr(mutants, "tests_hash", lambda kata: "0a")
    monkeypatch.setattr(mutants, "listed", lambda kata: {"one": "why", "two": "why"})
    why = mutants.problem(kata, MutantFigures(**GOOD | now))
    assert says in why and bool(says) == bool(why)
    assert "has changed" in mutants.problem(kata, None)


@pytest.mark.parametrize("name", ["mutmut.mutation.mutators", "libcst.metadata"])
def test_without_the_mutmut_that_we_know_a_sentence_says_so(monkeypatch, name):
    monkeypatch.setitem(sys.modules, name, None)  # as if it were not installed
    with pytest.raises(MutantsError, match=r"no way to make mutants .*validate\.txt names\.$"):
        mutants.generate(SOURCE)


@pytest.mark.parametrize(
    ("reason", "code", "says"), [("", 1, "survives, in f:"), ("never read", 0, "never read")]
)
def test_the_command_shows_survivors_and_fails_for_those_that_are_not_listed(
    monkeypatch, reason, code, says
):
    one = Mutant("1", "f", "a = 1", "a = 2")
    report = MutantReport((one,) * 20, (one,), {one.key: reason} if reason else {})
    monkeypatch.setattr(mutants, "try_out", lambda kata, on_progress: report)
    result = CliRunner().invoke(commands.app, ["mutants", "k06"])
    assert result.exit_code == code
    assert "19 of 20 killed" in result.output and says in result.output


@pytest.mark.parametrize(
    "broken", ["[[equivalent]]\nkata = 'k06'\n", "[[equivalent", "equivalent = 1\n"]
)
def test_a_malformed_list_is_named(tmp_path, broken):
    path = tmp_path / "mutants.toml"
    path.write_text(broken)
    with pytest.raises(MutantsError, match=r"mutants\.toml is malformed"):
        mutants.listed("k06", path)


def test_a_reason_is_asked_for(tmp_path):
    path = tmp_path / "mutants.toml"
    path.write_text(
        '[[equivalent]]\nkata = "k06"\nwhere = "f"\nbefore = "a"\nafter = "b"\nreason = " "\n'
    )
    with pytest.raises(MutantsError, match="no reason"):
        mutants.listed("k06", path)


def pretend(monkeypatch, killer_of) -> list[str]:
    """Judge by a function of the mutant's text instead of running the kata's tests, and keep what
    was judged.
    """
    judged = []

    def run(units, katas):
        return [result_of((Path(unit.target) / f"{unit.kata}.py").read_text()) for unit in units]

    def result_of(text):
        is_reference = "class LogisticRegression" in text
        judged.extend([] if is_reference else [text])
        killer = not is_reference and killer_of(text)
        tests = (
            TestResult("test_first", Outcome.PASSED),
            TestResult(killer or "test_second", Outcome.FAILED if killer else Outcome.PASSED),
        )
        return KataResult("k06_logistic_regression", 1, (TaskResult("model", tests),))

    monkeypatch.setattr(test_files, "run", run)
    return judged


def nothing(done: int, total: int) -> None:
    """Progress that nobody looks at."""
