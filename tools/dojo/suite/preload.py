"""What every run needs, imported once in the process that forks the runs."""

import contextlib
import gc
import io
import os
import tempfile
from pathlib import Path

import matplotlib
import numpy  # noqa: F401
import pytest
import pytest_timeout  # noqa: F401
import torch

from dojo.simulated import backend
from dojo.suite import (  # noqa: F401
    devices,
    drift,
    plugin,
    pytest_run,
)

# before any operation: a child of a process that ran two threads would hang
torch.set_num_threads(1)
matplotlib.use("Agg")
# the first optimizer imports torch._dynamo
torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
# its kernels take a while; only a child that tests on this device makes it known to torch
backend.prepare()

os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
with tempfile.TemporaryDirectory() as empty, contextlib.redirect_stdout(io.StringIO()):
    (Path(empty) / "test_nothing.py").write_text("def test_nothing(): pass\n")
    pytest.main([empty, "-q", "-p", "no:cacheprovider", "--rootdir", empty, "-c", "/dev/null"])

gc.collect()
gc.freeze()  # children then share these objects instead of copying their pages
