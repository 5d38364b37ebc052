"""What answering needs, imported once in the process that forks those who answer. No tests: they
know what is right.
"""

import gc
import importlib

import matplotlib
import torch

from dojo import catalog
from dojo.exam import (
    answering,  # noqa: F401
    training_steps,  # noqa: F401
)
from dojo.simulated import backend

# before any operation: a child of a process that ran two threads would hang
torch.set_num_threads(1)
matplotlib.use("Agg")
# the first optimizer imports torch._dynamo
torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
backend.prepare()
for name in (
    "katas.given.data",
    "katas.given.networks",
    "sklearn.datasets",
    "sklearn.linear_model",
):
    importlib.import_module(name)
catalog.load()

gc.collect()
gc.freeze()  # children then share these objects instead of copying their pages
