"""The screens of watch mode, in the sizes of a small and a large terminal; and the keys that a
terminal sends.
"""

import os
import queue
import types
from dataclasses import replace

import pytest
from rich.console import Console

from dojo.check.watch import model as m
from dojo.check.watch import terminal
from dojo.check.watch.frame import Frame
from dojo.check.watch.model import Hints, Model, RunUnderWay
from dojo.check.watch.terminal import decode
from dojo.console import Screen
from dojo.results import KataResult, Outcome, TaskResult, TestResult

MARKS = {
    Outcome.PASSED: "✓",
    Outcome.FAILED: "✗",
    Outcome.NOT_STARTED: "○",
    Outcome.BLOCKED: "◌",
    Outcome.SKIPPED: "–",
    Outcome.ERROR: "!",
}
DRAWING = f"  loss:          3.2 │{'▄' * 48}\n                     └{'─' * 48}"
LIKELY = (
    "the learning rate is too small, so that the loss falls, and has still far to go when the "
    "training is over"
)
MESSAGE = f"""The loss: too high.
  seen:      0.69
{DRAWING}
  likely:    {LIKELY}

  katas/k15_numpy_mlp.py:45, your train:
      45 | def train():"""


def look(colours: str | None = None) -> Screen:
    return Screen(
        Console(highlight=False, force_terminal=True, color_system=colours), MARKS, "█", "░"
    )


def drawn(model: Model, width: int = 80, height: int = 24) -> list[str]:
    lines = [line.rstrip() for line in Frame(look(), width, height, {}).lines(model)]
    assert len(lines) == height
    assert all(len(line) <= width for line in lines)
    return lines


def result(model: Model, outcome: str, message: str = MESSAGE) -> KataResult:
    """Of the model's kata: the second task has this outcome, the others passed."""
    outcomes = [
        outcome if number == 1 else Outcome.PASSED for number, _ in enumerate(model.kata.tasks)
    ]
    tests = [
        TestResult("test_it", out, message if out != Outcome.PASSED else "") for out in outcomes
    ]
    return KataResult(
        model.current,
        6,
        tuple(
            TaskResult(task.name, (test,))
            for task, test in zip(model.kata.tasks, tests, strict=True)
        ),
    )


@pytest.mark.parametrize(
    ("parts", "names"),
    [
        ([b"\x1b", b"[A"], ["up"]),
        ([b"\x1b", b"[", b"A"], ["up"]),
        ([b"a\x1b[5", b"~"], ["a", "page up"]),
        ([b"\x1bO", b"Bq"], ["down", "q"]),
        ([b"\x1b", None, b"a"], ["escape", "a"]),
        ([b"\x1b"], ["escape"]),
    ],
)
def test_a_key_that_comes_in_parts_is_one_key(monkeypatch, parts, names):
    """None stands for a time in which nothing comes."""

    def read(descriptor: int, most: int) -> bytes:
        return left.pop(0) if left else b""

    def select(read, write, odd, seconds: float) -> tuple[list, list, list]:
        if left[:1] != [None]:
            return [0], [], []
        left.pop(0)
        return [], [], []

    left, pressed, ended = [*parts], [], []
    monkeypatch.setattr(terminal.os, "read", read)
    monkeypatch.setattr(terminal.select, "select", select)
    monkeypatch.setattr(terminal.sys, "stdin", types.SimpleNamespace(fileno=lambda: 0))
    terminal.Keys(pressed.append, lambda: ended.append(True)).read_posix()
    assert (pressed, ended) == (names, [True])


def test_while_they_are_held_keys_are_left_to_another_program(monkeypatch):
    """A pipe stands for the terminal."""
    reading, writing = os.pipe()
    monkeypatch.setattr(terminal.sys, "stdin", types.SimpleNamespace(fileno=lambda: reading))
    pressed: queue.SimpleQueue[str] = queue.SimpleQueue()
    keys = terminal.Keys(pressed.put, lambda: pressed.put("the end"))
    keys.listen()
    os.write(writing, b"a")
    assert pressed.get(timeout=60) == "a"
    with keys.held():
        os.write(writing, b"b")
        assert os.read(reading, 9) == b"b"
    os.write(writing, b"\r")
    assert pressed.get(timeout=60) == "enter"
    os.close(writing)
    assert pressed.get(timeout=60) == "the end"


@pytest.fixture
def start(catalog) -> Model:
    return Model(catalog, True, "k15_numpy_mlp")


@pytest.fixture
def failed(start) -> Model:
    return replace(start, results={start.current: result(start, Outcome.FAILED)})


def test_before_the_first_verdict_it_says_what_to_do(start):
    lines = drawn(replace(start, run=RunUnderWay(1, (start.current,))))
    assert "starting Python and torch" in lines[0]
    assert "katas/k15_numpy_mlp.py" in "\n".join(lines)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
def test_the_message_comes_first_and_progress_and_keys_last(failed, size):
    lines = drawn(failed, *size)
    assert "failed" in lines[0]
    assert lines[3:6] == ["test_it", "  The loss: too high.", "    seen:      0.69"]
    assert "    katas/k15_numpy_mlp.py:45, your train:" in lines
    tasks = sum(len(kata.tasks) for kata in failed.catalog.katas)
    assert f"0 of {tasks} tasks pass" in lines[-2]
    assert lines[-1] == "h hint   e edit   n skip   l list   a all   r reset   q quit"


@pytest.mark.parametrize("width", [60, 80, 120])
def test_words_go_on_below_their_label_and_drawings_are_never_folded(failed, width):
    lines = drawn(failed, width)
    assert [line for line in lines if "│" in line or "└" in line] == [
        f"  {line}"[:width] for line in DRAWING.splitlines()
    ]
    first = next(number for number, line in enumerate(lines) if "likely:" in line)
    if width < 120:
        assert lines[first + 1].startswith(" " * len("  likely:    "))
        assert lines[first + 1].strip() in MESSAGE


