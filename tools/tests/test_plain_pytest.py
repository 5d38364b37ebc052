"""Plain pytest gives the verdicts of `check`, however it is called: in several processes, in any
order, for some of the tests, from any folder, with and without other plugins.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import plain_ways
import pytest
from plain_ways import ENDLESS, KATAS, RIGHT, WRONG, files_of

from dojo import ROOT
from dojo.suite.supervisor import run
from dojo.suite.unit import Unit

ONE = str(ROOT / "tests" / f"test_{WRONG}.py") + "::TestTrain::test_separates_two_parallel_lines"
BACKWARDS = "import pytest\n\n\n@pytest.hookimpl(trylast=True)\n" + (
    "def pytest_collection_modifyitems(items):\n    items.reverse()\n"
)

pytestmark = pytest.mark.timeout(400)


@pytest.fixture(scope="module")
def target(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("mixed")
    plain_ways.write(folder)
    (folder / "backwards.py").write_text(BACKWARDS)
    return folder


@pytest.fixture(scope="module")
def verdicts(target, catalog) -> dict[str, list[str]]:
    """Those of `check`: test → outcome, of each task that has a test of that name."""
    katas = [catalog.find(name) for name in (*KATAS, ENDLESS)]
    results = run([Unit(str(target), kata.name, "cpu") for kata in katas], katas)
    found: dict[str, list[str]] = {}
    for kata in results:
        for test in kata.tests:
            name = f"{kata.name}::{test.name}@{test.device}"
            found.setdefault(name, []).append(str(test.outcome))
    return {name: sorted(outcomes) for name, outcomes in found.items()}


def pytest_in(folder: Path, *arguments: str, python: tuple[str, ...] = (), **environment: str):
    """A run of plain pytest as in somebody's terminal."""
    path = os.pathsep.join([str(ROOT / "tools"), str(ROOT / "tools" / "tests")])
    return subprocess.run(
        [sys.executable, *python, "-m", "pytest", "-q", *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": path, "COLUMNS": "200"} | environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def judged(target: Path, *arguments: str, folder: Path = ROOT, **more) -> dict[str, list[str]]:
    written = target / "verdicts.json"
    written.unlink(missing_ok=True)
    environment = {"PLAIN_VERDICTS": str(written)}
    options = ["-p", "plain_ways", f"--target={target}", "--device=cpu"]
    done = pytest_in(folder, *options, *arguments, **environment, **more)
    assert done.returncode == 1, done.stdout[-2000:] + done.stderr[-2000:]
    return json.loads(written.read_text())


@pytest.mark.parametrize(
    "options",
    [
        ["-n2", "-p", "no:randomly"],
        ["-n=2", "--dist=loadscope"],
        ["--import-mode=importlib", "-s", "-W", "error", "--ff"],
        ["-p", "no:cacheprovider", "-p", "no:randomly", "--tb=native"],
    ],
    ids=" ".join,
)
def test_all_tests_have_the_verdicts_of_check(target, verdicts, options):
    katas = KATAS if options[0] != "-n2" else (*KATAS, ENDLESS)
    found = judged(target, *options, *files_of(*katas))
    assert found == {name: it for name, it in verdicts.items() if name.startswith(katas)}


def test_without_assert_statements_too(target, verdicts):
    of_wrong = {name: outcome for name, outcome in verdicts.items() if name.startswith(WRONG)}
    assert judged(target, *files_of(WRONG), python=("-O",)) == of_wrong


def test_any_order_gives_the_same_verdicts(target, verdicts):
    backwards = judged(target, "-p", "backwards", *files_of(WRONG, RIGHT), folder=target)
    expected = {name: verdicts[name] for name in backwards}
    assert backwards == expected and len(expected) > 20
    assert list(backwards) != [name for name in verdicts if name in backwards]


@pytest.mark.parametrize(
    "chosen", [[ONE], ["-k", "TestTrain", *files_of(WRONG)]], ids=["a test", "-k"]
)
def test_a_part_of_the_tests_has_the_same_verdicts(target, verdicts, chosen):
    """The tests of the task that they need run first, chosen or not."""
    part = judged(target, *chosen)
    assert [name for name in part if not set(part[name]) <= set(verdicts[name])] == []
    assert {"passed", "failed", "blocked"} == {
        each for several in part.values() for each in several
    }


def test_last_failed_leaves_out_what_is_right(target, tmp_path):
    here = f"cache_dir={tmp_path}"
    everything = judged(target, "-o", here, *files_of(WRONG, RIGHT))
    again = judged(target, "-o", here, "--lf", *files_of(WRONG, RIGHT))
    assert [name for name in again if not set(again[name]) <= set(everything[name])] == []
    not_passed = {name for name, several in everything.items() if set(several) != {"passed"}}
    assert not_passed < set(again)
    assert not any(name.startswith(RIGHT) for name in again)


@pytest.mark.parametrize("folder", ["tests", "katas"])
def test_it_can_be_called_from_a_folder_within(folder):
    path = os.path.relpath(files_of("k00_concepts")[0], ROOT / folder)
    done = pytest_in(ROOT / folder, path, "--target=reference", "-p", "no:cacheprovider")
    assert done.returncode == 0, done.stdout


def test_without_time_limits_it_judges_and_says_so(target, verdicts):
    options = ["-p", "no:timeout", "-v", "-W", "error"]
    written = target / "unlimited.json"
    done = pytest_in(
        ROOT,
        *["-p", "plain_ways", f"--target={target}", "--device=cpu"],
        *options,
        *files_of(WRONG),
        PLAIN_VERDICTS=str(written),
    )
    assert "pytest-timeout is off: a test that waits for nothing" in done.stdout
    outcomes = json.loads(written.read_text())
    assert outcomes == {name: verdicts[name] for name in outcomes} and len(outcomes) > 10


@pytest.mark.parametrize(
    ("argument", "says"),
    [
        ("katas", "katas holds no tests. Run: pytest tests"),
        (
            "katas/k06_logistic_regression.py",
            "katas/k06_logistic_regression.py holds no tests. "
            "Run: pytest tests/test_k06_logistic_regression.py",
        ),
        (
            "--target=reference reference/k01_tensors.py",
            "reference/k01_tensors.py holds no tests. "
            "Run: pytest tests/test_k01_tensors.py --target reference",
        ),
    ],
)
def test_where_there_are_no_tests_it_says_where_they_are(argument, says):
    done = pytest_in(ROOT, *argument.split())
    assert done.returncode == 4
    assert says in done.stderr.splitlines()[0]


def test_a_run_leaves_nothing_that_git_sees(target):
    before = subprocess.check_output(["git", "status", "--porcelain"], cwd=ROOT)
    pytest_in(ROOT, f"--target={target}", *files_of("k00_concepts"))
    assert subprocess.check_output(["git", "status", "--porcelain"], cwd=ROOT) == before
