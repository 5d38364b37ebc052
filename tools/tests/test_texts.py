"""The part of the validation about texts: each fault is found where it is, and nothing else."""

import pytest

from dojo import catalog as catalogs
from dojo.catalog import Catalog
from dojo.validate import text_sources, texts
from dojo.validate.text_sources import Text

TITLE = "Tensors: making them.\n\n"
END = "\n\nTasks: make.   Builds on: nothing.\nSource: a lecture."
# What may stand in a lesson: hard words where they are no prose.
FORMULAS = """\
The loss falls:

    loss = mean((outputs - targets) ** 2)    multidimensional differentiability
    characteristically --> internationalization --> operationalization

w -= learning_rate * g_prime + beta1 * m - eps / sqrt(v_hat)

Call `multidimensional differentiability internationalization` or nn.BCEWithLogitsLoss. It is short.
"""


def lesson(prose: str) -> Text:
    return Text("reference/k99.py", 1, TITLE + prose + END)


def test_the_texts_of_today_have_no_fault(catalog):
    assert texts.read_well(catalog).problems == []


@pytest.mark.parametrize("word", texts.bad_words(), ids=lambda word: word.catches[:20])
def test_a_word_of_the_list_is_found_and_its_neighbour_is_not(word):
    (found,) = texts.wrong_words(Text("a", 1, word.catches))
    assert word.better in found
    assert [*texts.wrong_words(Text("a", 1, word.allows))] == []


# Where a text lies, what is in it, and what is there instead.
DEFECTS = (
    ("reference/k16_data_pipeline.py", "Validation and test data stand", "Whoever stands"),
    ("reference/k01_tensors.py", "One row and one", "Whoever wants a row and"),  # a docstring
    ("reference/k02_devices.py", "BEGIN SOLUTION pick: ", "BEGIN SOLUTION pick: whoever "),
    ("katas/catalog.toml", "What does each of the five", "Whoever reads the five"),  # a hint
    ("tests/test_k01_tensors.py", "has the wrong dtype", "is for whoever"),
    ("tests/test_k02_devices.py", "def test_", "def test_whoever_"),
    ("reference/mistakes/k06_logistic_regression.toml", "raw scores", "whoever scores"),
    ("tests/pass_marks.toml", "bronze: the share of 20000", "whoever of 20000"),
    ("README.md", "PyTorch", "PyTorch for whoever"),
    ("tools/dojo/check/screens.py", "You have the newest", "Whoever has the newest"),
    ("katas/given/_drawing.py", "points classified", "points whoever classified"),
    ("tools/dojo/suite/causes.toml", "don't fit: print their shapes", "whoever came"),
)


def test_a_wrong_word_is_found_wherever_people_read(monkeypatch, tmp_path):
    defects, read = DEFECTS, text_sources.read
    places = {
        f"{file}:{read(file)[: read(file).index(old)].count(chr(10)) + 1}"
        for file, old, _ in defects
    }

    def changed(name: str) -> str:
        text = read(name)
        for file, old, new in defects:
            text = text.replace(old, new, 1) if file == name else text
        return text

    (tmp_path / "catalog.toml").write_text(changed("katas/catalog.toml"), encoding="utf-8")
    monkeypatch.setattr(text_sources, "read", changed)
    problems = texts.read_well(catalogs.load(tmp_path / "catalog.toml")).problems
    found = [":".join(problem.split(":")[:2]) for problem in problems]
    assert sorted(found) == sorted(places)
    assert all("write say who" in problem for problem in problems)


def test_katas_that_are_named_are_looked_at_alone(catalog, monkeypatch):
    read = text_sources.read
    monkeypatch.setattr(text_sources, "read", lambda name: read(name).replace("PyTorch", "whoever"))
    files = {
        problem.partition(":")[0]
        for problem in texts.read_well(catalog.only([catalog.find("k02")])).problems
    }
    assert files == {"reference/k02_devices.py"}


def test_a_word_that_is_broken_across_lines_is_found_in_its_own_line():
    text = Text("a", 10, "One two.\nIt learns them by \\\nheart.")
    (problem,) = texts.wrong_words(text)
    assert problem.startswith("a:11: ")


def test_a_long_sentence_is_found_and_two_short_ones_are_not():
    long, short = "word " * 31, f"{'word ' * 16}end. {'word ' * 15}"
    text = Text("a", 1, f"Short.\nIt is so.\n{long}.")
    (problem,) = texts.long_sentences(text)
    assert problem.startswith("a:3: ") and "31 words" in problem
    assert [*texts.long_sentences(Text("a", 1, short))] == []
    assert [*texts.long_sentences(Text("a", 1, f"{'word ' * 20}\n\n{'word ' * 20}"))] == []
    arguments = f"Args:\n    one: {'word ' * 20}\n    two: {'word ' * 20}"
    assert [*texts.long_sentences(Text("a", 1, arguments))] == []
    assert [*texts.long_sentences(Text("a", 1, "x.y() (n, 1) a_b " * 31))] == []


def test_a_lesson_that_is_long_or_wide_is_found():
    assert [*texts.too_long(lesson("x\n" * 24))] == []
    (problem,) = texts.too_long(lesson("x\n" * 25))
    assert "31 lines: cut it to 30" in problem
    (problem,) = texts.too_long(lesson("x" * 80))
    assert problem.startswith("reference/k99.py:3: ") and "80 columns" in problem


def test_a_formula_makes_no_lesson_hard_to_read():
    pytest.importorskip("pyphen")
    hard = "Multidimensional differentiability necessitates internationalization."
    easy = texts.reading_ease(texts.prose(lesson(FORMULAS)).words)
    assert easy > 90
    assert texts.reading_ease(texts.prose(lesson(f"{FORMULAS}\n{hard}")).words) < texts.LEAST_EASE
    assert texts.reading_ease("The cat sat on the mat. It was a good cat.") == pytest.approx(116, 1)


def test_a_lesson_that_is_hard_to_read_is_a_problem(catalog, monkeypatch):
    pytest.importorskip("pyphen")
    read, hard = text_sources.read, "Characteristically multidimensional differentiability. " * 20
    monkeypatch.setattr(
        text_sources, "read", lambda name: read(name).replace("\nOne ring", f"\n{hard}One ring")
    )
    problems = texts.read_well(_only(catalog, "k13")).problems
    assert any("reading ease" in problem and "k13" in problem for problem in problems)


def test_without_pyphen_words_are_looked_at_and_reading_ease_is_not_checked(catalog, monkeypatch):
    monkeypatch.setattr(texts, "find_spec", lambda name: None)
    finding = texts.read_well(_only(catalog, "k13"))
    assert finding.unchecked and "pyphen is not installed" in finding.notes[0]


def _only(catalog: Catalog, name: str) -> Catalog:
    return catalog.only([catalog.find(name)])
