"""Defects made on purpose, one at a time: each is named by the part of the validation that has to.

Most are made in memory: for all who read, a file says something else than on the disk. Where other
processes read it, they are made in a copy of the repository.
"""

import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from examining import EXAM
from examining import KATA as TINY
from torch import nn

from dojo import ROOT, files, reference_results
from dojo.exam import sheet
from dojo.validate import (
    claims,
    exam_probes,
    exams,
    forging,
    mark_checks,
    marks,
    mutants,
    records,
    test_rules,
)
from dojo.validate.marks import candidates
from tests.support import expect

K12, TESTS = "k12_logits", "tests/test_k12_logits.py"
SOUND = '''"""Two tests of k12, and nothing wrong with them."""

import pytest
from tests.support import expect


@pytest.mark.task("labels")
class TestLabels:
    def test_one(self, kata):
        seen = kata.to_labels(1)
        expect.close(seen, 1, what="One")

    def test_on_each_device(self, kata, device):
        if device.type == "simulated":
            pytest.skip("not here")
        check(kata)


def check(kata):
    assert kata.to_labels(0) == 0
'''
CLASS, ONE = (
    '@pytest.mark.task("labels")\nclass TestLabels:\n',
    "        seen = kata.to_labels(1)\n",
)


@pytest.fixture
def edited(monkeypatch):
    """Makes a file of the repository say something else, for all who read it in this process."""
    bytes_of, texts = Path.read_bytes, dict[Path, str]()

    def read(path: Path) -> bytes:
        return texts[path].encode() if path in texts else bytes_of(path)

    monkeypatch.setattr(Path, "read_bytes", read)
    monkeypatch.setattr(Path, "read_text", lambda path, *_, **__: read(path).decode())

    def edit(file: str, change: Callable[[str], str]) -> None:
        text = read(ROOT / file).decode()
        texts[ROOT / file] = change(text)
        assert texts[ROOT / file] != text, f"{file} is as before"

    return edit


@pytest.fixture
def added(edited):
    """Adds a line to a file, in memory."""
    return lambda file, line: edited(file, lambda text: f"{text}\n\n{line}\n")


@pytest.fixture
def k12(catalog):
    return catalog.only([catalog.find("k12")])


# what is done to a sound test file → text, what stands there instead, words of "tests judge"
OF_TESTS = {
    "an assertion is removed": (
        'expect.close(seen, 1, what="One")',
        "print(seen)",
        "checks nothing",
    ),
    "a helper checks nothing": ("assert kata.to_labels(0) == 0", "print(kata)", "checks nothing"),
    "a value is compared with itself": ("(seen, 1,", "(seen, seen,", "compared with itself"),
    "the reference is imported": (ONE, f"        import reference.k12\n{ONE}", "the reference is"),
    "the reference is taken from": (
        "import pytest\n",
        "import pytest\nfrom reference import k12\n",
        "the reference is looked at",
    ),
    "the reference is named": (ONE, f'        str("reference.k12")\n{ONE}', "the reference is"),
    "a test is renamed": ("def test_one", "def one", "is no test by its name"),
    "a test is shadowed": ("def test_on_each_device", "def test_one", "is defined twice"),
    "a test is skipped": (ONE, f'        pytest.skip("later")\n{ONE}', "skip leaves tests out"),
    "a class is skipped": (CLASS, f"@pytest.mark.skip\n{CLASS}", "skip leaves tests out"),
    "a failure is expected": (CLASS, f"@pytest.mark.xfail\n{CLASS}", "xfail leaves tests out"),
    "a module may be missing": (
        ONE,
        f'        pytest.importorskip("none")\n{ONE}',
        "importorskip leaves tests out",
    ),
    "a test sleeps": (ONE, f"        time.sleep(4)\n{ONE}", "waits for nothing"),
    "a test ends early": (ONE, f"        return\n{ONE}", "what comes after never runs"),
    "a check is never reached": (ONE, f"        if False:\n    {ONE}", "never runs"),
    "a failure is swallowed": (
        ONE,
        f"        try:\n    {ONE}        except Exception:\n            pass\n",
        "any kind is caught",
    ),
    "the file is too long": ("import pytest\n", "import pytest\n" + "\n" * 550, "has at most 550"),
    "a class has no task": (CLASS, "class TestLabels:\n", "has no task"),
    "a class has a task that is none": (CLASS, CLASS.replace("labels", "lables"), "no task lables"),
    "a class is no class of tests": ("class TestLabels", "class Labels", "call it Test"),
    "a test stands outside": (
        "def check(",
        "def test_x():\n    assert 1\n\n\ndef check(",
        "in no class",
    ),
    "a class stands within": (
        ONE,
        f"{ONE}\n    class TestMore:\n        pass\n\n",
        "it never runs",
    ),
}


