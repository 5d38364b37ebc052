"""Which modules of packages katas and tests name. Light: nothing is imported."""

import re
from collections.abc import Iterable
from pathlib import Path

PACKAGES = re.compile(r"^(?:from|import) ((?:matplotlib|numpy|sklearn|torch)[\w.]*)", re.MULTILINE)


def packages(files: Iterable[Path]) -> list[str]:
    return sorted({name for path in files for name in PACKAGES.findall(path.read_text(encoding="utf-8"))})
