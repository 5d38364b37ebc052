"""Every lesson says which katas it builds on: earlier ones, and all of those that taught what its
solution uses.
"""

import ast
import re

import pytest

from dojo import ROOT, imports
from dojo.catalog import load

KATAS = load().katas
TAUGHT_IN = {  # what a solution may use → the kata that introduces it
    r"\.to\(|\.device\b": "k02",
    r"\.backward\(\)|requires_grad|torch\.no_grad": "k03",
    r"nn\.Module\b|nn\.Linear|nn\.Parameter": "k04",
    r"DataLoader|zero_grad": "k05",
    r"nn\.Sigmoid|nn\.BCELoss": "k06",
    r"nn\.ModuleList|nn\.Tanh": "k07",
    r"nn\.ReLU|F\.relu": "k10",
    r"BCEWithLogitsLoss": "k12",
    r"CrossEntropyLoss|softmax": "k14",
    r"class_weights|\(point - mean\)": "k16",
}


def lesson(kata):
    return ast.get_docstring(
        ast.parse((ROOT / "reference" / f"{kata.name}.py").read_text(encoding="utf-8"))
    )


def named(kata):
    """The katas that a lesson says it builds on."""
    (told,) = re.findall(r"Builds on: (.*?)\.(?:\s|$)", lesson(kata), re.DOTALL)
    return [] if told.startswith("nothing") else re.split(r",\s+", told)


def built_on(kata):
    """These, and those that they build on themselves."""
    by_name = {one.name: one for one in KATAS}
    return {kata.short}.union(*(built_on(by_name[name]) for name in named(kata)))


@pytest.mark.parametrize("kata", KATAS, ids=lambda kata: kata.short)
def test_a_lesson_names_earlier_katas(kata):
    earlier = [one.name for one in KATAS[: KATAS.index(kata)]]
    assert [name for name in named(kata) if name not in earlier] == []


@pytest.mark.parametrize("kata", KATAS, ids=lambda kata: kata.short)
def test_a_lesson_builds_on_all_that_taught_what_its_solution_uses(kata):
    solution = imports.code((ROOT / "reference" / f"{kata.name}.py").read_text(encoding="utf-8"))
    needed = {
        taught
        for uses, taught in TAUGHT_IN.items()
        if re.search(uses, solution) and taught < kata.short
    }
    assert needed - built_on(kata) == set()
