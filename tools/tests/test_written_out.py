"""Written out by hand, read from a submission's source."""

import pytest

from dojo.exam import written_out
from dojo.exam.written_out import ACTIVATIONS

HEAD = "import torch, threading\nimport torch.nn.functional as F\nfrom torch import nn\n"
RIGHT = "def sigmoid(x):\n    return 1 / (1 + torch.exp(-x.clamp(min=-80)))\n"
READY_MADE = [
    "def sigmoid(x): return torch.sigmoid(x)",
    "def sigmoid(x): return x.sigmoid_()",
    "def sigmoid(x): return nn.Sigmoid()(x)",
    "def sigmoid(x): return F.logsigmoid(x).exp()",
    "def sigmoid(x): return torch.stack([x, 0 * x]).softmax(0)[0]",
    "from torch import sigmoid",
    "from torch.special import expit as e\ndef sigmoid(x): return e(x)",
    "from torch.sigmoid import forward as run\ndef sigmoid(x): return run(x)",
    "def sigmoid(x):\n    from torch.sigmoid import forward\n    return forward(x)",
    "from torch.nn.functional import *\ndef sigmoid(x): return silu(x) / x",
    "_trace = lambda f: torch.jit.trace(f, torch.zeros(3))\n"
    "_s, _t = _trace(torch.sigmoid), _trace(torch.tanh)\ndef sigmoid(x): return _s(x)",
    "def sigmoid(x):\n    out = []\n"
    "    t = threading.Thread(target=lambda: out.append(torch.sigmoid(x)))\n"
    "    t.start(); t.join()\n    return out[0]",
    "def helper(x): return F.sigmoid(x)\ndef sigmoid(x): return helper(x)",
    "class Mine(nn.Sigmoid): pass\nsigmoid = Mine()",
    "def sigmoid(x): return getattr(torch, 'sig' + 'moid')(x)",
    "def sigmoid(x): return vars(torch)['sig' + 'moid'](x)",
    "exec('def sigmoid(x): return torch.sig' + 'moid(x)')",
    RIGHT + "torch.exp = torch.sigmoid",
    RIGHT + "sigmoid.__code__ = (lambda x: torch.sigmoid(x)).__code__",
    RIGHT + "try:\n    sigmoid = torch.sigmoid\nexcept Exception: pass",
    RIGHT + "with torch.no_grad():\n    sigmoid = torch.sigmoid",
    "def sigmoid(x):\n    sigmoid = torch.sigmoid\n    return sigmoid(x)",
    "def sigmoid(x): return torch.ｓigmoid(x)",  # Python reads it without its width
]


@pytest.mark.parametrize("source", READY_MADE)
def test_what_torch_has_ready_made_is_found_wherever_it_stands(source):
    found = written_out.fault(HEAD + source, {"sigmoid": ACTIVATIONS})
    assert found.startswith("sigmoid is not written out: its code names ")


@pytest.mark.parametrize(
    "source",
    [
        RIGHT,
        RIGHT + "def other(x): return torch.sigmoid(x)",  # another task may
        RIGHT + "if __name__ == '__main__':\n    print(sigmoid(torch.ones(2)), torch.sigmoid)",
        RIGHT + "assert torch.allclose(sigmoid(torch.ones(2)), torch.sigmoid(torch.ones(2)))",
        RIGHT.replace("1 / (", '"""As torch.sigmoid, and as eval."""\n    return 1 / ('),
        "def sigmoid(x):\n    tanh = 1 / (1 + torch.exp(-x.clamp(min=-80)))\n    return tanh",
        "@torch.jit.script\n" + RIGHT,
        "def sigmoid(x: torch.Tensor):\n    return torch.exp(-torch.logaddexp(-x, 0 * x))",
        "not Python at all",
    ],
)
def test_what_is_written_out_is_not_refused(source):
    assert written_out.fault(HEAD + source, {"sigmoid": ACTIVATIONS}) == ""


def test_a_source_is_read_in_the_encoding_that_it_names():
    text = "# coding: utf-7\nimport torch\ndef sigmoid(x): return torch.+AHMAaQBnAG0AbwBpAGQ-(x)\n"
    assert "names" in written_out.fault(text.encode(), {"sigmoid": ACTIVATIONS})
