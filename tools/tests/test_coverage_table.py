"""reference/COVERAGE.md speaks of tasks, lessons, data and pictures that are there, and leaves no row open."""

import re

import pytest

from dojo import ROOT
from katas.given import data, plots

TEXT = (ROOT / "reference" / "COVERAGE.md").read_text(encoding="utf-8")
ROWS = [line.strip("| ").split(" | ") for line in TEXT.splitlines() if line.startswith("| ") and " | " in line]
MAPPED = [row for row in ROWS if len(row) == 3 and row[0] != "what"]


def test_every_row_says_where_it_is_practised():
    assert len(MAPPED) > 200
    told = re.compile(r"`|lesson|k\d\d|^none, |^as above")
    open_rows = [row for row in MAPPED if not told.search(row[2]) or re.search(r"\bN\d+\b", row[2])]
    assert open_rows == []


def test_every_task_it_names_is_in_the_catalog(catalog):
    known = {(kata.short, task.name) for kata in catalog.katas for task in kata.tasks}
    named = {tuple(pair.split()) for pair in re.findall(r"`(k\d\d \w+)`", TEXT)}
    assert named - known == set()


@pytest.mark.parametrize(("module", "pattern"), [(data, r"`data\.(\w+)`"), (plots, r"`(plot_\w+)`")])
def test_every_function_it_names_is_there(module, pattern):
    assert [name for name in re.findall(pattern, TEXT) if not hasattr(module, name)] == []
