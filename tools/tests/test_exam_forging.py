"""What a hostile submission gets in an exam, whatever it answers: nothing that it has not
earned.
"""

import copy
import json
import time

import numpy as np
import pytest
import torch
from examining import KATA, TASKS, asked
from torch import nn
from torch.nn import functional as F

from dojo.exam import examiner, sheet, training_steps, wire
from dojo.exam.comparisons import within
from dojo.exam.draw import Drawing
from dojo.exam.question import Question
from dojo.exam.values import Numbers

pytest_plugins = ["examining"]

EQUAL_TO_ALL = """
class Equal:
    shape = (3,)
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    @classmethod
    def __torch_function__(cls, *args, **kwargs): return True
    def __array__(self, *args, **kwargs): raise TypeError
def double(x): return Equal()
"""
CONNECTION = """
import gc, json
from multiprocessing.connection import Connection
pipes = [one for one in gc.get_objects() if isinstance(one, Connection)]
pipes = [one for one in pipes if not one.closed and one.writable and one.readable]
def send(document, block=b""):
    for pipe in pipes:
        pipe.send_bytes(json.dumps(document).encode()); pipe.send_bytes(block)
"""


HALF_A_MESSAGE = """
import os, time
def double(x):
    for pipe in pipes:
        os.write(pipe.fileno(), bytes([0, 0, 1, 0]) + b"half")
    time.sleep(60)
"""


@pytest.mark.parametrize(
    "forging",
    [
        EQUAL_TO_ALL,
        "import dojo.exam.answering as a\na.ask = lambda *_: {'doubled': True}\n",
        "import dojo.exam.question as q\nq.Question.compare = lambda *_: ''\n",
        "import dojo.exam.comparisons as c\nc._difference = c._is_close = lambda *_: ''\n",
        "import torch\ntorch.equal = torch.allclose = lambda *_: True\n",
        CONNECTION
        + "def double(x):\n"
        + "    send({'message': 'answer', 'number': 0, 'values': {'doubled': True}})\n",
        CONNECTION + "def double(x):\n    send({'message': 'answer', 'number': 0, 'values': {}})\n",
        CONNECTION + "def double(x):\n    for pipe in pipes: pipe.send_bytes(b'[' * 100_000)\n",
        CONNECTION
        + "def double(x):\n    for pipe in pipes: pipe.send_bytes(b'\\x80\\x04K\\x01.')\n",
        CONNECTION + HALF_A_MESSAGE,
    ],
)
def test_forging_earns_nothing(tiny, forging):
    source = KATA.replace("def double(x): return 2 * x", "def double(x): return x") + forging
    begin = time.monotonic()
    assert asked(tiny, source)["double"]
    assert time.monotonic() - begin < 60


def test_more_messages_than_were_asked_for_are_noticed(tiny):
    source = (
        KATA
        + CONNECTION
        + "def guess(x):\n    send({'message': 'answer', 'number': 2, 'values': {}})\n"
        + "    return x > 0\n"
    )
    assert asked(tiny, source)["guess"]


@pytest.mark.parametrize(
    "document",
    [
        "{'message': 'problem', 'text': ''}",
        "{'message': 'ready', 'more': 1}",
        "{'message': 'closed'}",
        "{'ready': True}",
    ],
)
def test_a_hand_over_that_is_forged_earns_nothing(tiny, document):
    found = asked(tiny, f"{CONNECTION}send({document})\nimport os; os._exit(0)\n{KATA}")
    assert set(found) == TASKS and all(found.values())


def test_a_process_that_says_it_is_ready_and_ends_earns_nothing(tiny):
    found = asked(tiny, f"{CONNECTION}send({{'message': 'ready'}})\nimport os; os._exit(0)\n{KATA}")
    assert set(found) == TASKS and all(found.values())


def test_nothing_is_waited_for_when_the_time_of_the_submission_is_over(tiny):
    begin = time.monotonic()
    found = asked(tiny, "import time\ntime.sleep(600)\n" + KATA, end=begin + 1)
    assert all("the time that a submission may take" in reason for reason in found.values())
    assert time.monotonic() - begin < 30


def test_a_file_with_a_dataclass_can_be_loaded(tiny):
    head = (
        "from __future__ import annotations\nfrom dataclasses import dataclass\n@dataclass\nclass"
        " Point:\n    x: int = 0\n"
    )
    assert asked(tiny, head + KATA) == dict.fromkeys(TASKS, "")


def test_an_answer_far_larger_than_the_reference_s_is_not_looked_at(tiny):
    looked = []
    one = Question("q", "t", print, {"x": lambda *_: looked.append(1) or ""}, 1.0, 1)
    right = {"x": Numbers("array", np.zeros(10))}
    assert "far larger" in one.compare({"x": Numbers("array", np.zeros(20_000))}, right, {})
    assert not looked and one.compare(right, right, {}) == "" and looked


def test_an_array_that_an_answer_names_ten_thousand_times_is_looked_through_once(monkeypatch):
    looked, finite = [], np.isfinite
    monkeypatch.setattr(
        examiner.np, "isfinite", lambda numbers: looked.append(1) or finite(numbers)
    )
    one = Numbers("array", np.zeros(10))
    assert examiner._is_finite({"x": [one] * 10_000, "y": (one,)}) and len(looked) == 1
    other = Numbers("array", np.array([0, np.nan]))
    assert not examiner._is_finite({"x": [one] * 10_000, "y": (other,)})


