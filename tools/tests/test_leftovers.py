"""What a kata changes for the whole process is put back and said, and no other kata meets it."""

from pathlib import Path

import pytest
import torch

from dojo.suite.leftovers import TABLES, VALUES, Leftovers

HERE = Path(__file__).parent
# what is changed, as a kata's file would do it → how it is called
CHANGES = {
    "torch.set_default_dtype(torch.float64)": "torch's default dtype to torch.float64",
    "torch.set_default_device('meta')": "torch's default device to meta",
    "mode = torch.inference_mode(); mode.__enter__()": "torch's inference mode to True",
    "torch.set_grad_enabled(False)": "torch's recording of gradients to False",
    "torch.autograd.set_detect_anomaly(True)": "torch's anomaly mode to True",
    "torch.use_deterministic_algorithms(True)": "torch's deterministic mode to 2",
    "torch.set_num_threads(torch.get_num_threads() + 1)": "torch's number of threads",
    "torch.set_float32_matmul_precision('medium')": "torch's precision of products",
    "torch.set_printoptions(precision=1)": "torch's print options",
    "numpy.seterr(all='raise')": "numpy's error handling",
    "numpy.set_printoptions(precision=1)": "numpy's print options",
    "sklearn.set_config(assume_finite=True)": "scikit-learn's configuration",
    "plt.figure()": "matplotlib's open figures",
    "matplotlib.rcParams['font.size'] = 50": "matplotlib's font.size",
    "matplotlib.use('svg')": "matplotlib's backend",
    "logging.getLogger().setLevel(5)": "the root logger",
    "os.chdir('/')": "the working directory",
    "locale.setlocale(locale.LC_ALL, 'C.UTF-8')": "the locale",
    "sys.setrecursionlimit(sys.getrecursionlimit() + 1)": "the recursion limit",
    "sys.path.insert(0, '/nowhere')": "sys.path",
    "sys.setprofile(print)": "sys.setprofile",
    "sys.stderr = None": "sys.stderr",
    "sys.excepthook = print": "sys.excepthook",
    "signal.signal(signal.SIGINT, signal.SIG_IGN)": "what SIGINT does",
    "builtins.sum = print": "builtins.sum",
    "builtins.helper = print": "builtins.helper",
    "os.environ['HELLO'] = 'x'": "the environment variable HELLO",
    "sys.modules['pandas'] = types.ModuleType('pandas')": "sys.modules['pandas']",
    "sys.modules['json'] = types.ModuleType('json')": "sys.modules['json']",
    "torch.relu = print": "torch.relu",
    "torch.nn.functional.relu = print": "torch.nn.functional.relu",
    "torch.Tensor.add = print": "torch.Tensor.add",
    "torch.nn.Module.train = print": "torch.nn.modules.module.Module.train",
    "numpy.mean = print": "numpy.mean",
    "del math.pi": "math.pi",
    "random.random = print": "random.random",
}
IMPORTS = """import builtins, locale, logging, math, os, random, signal, sys, types
import numpy, sklearn, matplotlib, torch
import matplotlib.pyplot as plt
matplotlib.use("agg")
"""


@pytest.fixture
def ready(monkeypatch):
    """The names that the changes use; and whatever they leave is put back here, if not there."""
    names: dict = {}
    exec(IMPORTS, names)
    monkeypatch.setenv("LC_ALL", "C")
    before = {table: dict(table.now()) for table in TABLES}
    yield names
    for table in TABLES:
        table.restore(before[table])


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("way", ["import", "test"])
def test_it_is_said_and_put_back(ready, tmp_path, change, way):
    before, texts = {table: dict(table.now()) for table in TABLES}, []
    keeper = Leftovers()
    keeper.enter("k01")
    if way == "import":
        with keeper.importing(tmp_path, texts):
            exec(change, ready)
    else:
        exec(change, ready)
    texts += keeper.leave(is_last=True)
    assert any(text.startswith(CHANGES[change]) for text in texts), texts
    assert [table.changed(before[table]) for table in TABLES] == [{}] * len(TABLES)


def test_every_value_has_a_change_that_shows_it(ready):
    never_read = {"sys.settrace", "sys.stdin", "sys.stdout", "sys.displayhook"}
    never_read |= {name for name in VALUES if name.startswith("what SIG")} - {"what SIGINT does"}
    said = tuple(CHANGES.values())
    assert [n for n in VALUES if n not in never_read and not any(n in s for s in said)] == []


def test_nothing_is_said_of_a_kata_that_changes_nothing(ready, tmp_path):
    keeper, texts = Leftovers(), []
    keeper.enter("k01")
    with keeper.importing(tmp_path, texts):
        torch.nn.Linear(2, 2)(torch.ones(1, 2)).sum().backward()
    assert texts + keeper.leave(is_last=False) + keeper.leave(is_last=True) == []


def test_what_the_import_changed_holds_during_the_katas_own_tests(ready, tmp_path):
    keeper = Leftovers()
    keeper.enter("k01")
    with keeper.importing(tmp_path, []):
        torch.set_default_dtype(torch.float64)
    torch.set_grad_enabled(False)  # by a test
    assert keeper.leave(is_last=False) == ["torch's recording of gradients to False"]
    assert (torch.get_default_dtype(), torch.is_grad_enabled()) == (torch.float64, True)
    keeper.leave(is_last=True)
    keeper.enter("k02")
    assert torch.get_default_dtype() == torch.float32
    keeper.leave(is_last=True)
    keeper.enter("k01")
    assert torch.get_default_dtype() == torch.float64
    keeper.leave(is_last=True)


LEAK = """
torch.set_default_dtype(torch.float64)
torch.relu = print
from os import environ
environ["HELLO"] = "x"
"""


def test_one_katas_file_does_not_change_the_verdict_of_another(tmp_path, reference):
    from test_plain_pytest import pytest_in

    root = HERE.parents[1]
    text = reference.replace(
        "from torch import Tensor, nn\n", f"from torch import Tensor, nn\n{LEAK}"
    )
    (tmp_path / "k06_logistic_regression.py").write_text(text)
    other = (root / "reference" / "k07_hidden_layer.py").read_text()
    (tmp_path / "k07_hidden_layer.py").write_text(other)
    tests = [f"tests/test_{path.stem}.py" for path in sorted(tmp_path.glob("k*.py"))]
    done = pytest_in(root, f"--target={tmp_path}", "--device=cpu", "-p", "no:randomly", *tests)
    lines = done.stdout.splitlines()
    assert not [line for line in lines if line.startswith("FAILED") and "k07" in line]
    said = (
        "k06_logistic_regression.py changed torch's default dtype to torch.float64, the environment"
        " variable HELLO, torch.relu; they were put back."
    )
    assert [line for line in lines if line.endswith(said)]
