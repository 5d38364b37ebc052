"""Are the records what the commands wrote? reference/validation/SHA256SUMS has the hash of each, so
that one edited by hand is seen; `sha256sum -c` understands it, too.
"""

from collections.abc import Iterator
from pathlib import Path

from dojo import ROOT, files
from dojo.catalog import Catalog
from dojo.validate import Finding

FOLDER = ROOT / "reference" / "validation"


def as_written(chosen: Catalog) -> Finding:
    """Every record is what a command wrote."""
    return Finding(list(faults(FOLDER)), f"{len(list(FOLDER.glob('*.json')))} records")


def faults(folder: Path) -> Iterator[str]:
    """Records that nobody measured, and those that are gone."""
    sums, names = files.read_sums(folder), {path.name for path in folder.glob("*.json")}
    for name in sorted(names):
        if sums.get(name) != files.hash_of(folder / name):
            fault = "is not what a command wrote: take the record of the last commit, or measure"
            yield f"reference/validation/{name} {fault} again"
    for name in sorted(sums.keys() - names):
        yield f"reference/validation/{name} is gone, and {files.SUMS} lists it"
