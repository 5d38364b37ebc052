"""The exam: what goes over the pipe, what is drawn, and how answers are compared."""

import ast
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from examining import KATA, TASKS, asked
from torch import nn

from dojo.exam import examiner, sheet, wire
from dojo.exam.comparisons import reaches, same, within
from dojo.exam.draw import Drawing, Mismatch, Repeated
from dojo.exam.question import load
from dojo.exam.values import Numbers, Other

pytest_plugins = ["examining"]

# What a submission gets


def test_a_right_submission_verifies_and_a_wrong_task_costs_only_itself(tiny):
    assert asked(tiny, KATA) == dict.fromkeys(("double", "name", "guess"), "")
    found = asked(tiny, KATA.replace("2 * x", "3 * x"))
    assert found == {"double": "doubled, doubled: the values differ", "name": "", "guess": ""}


def test_only_the_tasks_that_are_claimed_are_asked_about(tiny):
    assert asked(tiny, KATA.replace("2 * x", "3 * x"), {"name"}) == {"name": ""}


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("raise ValueError('no')", "raised ValueError: no"),
        ("raise SystemExit(0)", "raised SystemExit"),
        ("raise KeyboardInterrupt", "raised KeyboardInterrupt"),
        ("import os; os._exit(0)", "ended instead of answering"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "ended instead of answering"),
        ("\n    while True:\n        pass", "it computed for 1 s and gave no answer"),
        ("return object()", "a builtins.object came back"),
        ("return None", "None came back"),
        ("return x * float('nan')", "not finite"),
        ("return (2 * x).numpy()", "an array came back"),
        ("return (2 * x).double()", "the dtype is float64"),
        ("return [0] * 100_000", "too many parts"),
        ("return 'x' * 5_000_000", "was too large"),
        ("return torch_zeros_like_everything", "raised NameError"),
    ],
)
def test_what_is_no_answer_fails_its_task_alone(tiny, body, says):
    found = asked(tiny, KATA.replace("def double(x): return 2 * x", f"def double(x): {body}"))
    assert says in found.pop("double")
    assert found == {"name": "", "guess": ""}


RATES = """
from dojo.exam import question, within

def most(answer, right, hidden):
    return float((answer.data > 0).mean())

@question("rate", seconds=1, rates=within(0.5, "at least", most, "the share of rates above 0"))
def rates(kata, draw):
    return {"rates": kata.rates(draw.normal(4))}
"""


@pytest.mark.parametrize("strange", ["float('nan')", "float('inf')", "-float('inf')"])
def test_numbers_that_are_not_finite_are_no_answer_though_the_others_reach_the_mark(
    monkeypatch, tmp_path, strange
):
    for module in (sheet, examiner):
        monkeypatch.setattr(module, "text_of", lambda kata: RATES)
    (tmp_path / "k99_rates.py").write_text("def rates(x): return x * 0 + 1")
    drawn = sheet.draw("k99_rates", b"secret", tmp_path)
    source = "def rates(x):\n    x[:] = 1\n    x[0] = {}\n    return x"
    assert asked(drawn, source.format("-1"), {"rate"}) == {"rate": ""}
    assert "not finite" in asked(drawn, source.format(strange), {"rate"})["rate"]


@pytest.mark.parametrize(
    "line",
    ["raise SystemExit(0)", "import os; os._exit(0)", "import does_not_exist", "def broken(:"],
)
def test_a_file_that_cannot_be_loaded_verifies_nothing(tiny, line):
    found = asked(tiny, f"{line}\n{KATA}")
    assert set(found) == TASKS and all(found.values())


def test_what_is_hidden_is_not_handed_out(tiny):
    item = next(item for item in tiny.items if item.task == "guess")
    assert set(item.hidden) == {"signs"}
    assert len(item.drawn) == 1 and isinstance(item.drawn[0], np.ndarray)
    assert Repeated(sheet.handed_out(item)).data(
        lambda random: pytest.fail("made on the submission's side")
    ).shape == (50,)


