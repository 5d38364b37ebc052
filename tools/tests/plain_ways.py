"""A mixed set of katas for the tests of plain pytest, and a plugin that writes down the verdicts.

As a plugin (`-p plain_ways`) it writes each test's outcome to the file that PLAIN_VERDICTS names.
"""

import json
import os
from pathlib import Path

import pytest

from dojo import ROOT, catalog, stubs

WRONG, ENDLESS, RIGHT = "k06_logistic_regression", "k07_hidden_layer", "k15_numpy_mlp"
BROKEN, LEAVING, UNFINISHED = "k08_multi_hidden_layer", "k16_data_pipeline", "k20_moons"
KATAS = (WRONG, BROKEN, RIGHT, LEAVING, UNFINISHED)  # those that come to an end


def write(folder: Path) -> None:
    """Write into the folder a right kata, wrong ones, a stub, and files that can't be loaded."""
    texts = {
        name: (ROOT / "reference" / f"{name}.py").read_text("utf-8") for name in (*KATAS, ENDLESS)
    }

    def change(name: str, old: str, new: str) -> None:
        assert texts[name].count(old) == 1, (name, old)
        texts[name] = texts[name].replace(old, new)

    change(WRONG, "return self.sigmoid(self.linear(x))", "return self.linear(x)")
    change(ENDLESS, "    losses = []\n", "    losses = []\n    while True:\n        pass\n")
    change(BROKEN, "import torch\n", "import torch\ndef f(:\n")
    change(LEAVING, "import torch\n", "import torch, sys\nsys.exit(0)\n")
    task_names = [task.name for task in catalog.load().find(UNFINISHED).tasks]
    texts[UNFINISHED] = stubs.stub_of(texts[UNFINISHED], task_names)
    for name, text in texts.items():
        (folder / f"{name}.py").write_text(text, encoding="utf-8")


def files_of(*names: str) -> list[str]:
    """The test files of these katas."""
    return [str(ROOT / "tests" / f"test_{name}.py") for name in names]


class _Verdicts:
    def __init__(self, path: Path) -> None:
        self.path, self.outcomes = path, {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if result := getattr(report, "kata_result", None):
            kata = Path(report.nodeid.partition("::")[0]).stem.removeprefix("test_")
            name = f"{kata}::{result.name}@{result.device}"  # several tasks may have one of it
            self.outcomes.setdefault(name, []).append(str(result.outcome))

    def pytest_sessionfinish(self) -> None:
        outcomes = {name: sorted(several) for name, several in self.outcomes.items()}
        self.path.write_text(json.dumps(outcomes), encoding="utf-8")


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Verdicts(Path(os.environ["PLAIN_VERDICTS"])))
