# class:     PYTEST_* and PYTHON* variables
# attack:    PYTEST_ and PYTHON variables for whoever comes next
# contained: it ends with this process
# added to:  stub
# ends:      by itself
# suite:     model: not started, train: not started, boundary: not started
# verdict:   model: not started, train: not started, boundary: not started

import os
import sys

os.environ.update(
    PYTEST_ADDOPTS="--collect-only",
    PYTEST_PLUGINS="evil",
    PYTHONPATH="/submission",
    PYTHONSTARTUP="/submission/evil.py",
    PYTHONHASHSEED="0",
    LD_PRELOAD="/submission/evil.so",
    TORCH_KATAS_NO_FORK="1",
)
sys.path.insert(0, "/submission")
sys.dont_write_bytecode = False
