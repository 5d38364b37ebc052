"""Imports that children need, made once in the process that forks them."""

import contextlib
import gc
import importlib
import io
import os
import signal
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from dojo import ROOT
from dojo.suite.loader import packages

TESTS = ["numpy", "pytest_timeout", "dojo.suite.devices", "dojo.suite.drift"]
TESTS += ["dojo.suite.pytest_run"]


def preload(modules: Iterable[str]) -> None:
    """Import torch, on one thread, and those of these modules that can be imported."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends this one
    import matplotlib
    import torch

    from dojo import catalog
    from dojo.simulated import backend

    # before any operation: a child of a process that ran two threads would hang
    torch.set_num_threads(1)
    matplotlib.use("Agg")
    # the first optimizer imports torch._dynamo
    torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
    # its kernels take a while; only a child that tests on this device makes it known to torch
    backend.prepare()
    for name in modules:
        with contextlib.suppress(Exception):  # reported when a test or a kata needs it
            importlib.import_module(name)
    with contextlib.suppress(Exception):  # both read large files, and keep what they read
        catalog.load()
        if marks := sys.modules.get("tests.support.marks"):
            marks.entries()
    gc.collect()
    gc.freeze()  # children then share these objects instead of copying their pages


def preload_tests(modules: Iterable[str] = ()) -> None:
    """Import what running tests takes, and these modules."""
    preload([*TESTS, *modules])
    import pytest

    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    with tempfile.TemporaryDirectory() as empty, contextlib.redirect_stdout(io.StringIO()):
        (Path(empty) / "test_nothing.py").write_text("def test_nothing(): pass\n", "utf-8")
        (settings := Path(empty) / "pytest.ini").write_text("[pytest]\n", "utf-8")
        options = ["-q", "-p", "no:cacheprovider", "--rootdir", empty, "-c", str(settings)]
        pytest.main([empty, *options])
    gc.collect()
    gc.freeze()


def of_katas() -> list[str]:
    """Modules that only some katas need: those of packages, of katas.given and of tests.support."""
    references = sorted((ROOT / "reference").glob("k*.py"))
    tests = sorted((ROOT / "tests").rglob("*.py"))
    shared = [path for path in tests if not path.name.startswith("test_")]
    ours = [*(ROOT / "katas" / "given").glob("*.py"), *shared]
    return packages([*references, *tests]) + sorted(map(_module, ours))


def _module(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