def test_the_same_secret_draws_the_same_and_another_does_not(tiny, tmp_path):
    again, other = (
        sheet.draw("k99_tiny", b"secret", tmp_path),
        sheet.draw("k99_tiny", b"other", tmp_path),
    )
    assert torch.equal(again.items[0].drawn[0], tiny.items[0].drawn[0])
    assert not torch.equal(other.items[0].drawn[0], tiny.items[0].drawn[0])


def test_a_trial_says_the_same_as_an_examination(tiny):
    for source in (
        KATA,
        KATA.replace("2 * x", "3 * x"),
        KATA.replace("return text", "while True: pass\n    return text"),
    ):
        tried, examined = sheet.reasons(tiny, source, TASKS), asked(tiny, source)
        assert {task: bool(reason) for task, reason in tried.items()} == {
            task: bool(reason) for task, reason in examined.items()
        }


def test_an_exam_that_asks_nothing_is_an_error():
    with pytest.raises(ValueError, match="asks nothing"):
        load("x = 1", "k99_tiny")


# The pipe


def test_values_come_through_as_they_were():
    sent = {
        "tensor": torch.arange(6.0).reshape(2, 3).requires_grad_(),
        "scalar": torch.tensor(True),
        "empty": torch.zeros(0, 4),
        "array": np.arange(4)[::2],
        "mixed": [
            1,
            -2.5,
            "text",
            None,
            True,
            (1, [2]),
            {"a": np.float32(2), "b": {}},
            float("inf"),
        ],
        "shape": torch.zeros(2, 3).shape,
        "dtype": torch.float64,
        "strange": torch.zeros(2, dtype=torch.complex64),
    }
    message = wire.decode(*wire.encode(wire.Answer(3, sent)))
    assert isinstance(message, wire.Answer) and message.number == 3
    got = message.values
    assert list(got) == list(sent)
    assert (got["tensor"].kind, got["tensor"].dtype, got["tensor"].requires_grad) == (
        "tensor",
        "float32",
        True,
    )
    assert (
        np.array_equal(got["tensor"].data, np.arange(6.0).reshape(2, 3))
        and got["scalar"].data.shape == ()
    )
    assert got["empty"].data.shape == (0, 4) and got["array"].data.tolist() == [0, 2]
    assert got["mixed"][:6] == [1, -2.5, "text", None, True, (1, [2])] and got["mixed"][7] == float(
        "inf"
    )
    assert (
        got["mixed"][6]["a"].kind == "scalar"
        and got["shape"] == (2, 3)
        and got["dtype"] == "torch.float64"
    )
    assert got["strange"] == Other("a tensor of complex64")


def of_values(values: bytes) -> bytes:
    """An answer's document."""
    return b'{"message": "answer", "number": 3, "values": ' + values + b"}"


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"no json",
        b"[]",
        b"{}",
        b'{"message": "answer", "number": 3}',
        b'{"message": "answer", "number": "3", "values": {}}',
        b'{"message": "answer", "number": 3, "values": {}, "verified": true}',
        b'{"message": "ask", "number": 3, "question": "q", "seed": 1, "values": {}}',
        b'{"number": 3, "values": {}}',
        of_values(b"3"),
        of_values(b'{"a": NaN}'),
        of_values(b'{"a": [1]}'),
        of_values(b'{"a": {"is": "tensor", "at": 0, "device": "cpu", "grad": false}}'),
        of_values(b'{"a": {"is": "array", "at": -1}}'),
        of_values(b'{"a": {"is": "array", "at": true}}'),
        of_values(b'{"a": {"is": "float", "text": "1e999"}}'),
        of_values(b'{"a": ' + b'{"is": "list", "items": [' * 40 + b"]}" * 40 + b"}"),
        b"[" * 100_000,
        of_values(json.dumps({"a": "x" * 100_000}).encode()),
        of_values(json.dumps({"a": {"is": "list", "items": [0] * 50_000}}).encode()),
    ],
)
def test_what_is_no_message_is_refused(text):
    with pytest.raises(wire.Broken):
        wire.decode(text, b"")


