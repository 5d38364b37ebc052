"""What is kept of a trial of the exams, and what the validation makes of it: good only where there
is proof.
"""

import pytest
from typer.testing import CliRunner

from dojo.validate import commands, exam_record, exams, parts
from dojo.validate.exam_record import Figures

GOOD = Figures(
    reference=5, reference_refused=0, variants=9, variants_refused=0, mistakes=6, mistakes_passed=0
)
KATA, KEY = "k01_tensors", "0123"


def told(path, key=KEY):
    return exam_record.problem(KATA, key, exam_record.read(path).get(KATA))


@pytest.mark.parametrize(
    ("field", "count", "says"),
    [
        ("reference_refused", 1, "refused a right solution under 1 draws"),
        ("variants_refused", 2, "refused a right solution under 2 draws"),
        ("mistakes_passed", 3, "let 3 known mistakes pass"),
        ("reference", 0, "was not tried on everything"),
        ("variants", 0, "was not tried on everything"),
        ("mistakes", 0, "was not tried on everything"),
    ],
)
def test_an_exam_that_failed_or_was_not_tried_is_not_proven(tmp_path, field, count, says):
    exam_record.write(KATA, KEY, Figures(**vars(GOOD) | {field: count}), tmp_path / "exams.json")
    assert says in told(tmp_path / "exams.json")


def test_a_good_record_holds_until_the_exam_changes(tmp_path):
    path = tmp_path / "exams.json"
    exam_record.write(KATA, KEY, GOOD, path)
    assert told(path) == ""
    assert "has changed" in told(path, "another")


def test_fewer_draws_do_not_replace_more_unless_the_exam_has_changed(tmp_path):
    path, fewer = tmp_path / "exams.json", Figures(**vars(GOOD) | {"reference": 1})
    exam_record.write(KATA, KEY, GOOD, path)
    exam_record.write(KATA, KEY, fewer, path)
    assert exam_record.read(path)[KATA].figures == GOOD
    exam_record.write(KATA, "another", fewer, path)
    assert exam_record.read(path)[KATA].figures == fewer


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"k01_tensors": {}}', '{"k01_tensors": {"of": "0123", "torch": "2"}}']
)
def test_a_broken_record_proves_nothing(tmp_path, text):
    (tmp_path / "exams.json").write_text(text)
    assert told(tmp_path / "exams.json")


def test_the_validation_tells_how_many_exams_had_all_their_draws(catalog, monkeypatch, tmp_path):
    kata = catalog.find("k01")
    some, path = catalog.only([kata]), tmp_path / "exams.json"
    variants = sum(one.is_right for one in exams.solutions(kata)) - 1
    read = exam_record.read
    monkeypatch.setattr(exam_record, "read", lambda where=path: read(where))
    assert parts.exams_were_tried(some).problems
    for draws, scope in ((99, "0/1 on all their draws"), (100, "1/1 on all their draws")):
        exam_record.write(
            KATA, exams.key(kata), Figures(draws, 0, variants * draws, 0, 32, 0), path
        )
        found = parts.exams_were_tried(some)
        assert (found.problems, found.scope) == ((), scope)


def test_a_refused_right_solution_and_a_mistake_that_passes_are_counted_and_told(catalog):
    fine, wrong = {"make": ""}, {"make": "the sum is wrong"}
    outcomes = [
        exams.Outcome(exams.REFERENCE, "a", 0, fine),
        exams.Outcome("variant: another", "b", 0, wrong),
        exams.Outcome(exams.MISTAKE + "caught", "c", 0, wrong),
        exams.Outcome(exams.MISTAKE + "missed", "d", 0, fine),
    ]
    assert exams.figures(outcomes) == Figures(1, 0, 1, 1, 2, 1)
    refused, missed = exams.problems(catalog.find("k01"), outcomes)
    assert "variant: another is refused: the sum is wrong" in refused
    assert "it lets 'missed' pass" in missed


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--marks", "--exams", "0"], "--marks and --exams are jobs of their own"),
        (["--record", "--device", "cpu"], "leave it out with --device"),
        (["--exams", "-1"], "not in the range"),
    ],
)
def test_options_that_do_not_go_together_are_refused(options, says):
    result = CliRunner(env={"COLUMNS": "200"}).invoke(commands.app, options)
    assert result.exit_code == 2 and says in result.output
