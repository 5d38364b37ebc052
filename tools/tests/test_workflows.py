"""What the linters of the workflows must find, and what is said where they can't be had."""

import re
import sys

import pytest

from dojo import ROOT, catalog
from dojo.validate import commands, parts, workflows
from dojo.validate.workflows import LINTERS

GOOD = """\
name: tests
on: push
permissions: {}
concurrency:
  group: tests-${{ github.ref }}
  cancel-in-progress: true
jobs:
  tests:
    name: all tests
    runs-on: ubuntu-24.04
    timeout-minutes: 5
    permissions:
      contents: read # to check the repository out
    steps:
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
        with:
          persist-credentials: false
      - run: echo fine
"""
COMMIT = "3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1"
TITLE = "${{ github.event.head_commit.message }}"
# A defect: what is replaced in GOOD, by what, and the rules of which linters find it.
DEFECTS = {
    "an action by its tag": (COMMIT, "v7", {"zizmor": "unpinned-uses"}),
    "a template injection": (
        "echo fine",
        f'echo "{TITLE}"',
        {"zizmor": "template-injection", "jactionlint": "template-injection"},
    ),
    "kept credentials": ("persist-credentials: false", "fetch-depth: 1", {"zizmor": "artipacked"}),
    "no time limit": ("    timeout-minutes: 5\n", "", {"jactionlint": "missing-timeout"}),
    "no concurrency": (
        "concurrency:\n  group: tests-${{ github.ref }}\n  cancel-in-progress: true\n",
        "",
        {"zizmor": "concurrency-limits"},
    ),
    "all permissions": (
        "    permissions:\n      contents: read # to check the repository out\n",
        "    permissions: write-all\n",
        {"zizmor": "excessive-permissions"},
    ),
    "a misspelt key": ("timeout-minutes", "timeout-minute", {"jactionlint": "workflow-syntax"}),
    "an unknown property": ("echo fine", "echo ${{ matrix.os }}", {"jactionlint": "matrix"}),
    "not YAML": ("jobs:", "jobs: [", {"zizmor": "", "jactionlint": "yaml"}),
}


@pytest.fixture
def checked(tmp_path):
    """Lints a workflow, alone in a repository."""

    def check(text):
        folder = tmp_path / ".github" / "workflows"
        folder.mkdir(parents=True)
        (folder / "tests.yml").write_text(text, encoding="utf-8")
        return workflows.lint(catalog.load(), tmp_path)

    return check


def need(*names):
    """Skip the test where a linter is not installed: `validate` then says "not checked"."""
    for name in names:
        if workflows.program_of(name) is None:
            pytest.skip(f"{name} is not installed")


def test_a_workflow_without_defects_is_let_through(checked):
    need("zizmor", "jactionlint")
    finding = checked(GOOD)
    assert (finding.problems, finding.unchecked) == ([], False)
    assert finding.scope == "1 files, zizmor and jactionlint"


@pytest.mark.parametrize("defect", DEFECTS)
def test_a_defect_is_found_by_each_linter_that_should(checked, defect):
    replaced, by, rules = DEFECTS[defect]
    need(*rules)
    assert replaced in GOOD
    problems = checked(GOOD.replace(replaced, by)).problems
    for linter, rule in rules.items():
        (said,) = [problem for problem in problems if problem.startswith(f"{linter}: ")]
        assert rule in said


def test_where_a_linter_is_missing_nothing_passes_unchecked(checked, monkeypatch):
    monkeypatch.setattr(workflows, "program_of", lambda name: None)
    finding = checked(GOOD.replace(COMMIT, "v7"))
    assert (finding.scope, finding.unchecked) == ("not checked", True)
    assert [note.partition(":")[0] for note in finding.notes] == [
        f"not checked by {name}" for name in LINTERS
    ]


def test_what_was_not_checked_does_not_count_as_passed(monkeypatch, capsys):
    monkeypatch.setattr(workflows, "program_of", lambda name: None)
    monkeypatch.setattr(parts, "PARTS", [parts.Part("the workflows", workflows.lint, False)])
    monkeypatch.setattr(sys, "argv", ["validate"])
    with pytest.raises(SystemExit) as end:
        commands.main()
    out = capsys.readouterr().out
    assert out.endswith("0 passed, 0 failed, 1 not checked\n")
    assert "not checked by zizmor: it is not installed" in out
    assert end.value.code == 0


def test_actions_are_pinned_to_one_commit_each_with_its_version():
    pinned = {}
    for path in sorted((ROOT / ".github" / "workflows").glob("*.yml")):
        for action, at in re.findall(r"uses: ([^@\s]+)@?(.*)", path.read_text(encoding="utf-8")):
            assert re.fullmatch(r"[0-9a-f]{40} # v\d+\.\d+\.\d+", at), f"{path.name}: {action}@{at}"
            pinned.setdefault(action, set()).add(at)
    assert pinned
    assert {action: commits for action, commits in pinned.items() if len(commits) > 1} == {}
