"""Defects made on purpose, one at a time: each is named by the part of the validation that has to.

Most are made in memory: for all who read, a file says something else than on the disk. Where other
processes read it, they are made in a copy of the repository.
"""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dojo import ROOT, reference_results
from dojo.validate import mutants, test_rules
from dojo.validate.marks import candidates

K12, TESTS = "k12_logits", "tests/test_k12_logits.py"
LABELS = '@pytest.mark.task("labels")\nclass TestLabels:\n'
COMPARED = "expect.equal(kata.f1(y_true, y_pred), kata.f1(y_true, y_pred), what='F1')"
CHECK = "        seen = kata.f1(torch.zeros(3, dtype=torch.int64), torch.tensor(answers))\n"
NAMED = "        expect.close(\n            seen, 0.0, what"


@pytest.fixture
def edited(monkeypatch):
    """Makes a file of the repository say something else, for all who read it in this process."""
    bytes_of, texts = Path.read_bytes, dict[Path, bytes]()

    def read(path: Path) -> bytes:
        return texts[path] if path in texts else bytes_of(path)

    monkeypatch.setattr(Path, "read_bytes", read)
    monkeypatch.setattr(Path, "read_text", lambda path, *_, **__: read(path).decode())

    def edit(file: str, old: str, new: str) -> None:
        text = read(ROOT / file).decode()
        assert text.count(old) >= 1, f"{old!r} stands nowhere in {file}"
        texts[ROOT / file] = text.replace(old, new, 1).encode()

    return edit


@pytest.fixture
def k12(catalog):
    return catalog.only([catalog.find("k12")])


# what is done to k12's tests → text, what stands there instead, words of the part "tests judge"
OF_TESTS = {
    "an assertion is removed": (NAMED, "        dict(\n            seen=0, what", "checks nothing"),
    "F1 is compared with itself": (CHECK, f"        {COMPARED}\n{CHECK}", "compared with itself"),
    "the reference is asked": ("import pytest\n", "import pytest\nfrom reference import k12\n", "th"
    "e reference is looked at"),
    "the reference is asked by name": (CHECK, f'        str("reference.k12")\n{CHECK}', "the refer"
    "ence is looked at"),
    "a test is renamed": ("def test_equals_torch", "def equals_torch", "is no test by its name"),
    "a test is shadowed": (
        "def test_labels_are_whole_numbers",
        "def test_threshold_lies_at_probability_one_half",
        "is defined twice",
    ),
    "a test is skipped": (CHECK, f'        pytest.skip("later")\n{CHECK}', "skip leaves tests out"),
    "a class is skipped": (LABELS, f'@pytest.mark.skip\n{LABELS}', "skip leaves tests out"),
    "a failure is expected": (LABELS, f'@pytest.mark.xfail\n{LABELS}', "xfail leaves tests out"),
    "a test needs a module that may be missing": (
        "LOGITS = ", 'pytest.importorskip("none")\nLOGITS = ', "importorskip leaves tests out"
    ),
    "a test sleeps": (CHECK, f"        time.sleep(4)\n{CHECK}", "waits for nothing"),
    "a test ends early": (CHECK, f"        return\n{CHECK}", "what comes after never runs"),
    "a check stands where nothing comes": (CHECK, f"        if False:\n    {CHECK}", "never runs"),
    "a failure is swallowed": (
        CHECK, f"{CHECK}        try:\n            pass\n        except Exception:\n"
        "            pass\n", "of any kind is caught",
    ),
    "the file is too long": ("import pytest\n", "import pytest\n" + "\n" * 550, "has at most 550"),
    "a class has no task": (LABELS, "class TestLabels:\n", "has no task"),
    "a class has a task that is none": (LABELS, LABELS.replace("labels", "lables"), "no task labl"),
    "a class is no class of tests": ("class TestLabels", "class Labels", "call it Test"),
    "a test stands outside": ("LOGITS =", "def test_x():\n    assert 1\n\n\nLOGITS =", "in no cla"),
    "tests within a class of tests": (LABELS, f"{LABELS}    class TestInner:\n        pass\n", "nev"
    "er runs"),
}  # fmt: skip


@pytest.mark.parametrize("defect", OF_TESTS)
def test_a_weakened_test_is_named(edited, k12, defect):
    *change, words = OF_TESTS[defect]
    edited(TESTS, *change)
    problems = test_rules.hold(k12).problems
    assert [problem for problem in problems if words in problem and TESTS in problem]


def test_the_tests_of_today_judge(catalog):
    finding = test_rules.hold(catalog)
    assert finding.problems == [] and int(finding.scope.partition(" ")[0]) > 400


# Shared test code: file, text, what stands there instead.
SHARED = {
    "numbers need not be near": ("tests/support/expect.py", "atol: float = 1e-5", "atol: float=.2"),
    "untouched never looks": ("tests/support/expect.py", "torch.equal(_numbers(value), old)", "1"),
    "placement compares nothing": ("tests/support/placement.py", "def check(", "def check(*_):..."
    "\ndef checks("),
    "a fixture is another": ("conftest.py", "zlib.crc32(", "zlib.adler32("),
    "gradients are not looked at": ("tests/support/gradients.py", "def ", "def other():...\ndef "),
}  # fmt: skip


@pytest.mark.parametrize("defect", SHARED)
def test_a_change_of_shared_test_code_makes_the_records_older(edited, catalog, defect):
    before = [hashes(catalog, each) for each in ("k12", "k10")]
    edited(*SHARED[defect])
    for (references, judged), kata in zip(before, ("k12", "k10"), strict=True):
        after = hashes(catalog, kata)
        assert after[0] != references and after[1] != judged


def hashes(catalog, short: str) -> tuple[str, str]:
    """What a kata's entry among the references is of, and what its mutants were judged by."""
    kata = catalog.find(short)
    return reference_results.content_hash(kata.name), mutants.tests_hash(kata.name)


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("conftest.py", "zlib.crc32(", "zlib.adler32("),
        ("tests/support/training.py", "import ", "import math\nimport "),
    ],
)
def test_marks_are_older_after_a_change_of_what_their_values_come_from(
    edited, catalog, file, old, new
):
    k06 = catalog.only([catalog.find("k06")])
    before = next(candidates(k06)).key
    edited(file, old, new)
    assert (next(candidates(k06)).key != before) == (file == "conftest.py")


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