@pytest.mark.parametrize("defect", OF_TESTS)
def test_a_weakened_test_is_named(k12, defect):
    old, new, words = OF_TESTS[defect]
    (kata,) = k12.katas
    assert SOUND.count(old) == 1 and test_rules.faults(SOUND, kata) == []
    found = test_rules.faults(SOUND.replace(old, new), kata)
    assert [fault for _, fault in found if words in fault]


def test_the_tests_of_today_judge(catalog):
    finding = test_rules.hold(catalog)
    assert finding.problems == [] and int(finding.scope.partition(" ")[0]) > 400


@pytest.mark.parametrize(
    "file",
    [
        "tests/support/expect.py",
        "tests/support/guesses.py",
        "conftest.py",
    ],
)
def test_a_change_of_shared_test_code_makes_the_records_older(added, catalog, file):
    before = hashes(catalog, "k12")
    added(file, "more = 0.2")
    references, judged = hashes(catalog, "k12")
    assert references != before[0] and judged != before[1]


def hashes(catalog, short: str) -> tuple[str, str]:
    """What a kata's entry among the references is of, and what its mutants were judged by."""
    kata = catalog.find(short)
    return reference_results.content_hash(kata.name), mutants.tests_hash(kata.name)


def test_marks_are_older_after_a_change_of_the_seeds_that_they_were_measured_with(edited, catalog):
    k06 = catalog.only([catalog.find("k06")])
    before = next(candidates(k06)).key
    edited("conftest.py", lambda text: text.replace("zlib.crc32(", "zlib.adler32("))
    assert next(candidates(k06)).key != before


@pytest.mark.parametrize(
    ("change", "says"),
    [({}, ""), ({"tests": "0b"}, "judged by other tests"), ({"idle": ("test_a",)}, "test_a fails")],
)
def test_mutants_judged_by_other_tests_are_a_problem_and_a_test_that_notices_nothing(
    k12, monkeypatch, change, says
):
    (kata,), counted = k12.katas, mutants.figures()[K12]
    monkeypatch.setattr(mutants, "tests_hash", lambda kata: "0a")
    about = {"of": mutants.code_hash(kata), "tests": "0a"} | change
    problem = mutants.problem(kata, mutants.replace(counted, **about))
    assert says in problem and bool(says) == bool(problem)