def test_a_block_that_is_nothing_but_a_header_is_not_read(monkeypatch):
    monkeypatch.setattr(wire.tensors, "load", lambda block: pytest.fail("it was read"))
    header = {
        str(number): {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}
        for number in range(60_000)
    }
    text = json.dumps(header).encode()
    with pytest.raises(wire.Broken, match="too many arrays"):
        wire.decode(b'{"message": "ready"}', len(text).to_bytes(8, "little") + text)


def test_a_comparison_that_raises_is_no_pass_and_one_that_raises_on_the_right_answer_is_our_fault():
    def compare(answer, right, hidden):
        if answer != "right" or hidden:
            raise IndexError
        return ""

    one = Question("q", "t", print, {"x": compare}, 1.0, 1)
    assert "another form" in one.compare({"x": "other"}, {"x": "right"}, {})
    with pytest.raises(IndexError):
        one.compare({"x": "other"}, {"x": "right"}, {"broken": True})


def test_the_best_of_many_is_not_counted():
    best = within(
        0.5,
        "at most",
        lambda answer, right, hidden: min(one.data.min() for one in answer),
        "the loss",
    )
    one, other = (Numbers("array", np.full(1, value)) for value in (0.1, 0.9))
    assert best([one], [other], {}) == ""
    assert "form" in best([other, one], [other], {})
    assert "form" in best([Numbers("array", np.array([0.9, 0.1]))], [other], {})


# Steps of a training


def trained(wrong_loss=None, clears=True):
    drawing = Drawing(np.random.default_rng(3))
    model, features, labels = (
        drawing.weights(nn.Linear(2, 1)),
        drawing.normal(20, 2),
        drawing.normal(20, 1),
    )

    def train():
        optimizer = torch.optim.RMSprop(model.parameters(), lr=0.1)
        for begin in (0, 10, 5):
            loss = (wrong_loss or F.mse_loss)(
                model(features[begin : begin + 10]), labels[begin : begin + 10]
            )
            if clears:
                optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    _, seen = training_steps.watch(train, model)
    return sheet.plain({"steps": seen, "features": features, "labels": labels})


def test_steps_are_followed_whatever_the_optimizer():
    compare, right = training_steps.follow(lambda hidden: nn.Linear(2, 1), F.mse_loss), trained()
    assert compare(right["steps"], right["steps"], right) == ""
    for wrong in (trained(clears=False), trained(wrong_loss=F.l1_loss)):
        assert "does not follow" in compare(wrong["steps"], right["steps"], right)
    assert compare(right["steps"][:1], right["steps"], right) and compare(
        None, right["steps"], right
    )
    assert compare([{}] * 3, right["steps"], right)
    assert compare(right["steps"][::-1], right["steps"], right)
    away = trained()["steps"]
    away[1]["parameters"] = away[0]["parameters"]
    assert "step 2: it begins" in compare(away, right["steps"], right)


def test_a_step_on_no_example_is_none():
    right, forged = trained(), trained()
    empty = Numbers("tensor", np.zeros((0, 2), np.float32))
    nothing = {
        name: Numbers("tensor", np.zeros_like(one.data))
        for name, one in forged["steps"][0]["gradients"].items()
    }
    forged["steps"][0] |= {"inputs": empty, "gradients": nothing}
    compare = training_steps.follow(lambda hidden: nn.Linear(2, 1), F.mse_loss)
    assert "number of examples" in compare(forged["steps"], right["steps"], right)


def test_steps_without_numbers_or_of_another_model_do_not_follow():
    compare, right = training_steps.follow(lambda hidden: nn.Linear(2, 1), F.mse_loss), trained()
    for value in (float("nan"), float("inf")):
        forged = trained()
        for step in forged["steps"]:
            step["gradients"] = {
                name: Numbers(one.kind, np.full_like(one.data, value))
                for name, one in step["gradients"].items()
            }
        assert "does not follow" in compare(forged["steps"], right["steps"], right)
    other = trained()
    other["steps"][0]["parameters"]["weight"] = Numbers("tensor", np.zeros((10_000, 2), np.float32))
    assert "parameters" in compare(other["steps"], right["steps"], right)


def answer_of(train, epochs: int = 5) -> tuple[dict, dict]:
    """The "training" of this training of a line, and what is hidden with it."""
    torch.manual_seed(0)
    features, model = torch.randn(20, 2), nn.Sequential(nn.Linear(2, 1), nn.Sigmoid())
    labels = (features[:, :1] > 0).float()
    seen = training_steps.looked_at(train, model, (features, labels), epochs)
    return seen["training"], {"features": features, "labels": labels}


def descend(model, features, labels, epochs=5):
    optimizer, losses = torch.optim.SGD(model.parameters(), lr=0.1), []
    for _ in range(epochs):
        loss = F.binary_cross_entropy(model(features), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@pytest.mark.parametrize("forged", ["before", "after", "gradients", "losses"])
@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_a_training_that_says_it_went_to_infinity_earns_nothing(forged, number):
    """Where parameters are not finite no gradient could be held against them."""
    right, hidden = answer_of(descend)
    keeps = training_steps.keeps(
        lambda hidden: nn.Sequential(nn.Linear(2, 1), nn.Sigmoid()),
        training_steps.Rule(F.binary_cross_entropy, default=5),
    )
    assert keeps(right, right, hidden) == ""
    answer = copy.deepcopy(right)
    if forged == "losses":
        answer["losses"][1] = number
    else:
        answer["record"][forged][1:] = number
    assert keeps(answer, right, hidden) != ""
