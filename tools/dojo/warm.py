"""Starts child processes that have everything imported already, where the system allows it.

On Linux a fork server imports torch, pytest and the rest once and forks each child. Elsewhere a child starts anew: fork is not
there (Windows) or not safe with the system's libraries (macOS).
"""

import multiprocessing
import os
import sys
from multiprocessing.context import BaseContext

from dojo import ROOT


def can_fork() -> bool:
    return sys.platform.startswith("linux")


def context() -> BaseContext:
    """The multiprocessing context for runs. Light: the fork server starts with the first process."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    os.environ.setdefault("PYTORCH_NVML_BASED_CUDA_CHECK", "1")
    paths = [str(ROOT / "tools"), str(ROOT)]
    known = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    os.environ["PYTHONPATH"] = os.pathsep.join([*paths, *(path for path in known if path and path not in paths)])
    if not can_fork():
        return multiprocessing.get_context("spawn")
    chosen = multiprocessing.get_context("forkserver")
    chosen.set_forkserver_preload(["dojo.suite.uninterrupted", "dojo.suite.preload"])
    return chosen
