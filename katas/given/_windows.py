"""Where the pictures go: windows, or files where there is no display."""

import os
import re
import sys
from collections.abc import Sequence
from itertools import count
from pathlib import Path

from matplotlib import pyplot as plt
from matplotlib.figure import Figure

# the ones of matplotlib that open no window
FILE_BACKENDS = {"agg", "cairo", "pdf", "pgf", "ps", "svg", "template"}
# written into every saved picture, so that `show` knows which files it may replace
SIGNATURE = "torch-katas"


def show(*figures: Figure) -> None:
    """Show the figures in windows and wait until they are closed; without a display, save them and
    print where.

    The files are `pictures/k06-1.png` and so on in the working directory, named after the program
    that runs. The pictures of an earlier run are replaced; a file of the same name that is not from
    here is kept, and the next number is taken.

    Raises:
        ValueError: `pictures` is there, but is not a folder.
    """
    if not figures or _in_windows(figures):
        return
    folder = Path("pictures")
    if folder.exists() and not folder.is_dir():
        raise ValueError(
            "Pictures are saved in the folder pictures, but a file has that name here: rename it."
        )
    folder.mkdir(exist_ok=True)
    stem = Path(getattr(sys.modules["__main__"], "__file__", None) or "picture").stem
    # k06 of k06_logistic_regression.py, and picture of __main__.py
    name = re.match(r"k\d+|[^_].*|", stem)[0] or "picture"
    free = (path for number in count(1) if _may_write(path := folder / f"{name}-{number}.png"))
    paths = []
    for figure, path in zip(figures, free, strict=False):
        figure.savefig(path, metadata={"Software": SIGNATURE})
        paths.append(path.as_posix())
    listed = " and ".join(filter(None, [", ".join(paths[:-1]), paths[-1]]))
    print(
        f"There is no display here, so the picture{'s are' if len(paths) > 1 else ' is'} saved as"
        f" {listed}."
    )


def _in_windows(figures: Sequence[Figure]) -> bool:
    """Show the figures and answer True, or answer False where no window can be opened."""
    if plt.get_backend().lower() in FILE_BACKENDS:
        return False
    try:
        for figure in figures:
            # a window for the figure that is there
            plt.figure(FigureClass=lambda *_, _figure=figure, **__: _figure)
    except ImportError:  # what matplotlib raises when a backend is demanded that has no display
        return False
    plt.show()
    return True


def _may_write(path: Path) -> bool:
    """Whether the path is free, or a picture that `show` has saved."""
    if not os.path.lexists(path):
        return True
    return path.is_file() and SIGNATURE.encode() in path.read_bytes()[:500]