@pytest.mark.parametrize("block", [b"x", b"\xff" * 100, b"\x08\0\0\0\0\0\0\0{}      "])
def test_a_block_that_is_none_is_refused(block):
    with pytest.raises(wire.Broken):
        wire.decode(of_values(b'{"a": {"is": "array", "at": 0}}'), block)


# Drawing


def test_weights_find_their_places_by_name_by_order_and_by_shape():
    class Named(nn.Module):
        def __init__(self, *names_and_sizes):
            super().__init__()
            for name, *sizes in names_and_sizes:
                setattr(self, name, nn.Linear(*sizes))

    drawing = Drawing(np.random.default_rng(0))
    right = drawing.weights(Named(("first", 2, 3), ("second", 3, 4)))
    for other, first in (
        (Named(("second", 3, 4), ("first", 2, 3)), "first"),
        (Named(("a", 2, 3), ("b", 3, 4)), "a"),
        (Named(("b", 3, 4), ("a", 2, 3)), "a"),
    ):
        repeated = Repeated(sheet.plain({"drawn": drawing.drawn})["drawn"]).weights(other)
        assert torch.equal(getattr(repeated, first).weight, right.first.weight)
    with pytest.raises(Mismatch, match="shapes"):
        Repeated(sheet.plain({"drawn": drawing.drawn})["drawn"]).weights(
            Named(("a", 2, 5), ("b", 5, 4))
        )


def test_what_a_kata_changes_was_drawn_as_it_was_before():
    drawing = Drawing(np.random.default_rng(0))
    drawing.normal(3).zero_()
    assert drawing.drawn[0].abs().sum() > 0


def test_asking_for_more_than_was_drawn_is_a_mismatch():
    with pytest.raises(Mismatch):
        Repeated([]).integer(0, 3)


# Judging


def numbers(values, **fields) -> Numbers:
    data = np.asarray(values)
    return Numbers(**{"kind": "tensor", "data": data, "device": "cpu", **fields})


@pytest.mark.parametrize(
    "other",
    [
        numbers([1.0, 2.1]),
        numbers([1.0, 2.0], device="simulated"),
        numbers([1.0, 2.0], kind="array"),
        numbers([1.0, 2.0], requires_grad=True),
        numbers([[1.0, 2.0]]),
        numbers(np.float32([1, 2])),
        numbers([1.0, float("nan")]),
        [1.0, 2.0],
        None,
        "text",
        Other("x.Y"),
    ],
)
def test_same_is_strict(other):
    right = numbers([1.0, 2.0])
    assert same()(numbers([1.0, 2.00001]), right, {}) == ""
    assert same()(other, right, {})
    assert same()({"a": [other]}, {"a": [right]}, {})


@pytest.mark.parametrize(
    ("answer", "right"),
    [(1, True), (1.0, 1), ("1", 1), ([1], (1,)), ([1, 2], [1]), ({"a": 1}, {"b": 1})],
)
def test_same_takes_no_other_type_or_structure(answer, right):
    assert same()(answer, right, {})


def test_a_mark_that_cannot_be_measured_is_not_reached():
    assert "form" in reaches("k06.train.distance", lambda answer, right, hidden: answer.data)(
        None, None, {}
    )
    assert within(1, "at most", lambda answer, right, hidden: float("nan"), "x")(None, None, {})
    assert within(1, "at most", lambda answer, right, hidden: 0.5, "x")(None, None, {}) == ""


@pytest.mark.parametrize(
    "path",
    sorted((Path(sheet.ROOT) / "reference" / "exams").glob("k*.py")),
    ids=lambda path: path.stem,
)
def test_an_exam_imports_nothing_that_knows_the_answers(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imports = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    imports += [
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    ]
    assert not {name.partition(".")[0] for name in imports} & {"tests", "reference"}
    assert all(name.startswith("dojo.exam") for name in imports if name.startswith("dojo"))
