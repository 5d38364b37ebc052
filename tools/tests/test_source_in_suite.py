"""Beginners' classics, each in a small wrong solution that goes through the real suite: the message
names it, with its line.
"""

import pytest

from dojo.catalog import load
from dojo.diagnosis import Cause
from dojo.suite.unit import Unit
from dojo.validate.test_files import run_texts

pytestmark = pytest.mark.timeout(900)  # the first of them waits for all trainings

STEP = "        optimizer.step()\n"
BACKWARD = "        loss.backward()\n"
ZERO = "        optimizer.zero_grad()\n"
ADAM = "    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)\n"
# kata, task that fails, text, what it is replaced by where it stands first, finding, words of it
CASES = [
    ("k13", "relu", "nn.ReLU(),", "nn.ReLU,", "class-in-container", "nn.ReLU()"),
    ("k06", "model", "nn.Sigmoid()", "nn.Sigmoid", "class-as-layer", "self.sigmoid = nn.Sigmoid()"),
    ("k06", "model", "self.sigmoid(self", "nn.Sigmoid(self", "layer-made-with-data", "settings"),
    ("k17", "models", "F.relu(self.fc1(x))", "F.relu(self.fc1)", "layer-as-value", "self.fc1(x)"),
    (
        "k06",
        "train",
        "loss_function(model(features), labels)",
        "nn.BCELoss(model(features), labels)",
        "loss-made-with-data",
        "nn.BCELoss()(model(features), labels)",
    ),
    ("k06", "train", "loss.backward()", "loss.backward", "method-not-called", "loss.backward()"),
    ("k06", "train", "zero_grad()", "zero_grad", "method-not-called", "optimizer.zero_grad()"),
    ("k06", "train", "loss.item()", "loss.item", "method-not-called", "loss.item()"),
    ("k06", "model", "self.linear = ", "linear = ", "self-missing", "self.linear keeps it"),
    ("k06", "model", "self.sigmoid(self", "sigmoid(self", "self-left-out", "self.sigmoid"),
    (
        "k10",
        "rectify",
        "x.clamp(min=0)\n",
        "torch.max(x, 0).values\n",
        "largest-along",
        "x.clamp(min=0) compares each number with 0",
    ),
    ("k06", "model", "__init__(self", "_init_(self", "misspelt-method", "is `__init__` meant?"),
    ("k06", "model", "__init__(self", "__int__(self", "misspelt-method", "is `__init__` meant?"),
    ("k06", "model", "def forward", "def foward", "misspelt-method", "is `forward` meant?"),
    ("k06", "model", "        super().__init__()\n", "", "super-missing", "and is missing"),
    (
        "k07",
        "layers",
        "        self.linear_modules.append(nn.Linear(num_features, num_hidden))\n",
        "        self.linear_modules = [nn.Linear(num_features, num_hidden)]\n",
        "plain-list",
        "an nn.ModuleList",
    ),
    (
        "k06",
        "train",
        "model(features), labels)\n",
        "model(features).detach(), labels)\n        loss.requires_grad = True\n",
        "loss-made-to-record",
        "no parameter gets a gradient",
    ),
    (
        "k06",
        "train",
        "model(features), l",
        "model(features).round(), l",
        "cut-off",
        "cuts the loss",
    ),
    ("k06", "train", BACKWARD, "", "backward-missing", "loss.backward() is missing"),
    ("k06", "train", BACKWARD + STEP, STEP + BACKWARD, "backward-after-step", "stands before"),
    (
        "k06",
        "train",
        ZERO + BACKWARD,
        BACKWARD + ZERO,
        "zeroed-after-backward",
        "between backward() and step()",
    ),
    ("k06", "train", ZERO, "", "zeroing-missing", "zero_grad()"),
    (
        "k06",
        "train",
        "    for _ in range(epochs):\n",
        "    for _ in range(epochs):\n    " + ADAM,
        "optimizer-in-loop",
        "make it once, before the loop",
    ),
    (
        "k06",
        "train",
        ADAM,
        "    other = LogisticRegression(1, 2)\n" + ADAM.replace("model", "other"),
        "optimizer-of-another",
        "the parameters of other",
    ),
    (
        "k14",
        "train",
        "model(features), labels)",
        "torch.softmax(model(features), dim=1), labels)",
        "softmax-twice",
        "contains it and wants the raw",
    ),
    ("k14", "train", "nn.CrossEntropyLoss()", "nn.NLLLoss()", "nll-on-scores", "raw scores"),
    (
        "k13",
        "train",
        "model(features), labels)",
        "torch.sigmoid(model(features)), labels)",
        "sigmoid-twice",
        "contains it and wants the raw logits",
    ),
    ("k06", "train", "    return losses", "        return losses", "return-in-loop", "the `for`"),
    ("k06", "train", "in range(epochs)", "in range(1, epochs)", "range-off", "one round less"),
    ("k06", "model", "x))\n", 'x))\n        raise NotImplementedError("model")\n', None, ""),
    (
        "k06",
        "train",
        "        losses.append(loss.item())\n    return losses\n",
        '        losses.append(loss.item())\n    raise NotImplementedError("train")\n',
        "raise-left",
        "take line 79 out",
    ),
    (
        "k05",
        "trainer",
        "for features, targets in dataloader",
        "for features, targets in enumerate(dataloader)",
        "enumerate-unpacked",
        "(number, item) pairs",
    ),
    ("k05", "trainer", "total += loss", "total =+ loss", "equals-plus", "+= adds to it"),
    ("k14", "softmax", "    powers = ", "    logits == 0\n    powers = ", None, ""),
    (
        "k06",
        "boundary",
        "with torch",
        "sum = sum([1, 1])\n    with torch",
        "shadowed",
        "Python's sum",
    ),
]


@pytest.fixture(scope="module")
def judged():
    """The suite's results on all cases at once."""
    katas = {kata.name[:3]: kata for kata in load().katas}
    texts = []
    for kata, _, old, new, *_ in CASES:
        text = katas[kata].reference_text()
        assert old in text, (kata, old)
        texts.append((Unit("", katas[kata].name, "cpu"), text.replace(old, new, 1)))
    return dict(zip(range(len(CASES)), run_texts(texts, list(katas.values())), strict=True))


def causes_of(result, task: str) -> list[Cause]:
    (found,) = (each for each in result.tasks if each.name == task)
    return [cause for test in found.tests if test.diagnosis for cause in test.diagnosis.likely]


@pytest.mark.parametrize("number", range(len(CASES)), ids=[f"{c[0]}-{c[4]}" for c in CASES])
def test_the_message_names_the_classic(judged, number):
    _, task, _, _, name, words = CASES[number]
    causes = causes_of(judged[number], task)
    of_source = [cause for cause in causes if cause.id.startswith("source.")]
    if name is None:  # a slip that no test can see is not spoken of
        assert not of_source
        return
    named = [cause for cause in of_source if cause.id == f"source.{name}"]
    assert named, [cause.text for cause in causes]
    assert words in named[0].text
    assert {cause.id for cause in of_source} <= {f"source.{name}", "source.cut-off"}
