"""The simulated device in other projects: the folder copied, its page followed, nothing else of
this repository at hand.
"""

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dojo import ROOT
from dojo.simulated import backend

FOLDER = ROOT / "tools" / "dojo" / "simulated"
PAGE = (FOLDER / "README.md").read_text(encoding="utf-8")
SOURCES = sorted(FOLDER.glob("*.py"))
TESTS = """
import torch
from torch import nn

def test_places_everything(device):
    model, x = nn.Linear(2, 1).to(device), torch.ones(3, 2).to(device)
    model(x).sum().backward()
    assert model.weight.grad.device.type == device.type

def test_forgets_the_batch(device):
    nn.Linear(2, 1).to(device)(torch.ones(3, 2))

def test_is_beyond_the_simulation(device):
    torch.fft.fft(torch.ones(3, device=device))
"""


@pytest.fixture
def elsewhere(tmp_path):
    shutil.copytree(FOLDER, tmp_path / "simulated", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def run(folder: Path, *arguments: str) -> str:
    """What Python says, where nothing of this repository can be imported."""
    hidden = ("PYTHONPATH", "PYTEST_ADDOPTS")
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    command = [sys.executable, *arguments]
    result = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    return result.stdout + result.stderr


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_it_imports_nothing_but_torch_and_itself(path):
    others = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            others |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level < 2
            others |= set() if node.level else {node.module.partition(".")[0]}
    assert others - sys.stdlib_module_names <= {"torch"}


@pytest.mark.skipif(backend.available() is not None, reason=str(backend.available()))
def test_its_page_can_be_followed_in_another_suite(elsewhere):
    blocks = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    fixture, hook = blocks
    (elsewhere / "conftest.py").write_text(f"import simulated\n{fixture}\n{hook}", encoding="utf-8")
    (elsewhere / "test_it.py").write_text(TESTS, encoding="utf-8")
    said = run(elsewhere, "-m", "pytest", "-q", "-rfs", "-p", "no:cacheprovider", "test_it.py")
    assert "1 failed, 4 passed, 1 skipped" in said, said
    assert "FAILED test_it.py::test_forgets_the_batch[simulated]" in said
    assert "Expected all tensors to be on the same device" in said
    assert "this is a limit of the simulation, not a mistake" in said


@pytest.mark.skipif(backend.available() is not None, reason=str(backend.available()))
def test_the_switch_for_float64_works_there_too(elsewhere):
    said = run(
        elsewhere,
        "-c",
        "import torch\nfrom simulated import backend\nbackend.enable()\n"
        "with backend.without_float64():\n"
        "    torch.ones(1, dtype=torch.float64).to('simulated')",
    )
    assert said.strip().endswith("doesn't support float64. Please use float32 instead."), said


def test_where_torch_lacks_what_it_stands_on_the_copy_says_so(elsewhere):
    said = (
        run(
            elsewhere,
            "-c",
            "import torch.utils.backend_registration as there\n"
            "del there._setup_privateuseone_for_python_backend\n"
            "from simulated import Unavailable, backend\n"
            "try: backend.enable()\nexcept Unavailable as reason: print('unavailable:', reason)",
        )
        if backend.available() is None
        else run(
            elsewhere,
            "-c",
            "from simulated import Unavailable, backend\n"
            "try: backend.enable()\nexcept Unavailable as reason: print('unavailable:', reason)",
        )
    )
    assert said.startswith("unavailable: torch "), said
    assert "_setup_privateuseone_for_python_backend, which the simulated device stands on" in said


def test_the_page_names_every_private_name_by_where_it_is_listed():
    assert "`backend.PRIVATE`" in PAGE
    assert backend.PRIVATE[0] in PAGE
