"""reference/COVERAGE.md speaks of tasks, lessons, data and pictures that are there, and leaves no
row open.
"""

import re

import pytest

from dojo import ROOT
from katas.given import data, plots

TEXT = (ROOT / "reference" / "COVERAGE.md").read_text(encoding="utf-8")
ROWS = [
    line.strip("| ").split(" | ")
    for line in TEXT.splitlines()
    if line.startswith("| ") and " | " in line
]
MAPPED = [row for row in ROWS if len(row) == 3 and row[0] != "what"]


def test_every_row_says_where_it_is_practised():
    assert len(MAPPED) > 200
    told = re.compile(
        r"`k\d\d \w+`|`data\.\w+`|`plot_\w+`|lessons? of k\d\d|^no content to practise: \w+"
    )
    unsaid = re.compile(r"\bN\d+\b|\bnone\b|as above")
    assert [row for row in MAPPED if not told.search(row[2]) or unsaid.search(row[2])] == []
    decorations = [row[1] for row in MAPPED if row[2].startswith("no content")]
    assert set(decorations) <= {"figure"} and len(decorations) < 5


def test_every_task_it_names_is_in_the_catalog(catalog):
    known = {(kata.short, task.name) for kata in catalog.katas for task in kata.tasks}
    named = {tuple(pair.split()) for pair in re.findall(r"`(k\d\d \w+)`", TEXT)}
    assert named - known == set()


def test_what_a_kata_is_said_to_draw_it_draws(catalog):
    named = re.findall(r"`(plot_\w+)` \((k[\dk, ]+)[,)]", TEXT)
    said = {(function, kata) for function, katas in named for kata in katas.split(", ")}
    assert len(said) > 30
    ends = {
        kata.short: (ROOT / "reference" / f"{kata.name}.py").read_text(encoding="utf-8")
        for kata in catalog.katas
    }
    drawn = {kata: text.partition('if __name__ == "__main__":')[2] for kata, text in ends.items()}
    assert [
        (function, kata)
        for function, kata in sorted(said)
        if f"plots.{function}" not in drawn[kata]
    ] == []
    assert [
        name
        for name in plots.__all__
        if not any(f"plots.{name}" in text for text in drawn.values())
    ] == []


@pytest.mark.parametrize(
    ("module", "pattern"), [(data, r"`data\.(\w+)`"), (plots, r"`(plot_\w+)`")]
)
def test_every_function_it_names_is_there(module, pattern):
    assert [name for name in re.findall(pattern, TEXT) if not hasattr(module, name)] == []
