"""What is kept of a trial of the exams, and what the validation makes of it: good only where there
is proof.
"""

import sys
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from dojo.validate import commands, exams, forging
from dojo.validate.exams import ExamFigures, Tried

KATA = "k01_tensors"


@pytest.fixture(scope="module")
def kata(catalog):
    return catalog.find("k01")


@pytest.fixture(scope="module")
def good(kata) -> ExamFigures:
    """Just enough draws."""
    tried = exams.solutions(kata)
    right = sum(solution.is_right for solution in tried)
    figures = ExamFigures(20, 0, 20 * (right - 1), 0, len(tried) - right, 0, leaves=9)
    return replace(figures, credited=tuple(forging.trusted(KATA)))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "exams.json"


def problem(kata, path) -> str:
    return exams.problem(kata, exams.read(path).get(KATA, Tried()))


@pytest.mark.parametrize(
    ("field", "count", "says"),
    [
        ("reference_refused", 1, "refused a right solution under 1 draws"),
        ("variants_refused", 2, "refused a right solution under 2 draws"),
        ("mistakes_passed", 3, "let 3 known mistakes pass"),
        ("reference", 19, "was not tried on everything"),
        ("variants", 19, "was not tried on everything"),
        ("mistakes", 0, "was not tried on everything"),
        ("leaves", 0, "was not tried on corrupted answers"),
        ("credited", None, "was not tried on mistakes that lie"),
        ("credited", ("the sum is wrong",), "earns its task with 'the sum is wrong'"),
    ],
)
def test_an_exam_that_failed_or_was_not_tried_is_not_proven(kata, good, path, field, count, says):
    exams.write(kata, replace(good, **{field: count}), path)
    assert says in problem(kata, path)


def test_a_good_record_holds_until_the_exam_changes(kata, good, path, monkeypatch):
    exams.write(kata, good, path)
    assert problem(kata, path) == ""
    monkeypatch.setattr(exams, "key", lambda kata: "another")
    assert "has changed" in problem(kata, path)


def test_fewer_draws_do_not_replace_more_unless_the_exam_has_changed(kata, good, path, monkeypatch):
    exams.write(kata, good, path)
    exams.write(kata, replace(good, reference=19), path)
    assert exams.read(path)[KATA].quick.reference == 20
    monkeypatch.setattr(exams, "key", lambda kata: "another")
    exams.write(kata, replace(good, reference=19), path)
    assert exams.read(path)[KATA].quick.reference == 19


def test_an_exam_that_is_still_to_be_tried_is_not_checked_and_any_other_is_a_problem(
    catalog, kata, good, path, monkeypatch
):
    some, read = catalog.only([kata]), exams.read
    monkeypatch.setattr(exams, "read", lambda where=path: read(where))
    for to_try, number in (({kata.short}, 0), (set(), 1)):
        monkeypatch.setattr(exams, "TO_TRY", to_try)
        found = exams.recorded(some)
        assert (len(found.problems), found.unchecked) == (number, not number)
    exams.write(kata, good, path)
    monkeypatch.setattr(exams, "TO_TRY", {kata.short})
    assert not exams.recorded(some).unchecked


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"k01_tensors": {}}', '{"k01_tensors": {"quick": {"of": "0123"}}}']
)
def test_a_broken_record_proves_nothing(kata, path, text):
    path.write_text(text)
    assert problem(kata, path)


def test_figures_of_all_draws_stay_beside_newer_ones_and_count_for_the_exam_they_are_of(
    catalog, kata, good, path, monkeypatch
):
    some, read = catalog.only([kata]), exams.read
    monkeypatch.setattr(exams, "read", lambda where=path: read(where))
    monkeypatch.setattr(exams, "TO_TRY", set())
    every = replace(good, reference=100, variants=5 * good.variants)

    def scope() -> str:
        found = exams.recorded(some)
        assert bool(found.problems) == found.scope.startswith("0/1")
        return found.scope

    assert scope() == "0/1 on 20 draws, 0/1 on all"
    exams.write(kata, good, path)
    assert scope() == "1/1 on 20 draws, 0/1 on all"
    exams.write(kata, every, path)
    assert scope() == "1/1 on 20 draws, 1/1 on all"
    before = exams.key(kata)
    monkeypatch.setattr(exams, "key", lambda kata: "another")
    assert scope() == "0/1 on 20 draws, 0/1 on all"
    exams.write(kata, good, path)
    assert scope() == "1/1 on 20 draws, 0/1 on all"
    assert read(path)[KATA].all_draws.of == before


