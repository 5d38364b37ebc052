"""The katas. Without torch none of them can run, and this says what helps."""

import sys
from importlib.util import find_spec

if find_spec("torch") is None:
    sys.exit(
        "This Python has no torch. Activate the project's environment first: `source"
        " .venv/bin/activate`, on Windows `.venv\\Scripts\\activate`. If there is none yet,"
        " `python tools/check` makes it."
    )