def test_a_test_that_never_runs_is_named_by_the_references(tmp_path):
    """In a copy: the tests run in processes of their own."""
    for name in ("tools/dojo", "tests", "katas", "reference"):
        kept = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, tmp_path / name, ignore=kept)
    for name in ("conftest.py", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    path = tmp_path / TESTS
    text = path.read_text(encoding="utf-8")
    always = "class TestMore:\n    def test_never(self, kata):\n        assert 0\n"
    path.write_text(f"{text}\n\n{always}", encoding="utf-8")
    (tmp_path / "look.py").write_text(
        "from dojo import catalog\nfrom dojo.validate import parts\nif __name__ == '__main__':\n"
        "    whole = catalog.load()\n"
        "    print(*parts.references_pass(whole.only([whole.find('k12')])).problems, sep='\\n')\n"
    )
    shown = subprocess.run(
        [sys.executable, "look.py"],
        cwd=tmp_path,
        env={"PYTHONPATH": "tools", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert f"{TESTS}: test_never did not run on the reference" in shown.stdout


RETURNED = 'return {"doubled": kata.double(draw.normal(3))}'
MADE = "kata.double(draw.normal(3))"
# what is done to a sound exam → text, what stands there instead, words that name it
OF_EXAMS = {
    "the data is fixed": ("draw.normal(3)", "torch.ones(3)", "doubled: data is the same in each"),
    "nothing is answered": (RETURNED, f"{MADE}; return {{}}", "doubled: answers may be anything"),
    "None is answered": (RETURNED, f'{MADE}; return {{"x": None}}', "doubled: answers may be any"),
    "everything is accepted": (
        '@question("double", seconds=1)',
        '@question("double", doubled=lambda *_: "")',
        "doubled: doubled may be anything",
    ),
    "a part is not looked at": (
        f'@question("double", seconds=1)\ndef doubled(kata, draw):\n    {RETURNED}',
        '@question("double", pair=lambda answer, right, _: same()(answer[0], right[0], _))\n'
        f'def doubled(kata, draw):\n    return {{"pair": [{MADE}, {MADE}]}}',
        "doubled: pair[last] may be anything",
    ),
}


@pytest.mark.parametrize("defect", [*OF_EXAMS, ""])
def test_an_exam_that_cannot_refuse_is_named(monkeypatch, tmp_path, defect):
    old, new, words = OF_EXAMS.get(defect, ("", "", ""))
    text = "import torch\nfrom dojo.exam import same\n" + EXAM.replace(old, new, 1)
    monkeypatch.setattr(sheet, "text_of", lambda kata: text)
    (tmp_path / "k99_tiny.py").write_text(TINY)
    drawn = [sheet.draw("k99_tiny", bytes([secret]), tmp_path) for secret in range(3)]
    faults = exam_probes.faults([exam_probes.probe(each) for each in drawn], [])
    assert [fault for fault in faults if fault.startswith(words)] if defect else faults == []


def test_what_an_exam_need_not_notice_is_listed_with_a_reason(tmp_path):
    path = tmp_path / "exams.toml"
    path.write_text('[[excuse]]\nkata = "k99"\nleaves = ["a: b*"]\nwhy = "open"\n')
    (excuse,) = exam_probes.excuses("k99", path)
    blind = exam_probes.Probed({"a": "0"}, 2, ("a: b[first]",))
    seen = exam_probes.Probed({"a": "1"}, 2, ())
    assert len(exam_probes.faults([blind, replace(blind, data={"a": "1"})], [])) == 1
    assert exam_probes.faults([blind, replace(blind, data={"a": "1"})], [excuse]) == []
    assert "which is noticed" in exam_probes.faults([blind, seen], [excuse])[0]
    path.write_text('[[excuse]]\nkata = "k99"\nleaves = ["a: b*"]\nwhy = " "\n')
    with pytest.raises(exam_probes.ExcuseError, match="no reason"):
        exam_probes.excuses("k99", path)


def test_each_leaf_of_an_answer_is_corrupted():
    answer = {"a": [1, (True, "x")], "b": None, "c": 0.5, "d": []}
    wrong = list(exam_probes.corruptions(answer))
    assert {place for place, _ in wrong} == {
        *(".a[length]", ".a[first]", ".a[last][length]", ".a[last][first]", ".a[last][last]"),
        *(".b", ".c", ".d[length]"),
    }
    assert all(other != answer for _, other in wrong)


def test_a_record_edited_by_hand_is_named(tmp_path, k12):
    path = tmp_path / "mutants.json"
    mutants.record(k12.katas[0], mutants.MutantFigures(10, 9, 1), path)
    files.write_record(tmp_path / "exams.json", {})
    assert list(records.faults(tmp_path)) == []
    path.write_text(path.read_text().replace("9", "10"))
    (tmp_path / "new.json").write_text("{}")
    (tmp_path / "exams.json").unlink()
    edited, new, gone = records.faults(tmp_path)
    assert edited.startswith("reference/validation/mutants.json is not what a command wrote")
    assert "new.json is not what" in new and "exams.json is gone" in gone


def test_the_records_of_today_are_what_commands_wrote():
    assert list(records.faults(records.FOLDER)) == []


def test_a_record_that_counts_other_mutants_than_are_made_is_named(k12):
    (kata,) = k12.katas
    made = [mutant.id for mutant in mutants.generate(kata.reference_text())]
    right = mutants.MutantFigures(len(made), len(made) - 1, 1, killers={"test": tuple(made[1:])})
    assert mutants.miscounted(kata, right) == ""
    for wrong in (
        replace(right, total=460, killed=460),
        replace(right, killed=len(made)),
        replace(right, killers={"test": ("0", *made[2:])}),
    ):
        assert "its record counts" in mutants.miscounted(kata, wrong)


@pytest.mark.parametrize(
    "wrong", [{"mistakes": 500}, {"variants": 100_000}, {"refusals": {"no such mistake": ()}}]
)
def test_a_record_of_an_exam_that_does_not_add_up_is_named(k12, monkeypatch, wrong):
    (kata,) = k12.katas
    monkeypatch.setattr(exams, "key", lambda kata: "0a")
    number = len([each for each in exams.solutions(kata) if each.is_right]) - 1
    mistakes = len(exams.solutions(kata)) - number - 1
    good = exams.ExamFigures(20, 0, 20 * number, 0, mistakes, 0, of="0a", leaves=9)
    good = replace(good, credited=tuple(forging.trusted(kata.name)))
    assert exams.problem(kata, exams.Tried(quick=good)) == ""
    assert "than there are" in exams.problem(kata, exams.Tried(quick=replace(good, **wrong)))


RIGHT = {"min": 0.1, "q01": 0.1, "q05": 0.1, "median": 0.2, "q95": 0.3, "q99": 0.3, "max": 0.4}
WRONG = {"min": 2.0, "q01": 2.0, "q05": 2.1, "median": 3.0, "q95": 4.0, "q99": 5.0, "max": 6.0}
MARK = {
    "must_be": "at most",
    "mark": 0.5,
    "right": {"seeds": 1000, **RIGHT},
    "false_fail": 0.0,
    "measured": "2026-11-21, torch 2.13.0+cpu, Python 3.11.7",
    "wrong": [{"name": "w", "false_pass": 0.0, "meets_all_marks": 0.0, "seeds": 200, **WRONG}],
}
# what is done to a mark's entry → keys, words that name it
OF_MARKS = {
    "the mark is below what right trainings reach": ({"mark": 0.25}, "at least 5% of the right"),
    "the mark is above what wrong trainings reach": ({"mark": 3.5}, "0.0% meet it by the record"),
    "the mark is far from the right trainings": ({"mark": 1.9}, "move it nearer"),
    "a quantile was written by hand": (
        {"right": {"seeds": 1000, **RIGHT, "q95": 0.05}},
        "quantiles are not in their order",
    ),
    "the share of wrong trainings was written by hand": (
        {"wrong": [MARK["wrong"][0] | {"meets_all_marks": 0.0, "false_pass": 0.4}]},
        "40.0% meet it by the record",
    ),
}


@pytest.mark.parametrize("must_be", ["at most", "at least"])
@pytest.mark.parametrize("defect", OF_MARKS)
def test_a_mark_that_its_own_figures_contradict_is_named(defect, must_be):
    change, words = OF_MARKS[defect]
    sound, broken = (turned(each, must_be) for each in (MARK, MARK | change))
    assert list(mark_checks.faults(sound)) == []
    assert [fault for fault in mark_checks.faults(broken) if words in fault]


def turned(entry, must_be):
    """The entry, or the same with all values negated, so that large ones are good."""
    if must_be == "at most":
        return entry

    def negated(spread):
        values = {name: -value for name, value in spread.items() if name in RIGHT}
        mirrored = dict(zip(RIGHT, reversed(values.values()), strict=True))
        return {**spread, **mirrored}

    wrong = [negated(each) for each in entry["wrong"]]
    about = {"mark": -entry["mark"], "must_be": must_be, "right": negated(entry["right"])}
    return entry | about | {"wrong": wrong}


def test_a_mark_of_which_nobody_knows_when_it_was_measured_is_older(catalog):
    k08 = catalog.only([catalog.find("k08")])
    (name, entry), *_ = marks.of_katas(marks.read(), k08).items()
    of = next(candidates(k08)).key
    for change in ({"of": ""}, {"measured": ""}, {"measured": "yesterday"}):
        assert marks.out_of_date({name: entry | {"of": of} | change}, k08) == [name]
    other = {"measured": "2026-11-21, torch 2.6.0, Python 3.14.2", "of": "k08-0"}
    assert marks.out_of_date({name: entry | other}, k08) == []
    (note,) = marks.elsewhere({name: entry | other}, k08)
    assert note == "whether marks are older is not known: torch 2.6.0, Python 3.14.2"


def with_task(kata, **changes):
    first, *others = kata.tasks
    return replace(kata, tasks=(replace(first, **changes), *others))


HINTS = (
    "Which function?",
    "It maps any number to (0, 1).",
    "torch has it by name.",
    "It is sigmoid.",
)
OF_CATALOG = {
    "points below zero": (lambda kata: with_task(kata, points=-3), "points are -3"),
    "half a point": (lambda kata: with_task(kata, points=1.5), "points are 1.5"),
    "no minutes": (lambda kata: replace(kata, minutes=0), "minutes are 0"),
    "empty hints": (lambda kata: with_task(kata, hints=("", *HINTS[1:])), "hint 1 says nothing"),
    "a hint twice": (lambda kata: with_task(kata, hints=HINTS[:1] + HINTS), "hint is given twice"),
}


@pytest.mark.parametrize("defect", OF_CATALOG)
def test_a_catalog_that_cannot_be_true_is_named(k12, defect):
    change, words = OF_CATALOG[defect]
    (kata,) = k12.katas
    assert list(claims.of_catalog(kata)) == []
    assert [fault for fault in claims.of_catalog(change(kata)) if words in fault]


LESSON = """'''A lesson: torch.sigmoid(z), for nn.Linear and relu(z).

Tasks: one, two.
Builds on: k01_tensors.
'''
def step(model):
    # BEGIN SOLUTION one: take a step with step()
    total = model.weight.sum() + 1
    # END SOLUTION
    # BEGIN SOLUTION two: go back
    return total.backward(retain_graph=True)
    # END SOLUTION
"""
OF_LESSONS = {
    "a task is missing": ("Tasks: one, two", "Tasks: one", "the catalog says 'Tasks: one, two.'"),
    "a task that is none": ("one, two.", "one, too.", "the catalog says"),
    "a kata that is not there": ("k01_tensors", "k01_tensor", "which is no earlier kata"),
    "a kata that comes later": ("k01_tensors", "k22_digits", "which is no earlier kata"),
    "nothing is said": ("Builds on: k01_tensors.", "", "does not say what it builds on"),
    "a wrong function of torch": ("torch.sigmoid", "torch.sigmoids_of", "no torch.sigmoids_of"),
    "a wrong layer": ("nn.Linear", "nn.Linaer", "there is no nn.Linaer"),
    "a wrong function": ("relu(z)", "rectify(z)", "there is no rectify(...)"),
    "a TODO line is the code": (
        "take a step with step()",
        "write total = model.weight.sum() + 1",
        "TODO line of one has",
    ),
}


@pytest.mark.parametrize("defect", [*OF_LESSONS, ""])
def test_a_lesson_that_cannot_be_true_is_named(catalog, defect):
    old, new, words = OF_LESSONS.get(defect, ("", "", ""))
    text, faults = LESSON.replace(old, new, 1), lesson_faults(catalog, HINTS, LESSON)
    assert faults == []
    faults = lesson_faults(catalog, HINTS, text)
    assert [fault for fault in faults if words in fault] if defect else faults == []


@pytest.mark.parametrize(
    ("hints", "is_named"),
    [
        (("total = model.weight.sum()+1 is all.", *HINTS), True),
        (("Which?", "`total = model.weight.sum() + 1`", *HINTS), True),
        ((*HINTS, "total = model.weight.sum() + 1, of course"), False),
    ],
)
def test_an_early_hint_that_is_the_solution_is_named(catalog, hints, is_named):
    faults = lesson_faults(catalog, hints, LESSON)
    assert bool([fault for fault in faults if "is the solution" in fault]) == is_named


def lesson_faults(catalog, hints, text):
    """What the part "texts are true" says of a kata with this lesson."""
    tasks = tuple(
        replace(catalog.find("k12").tasks[0], name=n, hints=hints) for n in ("one", "two")
    )
    kata = replace(catalog.find("k12"), tasks=tasks)
    order = [each.name for each in catalog.katas]
    said = [claims.Said("lesson", text.split("'''")[1])]
    names = [fault for each in said for fault in claims.unknown_names(each, text)]
    return [*claims.of_lesson(kata, text, order), *claims.given_away(kata, text), *names]


def test_the_texts_of_today_are_true(catalog):
    assert claims.are_true(catalog).problems == []


def changes_in_place(by):
    def check(what):
        value = torch.ones(3)
        with expect.untouched(what, value):
            value += by

    return check


def reached(factor):
    model = nn.Linear(2, 1)
    (model(torch.ones(1, 2)) * factor).sum().backward()
    return lambda what: expect.gradients_reach(model, what)


ONES = torch.ones(2, 3)
# each check of tests/support/expect.py → what it has to let pass, and what it has to notice: near
# the bound, so that a looser check is found
CHECKS = {
    "close, of each": (
        lambda what: expect.close(1.00005, 1.0, what),
        lambda what: expect.close(1.0003, 1.0, what),
    ),
    "close, of zero": (
        lambda what: expect.close(ONES * 9e-6, ONES * 0, what),
        lambda what: expect.close(ONES * 2e-5, ONES * 0, what),
    ),
    "close, one of many": (
        lambda what: expect.close(ONES, ONES.numpy(), what),
        lambda what: expect.close(ONES + 2e-4 * torch.eye(2, 3), ONES, what),
    ),
    "close, not a number": (
        lambda what: expect.close(ONES, ONES, what),
        lambda what: expect.close(ONES * torch.nan, ONES, what),
    ),
    "close, another shape": (
        lambda what: expect.close(ONES, ONES, what),
        lambda what: expect.close(ONES[:1], ONES, what),
    ),
    "equal": (
        lambda what: expect.equal([1, "a"], [1, "a"], what),
        lambda what: expect.equal(1, 1.0, what),
    ),
    "tensor": (
        lambda what: expect.tensor(ONES, what),
        lambda what: expect.tensor(ONES.numpy(), what),
    ),
    "shape": (
        lambda what: expect.shape(ONES, (2, 3), what),
        lambda what: expect.shape(ONES, (2, 3, 1), what),
    ),
    "dtype": (
        lambda what: expect.dtype(ONES, torch.float32, what),
        lambda what: expect.dtype(ONES, torch.float64, what),
    ),
    "untouched": (changes_in_place(0.0), changes_in_place(1e-6)),
    "gradients_reach": (reached(1.0), reached(0.0)),
    "on_device": (
        lambda what: expect.on_device(ONES, torch.device("cpu"), what),
        lambda what: expect.on_device(ONES.to("meta"), torch.device("cpu"), what),
    ),
    "losses": (
        lambda what: expect.losses([0.5, 0.25], 2, what),
        lambda what: expect.losses([0.5, torch.tensor(0.25)], 2, what),
    ),
    "losses, one less": (
        lambda what: expect.losses([0.5, 0.25], 2, what),
        lambda what: expect.losses([0.5], 2, what),
    ),
    "printed": (
        lambda what: expect.printed(nn.ReLU(), "ReLU()"),
        lambda what: expect.printed(nn.Sigmoid(), "ReLU()"),
    ),
    "that": (
        lambda what: expect.that(1, what, seen=1, expected=1, likely="no"),
        lambda what: expect.that(0, what, seen=1, expected=1, likely="no"),
    ),
}


@pytest.mark.parametrize("check", CHECKS)
def test_each_check_of_the_tests_lets_what_is_right_pass_and_notices_what_is_hardly_wrong(check):
    right, wrong = CHECKS[check]
    right("A value")
    with pytest.raises(expect.Unmet):
        wrong("A value")
