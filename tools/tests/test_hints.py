"""`check hint`: one more level each time, tied to the task the learner is at, and links once it is
green.
"""

import functools
import os
import re
import subprocess
import sys

import pytest
import torch
from msgspec.structs import replace

from dojo import ROOT
from dojo.check import hints, store
from dojo.check.state import State, TaskState
from dojo.results import Outcome

KATA = "k06_logistic_regression"


@pytest.fixture
def progress(tmp_path, monkeypatch):
    path = tmp_path / ".progress.json"
    monkeypatch.setenv("TORCH_KATAS_PROGRESS", str(path))
    return path


def hint(*arguments: str) -> subprocess.CompletedProcess:
    command = [sys.executable, str(ROOT / "tools" / "check"), "hint", *arguments]
    known = os.environ | {"PYTHONIOENCODING": "utf-8"}
    return subprocess.run(
        command, capture_output=True, encoding="utf-8", env=known, cwd=ROOT, check=False
    )


def levels(shown: str, hints: tuple[str, ...]) -> list[bool]:
    return [text in shown for text in hints]


def test_each_time_one_more_level_is_opened_and_all_open_ones_are_shown(progress, catalog):
    hints = catalog.find("k06").tasks[0].hints
    first, second, third, fourth, fifth = (hint("k06").stdout for _ in range(5))
    assert levels(first, hints) == [True, False, False, False]
    assert "1 of 4. One more: python tools/check hint k06 model" in first
    assert levels(second, hints) == [True, True, False, False]
    assert levels(third, hints) == [True, True, True, False]
    assert levels(fourth, hints) == [True, True, True, True]
    assert "These are all 4." in fourth
    assert fifth == fourth
    assert store.read()[0].of(KATA, "model").hints == 4


def test_a_named_task_has_a_ladder_of_its_own(progress, catalog):
    hint("k06")
    shown = hint("k06", "boundary").stdout
    assert levels(shown, catalog.find("k06").tasks[2].hints) == [True, False, False, False]
    assert "docs.pytorch.org" not in shown


def test_without_a_name_it_is_the_failing_task(progress):
    store.change(
        lambda state: State(
            {
                KATA: {
                    "model": TaskState(outcome=Outcome.PASSED),
                    "train": TaskState(outcome=Outcome.FAILED),
                }
            }
        )
    )
    assert "k06  Logistic regression  train" in hint().stdout
    assert "k06  Logistic regression  train" in hint("6").stdout


def test_without_a_state_it_is_the_first_task(progress, catalog):
    first = catalog.katas[0]
    assert f"{first.short}  {first.title}  {first.tasks[0].name}" in hint().stdout


def test_after_green_all_is_shown_with_what_to_read(progress, catalog):
    green = TaskState(first_green="2026-11-21", outcome=Outcome.PASSED, judged="a")
    store.change(lambda state: State({KATA: {"train": green}}))
    shown = hint("k06", "train").stdout
    assert all(levels(shown, catalog.find("k06").tasks[1].hints))
    assert (
        "torch.nn.BCELoss  https://docs.pytorch.org/docs/stable/generated/torch.nn.BCELoss.html"
        in shown
    )
    assert (
        "torch.optim.Adam  https://docs.pytorch.org/docs/stable/generated/torch.optim.Adam.html"
        in shown
    )
    assert "python tools/check compare k06 train" in shown
    assert store.read()[0].of(KATA, "train") == green


def test_a_task_that_was_green_and_is_red_again_says_so(progress, catalog):
    red = TaskState(first_green="2026-11-21", outcome=Outcome.FAILED, judged="a")
    store.change(lambda state: State({KATA: {"train": red}}))
    changed = hint("k06", "train").stdout
    assert "Your file has changed since the last check: python tools/check k06 train" in changed
    red = replace(red, judged=store.content_hash(KATA))
    store.change(lambda state: State({KATA: {"train": red}}))
    shown = hint("k06", "train").stdout
    assert all(levels(shown, catalog.find("k06").tasks[1].hints))
    assert "It was green on 2026-11-21, and is not now: python tools/check k06 train" in shown
    assert "compare" not in shown


def test_after_the_last_hint_and_a_pause_there_is_a_solution(progress, catalog):
    task = catalog.find("k06").tasks[2]
    refused = hint("k06", "boundary", "--solution")
    assert "There are 4 more hints to read first" in refused.stderr
    assert refused.returncode == 2
    for _ in task.hints:
        store.open_hint(KATA, task)
    refused = hint("k06", "boundary", "--solution")
    assert "Try it with the last hint first. From " in refused.stderr
    assert (refused.returncode, refused.stdout) == (2, "")
    assert not store.read()[0].of(KATA, "boundary").solution_shown
    long_ago = TaskState(hints=4, last_hint="2026-11-21T14:05:00")
    store.change(lambda state: State({KATA: {"boundary": long_ago}}))
    shown = hint("k06", "boundary", "--solution").stdout
    assert "| " + "        return -(w1 * x1 + b) / w2" in shown
    assert "BEGIN SOLUTION" not in shown
    assert store.read()[0].of(KATA, "boundary").solution_shown