def test_what_was_known_is_dim_while_a_new_run_is_on(failed):
    def line(model: Model) -> str:
        return next(
            line for line in Frame(look("standard"), 80, 24, {}).lines(model) if "too high" in line
        )

    assert "\x1b[2m" in line(replace(failed, run=RunUnderWay(2, (failed.current,))))
    assert "\x1b[2m" not in line(failed)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"is_warm": True}, "testing"),
        ({"is_warm": True, "run": RunUnderWay(2, (), 7)}, "testing, 7 done"),
        (
            {"why_cold": "the tests have changed"},
            "starting Python and torch anew (some seconds)\nbecause the tests have",
        ),
    ],
)
def test_the_top_says_what_is_going_on(failed, changes, says):
    assert says in "\n".join(drawn(replace(failed, **{"run": RunUnderWay(2, ()), **changes}))[:2])


def test_a_whole_file_that_cannot_be_used_is_said_once(start):
    tasks = tuple(
        TaskResult(task.name, (TestResult("test_it", Outcome.FAILED, "no Python"),))
        for task in start.kata.tasks
    )
    text = "\n".join(
        drawn(replace(start, results={start.current: KataResult(start.current, 6, tasks)}))
    )
    assert text.count("no Python") == 1
    assert "test_it" not in text
    assert "more test" not in text


def test_a_fault_of_the_suite_is_not_the_learners(start):
    assert "not of yours" in "\n".join(
        drawn(replace(start, results={start.current: result(start, Outcome.ERROR)}))
    )


def test_success_says_what_was_learned_and_where_to_go(start):
    lines = drawn(replace(start, results={start.current: result(start, Outcome.PASSED)}))
    assert lines[3].startswith("  Learned: ")
    assert lines[-1].startswith("n next: k16   d compare")


def test_all_katas_are_on_a_screen_of_thirty_lines_at_once(start, catalog):
    assert "more lines (press down" in "\n".join(drawn(replace(start, view=m.LIST)))  # of 24 lines
    lines = drawn(replace(start, view=m.LIST, chosen="k15_numpy_mlp"), 80, 30)
    assert all(any(kata.short in line for line in lines) for kata in catalog.katas)
    assert [
        kata.short for kata in catalog.katas for line in lines if ">" in line and kata.short in line
    ] == ["k15"]


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_list_has_difficulty_and_minutes_and_folds_no_line(start, catalog, width):
    lines = drawn(replace(start, view=m.LIST), width, 40)
    assert any("k15  A network in NumPy     hard    40 min  0 of 6" in line for line in lines)
    assert sum(" min  0 of " in line for line in lines) == len(catalog.katas)
    assert ("5  Classification" in "\n".join(lines)) is (width >= 80)


def test_the_heading_has_difficulty_and_minutes_where_they_fit(failed):
    first = [drawn(failed, width)[0] for width in (80, 60, 40)]
    assert first[0].endswith("  hard, 40 min")
    assert all(line.startswith("k15  A network in NumPy  failed") for line in first)
    assert "min" not in first[2]


def test_a_regression_is_the_first_thing_on_the_screen_of_all(start):
    model = replace(
        start,
        view=m.ALL,
        lost=(start.current,),
        results={start.current: result(start, Outcome.FAILED)},
    )
    lines = drawn(model)
    assert lines[0] == "k15  A network in NumPy passed before, and does not now."
    assert start.kata.tasks[1].name in lines[1]
    assert "n to k15" in lines[-1]


def test_hints_keep_their_place_and_the_newest_stays_on_a_small_screen(failed):
    model = replace(
        failed, hints=Hints("x", ("first " * 30, "second", "third"), 3), notice="Kept as x."
    )
    lines = drawn(model)
    assert "Hint 3 of 3" in "\n".join(lines)
    assert "Hint 1 of 3" in "\n".join(drawn(model, 120, 40))
    assert lines[-3] == "Kept as x."
    assert "hint" not in lines[-1]


def test_what_does_not_fit_is_reached_by_scrolling(failed):
    small = drawn(failed, 80, 12)
    assert "more lines (press down" in small[-4]
    below = drawn(replace(failed, scroll=99), 80, 12)
    assert "45 | def train():" in "\n".join(below)
    assert below[-4] == "… (press up)"
    assert small[-1] == below[-1]


@pytest.mark.parametrize("size", [(1, 1), (20, 3), (300, 100)])
def test_no_size_is_too_odd(failed, size):
    for view in (m.KATA, m.LIST, m.ALL, m.RESET, m.READ):
        Frame(look(), *size, {}).lines(replace(failed, view=view, text="- yours"))


def test_text_of_a_learners_is_no_markup(start):
    lines = drawn(
        replace(
            start,
            results={
                start.current: result(start, Outcome.FAILED, "seen [red]this[/] and [/nothing]")
            },
        )
    )
    assert "seen [red]this[/] and [/nothing]" in "\n".join(lines)


@pytest.mark.parametrize(
    ("data", "names"),
    [
        (b"hQ", ["h", "q"]),
        (b"\x1b[A\x1b[B\x1bOB\x1b[6~ ", ["up", "down", "down", "page down", "space"]),
        (b"\x1b", ["escape"]),
        (b"\x1b[15~\x1b[200~n\x1b[201~", ["n"]),
        ("é€\t1".encode(), []),
        (b"\r\n", ["enter", "enter"]),
    ],
)
def test_keys_by_their_bytes(data, names):
    assert list(decode(data)) == names