def test_a_refused_right_solution_and_a_mistake_that_passes_are_counted_and_told(catalog):
    fine, wrong = {"make": ""}, {"make": "the sum is wrong"}
    verdicts = [
        exams.ExamVerdict(exams.REFERENCE, "a", 0, fine),
        exams.ExamVerdict("variant: another", "b", 0, wrong),
        exams.ExamVerdict(exams.MISTAKE + "caught", "c", 0, wrong),
        exams.ExamVerdict(exams.MISTAKE + "missed", "d", 0, fine),
    ]
    refusals = {"caught": (), "missed": ()}
    assert exams.figures_of(verdicts) == ExamFigures(1, 0, 1, 1, 2, 1, refusals=refusals)
    refused, missed = exams.problems(catalog.find("k01"), verdicts)
    assert "variant: another is refused: the sum is wrong" in refused
    assert "it lets 'missed' pass" in missed


def test_a_question_refuses_a_mistake_if_it_does_so_under_each_draw(kata, good, path, monkeypatch):
    verdicts = [
        exams.ExamVerdict(exams.MISTAKE + "a slip", "a", seed, {"make": "wrong"}, questions)
        for seed, questions in enumerate([("first", "second"), ("second", "third"), ("second",)])
    ]
    refusals = exams.refusals_of(verdicts)
    assert refusals == {"a slip": ("second",)}
    assert exams.recorded_refusals(kata, path) is None
    exams.write(kata, good, path)
    assert exams.recorded_refusals(kata, path) is None  # an older trial did not look
    exams.write(kata, replace(good, refusals=refusals), path)
    assert exams.recorded_refusals(kata, path) == refusals
    monkeypatch.setattr(exams, "key", lambda kata: "another")
    assert exams.recorded_refusals(kata, path) is None


def test_each_question_of_the_task_is_asked_as_if_there_were_no_other(kata):
    drawn = exams.sheet.draw(kata.name, b"secret")
    source = kata.reference_text() + (
        "\n\nplain = to_numpy\n\n\ndef to_numpy(tensor):\n"
        "    return plain(tensor).astype('float16')\n"
    )
    mistake = exams.Solution(exams.MISTAKE + "halves", source, ("to_numpy", "make"))
    reasons, refused_by = exams._each_alone(drawn, mistake)
    assert refused_by == ("arrays_of_tensors", "arrays_from_another_device")
    assert reasons["to_numpy"] and not reasons["make"]


def test_a_kept_verdict_that_says_less_than_one_of_today_is_made_again(tmp_path):
    kept = tmp_path / "k01.jsonl"
    lines = [
        '{"name":"mistake: a","of":"1","seed":0,"reasons":{"make":"wrong"}}',
        '{"name":"mistake: b","of":"2","seed":0,"reasons":{"make":"x"},"refused_by":["made"]}',
        '{"name":"mistake: c","of":"3","seed":0,"reasons":{"make":""}}',
        '{"name":"the reference","of":"4","seed":3,"reasons":{"make":""}}',
        '{"name":"the reference","of":"4","seed":4,"reasons":{"make":"wrong"}}',
        '{"name":"the reference","of":"4","seed":0,"reasons":{"make":""}}',
    ]
    kept.write_text("\n".join(lines))
    assert [(verdict.of, verdict.seed) for verdict in exams._kept(kept)] == [
        ("2", 0),
        ("3", 0),
        ("4", 3),
        ("4", 4),
    ]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["device", "cpu", "--record"], "No such option"),
        (["exams", "k01"], "not a valid int"),
        (["exams", "-1"], "No such option"),
        (["k77"], "There is no kata"),
    ],
)
def test_what_does_not_go_together_is_refused(words, says):
    result = CliRunner(env={"COLUMNS": "200"}).invoke(commands.app, words)
    assert result.exit_code and says in result.output + str(result.exception)


@pytest.mark.parametrize(("flag", "command"), commands.OLD_FLAGS.items())
def test_an_old_flag_names_the_command_that_took_its_place(monkeypatch, capsys, flag, command):
    monkeypatch.setattr(sys, "argv", ["validate", "k06", flag])
    with pytest.raises(SystemExit) as end:
        commands.main()
    assert end.value.code == 2
    said = f"{flag} is a command now: `python tools/validate {command}`.\n"
    assert capsys.readouterr().err == said
