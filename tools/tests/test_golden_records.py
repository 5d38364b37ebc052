"""Ordinary submissions and their records, as they are shown.

A change of a golden record has to be meant: delete it, run this test, which writes it anew, and
read the difference.
"""

import io
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hostile_programs import KATA, base
from rich.console import Console

from dojo.catalog import load
from dojo.console import Screen
from dojo.grade import assignment as assignments
from dojo.grade.judge import Judge, judging
from dojo.grade.records import Ignored, Submission
from dojo.grade.show import show
from dojo.results import Outcome

FOLDER = Path(__file__).parent / "golden"
SIGMOID, STEP, BOUNDARY = (
    "return self.sigmoid(self.linear(x))",
    "optimizer.step()",
    "return -(w1 * x1 + b) / w2",
)
SUBMISSIONS = {
    "right": base("reference"),
    "stub": base("stub"),
    "a sigmoid is missing": base("reference").replace(SIGMOID, "return self.linear(x)"),
    "no step is taken": base("reference").replace(STEP, "pass"),
    "a line is wrong": base("reference").replace(BOUNDARY, "return -(w1 * x1 + b) / w1"),
    "no Python": base("reference").replace("def train(", "def train", 1),
    "nothing": None,
}
# What differs between machines: which devices there are, measured numbers, times.
ELSEWHERE = re.compile(r"^ +\w+ test_\w+ on (?:cuda|mps|simulated).*\n", re.MULTILINE)
MEASURED = re.compile(r"-?\d+\.\d{3,}(?:e[+-]?\d+)?|\d(?:\.\d+)?e-\d+")
TIMES = re.compile(r", in [\d.]+ (?:s|min)[\d s]*$", re.MULTILINE)


@pytest.fixture(scope="module")
def judge() -> Iterator[Judge]:
    with (
        judging(assignments.read(None, ["k06"], load()), b"golden", False, jobs=1) as shared,
        Judge(shared) as one,
    ):
        yield one


def shown(judge: Judge, name: str) -> str:
    """The record of a submission, as `grade show` prints it, without what differs between
    machines.
    """
    source = SUBMISSIONS[name]
    files, ignored = (
        ({}, ())
        if source is None
        else ({KATA: source.encode()}, (Ignored("notes.txt", "not a kata's file"),))
    )
    console = Console(file=io.StringIO(), width=120, soft_wrap=True, highlight=False)
    screen = Screen(console, {outcome: outcome for outcome in Outcome}, "#", ".")
    show(
        screen,
        judge.judge(Submission("doe", "doe.zip", files, ignored)),
        load(),
        "2026-01-31 12:00",
        1,
    )
    return ELSEWHERE.sub("", MEASURED.sub("0.###", TIMES.sub(", in # s", console.file.getvalue())))


@pytest.mark.parametrize("name", SUBMISSIONS)
def test_the_record_of_an_ordinary_submission_is_the_golden_one(judge, name):
    path, now = FOLDER / f"{name}.txt", shown(judge, name)
    if not path.exists():
        path.write_text(now, encoding="utf-8")
        pytest.fail(f"{path.name} was not there, and is written now: read it")
    assert now == path.read_text(encoding="utf-8")


def test_no_replacement_was_in_vain():
    assert len(set(SUBMISSIONS.values())) == len(SUBMISSIONS)