def test_a_solution_is_code_alone(catalog):
    for kata in catalog.katas:
        for task in kata.tasks:
            lines = hints.solution(kata.reference_text(), task.name)
            assert lines
            assert not any(re.match(r"\s*# {4,}", line) for _, line in lines), (kata, task)


def test_of_a_kata_that_passes_all_tasks_are_shown(progress, catalog):
    green = TaskState(first_green="2026-11-21", outcome=Outcome.PASSED)
    kata = catalog.find("k06")
    store.change(lambda state: State({KATA: {task.name: green for task in kata.tasks}}))
    shown = hint("k06").stdout
    assert all(all(levels(shown, task.hints)) for task in kata.tasks)


def test_when_everything_passes_it_says_so(progress, catalog):
    green = TaskState(first_green="2026-11-21", outcome=Outcome.PASSED)
    store.change(
        lambda state: State(
            {kata.name: {task.name: green for task in kata.tasks} for kata in catalog.katas}
        )
    )
    result = hint()
    assert result.stdout.startswith("Everything passed at the last check.")
    assert result.returncode == 0


def test_a_broken_state_costs_nobody_the_hint(progress, catalog):
    progress.write_text("{")
    result = hint("k06")
    assert levels(result.stdout, catalog.find("k06").tasks[0].hints) == [True, False, False, False]
    assert result.stderr.count("\n") == 1
    assert "could not be used (it is not JSON): it is kept as" in result.stderr
    assert result.returncode == 0


def test_where_nothing_can_be_remembered_the_hint_is_still_given(tmp_path, monkeypatch, catalog):
    monkeypatch.setenv("TORCH_KATAS_PROGRESS", str(tmp_path / "no such folder" / "progress.json"))
    result = hint("k06")
    assert levels(result.stdout, catalog.find("k06").tasks[0].hints) == [True, False, False, False]
    assert "can't be written (No such file or directory): this was not remembered." in result.stderr
    assert result.stderr.count("\n") == 1
    assert result.returncode == 0


def test_every_name_of_the_references_exists(catalog):
    """Of the whole curriculum: a link to nothing would be worse than none."""
    found = 0
    for kata in catalog.katas:
        reference = (ROOT / "reference" / f"{kata.name}.py").read_text(encoding="utf-8")
        for task in kata.tasks:
            for name, address in hints.pages(reference, task.name):
                # raises where there is nothing of that name
                functools.reduce(getattr, name.split(".")[1:], torch)
                assert address.startswith(hints.STABLE)
                found += 1
    assert found > 60


@pytest.mark.parametrize(
    ("name", "page"),
    [
        ("torch.nn.Linear", "generated/torch.nn.Linear.html"),
        ("torch.nn.functional.relu", "generated/torch.nn.functional.relu.html"),
        ("torch.optim.SGD", "generated/torch.optim.SGD.html"),
        ("torch.no_grad", "generated/torch.no_grad.html"),
        ("torch.cuda.is_available", "generated/torch.cuda.is_available.html"),
        ("torch.relu", "generated/torch.nn.functional.relu.html"),
        ("torch.softmax", "generated/torch.nn.functional.softmax.html"),
        ("torch.int64", "tensor_attributes.html#torch.dtype"),
        ("torch.device", "tensor_attributes.html#torch.device"),
        ("torch.nn.init.normal_", "nn.init.html#torch.nn.init.normal_"),
        ("torch.utils.data.DataLoader", "data.html#torch.utils.data.DataLoader"),
        ("torch.backends.mps.is_available", "backends.html#torch.backends.mps.is_available"),
        ("torch.optim", "optim.html"),
    ],
)
def test_each_kind_of_name_has_its_page(name, page):
    assert hints.page(name) == f"https://docs.pytorch.org/docs/stable/{page}"


SOLVED = """
import math
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn as layers
from torch.utils.data import DataLoader

outside = torch.zeros(1)


def f(nn, model):
    # BEGIN SOLUTION a: do it
    layer = layers.Linear(1, 1)
    return F.relu(layer(nn.weight)), F.relu(1), DataLoader([]), math.sqrt(np.pi), m.torch.ones(1)
    # END SOLUTION


def g():
    # BEGIN SOLUTION b: do that
    return torch.optim.SGD([torch.ones(1)])
    # END SOLUTION
"""


def test_names_are_found_by_what_was_imported_and_only_in_the_tasks_solution():
    assert [name for name, _ in hints.pages(SOLVED, "a")] == [
        "torch.nn.Linear",
        "torch.nn.functional.relu",
        "torch.utils.data.DataLoader",
    ]
    assert [name for name, _ in hints.pages(SOLVED, "b")] == ["torch.ones", "torch.optim.SGD"]
    assert hints.pages(SOLVED, "c") == []
    assert hints.pages("def f(:", "a") == []
