"""What the katas and their tests import, imported before forking. For whoever judges many katas, or
one many times.
"""

import contextlib
import gc
import importlib
from pathlib import Path

from dojo import ROOT, catalog
from dojo.suite import preload  # noqa: F401  (first: torch has to be on one thread)
from dojo.suite.loader import packages


def names() -> list[str]:
    """Modules of packages that references and tests name; those given with the katas; those that
    tests share.
    """
    solved, tests = (
        sorted((ROOT / "reference").glob("k*.py")),
        sorted((ROOT / "tests").rglob("*.py")),
    )
    shared = [path for path in tests if not path.name.startswith("test_")]
    ours = [*(ROOT / "katas" / "given").glob("*.py"), *shared]
    return packages([*solved, *tests]) + sorted(map(_module, ours))


def _module(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


for name in names():
    with contextlib.suppress(Exception):  # what can't be imported is told when a test needs it
        importlib.import_module(name)
with contextlib.suppress(Exception):
    catalog.load()  # both read large files, and keep what they read
    importlib.import_module("tests.support.marks").entries()

gc.collect()
gc.freeze()
