"""A small exam, for tests: three tasks, each with one question."""

import math

import pytest

from dojo.exam import examiner, sheet
from dojo.processes.worker import Plain

EXAM = """
from dojo.exam import question, within

@question("double", seconds=1)
def doubled(kata, draw):
    return {"doubled": kata.double(draw.normal(3))}

@question("name", seconds=1)
def named(kata, draw):
    return {"name": kata.name(draw.choice(["a", "b"]))}

def share(answer, right, hidden):
    return float((answer.data == hidden["signs"].data).mean())

def points(random):
    x = random.standard_normal(50)
    return x, {"signs": x > 0}

@question("guess", seconds=1, signs=within(0.9, "at least", share, "the share of right signs"))
def signs(kata, draw):
    return {"signs": kata.guess(draw.data(points))}
"""
KATA = """
def double(x): return 2 * x
def name(text): return text.upper()
def guess(x): return x > 0
"""
TASKS = {"double", "name", "guess"}


@pytest.fixture
def tiny(monkeypatch, tmp_path) -> sheet.Sheet:
    """A sheet of a small exam with three tasks."""
    for module in (sheet, examiner):
        monkeypatch.setattr(module, "text_of", lambda kata: EXAM)
    (tmp_path / "k99_tiny.py").write_text(KATA)
    return sheet.draw("k99_tiny", b"secret", tmp_path)


def asked(drawn: sheet.Sheet, source: str, tasks=TASKS, end: float = math.inf) -> dict[str, str]:
    """Task → why its answers are not right."""
    return examiner.examine(Plain(), source.encode(), drawn, tasks, end)
